//! Clients that idle have no process of their mailbox's owner, and miss nothing.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use tests::programs::{Maker, Programs};
use tests::suite::PATIENCE;
use tests::{Builder, Port, Suite, processes};

/// An IMAP client; each tag is a letter.
struct Client(BufReader<TcpStream>);

impl Client {
    /// Logs in and selects INBOX.
    fn in_inbox(port: &Port, user: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port.number())).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Self(BufReader::new(stream));
        assert!(client.line().starts_with("* OK "));
        client.run(&format!("LOGIN {user} secret"));
        client.run("SELECT INBOX");
        client
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "the server has hung up");
        line.trim_end().to_owned()
    }

    fn say(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }

    /// All that is answered to a command that succeeds, but for its last line.
    fn run(&mut self, command: &str) -> Vec<String> {
        self.say(&format!("a {command}"));
        self.until("a OK")
    }

    fn until(&mut self, begin: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            assert!(!line.starts_with("a NO") && !line.starts_with("a BAD"), "{line}");
            if line.starts_with(begin) {
                return lines;
            }
            lines.push(line);
        }
    }

    fn idle(&mut self) {
        self.say("a IDLE");
        self.until("+ ");
    }

    fn done(&mut self) -> Vec<String> {
        self.say("DONE");
        self.until("a OK Idle completed")
    }
}

fn start(more: &str) -> Option<(Suite, Port)> {
    if !matches!(Programs::under_test().maker, Maker::Ours) {
        return None;
    }
    let port = Port::reserve();
    let suite = Builder::new()
        .example_com()
        .main("virtual_password_maps = hash:$config_directory/passwords\nlogin_default_domain = example.com")
        .main(&format!("imapd_hibernate_time = 1s\n{more}"))
        .master(&format!("127.0.0.1:{} inet n - n - - imapd\nauth unix - - n - - authd\n", port.number()))
        .table("passwords", "user@example.com {PLAIN}secret\nother@example.com {PLAIN}secret\n")
        .start();
    Some((suite, port))
}

fn wait_until_all_are_parked(suite: &Suite) {
    suite.until("the end of the resident", || processes::residents(suite.root()).is_empty().then_some(()));
}

fn deliver(suite: &Suite, number: usize) {
    let letter = format!("From: sender@client.example\nSubject: {number}\n\nHello\n");
    suite.send("sender@client.example", &["user@example.com"], &letter);
}

#[test]
fn clients_that_are_parked_hear_of_mail_and_go_on_where_they_were() {
    let Some((suite, port)) = start("") else { return };
    let mut clients = ["user", "user", "other"].map(|user| Client::in_inbox(&port, user));
    for number in 1..=3 {
        clients.iter_mut().for_each(Client::idle);
        wait_until_all_are_parked(&suite);
        deliver(&suite, number);
        let [first, second, other] = &mut clients;
        first.until(&format!("* {number} EXISTS"));
        second.until(&format!("* {number} EXISTS"));
        // It has heard nothing, and is understood wherever it is.
        assert!(other.done().is_empty());
        [first, second].into_iter().for_each(|client| drop(client.done()));
    }
    let [first, second, other] = &mut clients;
    other.run("LOGOUT");
    second.idle();
    first.run("STORE 2 +FLAGS (\\Deleted)");
    second.until("* 2 FETCH");
    first.idle();
    wait_until_all_are_parked(&suite);
    let mut third = Client::in_inbox(&port, "user");
    third.run("EXPUNGE");
    first.until("* 2 EXPUNGE");
    second.until("* 2 EXPUNGE");
    second.done();
    let subjects = second.run("FETCH 2 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
    assert!(subjects.iter().any(|line| line == "Subject: 3"), "{subjects:?}");
    suite.stop();
}

#[test]
fn clients_that_are_parked_hear_that_the_server_is_there_and_when_it_goes() {
    let Some((suite, port)) = start("imapd_idle_notify_interval = 5s") else { return };
    let mut client = Client::in_inbox(&port, "user");
    client.idle();
    wait_until_all_are_parked(&suite);
    client.until("* OK Still here");
    // One that logs in now takes the other along.
    let mut second = Client::in_inbox(&port, "user");
    second.idle();
    wait_until_all_are_parked(&suite);
    suite.stop();
    client.until("* BYE ");
    second.until("* BYE ");
}

#[test]
fn a_client_that_goes_while_it_is_parked_is_gone() {
    let Some((suite, port)) = start("") else { return };
    let mut clients = ["user", "other"].map(|user| Client::in_inbox(&port, user));
    clients.iter_mut().for_each(Client::idle);
    wait_until_all_are_parked(&suite);
    let [gone, mut left] = clients;
    drop(gone);
    deliver(&suite, 1);
    assert!(left.done().is_empty());
    left.run("LOGOUT");
    suite.stop();
}

#[test]
fn clients_that_were_parked_have_the_rights_of_now() {
    let Some((suite, port)) = start("") else { return };
    let mut clients = ["user", "user"].map(|user| Client::in_inbox(&port, user));
    for (client, mailbox) in clients.iter_mut().zip(["less", "none"]) {
        client.run(&format!("CREATE {mailbox}"));
        client.run(&format!("APPEND {mailbox} {{8+}}\r\nA: b\r\n\r\n"));
        client.run(&format!("SELECT {mailbox}"));
        client.run("STORE 1 +FLAGS (\\Flagged)");
        client.idle();
    }
    wait_until_all_are_parked(&suite);
    for (mailbox, rights) in [("less", "lr"), ("none", "l")] {
        // At once: half a list is another.
        let folder = suite.root().join(format!("mail/user/.{mailbox}"));
        fs::write(folder.join("rights"), format!("owner {rights}\n")).unwrap();
        fs::rename(folder.join("rights"), folder.join("dovecot-acl")).unwrap();
    }
    let [less, none] = &mut clients;
    less.done();
    less.run("STORE 1 +FLAGS (\\Deleted)");
    let flags = less.run("FETCH 1 FLAGS").join("\n");
    assert!(flags.contains("\\Flagged") && !flags.contains("\\Deleted"), "{flags}");
    none.until("* BYE ");
    suite.stop();
}
