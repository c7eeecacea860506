//! APPEND and REPLACE as they stream by (RFC 3501 §6.3.11, RFC 3502, RFC 4469, RFC 8508).

use crate::parse::{Destination, Next, Piece, Refusal, append_next};
use crate::session::gather::{Gather, Step};
use crate::session::input::Input;
use crate::types::{Append, Body, Code, MailboxName, Messages, Reply};

/// What the mailbox's side does of an APPEND. Each is answered with [`Answer::Proceed`](crate::session::Answer::Proceed) or
/// [`Answer::Refused`](crate::session::Answer::Refused), the last with [`Answer::Done`](crate::session::Answer::Done).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendStep {
    /// Into this mailbox.
    Open {
        /// Which.
        mailbox: MailboxName,
        /// REPLACE: the message of the selected mailbox that goes when the new one is there.
        replaced: Option<Messages>,
    },
    /// A message begins, of so many bytes as far as is known.
    Message(Append, u64),
    /// Bytes of it.
    Bytes(Vec<u8>),
    /// Another message, or a part of one, is a part of it (CATENATE).
    Url(Vec<u8>),
    /// The message is whole.
    MessageEnd,
    /// All messages are whole: make them messages of the mailbox.
    Commit,
    /// Forget them.
    Abort,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Move {
    Wait,
    GoOn,
    Ask(AppendStep),
    /// It is over, with this answer, after [`AppendStep::Abort`].
    Fail(Reply),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// The mailbox has to be opened.
    Open(Destination),
    /// A message begins.
    Message(Append),
    /// A piece of it begins.
    Piece,
    /// Its literal streams by.
    Literal(u64),
    /// The piece is over: what follows?
    Between,
    /// The message is over; this comes then.
    MessageEnd(Box<After>),
    /// All is there.
    Commit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum After {
    Message(Append, Piece),
    Commit,
}

/// An APPEND on its way.
#[derive(Debug)]
pub(crate) struct Appending {
    /// The first message, until the mailbox is open.
    pending: Option<Append>,
    piece: Piece,
    phase: Phase,
    gather: Gather,
    /// The answer, when it has been refused while the client goes on sending.
    refused: Option<Reply>,
    /// Bytes of the message so far.
    bytes: u64,
    /// REPLACE takes one message.
    only_one: bool,
}

impl Appending {
    pub(crate) fn new(destination: Destination, append: Append, piece: Piece) -> Self {
        let only_one = destination.replaced.is_some();
        let (phase, gather) = (Phase::Open(destination), Gather::default());
        Self { pending: Some(append), piece, phase, gather, refused: None, bytes: 0, only_one }
    }

    /// The name of the command.
    fn name(&self) -> &'static str {
        if self.only_one { "REPLACE" } else { "APPEND" }
    }

    /// The last question was answered with yes.
    pub(crate) fn proceed(&mut self) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Between) {
            Phase::Open(_) => Phase::Message(self.pending.take().unwrap_or_default()),
            Phase::Message(_) => Phase::Piece,
            Phase::Piece => Phase::Between,
            Phase::MessageEnd(after) => self.after(*after),
            other => other,
        };
    }

    fn after(&mut self, after: After) -> Phase {
        self.bytes = 0;
        match after {
            After::Message(append, piece) => {
                self.piece = piece;
                Phase::Message(append)
            }
            After::Commit => Phase::Commit,
        }
    }

    /// The last question was answered with no. What the client sends without being asked is passed over.
    pub(crate) fn refuse(&mut self, reply: Reply) {
        self.refused.get_or_insert(reply);
        self.proceed();
        self.pending = None;
    }

    /// What is next. `limit` is of the lines between literals.
    pub(crate) fn step(&mut self, input: &mut Input, limit: usize, utf8: bool) -> Move {
        loop {
            match &mut self.phase {
                Phase::Open(Destination { mailbox, replaced }) => {
                    let (mailbox, replaced) = (mailbox.clone(), replaced.clone());
                    return Move::Ask(AppendStep::Open { mailbox, replaced });
                }
                Phase::Message(_) if self.refused.is_some() => self.phase = Phase::Piece,
                Phase::Message(append) => {
                    let bytes = if let Body::Literal { bytes, .. } = self.piece.body { bytes } else { 0 };
                    return Move::Ask(AppendStep::Message(append.clone(), bytes));
                }
                Phase::Piece => {
                    if let Some(next) = self.begin_piece() {
                        return next;
                    }
                }
                Phase::Literal(0) => self.phase = Phase::Between,
                Phase::Literal(left) => {
                    let bytes = input.take(*left);
                    if bytes.is_empty() {
                        return Move::Wait;
                    }
                    *left -= bytes.len() as u64;
                    self.bytes += bytes.len() as u64;
                    if self.refused.is_none() {
                        return Move::Ask(AppendStep::Bytes(bytes));
                    }
                }
                Phase::Between => match self.between(input, limit, utf8) {
                    Ok(Some(next)) => return next,
                    Ok(None) => {}
                    Err(refusal) => {
                        let name = self.name();
                        return Move::Fail(
                            self.refused.take().unwrap_or_else(|| refusal_reply(name, &refusal)),
                        );
                    }
                },
                Phase::MessageEnd(_) if self.refused.is_some() => self.proceed(),
                Phase::MessageEnd(_) => return Move::Ask(AppendStep::MessageEnd),
                Phase::Commit => {
                    return match self.refused.take() {
                        Some(reply) => Move::Fail(reply),
                        None => Move::Ask(AppendStep::Commit),
                    };
                }
            }
        }
    }

    fn begin_piece(&mut self) -> Option<Move> {
        match &self.piece.body {
            Body::Url(url) => {
                if self.refused.is_some() {
                    self.phase = Phase::Between;
                    return None;
                }
                self.bytes += 1;
                Some(Move::Ask(AppendStep::Url(url.clone())))
            }
            Body::Literal { bytes, waits, .. } => {
                let (bytes, waits) = (*bytes, *waits);
                if waits && let Some(reply) = self.refused.take() {
                    return Some(Move::Fail(reply));
                }
                self.phase = Phase::Literal(bytes);
                waits.then_some(Move::GoOn)
            }
        }
    }

    fn between(&mut self, input: &mut Input, limit: usize, utf8: bool) -> Result<Option<Move>, Refusal> {
        let open = self.piece.open;
        let message = |text: &[u8]| !matches!(append_next(text, open, utf8), Ok(Next::Literal));
        let mut line = std::mem::take(&mut self.piece.rest);
        if line.is_empty() {
            line = match self.gather.step(input, limit, &message) {
                Step::Wait => return Ok(Some(Move::Wait)),
                Step::GoOn => return Ok(Some(Move::GoOn)),
                Step::Refused(_, refusal) => return Err(refusal),
                Step::Whole(line) | Step::AtLiteral(line) => line,
            };
        }
        match append_next(&line, open, utf8)? {
            Next::Part(piece) => {
                self.piece = piece;
                self.phase = Phase::Piece;
            }
            Next::Message(..) if self.only_one => return Err(Refusal::new("REPLACE takes one message")),
            Next::Message(append, piece) => self.end_message(After::Message(append, piece)),
            Next::End => self.end_message(After::Commit),
            Next::Literal => return Err(Refusal::arguments()),
        }
        Ok(None)
    }

    fn end_message(&mut self, after: After) {
        if self.bytes == 0 {
            self.refused.get_or_insert(Reply::no("Can't save a zero byte message"));
        }
        self.phase = Phase::MessageEnd(Box::new(after));
    }
}

/// The reply to a command that is not understood.
pub(crate) fn refusal_reply(name: &str, refusal: &Refusal) -> Reply {
    match &refusal.code {
        Some(code) => Reply::no(refusal.text.clone()).with(Code::clone(code)),
        None if name.is_empty() => Reply::bad(format!("Error in IMAP command: {}.", refusal.text)),
        None => Reply::bad(format!("Error in IMAP command {name}: {}.", refusal.text)),
    }
}
