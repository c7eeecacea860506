//! Plays the transcripts in `tests/transcripts` against the machines.
//!
//! ```text
//! ! login                        the machine up to the log-in; else the one behind it
//! C: a NOOP                      the client sends this line with CRLF
//! C+ x\r\n                       the client sends these bytes, escaped
//! S: a OK NOOP completed.        the server sends this line
//! ? run NOOP -> done OK x        the machine asks this, and is answered that; without "->" it is "ok"
//! ? run SEARCH -> slow done OK x the same, and the answer takes so long that the client hears so meanwhile
//! W: 1800s                       the machine waits for so long, and the time passes
//! NEWS                           something changes that the client hears of
//! QUIET NEWS                     the same, where the client does not hear of it, or not now
//! TLS                            the handshake takes place here
//! STOP                           the service is about to end
//! LOST                           the client goes
//! HAND OVER a [x]                the client has logged in with the command a, and said x behind it
//! END                            the machine has closed
//! ```
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use imap_protocol::session::{
    Answer, AppendStep, Denial, Done, LoggedIn, Login, LoginAnswer, LoginQuestion, LoginSettings, Question,
    Session, SessionSettings,
};
use imap_protocol::types::{Capability, Reply};
use machine::{Disconnect, Machine, Output, TlsFacts};
use proptest::prelude::*;

#[test]
fn every_transcript_comes_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 5, "transcripts are missing");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if text.starts_with("! login") {
            Player::new(&name, &text, Login::new(Arc::new(login_settings(&text)), false)).play();
        } else {
            Player::new(&name, &text, Session::new(Arc::new(session_settings()), "a0", b"")).play();
        }
    }
}

fn names(names: &[&str]) -> Vec<Capability> {
    names.iter().map(|name| Capability::new(name).unwrap()).collect()
}

fn login_settings(text: &str) -> LoginSettings {
    LoginSettings {
        greeting: "ready.".to_owned(),
        capabilities: names(&["IMAP4rev1", "SASL-IR"]),
        mechanisms: vec!["CRAM-MD5".to_owned()],
        plaintext_mechanisms: vec!["PLAIN".to_owned()],
        starttls: text.contains("! starttls"),
        wrapper: text.contains("! wrapper"),
        requires_tls: text.contains("! requires"),
        plaintext: !text.contains("! starttls"),
        timeout: Duration::from_secs(180),
        command_limit_bytes: 200,
        bad_command_limit: 3,
        id: vec![("name".to_owned(), "Pillarbox".to_owned())],
    }
}

fn session_settings() -> SessionSettings {
    SessionSettings {
        capabilities: names(&["IMAP4rev1", "IDLE"]),
        timeout: Duration::from_secs(1800),
        idle_notice: Duration::from_secs(120),
        progress_notice: Duration::from_secs(15),
        command_limit_bytes: 200,
        bad_command_limit: 5,
        id: Vec::new(),
    }
}

/// A machine whose questions can be written down.
trait Played: Machine {
    fn show(question: &Self::Question) -> String;
    fn parse(text: &str) -> Self::Answer;
    fn news(&mut self) -> bool;
    fn still_working(&mut self) -> Vec<u8>;
    fn handed_over(&mut self) -> String;
}

impl Played for Login {
    fn show(question: &LoginQuestion) -> String {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        match question {
            LoginQuestion::Connected => "connected".to_owned(),
            LoginQuestion::Login { user, password } => format!("login {} {}", text(user), text(password)),
            LoginQuestion::Begin { mechanism, initial } => {
                format!("begin {mechanism} {}", initial.as_deref().map_or("-".to_owned(), text))
            }
            LoginQuestion::Continue(answer) => format!("continue {}", text(answer)),
            LoginQuestion::Cancel => "cancel".to_owned(),
            LoginQuestion::Secured(facts) => format!("secured {}", facts.protocol),
            LoginQuestion::Ended => "ended".to_owned(),
        }
    }

    fn parse(text: &str) -> LoginAnswer {
        match text.split_once(' ').unwrap_or((text, "")) {
            ("ok", _) => LoginAnswer::Proceed,
            ("accepted", _) => LoginAnswer::Accepted,
            ("turned", text) => LoginAnswer::Turned(text.to_owned()),
            ("challenge", text) => LoginAnswer::Challenge(text.as_bytes().to_vec()),
            ("denied", _) => LoginAnswer::Denied(Denial::Credentials),
            ("unavailable", _) => LoginAnswer::Denied(Denial::Unavailable),
            other => panic!("{other:?}"),
        }
    }

    fn news(&mut self) -> bool {
        false
    }

    fn still_working(&mut self) -> Vec<u8> {
        panic!("a log-in is not slow")
    }

    fn handed_over(&mut self) -> String {
        let LoggedIn { tag, rest } = self.logged_in();
        format!("HAND OVER {tag} [{}]", rest.escape_ascii())
    }
}

impl Played for Session {
    fn show(question: &Question) -> String {
        match question {
            Question::Run { command, .. } => format!("run {}", command.name()),
            Question::More => "more".to_owned(),
            Question::Changes => "changes".to_owned(),
            Question::Resume => "resume".to_owned(),
            Question::IdleEnds => "idle ends".to_owned(),
            Question::Ended => "ended".to_owned(),
            Question::Append(step) => match step {
                AppendStep::Open { mailbox, replaced: None } => format!("append to {}", mailbox.as_str()),
                AppendStep::Open { mailbox, .. } => format!("replace in {}", mailbox.as_str()),
                AppendStep::Message(append, bytes) => {
                    let flags: Vec<_> = append.flags.iter().map(ToString::to_string).collect();
                    format!("append message {bytes} ({})", flags.join(" "))
                }
                AppendStep::Bytes(bytes) => format!("append bytes {}", bytes.escape_ascii()),
                AppendStep::Url(url) => format!("append url {}", url.escape_ascii()),
                AppendStep::MessageEnd => "append message end".to_owned(),
                AppendStep::Commit => "append commit".to_owned(),
                AppendStep::Abort => "append abort".to_owned(),
            },
        }
    }

    fn parse(text: &str) -> Answer {
        let done = |selected, text: &str| {
            let reply = match text.split_once(' ').unwrap_or((text, "")) {
                ("OK", text) => Reply::ok(text.to_owned()),
                ("NO", text) => Reply::no(text.to_owned()),
                other => panic!("{other:?}"),
            };
            let (untagged, utf8) = (Vec::new(), false);
            let (hears, news) =
                (reply.text.as_str().contains("listening"), reply.text.as_str().contains("news"));
            Answer::Done(Box::new(Done { untagged, reply, selected, utf8, hears, news }))
        };
        match text.split_once(' ').unwrap_or((text, "")) {
            ("ok", _) => Answer::Proceed,
            ("no", text) => Answer::Refused(Reply::no(text.to_owned())),
            ("more", text) => Answer::More(format!("{text}\r\n").into_bytes()),
            ("changes", "") => Answer::Changes(Vec::new()),
            ("changes", text) => Answer::Changes(format!("{text}\r\n").into_bytes()),
            ("morechanges", text) => Answer::MoreChanges(format!("{text}\r\n").into_bytes()),
            ("gone", text) => Answer::Gone(text.to_owned()),
            ("done", text) => done(false, text),
            ("selected", text) => done(true, text),
            other => panic!("{other:?}"),
        }
    }

    fn news(&mut self) -> bool {
        self.changed()
    }

    fn still_working(&mut self) -> Vec<u8> {
        assert!(self.patience().is_some());
        Session::still_working(self)
    }

    fn handed_over(&mut self) -> String {
        panic!("a session does not log in")
    }
}

struct Player<M> {
    name: String,
    lines: Vec<(usize, String)>,
    at: usize,
    machine: M,
    sent: String,
}

impl<M: Played> Player<M> {
    fn new(name: &str, text: &str, machine: M) -> Self {
        let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.to_owned()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', '!'])).collect();
        Self { name: name.to_owned(), lines, at: 0, machine, sent: String::new() }
    }

    fn play(mut self) {
        loop {
            match self.machine.poll() {
                Output::Write(bytes) => self.sent.push_str(std::str::from_utf8(&bytes).unwrap()),
                Output::Ask(question) => {
                    self.check_sent();
                    let line = self.line().unwrap_or_default().to_owned();
                    let (text, answer) = line.split_once(" -> ").unwrap_or((&line, "ok"));
                    assert_eq!(format!("? {}", M::show(&question)), text, "at {}", self.place());
                    self.at += 1;
                    let answer = match answer.strip_prefix("slow ") {
                        Some(answer) => {
                            self.sent.push_str(std::str::from_utf8(&self.machine.still_working()).unwrap());
                            answer
                        }
                        None => answer,
                    };
                    self.machine.answered(M::parse(answer));
                }
                Output::Wait(time) => {
                    self.check_sent();
                    if !self.waited(&format!("W: {time:?}")) {
                        return;
                    }
                }
                Output::KeepWaiting { .. } => {
                    self.check_sent();
                    if !self.waited("K") {
                        return;
                    }
                }
                Output::Pause(_) => panic!("a pause"),
                Output::StartTls => {
                    self.check_sent();
                    self.expect("TLS");
                    self.machine.secured(TlsFacts { protocol: "TLSv1.3".to_owned(), ..TlsFacts::default() });
                }
                Output::HandOver => {
                    self.check_sent();
                    let line = self.machine.handed_over();
                    self.expect(&line);
                    return;
                }
                Output::Close => {
                    self.check_sent();
                    self.expect("END");
                    assert_eq!(self.line(), None, "{}: closed, but the transcript goes on", self.name);
                    return;
                }
            }
        }
    }

    fn line(&self) -> Option<&str> {
        self.lines.get(self.at).map(|(_, line)| line.as_str())
    }

    fn place(&self) -> String {
        format!("{}:{}", self.name, self.lines.get(self.at).map_or(0, |(number, _)| *number))
    }

    fn expect(&mut self, line: &str) {
        assert_eq!(Some(line), self.line(), "at {} (left: the machine, right: the transcript)", self.place());
        self.at += 1;
    }

    fn check_sent(&mut self) {
        for line in std::mem::take(&mut self.sent).split_terminator("\r\n") {
            self.expect(&format!("S: {line}"));
        }
    }

    /// False at the end of the transcript.
    fn waited(&mut self, wait: &str) -> bool {
        let Some(line) = self.line().map(str::to_owned) else { return false };
        if let Some(text) = line.strip_prefix("C: ") {
            self.machine.received(format!("{text}\r\n").as_bytes());
        } else if let Some(text) = line.strip_prefix("C+ ") {
            self.machine.received(text.replace("\\r\\n", "\r\n").as_bytes());
        } else if line == "NEWS" {
            assert!(self.machine.news(), "at {}", self.place());
        } else if line == "QUIET NEWS" {
            assert!(!self.machine.news(), "at {}", self.place());
        } else if line == "STOP" {
            self.machine.stopping();
        } else if line == "LOST" {
            self.machine.disconnected(Disconnect::Lost);
        } else {
            assert_eq!(line, wait, "at {}: the machine waits", self.place());
            self.machine.elapsed();
        }
        self.at += 1;
        true
    }
}

/// Gives a machine these bytes and says yes to all it asks.
fn survives(bytes: &[u8]) {
    let mut session = Session::new(Arc::new(session_settings()), "a0", bytes);
    for _ in 0..10_000 {
        match session.poll() {
            Output::Write(_) => {}
            Output::Ask(Question::Run { .. } | Question::More | Question::Append(AppendStep::Commit)) => {
                let (untagged, reply) = (Vec::new(), Reply::ok("done"));
                session.answered(Answer::Done(Box::new(Done {
                    untagged,
                    reply,
                    selected: true,
                    utf8: false,
                    hears: true,
                    news: true,
                })));
            }
            Output::Ask(Question::Changes) => session.answered(Answer::Changes(Vec::new())),
            Output::Ask(_) => session.answered(Answer::Proceed),
            Output::Wait(_) => session.disconnected(Disconnect::Lost),
            Output::Close => return,
            other => panic!("{other:?}"),
        }
    }
    panic!("the machine does not come to an end");
}

proptest! {
    #[test]
    fn any_bytes_come_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes);
    }

    #[test]
    fn any_words_come_to_an_end(words in prop::collection::vec(prop::sample::select(vec![
        "a", " ", "\r\n", "APPEND", "x", "{3}", "{3+}", "~{2+}", "CATENATE", "(", ")", "TEXT", "URL", "IDLE", "DONE", "NOOP",
        "NOTIFY", "SET",
        "SELECT", "FETCH 1 BODY[", "]", "\"", "UID", "SEARCH", "*", "LOGOUT", "{99999999999}", "\0",
    ]), 0..60)) {
        survives(words.concat().as_bytes());
    }
}
