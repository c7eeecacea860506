//! Plays transcripts to the machines: `C:` client, `S:` server, `?` question and answer, `TLS`, `W:` what is waited for,
//! `LATE` the time is over, `LOST` the connection is, `END` closed, `OVER` handed over.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use machine::{Disconnect, Machine, Output, TlsFacts};
use pop3_protocol::{
    Answer, Facts, Login, LoginAnswer, LoginQuestion, LoginSettings, Question, Session, Settings,
};

/// Bytes of a message that one read brings.
const CHUNK: usize = 7;

fn login_settings() -> LoginSettings {
    LoginSettings {
        greeting: "mx.example ready.".into(),
        offers_tls: true,
        wrapper: false,
        requires_tls: false,
        plaintext_needs_tls: true,
        timeout: Duration::from_secs(180),
        failures_limit: 3,
        expire_days: 0,
    }
}

struct Player<M, F> {
    machine: M,
    answer: F,
    sent: String,
    said: Vec<String>,
    waits: bool,
    is_over: bool,
}

impl<M: Machine, F: FnMut(M::Question) -> M::Answer> Player<M, F>
where
    M::Question: std::fmt::Debug,
{
    fn new(machine: M, answer: F) -> Self {
        Self { machine, answer, sent: String::new(), said: Vec::new(), waits: false, is_over: false }
    }

    /// Until the machine waits or is over; what it said line by line, other outputs as words.
    fn run(&mut self) -> Vec<String> {
        self.waits = false;
        while !self.waits && !self.is_over {
            match self.machine.poll() {
                Output::Write(bytes) => self.sent.push_str(std::str::from_utf8(&bytes).unwrap()),
                Output::Ask(question) => {
                    // A piece of a message may end in the middle of a line.
                    if self.sent.ends_with("\r\n") {
                        self.flush();
                    }
                    self.said.push(format!("? {question:?}"));
                    let answer = (self.answer)(question);
                    self.machine.answered(answer);
                }
                Output::Wait(time) => {
                    self.flush();
                    self.said.push(format!("W: {time:?}"));
                    self.waits = true;
                }
                Output::KeepWaiting { .. } => self.waits = true,
                Output::Pause(_) => panic!("POP3 does not pause"),
                Output::StartTls => {
                    self.flush();
                    self.said.push("TLS".into());
                    self.machine.secured(TlsFacts::default());
                }
                Output::Close => self.over("END"),
                Output::HandOver => self.over("OVER"),
            }
        }
        self.flush();
        std::mem::take(&mut self.said)
    }

    fn over(&mut self, word: &str) {
        self.flush();
        self.said.push(word.into());
        self.is_over = true;
    }

    fn flush(&mut self) {
        let sent = std::mem::take(&mut self.sent);
        assert!(!sent.replace("\r\n", "").contains(['\r', '\n']), "every line ends with CRLF: {sent:?}");
        self.said.extend(sent.lines().map(|line| format!("S: {line}")));
    }

    fn play(&mut self, name: &str, transcript: &str) {
        let mut expected = transcript.lines().filter(|line| !line.starts_with('#')).peekable();
        let mut said = self.run().into_iter();
        loop {
            let got: Vec<String> = said.by_ref().collect();
            for line in got {
                assert_eq!(expected.next(), Some(line.as_str()), "{name}");
            }
            let Some(line) = expected.next() else { break };
            match line {
                "LATE" => self.machine.elapsed(),
                "LOST" => self.machine.disconnected(Disconnect::Lost),
                "STOP" => self.machine.stopping(),
                _ => {
                    let text = line.strip_prefix("C: ").unwrap_or_else(|| panic!("{name}: expected {line}"));
                    let bytes = text.replace("\\r\\n", "\r\n").replace("\\0", "\0");
                    self.machine.received(format!("{bytes}\r\n").as_bytes());
                }
            }
            said = self.run().into_iter();
        }
    }
}

/// One user, `tim`, with the password `secret`.
fn user_database(question: LoginQuestion) -> LoginAnswer {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    match question {
        LoginQuestion::Offers => LoginAnswer::Offers {
            mechanisms: names(&["CRAM-MD5", "PLAIN", "LOGIN"]),
            plaintext: names(&["PLAIN", "LOGIN"]),
            timestamp: Some("<1896.697170952@dbc.mtview.ca.us>".into()),
        },
        LoginQuestion::Begin { mechanism, response, .. } => match (mechanism.as_str(), response.as_deref()) {
            ("PLAIN", Some(b"\0tim\0secret")) => LoginAnswer::Accepted,
            ("PLAIN", Some(b"\0tim\0later")) => LoginAnswer::Unavailable,
            ("APOP", Some(_)) => LoginAnswer::Accepted,
            ("CRAM-MD5", None) => LoginAnswer::Challenge(b"<1@x>".to_vec()),
            ("PLAIN", None) => LoginAnswer::Challenge(Vec::new()),
            _ => LoginAnswer::Refused,
        },
        LoginQuestion::Respond(response) if response == b"\0tim\0secret" => LoginAnswer::Accepted,
        LoginQuestion::Respond(_) => LoginAnswer::Refused,
        LoginQuestion::Cancel => LoginAnswer::Noted,
    }
}

const MAIL: [&str; 3] = ["A: 1\r\n\r\n.dot\r\n", "A: 2\r\n\r\nx\r\ny\r\n", "A: 3\r\n\r\nend"];

fn maildrop(question: Question) -> Answer {
    match question {
        Question::Open => Answer::Opened {
            messages: MAIL
                .iter()
                .enumerate()
                .map(|(index, text)| Facts { size_bytes: text.len() as u64, uidl: format!("uid{index}") })
                .collect(),
            last_seen: 1,
        },
        Question::Read { message, offset } => {
            let rest = &MAIL[message].as_bytes()[usize::try_from(offset).unwrap()..];
            Answer::Text { bytes: rest[..rest.len().min(CHUNK)].to_vec(), is_end: rest.len() <= CHUNK }
        }
        Question::Update { .. } => Answer::Updated,
    }
}

#[test]
fn logins_go_as_written() {
    let settings = login_settings();
    let local = Login::new(Arc::new(settings.clone()), true);
    Player::new(local, user_database).play("login", include_str!("transcripts/login.txt"));
    let remote = Login::new(Arc::new(settings.clone()), false);
    Player::new(remote, user_database).play("stls", include_str!("transcripts/stls.txt"));
    let refused = Login::new(Arc::new(settings.clone()), true);
    Player::new(refused, user_database).play("refused", include_str!("transcripts/refused.txt"));
    let wrapped = Login::new(Arc::new(LoginSettings { wrapper: true, ..settings }), false);
    Player::new(wrapped, user_database).play("wrapper", include_str!("transcripts/wrapper.txt"));
}

#[test]
fn what_came_too_early_goes_on_to_the_mailbox() {
    let mut player = Player::new(Login::new(Arc::new(login_settings()), true), user_database);
    player.run();
    player.machine.received(b"USER tim\r\nPASS secret\r\nSTAT\r\nRE");
    assert_eq!(player.run().last().unwrap(), "OVER");
    let early = player.machine.take_early();
    assert_eq!(early, b"STAT\r\nRE");
    let settings = Settings { timeout: Duration::from_secs(600), has_last: false, expire_days: 0 };
    let mut session = Player::new(Session::new(settings, &early), maildrop);
    assert_eq!(session.run(), ["? Open", "S: +OK Logged in.", "S: +OK 3 39", "W: 600s"]);
}

#[test]
fn sessions_go_as_written() {
    let settings = |has_last| Settings { timeout: Duration::from_secs(600), has_last, expire_days: 7 };
    let session = |has_last| Session::new(settings(has_last), b"");
    Player::new(session(false), maildrop).play("session", include_str!("transcripts/session.txt"));
    Player::new(session(true), maildrop).play("last", include_str!("transcripts/last.txt"));
    Player::new(session(false), maildrop).play("idle", include_str!("transcripts/idle.txt"));
    Player::new(session(false), maildrop).play("lost", include_str!("transcripts/lost.txt"));
    let in_use = |_| Answer::InUse;
    Player::new(session(false), in_use).play("in use", include_str!("transcripts/in_use.txt"));
}

#[test]
fn pipelined_commands_are_answered_in_order() {
    let settings = Settings { timeout: Duration::from_secs(600), has_last: false, expire_days: 0 };
    let mut player = Player::new(Session::new(settings, b""), maildrop);
    player.run();
    player.machine.received(b"RETR 1\r\nDELE 1\r\nRSET\r\nSTAT\r\nQUIT\r\nSTAT\r\n");
    let said = player.run();
    let last: Vec<_> = said.iter().rev().take(6).rev().map(String::as_str).collect();
    assert_eq!(
        last,
        [
            "S: +OK Marked to be deleted.",
            "S: +OK",
            "S: +OK 3 39",
            "? Update { deleted: [], seen: [0] }",
            "S: +OK Logging out.",
            "END"
        ]
    );
}

#[test]
fn lines_without_an_end_are_cut_off() {
    let mut player = Player::new(Login::new(Arc::new(login_settings()), true), user_database);
    player.run();
    player.machine.received(&vec![b'x'; pop3_protocol::RESPONSE_LIMIT_BYTES]);
    assert_eq!(player.run(), ["S: -ERR Command line too long.", "END"]);
    let settings = Settings { timeout: Duration::from_secs(600), has_last: false, expire_days: 0 };
    let mut player = Player::new(Session::new(settings, b""), maildrop);
    player.run();
    player.machine.received(&[b'x'; pop3_protocol::COMMAND_LIMIT_BYTES]);
    assert_eq!(player.run(), ["S: -ERR Command line too long.", "END"]);
}

proptest::proptest! {
    #[test]
    fn nothing_a_client_sends_makes_a_machine_panic(pieces: Vec<Vec<u8>>, commands in proptest::collection::vec("(RETR|TOP|DELE|LIST|AUTH PLAIN|USER|PASS|QUIT) ?[0-9]?( [0-9])?\r\n", 0..20)) {
        let settings = Settings { timeout: Duration::from_secs(600), has_last: true, expire_days: 0 };
        let mut session = Player::new(Session::new(settings, b""), maildrop);
        let mut login = Player::new(Login::new(Arc::new(login_settings()), true), user_database);
        for bytes in pieces.iter().map(Vec::as_slice).chain(commands.iter().map(String::as_bytes)) {
            session.run();
            if !session.is_over {
                session.machine.received(bytes);
            }
            login.run();
            if !login.is_over {
                login.machine.received(bytes);
            }
        }
    }
}
