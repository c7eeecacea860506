//! Rules about who sent a message, held against SpamAssassin's where that is installed: a name server on this host answers
//! both.
#![allow(clippy::unwrap_used)]

use testkit::left_out;
use tests::judgement::{RuleFolder, rules_of};
use tests::name_server::NameServer;

const SETTINGS: &str = "\
util_rb_tld com net org example
use_bayes 0
trusted_networks 10.0.0.0/8
internal_networks 10.0.0.0/8
report_safe 0
clear_report_template
report _SUMMARY_
report_hostname here.example
";
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
    let mut rules = format!("{SETTINGS}{SENDER_RULES}");
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
        match folder.original(&message) {
            Some(original) => assert_eq!(found, original, "{sender} {helo}"),
            None => return left_out("spamassassin is not installed"),
        }
    }
}
