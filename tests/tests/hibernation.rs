//! Clients that say nothing have no process of their mailbox's owner, and miss nothing.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use tests::programs::{Maker, Programs};
use tests::suite::PATIENCE;
use tests::{Builder, Port, Suite, certificate, processes};

/// An IMAP client; each tag is a letter.
struct Client {
    input: Box<dyn BufRead>,
    output: Box<dyn Write>,
    /// What carries it, if it is a program.
    _program: Option<Program>,
}

/// A program that ends with its client.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Client {
    /// Logs in.
    fn new(port: &Port, user: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port.number())).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let output = Box::new(stream.try_clone().unwrap());
        Self { input: Box::new(BufReader::new(stream)), output, _program: None }.log_in(user)
    }

    /// Logs in, and says nothing in plain words.
    fn with_tls(port: &Port, user: &str) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{}", port.number())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let program = Some(Program(child));
        Self { input: Box::new(BufReader::new(input)), output: Box::new(output), _program: program }
            .log_in(user)
    }

    fn log_in(mut self, user: &str) -> Self {
        assert!(self.line().starts_with("* OK "));
        self.run(&format!("LOGIN {user} secret"));
        self
    }

    /// Logs in and selects INBOX.
    fn in_inbox(port: &Port, user: &str) -> Self {
        let mut client = Self::new(port, user);
        client.run("SELECT INBOX");
        client
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.input.read_line(&mut line).unwrap() > 0, "the server has hung up");
        line.trim_end().to_owned()
    }

    fn say(&mut self, line: &str) {
        self.output.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.output.flush().unwrap();
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

/// Has the table of processes this program?
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        testkit::left_out(&format!("there is no {program}(1)"));
    }
    found
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

#[test]
fn clients_between_two_commands_are_parked_and_go_on_where_they_were() {
    let Some((suite, port)) = start("") else { return };
    let (mut selected, mut homeless) = (Client::in_inbox(&port, "user"), Client::new(&port, "user"));
    wait_until_all_are_parked(&suite);
    deliver(&suite, 1);
    suite.wait_messages("user/", 1);
    assert!(processes::residents(suite.root()).is_empty(), "nobody wants to hear of it");
    assert!(selected.run("NOOP").contains(&"* 1 EXISTS".to_owned()));
    wait_until_all_are_parked(&suite);
    assert!(homeless.run("STATUS INBOX (MESSAGES)").contains(&"* STATUS INBOX (MESSAGES 1)".to_owned()));
    homeless.run("SELECT INBOX");
    homeless.run("STORE 1 +FLAGS (\\Deleted)");
    homeless.run("EXPUNGE");
    // RFC 3501 §7.4.1: SEARCH is no time to say what has gone.
    selected.run("SEARCH 1:*");
    wait_until_all_are_parked(&suite);
    assert!(selected.run("NOOP").contains(&"* 1 EXPUNGE".to_owned()));
    suite.stop();
    for client in [&mut selected, &mut homeless] {
        client.until("* BYE ");
    }
}

#[test]
fn a_client_that_is_parked_and_says_nothing_for_too_long_has_to_go() {
    let Some((suite, port)) = start("imapd_timeout = 4s") else { return };
    let (mut silent, mut idle) = (Client::in_inbox(&port, "user"), Client::in_inbox(&port, "user"));
    idle.idle();
    wait_until_all_are_parked(&suite);
    silent.until("* BYE Disconnected for inactivity.");
    // RFC 2177 §3: who idles is there.
    deliver(&suite, 1);
    idle.until("* 1 EXISTS");
    suite.stop();
}

#[test]
fn an_owner_with_many_clients_costs_no_process_either() {
    let Some((suite, port)) = start("") else { return };
    let mut clients: Vec<Client> = (0..20).map(|_| Client::in_inbox(&port, "user")).collect();
    clients.iter_mut().for_each(Client::idle);
    wait_until_all_are_parked(&suite);
    deliver(&suite, 1);
    clients.iter_mut().for_each(|client| drop(client.until("* 1 EXISTS")));
    suite.stop();
}

#[test]
fn clients_with_tls_are_parked_too() {
    if !has("openssl") {
        return;
    }
    let keys = tempfile::tempdir().unwrap();
    let (key, certificate) = certificate::make(keys.path(), "mail.example");
    let tls = format!("smtpd_tls_chain_files = {}, {}", key.display(), certificate.display());
    let Some((suite, port)) = start(&format!("{tls}\nimapd_tls_wrappermode = yes")) else { return };
    let mut client = Client::with_tls(&port, "user");
    client.run("SELECT INBOX");
    for number in 1..=2 {
        client.idle();
        wait_until_all_are_parked(&suite);
        deliver(&suite, number);
        client.until(&format!("* {number} EXISTS"));
        client.done();
    }
    client.idle();
    wait_until_all_are_parked(&suite);
    suite.stop();
    client.until("* BYE ");
}

#[test]
fn who_was_to_take_them_up_may_die_before() {
    let Some((suite, port)) = start("") else { return };
    let mut client = Client::in_inbox(&port, "user");
    for number in 1..=3 {
        client.idle();
        wait_until_all_are_parked(&suite);
        let spare = suite.until("a resident to come", || processes::spares(suite.root()).first().copied());
        processes::kill(spare);
        deliver(&suite, number);
        client.until(&format!("* {number} EXISTS"));
        client.done();
    }
    suite.stop();
}

#[test]
fn clients_that_can_not_be_parked_for_want_of_descriptors_hear_of_mail_all_the_same() {
    const CLIENTS: usize = 12;
    if !has("prlimit") {
        return;
    }
    let Some((suite, port)) = start("") else { return };
    Client::new(&port, "other").run("LOGOUT");
    let spawnds = || suite.processes().into_iter().filter(|pid| processes::program(*pid) == "spawnd");
    let front = suite.until("spawnd", || {
        spawnds().find(|pid| processes::children(*pid).iter().any(|child| spawnds().any(|pid| pid == *child)))
    });
    // Whoever may not do it as root may as the same user.
    let status = fs::read_to_string(format!("/proc/{front}/status")).unwrap();
    let id = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let limit = |files: &str| {
        let mut command = Command::new("prlimit");
        command.args(["--pid", &front.to_string(), &format!("--nofile={files}:")]);
        assert!(command.uid(id("Uid:")).gid(id("Gid:")).status().unwrap().success());
    };
    let open = fs::read_dir(format!("/proc/{front}/fd")).unwrap().count();
    // Enough for them to come one after the other, and too little for them all.
    limit(&(open + CLIENTS - 2).to_string());
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| Client::in_inbox(&port, "user")).collect();
    clients.iter_mut().for_each(Client::idle);
    suite.wait_log(&["take clients that wait:", "limit of open files"]);
    deliver(&suite, 1);
    clients.iter_mut().for_each(|client| drop(client.until("* 1 EXISTS")));
    limit("1000");
    wait_until_all_are_parked(&suite);
    deliver(&suite, 2);
    clients.iter_mut().for_each(|client| drop(client.until("* 2 EXISTS")));
    suite.stop();
}
