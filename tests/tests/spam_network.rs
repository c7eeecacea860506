//! Rules that ask DNS, held against SpamAssassin's where that is installed: a name server on this host answers both.
#![allow(clippy::unwrap_used)]

use testkit::left_out;
use tests::Builder;
use tests::judgement::{RuleFolder, ask_spamd, rules_of};
use tests::name_server::{NameServer, SILENT};

const ZONE: &str = "\
9.113.0.203.zen.example A 127.0.0.4
9.113.0.203.zen.example A 127.0.0.2
7.100.51.198.zen.example A 127.0.0.3
9.113.0.203.txt.example TXT Blocked - see https://www.spamcop.example/q
9.113.0.203.gone.example A 10.0.0.1
9.113.0.203.mask.example A 127.0.0.6
shop.bad-domain.com.env.example A 127.0.0.1
bad-domain.com.rhs.example A 127.0.0.66
pills-here.com.rhs.example A 127.0.0.2
www.pills-here.com.full.example A 127.0.1.2
pills-here.com NS ns1.evil-dns.net
evil-dns.net.nsrhs.example A 127.0.0.2
ns1.evil-dns.net A 198.51.100.77
www.pills-here.com A 198.51.100.78
78.100.51.198.ip.example A 127.0.0.2
44.100.51.198.rhs.example A 127.0.0.2
shop.bad-domain.com.ask.example A 127.0.0.9
";
const RULES: &str = "\
header __ZEN eval:check_rbl('zen', 'zen.example.')
tflags __ZEN net
header Z_TWO eval:check_rbl_sub('zen', '127.0.0.2')
header Z_THREE eval:check_rbl_sub('zen', '127.0.0.3')
header Z_FOUR eval:check_rbl_sub('zen', '^127\\.0\\.0\\.4$')
score Z_FOUR 0 2 0 3
header Z_LAST eval:check_rbl('a-lastexternal', 'zen.example.', '^127\\.0\\.0\\.[45]$')
header Z_FIRST eval:check_rbl('b-firsttrusted', 'zen.example.')
header Z_UNTRUSTED eval:check_rbl('c-untrusted', 'zen.example.')
header Z_NOTFIRST eval:check_rbl('d-notfirsthop', 'zen.example.')
header Z_TEXT eval:check_rbl_txt('txt', 'txt.example.', '(?i:spamcop)')
header Z_GONE eval:check_rbl('gone', 'gone.example')
header Z_MASK eval:check_rbl('mask', 'mask.example', '2')
header Z_OTHER eval:check_rbl('mask', 'mask.example', '8')
header Z_HOST eval:check_rbl_from_host('host', 'env.example.')
header Z_DOMAIN eval:check_rbl_from_domain('dom', 'rhs.example.')
urirhssub U_DOMAIN rhs.example. A 2
body U_DOMAIN eval:check_uridnsbl('U_DOMAIN')
urirhssub U_HOST full.example. A 127.0.1.2
body U_HOST eval:check_uridnsbl('U_HOST')
tflags U_HOST net domains_only notrim
urirhsbl U_IP rhs.example. A
body U_IP eval:check_uridnsbl('U_IP')
tflags U_IP net ips_only
uridnssub U_ADDRESS ip.example. A 127.0.0.2
body U_ADDRESS eval:check_uridnsbl('U_ADDRESS')
tflags U_ADDRESS net a
urinsrhsbl U_SERVER nsrhs.example. A
body U_SERVER eval:check_uridnsbl('U_SERVER')
askdns A_AUTHOR _AUTHORDOMAIN_.ask.example A 8
askdns A_NOTHING nowhere.example A [NXDOMAIN]
meta M_BOTH (Z_TWO && U_DOMAIN)
";
const HITS: &str = "A_AUTHOR,A_NOTHING,M_BOTH,U_ADDRESS,U_DOMAIN,U_HOST,U_IP,U_SERVER,Z_DOMAIN,Z_FIRST,Z_FOUR,Z_HOST,Z_LAST,\
    Z_MASK,Z_NOTFIRST,Z_TEXT,Z_THREE,Z_TWO,Z_UNTRUSTED";
const MESSAGE: &str = "Received: from relay.example (relay.example [10.1.1.1]) by mx.here.org (Postfix) with ESMTP id 1; \
    Sun, 22 Nov 2026 10:00:01 +0000\n\
    Received: from helo.sender.com (unknown [203.0.113.9]) by relay.example (Postfix) with ESMTP id 2; \
    Sun, 22 Nov 2026 10:00:00 +0000\n\
    Received: from first.org (first.org [198.51.100.7]) by helo.sender.com (Postfix) with ESMTP id 3; \
    Sun, 22 Nov 2026 09:59:00 +0000\n\
    From: Shop <x@shop.bad-domain.com>\nTo: you@here.org\nSubject: offer\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\
    Message-Id: <a@shop.bad-domain.com>\n\nLook at http://www.pills-here.com/x and http://198.51.100.44/y now.\n";

fn rules(server: &NameServer, more: &str) -> RuleFolder {
    let plugins = ["Check", "DNSEval", "URIDNSBL", "AskDNS"];
    RuleFolder::new(&plugins, server, &format!("{RULES}{more}"))
}

#[test]
fn lists_are_asked_as_the_original_asks_them() {
    let server = NameServer::start(ZONE).unwrap();
    let folder = rules(&server, "");
    let found = folder.ours(MESSAGE, &[]);
    for name in HITS.split(',') {
        assert!(found.iter().any(|line| line.contains(&format!(" {name} "))), "{name} is not in {found:#?}");
    }
    assert!(!found.iter().any(|line| line.contains("Z_GONE") || line.contains("Z_OTHER")), "{found:#?}");
    assert!(found.contains(&"[URI: www.pills-here.com/198.51.100.78]".to_owned()), "{found:#?}");
    match folder.original(MESSAGE, &[]) {
        Some(original) => assert_eq!(found, original),
        None => left_out("spamassassin is not installed"),
    }
}

#[test]
fn nobody_is_asked_in_local_mode_or_where_a_list_may_not_be_asked() {
    let server = NameServer::start(ZONE).unwrap();
    let folder = rules(&server, "");
    assert_eq!(folder.ours(MESSAGE, &["-L"]), [""; 0]);
    assert_eq!(folder.ours(MESSAGE, &["--cf=dns_available no"]), [""; 0]);
    assert_eq!(server.asked(), [""; 0]);
    let found = folder.ours(MESSAGE, &["--cf=dns_query_restriction deny zen.example"]);
    assert!(found.iter().any(|line| line.contains("Z_TEXT")), "{found:#?}");
    assert!(!server.asked().iter().any(|name| name.ends_with("zen.example")));
}

/// The rules that a spamd finds, asked once for each message.
fn symbols(folder: &RuleFolder, messages: usize) -> Vec<String> {
    folder.with_spamd(&[], |port| (0..messages).map(|_| ask(port)).collect())
}

fn ask(port: u16) -> String {
    let reply = ask_spamd(port, "SYMBOLS SPAMC/1.5", MESSAGE);
    reply.split_once("\r\n\r\n").unwrap().1.trim().to_owned()
}

#[test]
fn a_verdict_does_not_wait_for_a_list_that_says_nothing() {
    let server = NameServer::start(ZONE).unwrap();
    let more = format!("rbl_timeout 2\nheader Z_LATE eval:check_rbl('late', '{SILENT}')\n");
    let folder = rules(&server, &more);
    let found = symbols(&folder, 1);
    assert!(server.asked().iter().any(|name| name.ends_with(SILENT)));
    assert!(found[0].contains("Z_TEXT") && !found[0].contains("Z_LATE"), "{found:?}");
}

#[test]
fn a_list_that_complains_is_left_alone() {
    let server = NameServer::start(ZONE).unwrap();
    let folder = rules(&server, "dns_block_rule Z_TEXT txt.example\n");
    let found = symbols(&folder, 2);
    assert_eq!(found[0], HITS);
    assert_eq!(found[1], HITS.replace("Z_TEXT,", ""));
}

/// The whole way: master starts it, the sandbox lets it ask, and the rules find what DNS says.
#[test]
fn a_service_of_master_asks_dns_where_it_may() {
    let server = NameServer::start(ZONE).unwrap();
    let folder = rules(&server, "");
    let (path, site) = (folder.path().display(), folder.path().join("site"));
    for (network, wanted) in [("network=yes", HITS), ("network=no", ""), ("", "")] {
        let before = server.asked().len();
        let mut builder = Builder::new();
        let port = builder.reserve_port();
        let arguments = format!("{network} configpath={path} siteconfigpath={}", site.display());
        let suite = builder.master(&format!("{port} inet n - n - - spamd {arguments}\n")).start();
        assert_eq!(ask(port), wanted, "{}", suite.log_end());
        assert_eq!(server.asked().len() > before, !wanted.is_empty());
        suite.stop();
    }
}

/// Hashes of `joe@gmail.com` (MD5), `ann@gmail.com` (SHA-256) and `http://www.pills-here.com/x` (SHA-1).
const HASH_ZONE: &str = "\
62a051bba95ad2944f5122e274d9147f.mail.example A 127.0.0.2
rh6ih5ucwxxlooupzs3t2q6653u7lacb7qrsyfnehtbusezocjzq.free.example A 127.0.0.3
d238de6c3b0861880c5778e30d678979089e91d7.uri.example A 127.0.0.32
1boatslrhtknngkdxeeobr76b53lettpyt.coin.example A 127.0.0.2
helo.sender.com.tag.example A 127.0.0.5
sender.com.trim.example A 127.0.0.5
";
const HASH_RULES: &str = "\
hashbl_email_domain_alias gmail.com googlemail.com
hashbl_acl_free gmail.com !other.com
hashbl_ignore skipped.com
header H_MAIL eval:check_hashbl_emails('mail.example/A', 'md5/max=10/notag/noquote', 'Reply-To/body', '^127\\.')
header H_FREE eval:check_hashbl_emails('free.example', 'sha256', 'Reply-To', '', 'free')
header H_NOT_FREE eval:check_hashbl_emails('mail.example', 'sha256', 'From', '', 'free')
header H_URI eval:check_hashbl_uris('uri.example', 'sha1', '^127\\.0\\.0\\.32$')
header H_OTHER_URI eval:check_hashbl_uris('uri.example', 'sha1', '^127\\.0\\.0\\.33$')
body H_COIN eval:check_hashbl_bodyre('coin.example', 'raw', '\\b([13][a-km-zA-HJ-NP-Z1-9]{25,34})\\b')
header H_TAG eval:check_hashbl_tag('tag.example', 'raw', 'LASTEXTERNALHELO')
header H_TRIM eval:check_hashbl_tag('trim.example', 'raw/trim', '_LASTEXTERNALHELO_')
";

#[test]
fn hashes_are_asked_as_the_original_asks_them() {
    let server = NameServer::start(HASH_ZONE).unwrap();
    let folder = RuleFolder::new(&["Check", "HashBL"], &server, HASH_RULES);
    let message = MESSAGE
        .replace("To: you", "Reply-To: <Ann@gmail.com>\nTo: you")
        .replace("/y now", "/y, joe+x@googlemail.com and 1BoatSLRHtKNngkdXEeobR76b53LETtpyT now");
    let found = folder.ours(&message, &[]);
    let wanted = ["H_COIN", "H_FREE", "H_MAIL", "H_TAG", "H_TRIM", "H_URI"];
    assert_eq!(rules_of(&found), wanted, "{found:#?}");
    match folder.original(&message, &[]) {
        Some(original) => assert_eq!(found, original),
        None => left_out("spamassassin is not installed"),
    }
}

/// Hashes of the text `hello attachment` (SHA-1), of a document (MD5), and of `user7@x.shop.com` (SHA-1).
const PART_ZONE: &str = "\
0d94338dc05f13b2a9317c2a19bee5b4551e0da9.part.example A 127.0.0.2
62fb8fc716785b1d259b54f5eb2e3055.part.example A 127.0.0.3
70d9fcd9b322bc7a6976496a2ea1c3028b036d59.users.example A 127.0.0.2
";
const PART_RULES: &str = "\
hashbl_email_regex (?i)\\b(user\\d+@[a-z.]+\\._TLDS_)
hashbl_email_welcomelist ^user1@
hashbl_ignore text/html
body P_TEXT eval:check_hashbl_attachments('part.example')
body P_DOCUMENT eval:check_hashbl_attachments('part.example/A', 'md5/minsize=5/max=3', '^127\\.0\\.0\\.3$')
body P_OTHER eval:check_hashbl_attachments('part.example', 'md5', '^127\\.0\\.0\\.9$')
body P_LARGE eval:check_hashbl_attachments('part.example', 'sha1/minsize=1000')
body P_LIMIT eval:check_hashbl_attachments('part.example', 'sha1/maxsize=1000')
header P_USER eval:check_hashbl_emails('users.example', 'sha1', 'body')
header P_SENDER eval:check_hashbl_emails('mail.example', 'sha1', 'From')
";

#[test]
fn attachments_and_chosen_addresses_are_asked_as_the_original_asks_them() {
    let server = NameServer::start(PART_ZONE).unwrap();
    let folder = RuleFolder::new(&["Check", "HashBL"], &server, PART_RULES);
    let (head, _) = MESSAGE.split_once("\n\n").unwrap();
    let message = format!(
        "{head}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n\
         Ask user7@x.shop.com, user1@x.shop.com or joe@x.shop.com.\n--b\nContent-Type: text/html\n\n<p>\n--b\n\
         Content-Type: text/plain; name=a.txt\nContent-Transfer-Encoding: base64\n\naGVsbG8gYXR0YWNobWVudAo=\n--b\n\
         Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjQgeAo=\n--b--\nend\n"
    );
    let found = folder.ours(&message, &[]);
    assert_eq!(rules_of(&found), ["P_DOCUMENT", "P_TEXT", "P_USER"], "{found:#?}");
    match folder.original(&message, &[]) {
        Some(original) => assert_eq!(found, original),
        None => left_out("spamassassin is not installed"),
    }
}

const SENDER_ZONE: &str = "\
here.zone.example A 192.0.2.1
zone.example NS ns.own.example
zone.example SOA ns1.evil.example
ns1.evil.example.servers.example A 127.0.0.2
ns.own.example.servers.example A 127.0.0.3
9.113.0.203.vouch.example A 127.0.0.2
";
const SENDER_RULES: &str = "\
header S_SERVER eval:check_rbl_ns_from('s', 'servers.example.')
header S_SERVER_TWO eval:check_rbl_ns_from('t', 'servers.example.', '127.0.0.2')
header S_SERVER_OTHER eval:check_rbl_ns_from('u', 'servers.example.', '127.0.0.3')
header S_BONDED eval:check_rbl_accreditor('v-untrusted', 'vouch.example.', '127.0.0.2', 'bonded')
header S_BONDED_ALL eval:check_rbl_accreditor('v', 'vouch.example.', '127.0.0.2', 'bonded')
header S_OTHER eval:check_rbl_accreditor('w', 'vouch.example.', '127.0.0.2', 'other')
";

#[test]
fn who_serves_the_sender_and_who_vouches_for_it_is_asked_as_the_original_asks_it() {
    let server = NameServer::start(SENDER_ZONE).unwrap();
    let folder = RuleFolder::new(&["Check", "DNSEval"], &server, SENDER_RULES);
    let from = |sender: &str| {
        MESSAGE.replace("[203.0.113.9]) by", &format!("[203.0.113.9]) (envelope-from <{sender}>) by"))
    };
    let field = |value: &str| format!("Accreditor: {value}\n{}", from("x@zone.example"));
    let servers = "S_SERVER S_SERVER_TWO";
    for (message, wanted) in [
        (from("x@here.zone.example"), servers),
        (from("x@gone.zone.example"), servers),
        (from("x@zone.example"), ""),
        (from("list@a--Bonded.mail.org"), "S_BONDED_ALL"),
        (field("first x=1, Bonded y=2"), "S_BONDED_ALL"),
        (field("nobody"), ""),
    ] {
        let found = folder.ours(&message, &[]);
        assert_eq!(rules_of(&found).join(" "), wanted, "{message}");
        match folder.original(&message, &[]) {
            Some(original) => assert_eq!(found, original, "{message}"),
            None => left_out("spamassassin is not installed"),
        }
    }
}
