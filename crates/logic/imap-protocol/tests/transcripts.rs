//! Plays the transcripts in `tests/transcripts` (see [`testkit::transcript`]) against the machines. Here they also have:
//!
//! ```text
//! ! login                        the machine up to the log-in; else the one behind it
//! ? run SEARCH -> slow done OK x the answer takes so long that the client hears so meanwhile
//! NEWS                           something changes that the client hears of
//! QUIET NEWS                     the same, where the client does not hear of it, or not now
//! HAND OVER a [x]                the client has logged in with the command a, and said x behind it
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
use proptest::prelude::*;
use testkit::dialogue::{self, End};
use testkit::transcript::{Player, Script, in_folder};

#[test]
fn every_transcript_comes_out_as_written() {
    let transcripts = in_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts"));
    assert!(transcripts.len() > 5, "transcripts are missing");
    for (name, text) in transcripts {
        if text.starts_with("! login") {
            Player::play(&name, &text, ScriptedLogin(Login::new(Arc::new(login_settings(&text)), false)));
        } else {
            let session = Session::new(Arc::new(session_settings()), "a0", b"");
            Player::play(&name, &text, ScriptedSession(session));
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

struct ScriptedLogin(Login);

impl Script for ScriptedLogin {
    type Machine = Login;

    fn machine(&mut self) -> &mut Login {
        &mut self.0
    }

    fn show(&self, question: &LoginQuestion) -> String {
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

    fn answer(&mut self, _: LoginQuestion, text: &str) -> LoginAnswer {
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

    fn handed_over(&mut self) -> String {
        let LoggedIn { tag, rest } = self.0.logged_in();
        format!("HAND OVER {tag} [{}]", rest.escape_ascii())
    }
}

struct ScriptedSession(Session);

impl Script for ScriptedSession {
    type Machine = Session;

    fn machine(&mut self) -> &mut Session {
        &mut self.0
    }

    fn show(&self, question: &Question) -> String {
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

    fn answer(&mut self, _: Question, text: &str) -> Answer {
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
        let text = text.strip_prefix("slow ").unwrap_or(text);
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

    fn meanwhile(&mut self, text: &str) -> Vec<u8> {
        if !text.starts_with("slow ") {
            return Vec::new();
        }
        assert!(self.0.patience().is_some());
        self.0.still_working()
    }

    fn happens(&mut self, line: &str) -> bool {
        match line {
            "NEWS" => self.0.changed(),
            "QUIET NEWS" => !self.0.changed(),
            _ => false,
        }
    }
}

/// Gives a machine these bytes and says yes to all it asks.
fn survives(bytes: &[u8]) {
    let session = Session::new(Arc::new(session_settings()), "a0", bytes);
    let played = dialogue::play(session, &[], false, &mut |question| match question {
        Question::Run { .. } | Question::More | Question::Append(AppendStep::Commit) => {
            let (untagged, reply) = (Vec::new(), Reply::ok("done"));
            let done = Done { untagged, reply, selected: true, utf8: false, hears: true, news: true };
            Answer::Done(Box::new(done))
        }
        Question::Changes => Answer::Changes(Vec::new()),
        _ => Answer::Proceed,
    });
    assert_eq!(played.end, End::Closed);
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
