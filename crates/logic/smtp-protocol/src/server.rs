//! The server's side of one session.
//!
//! This file is the skeleton that carries out one step after another; `commands.rs` has the table of order,
//! and one file for each family of commands has their syntax and replies.

mod commands;
mod greeting;
mod envelope;
mod message;
mod inquiry;
mod client;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use machine::{Disconnect, Machine, Output, TlsFacts};

use crate::command::{Command, Counts};
use crate::content::Content;
use crate::esmtp::Allowed;
use crate::history::History;
use crate::input::Input;
use crate::question::{Admission, Answer, Disconnection, Ending, Event, Hello, Question, Sender};
use crate::reply::Reply;
use crate::settings::{BareNewline, Settings};
use crate::token::Token;

/// One session of the SMTP server.
///
/// Holds little while it is idle: no buffer stays behind when its bytes are used.
#[derive(Debug)]
pub struct Server {
    settings: Arc<Settings>,
    input: Input,
    /// What is to be sent before the machine waits for anything.
    out: Vec<u8>,
    steps: VecDeque<Step>,
    phase: Phase,
    waiting: Waiting,
    asked: Asked,
    /// The deadline of the present request is running; and what the client has earned since it was last set.
    deadline_runs: bool,
    earned: Duration,

    admission: Admission,
    greeted: bool,
    helo: bool,
    extended: bool,
    tls: bool,
    transaction: Option<Transaction>,
    /// The last MAIL or VRFY declared SMTPUTF8.
    utf8: bool,
    bdat: Chunks,
    errors: u32,
    junk: u32,
    counts: Counts,
    command: Command,
    after: &'static str,
    pipelining_noted: bool,
    gone: Option<Disconnection>,
    /// Kept where somebody wants to know.
    history: Option<Box<History>>,
    /// Each line of the session is told of.
    watched: bool,
    /// What is said now is somebody else's answer.
    ruled: bool,
}

/// MAIL was accepted.
#[derive(Debug, Default)]
struct Transaction {
    recipients: usize,
    overshoot: usize,
    content: Option<Box<Content>>,
}

/// Where a message in BDAT chunks stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunks {
    None,
    Going,
    /// A chunk was refused: those up to LAST are dropped.
    Failed,
}

#[derive(Debug)]
enum Phase {
    /// Nothing has happened yet.
    Start,
    /// The PROXY header comes first.
    Proxy,
    Commands,
    Data,
    Chunk(Chunk),
    Closed,
}

/// A BDAT chunk that is on its way.
#[derive(Debug)]
struct Chunk {
    bytes: u64,
    left: u64,
    last: bool,
    /// It is dropped, and this is the reply then.
    refused: Option<Reply>,
}

/// One at a time is the rule, so the size of the largest does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
enum Step {
    Write(Vec<u8>),
    Ask(Question, Asked),
    Pause,
    StartTls,
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    No,
    Bytes,
    Pause,
    Answer,
    Handshake,
}

/// What to go on with when the answer is there.
#[derive(Debug)]
enum Asked {
    /// The answer does not matter.
    Nothing,
    Connect,
    Xclient,
    Filter,
    Verb(String, Vec<Token>),
    Hello(Hello),
    MailRate(Vec<Token>),
    MailAddress(Sender, Vec<Token>),
    Mail,
    RcptRate(Vec<Token>),
    RcptAddress(String, Vec<Token>),
    Rcpt,
    Data,
    Bdat(Chunk),
    EndOfData,
    VrfyAddress(String, String),
    Vrfy(String),
    Expn,
    Etrn,
    StartTls,
    Secured,
    Footer,
}

impl Step {
    /// What is only for the client's ears has no use once it is gone.
    fn outlives_the_client(&self) -> bool {
        match self {
            Self::Ask(question, _) => !matches!(question, Question::Footer(_)),
            Self::Close => true,
            Self::Write(_) | Self::Pause | Self::StartTls => false,
        }
    }
}

impl Server {
    /// A session that has not begun; the first [`Machine::poll`] begins it.
    pub fn new(settings: Arc<Settings>) -> Self {
        let history = (!settings.notify.is_none()).then(Box::default);
        Self {
            settings,
            input: Input::default(),
            out: Vec::new(),
            steps: VecDeque::new(),
            phase: Phase::Start,
            waiting: Waiting::No,
            asked: Asked::Nothing,
            deadline_runs: false,
            earned: Duration::ZERO,
            admission: Admission::default(),
            greeted: false,
            helo: false,
            extended: false,
            tls: false,
            transaction: None,
            utf8: false,
            bdat: Chunks::None,
            errors: 0,
            junk: 0,
            counts: Counts::default(),
            command: Command::Unknown,
            after: "CONNECT",
            pipelining_noted: false,
            gone: None,
            history,
            watched: false,
            ruled: false,
        }
    }

    /// From now on each line of the session, of both sides, is told of ([`Event::Heard`], [`Event::Said`]), or no longer.
    pub fn watch(&mut self, watched: bool) {
        self.watched = watched;
    }

    /// What is next when nothing is left to carry out: `None` when that has changed.
    fn advance(&mut self) -> Option<Output<Question>> {
        match self.phase {
            Phase::Start => self.begin(),
            Phase::Proxy => return self.proxy_header(),
            Phase::Commands => return self.next_command(),
            Phase::Data => return self.data_content(),
            Phase::Chunk(_) => return self.chunk_content(),
            Phase::Closed => return Some(Output::Close),
        }
        None
    }

    fn emit(&mut self, step: Step) -> Output<Question> {
        match step {
            _ if !self.out.is_empty() => {
                self.steps.push_front(step);
                Output::Write(std::mem::take(&mut self.out))
            }
            Step::Write(bytes) => Output::Write(bytes),
            Step::Ask(question, asked) => {
                self.asked = asked;
                self.waiting = Waiting::Answer;
                Output::Ask(question)
            }
            Step::Pause => {
                self.waiting = Waiting::Pause;
                Output::Pause(self.settings.error_pause)
            }
            Step::StartTls => {
                self.waiting = Waiting::Handshake;
                Output::StartTls
            }
            Step::Close => Output::Close,
        }
    }

    /// Waits for more bytes, no longer than the time-out or the deadline of this request allows.
    fn wait(&mut self, limit: Duration) -> Output<Question> {
        if !self.out.is_empty() {
            return Output::Write(std::mem::take(&mut self.out));
        }
        self.waiting = Waiting::Bytes;
        self.steps = VecDeque::new();
        if self.settings.request_deadline && self.deadline_runs {
            return Output::KeepWaiting { extension: std::mem::take(&mut self.earned) };
        }
        self.deadline_runs = true;
        Output::Wait(limit)
    }

    /// The request is complete: the next one has a deadline of its own.
    fn request_done(&mut self) {
        self.deadline_runs = false;
        self.earned = Duration::ZERO;
    }

    fn ask(&mut self, question: Question, asked: Asked) {
        self.steps.push_back(Step::Ask(question, asked));
    }

    fn note(&mut self, event: Event) {
        self.ask(Question::Note(event), Asked::Nothing);
    }

    /// Sends a reply, slowly to a client that makes many errors. Some replies are the last.
    fn say(&mut self, reply: impl Into<Reply>) {
        let reply = self.finished(reply.into());
        self.send(&reply);
        if reply.hangs_up() {
            self.end(None);
        }
    }

    /// Sends a last reply and ends the session, for this reason.
    fn say_last(&mut self, reply: impl Into<Reply>, why: Disconnection) {
        let reply = self.finished(reply.into());
        self.send(&reply);
        self.end(Some(why));
    }

    /// The reply as the configuration wants it.
    fn finished(&mut self, reply: Reply) -> Reply {
        if let Some(history) = &mut self.history {
            history.refused(&reply, self.ruled);
        }
        if self.settings.soft_bounce { reply.softened() } else { reply }
    }

    fn send(&mut self, reply: &Reply) {
        if self.errors >= self.settings.soft_error_limit {
            self.steps.push_back(Step::Pause);
        }
        if self.settings.reject_footer && reply.text().starts_with(['4', '5']) {
            return self.ask(Question::Footer(reply.clone()), Asked::Footer);
        }
        self.remember(reply);
        match self.steps.back_mut() {
            None => reply.write(&mut self.out),
            Some(Step::Write(bytes)) => reply.write(bytes),
            Some(_) => {
                let mut bytes = Vec::new();
                reply.write(&mut bytes);
                self.steps.push_back(Step::Write(bytes));
            }
        }
    }

    fn remember(&mut self, reply: &Reply) {
        if let Some(history) = &mut self.history {
            history.said(reply);
        }
        if self.watched {
            let mut wire = Vec::new();
            reply.write(&mut wire);
            let wire = String::from_utf8_lossy(&wire);
            wire.lines().for_each(|line| self.note(Event::Said(line.to_owned())));
        }
    }

    /// A part of the session is over: tells of trouble in it, and forgets it if it was long.
    fn flush_history(&mut self, threshold: usize, aborted: Option<Disconnection>) {
        let wanted = self.settings.notify;
        let history = self.history.as_mut();
        let told = history.and_then(|one| one.flush(threshold, wanted, aborted.map(Disconnection::reason)));
        if let Some(transcript) = told {
            self.ask(Question::Notice(Box::new(transcript)), Asked::Nothing);
        }
    }

    /// Sends a reply before anything else that is to be done.
    fn send_first(&mut self, answer: Answer) {
        if let Answer::Refuse(reply) = answer {
            self.remember(&reply);
            let mut bytes = Vec::new();
            reply.write(&mut bytes);
            self.steps.push_front(Step::Write(bytes));
        }
    }

    /// The command is carried out.
    fn done(&mut self, reply: impl Into<Reply>) {
        self.counts.succeeded(self.command);
        self.say(reply);
        self.count_junk();
    }

    /// The command is refused.
    fn refuse(&mut self, reply: impl Into<Reply>) {
        self.say(reply);
        self.errors += 1;
        self.count_junk();
    }

    fn count_junk(&mut self) {
        if self.command.is_junk() {
            self.junk += 1;
            if self.junk > self.settings.junk_limit.saturating_add(1) {
                self.errors += 1;
            }
        }
    }

    /// Forgets the transaction, here and outside.
    fn reset(&mut self) {
        self.bdat = Chunks::None;
        if self.transaction.take().is_some() {
            self.ask(Question::Reset, Asked::Nothing);
        }
    }

    /// Nothing more will be read.
    fn end(&mut self, why: Option<Disconnection>) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        let content = self.transaction.as_ref().and_then(|transaction| transaction.content.as_ref());
        let content_bytes =
            content.filter(|_| matches!(self.after, "DATA" | "BDAT")).map(|content| content.size_bytes());
        self.phase = Phase::Closed;
        self.input.clear();
        self.reset();
        self.flush_history(0, why);
        let ending = Ending { why, after: self.after, content_bytes, counts: self.counts.clone() };
        self.ask(Question::Ended(ending), Asked::Nothing);
        self.steps.push_back(Step::Close);
    }

    fn timed_out(&mut self) {
        if self.greeted {
            let reply = format!("421 4.4.2 {} Error: timeout exceeded", self.settings.hostname);
            return self.say_last(reply, Disconnection::Timeout);
        }
        if matches!(self.phase, Phase::Proxy) {
            self.note(Event::BadProxyHeader("timeout"));
        }
        self.end(Some(Disconnection::Timeout));
    }

    fn allowed(&self) -> Allowed {
        Allowed { discard: self.admission.discard, verp: self.admission.verp }
    }

    fn bare_newline(&self) -> BareNewline {
        if self.admission.bare_newline { BareNewline::Accept } else { self.settings.bare_newline }
    }

    fn resume(&mut self, asked: Asked, answer: Answer) {
        if answer == Answer::HangUp {
            return self.end(None);
        }
        self.ruled = matches!(answer, Answer::Refuse(_));
        self.go_on(asked, answer);
        self.ruled = false;
    }

    fn go_on(&mut self, asked: Asked, answer: Answer) {
        match asked {
            Asked::Nothing => {}
            Asked::Connect => self.admit(answer),
            Asked::Xclient => self.xclient_done(answer),
            Asked::Filter => self.filtered(answer),
            Asked::Verb(line, words) => self.named(answer, line, words),
            Asked::Hello(hello) => self.hello_done(hello, answer),
            Asked::MailRate(words) => self.mail_address(answer, words),
            Asked::MailAddress(sender, words) => self.mail_parameters(answer, sender, &words),
            Asked::Mail => self.mail_done(answer),
            Asked::RcptRate(words) => self.rcpt_address(answer, words),
            Asked::RcptAddress(address, words) => self.rcpt_parameters(answer, address, &words),
            Asked::Rcpt => self.rcpt_done(answer),
            Asked::Data => self.data_allowed(answer),
            Asked::Bdat(chunk) => self.chunk_allowed(answer, chunk),
            Asked::EndOfData => self.message_done(answer),
            Asked::VrfyAddress(address, text) => self.vrfy_address(answer, address, text),
            Asked::Vrfy(text) => self.vrfy_done(answer, &text),
            Asked::Expn => self.expn_done(answer),
            Asked::Etrn => self.simple_done(answer, "250 Queuing started"),
            Asked::StartTls => self.starttls_done(answer),
            Asked::Secured => self.secured_done(answer),
            Asked::Footer => self.send_first(answer),
        }
    }
}

impl Machine for Server {
    type Question = Question;
    type Answer = Answer;

    fn poll(&mut self) -> Output<Question> {
        self.waiting = Waiting::No;
        loop {
            if let Some(step) = self.steps.pop_front() {
                return self.emit(step);
            }
            if let Some(output) = self.advance() {
                return output;
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        if !matches!(self.phase, Phase::Closed) {
            self.input.push(bytes);
        }
    }

    fn answered(&mut self, answer: Answer) {
        let asked = std::mem::replace(&mut self.asked, Asked::Nothing);
        if let Some(why) = self.gone.take() {
            self.end_without_reply(why, asked, answer);
        } else {
            self.resume(asked, answer);
        }
    }

    fn secured(&mut self, facts: TlsFacts) {
        self.input.clear();
        self.out.clear();
        self.tls = true;
        self.helo = false;
        self.extended = false;
        self.reset();
        self.ask(Question::Secured(facts), Asked::Secured);
    }

    fn elapsed(&mut self) {
        if self.waiting == Waiting::Bytes {
            self.timed_out();
        }
    }

    fn disconnected(&mut self, why: Disconnect) {
        let why = match why {
            Disconnect::Lost => Disconnection::Lost,
            Disconnect::HandshakeFailed => Disconnection::Handshake { timed_out: false },
            Disconnect::HandshakeTimeout => Disconnection::Handshake { timed_out: true },
        };
        self.out.clear();
        if self.waiting == Waiting::Answer {
            self.gone = Some(why);
            return;
        }
        self.steps.retain(Step::outlives_the_client);
        self.end(Some(why));
    }

    fn stopping(&mut self) {
        if self.waiting == Waiting::Bytes && self.greeted && self.transaction.is_none() {
            self.say(format!("421 4.3.2 {} Service shutting down", self.settings.hostname));
        }
    }
}

impl Server {
    /// The client went while an answer was on its way. What the answer did stands: a queued message stays
    /// queued, as RFC 5321 §4.5.3.2.6 wants it.
    fn end_without_reply(&mut self, why: Disconnection, asked: Asked, answer: Answer) {
        if let (Asked::EndOfData, Answer::Queued(_)) = (&asked, &answer) {
            self.transaction = None;
            self.counts.succeeded(self.command);
            self.after = "END-OF-MESSAGE";
            self.phase = Phase::Commands;
        }
        self.steps.retain(Step::outlives_the_client);
        self.end(Some(why));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testkit::dialogue::{self, Event};

    use super::*;

    fn settings() -> Settings {
        Settings {
            message_limit_bytes: 100_000,
            recipient_limit: 10,
            recipient_overshoot_limit: 10,
            soft_error_limit: 1000,
            hard_error_limit: 1000,
            junk_limit: 1000,
            expn: true,
            forbid_pipelining: false,
            ..Settings::default()
        }
    }

    /// The messages that are queued in a session.
    fn session(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let (mut content, mut queued) = (Vec::new(), Vec::new());
        let events: Vec<_> = pieces.iter().map(|piece| Event::Sends(piece.to_vec())).collect();
        let server = Server::new(Arc::new(settings()));
        dialogue::play(server, &events, false, &mut |question| match question {
            Question::EndOfData(_) => {
                queued.push(std::mem::take(&mut content));
                Answer::Queued("1".to_owned())
            }
            Question::Content(bytes) => {
                content.extend(bytes);
                Answer::Proceed
            }
            Question::Reset => {
                content.clear();
                Answer::Proceed
            }
            Question::Connect(_) => Answer::Admit(Box::default()),
            _ => Answer::Proceed,
        });
        queued
    }

    /// Until the machine waits.
    fn settle(server: &mut Server) {
        loop {
            match server.poll() {
                Output::Wait(_) => return,
                Output::Ask(Question::Connect(_)) => server.answered(Answer::Admit(Box::default())),
                Output::Ask(_) => server.answered(Answer::Proceed),
                _ => {}
            }
        }
    }

    #[test]
    fn an_idle_session_is_small() {
        let mut server = Server::new(Arc::new(settings()));
        settle(&mut server);
        server.received(b"EHLO client.example\r\n");
        settle(&mut server);
        assert!(size_of::<Server>() <= 1024, "{} bytes", size_of::<Server>());
        assert_eq!((server.out.capacity(), server.steps.capacity(), server.input.bytes().len()), (0, 0, 0));
    }

    fn command() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            prop::sample::select(vec![
                "EHLO x\r\n",
                "HELO x\r\n",
                "MAIL FROM:<a@b>\r\n",
                "RCPT TO:<c@d>\r\n",
                "DATA\r\n",
                "RSET\r\n",
                "x\r\n.\r\n",
                ".\r\n",
                "\r\n",
                "BDAT 3\r\n",
                "BDAT 2 LAST\r\n",
                "ab",
                "c",
                "NOOP\r\n",
                "VRFY a\r\n",
                "MAIL FROM:<",
                "((((",
                "\"",
                "\\",
                "BDAT 99999999999\r\n",
                "EXPN a\r\n",
                "QUIT x\n",
                "STARTTLS\r\n",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..40),
        ]
    }

    proptest! {
        /// Whatever comes, and however it is cut, every session ends and the same messages are queued.
        #[test]
        fn the_cut_between_reads_changes_nothing(commands in prop::collection::vec(command(), 0..40), step in 1usize..50) {
            let wire = commands.concat();
            let whole = session(&[&wire[..]]);
            let pieces: Vec<_> = wire.chunks(step).collect();
            // STARTTLS drops what came with it, so only without it must the cut not matter.
            if !wire.to_ascii_uppercase().windows(8).any(|window| window == b"STARTTLS") {
                prop_assert_eq!(session(&pieces), whole);
            }
        }
    }
}
