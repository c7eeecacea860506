//! Whole sessions of the SMTP server.
//!
//! The first bytes choose settings and how questions are answered; the rest is the client's (see [`super::dialogue`]).

use std::sync::Arc;

use smtp_protocol::{Admission, Answer, BareNewline, Named, Question, Reply, Server, Settings, TlsLevel};
use testkit::dialogue::End;

use super::dialogue;

/// Every session ends, every reply is a reply, and the cut between reads changes no message.
pub(super) fn run(input: &[u8]) {
    let ([first, second, third, answers], wire) = super::head(input);
    let settings = Arc::new(settings(first, second, third));
    let queued = session(&settings, answers, wire);
    let starts_tls = wire.to_ascii_uppercase().windows(8).any(|word| word == b"STARTTLS");
    if dialogue::is_bytes_alone(wire)
        && !starts_tls
        && !settings.forbid_pipelining
        && !settings.tls_wrapper
        && !settings.proxy_protocol
    {
        let whole = session(&settings, answers, &dialogue::joined(wire));
        assert_eq!(whole, queued, "left: in one read, right: as cut");
    }
}

/// The messages that are queued in a session.
fn session(settings: &Arc<Settings>, answers: u8, wire: &[u8]) -> Vec<Vec<u8>> {
    let mut spool = Spool { answers, sent_bytes: dialogue::joined(wire).len(), ..Spool::default() };
    let tls_fails = answers & 0x80 != 0;
    let played = dialogue::play(Server::new(Arc::clone(settings)), wire, tls_fails, &mut |question| {
        spool.answer(question)
    });
    assert_eq!(played.end, End::Closed, "an SMTP server keeps its clients");
    assert_eq!(played.said.len(), played.heard_bytes, "nothing is said to a client that is gone");
    check_replies(&played.said);
    spool.queued
}

/// What answers the machine's questions.
#[derive(Default)]
struct Spool {
    answers: u8,
    /// Bytes that the client sends.
    sent_bytes: usize,
    content: Vec<u8>,
    queued: Vec<Vec<u8>>,
}

impl Spool {
    fn answer(&mut self, question: Question) -> Answer {
        let draw = draw(self.answers, &question);
        match question {
            Question::Content(bytes) => {
                self.content.extend(bytes);
                assert!(self.content.len() <= self.sent_bytes + 1, "more content than was sent");
                Answer::Proceed
            }
            Question::EndOfData { .. } => {
                self.queued.push(std::mem::take(&mut self.content));
                Answer::Queued("QID".to_owned())
            }
            Question::Reset => {
                self.content.clear();
                Answer::Proceed
            }
            Question::Connect(_) | Question::Xclient(_) => Answer::Admit(Box::new(admission(self.answers))),
            Question::Expn(_) => Answer::Members(vec!["a@b".to_owned(), "c@d".to_owned()]),
            Question::Footer(reply) => Answer::Refuse(reply.with_footer("call \\c for help")),
            Question::Verb(_) if draw == 0 => Answer::Verb(Named::Ignored),
            Question::Verb(_) => Answer::Verb(Named::Ordinary),
            Question::Filter(line) => Answer::Line(line),
            _ if draw == 0 => Answer::Refuse(Reply::new("450 4.7.1 not now")),
            _ => Answer::Proceed,
        }
    }
}

/// 0 for one question of eight; the same for the same question. With `answers` 0 never.
fn draw(answers: u8, question: &Question) -> u64 {
    if answers & 0x0F == 0 {
        return 1;
    }
    dialogue::draw(answers, &format!("{question:?}"), 8)
}

fn admission(answers: u8) -> Admission {
    let all = answers & 0x40 != 0;
    Admission {
        client: "client[192.0.2.1]".to_owned(),
        xclient: all,
        xforward: all,
        verp: all,
        rates: all,
        ..Admission::default()
    }
}

/// RFC 5321 §4.2: three digits, a hyphen or a space, text, CRLF; and nothing of the client's ends a line.
fn check_replies(said: &[u8]) {
    for line in dialogue::lines(said) {
        let (code, rest) = line.split_at_checked(3).expect("a reply has a code");
        assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{line:?}");
        assert!(rest.is_empty() || rest.starts_with(['-', ' ']), "{line:?}");
    }
}

fn settings(first: u8, second: u8, third: u8) -> Settings {
    let is = |bits: u8, bit: u8| bits & (1 << bit) != 0;
    Settings {
        message_limit_bytes: 500,
        recipient_limit: 3,
        recipient_overshoot_limit: 2,
        junk_limit: 10,
        helo_required: is(first, 0),
        strict_envelopes: is(first, 1),
        vrfy_disabled: is(first, 2),
        expn: is(first, 3),
        forbid_pipelining: is(first, 4),
        request_deadline: is(first, 5),
        strict_smtputf8: is(first, 6),
        smtputf8: !is(first, 7),
        proxy_protocol: is(second, 0),
        noop_commands: is(second, 1),
        command_filter: is(second, 2),
        soft_bounce: is(second, 3),
        tls_wrapper: is(second, 4),
        reject_footer: is(second, 5),
        line_limit_bytes: if is(second, 6) { 20 } else { 2048 },
        bare_newline: match third & 3 {
            0 => BareNewline::Normalize,
            1 => BareNewline::Accept,
            2 => BareNewline::Note,
            _ => BareNewline::Reject,
        },
        tls: match third >> 2 & 3 {
            0 | 1 => TlsLevel::None,
            2 => TlsLevel::May,
            _ => TlsLevel::Encrypt,
        },
        ..Settings::default()
    }
}

/// The client's side of every transcript, with different settings.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let transcripts = super::files_in("crates/logic/smtp-protocol/tests/transcripts");
    let choices = [[0, 0, 0, 0], [0x10, 0, 0x08, 0x40], [0x28, 0x06, 0x09, 0x41], [0x02, 0x29, 0x03, 0x43]];
    let wires = transcripts.iter().map(|text| dialogue::wire(text));
    wires.flat_map(|wire| choices.map(|head| [&head[..], &wire].concat())).collect()
}
