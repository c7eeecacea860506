//! SpamAssassin's rule language, and the rules at work.
//!
//! The text of the rules, and behind the first 0xFF the message that they look at.

use std::path::Path;

use spam::learned::Notebook;
use spam::rules::{Loader, Step, Surroundings};
use spam::{Check, Circumstances, Ruleset};

/// Files that a file may make us read before it is clear that there is an end.
const INCLUDES_LIMIT: usize = 200;

/// Every file is read to its end, each problem names a line of it, and rules made of it look at a message.
pub(super) fn run(input: &[u8]) {
    let (rules, message) = match input.iter().position(|byte| *byte == 0xFF) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &b"Subject: x\n\nhello\n"[..]),
    };
    let mut loader = Loader::new(Surroundings::default());
    read(&mut loader, rules);
    let (site, problems) = loader.finish();
    let lines = rules.split(|byte| *byte == b'\n').count();
    for problem in &problems {
        assert!(problem.line <= lines, "{problem}: there are {lines} lines");
    }
    let mut loader = Loader::for_user(site.clone(), Surroundings { local_only: true, ..Default::default() });
    read(&mut loader, rules);
    let (user, _) = loader.finish();
    for configuration in [&site, &user] {
        let (rules, _) = Ruleset::new(configuration, true);
        if !rules.check_patterns().is_empty() {
            continue;
        }
        let memory = Notebook { spam: 1000, ham: 1000, ..Notebook::default() };
        let circumstances =
            Circumstances { memory: Some(&memory), ..Circumstances::new(1_795_000_000, &|| false) };
        let check = Check::new(&rules, message, &circumstances);
        let _ = (check.is_spam(), check.tests().len(), check.subtests().len());
    }
}

/// Files within it are half there and half not.
fn read(loader: &mut Loader, rules: &[u8]) {
    loader.push("/etc/rules/a.cf", rules);
    for number in 0..INCLUDES_LIMIT {
        match loader.run() {
            Step::Done => return,
            Step::Include(path) if number % 2 == 0 => {
                loader.push(&path.display().to_string(), b"score A 2\n")
            }
            Step::Include(path) => loader.refuse(Path::new(&path), "not there"),
        }
    }
    assert!(rules.len() > INCLUDES_LIMIT * "include".len(), "a short file that includes without end");
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![super::file("crates/system/rulefiles/src/built_in.cf")];
    seeds.extend(
        [
            "body A /he[l]+o/i\nscore A 1.5 2 3 4\ndescribe A greets\ntflags A multiple maxhits=3\n",
            "header B Subject =~ m{x|y}x\nheader C exists:X-Y\nheader D From:addr !~ /z/ [if-unset: none]\n",
            "meta E (B && !C) || (D + A > 1)\nmeta F __G > 0 ? 1 : 0\nrawbody __G /<a/\nfull H /\\bx\\b/s\nuri I /^https?:/\n",
            "ifplugin Mail::SpamAssassin::Plugin::X\nbody J /j/\nelse\nif (version >= 4.000000) && can(Mail::SpamAssassin::Conf::x)\nscore J 0\nendif\nendif\n",
            "loadplugin Mail::SpamAssassin::Plugin::MIMEHeader\nmimeheader K Content-Type =~ /x/\nbody L eval:check_html_balance(\"b\", 1)\n",
            "lang de describe A gr\u{fc}\u{df}t\nreplace_tag T [t7]\nreplace_rules M\nbody M /<T>est/\ninclude b.cf\n",
            "required_score 5\nrewrite_header Subject ***SPAM(_SCORE_)***\nadd_header all Status _YESNO_, hits=_HITS_\nclear_headers\n",
            "trusted_networks 10/8 !10.1.2.3 [::1]/128\nwelcomelist_from *@example.com\nblacklist_from a@b\nuser_in_x 1\n",
            "redirector_pattern m'^https?://x/(.*)$'i\nutil_rb_tld com de\nurirhsbl URIBL x.example. A\nfreemail_domains a.b c.*\n",
        ]
        .map(|text| [text.as_bytes(), b"\xFFSubject: hello x\nFrom: a@b\n\n<a href='http://c.com/'>hello te7st</a>\n"].concat()),
    );
    seeds
}
