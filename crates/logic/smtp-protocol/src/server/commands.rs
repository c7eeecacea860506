//! The loop over commands, and which of them is in order (RFC 5321 §4.1.4).

use machine::Output;

use super::{Asked, Server};
use crate::command::Command;
use crate::input::Line;
use crate::question::{Answer, Disconnection, Event, Named, Question};
use crate::settings::BareNewline;
use crate::token::{self, Token};

/// How much of what came too early the log shows.
const SHOWN_BYTES: usize = 100;

impl Server {
    pub(super) fn next_command(&mut self) -> Option<Output<Question>> {
        if self.errors >= self.settings.hard_error_limit {
            let reply = format!("421 4.7.0 {} Error: too many errors", self.settings.hostname);
            self.say_last(reply, Disconnection::TooManyErrors);
            return None;
        }
        let strip_all = self.bare_newline() == BareNewline::Accept;
        match self.input.line(self.settings.line_limit_bytes, strip_all) {
            Some(line) => self.line(&line),
            None => return Some(self.wait(self.settings.timeout)),
        }
        None
    }

    fn line(&mut self, line: &Line) {
        self.request_done();
        if let Some(history) = &mut self.history {
            history.heard(&line.bytes);
        }
        if self.watched {
            self.note(Event::Heard(String::from_utf8_lossy(&line.bytes).into_owned()));
        }
        if line.bare && !self.bare_line_accepted() {
            return;
        }
        // CR and NUL inside a line are how one server is made to see other lines than the next one does.
        if line.bytes.iter().any(|byte| matches!(byte, b'\r' | 0)) {
            self.say("500 5.5.2 Error: bad syntax");
            self.errors += 1;
            return;
        }
        match std::str::from_utf8(&line.bytes) {
            Err(_) if self.settings.smtputf8 => {
                self.say("500 5.5.2 Error: bad UTF-8 syntax");
                self.errors += 1;
            }
            _ => self.text_line(String::from_utf8_lossy(&line.bytes).into_owned()),
        }
    }

    /// A line that ends in LF alone: false when that is the end of the session.
    fn bare_line_accepted(&mut self) -> bool {
        let policy = self.bare_newline();
        if matches!(policy, BareNewline::Note | BareNewline::Reject) {
            self.note(Event::BareNewline(self.after, policy == BareNewline::Reject));
        }
        if policy == BareNewline::Reject {
            self.say_bare_newline();
            self.end(None);
            return false;
        }
        true
    }

    pub(super) fn say_bare_newline(&mut self) {
        let code = self.settings.bare_newline_code;
        self.say(format!("{code} 5.5.2 {} Error: bare <LF> received", self.settings.hostname));
    }

    fn text_line(&mut self, line: String) {
        if self.settings.command_filter {
            self.ask(Question::Filter(line), Asked::Filter);
        } else {
            self.words(line);
        }
    }

    pub(super) fn filtered(&mut self, answer: Answer) {
        if let Answer::Line(line) = answer {
            self.words(line);
        }
    }

    fn words(&mut self, line: String) {
        let mut words = token::split(&line);
        if words.is_empty() {
            self.say("500 5.5.2 Error: bad syntax");
            self.errors += 1;
            return;
        }
        let verb = words.remove(0);
        let command = Command::parse(&verb.text);
        if self.settings.noop_commands || command == Command::Unknown {
            self.ask(Question::Verb(verb.text.clone()), Asked::Verb(line, with(verb, words)));
        } else {
            self.command(command, words);
        }
    }

    pub(super) fn named(&mut self, answer: Answer, line: String, mut words: Vec<Token>) {
        let verb = words.remove(0).text;
        let command = Command::parse(&verb);
        let named = if let Answer::Verb(named) = answer { named } else { Named::Ordinary };
        match named {
            Named::Ignored => {
                self.say("250 2.0.0 Ok");
                self.command = Command::Noop;
                self.count_junk();
            }
            Named::Forbidden if command == Command::Unknown => self.not_smtp(line),
            _ if command == Command::Unknown && is_header(&verb) => self.not_smtp(line),
            _ => self.command(command, words),
        }
    }

    fn not_smtp(&mut self, line: String) {
        self.counts.began(Command::Unknown);
        self.after = Command::Unknown.name();
        self.note(Event::NonSmtpCommand(line));
        self.say("221 2.7.0 Error: I can break rules, too. Goodbye.");
        self.end(None);
    }

    fn command(&mut self, command: Command, words: Vec<Token>) {
        self.counts.began(command);
        if self.admission.refused.is_some() && command != Command::Quit {
            self.say(format!("503 5.7.0 Error: access denied for {}", self.admission.client));
            self.errors += 1;
            return;
        }
        if command == Command::Unknown {
            self.after = command.name();
            self.say("500 5.5.2 Error: command not recognized");
            self.errors += 1;
            return;
        }
        if self.settings.tls.required() && !self.tls && !command.allowed_before_tls() {
            self.say("530 5.7.0 Must issue a STARTTLS command first");
            self.errors += 1;
            return;
        }
        self.command = command;
        self.after = command.name();
        if self.in_step() {
            self.perform(command, words);
        }
    }

    /// RFC 2920 §3.1: has the client waited where it must? False when the session ends for it.
    fn in_step(&mut self) -> bool {
        let group_ends = !self.extended || self.command.ends_group();
        if self.input.is_empty() || !group_ends || self.pipelining_noted {
            return true;
        }
        self.pipelining_noted = true;
        let early = self.input.bytes();
        let shown = shown(&early[..early.len().min(SHOWN_BYTES)]);
        self.note(Event::Pipelining(self.command.name(), shown));
        if self.settings.forbid_pipelining {
            self.say("554 5.5.0 Error: SMTP protocol synchronization");
            self.end(None);
            return false;
        }
        true
    }

    fn perform(&mut self, command: Command, words: Vec<Token>) {
        match command {
            Command::Helo => self.hello(&words, false),
            Command::Ehlo => self.hello(&words, true),
            Command::Starttls => self.starttls(&words),
            Command::Auth => self.auth(),
            Command::Mail => self.mail(words),
            Command::Rcpt => self.rcpt(words),
            Command::Data => self.data(&words),
            Command::Bdat => self.bdat(&words),
            Command::Rset => self.rset(&words),
            Command::Noop => self.done("250 2.0.0 Ok"),
            Command::Vrfy => self.vrfy(&words),
            Command::Expn => self.expn(&words),
            Command::Etrn => self.etrn(&words),
            Command::Help => self.help(),
            Command::Xclient => self.xclient(&words),
            Command::Xforward => self.xforward(&words),
            Command::Quit => self.quit(),
            Command::Unknown => {}
        }
    }

    /// Nobody can authenticate here yet.
    fn auth(&mut self) {
        if self.settings.helo_required && !self.helo {
            return self.refuse("503 5.5.1 Error: send HELO/EHLO first");
        }
        self.refuse("503 5.5.1 Error: authentication not enabled");
    }

    fn rset(&mut self, words: &[Token]) {
        if !words.is_empty() {
            return self.refuse("501 5.5.4 Syntax: RSET");
        }
        self.reset();
        self.flush_history(self.settings.history_threshold, None);
        self.done("250 2.0.0 Ok");
    }

    fn quit(&mut self) {
        self.done("221 2.0.0 Bye");
        self.end(None);
    }

    /// A question whose answer is yes with this reply, or a refusal.
    pub(super) fn simple_done(&mut self, answer: Answer, yes: &str) {
        match answer {
            Answer::Refuse(reply) => self.refuse(reply),
            _ => self.done(yes),
        }
    }
}

fn with(verb: Token, mut words: Vec<Token>) -> Vec<Token> {
    words.insert(0, verb);
    words
}

/// `Subject:` and the like: whoever sends this is in the middle of a message that was refused.
fn is_header(verb: &str) -> bool {
    let name = verb.split(':').next().unwrap_or("");
    name.len() < verb.len() && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Bytes as C writes them in a string, but for quotes.
fn shown(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => out += "\\\\",
            b' '..=b'~' => out.push(char::from(*byte)),
            7 => out += "\\a",
            8 => out += "\\b",
            b'\t' => out += "\\t",
            b'\n' => out += "\\n",
            11 => out += "\\v",
            12 => out += "\\f",
            b'\r' => out += "\\r",
            other => out += &format!("\\{other:03o}"),
        }
    }
    out
}
