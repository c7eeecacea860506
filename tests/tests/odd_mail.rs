//! Odd messages and odd sessions, made from a seed and sent to the original and to us: what comes out is the same.
//!
//! `ODD_MAIL_SEED` makes others, `ODD_MAIL_COUNT` more of them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;
use std::thread;

use tempfile::TempDir;
use tests::certificate;
use tests::odd::letters::{self, Letter};
use tests::odd::masks::masked;
use tests::odd::sessions::{self, Session};
use tests::odd::traces::{Traces, traces};
use tests::programs::Programs;
use tests::{Builder, Client, Suite};

const HOP: &[u8] = b"\r\nReceived: ";
/// `hopcount_limit`, less the first `Received:` and the one that is added.
const HOP_LIMIT: usize = 48;
/// Differences that are shown.
const SHOWN: usize = 12;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// One way to hand a letter in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From a client whose headers are completed.
    Local,
    /// From one whose headers are left alone.
    Remote,
    /// `sendmail -t`
    Sendmail,
}

const WAYS: [Way; 3] = [Way::Local, Way::Remote, Way::Sendmail];

/// A suite with a port for clients whose headers are left alone.
struct House {
    suite: Suite,
    remote: u16,
}

impl House {
    fn start(programs: Programs, main: &str) -> Self {
        let mut builder = Builder::with(programs)
            .example_com()
            .main("smtpd_forbid_bare_newline = no\nlocal_header_rewrite_clients = permit_inet_interfaces")
            .main(main);
        let remote = builder.reserve_port();
        let service = format!("127.0.0.1:{remote} inet n - n - - smtpd -o local_header_rewrite_clients=\n");
        Self { suite: builder.master(&service).start(), remote }
    }

    fn hand_in(&self, way: Way, letter: &Letter, number: usize) -> String {
        let recipients = [format!("user+{number}@example.com"), format!("mbox+{number}@example.com")];
        match way {
            Way::Local => smtp(self.suite.port(), letter, &recipients),
            Way::Remote => smtp(self.remote, letter, &recipients),
            Way::Sendmail => self.sendmail(letter, &recipients),
        }
    }

    /// The content without CRs before its line ends, as programs of this system write it.
    fn sendmail(&self, letter: &Letter, recipients: &[String]) -> String {
        let mut command = self.suite.command("sendmail", &["-f", "<>", "-t", "-i"]);
        command.args(recipients).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut content = letter.content.clone();
        while let Some(at) = content.windows(2).position(|two| two == b"\r\n") {
            content.remove(at);
        }
        // One that does not read all of it says why.
        let _ = child.stdin.take().unwrap().write_all(&content);
        let output = child.wait_with_output().unwrap();
        format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))
    }

    /// Every letter in these ways; what became of each, by its number in all ways together.
    fn send_all(self, letters: &[Letter], ways: &[Way]) -> Traces {
        let mut replies = Vec::new();
        for (place, way) in ways.iter().enumerate() {
            for (at, letter) in letters.iter().enumerate() {
                replies.push(self.hand_in(*way, letter, place * letters.len() + at));
            }
        }
        self.suite.until("an empty queue", || {
            self.suite.run("postqueue", &["-p"]).contains("Mail queue is empty").then_some(())
        });
        // The log may be behind the queue.
        self.suite.until("the end of every message in the log", || {
            let log = self.suite.log();
            let id_before = |mark: &str| -> BTreeSet<String> {
                let lines = log.lines().filter(|line| line.ends_with(mark));
                let ids = lines.filter_map(|line| line.split("]: ").nth(1)?.split(": ").next());
                ids.map(str::to_owned).collect()
            };
            (id_before("(queue active)") == id_before(": removed")).then_some(())
        });
        let mail = self.suite.root().join("mail");
        let mut traces = traces(&self.suite.log(), &[&mail.join("user/"), &mail.join("mbox")]);
        for (number, reply) in replies.into_iter().enumerate() {
            let reply = reply.split("queued as").next().unwrap_or_default().to_owned();
            traces.entry(number).or_default().push(reply);
        }
        self.suite.stop();
        traces
    }
}

/// The reply to the content.
fn smtp(port: u16, letter: &Letter, recipients: &[String]) -> String {
    let mut client = Client::connect(port);
    client.ehlo();
    client.expect("MAIL FROM:<odd@sender.example>", 250);
    for recipient in recipients {
        client.expect(&format!("RCPT TO:<{recipient}>"), 250);
    }
    client.expect("DATA", 354);
    client.write(&on_the_wire(&letter.content));
    let reply = client.reply();
    client.quit();
    format!("{} {}", reply.code, reply.text)
}

/// RFC 5321 §4.5.2, for whoever takes a bare LF for a line end too.
fn on_the_wire(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

fn both<T: Send>(work: impl Fn(Programs) -> T + Send + Sync) -> (T, T) {
    thread::scope(|scope| {
        let ours = scope.spawn(|| work(Programs::ours()));
        let theirs = work(Programs::peer());
        (ours.join().unwrap(), theirs)
    })
}

/// Sends everything in these ways, with these settings.
fn compare(main: &str, ways: &[Way]) {
    if !Programs::peer_can_run() {
        return testkit::left_out("the original is not installed, or this is not root");
    }
    let letters = letters::all(number("ODD_MAIL_SEED", 1) as u64, number("ODD_MAIL_COUNT", 60));
    let (ours, theirs) = both(|programs| House::start(programs, main).send_all(&letters, ways));
    let of = |traces: &Traces, number: usize| traces.get(&number).cloned().unwrap_or_default();
    let differences: Vec<String> = (0..ways.len() * letters.len())
        .filter(|number| of(&ours, *number) != of(&theirs, *number))
        .filter(|number| !is_known(ways[number / letters.len()], &letters[number % letters.len()]))
        .map(|number| {
            let (way, letter) = (ways[number / letters.len()], &letters[number % letters.len()]);
            differs(&format!("{number} {way:?} {}", letter.what), &of(&ours, number), &of(&theirs, number))
        })
        .collect();
    show(&differences);
}

/// What the servers of the sessions are told beside the rest: nothing, then much that is strict, then encryption that
/// may be, narrow limits, line ends made right, and encryption that must be.
const PROFILES: [&str; 6] = [
    "",
    "-o smtpd_helo_required=yes -o strict_rfc821_envelopes=yes -o disable_vrfy_command=yes \
     -o smtpd_helo_restrictions=reject_invalid_helo_hostname,reject_non_fqdn_helo_hostname \
     -o smtpd_sender_restrictions=reject_non_fqdn_sender \
     -o smtpd_recipient_restrictions=reject_non_fqdn_recipient,reject_unauth_destination,reject_unauth_pipelining \
     -o smtpd_data_restrictions=reject_multi_recipient_bounce",
    "-o smtpd_tls_security_level=may -o smtpd_tls_cert_file=$cert -o smtpd_tls_key_file=$key",
    "-o message_size_limit=5000 -o smtpd_recipient_limit=2 -o smtpd_recipient_overshoot_limit=1 \
     -o smtpd_soft_error_limit=2 -o smtpd_hard_error_limit=4 -o smtpd_junk_command_limit=3 -o line_length_limit=512",
    "-o smtpd_forbid_bare_newline=normalize -o smtpd_forbid_unauth_pipelining=yes -o smtpd_delay_reject=no",
    "-o smtpd_tls_security_level=encrypt -o smtpd_tls_cert_file=$cert -o smtpd_tls_key_file=$key",
];

/// tests/differences.md: what `sendmail` hands in without a last line end, or with too many hops, is logged differently.
fn is_known(way: Way, letter: &Letter) -> bool {
    let hops = letter.content.windows(HOP.len()).filter(|window| *window == HOP).count();
    way == Way::Sendmail && (!letter.content.ends_with(b"\n") || hops >= HOP_LIMIT)
}

#[test]
fn odd_messages_become_the_same_bytes() {
    compare("", &WAYS);
}

#[test]
fn odd_messages_of_clients_elsewhere_are_completed_with_the_same_domain() {
    compare("remote_header_rewrite_domain = domain.invalid", &[Way::Remote]);
}

/// A suite with a server for each profile.
fn servers(programs: Programs) -> (Suite, Vec<u16>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = certificate::make(folder.path(), "mx.test.example");
    let mut builder = Builder::with(programs).example_com().main(
        "smtpd_forbid_bare_newline = no\n\
         smtpd_forbid_unauth_pipelining = no\n\
         smtpd_error_sleep_time = 0\n\
         smtpd_help_enable = no\n\
         relay_domains = relay.example deferred.example bounced.example\n\
         transport_maps = inline:{{deferred.example = retry:4.3.2 not now}, {bounced.example = error:5.1.2 never}}",
    );
    let ports: Vec<u16> = PROFILES.iter().map(|_| builder.reserve_port()).collect();
    let services = PROFILES.iter().zip(&ports).map(|(profile, port)| {
        let options =
            profile.replace("$cert", &certificate.to_string_lossy()).replace("$key", &key.to_string_lossy());
        format!("127.0.0.1:{port} inet n - n - - smtpd {options}\n")
    });
    let services = services.collect::<String>();
    let suite = builder.master(&services).start();
    // What the start itself has logged is over then.
    suite.connect().quit();
    suite.wait_log(&["disconnect from unknown[127.0.0.1] quit=1 commands=1"]);
    (suite, ports, folder)
}

/// What was said in each session, and what the server logged.
fn have_all(programs: Programs, sessions: &[Session]) -> Vec<Vec<String>> {
    let (suite, ports, _certificates) = servers(programs);
    let told = sessions.iter().map(|session| {
        let before = suite.log().len();
        let mut told = sessions::play(ports[session.profile], session);
        let lines = suite.until("the end of the session in the log", || {
            let log = suite.log();
            let lines: Vec<String> = log[before..].lines().filter_map(of_server).collect();
            lines.iter().any(|line| line.starts_with("disconnect from")).then_some(lines)
        });
        told.extend(lines.into_iter().map(|line| format!("L: {line}")));
        let text = told.iter().map(|line| format!("{line}\n")).collect::<String>();
        masked(text.as_bytes(), &ids_in(&text)).lines().map(|line| format!("{line}\n")).collect()
    });
    let told = told.collect();
    suite.stop();
    told
}

/// The text of a line that smtpd has logged.
fn of_server(line: &str) -> Option<String> {
    let (head, text) = line.split_once("]: ")?;
    head.contains("/smtpd[").then(|| text.to_owned())
}

/// The queue ids in replies and log lines.
fn ids_in(text: &str) -> BTreeSet<String> {
    let queued = text.lines().filter_map(|line| Some(line.split_once("queued as ")?.1.trim()));
    let logged = text.lines().filter_map(|line| Some(line.strip_prefix("L: ")?.split_once(": ")?.0));
    let is_id = |id: &&str| {
        id.len() > 7
            && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
            && *id != "NOQUEUE"
    };
    queued.chain(logged).filter(is_id).map(str::to_owned).collect()
}

#[test]
fn odd_sessions_are_answered_and_logged_the_same() {
    if !Programs::peer_can_run() {
        return testkit::left_out("the original is not installed, or this is not root");
    }
    let sessions =
        sessions::all(number("ODD_MAIL_SEED", 1) as u64, number("ODD_MAIL_COUNT", 240), PROFILES.len());
    let (ours, theirs) = both(|programs| have_all(programs, &sessions));
    let differences: Vec<String> = (0..sessions.len())
        .filter(|number| ours[*number] != theirs[*number])
        .map(|number| {
            differs(
                &format!("session {number}, profile {}", sessions[number].profile),
                &ours[number],
                &theirs[number],
            )
        })
        .collect();
    show(&differences);
}

/// Only the lines that differ, with what is on either side.
fn differs(what: &str, ours: &[String], theirs: &[String]) -> String {
    let lines = |traces: &[String]| traces.concat().lines().map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (lines(ours), lines(theirs));
    let only = |some: &[String], others: &[String], mark: &str| {
        let left = some.iter().filter(|line| !others.contains(line));
        left.map(|line| format!("  {mark} {}\n", line.chars().take(200).collect::<String>()))
            .collect::<String>()
    };
    let shown = only(&ours, &theirs, "ours  ") + &only(&theirs, &ours, "theirs");
    format!("{what}\n{}", if shown.is_empty() { "  the order or the number of lines\n" } else { &shown })
}

fn show(differences: &[String]) {
    let shown = differences.iter().take(number("ODD_MAIL_SHOWN", SHOWN)).cloned().collect::<String>();
    assert!(differences.is_empty(), "{} differ:\n{shown}", differences.len());
}
