//! Rules about who sent a message, held against SpamAssassin's where that is installed: a name server on this host answers
//! both.
#![allow(clippy::unwrap_used)]

use testkit::left_out;
use tests::judgement::{RuleFolder, rules_of};
use tests::name_server::NameServer;
use tests::signer::{ED25519_RECORD, RSA_RECORD, arc_seal, arc_signature, dkim_signature};

const SENDER_ZONE: &str = "\
pass.example TXT v=spf1 ip4:203.0.113.0/24 -all
soft.example TXT other text
soft.example TXT v=spf1 a mx ~all
soft.example A 198.51.100.1
soft.example MX 10 mx.soft.example
mx.soft.example A 198.51.100.2
neutral.example TXT v=spf1 exists:%{ir}.%{v}.none.example redirect=_spf.neutral.example
_spf.neutral.example TXT v=spf1 ?all
failing.example TXT v=spf1 include:pass.example.net -all exp=why.%{d}
why.failing.example TXT %{i} is not  one of %{d}'s %{c} (%{s})
pass.example.net TXT v=spf1 ip4:198.51.100.0/24 -all
perm.example TXT v=spf1 mx foo:bar -all
temp.example FAIL
temp.example
many.example TXT v=spf1 include:m1.example include:m2.example a:v1.example a:v2.example a:v3.example ?all
m1.example TXT v=spf1 ip4:198.51.100.9
m2.example TXT v=spf1 ip4:198.51.100.9
ptr.example TXT v=spf1 ptr:named.example -all
9.113.0.203.in-addr.arpa PTR host.named.example
host.named.example A 203.0.113.9
exists.example TXT v=spf1 exists:%{l}.%{ir}.%{d2}.list.example -all
joe.9.113.0.203.exists.example.list.example A 127.0.0.2
helo.sender.example TXT v=spf1 ip4:203.0.113.9 -all
v6.example TXT v=spf1 ip6:2001:db8::/32 -all
";
const SENDER_RULES: &str = "\
welcomelist_from_spf *@pass.example *@soft.example
def_welcomelist_from_spf *@exists.example
header SPF_WELCOME eval:check_for_spf_welcomelist_from()
header SPF_DEF_WELCOME eval:check_for_def_spf_welcomelist_from()
header SPF_SKIPPED eval:check_spf_skipped_noenvfrom()
";

fn sender_rules() -> String {
    let mut rules = SENDER_RULES.to_owned();
    for result in ["pass", "neutral", "none", "fail", "softfail", "permerror", "temperror"] {
        let name = result.to_uppercase();
        rules.push_str(&format!("header SPF_{name} eval:check_for_spf_{result}()\ntflags SPF_{name} net\n"));
        rules.push_str(&format!("header HELO_{name} eval:check_for_spf_helo_{result}()\n"));
    }
    rules
}

/// A message that came from 203.0.113.9.
fn message(sender: &str, helo: &str, more: &str) -> String {
    let envelope = if sender.is_empty() { String::new() } else { format!(" (envelope-from <{sender}>)") };
    format!(
        "{more}Received: from relay.example (relay.example [10.1.1.1]) by mx.here.example (Postfix) with ESMTP id 1; \
         Sun, 22 Nov 2026 10:00:01 +0000\n\
         Received: from {helo} (unknown [203.0.113.9]){envelope} by relay.example (Postfix) with ESMTP id 2; \
         Sun, 22 Nov 2026 10:00:00 +0000\n\
         From: x@{sender}\nTo: you@here.example\nSubject: hello\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\
         Message-Id: <a@here.example>\n\nThat is all.\n"
    )
}

/// Sender, HELO, further fields, and the rules that hit.
const SENDERS: [(&str, &str, &str, &str); 15] = [
    ("joe@pass.example", "helo.sender.example", "", "HELO_PASS SPF_PASS SPF_WELCOME"),
    ("joe@Pass.Example", "[203.0.113.9]", "", "SPF_PASS SPF_WELCOME"),
    ("joe@soft.example", "pass.example.net", "", "HELO_FAIL SPF_SOFTFAIL"),
    ("joe@neutral.example", "localhost", "", "SPF_NEUTRAL"),
    ("joe@failing.example", "nothing.example", "", "HELO_NONE SPF_FAIL"),
    ("joe@perm.example", "perm.example", "", "HELO_PERMERROR SPF_PERMERROR"),
    ("joe@temp.example", "temp.example", "", "HELO_TEMPERROR SPF_TEMPERROR"),
    ("joe@many.example", "soft.example", "", "HELO_SOFTFAIL SPF_PERMERROR"),
    ("joe@ptr.example", "neutral.example", "", "HELO_NEUTRAL SPF_PASS"),
    ("joe@exists.example", "v6.example", "", "HELO_FAIL SPF_DEF_WELCOME SPF_PASS"),
    ("joe@nothing.example", "x", "", "SPF_NONE"),
    ("", "pass.example", "", "HELO_PASS SPF_SKIPPED"),
    (
        "joe@pass.example",
        "pass.example",
        "Received-SPF: softfail (x) identity=mailfrom; client-ip=1.2.3.4\n",
        "HELO_PASS SPF_SOFTFAIL",
    ),
    (
        "joe@pass.example",
        "pass.example",
        "Received-SPF: fail (x) identity=helo; client-ip=1.2.3.4\n\
        Received-SPF: neutral (x)\n",
        "HELO_FAIL SPF_NEUTRAL",
    ),
    (
        "joe@pass.example",
        "pass.example",
        "Authentication-Results: here.example; spf=hardfail smtp.mfrom=x@y.example\n",
        "HELO_PASS SPF_FAIL",
    ),
];

#[test]
fn sender_policies_come_to_what_the_original_says() {
    let server = NameServer::start(SENDER_ZONE).unwrap();
    let folder = RuleFolder::new(&["Check", "SPF", "WLBLEval"], &server, &sender_rules());
    for (sender, helo, more, wanted) in SENDERS {
        let message = message(sender, helo, more);
        let found = folder.ours(&message, &[]);
        assert_eq!(rules_of(&found).join(" "), wanted, "{sender} {helo} {more}");
        if !is_as_in_the_original(&folder, &message, &[]) {
            return;
        }
    }
}

/// Holds our report against the original's; false where that is not installed.
fn is_as_in_the_original(folder: &RuleFolder, message: &str, options: &[&str]) -> bool {
    let Some(original) = folder.original(message, options) else {
        left_out("spamassassin is not installed");
        return false;
    };
    assert_eq!(folder.ours(message, options), original, "{message}");
    true
}

const SIGNER_RULES: &str = "\
welcomelist_from_dkim *@auth.example
welcomelist_from_dkim *@other.example esp.example
def_welcomelist_auth *@other.example *@auth.example
def_welcomelist_from_dkim *@sub.auth.example *.auth.example
adsp_override *.known.example custom_low
full S_SIGNED eval:check_dkim_signed()
full S_SIGNED_BY eval:check_dkim_signed('*.example')
full S_VALID eval:check_dkim_valid()
full S_VALID_BY eval:check_dkim_valid('auth.example', 'x.example')
full S_AUTHOR eval:check_dkim_valid_author_sig()
full S_ENVELOPE eval:check_dkim_valid_envelopefrom()
full S_KNOWN eval:check_dkim_dependable()
header S_ADSP_A eval:check_dkim_adsp('A')
header S_ADSP_D eval:check_dkim_adsp('D')
header S_ADSP_N eval:check_dkim_adsp('N')
header S_ADSP_LOW eval:check_dkim_adsp('1', '.known.example')
header S_ADSP_ANY eval:check_dkim_adsp('*', 'other.example')
header S_SIGNALL eval:check_dkim_signall()
header S_TESTING eval:check_dkim_testing()
header S_WELCOME eval:check_for_dkim_welcomelist_from()
header S_DEF_WELCOME eval:check_for_def_dkim_welcomelist_from()
full S_SEALED eval:check_arc_signed()
full S_SEAL_VALID eval:check_arc_valid()
askdns S_LIST _DKIMDOMAIN_._DKIMSELECTOR_.list.example A
add_header all Signers _DKIMDOMAIN_ _DKIMIDENTITY_ _DKIMSELECTOR_
";
/// Signed with SHA-1 by the RSA key of these tests.
const SHA1_SIGNATURE: &str = "\
    v=1; a=rsa-sha1; c=relaxed/relaxed; d=auth.example; s=s1; h=from:to:subject:date:message-id; bh=NaqR3cKFX\
    oTQeauuV51bbzQCyBw=; b=a8TZSXsJT1XRxlqcumwK/Sfppxx+lpLYDJGGNMeRZON+Xo0yZ9ULkk7xqXOMoV4IhBM7ZGCJC0aSGorYff\
    n196sLXN4iEW8mOcbWMbPFNMzlr+xvNVRiZcE0XzMqdyOYOYxY4ZR7CD4MA5G0KlVt5Z3Gt3PfvcK2JLWk5f++ABqO/FGmGIqWuhOLMss\
    JUgbE8iDcM4op4soUcLysxSv5gRM2HrvYU/KFnE9Q1jr08VfhE+hETrmmAKNWhwVmhtFitPJyIgD0fnWZ8BaPEXQwry/F/P6KLj6MSXhT\
    DSn/RdsruM8aq8DnJ1LxEuuGw/L10gEV4zcd9VjY8bUhuEhBhg==";
const BODY: &str = "Hello.\n\nThat is all.\n";

fn signer_zone() -> String {
    let key = |name: &str, more: &str| format!("{name} TXT {RSA_RECORD}{more}\n");
    [
        key("s1._domainkey.auth.example", ""),
        key("s2._domainkey.esp.example", "; t=y"),
        key("strict._domainkey.auth.example", "; t=s"),
        key("local._domainkey.auth.example", "; h=sha1"),
        format!("ed._domainkey.auth.example TXT {ED25519_RECORD}\n"),
        "gone._domainkey.auth.example TXT v=DKIM1; p=\nfailing._domainkey.auth.example FAIL\n\
         _adsp._domainkey.auth.example TXT dkim=all\n_adsp._domainkey.other.example TXT dkim=discardable\n\
         auth.example.s1.list.example A 127.0.0.2\nother.example MX 1 mx.other.example\n"
            .to_owned(),
    ]
    .concat()
}

/// The fields of a message by this author.
fn fields(author: &str) -> [(&'static str, String); 5] {
    [
        ("from", author.to_owned()),
        ("to", "you@here.example".to_owned()),
        ("subject", "hello there".to_owned()),
        ("date", "Sun, 22 Nov 2026 10:00:00 +0000".to_owned()),
        ("message-id", "<a@here.example>".to_owned()),
    ]
}

fn signed_by(author: &str, algorithm: &str, tags: &str) -> String {
    let fields = fields(author);
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    dkim_signature(algorithm, tags, &fields, BODY)
}

/// A message by that author with these fields on top; it came from 203.0.113.9.
fn letter(author: &str, top: &[(&str, String)]) -> String {
    let top = top.iter().map(|(name, value)| format!("{name}: {value}\n"));
    let fields = fields(author);
    let below = fields.iter().map(|(name, value)| format!("{name}: {value}\n"));
    format!(
        "Received: from h.example (unknown [203.0.113.9]) (envelope-from <b@auth.example>) by mx.here.example (Postfix) \
         with ESMTP id 2; Sun, 22 Nov 2026 10:00:00 +0000\n{}{}\n{BODY}",
        top.collect::<String>(),
        below.collect::<String>()
    )
}

fn signer_rules(server: &NameServer) -> RuleFolder {
    let plugins = ["Check", "DKIM", "WLBLEval", "AskDNS"];
    RuleFolder::new(&plugins, server, SIGNER_RULES)
}

fn with_signature(author: &str, tags: &str) -> String {
    let signature = signed_by(author, "rsa-sha256", tags);
    letter(author, &[("DKIM-Signature", signature)])
}

#[test]
fn signatures_come_to_what_the_original_says() {
    let server = NameServer::start(&signer_zone()).unwrap();
    let folder = signer_rules(&server);
    let good = with_signature("joe@auth.example", "v=1; d=auth.example; s=s1; t=5");
    let all =
        "S_AUTHOR S_DEF_WELCOME S_ENVELOPE S_KNOWN S_LIST S_SIGNED S_SIGNED_BY S_VALID S_VALID_BY S_WELCOME";
    let broken = "S_ADSP_A S_KNOWN S_SIGNALL S_SIGNED S_SIGNED_BY";
    let by = |tags: &str| with_signature("joe@auth.example", tags);
    let table = [
        (good.clone(), all),
        (good.replace("there", " \tthere ").replace("subject: ", "SUBJECT  :\n ") + "\n\n", all),
        (good.replace("That is", "This is"), broken),
        (good.replace("hello there", "hello you"), broken),
        (by("d=auth.example; s=s1; x=5"), broken),
        (by("v=1; d=auth.example; s=gone"), broken),
        (by("v=1; d=auth.example; s=none"), broken),
        (by("v=1; d=auth.example; s=local"), broken),
        (by("v=1; d=auth.example; s=strict; i=@www.auth.example"), broken),
        (by("v=1; d=auth.example; s=strict; i=joe@auth.example"), &all.replace("S_LIST ", "")),
        (by("v=2; d=auth.example; s=s1"), broken),
        (by("v=1; d=auth.example; s=s1; q=http/other"), broken),
        (by("v=1; d=auth.example; s=failing"), broken),
        (by("v=1; d=esp.example; s=s2"), "S_ADSP_A S_KNOWN S_SIGNALL S_SIGNED S_SIGNED_BY S_VALID"),
        (
            with_signature("ann@Other.example", "v=1; d=ESP.example; s=s2; i=x@news.esp.example"),
            "S_ADSP_ANY S_ADSP_D S_KNOWN S_SIGNED S_SIGNED_BY S_VALID",
        ),
        (
            with_signature("ann@other.example", "v=1; d=esp.example; s=s2"),
            "S_ADSP_ANY S_ADSP_D S_KNOWN S_SIGNED S_SIGNED_BY S_VALID S_WELCOME",
        ),
        (
            with_signature("x@sub.auth.example", "v=1; d=auth.example; s=s1; i=@a.auth.example"),
            "S_ADSP_N S_DEF_WELCOME S_KNOWN S_LIST S_SIGNED S_SIGNED_BY S_VALID",
        ),
        // RFC 8301 §3.1 forbids it; the original's library lets it pass.
        (letter("joe@auth.example", &[("DKIM-Signature", SHA1_SIGNATURE.to_owned())]), all),
        (
            letter(
                "joe@auth.example",
                &[("DKIM-Signature", SHA1_SIGNATURE.replace("rsa-sha1", "rsa-sha256"))],
            ),
            broken,
        ),
        (letter("x@a.known.example", &[]), "S_ADSP_LOW S_KNOWN"),
        (letter("x@nowhere.example", &[]), "S_ADSP_N S_KNOWN"),
        (letter("x@nowhere.example", &[("DKIM-Signature", "nonsense".into())]), "S_ADSP_N S_KNOWN"),
    ];
    for (message, wanted) in table {
        assert_eq!(rules_of(&folder.ours(&message, &[])).join(" "), wanted, "{message}");
        if !is_as_in_the_original(&folder, &message, &[]) {
            return;
        }
    }
    let weak = ["--cf=dkim_minimum_key_bits 4096"];
    assert_eq!(
        rules_of(&folder.ours(&good, &weak)).join(" "),
        "S_ADSP_A S_KNOWN S_LIST S_SIGNALL S_SIGNED S_SIGNED_BY S_VALID"
    );
    is_as_in_the_original(&folder, &good, &weak);
}

#[test]
fn a_signature_of_ed25519_counts() {
    let server = NameServer::start(&signer_zone()).unwrap();
    let signature = signed_by("joe@auth.example", "ed25519-sha256", "v=1; d=auth.example; s=ed");
    let message = letter("joe@auth.example", &[("DKIM-Signature", signature)]);
    let found = signer_rules(&server).ours(&message, &[]);
    assert!(rules_of(&found).contains(&"S_AUTHOR"), "{found:#?}");
}

#[test]
fn seals_come_to_what_the_original_says() {
    let server = NameServer::start(&signer_zone()).unwrap();
    let folder = signer_rules(&server);
    let author = fields("x@a.known.example");
    let author = author.each_ref().map(|(name, value)| (*name, value.as_str()));
    let results = |number: u8| format!("i={number}; here.example; spf=pass");
    let signature = |number: u8| arc_signature(&format!("i={number}; d=esp.example; s=s2"), &author, BODY);
    let (results, signatures) = ([results(1), results(2)], [signature(1), signature(2)]);
    let first = [
        ("arc-authentication-results", results[0].as_str()),
        ("arc-message-signature", signatures[0].as_str()),
    ];
    let seal = arc_seal("i=1; cv=none; d=esp.example; s=s2", &first);
    let second = [
        first[0],
        first[1],
        ("arc-seal", seal.as_str()),
        ("arc-authentication-results", results[1].as_str()),
        ("arc-message-signature", signatures[1].as_str()),
    ];
    let outer = arc_seal("i=2; cv=pass; d=esp.example; s=s2", &second);
    let set = |seal: &String, number: usize| {
        [
            ("ARC-Seal", seal.clone()),
            ("ARC-Message-Signature", signatures[number - 1].clone()),
            ("ARC-Authentication-Results", results[number - 1].clone()),
        ]
    };
    let (one, two) = (set(&seal, 1), set(&outer, 2));
    let message = |top: &[(&str, String)]| letter("x@a.known.example", top);
    let chain = message(&[two.clone(), one.clone()].concat());
    let valid = "S_ADSP_LOW S_KNOWN S_SEALED S_SEAL_VALID";
    let broken = "S_ADSP_LOW S_KNOWN S_SEALED";
    let table = [
        (message(&one), valid),
        (chain.clone(), valid),
        (chain.replace("is all", "was all"), valid),
        (chain.replace("is all", "was all").replace("spf=pass", "spf=fail"), broken),
        (message(&[one.clone(), one].concat()), broken),
    ];
    for (message, wanted) in table {
        assert_eq!(rules_of(&folder.ours(&message, &[])).join(" "), wanted, "{message}");
        if !is_as_in_the_original(&folder, &message, &[]) {
            return;
        }
    }
}

const POLICY_RULES: &str = "\
header P_PASS eval:check_dmarc_pass()
header P_REJECT eval:check_dmarc_reject()
header P_QUARANTINE eval:check_dmarc_quarantine()
header P_NONE eval:check_dmarc_none()
header P_MISSING eval:check_dmarc_missing()
header __SENDER eval:check_for_spf_pass()
header __HELO eval:check_for_spf_helo_pass()
full __SIGNED eval:check_dkim_valid()
full S_SEAL_VALID eval:check_arc_valid()
priority P_PASS 500
priority P_REJECT 500
priority P_QUARANTINE 500
priority P_NONE 500
priority P_MISSING 500
";
const POLICY_ZONE: &str = "\
auth.com MX 1 mx.auth.com
auth.com TXT v=spf1 ip4:203.0.113.9 -all
_dmarc.auth.com TXT v=DMARC1; p=reject; adkim=r; aspf=r
strict.com MX 1 mx.strict.com
_dmarc.strict.com TXT v=DMARC1;p=quarantine;sp=reject;adkim=s;aspf=s
lax.com A 192.0.2.1
_dmarc.lax.com TXT v=DMARC1; p=none
bare.com A 192.0.2.1
twice.com A 192.0.2.1
_dmarc.twice.com TXT v=DMARC1; p=reject
_dmarc.twice.com TXT v=DMARC1; p=none
odd.com A 192.0.2.1
_dmarc.odd.com TXT v=DMARC1; p=maybe
wishing.com A 192.0.2.1
_dmarc.wishing.com TXT v=DMARC1; rua=mailto:x@wishing.com
asking.com A 192.0.2.1
asking.com TXT v=spf1 ip4:203.0.113.9 -all
_dmarc.asking.com TXT v=DMARC1; rua=mailto:x@elsewhere.com
maybe.com A 192.0.2.1
maybe.com TXT v=spf1 ip4:203.0.113.9 -all
_dmarc.maybe.com TXT v=DMARC1; p=maybe; rua=mailto:x@maybe.com
own.com A 192.0.2.1
own.com TXT v=spf1 ip4:203.0.113.9 -all
_dmarc.own.com TXT v=DMARC1; p=reject; sp=maybe; rua=mailto:x@reports.own.com!10m
out.com A 192.0.2.1
out.com TXT v=spf1 ip4:203.0.113.9 -all
_dmarc.out.com TXT v=DMARC1; p=reject; sp=maybe; rua=mailto:x@elsewhere.com
allowed.com A 192.0.2.1
allowed.com TXT v=spf1 ip4:203.0.113.9 -all
_dmarc.allowed.com TXT v=DMARC1; p=reject; sp=maybe; rua=mailto:x@elsewhere.com
allowed.com._report._dmarc.elsewhere.com TXT v=DMARC1
s2._domainkey.strict.com TXT ";

#[test]
fn policies_of_authors_come_to_what_the_original_says() {
    let server = NameServer::start(&format!("{}{POLICY_ZONE}{RSA_RECORD}\n", signer_zone())).unwrap();
    let plugins = ["Check", "SPF", "DKIM", "DMARC"];
    let folder = RuleFolder::new(&plugins, &server, POLICY_RULES);
    // Mail::DMARC knows the top-level domains of the world.
    let in_the_world = |message: String| message.replace("<b@auth.example>", "<b@auth.com>");
    let from = |author: &str| in_the_world(letter(author, &[]));
    let signed =
        |author: &str, domain: &str| in_the_world(with_signature(author, &format!("v=1; s=s2; d={domain}")));
    let sent_by =
        |domain: &str| from(&format!("joe@{domain}")).replace("<b@auth.com>", &format!("<b@{domain}>"));
    let table = [
        (from("joe@auth.com"), "P_PASS"),
        (from("joe@www.auth.com"), "P_PASS"),
        (from("joe@auth.com").replace("<b@auth", "<b@other"), "P_REJECT"),
        (from("joe@www.auth.com").replace("<b@auth", "<b@other"), "P_REJECT"),
        (from("joe@strict.com"), "P_QUARANTINE"),
        (from("joe@www.strict.com"), "P_REJECT"),
        (signed("joe@strict.com", "strict.com"), "P_PASS"),
        (signed("joe@www.strict.com", "strict.com"), "P_REJECT"),
        (signed("joe@strict.com", "strict.com").replace("all.", "all!"), "P_QUARANTINE"),
        (from("joe@lax.com"), "P_NONE"),
        (from("joe@bare.com"), "P_MISSING"),
        (from("joe@absent.com"), "P_MISSING"),
        (from("joe@twice.com"), "P_NONE"),
        (from("joe@odd.com"), "P_NONE"),
        (from("joe@wishing.com"), "P_NONE"),
        (sent_by("asking.com"), "P_PASS"),
        (sent_by("maybe.com"), "P_NONE"),
        (sent_by("own.com"), "P_PASS"),
        (sent_by("out.com"), "P_NONE"),
        (sent_by("allowed.com"), "P_PASS"),
    ];
    for (message, wanted) in table {
        assert_eq!(rules_of(&folder.ours(&message, &[])).join(" "), wanted, "{message}");
        if !is_as_in_the_original(&folder, &message, &[]) {
            return;
        }
    }
}
