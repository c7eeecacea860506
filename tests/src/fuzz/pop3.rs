//! Whole sessions of the POP3 server: up to the log-in, and with a mailbox.
//!
//! The first byte chooses the machine and settings, the second how questions are answered; the rest is the client's (see
//! [`super::dialogue`]).

use std::sync::Arc;
use std::time::Duration;

use pop3_protocol::{
    Answer, Facts, Login, LoginAnswer, LoginQuestion, LoginSettings, Question, Session, Settings,
};

use super::dialogue;
use testkit::dialogue::End;

/// Bytes of a message that one read brings.
const CHUNK: usize = 7;
const MAIL: [&str; 3] = ["A: 1\r\n\r\n.dot\r\n", "A: 2\r\n\r\nx\r\ny\r\n", "A: 3\r\n\r\nend"];

/// Every session ends, every reply is lines, the cut between reads changes nothing, and nothing is removed without QUIT.
pub(super) fn run(input: &[u8]) {
    let ([settings, answers], wire) = super::head(input);
    let play = if settings & 1 == 0 { login } else { session };
    let asked = play(settings, answers, wire);
    if dialogue::is_bytes_alone(wire) && !asked.starts_tls {
        let whole = play(settings, answers, &dialogue::joined(wire));
        assert_eq!(whole.questions, asked.questions, "left: in one read, right: as cut");
    }
}

/// What a machine asked.
struct Asked {
    questions: Vec<String>,
    /// Bytes that came too early in the clear are dropped then.
    starts_tls: bool,
}

fn login(settings: u8, answers: u8, wire: &[u8]) -> Asked {
    let is = |bit: u8| settings & (1 << bit) != 0;
    let settings = LoginSettings {
        greeting: "ready.".into(),
        offers_tls: is(1),
        wrapper: is(2),
        requires_tls: is(3),
        plaintext_needs_tls: is(4),
        timeout: Duration::from_secs(180),
        failures_limit: 3,
        expire_days: u32::from(is(5)),
    };
    let mut questions = Vec::new();
    let machine = Login::new(Arc::new(settings), is(6));
    let played = dialogue::play(machine, wire, is(7), &mut |question| {
        let text = shown(&question);
        let answer = user_database(&question, dialogue::draw(answers, &text, 8));
        questions.push(text);
        answer
    });
    check(&played.said);
    let accepted =
        dialogue::lines(&played.said).iter().filter(|line| line.starts_with("+OK Logged in")).count();
    assert_eq!(accepted, 0, "who has logged in is greeted behind the log-in");
    if played.end == End::HandedOver {
        let last = questions.last().expect("nobody gets in unasked");
        assert!(last.starts_with("Begin") || last.starts_with("Respond"), "{last}");
    }
    let starts_tls = wire.to_ascii_uppercase().windows(4).any(|word| word == b"STLS");
    Asked { questions, starts_tls }
}

fn shown(question: &LoginQuestion) -> String {
    match question {
        LoginQuestion::Offers => "Offers".to_owned(),
        LoginQuestion::Begin { mechanism, response, .. } => format!("Begin {mechanism} {response:?}"),
        LoginQuestion::Respond(response) => format!("Respond {response:?}"),
        LoginQuestion::Cancel => "Cancel".to_owned(),
    }
}

fn user_database(question: &LoginQuestion, draw: u64) -> LoginAnswer {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    match (question, draw) {
        (LoginQuestion::Offers, _) => LoginAnswer::Offers {
            mechanisms: names(&["CRAM-MD5", "PLAIN", "LOGIN"]),
            plaintext: names(&["PLAIN", "LOGIN"]),
            timestamp: (draw > 2).then(|| "<1896.697170952@dbc.mtview.ca.us>".into()),
        },
        (LoginQuestion::Cancel, _) => LoginAnswer::Noted,
        (_, 0) => LoginAnswer::Accepted,
        (_, 1) => LoginAnswer::Unavailable,
        (_, 2..5) => LoginAnswer::Refused,
        _ => LoginAnswer::Challenge(b"<1@x>".to_vec()),
    }
}

fn session(settings: u8, answers: u8, wire: &[u8]) -> Asked {
    let is = |bit: u8| settings & (1 << bit) != 0;
    let settings =
        Settings { timeout: Duration::from_secs(600), has_last: is(1), expire_days: u32::from(is(2)) };
    let mut questions = Vec::new();
    let has_quit = wire.to_ascii_uppercase().windows(4).any(|word| word == b"QUIT")
        || dialogue::joined(wire).to_ascii_uppercase().windows(4).any(|word| word == b"QUIT");
    let played = dialogue::play(Session::new(settings, b""), wire, is(7), &mut |question| {
        if let Question::Update { deleted, seen } = &question {
            assert!(deleted.is_empty() || has_quit, "removed without QUIT");
            let in_order = |list: &[usize]| list.is_sorted_by(|one, next| one < next);
            assert!(in_order(deleted) && in_order(seen), "{question:?}");
            assert!(deleted.iter().chain(seen).all(|message| *message < MAIL.len()), "{question:?}");
        }
        questions.push(format!("{question:?}"));
        maildrop(&question, answers)
    });
    check(&played.said);
    assert_eq!(played.end, End::Closed);
    Asked { questions, starts_tls: false }
}

fn maildrop(question: &Question, answers: u8) -> Answer {
    let draw = dialogue::draw(answers, &format!("{question:?}"), 8);
    let refuses = answers & 0x0F != 0 && draw == 0;
    match question {
        Question::Open if refuses => Answer::InUse,
        Question::Read { .. } if refuses => Answer::Gone,
        Question::Update { .. } if refuses => Answer::Failed,
        Question::Open => {
            let facts = |(index, text): (usize, &&str)| Facts {
                size_bytes: text.len() as u64,
                uidl: format!("uid{index}"),
            };
            Answer::Opened { messages: MAIL.iter().enumerate().map(facts).collect(), last_seen: 1 }
        }
        Question::Read { message, offset } => {
            let from = usize::try_from(*offset).expect("an offset in the message");
            let rest = &MAIL[*message].as_bytes()[from..];
            Answer::Text { bytes: rest[..rest.len().min(CHUNK)].to_vec(), is_end: rest.len() <= CHUNK }
        }
        Question::Update { .. } => Answer::Updated,
    }
}

/// RFC 1939 §3: a reply begins with +OK, -ERR or `+ `; what is long ends with a dot alone.
fn check(said: &[u8]) {
    let mut lines = dialogue::lines(said).into_iter();
    while let Some(line) = lines.next() {
        let is_reply = line.starts_with("+OK") || line.starts_with("-ERR") || line.starts_with('+');
        // Behind a reply that is a list or a message come its lines, up to the dot.
        assert!(is_reply || lines.any(|line| line == ".") || line == ".", "{line:?}");
    }
}

/// The client's side of every transcript, for either machine.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let transcripts = super::files_in("crates/logic/pop3-protocol/tests/transcripts");
    let wires = transcripts.iter().map(|text| dialogue::wire(text));
    let choices = [[0x02, 0], [0x42, 3], [0x1A, 5], [0x01, 0], [0x03, 7]];
    wires.flat_map(|wire| choices.map(|head| [&head[..], &wire].concat())).collect()
}
