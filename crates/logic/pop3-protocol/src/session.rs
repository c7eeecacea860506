//! TRANSACTION and UPDATE: a client that has logged in, and its maildrop.

use std::collections::VecDeque;
use std::time::Duration;

use machine::{Disconnect, Machine, Output, TlsFacts};

use crate::command::Command;
use crate::input::{Input, Next};
use crate::text::Text;
use crate::{BAD_COMMANDS_LIMIT, COMMAND_LIMIT_BYTES, capabilities};

/// Output is gathered up to this size before it is written, in bytes.
const GATHER_BYTES: usize = 32 * 1024;

/// What holds for a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long the client may be silent (RFC 1939 §3: at least 10 minutes).
    pub timeout: Duration,
    /// LAST is answered (RFC 1460).
    pub has_last: bool,
    /// For `EXPIRE`; 0 is NEVER.
    pub expire_days: u32,
}

/// A message, as far as lists go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Size on the wire in bytes, dots not doubled.
    pub size_bytes: u64,
    /// Unique id.
    pub uidl: String,
}

/// What only the mailbox knows. Messages are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Open the maildrop. Answered by `Opened`, `InUse` or `Failed`. Comes first.
    Open,
    /// Text of a message from `offset` on. Answered by `Text`, `Gone` or `Failed`.
    Read {
        /// Which message.
        message: usize,
        /// In bytes on the wire.
        offset: u64,
    },
    /// UPDATE. Answered by `Updated` or `Failed`.
    Update {
        /// Messages to remove.
        deleted: Vec<usize>,
        /// Messages that were fetched.
        seen: Vec<usize>,
    },
}

/// What the mailbox says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The maildrop is open.
    Opened {
        /// In the order of their numbers.
        messages: Vec<Facts>,
        /// How many of the first were fetched before, up to the last that was (LAST).
        last_seen: usize,
    },
    /// Another session has it.
    InUse,
    /// A piece of text.
    Text {
        /// The bytes, line ends CRLF.
        bytes: Vec<u8>,
        /// There is no more.
        is_end: bool,
    },
    /// The message was removed by somebody else.
    Gone,
    /// UPDATE is done.
    Updated,
    /// The disk, or a lock; the log has the reason.
    Failed,
}

/// What a session came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Messages that were there at the start.
    pub messages: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// Messages that were fetched.
    pub fetched: usize,
    /// Messages that were deleted.
    pub deleted: usize,
}

#[derive(Debug)]
enum State {
    Start,
    Opening,
    Ready,
    /// A message is on its way; whether its first line has gone.
    Sending {
        message: usize,
        offset: u64,
        text: Text,
        begun: bool,
    },
    Updating {
        has_deleted: bool,
    },
    Over,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    deleted: bool,
    seen: bool,
}

/// The dialogue with one client that has logged in.
pub struct Session {
    settings: Settings,
    state: State,
    input: Input,
    outputs: VecDeque<Output<Question>>,
    /// Replies that go out together.
    pending: Vec<u8>,
    messages: Vec<Facts>,
    marks: Vec<Mark>,
    last_seen: usize,
    last_seen_at_start: usize,
    bad_commands: u32,
}

impl Session {
    /// A client that has logged in; `early` is what it has sent beyond its login.
    pub fn new(settings: Settings, early: &[u8]) -> Self {
        let mut input = Input::default();
        input.push(early);
        Self {
            settings,
            state: State::Start,
            input,
            outputs: VecDeque::new(),
            pending: Vec::new(),
            messages: Vec::new(),
            marks: Vec::new(),
            last_seen: 0,
            last_seen_at_start: 0,
            bad_commands: 0,
        }
    }

    /// What the session came to, for the log.
    pub fn totals(&self) -> Totals {
        Totals {
            messages: self.messages.len(),
            bytes: self.messages.iter().map(|facts| facts.size_bytes).sum(),
            fetched: self.marks.iter().filter(|mark| mark.seen).count(),
            deleted: self.marks.iter().filter(|mark| mark.deleted).count(),
        }
    }

    fn say(&mut self, line: &str) {
        self.pending.extend_from_slice(line.as_bytes());
        self.pending.extend_from_slice(b"\r\n");
        if self.pending.len() > GATHER_BYTES {
            self.write();
        }
    }

    fn write(&mut self) {
        if !self.pending.is_empty() {
            self.outputs.push_back(Output::Write(std::mem::take(&mut self.pending)));
        }
    }

    fn end(&mut self, line: &str) {
        self.say(line);
        self.write();
        self.outputs.push_back(Output::Close);
        self.state = State::Over;
    }

    fn ask(&mut self, question: Question) {
        self.write();
        self.outputs.push_back(Output::Ask(question));
    }

    fn bad_command(&mut self, line: &str) {
        self.bad_commands += 1;
        match self.bad_commands {
            BAD_COMMANDS_LIMIT.. => self.end("-ERR Too many bad commands."),
            _ => self.say(line),
        }
    }

    fn obey(&mut self, line: &[u8]) {
        let Some(command) = Command::parse(line) else {
            return self.bad_command("-ERR Unknown command.");
        };
        match command.keyword.as_str() {
            "STAT" => self.stat(),
            "LIST" => self.list(&command, "LIST"),
            "UIDL" => self.list(&command, "UIDL"),
            "RETR" => self.retr(&command),
            "TOP" => self.top(&command),
            "DELE" => self.dele(&command),
            "LAST" if self.settings.has_last => self.say(&format!("+OK {}", self.last_seen)),
            "NOOP" => self.say("+OK"),
            "RSET" => self.rset(),
            "CAPA" => self.say(&format!("+OK\r\n{}.", capabilities(self.settings.expire_days))),
            "QUIT" => self.quit(),
            _ => self.bad_command(&format!("-ERR Unknown command: {}", shown(&command.keyword))),
        }
    }

    fn stat(&mut self) {
        let kept = self.messages.iter().zip(&self.marks).filter(|(_, mark)| !mark.deleted);
        let (count, bytes) =
            kept.fold((0_usize, 0_u64), |(count, bytes), (facts, _)| (count + 1, bytes + facts.size_bytes));
        self.say(&format!("+OK {count} {bytes}"));
    }

    /// The message that a command names, if it is there and not deleted; the refusal has been said otherwise.
    fn find(&mut self, number: Option<usize>, rest: &str) -> Option<usize> {
        let Some(number) = number else {
            self.bad_command(&format!("-ERR Invalid message number: {}", shown(rest.trim())));
            return None;
        };
        let index = number.checked_sub(1).filter(|index| *index < self.messages.len());
        match index {
            None => self.say(&format!("-ERR There's no message {number}.")),
            Some(index) if self.marks[index].deleted => self.say("-ERR Message is deleted."),
            Some(index) => return Some(index),
        }
        None
    }

    fn list(&mut self, command: &Command, what: &str) {
        let value = |facts: &Facts| match what {
            "LIST" => facts.size_bytes.to_string(),
            _ => facts.uidl.clone(),
        };
        if !command.rest.trim().is_empty() {
            if let Some(index) = self.find(command.number(), &command.rest) {
                let value = value(&self.messages[index]);
                self.say(&format!("+OK {} {value}", index + 1));
            }
            return;
        }
        let kept: Vec<usize> = (0..self.messages.len()).filter(|index| !self.marks[*index].deleted).collect();
        match what {
            "LIST" => self.say(&format!("+OK {} messages:", kept.len())),
            _ => self.say("+OK"),
        }
        for index in kept {
            let value = value(&self.messages[index]);
            self.say(&format!("{} {value}", index + 1));
        }
        self.say(".");
    }

    fn retr(&mut self, command: &Command) {
        let Some(message) = self.find(command.number(), &command.rest) else { return };
        self.send(message, None);
    }

    fn top(&mut self, command: &Command) {
        let Some((number, lines)) = command.two_numbers() else {
            return self.bad_command("-ERR Invalid parameters.");
        };
        if let Some(message) = self.find(Some(number), "") {
            self.send(message, Some(lines));
        }
    }

    fn send(&mut self, message: usize, lines: Option<usize>) {
        if lines.is_none() {
            self.marks[message].seen = true;
            self.last_seen = self.last_seen.max(message + 1);
        }
        self.state = State::Sending { message, offset: 0, text: Text::new(lines), begun: false };
        self.ask(Question::Read { message, offset: 0 });
    }

    fn dele(&mut self, command: &Command) {
        let Some(message) = self.find(command.number(), &command.rest) else { return };
        self.marks[message].deleted = true;
        self.last_seen = self.last_seen.max(message + 1);
        self.say("+OK Marked to be deleted.");
    }

    /// With LAST, what was fetched is forgotten too, as RFC 1460 has it.
    fn rset(&mut self) {
        let forgets = self.settings.has_last;
        for mark in &mut self.marks {
            mark.deleted = false;
            mark.seen &= !forgets;
        }
        self.last_seen = self.last_seen_at_start;
        self.say("+OK");
    }

    fn quit(&mut self) {
        let marked = |wanted: fn(&Mark) -> bool| -> Vec<usize> {
            let all = self.marks.iter().enumerate();
            all.filter(|(_, mark)| wanted(mark)).map(|(index, _)| index).collect()
        };
        let (deleted, seen) = (marked(|mark| mark.deleted), marked(|mark| mark.seen && !mark.deleted));
        self.state = State::Updating { has_deleted: !deleted.is_empty() };
        self.ask(Question::Update { deleted, seen });
    }

    fn opened(&mut self, messages: Vec<Facts>, last_seen: usize) {
        self.marks = vec![Mark::default(); messages.len()];
        self.messages = messages;
        self.last_seen_at_start = last_seen;
        self.last_seen = last_seen;
        self.state = State::Ready;
        self.say("+OK Logged in.");
    }

    /// A piece of a message has come.
    fn text_came(&mut self, bytes: &[u8], is_end: bool) {
        let State::Sending { message, mut offset, mut text, begun } =
            std::mem::replace(&mut self.state, State::Ready)
        else {
            return;
        };
        if !begun {
            let size = self.messages[message].size_bytes;
            self.pending.extend_from_slice(format!("+OK {size} octets\r\n").as_bytes());
        }
        let is_full = text.push(bytes, &mut self.pending);
        if is_full || is_end {
            text.finish(&mut self.pending);
            if self.pending.len() > GATHER_BYTES {
                self.write();
            }
            return;
        }
        offset += bytes.len() as u64;
        self.state = State::Sending { message, offset, text, begun: true };
        self.ask(Question::Read { message, offset });
    }

    /// In the middle of a message there is no way to tell the client but to leave.
    fn failed(&mut self, line: &str) {
        match self.state {
            State::Sending { begun: false, .. } => {
                self.state = State::Ready;
                self.say(line);
            }
            State::Sending { .. } => {
                self.pending.clear();
                self.outputs.push_back(Output::Close);
                self.state = State::Over;
            }
            _ => self.end(line),
        }
    }

    fn next_line(&mut self) {
        match self.input.next_line(COMMAND_LIMIT_BYTES) {
            Next::Line(line) => self.obey(&line),
            Next::TooLong => self.end("-ERR Command line too long."),
            Next::Incomplete => {
                self.write();
                self.outputs.push_back(Output::Wait(self.settings.timeout));
            }
        }
    }
}

/// What a client has sent, short enough for a reply.
fn shown(text: &str) -> String {
    const LIMIT_CHARACTERS: usize = 64;
    text.chars().filter(|character| !character.is_control()).take(LIMIT_CHARACTERS).collect()
}

impl Machine for Session {
    type Question = Question;
    type Answer = Answer;

    fn poll(&mut self) -> Output<Question> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            match self.state {
                State::Start => {
                    self.state = State::Opening;
                    return Output::Ask(Question::Open);
                }
                State::Ready => self.next_line(),
                _ => return Output::Close,
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        self.input.push(bytes);
    }

    fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::Opened { messages, last_seen } => self.opened(messages, last_seen),
            Answer::InUse => self.end("-ERR [IN-USE] Mailbox is in use by another session."),
            Answer::Text { bytes, is_end } => self.text_came(&bytes, is_end),
            Answer::Gone => self.failed("-ERR Message is gone."),
            Answer::Updated => match self.state {
                State::Updating { has_deleted: true } => self.end("+OK Logging out, messages deleted."),
                _ => self.end("+OK Logging out."),
            },
            Answer::Failed => self.failed("-ERR [SYS/TEMP] The mailbox is not available, try again later."),
        }
    }

    fn secured(&mut self, _facts: TlsFacts) {}

    /// RFC 1939 §3: no UPDATE.
    fn elapsed(&mut self) {
        self.end("-ERR Disconnected for inactivity.");
    }

    /// RFC 1939 §6: no UPDATE.
    fn disconnected(&mut self, _why: Disconnect) {
        self.outputs.clear();
        self.pending.clear();
        self.state = State::Over;
    }

    fn stopping(&mut self) {
        if matches!(self.state, State::Ready) {
            self.end("-ERR [SYS/TEMP] Server shutting down.");
        }
    }
}
