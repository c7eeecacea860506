//! Mail goes in by SMTP and comes out by POP3.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use sys::signals::SignalKind;
use tests::programs::{Maker, Programs};
use tests::suite::PATIENCE;
use tests::{Builder, Port, Suite, processes};

const LETTER: &str = "From: sender@client.example\nSubject: one\n\nHello\n.dot\n";

/// A suite with a POP3 server, and its port.
fn start(main: &str) -> (Suite, Port) {
    let port = Port::reserve();
    let suite = Builder::new()
        .example_com()
        .main("virtual_password_maps = hash:$config_directory/vpassword\nlogin_default_domain = example.com")
        .main(main)
        .master(&format!("127.0.0.1:{} inet n - n - - pop3d\nauth unix - - n - - authd\n", port.number()))
        .table("vpassword", "user@example.com {PLAIN}secret\nother@example.com {SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=\n")
        .start();
    (suite, port)
}

/// A POP3 session.
struct Session(BufReader<TcpStream>);

impl Session {
    fn connect(port: &Port) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port.number())).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut session = Self(BufReader::new(stream));
        assert!(session.line().starts_with("+OK "));
        session
    }

    fn login(port: &Port, user: &str) -> Self {
        let mut session = Self::connect(port);
        assert_eq!(session.say(&format!("USER {user}")), "+OK");
        assert_eq!(session.say("PASS secret"), "+OK Logged in.");
        session
    }

    fn say(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn text(&mut self) -> Vec<String> {
        std::iter::from_fn(|| Some(self.line()).filter(|line| line != ".")).collect()
    }
}

#[test]
fn a_message_is_fetched_and_removed_and_its_file_is_gone() {
    let (suite, port) = start("");
    suite.send("sender@client.example", &["user@example.com"], LETTER);
    suite.wait_messages("user/", 1);
    let mut session = Session::login(&port, "user");
    assert!(session.say("STAT").starts_with("+OK 1 "));
    assert!(session.say("RETR 1").ends_with(" octets"));
    let text = session.text();
    assert_eq!(text[text.len() - 2..], ["Hello", "..dot"]);
    assert_eq!(session.say("DELE 1"), "+OK Marked to be deleted.");
    assert_eq!(session.say("QUIT"), "+OK Logging out, messages deleted.");
    assert!(suite.messages("user/").is_empty());
    suite.wait_log(&["pop3d", "user=<user@example.com>", "logged out, retr=1, del=1/1"]);
    suite.stop();
}

/// The next message is read before it is asked for: that must not show, whatever is asked for instead.
#[test]
fn messages_are_fetched_in_any_order() {
    let (suite, port) = start("");
    for number in 1..=4 {
        let letter = format!("Subject: {number}\n\nletter {number}\n");
        suite.send("sender@client.example", &["user@example.com"], &letter);
        suite.wait_messages("user/", number);
    }
    let mut session = Session::login(&port, "user");
    let mut fetch = |command: &str| {
        assert!(session.say(command).starts_with("+OK "), "{command}");
        session.text().pop().unwrap()
    };
    for number in [1, 2, 3, 4, 4, 2, 4, 1, 3, 2, 3, 4, 1] {
        assert_eq!(fetch(&format!("RETR {number}")), format!("letter {number}"));
    }
    assert_eq!(fetch("TOP 2 1"), "letter 2");
    assert_eq!(fetch("RETR 3"), "letter 3");
    // What has been read ahead is removed all the same.
    assert_eq!(session.say("DELE 4"), "+OK Marked to be deleted.");
    assert!(session.say("RETR 4").starts_with("-ERR "));
    assert_eq!(session.say("QUIT"), "+OK Logging out, messages deleted.");
    assert_eq!(suite.messages("user/").len(), 3);
    suite.stop();
}

#[test]
fn a_session_that_is_cut_off_deletes_nothing_and_unique_ids_stay() {
    let (suite, port) = start("");
    suite.send("sender@client.example", &["user@example.com"], LETTER);
    suite.wait_messages("user/", 1);
    let mut first = Session::login(&port, "user@example.com");
    let id = first.say("UIDL 1");
    assert!(id.starts_with("+OK 1 "), "{id}");
    first.say("DELE 1");
    drop(first);
    suite.wait_log(&["pop3d", "disconnected without QUIT", "del=1/1"]);
    let mut second = Session::login(&port, "user");
    assert_eq!(second.say("UIDL 1"), id);
    assert_eq!(second.say("QUIT"), "+OK Logging out.");
    suite.stop();
}

/// When in a session its resident is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    Never,
    /// Messages are marked, and the client has not said QUIT.
    BeforeQuit,
    /// The client has said QUIT and waits for the answer.
    BehindQuit,
}

/// One session that lives as long as it may: the unique ids of what it wanted to be deleted, and the answer to QUIT.
fn delete_two(suite: &Suite, port: &Port, killed: Killed) -> (Vec<String>, Option<String>) {
    let mut session = Session::login(port, "user");
    session.say("UIDL");
    let first: Vec<String> = session.text().into_iter().take(2).collect();
    for number in 1..=first.len() {
        assert_eq!(session.say(&format!("DELE {number}")), "+OK Marked to be deleted.");
    }
    if killed == Killed::BeforeQuit {
        kill_residents(suite);
    }
    let said = session.0.get_mut().write_all(b"QUIT\r\n");
    if killed == Killed::BehindQuit {
        kill_residents(suite);
    }
    let mut answer = String::new();
    let heard = said.and_then(|()| session.0.read_line(&mut answer));
    let unique = first.iter().filter_map(|line| line.split_once(' ')).map(|(_, id)| id.to_owned()).collect();
    (unique, heard.ok().filter(|length| *length > 0).map(|_| answer.trim_end().to_owned()))
}

/// Those that hold mailboxes; the login server stays.
fn kill_residents(suite: &Suite) {
    processes::residents(suite.root()).into_iter().for_each(processes::kill);
}

/// Whom a resident had not taken when it died goes to another, and hears nothing of it.
#[test]
fn a_client_on_its_way_to_a_resident_that_dies_is_let_in() {
    if !matches!(Programs::under_test().maker, Maker::Ours) {
        return;
    }
    let (suite, port) = start("");
    let mut session = Session::login(&port, "other");
    for _ in 0..5 {
        assert_eq!(session.say("QUIT"), "+OK Logging out.");
        for resident in processes::residents(suite.root()) {
            sys::signals::send(resident, SignalKind::SIGSTOP).unwrap();
        }
        session = Session::connect(&port);
        assert_eq!(session.say("USER other"), "+OK");
        session.0.get_mut().write_all(b"PASS secret\r\n").unwrap();
        // Another login behind it, so that this one is probably on its way.
        assert_eq!(Session::connect(&port).say("USER other"), "+OK");
        kill_residents(&suite);
        assert_eq!(session.line(), "+OK Logged in.");
    }
    suite.stop();
}

fn unique_ids(port: &Port) -> Vec<String> {
    let mut session = Session::login(port, "user");
    session.say("UIDL");
    let lines = session.text();
    assert_eq!(session.say("QUIT"), "+OK Logging out.");
    lines.iter().filter_map(|line| line.split_once(' ')).map(|(_, id)| id.to_owned()).collect()
}

#[test]
fn what_was_not_deleted_stays_and_what_was_said_holds_when_residents_die() {
    if !matches!(Programs::under_test().maker, Maker::Ours) {
        return;
    }
    let (suite, port) = start("");
    const LETTERS: usize = 24;
    for _ in 0..LETTERS {
        suite.send("sender@client.example", &["user@example.com"], LETTER);
    }
    suite.wait_messages("user/", LETTERS);
    let mut known = unique_ids(&port);
    for round in 0..12 {
        let killed = [Killed::BeforeQuit, Killed::BehindQuit, Killed::Never][round % 3];
        let (marked, answer) = delete_two(&suite, &port, killed);
        let there = unique_ids(&port);
        let gone: Vec<_> = known.iter().filter(|id| !there.contains(id)).collect();
        let case = format!("round {round}, {killed:?}, marked {marked:?}, answer {answer:?}, gone {gone:?}");
        assert!(there.iter().all(|id| known.contains(id)), "new ids: {case}");
        assert!(gone.iter().all(|id| marked.contains(id)), "lost: {case}");
        match answer {
            Some(answer) if answer.starts_with("+OK") => assert_eq!(gone.len(), marked.len(), "{case}"),
            // RFC 1939 §6: without QUIT nothing is deleted.
            _ => assert!(killed == Killed::BehindQuit || gone.is_empty(), "{case}"),
        }
        known = there;
    }
    assert_eq!(suite.messages("user/").len(), known.len());
    suite.stop();
}

#[test]
fn a_second_session_is_told_that_the_mailbox_is_in_use() {
    let (suite, port) = start("");
    let _first = Session::login(&port, "user");
    let mut second = Session::connect(&port);
    second.say("USER user");
    assert_eq!(second.say("PASS secret"), "-ERR [IN-USE] Mailbox is in use by another session.");
    drop(Session::login(&port, "other"));
    suite.stop();
}

#[test]
fn a_wrong_password_and_a_stranger_are_answered_alike() {
    let (suite, port) = start("login_failure_delay = 0s");
    for user in ["user", "nobody"] {
        let mut session = Session::connect(&port);
        session.say(&format!("USER {user}"));
        assert_eq!(session.say("PASS wrong"), "-ERR [AUTH] Authentication failed.");
    }
    suite.wait_log(&["authd", "login failed: user=<user@example.com>", "wrong password"]);
    suite.wait_log(&["authd", "login failed: user=<nobody>", "unknown user"]);
    suite.stop();
}

#[test]
fn commands_that_come_with_the_password_reach_the_mailbox() {
    let (suite, port) = start("");
    let mut session = Session::connect(&port);
    session.0.get_mut().write_all(b"USER user\r\nPASS secret\r\nSTAT\r\nNOOP\r\nQUIT\r\n").unwrap();
    let said: Vec<_> = (0..5).map(|_| session.line()).collect();
    assert_eq!(said, ["+OK", "+OK Logged in.", "+OK 0 0", "+OK", "+OK Logging out."]);
    suite.stop();
}

#[test]
fn python_and_curl_read_their_mail() {
    let (suite, port) = start("login_mechanisms = plain, cram-md5, apop");
    suite.send("sender@client.example", &["user@example.com"], LETTER);
    suite.wait_messages("user/", 1);
    let script = format!(
        "import poplib\np = poplib.POP3('127.0.0.1', {}, timeout={})\np.apop('user', 'secret')\n\
         print(len(p.list()[1]), b'Hello' in p.retr(1)[1])\np.quit()\n",
        port.number(),
        PATIENCE.as_secs()
    );
    if let Some(said) = run("python3", &["-c", &script]) {
        assert_eq!(said.trim(), "1 True");
    }
    for mechanism in ["PLAIN", "CRAM-MD5", "+APOP"] {
        let login = format!("AUTH={mechanism}");
        let url = format!("pop3://127.0.0.1:{}/1", port.number());
        if let Some(said) = run("curl", &["-s", "--user", "user:secret", "--login-options", &login, &url]) {
            assert!(said.contains("Subject: one"), "{mechanism}: {said}");
        }
    }
    suite.stop();
}

/// What a program says; none where it is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let Ok(output) = Command::new(program).args(arguments).stdin(Stdio::null()).output() else {
        testkit::left_out(&format!("{program} is not installed"));
        return None;
    };
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
