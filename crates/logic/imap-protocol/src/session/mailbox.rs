//! Authenticated and selected (RFC 3501 §3.2, §3.3): which command is in order, and what the mailbox's side is asked.

mod parking;

pub use parking::Parked;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use machine::{Disconnect, Machine, Output, TlsFacts};

use crate::parse::{self, Next};
use crate::session::append::{AppendStep, Appending, Move, refusal_reply};
use crate::session::compression::{Compression, NotDeflate};
use crate::session::gather::{Gather, Step};
use crate::session::input::{Input, Line};
use crate::session::settings::SessionSettings;
use crate::types::{Code, Command, Reply};
use crate::write::Out;

/// Longer lines than this are not DONE.
const DONE_LIMIT_BYTES: usize = 1024;

/// To a client that says nothing for too long.
const INACTIVE: &str = "Disconnected for inactivity.";

/// What the mailbox's side is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Carry out a command.
    Run {
        /// Its tag: ESEARCH repeats it.
        tag: String,
        /// The command.
        command: Box<Command>,
    },
    /// Go on with it.
    More,
    /// A step of APPEND.
    Append(AppendStep),
    /// What is new? The client idles, or wants to hear of it between commands. The first time, begin to watch.
    Changes,
    /// The client was elsewhere: take the mailbox up again as it left it, and if it idles, tell what is new ([`Answer::Changes`]).
    Resume,
    /// The client idles no more.
    IdleEnds,
    /// The session is over.
    Ended,
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Proceed,
    /// No.
    Refused(Reply),
    /// Send this and ask again ([`Question::More`]).
    More(Vec<u8>),
    /// The command is done.
    Done(Box<Done>),
    /// What is new, to be sent.
    Changes(Vec<u8>),
    /// The same, and there is more: ask again ([`Question::Changes`]).
    MoreChanges(Vec<u8>),
    /// The session can not go on: the text of the BYE.
    Gone(String),
}

/// The end of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Responses before the last word.
    pub untagged: Vec<u8>,
    /// The last word.
    pub reply: Reply,
    /// A mailbox is selected now.
    pub selected: bool,
    /// UTF8=ACCEPT is enabled now.
    pub utf8: bool,
    /// The client wants to hear of what happens between commands (RFC 5465).
    pub hears: bool,
    /// There is something to hear already, in any case.
    pub news: bool,
}

#[derive(Debug)]
enum Phase {
    Commands,
    Append(Box<Appending>),
    Idle,
    /// The connection goes into other hands.
    Parked,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Run,
    Append,
    Changes,
    Resume,
}

/// A session of a client that has logged in. Holds little while it is idle.
#[derive(Debug)]
pub struct Session {
    settings: Arc<SessionSettings>,
    input: Input,
    gather: Gather,
    out: Out,
    questions: VecDeque<(Question, Asked)>,
    phase: Phase,
    asked: Asked,
    tag: String,
    selected: bool,
    utf8: bool,
    compression: Option<Box<Compression>>,
    /// Compression begins behind what is to be sent now.
    compression_begins: bool,
    bad_commands: u32,
    /// The client hears of what happens between commands.
    hears: bool,
    /// The client hears of what happens, and may not know everything.
    news: bool,
    gone: bool,
    /// The client has said something since it was asked last.
    heard: bool,
}

impl Session {
    /// A session whose client has logged in with the command `tag`. `rest` is what the client sent behind it.
    pub fn new(settings: Arc<SessionSettings>, tag: &str, rest: &[u8]) -> Self {
        let mut session = Self::silent(settings);
        let code = Code::Capability(session.settings.capabilities.clone());
        session.out.tagged(tag, &Reply::ok("Logged in").with(code));
        session.input.push(rest);
        session
    }

    /// A session that has said nothing yet.
    fn silent(settings: Arc<SessionSettings>) -> Self {
        Self {
            settings,
            input: Input::default(),
            gather: Gather::default(),
            out: Out::default(),
            questions: VecDeque::new(),
            phase: Phase::Commands,
            asked: Asked::Nothing,
            tag: String::new(),
            selected: false,
            utf8: false,
            compression: None,
            compression_begins: false,
            bad_commands: 0,
            hears: false,
            news: false,
            gone: false,
            heard: true,
        }
    }

    /// Something has happened. True when the machine wants to be polled: its client hears of it, and no command is going on.
    pub fn changed(&mut self) -> bool {
        self.news |= self.hears || self.is_idle();
        self.news && self.asked == Asked::Nothing && !matches!(self.phase, Phase::Append(_))
    }

    /// How long a command may take before the client hears that it goes on; none where no command does.
    pub fn patience(&self) -> Option<Duration> {
        matches!(self.asked, Asked::Run | Asked::Append).then_some(self.settings.progress_notice)
    }

    /// What the client hears then (RFC 9585 §3).
    pub fn still_working(&mut self) -> Vec<u8> {
        let reply = Reply::ok("Still working on it.").with(Code::InProgress(self.tag.clone()));
        self.out.untagged(&reply);
        self.take_out()
    }

    /// Does the client idle?
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    fn ask(&mut self, question: Question, asked: Asked) {
        self.questions.push_back((question, asked));
    }

    fn advance(&mut self) -> Option<Output<Question>> {
        match self.phase {
            Phase::Commands => self.next_command(),
            Phase::Append(_) => self.append(),
            Phase::Idle => self.idle(),
            Phase::Parked => Some(Output::HandOver),
            Phase::Closed => Some(Output::Close),
        }
    }

    fn next_command(&mut self) -> Option<Output<Question>> {
        let utf8 = self.utf8;
        let step = self
            .gather
            .step(&mut self.input, self.settings.command_limit_bytes, &|text| is_message(text, utf8));
        match step {
            Step::Wait if std::mem::take(&mut self.news) => self.ask(Question::Changes, Asked::Changes),
            Step::Wait => return Some(Output::Wait(self.settings.timeout)),
            Step::GoOn => self.out.go_on("OK"),
            Step::Whole(line) => self.command(&line),
            Step::AtLiteral(text) => self.begin_append(&text),
            Step::Refused(text, refusal) => {
                let (tag, name) = parse::tag_and_name(&text)
                    .map_or_else(|_| ("*".to_owned(), String::new()), |(tag, name, _)| (tag, name));
                self.bad(&tag, &refusal_reply(&name, &refusal));
            }
        }
        None
    }

    fn command(&mut self, line: &[u8]) {
        let (tag, name, at) = match parse::tag_and_name(line) {
            Ok(found) => found,
            Err(refusal) => {
                return self.bad("*", &Reply::bad(format!("Error in IMAP tag: {}", refusal.text)));
            }
        };
        if name.is_empty() {
            return self.bad(&tag, &Reply::bad("Error in IMAP command: Invalid command name"));
        }
        self.tag = tag;
        if parse::brings_messages(&name) {
            return self.begin_append(line);
        }
        match parse::command(&name, &line[at..], self.utf8) {
            Ok(command) => self.run(command),
            Err(refusal) => self.bad(&self.tag.clone(), &refusal_reply(&name, &refusal)),
        }
    }

    fn run(&mut self, command: Command) {
        let name = command.name();
        if command.needs_mailbox() && !self.selected {
            return self.bad(&self.tag.clone(), &Reply::bad("No mailbox selected"));
        }
        match command {
            Command::Capability => {
                let settings = Arc::clone(&self.settings);
                self.out.capability(&settings.capabilities);
                self.done(&Reply::ok("Capability completed."));
            }
            Command::Id(_) => {
                let settings = Arc::clone(&self.settings);
                let pairs: Vec<_> =
                    settings.id.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                self.out.id(&pairs);
                self.done(&Reply::ok("ID completed."));
            }
            Command::Logout => {
                self.out.bye("Logging out");
                self.done(&Reply::ok("Logout completed."));
                self.end();
            }
            Command::Idle => {
                self.out.go_on("idling");
                self.phase = Phase::Idle;
                self.news = true;
            }
            Command::Compress => self.compress(),
            Command::StartTls | Command::Authenticate(_) | Command::Login { .. } => {
                self.bad(&self.tag.clone(), &refusal_reply(name, &parse::Refusal::new("Unknown command")));
            }
            command => {
                let question = Question::Run { tag: self.tag.clone(), command: Box::new(command) };
                self.ask(question, Asked::Run);
            }
        }
    }

    /// RFC 4978 §3
    fn compress(&mut self) {
        if self.compression.is_some() {
            let reply = Reply::no("COMPRESSION already enabled.").with(Code::CompressionActive);
            return self.done(&reply);
        }
        self.compression_begins = true;
        self.done(&Reply::ok("Begin compression."));
    }

    /// What is to be sent, squeezed where the client wants it so.
    fn take_out(&mut self) -> Vec<u8> {
        let bytes = self.out.take();
        let bytes = match &mut self.compression {
            Some(compression) => compression.squeeze(&bytes),
            None => bytes,
        };
        if std::mem::take(&mut self.compression_begins) {
            let mut compression = Compression::new();
            compression.push(&self.input.take_rest());
            self.compression = Some(Box::new(compression));
        }
        bytes
    }

    /// Is there more of what has come? False where more has to come first.
    fn unfold(&mut self) -> bool {
        let Some(compression) = &mut self.compression else { return false };
        match compression.unfold(&mut self.input) {
            Ok(more) => more,
            Err(NotDeflate) => {
                self.out.bye("Compressed data is damaged.");
                self.end();
                true
            }
        }
    }

    fn begin_append(&mut self, text: &[u8]) {
        let Ok((tag, name, at)) = parse::tag_and_name(text) else { return };
        self.tag = tag;
        match parse::upload_begin(&name, &text[at..], self.utf8) {
            Ok((Some(destination), Next::Message(append, piece))) => {
                let homeless = destination.replaced.is_some() && !self.selected;
                let mut appending = Appending::new(destination, append, piece);
                if homeless {
                    appending.refuse(Reply::bad("No mailbox selected"));
                }
                self.phase = Phase::Append(Box::new(appending));
            }
            Ok(_) => self.bad(&self.tag.clone(), &refusal_reply(&name, &parse::Refusal::arguments())),
            Err(refusal) => self.bad(&self.tag.clone(), &refusal_reply(&name, &refusal)),
        }
    }

    fn append(&mut self) -> Option<Output<Question>> {
        let Phase::Append(appending) = &mut self.phase else { return None };
        match appending.step(&mut self.input, self.settings.command_limit_bytes, self.utf8) {
            Move::Wait => return Some(Output::Wait(self.settings.timeout)),
            Move::GoOn => self.out.go_on("OK"),
            Move::Ask(AppendStep::Commit) => {
                self.phase = Phase::Commands;
                self.ask(Question::Append(AppendStep::Commit), Asked::Run);
            }
            Move::Ask(step) => self.ask(Question::Append(step), Asked::Append),
            Move::Fail(reply) => {
                self.phase = Phase::Commands;
                self.ask(Question::Append(AppendStep::Abort), Asked::Nothing);
                self.done(&reply);
            }
        }
        None
    }

    /// RFC 2177: DONE ends it, and nothing else may come.
    fn idle(&mut self) -> Option<Output<Question>> {
        match self.input.line(DONE_LIMIT_BYTES) {
            Line::Whole(line) => {
                self.end_idle(line.eq_ignore_ascii_case(b"DONE"));
                None
            }
            Line::TooLong => {
                self.input.skip_line();
                self.end_idle(false);
                None
            }
            Line::Partial if std::mem::take(&mut self.news) => {
                self.ask(Question::Changes, Asked::Changes);
                None
            }
            Line::Partial => Some(Output::Wait(self.settings.idle_notice)),
        }
    }

    fn end_idle(&mut self, properly: bool) {
        self.phase = Phase::Commands;
        self.news &= self.hears;
        self.ask(Question::IdleEnds, Asked::Nothing);
        if properly {
            self.done(&Reply::ok("Idle completed."));
        } else {
            self.bad(&self.tag.clone(), &Reply::bad("Expected DONE"));
        }
    }

    fn done(&mut self, reply: &Reply) {
        self.bad_commands = 0;
        self.out.tagged(&self.tag, reply);
    }

    fn bad(&mut self, tag: &str, reply: &Reply) {
        self.bad_commands += 1;
        if self.bad_commands >= self.settings.bad_command_limit {
            self.out.bye("Too many invalid IMAP commands.");
            return self.end();
        }
        self.out.tagged(tag, reply);
    }

    fn end(&mut self) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        self.phase = Phase::Closed;
        self.input.clear();
        self.gather = Gather::default();
        self.questions.clear();
        self.ask(Question::Ended, Asked::Nothing);
    }

    fn ran(&mut self, answer: Answer) {
        match answer {
            Answer::More(bytes) => {
                self.out.append(bytes);
                self.ask(Question::More, Asked::Run);
            }
            Answer::Done(mut done) => {
                self.out.append(std::mem::take(&mut done.untagged));
                self.selected = done.selected;
                self.hears = done.hears;
                self.news |= done.news;
                if self.utf8 != done.utf8 {
                    self.utf8 = done.utf8;
                    self.out.set_utf8(done.utf8);
                }
                if done.reply.condition == crate::types::Condition::Bad {
                    self.bad(&self.tag.clone(), &done.reply);
                } else {
                    self.done(&done.reply);
                }
            }
            Answer::Refused(reply) => self.done(&reply),
            _ => {}
        }
    }

    fn append_answered(&mut self, answer: Answer) {
        let Phase::Append(appending) = &mut self.phase else { return };
        match answer {
            Answer::Refused(reply) => appending.refuse(reply),
            _ => appending.proceed(),
        }
    }
}

/// Is this the begin of an APPEND or REPLACE, up to the literal that is its message? One that is wrong is not gone on with, unless the
/// client sends its literal anyway.
fn is_message(text: &[u8], utf8: bool) -> bool {
    let waits = || parse::literal_mark(text).is_some_and(|mark| mark.is_ok_and(|mark| mark.waits));
    parse::tag_and_name(text).is_ok_and(|(_, name, at)| {
        parse::brings_messages(&name)
            && match parse::upload_begin(&name, &text[at..], utf8) {
                Ok((_, next)) => matches!(next, Next::Message(..)),
                Err(_) => waits(),
            }
    })
}

impl Machine for Session {
    type Question = Question;
    type Answer = Answer;

    fn poll(&mut self) -> Output<Question> {
        loop {
            if !self.out.is_empty() {
                return Output::Write(self.take_out());
            }
            if let Some((question, asked)) = self.questions.pop_front() {
                self.asked = asked;
                return Output::Ask(question);
            }
            if let Some(output) = self.advance() {
                if matches!(output, Output::Wait(_)) && self.unfold() {
                    // Few bytes may unfold to very many: between two pieces others may have their turn.
                    return Output::Write(Vec::new());
                }
                return output;
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        self.heard = true;
        match &mut self.compression {
            Some(compression) => compression.push(bytes),
            None => self.input.push(bytes),
        }
    }

    fn answered(&mut self, answer: Answer) {
        let asked = std::mem::replace(&mut self.asked, Asked::Nothing);
        if self.gone {
            return self.end();
        }
        match (asked, answer) {
            (_, Answer::Gone(text)) => {
                self.out.bye(&text);
                self.end();
            }
            (Asked::Nothing, _) => {}
            (Asked::Run, answer) => self.ran(answer),
            (Asked::Append, answer) => self.append_answered(answer),
            (Asked::Changes | Asked::Resume, Answer::Changes(bytes)) => self.out.raw(&bytes),
            (Asked::Changes, Answer::MoreChanges(bytes)) => {
                self.out.raw(&bytes);
                self.ask(Question::Changes, Asked::Changes);
            }
            (Asked::Changes | Asked::Resume, _) => {}
        }
    }

    fn secured(&mut self, _facts: TlsFacts) {}

    fn elapsed(&mut self) {
        if matches!(self.phase, Phase::Idle) {
            self.news = true;
            self.out.untagged(&Reply::ok("Still here"));
        } else {
            self.out.bye(INACTIVE);
            self.end();
        }
    }

    fn disconnected(&mut self, _why: Disconnect) {
        self.out.take();
        self.gone = true;
        if self.asked == Asked::Nothing {
            self.end();
        }
    }

    fn stopping(&mut self) {
        if self.asked == Asked::Nothing && matches!(self.phase, Phase::Commands | Phase::Idle) {
            self.out.bye("Server shutting down.");
            self.end();
        }
    }
}
