//! Plays the transcripts in `tests/transcripts` (see [`testkit::transcript`]) to the machines, with one user and three messages.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use machine::Machine;
use pop3_protocol::{
    Answer, Facts, Login, LoginAnswer, LoginQuestion, LoginSettings, Question, Session, Settings,
};
use testkit::dialogue::{self, Event};
use testkit::transcript::{Player, Script};

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

struct Scripted<M, F> {
    machine: M,
    answer: F,
}

impl<M: Machine, F: FnMut(M::Question) -> M::Answer> Script for Scripted<M, F>
where
    M::Question: std::fmt::Debug,
{
    type Machine = M;

    fn machine(&mut self) -> &mut M {
        &mut self.machine
    }

    fn show(&self, question: &M::Question) -> String {
        format!("{question:?}")
    }

    fn answer(&mut self, question: M::Question, _: &str) -> M::Answer {
        (self.answer)(question)
    }
}

fn login(settings: LoginSettings, is_local: bool) -> Scripted<Login, fn(LoginQuestion) -> LoginAnswer> {
    Scripted { machine: Login::new(Arc::new(settings), is_local), answer: user_database }
}

fn session(settings: Settings, early: &[u8]) -> Scripted<Session, fn(Question) -> Answer> {
    Scripted { machine: Session::new(settings, early), answer: maildrop }
}

fn settings() -> Settings {
    Settings { timeout: Duration::from_secs(600), has_last: false, expire_days: 0 }
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
    Player::play("login", include_str!("transcripts/login.txt"), login(settings.clone(), true));
    Player::play("stls", include_str!("transcripts/stls.txt"), login(settings.clone(), false));
    Player::play("refused", include_str!("transcripts/refused.txt"), login(settings.clone(), true));
    let wrapped = login(LoginSettings { wrapper: true, ..settings }, false);
    Player::play("wrapper", include_str!("transcripts/wrapper.txt"), wrapped);
}

#[test]
fn what_came_too_early_goes_on_to_the_mailbox() {
    let text = include_str!("transcripts/early.txt");
    let mut played = Player::play("early", text, login(login_settings(), true));
    let early = played.machine.take_early();
    assert_eq!(early, b"STAT\r\nRE");
    let text = "? Open\nS: +OK Logged in.\nS: +OK 3 39\nW: 600s\n";
    Player::play("early session", text, session(settings(), &early));
}

#[test]
fn sessions_go_as_written() {
    let settings = |has_last| Settings { has_last, expire_days: 7, ..settings() };
    let session = |has_last| session(settings(has_last), b"");
    Player::play("session", include_str!("transcripts/session.txt"), session(false));
    Player::play("last", include_str!("transcripts/last.txt"), session(true));
    Player::play("idle", include_str!("transcripts/idle.txt"), session(false));
    Player::play("lost", include_str!("transcripts/lost.txt"), session(false));
    let in_use = Scripted { machine: Session::new(settings(false), b""), answer: |_| Answer::InUse };
    Player::play("in use", include_str!("transcripts/in_use.txt"), in_use);
}

#[test]
fn pipelined_commands_are_answered_in_order() {
    let text = include_str!("transcripts/pipelined.txt");
    Player::play("pipelined", text, session(settings(), b""));
}

#[test]
fn lines_without_an_end_are_cut_off() {
    let cut_off = |greeting: &str, limit_bytes: usize| {
        let line = "x".repeat(limit_bytes);
        format!("{greeting}\nC+ {line}\nS: -ERR Command line too long.\nEND\n")
    };
    let greeting = "? Offers\nS: +OK mx.example ready. <1896.697170952@dbc.mtview.ca.us>";
    let text = cut_off(greeting, pop3_protocol::RESPONSE_LIMIT_BYTES);
    Player::play("login", &text, login(login_settings(), true));
    let text = cut_off("? Open\nS: +OK Logged in.", pop3_protocol::COMMAND_LIMIT_BYTES);
    Player::play("session", &text, session(settings(), b""));
}

proptest::proptest! {
    #[test]
    fn nothing_a_client_sends_makes_a_machine_panic(pieces: Vec<Vec<u8>>, commands in proptest::collection::vec("(RETR|TOP|DELE|LIST|AUTH PLAIN|USER|PASS|QUIT) ?[0-9]?( [0-9])?\r\n", 0..20)) {
        let commands = commands.into_iter().map(String::into_bytes);
        let events: Vec<_> = pieces.into_iter().chain(commands).map(Event::Sends).collect();
        let settings = Settings { has_last: true, ..settings() };
        dialogue::play(Session::new(settings, b""), &events, false, &mut maildrop);
        dialogue::play(Login::new(Arc::new(login_settings()), true), &events, false, &mut user_database);
    }
}
