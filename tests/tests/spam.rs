//! spamd, and the programs around it, held against SpamAssassin's own where that is installed.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::left_out;
use tests::Builder;
use tests::port::Port;
use tests::programs::Programs;
use tests::spamd::{self, RULES, Spamd, open_up, run_with};

const SPAM: &str = "From: A Shop <shop@example.net>\nTo: you@example.com\nSubject: offer\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\
    Message-Id: <spam@example.net>\n\nCheap pills for you.\n.dot\n";
const HAM: &str = "From: pal@example.net\nTo: you@example.com\nSubject: lunch\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\
    Message-Id: <ham@example.net>\n\nShall we meet at noon?\n";

fn our_spamc() -> PathBuf {
    Programs::ours().commands.join("spamc")
}

fn installed(name: &str) -> Option<PathBuf> {
    let found = spamd::installed(name);
    if found.is_none() {
        left_out(&format!("{name} is not installed"));
    }
    found
}

/// Without what changes from run to run: boundaries, dates, hosts.
fn steady(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = match line.find("----------=_") {
            Some(at) => &line[..at],
            None => line,
        };
        let changes =
            line.starts_with("\tMon,") || line.contains(" 2026 ") || line.contains("from localhost by ");
        let host = line.starts_with("X-Spam-Checker-Version:");
        lines.push(if changes || host { "..." } else { line }.to_owned());
    }
    format!("{:?}\n{}", output.status.code(), lines.join("\n"))
}

/// Every way to call spamc.
const MODES: [&[&str]; 21] = [
    &[],
    &["-E"],
    &["-c"],
    &["-y"],
    &["-r"],
    &["-R"],
    &["-r", "-E"],
    &["-R", "-E"],
    &["-y", "-E"],
    &["--headers"],
    &["-K"],
    &["-L", "spam"],
    &["-L", "forget"],
    &["-C", "report"],
    &["-x", "-L", "ham"],
    &["-s", "10"],
    &["-s", "10", "-c"],
    &["-s", "10", "-x", "-y"],
    &["-x", "-E"],
    &["-e", "/bin/cat"],
    &["-B"],
];

#[test]
fn every_spamc_gets_the_same_from_every_spamd() {
    let ours = Spamd::ours(&[]);
    let (Some(their_spamc), Some(their_spamd)) = (installed("spamc"), installed("spamd")) else { return };
    let theirs = Spamd::start(&their_spamd, &[]);
    let session = format!(
        "MAIL FROM:<a@b>\r\nDATA\r\n{}.\r\nQUIT\r\n",
        SPAM.replace("\n.", "\n..").replace('\n', "\r\n")
    );
    for mode in MODES {
        for message in [SPAM, HAM, ""] {
            let message = if mode == ["-B"] && message == SPAM { session.as_str() } else { message };
            let expected = steady(&theirs.spamc(&their_spamc, mode, message));
            assert_eq!(
                steady(&ours.spamc(&their_spamc, mode, message)),
                expected,
                "their spamc, our spamd {mode:?}"
            );
            assert_eq!(
                steady(&theirs.spamc(&our_spamc(), mode, message)),
                expected,
                "our spamc, their spamd {mode:?}"
            );
            assert_eq!(steady(&ours.spamc(&our_spamc(), mode, message)), expected, "both ours {mode:?}");
        }
    }
}

/// The same without anything installed: what a verdict looks like to a caller.
#[test]
fn our_spamc_tells_spam_from_mail() {
    let spamd = Spamd::ours(&[]);
    let ask = |options: &[&str], message: &str| {
        let output = spamd.spamc(&our_spamc(), options, message);
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(ask(&["-c"], SPAM), (1, "6.5/5.0\n".into()));
    assert_eq!(ask(&["-c"], HAM), (0, "-0.5/5.0\n".into()));
    assert_eq!(ask(&["-y"], SPAM), (0, "PILL".into()));
    assert_eq!(ask(&["-z", "-y"], HAM), (0, "PAL".into()));
    assert_eq!(ask(&["-K"], ""), (0, "SPAMD/1.5 0\n".into()));
    // It may not be taught: nobody asked for that.
    assert_eq!(ask(&["-L", "spam"], SPAM), (74, String::new()));
    let (status, marked) = ask(&["-E"], SPAM);
    assert!(
        status == 1 && marked.contains("Subject: [SPAM] offer\n") && marked.contains("x-spam-type=original")
    );
    let (status, marked) = ask(&["-E"], HAM);
    assert!(status == 0 && marked.contains("X-Spam-Status: No, score=-0.5 required=5.0 tests=PAL\n"));
    assert!(marked.ends_with("\n\nShall we meet at noon?\n"));
}

#[test]
fn a_message_passes_when_nobody_can_judge_it() {
    let port = Port::reserve();
    let number = port.number().to_string();
    let ask = |options: &[&str]| {
        let mut command = Command::new(our_spamc());
        command.args(["-d", "127.0.0.1", "-p", &number, "--connect-retries", "1"]).args(options);
        let output = run_with(&mut command, HAM);
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(ask(&[]), (0, HAM.into()));
    assert_eq!(ask(&["-E"]), (0, HAM.into()));
    assert_eq!(ask(&["-c"]), (0, "0/0\n".into()));
    assert_eq!(ask(&["-x"]), (69, String::new()));
    assert_eq!(ask(&["-x", "-X"]), (75, String::new()));
    assert_eq!(ask(&["-x", "-c"]), (69, "0/0\n".into()));
    assert_eq!(ask(&["-L", "spam"]), (69, String::new()));
}

#[test]
fn rules_with_a_fault_change_nothing_and_good_ones_count_at_once() {
    let spamd = Spamd::ours(&[]);
    let request = format!("SYMBOLS SPAMC/1.5\r\nContent-length: {}\r\n\r\n{SPAM}", SPAM.len());
    let symbols = || String::from_utf8(spamd.reply(request.as_bytes())).unwrap();
    assert!(symbols().ends_with("\r\n\r\nPILL"));
    let rules = spamd.folder.path().join("rules.cf");
    let hang_up = || sys::signals::send(spamd.child.id(), sys::signals::SignalKind::SIGHUP).unwrap();
    fs::write(&rules, format!("{RULES}body OFFER /for you/\nscore OFFER 1\n")).unwrap();
    hang_up();
    let deadline = std::time::Instant::now() + tests::suite::PATIENCE;
    while !symbols().ends_with("\r\n\r\nOFFER,PILL") {
        assert!(std::time::Instant::now() < deadline, "the new rule is not used: {}", symbols());
    }
    // The folder of the rules is gone: what was read stays.
    fs::rename(spamd.folder.path().join("site"), spamd.folder.path().join("away")).unwrap();
    hang_up();
    assert!(symbols().ends_with("\r\n\r\nOFFER,PILL"));
}

#[test]
fn users_of_a_virtual_domain_have_preferences() {
    let folder = tempfile::tempdir().unwrap();
    open_up(folder.path());
    let own = folder.path().join("example.com/joe");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("user_prefs"), "score PILL 1.5\nbody OWN /for you/\nscore OWN 9\n").unwrap();
    let pattern = format!("--virtual-config-dir={}/%d/%l", folder.path().display());
    let spamd = Spamd::ours(&[&pattern]);
    let check = |user: &str| {
        let request =
            format!("CHECK SPAMC/1.5\r\nUser: {user}\r\nContent-length: {}\r\n\r\n{SPAM}", SPAM.len());
        String::from_utf8(spamd.reply(request.as_bytes())).unwrap()
    };
    assert!(check("joe@example.com").contains("Spam: False ; 1.5 / 5.0"));
    assert!(check("ann@example.com").contains("Spam: True ; 6.5 / 5.0"));
    assert!(check("../example.com/joe@example.com").contains("Spam: True ; 6.5 / 5.0"));
}

/// `spamassassin` of ours with the rules above.
fn filter(folder: &Path, options: &[&str], message: &str) -> Output {
    fs::write(folder.join("rules.cf"), RULES).unwrap();
    let site = folder.join("site");
    fs::create_dir_all(&site).unwrap();
    let mut command = Command::new(Programs::ours().commands.join("spamassassin"));
    command.arg("-C").arg(folder).arg("--siteconfigpath").arg(site).args(["-L", "-x"]).args(options);
    run_with(&mut command, message)
}

#[test]
fn marks_are_made_and_taken_away_again() {
    let folder = tempfile::tempdir().unwrap();
    for safe in ["0", "1", "2"] {
        let setting = format!("--cf=report_safe {safe}");
        let marked = filter(folder.path(), &["-e", &setting], SPAM);
        let text = String::from_utf8(marked.stdout).unwrap();
        assert_eq!((marked.status.code(), text.contains("PILL")), (Some(5), true), "report_safe {safe}");
        assert!(text.contains("\nSubject: [SPAM] offer\n"), "{text}");
        let plain = filter(folder.path(), &["-d"], &text);
        assert_eq!(String::from_utf8(plain.stdout).unwrap(), SPAM, "report_safe {safe}");
    }
    let tested = String::from_utf8(filter(folder.path(), &["-t"], HAM).stdout).unwrap();
    assert!(
        tested.ends_with(" pts rule name\n")
            || tested.contains("Spam detection on spam.example.com found -0.5"),
        "{tested}"
    );
}

/// The recipe of every second tutorial.
#[test]
fn procmail_filters_a_mailbox_through_spamassassin() {
    let Some(procmail) = installed("procmail") else { return };
    let folder = tempfile::tempdir().unwrap();
    filter(folder.path(), &[], HAM);
    let program = Programs::ours().commands.join("spamassassin");
    let here = folder.path().display();
    let recipe = format!(
        "MAILDIR={here}\nDEFAULT={here}/inbox\nLOGFILE={here}/log\n\n:0fw\n| {} -L -x -C {here} --siteconfigpath {here}/site\n\n\
         :0:\n* ^X-Spam-Status: Yes\nspam\n",
        program.display()
    );
    let path = folder.path().join("procmailrc");
    fs::write(&path, recipe).unwrap();
    for message in [SPAM, HAM] {
        let output = run_with(Command::new(&procmail).arg("-m").arg(&path), message);
        assert!(output.status.success(), "{output:?}");
    }
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    assert!(read("spam").contains("Cheap pills") && !read("spam").contains("lunch"), "{}", read("log"));
    assert!(read("inbox").contains("Subject: lunch") && !read("inbox").contains("pills"), "{}", read("log"));
}

/// A real mail server is the judge of how we speak the milter protocol.
#[test]
fn a_real_postfix_has_its_mail_marked_and_refused() {
    if !Programs::peer_can_run() {
        return left_out("the installed Postfix can not run here");
    }
    let folder = tempfile::tempdir().unwrap();
    open_up(folder.path());
    let own = folder.path().join("other@example.com");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("user_prefs"), "score PILL 0.5\n").unwrap();
    let pattern = format!("--virtual-config-dir={}/%u", folder.path().display());
    let worst = "--cf=body WORST /worst of all/\nscore WORST 20";
    let spamd = Spamd::ours(&["--milter", "--reject-score", "15", &pattern, worst]);
    let suite = Builder::with(Programs::peer())
        .example_com()
        .main(&format!(
            "smtpd_milters = inet:127.0.0.1:{}\nmilter_default_action = tempfail",
            spamd.port.number()
        ))
        .start();
    let mut client = suite.connect();
    client.ehlo();
    let forged = format!("X-Spam-Status: No, trust me\nX-Spam-Flag: NO\n{SPAM}");
    client.send("shop@example.net", &["user@example.com"], &forged);
    let marked = suite.wait_messages("user/", 1).remove(0).text;
    assert!(marked.contains("\nSubject: [SPAM] offer\n"), "{marked}");
    assert!(marked.contains("\nX-Spam-Status: Yes, score=6.5 required=5.0 tests=PILL\n"), "{marked}");
    assert!(!marked.contains("trust me") && !marked.contains("X-Spam-Flag"), "{marked}");
    assert!(marked.ends_with("\n\nCheap pills for you.\n.dot\n"), "{marked}");
    // This recipient does not mind.
    client.send("shop@example.net", &["other@example.com"], SPAM);
    let plain = suite.wait_messages("other/", 1).remove(0).text;
    assert!(
        plain.contains("\nSubject: offer\n") && plain.contains("\nX-Spam-Status: No, score=0.5 "),
        "{plain}"
    );
    client.expect("MAIL FROM:<shop@example.net>", 250);
    client.expect("RCPT TO:<user@example.com>", 250);
    let refused = client.data(&format!("{SPAM}The worst of all.\n"));
    assert_eq!((refused.code, refused.text.as_str()), (550, "5.7.1 Blocked by SpamAssassin"));
    client.quit();
    assert_eq!(suite.messages("user/").len(), 1);
    suite.stop();
}

/// What one program teaches, the others know.
#[test]
fn mail_is_learned_once_and_forgotten_once() {
    let folder = tempfile::tempdir().unwrap();
    open_up(folder.path());
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    world_writable(&data);
    fs::write(
        folder.path().join("spam.mbox"),
        format!("From x Sun Nov 22 10:00:00 2026\n{SPAM}\nFrom x Sun Nov 22 10:00:00 2026\n{HAM}"),
    )
    .unwrap();
    let learn = |options: &[&str]| {
        let mut command = Command::new(Programs::ours().commands.join("sa-learn"));
        command
            .arg("-C")
            .arg(folder.path())
            .arg("--siteconfigpath")
            .arg(folder.path())
            .arg("--dbpath")
            .arg(data.join("bayes"));
        let output = run_with(command.args(["-p", "/dev/null"]).args(options), "");
        assert!(output.status.success(), "{options:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let mailbox = folder.path().join("spam.mbox").display().to_string();
    let learned = |count: u32| format!("Learned tokens from {count} message(s) (2 message(s) examined)\n");
    assert_eq!(learn(&["--spam", &mailbox]), learned(2));
    assert_eq!(learn(&["--spam", &mailbox]), learned(0));
    assert_eq!(learn(&["--forget", &mailbox]), "Forgot tokens from 2 message(s) (2 message(s) examined)\n");
    assert_eq!(learn(&["--ham", &mailbox]), learned(2));
    let magic = learn(&["--dump", "magic"]);
    assert!(magic.contains("0.000          0          2          0  non-token data: nham\n"), "{magic}");
    let backup = folder.path().join("backup");
    fs::write(&backup, learn(&["--backup"])).unwrap();
    learn(&["--clear"]);
    assert!(
        learn(&["--dump", "magic"])
            .contains("0.000          0          0          0  non-token data: nham\n")
    );
    learn(&["--restore", &backup.display().to_string()]);
    assert_eq!(learn(&["--dump", "magic"]), magic);
}

/// Anybody may write into a folder.
fn world_writable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
}

#[test]
fn a_spamd_that_may_be_taught_learns_and_forgets() {
    let folder = tempfile::tempdir().unwrap();
    open_up(folder.path());
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    world_writable(&data);
    let setting = format!(
        "--cf=use_bayes 1\nuse_learner 1\nbayes_path {}/bayes\nauto_welcomelist_path {}/awl",
        data.display(),
        data.display()
    );
    let spamd = Spamd::ours(&["-l", &setting]);
    let tell = |kind: &str| String::from_utf8(spamd.spamc(&our_spamc(), &["-L", kind], SPAM).stdout).unwrap();
    let (done, known) = ("Message successfully un/learned\n", "Message was already un/learned\n");
    assert_eq!([tell("spam"), tell("spam")], [done, known]);
    assert_eq!([tell("ham"), tell("ham")], [done, known]);
    assert_eq!([tell("forget"), tell("forget")], [done, known]);
}

/// A database as administrators' tools fill it.
#[test]
fn preferences_come_from_a_database_as_they_do_for_the_original() {
    let folder = tempfile::tempdir().unwrap();
    open_up(folder.path());
    let path = folder.path().join("prefs");
    let rows = "create table userpref (username text, preference text, value text);
        insert into userpref values ('@GLOBAL', 'required_score', '6.6'), ('@GLOBAL', 'score PAL', '-3'),
        ('joe@example.com', 'required_score', '1'), ('joe@example.com', 'score PAL', '2'),
        ('neill', 'welcomelist_from', '*@example.net'), ('neill', 'body', 'MINE /pills/')";
    rusqlite::Connection::open(&path).unwrap().execute_batch(rows).unwrap();
    world_readable(&path);
    let setting = format!("--cf=user_scores_dsn DBI:SQLite:dbname={}", path.display());
    let ours = Spamd::ours(&["-q", &setting]);
    let verdict = |spamd: &Spamd, user: &str, message: &str| {
        String::from_utf8(spamd.spamc(&our_spamc(), &["-c", "-u", user], message).stdout).unwrap()
    };
    for (user, spam, ham) in [
        ("joe@example.com", "6.5/1.0\n", "2.0/1.0\n"),
        ("ann", "6.5/6.6\n", "-3.0/6.6\n"),
        ("neill", "6.5/6.6\n", "-3.0/6.6\n"),
    ] {
        assert_eq!(
            (verdict(&ours, user, SPAM), verdict(&ours, user, HAM)),
            (spam.to_owned(), ham.to_owned()),
            "{user}"
        );
    }
    let Some(their_spamd) = installed("spamd") else { return };
    let original = Spamd::start(&their_spamd, &["-q", &setting]);
    for user in ["joe@example.com", "ann", "neill"] {
        for message in [SPAM, HAM] {
            assert_eq!(verdict(&ours, user, message), verdict(&original, user, message), "{user}");
        }
    }
}

fn world_readable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}
