//! Programs that others have written, against the running suite. Where one is not installed, the test says so.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::{Builder, Suite};

const FOLDERS: [&str; 4] = ["/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin"];

/// The path of an installed program.
fn installed(name: &str) -> Option<String> {
    let path = FOLDERS.iter().map(|folder| format!("{folder}/{name}")).find(|path| Path::new(path).exists());
    if path.is_none() {
        testkit::left_out(&format!("{name} is not installed"));
    }
    path
}

/// Runs a program that must succeed; what it printed.
fn run(suite: &Suite, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .env("MAIL_CONFIG", suite.config())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {}\n{text}\n{errors}", output.status);
    text
}

fn suite() -> Suite {
    Builder::new().example_com().main("smtpd_authorized_xclient_hosts = 127.0.0.1").start()
}

#[test]
fn swaks_sends_in_many_ways() {
    let Some(swaks) = installed("swaks") else { return };
    let suite = suite();
    let server = format!("127.0.0.1:{}", suite.port());
    let common = ["--server", &server, "--from", "a@b.example", "--to", "user@example.com", "--silent", "2"];
    let long = "x".repeat(900) + "\\n" + &"line\\n".repeat(20_000);
    for more in [
        &[][..],
        &["--pipeline"],
        &["--protocol", "SMTP"],
        &["--body", &long],
        &["--xclient", "NAME=swaks.example ADDR=192.0.2.7"],
        &["--attach", "/etc/hostname"],
    ] {
        run(&suite, &swaks, &[&common[..], more].concat());
    }
    let messages = suite.wait_messages("user/", 6);
    assert!(messages.iter().any(|message| message.text.contains("(swaks.example [192.0.2.7])")));
    let lines = |text: &str| text.lines().filter(|line| *line == "line").count();
    assert!(messages.iter().any(|message| lines(&message.text) == 20_000));
    suite.stop();
}

#[test]
fn python_smtplib_sends_and_hears_refusals() {
    let Some(python) = installed("python3") else { return };
    let suite = suite();
    let script = format!(
        "import smtplib\n\
         s = smtplib.SMTP('127.0.0.1', {})\n\
         refused = s.sendmail('a@b.example', ['user@example.com', 'nobody@example.com'],\n\
         \x20   'Subject: py\\r\\n\\r\\n.dot\\r\\nbody\\r\\n', mail_options=['SIZE=100', 'BODY=8BITMIME'])\n\
         assert list(refused) == ['nobody@example.com'], refused\n\
         assert s.verify('user@example.com')[0] == 252\n\
         assert s.noop()[0] == 250 and s.rset()[0] == 250\n\
         print(s.quit()[0])\n",
        suite.port()
    );
    assert_eq!(run(&suite, &python, &["-c", &script]), "221\n");
    assert_eq!(suite.wait_messages("user/", 1)[0].body(), ".dot\nbody\n");
    suite.stop();
}

#[test]
fn mutt_submits_through_sendmail() {
    let Some(mutt) = installed("mutt") else { return };
    let suite = suite();
    let sendmail = suite.command("sendmail", &[]).get_program().to_string_lossy().into_owned();
    let set = format!("set sendmail=\"{sendmail} -oem -oi\"");
    let arguments =
        ["-F", "/dev/null", "-e", &set, "-e", "set copy=no", "-s", "from mutt", "user@example.com"];
    run(&suite, &mutt, &arguments);
    let message = suite.wait_messages("user/", 1).remove(0);
    assert_eq!(message.header("Subject").as_deref(), Some("from mutt"));
    suite.stop();
}

#[test]
fn smtp_source_sends_many_at_a_time() {
    let Some(source) = installed("smtp-source") else { return };
    let suite = suite();
    let server = format!("127.0.0.1:{}", suite.port());
    // Recipients are numbered: 1user@example.com, 2user@example.com.
    suite.write_table("vmailbox", "@example.com all/\n");
    run(
        &suite,
        &source,
        &[
            "-s",
            "4",
            "-m",
            "20",
            "-r",
            "3",
            "-l",
            "5000",
            "-f",
            "a@b.example",
            "-t",
            "user@example.com",
            &server,
        ],
    );
    run(
        &suite,
        &source,
        &["-s", "2", "-m", "6", "-d", "-f", "a@b.example", "-t", "user@example.com", &server],
    );
    let messages = suite.wait_messages("all/", 66);
    assert!(messages.iter().filter(|message| message.text.len() > 5000).count() == 60);
    suite.stop();
}

/// The counts at the head of pflogsumm's report, by name.
fn counts(report: &str) -> BTreeMap<String, u32> {
    let head = report.lines().skip_while(|line| *line != "messages").skip(1);
    let totals = head.take_while(|line| !line.starts_with("Per-"));
    totals
        .filter_map(|line| {
            let (number, name) = line.trim().split_once(char::is_whitespace)?;
            Some((name.trim().split("  ").next()?.to_owned(), number.parse().ok()?))
        })
        .collect()
}

#[test]
fn pflogsumm_counts_what_happened() {
    let Some(pflogsumm) = installed("pflogsumm") else { return };
    let suite = suite();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<mbox@example.com>", 250);
    client.expect("RCPT TO:<nobody@example.com>", 550);
    client.expect("RCPT TO:<user@elsewhere.example>", 454);
    client.expect("RCPT TO:<user@example.com>", 250);
    client.expect("RCPT TO:<other@example.com>", 250);
    client.data("Subject: x\n\nx\n");
    client.quit();
    suite.wait_messages("other/", 1);
    // One that comes back, and one by sendmail.
    suite.run_with("sendmail", &["-f", "mbox@example.com", "nobody@example.com"], "Subject: y\n\ny\n");
    suite.wait_messages("mbox", 1);
    suite.until("three messages to have left", || {
        (suite.log().matches(": removed").count() == 3).then_some(())
    });
    let log = suite.root().join("log/mail.log");
    let report = run(&suite, &pflogsumm, &[&log.display().to_string()]);
    let counts = counts(&report);
    let expected = [
        ("received", 2),
        ("delivered", 3),
        ("forwarded", 0),
        ("deferred", 0),
        ("bounced", 1),
        ("rejected (40%)", 2),
        ("reject warnings", 0),
        ("held", 0),
        ("discarded (0%)", 0),
        ("senders", 1),
        ("sending hosts/domains", 1),
        ("recipients", 3),
        ("recipient hosts/domains", 1),
    ];
    for (name, number) in expected {
        assert_eq!(counts.get(name), Some(&number), "{name} in\n{report}");
    }
    suite.stop();
}

#[test]
fn qshape_reads_the_queue() {
    let Some(qshape) = installed("qshape") else { return };
    let suite = Builder::new().example_com().main("defer_transports = virtual").start();
    for (sender, recipient) in [("a@one.example", "user@example.com"), ("b@two.example", "other@example.com")]
    {
        let id = suite.send(sender, &[recipient], "Subject: x\n\nx\n");
        suite.wait_log(&[&id, "status=deferred"]);
    }
    suite.until("both in the deferred queue", || {
        let shape = run(&suite, &qshape, &["-c", &suite.config().display().to_string(), "deferred"]);
        let total = shape.lines().find(|line| line.trim_start().starts_with("TOTAL"))?;
        let domain = shape.lines().find(|line| line.trim_start().starts_with("example.com"))?;
        let number = |line: &str| line.split_whitespace().nth(1).map(str::to_owned);
        (number(total)? == "2" && number(domain)? == "2").then_some(())
    });
    let senders = run(&suite, &qshape, &["-s", "-c", &suite.config().display().to_string(), "deferred"]);
    assert!(senders.contains("one.example") && senders.contains("two.example"), "{senders}");
    suite.stop();
}
