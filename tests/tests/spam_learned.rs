//! What `spamassassin` learns of messages and of their senders, and what that comes to, held against the original's.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::{NamedTempFile, TempDir};
use testkit::left_out;
use tests::name_server::NameServer;
use tests::programs::Programs;

/// Where Debian has the originals.
const ORIGINALS: &str = "/usr/bin";
/// What all rules of these tests begin with.
const SETTINGS: &str = "\
util_rb_tld com net org example
trusted_networks 10.0.0.0/8
internal_networks 10.0.0.0/8
report_safe 0
clear_headers
body ALPHA /alpha/
score ALPHA 2.5
body BETA /beta/
score BETA -1.25
body GAMMA /gamma/
score GAMMA 7.333
body UNSEEN /delta/
score UNSEEN 3.1
tflags UNSEEN noautolearn
";

/// A user with a home of his own, who has our programs or the originals.
struct User {
    programs: PathBuf,
    home: TempDir,
    rules: PathBuf,
}

/// Rules for two users: ours, and the original's, who is missing where that is not installed.
struct Pair {
    ours: User,
    original: Option<User>,
    _folder: TempDir,
}

impl Pair {
    fn new(plugins: &[&str], rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        fs::create_dir(&site).unwrap();
        let load = |name: &&str| format!("loadplugin Mail::SpamAssassin::Plugin::{name}\n");
        fs::write(site.join("plugins.pre"), plugins.iter().map(load).collect::<String>()).unwrap();
        fs::write(folder.path().join("rules.cf"), format!("{SETTINGS}{rules}")).unwrap();
        let user = |programs: PathBuf| User {
            programs,
            home: tempfile::tempdir().unwrap(),
            rules: folder.path().to_owned(),
        };
        let original = Path::new(ORIGINALS);
        let original = original.join("spamassassin").exists().then(|| user(original.to_owned()));
        Self { ours: user(Programs::ours().commands), original, _folder: folder }
    }

    /// The same for both: what ours says; it is what the original says, where that is.
    fn both(&self, program: &str, arguments: &[&str], input: &str) -> String {
        let ours = self.ours.run(program, arguments, input);
        if let Some(original) = &self.original {
            assert_eq!(ours, original.run(program, arguments, input), "{program} {arguments:?}");
        }
        ours
    }

    /// As [`Pair::both`], of what is in no order.
    fn both_sorted(&self, program: &str, arguments: &[&str]) -> Vec<String> {
        let sorted = |user: &User| {
            let mut lines: Vec<String> =
                user.run(program, arguments, "").lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let ours = sorted(&self.ours);
        if let Some(original) = &self.original {
            assert_eq!(ours, sorted(original), "{program} {arguments:?}");
        }
        ours
    }

    /// Judges the messages of a mailbox one after the other; the header lines in which the rules show what they found.
    fn judge(&self, options: &[&str], mailbox: &str) -> Vec<String> {
        // The original reads a mailbox in no order.
        let files: Vec<NamedTempFile> =
            mailbox.split("From x Sun Nov 22 10:00:00 2026\n").skip(1).map(file).collect();
        let paths: Vec<&str> = files.iter().map(|file| file.path().to_str().unwrap()).collect();
        let found = |user: &User| {
            let text = user.run("spamassassin", &[&["-x"], options, &paths].concat(), "");
            text.lines()
                .filter(|line| line.starts_with("X-Spam-Found:"))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let ours = found(&self.ours);
        if let Some(original) = &self.original {
            for (number, (ours, original)) in ours.iter().zip(found(original)).enumerate() {
                assert_eq!(*ours, original, "message {number}");
            }
        }
        ours
    }
}

impl User {
    fn run(&self, program: &str, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new(self.programs.join(program));
        if program != "sa-awl" {
            command.arg("-C").arg(&self.rules).arg("--siteconfigpath").arg(self.rules.join("site"));
        }
        command.args(arguments).env("HOME", self.home.path()).current_dir(self.home.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut to = child.stdin.take().unwrap();
        let input = input.to_owned();
        // Who has nothing to read may be gone already.
        let writing = std::thread::spawn(move || drop(to.write_all(input.as_bytes())));
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one_of<'a>(&mut self, choice: &[&'a str]) -> &'a str {
        choice[usize::try_from(self.below(choice.len() as u64)).unwrap()]
    }
}

const SENDERS: [&str; 6] = [
    "Ann <ann@pass.example>",
    "ann@pass.example",
    "\"Joe, the boss\" <Joe@Other.example>",
    "shop@mail.other.example",
    "o'neill@pass.example",
    "x@sub.pass.example",
];
const HOSTS: [&str; 5] =
    ["203.0.113.9", "203.0.113.77", "198.51.100.4", "2001:db8:1:2::9", "2001:db8:1:3:4:5:6:7"];
const WORDS: [&str; 6] = ["alpha", "beta", "gamma", "delta", "nothing", "alpha beta"];

/// A mailbox of messages by few senders; some come twice, and some come from our own network.
fn mailbox(count: u64) -> String {
    let mut numbers = Numbers(7);
    let mut mailbox = String::new();
    for number in 0..count {
        let again = number > 5 && numbers.below(10) == 0;
        let id = if again { number - 5 } else { number };
        let mut of_message = Numbers(id + 1000);
        of_message.below(9);
        let (sender, host) = (of_message.one_of(&SENDERS), of_message.one_of(&HOSTS));
        let helo =
            of_message.one_of(&["mail.helo.example", "other.example", "pass.example", "[203.0.113.9]"]);
        let words = of_message.one_of(&WORDS);
        let outside = format!(
            "Received: from {helo} (unknown [{host}]) (envelope-from <b@pass.example>) by relay.example (Postfix) with ESMTP \
             id {id}; Sun, 22 Nov 2026 10:00:00 +0000\n"
        );
        let from_outside = of_message.below(6) > 0;
        mailbox.push_str(&format!(
            "From x Sun Nov 22 10:00:00 2026\nReceived: from relay.example (relay.example [10.1.1.1]) by mx.here.example \
             (Postfix) with ESMTP id 1; Sun, 22 Nov 2026 10:00:01 +0000\n{}From: {sender}\nTo: you{}@here.example\n\
             Subject: message\nDate: Sun, 22 Nov 2026 10:00:00 +0000\nMessage-Id: <{id}@here.example>\n\n\
             {words} and nothing else, {id}.\n\n",
            if from_outside { &outside } else { "" },
            id % 3,
        ));
    }
    mailbox
}

const AWL: &str = "\
use_bayes 0
header AWL eval:check_from_in_auto_welcomelist()
tflags AWL userconf noautolearn
priority AWL 1000
add_header all Found _SCORE_ _TESTSSCORES_ _AWL_ _AWLMEAN_ _AWLCOUNT_ _AWLPRESCORE_
";

#[test]
fn senders_are_remembered_by_their_averages() {
    let pair = Pair::new(&["Check", "AWL"], AWL);
    let found = pair.judge(&["-L"], &mailbox(100));
    assert_eq!(found.len(), 100);
    assert!(found.iter().filter(|line| line.contains("AWL=")).count() > 50, "{found:?}");
    let senders = pair.both_sorted("sa-awl", &[]);
    assert!(senders.iter().any(|line| line.ends_with("--  joe@other.example|ip=203.0")), "{senders:?}");
    // A test counts as the others do.
    pair.judge(&["-L", "-t"], &mailbox(5));
    assert_ne!(pair.both_sorted("sa-awl", &[]), senders);
    pair.both_sorted("sa-awl", &["--clean", "--dry-run", "--min", "4"]);
    pair.both_sorted("sa-awl", &["--clean", "--min", "4"]);
    let rest = pair.both_sorted("sa-awl", &[]);
    assert!(rest.len() < senders.len(), "{rest:?}");
    if pair.original.is_none() {
        left_out("spamassassin is not installed");
    }
}

/// Who writes, who is written to, and who is named.
const LETTER: &str = "From: Ann <Ann@pass.example>, x@y.example\nTo: you@here.example\nCc: ann@pass.example,\n\
    \tBob <bob@there.example>\nReply-To: list@there.example\nSubject: alpha\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\
    Message-Id: <letter@pass.example>\n\nWrite to <mailto:carl@there.example>, dora@there.example or bob@there.example.\n\
    Not to nobody@nowhere or x@y.z.\n";

#[test]
fn addresses_are_made_welcome_and_unwelcome() {
    for (plugin, rules, file) in
        [("AWL", AWL, ".spamassassin/auto-welcomelist"), ("TxRep", TXREP, ".spamassassin/tx-reputation")]
    {
        let pair = Pair::new(&["Check", plugin], rules);
        pair.judge(&["-L"], &mailbox(12));
        let listing = || pair.both_sorted("sa-awl", &[&pair_file(file)]);
        // With TxRep the original says "1" instead of what it did.
        let same = plugin == "AWL";
        let change = |option: &str, letter: &str| {
            let arguments = ["-L", "-x", option];
            if same {
                return pair.both("spamassassin", &arguments, letter);
            }
            if let Some(original) = &pair.original {
                original.run("spamassassin", &arguments, letter);
            }
            pair.ours.run("spamassassin", &arguments, letter)
        };
        let said = change("-W", LETTER);
        assert!(
            said.contains("carl@there.example\n") && said.ends_with("1 message(s) examined.\n"),
            "{said}"
        );
        assert!(listing().iter().any(|line| line.ends_with("carl@there.example|ip=none")));
        change("--add-to-blacklist", LETTER);
        let senders = listing();
        assert!(senders.iter().any(|line| line.ends_with("x@y.example|ip=none")), "{senders:?}");
        change("--add-addr-to-blocklist=shop@mail.other.example", "");
        change("--add-addr-to-whitelist=ann@pass.example", "");
        change("--remove-addr-from-whitelist=dora@there.example", "");
        listing();
        pair.judge(&["-L"], &mailbox(12));
        listing();
        let said = change("-R", LETTER);
        assert!(said.contains("removing address: carl@there.example\n"), "{said}");
        assert!(!listing().iter().any(|line| line.contains("there.example")));
    }
}

/// `sa-awl` takes the path from the folder in which it runs, the user's home.
fn pair_file(file: &str) -> String {
    format!("./{file}")
}

const TXREP: &str = "\
use_bayes 0
use_txrep 1
header TXREP eval:check_senders_reputation()
tflags TXREP userconf noautolearn
priority TXREP 1000
add_header all Found _SCORE_ _TESTSSCORES_ _TXREPEMAILIP_ _TXREPDOMAIN_ _TXREPHELO_ _TXREPIP_ _TXREPEMAIL_
";

#[test]
fn senders_are_remembered_by_all_their_traits() {
    let pair = Pair::new(&["Check", "TxRep"], TXREP);
    let found = pair.judge(&["-L"], &mailbox(100));
    assert_eq!(found.len(), 100);
    assert!(found.iter().filter(|line| line.contains("TXREP=")).count() > 50, "{found:?}");
    pair.both_sorted("sa-awl", &[&pair_file(".spamassassin/tx-reputation")]);
}

const SPF: &str = "\
header SPF_PASS eval:check_for_spf_pass()
tflags SPF_PASS nice net userconf
score SPF_PASS 0 -0.1 0 -0.1
";
const ZONE: &str = "pass.example TXT v=spf1 ip4:203.0.113.0/24 ip6:2001:db8:1:2::/64 -all\n";

/// Whoever SPF vouches for is known by the domain, wherever the message comes from.
#[test]
fn a_sender_for_whom_spf_vouches_is_known_without_its_host() {
    let server = NameServer::start(ZONE).unwrap();
    for setting in ["txrep_spf 1", "txrep_spf 0"] {
        let rules = format!("{TXREP}{SPF}{setting}\ndns_server {}\n", server.address);
        let pair = Pair::new(&["Check", "TxRep", "SPF"], &rules);
        let found = pair.judge(&[], &mailbox(40));
        assert!(found.iter().filter(|line| line.contains("SPF_PASS=")).count() > 5, "{found:?}");
        let senders = pair.both_sorted("sa-awl", &[&pair_file(".spamassassin/tx-reputation")]);
        let anywhere = senders.iter().any(|line| line.ends_with("  sub.pass.example|ip=none"));
        assert_eq!(anywhere, setting.ends_with('1'), "{senders:?}");
    }
}

const BAYES: &str = "\
bayes_stopword_languages disable
bayes_min_ham_num 5
bayes_min_spam_num 5
body BAYES_00 eval:check_bayes('0.00', '0.01')
body BAYES_50 eval:check_bayes('0.40', '0.60')
body BAYES_80 eval:check_bayes('0.80', '0.99')
body BAYES_99 eval:check_bayes('0.99', '1.00')
tflags BAYES_00 nice learn
tflags BAYES_50 learn
tflags BAYES_80 learn
tflags BAYES_99 learn
add_header all Found _SCORE_ _TESTS_ _BAYESTCSPAMMY_ _BAYESTCHAMMY_ _AUTOLEARN_
";
const SPAM_WORDS: [&str; 8] =
    ["cheap", "pills", "winner", "lottery", "million", "urgent", "transfer", "dollars"];
const HAM_WORDS: [&str; 8] = ["meeting", "lunch", "report", "project", "garden", "holiday", "train", "music"];

/// A mailbox about these things.
fn about(words: &[&str], seed: u64, count: u64) -> String {
    let mut numbers = Numbers(seed);
    (0..count)
        .map(|number| {
            let text: Vec<&str> = (0..20).map(|_| numbers.one_of(words)).collect();
            format!(
                "From x Sun Nov 22 10:00:00 2026\nFrom: p{number}@people.example\nTo: you@here.example\nSubject: {}\n\
                 Date: Sun, 22 Nov 2026 10:00:00 +0000\nMessage-Id: <{seed}.{number}@here.example>\n\n{}\n\n",
                numbers.one_of(words),
                text.join(" ")
            )
        })
        .collect()
}

#[test]
fn what_was_learned_counts_and_grows() {
    let pair = Pair::new(&["Check", "Bayes", "AutoLearnThreshold"], BAYES);
    pair.both("sa-learn", &["--spam", "--mbox", "-"], &about(&SPAM_WORDS, 1, 8));
    pair.both("sa-learn", &["--ham", "--mbox", "-"], &about(&HAM_WORDS, 2, 8));
    let both_words: Vec<&str> = SPAM_WORDS.iter().chain(&HAM_WORDS).copied().collect();
    let mixed = [about(&SPAM_WORDS, 3, 5), about(&HAM_WORDS, 4, 5), about(&both_words, 5, 5)].concat();
    let found = pair.judge(&["-L"], &mixed);
    assert!(found[0].contains("BAYES_99") && found[5].contains("BAYES_00"), "{found:?}");
    assert!(found[5].contains(" ham "), "{found:?}");
    let tally = |name: &str| {
        let magic = pair.both_sorted("sa-learn", &["--dump", "magic"]);
        let line = magic.iter().find(|line| line.ends_with(name)).unwrap();
        line.split_ascii_whitespace().nth(2).unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(tally("nspam"), 8);
    let letter = about(&SPAM_WORDS, 6, 1);
    let letter = letter.split_once('\n').unwrap().1;
    let said = pair.both("spamassassin", &["-L", "-x", "-r"], letter);
    assert_eq!((said.as_str(), tally("nspam")), ("1 message(s) examined.\n", 9));
    pair.both("spamassassin", &["-L", "-x", "-k"], letter);
    assert_eq!(tally("nspam"), 8);
    pair.both("spamassassin", &["-L", "-x", "-r", "--cf=bayes_learn_during_report 0"], letter);
    assert_eq!(tally("nspam"), 8);
}
