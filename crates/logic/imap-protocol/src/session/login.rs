//! Not authenticated (RFC 3501 §3.1): who is there?

use std::collections::VecDeque;
use std::sync::Arc;

use machine::{Disconnect, Machine, Output, TlsFacts};

use crate::parse;
use crate::session::gather::{Gather, Step};
use crate::session::input::{Input, Line};
use crate::session::settings::LoginSettings;
use crate::types::{Capability, Code, Command, Mechanism, Reply};
use crate::write::Out;

/// Bytes of a client's answer in a SASL exchange, in base64.
const SASL_LIMIT_BYTES: usize = 12 * 1024;

/// What only the world outside can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginQuestion {
    /// A client has come.
    Connected,
    /// Is this the password of that user?
    Login {
        /// Who.
        user: Vec<u8>,
        /// The secret.
        password: Vec<u8>,
    },
    /// A SASL exchange begins.
    Begin {
        /// In upper case.
        mechanism: String,
        /// The initial response in base64; `=` is an empty one.
        initial: Option<Vec<u8>>,
    },
    /// The client's next answer, in base64.
    Continue(Vec<u8>),
    /// The client has given up the exchange.
    Cancel,
    /// TLS has begun.
    Secured(TlsFacts),
    /// The session is over.
    Ended,
}

/// What comes back for a [`LoginQuestion`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginAnswer {
    /// Go on.
    Proceed,
    /// The client may come in, and these are the ways to log in, instead of those of the settings.
    Offers {
        /// SASL mechanisms that may be used without TLS.
        mechanisms: Vec<String>,
        /// Those that say the password.
        plaintext_mechanisms: Vec<String>,
    },
    /// The client may not come in: the text of the BYE.
    Turned(String),
    /// What to send in a SASL exchange, in base64.
    Challenge(Vec<u8>),
    /// It is who it says.
    Accepted,
    /// It is not.
    Denied(Denial),
}

/// A client that has logged in, for whoever goes on with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// The tag of the command that is to be answered there.
    pub tag: String,
    /// What the client has sent behind it.
    pub rest: Vec<u8>,
}

/// Why a log-in fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// User or password are wrong; which, nobody learns.
    Credentials,
    /// It can not be found out at the moment.
    Unavailable,
    /// The account may not log in here.
    NotAllowed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Start,
    Commands,
    /// A SASL exchange: the client's answer comes next.
    Exchange,
    /// The client has proved who it is.
    HandOver,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Connected,
    Password,
}

#[derive(Debug)]
enum Task {
    Ask(LoginQuestion, Asked),
    StartTls,
}

/// A session up to the log-in.
#[derive(Debug)]
pub struct Login {
    settings: Arc<LoginSettings>,
    input: Input,
    gather: Gather,
    out: Out,
    tasks: VecDeque<Task>,
    phase: Phase,
    asked: Asked,
    tag: String,
    tls: bool,
    bad_commands: u32,
    /// The deadline of the present command is running.
    deadline_runs: bool,
    gone: bool,
}

impl Login {
    /// A session that has not begun. `tls` where it came over TLS from the start.
    pub fn new(settings: Arc<LoginSettings>, tls: bool) -> Self {
        Self {
            settings,
            input: Input::default(),
            gather: Gather::default(),
            out: Out::default(),
            tasks: VecDeque::new(),
            phase: Phase::Start,
            asked: Asked::Nothing,
            tag: String::new(),
            tls,
            bad_commands: 0,
            deadline_runs: false,
            gone: false,
        }
    }

    /// The client that has logged in: to be asked for when the connection is handed over.
    pub fn logged_in(&mut self) -> LoggedIn {
        LoggedIn { tag: self.tag.clone(), rest: self.input.take_rest() }
    }

    fn ask(&mut self, question: LoginQuestion, asked: Asked) {
        self.tasks.push_back(Task::Ask(question, asked));
    }

    fn wait(&mut self) -> Output<LoginQuestion> {
        if self.deadline_runs {
            return Output::KeepWaiting { extension: std::time::Duration::ZERO };
        }
        self.deadline_runs = true;
        Output::Wait(self.settings.timeout)
    }

    fn advance(&mut self) -> Option<Output<LoginQuestion>> {
        match self.phase {
            Phase::Start if self.settings.wrapper && !self.tls => Some(Output::StartTls),
            Phase::Start => {
                self.phase = Phase::Commands;
                self.ask(LoginQuestion::Connected, Asked::Connected);
                None
            }
            Phase::Commands => self.next_command(),
            Phase::Exchange => self.next_answer(),
            Phase::HandOver => Some(Output::HandOver),
            Phase::Closed => Some(Output::Close),
        }
    }

    fn next_command(&mut self) -> Option<Output<LoginQuestion>> {
        match self.gather.step(&mut self.input, self.settings.command_limit_bytes, &|_| false) {
            Step::Wait => return Some(self.wait()),
            Step::GoOn => self.out.go_on("OK"),
            Step::Whole(line) => self.command(&line),
            Step::AtLiteral(text) | Step::Refused(text, _) => {
                let tag = parse::tag_and_name(&text).map_or_else(|_| "*".to_owned(), |(tag, ..)| tag);
                self.bad(&tag);
            }
        }
        None
    }

    fn command(&mut self, line: &[u8]) {
        self.deadline_runs = false;
        let Ok((tag, name, at)) = parse::tag_and_name(line) else { return self.bad("*") };
        self.tag = tag;
        match parse::command(&name, &line[at..], false) {
            Ok(command) => self.run(command),
            Err(_) => self.bad(&self.tag.clone()),
        }
    }

    fn run(&mut self, command: Command) {
        match command {
            Command::Capability => {
                let capabilities = self.capabilities();
                self.out.capability(&capabilities);
                self.done("Pre-login capabilities listed, post-login capabilities have more.");
            }
            Command::Noop => self.done("NOOP completed."),
            Command::Id(_) => {
                let settings = Arc::clone(&self.settings);
                let pairs: Vec<_> =
                    settings.id.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                self.out.id(&pairs);
                self.done("ID completed.");
            }
            Command::Enable(_) => {
                self.out.enabled(&[]);
                self.done("ENABLE ignored in non-authenticated state.");
            }
            Command::Logout => {
                self.out.bye("Logging out");
                self.done("Logout completed.");
                self.end();
            }
            Command::StartTls => self.start_tls(),
            Command::Login { user, password } => self.log_in(user, password),
            Command::Authenticate(mechanism) => self.authenticate(mechanism),
            _ => self.bad(&self.tag.clone()),
        }
    }

    fn start_tls(&mut self) {
        if self.tls {
            return self.reply(&Reply::bad("TLS is already active."));
        }
        if !self.settings.starttls {
            return self.reply(&Reply::bad("TLS support isn't enabled."));
        }
        // RFC 3501 §6.2.1, CVE-2011-0411: what came in the clear behind the command does not count.
        self.input.clear();
        self.done("Begin TLS negotiation now.");
        self.tasks.push_back(Task::StartTls);
    }

    fn log_in(&mut self, user: Vec<u8>, password: Vec<u8>) {
        if !self.may_send_passwords() {
            return self.refuse_plaintext();
        }
        self.ask(LoginQuestion::Login { user, password }, Asked::Password);
    }

    fn authenticate(&mut self, mechanism: Mechanism) {
        let is = |names: &[String]| names.contains(&mechanism.name);
        if is(&self.settings.plaintext_mechanisms) && !self.may_send_passwords() {
            return self.refuse_plaintext();
        }
        if !self.may_log_in() {
            let text = "There is no log-in here without TLS.";
            return self.reply(&Reply::no(text).with(Code::PrivacyRequired));
        }
        if !is(&self.settings.plaintext_mechanisms) && !is(&self.settings.mechanisms) {
            return self.reply(&Reply::no("Unsupported authentication mechanism."));
        }
        let Mechanism { name, initial } = mechanism;
        if initial.as_ref().is_some_and(|initial| initial != b"=" && !is_base64(initial)) {
            return self.reply(&Reply::bad("Invalid base64 data in initial response"));
        }
        self.ask(LoginQuestion::Begin { mechanism: name, initial }, Asked::Password);
    }

    fn may_send_passwords(&self) -> bool {
        self.may_log_in() && (self.tls || self.settings.plaintext)
    }

    fn may_log_in(&self) -> bool {
        self.tls || !self.settings.requires_tls
    }

    fn refuse_plaintext(&mut self) {
        let text = "Plaintext authentication disallowed on non-secure (SSL/TLS) connections.";
        self.reply(&Reply::no(text).with(Code::PrivacyRequired));
    }

    /// The client's answer in a SASL exchange (RFC 3501 §6.2.2).
    fn next_answer(&mut self) -> Option<Output<LoginQuestion>> {
        let answer = match self.input.line(SASL_LIMIT_BYTES) {
            Line::Partial => return Some(self.wait()),
            Line::TooLong => {
                self.out.bye("Authentication data is too long");
                self.end();
                return None;
            }
            Line::Whole(line) => line,
        };
        self.deadline_runs = false;
        if answer == b"*" {
            self.phase = Phase::Commands;
            self.ask(LoginQuestion::Cancel, Asked::Nothing);
            self.reply(&Reply::bad("Authentication aborted by client."));
        } else if is_base64(&answer) {
            self.ask(LoginQuestion::Continue(answer), Asked::Password);
        } else {
            self.phase = Phase::Commands;
            self.ask(LoginQuestion::Cancel, Asked::Nothing);
            self.reply(
                &Reply::no("Invalid base64 data in continued response").with(Code::AuthenticationFailed),
            );
        }
        None
    }

    fn capabilities(&self) -> Vec<Capability> {
        let settings = &self.settings;
        let mut names = Vec::new();
        if settings.starttls && !self.tls {
            names.push("STARTTLS".to_owned());
        }
        if !self.may_send_passwords() {
            names.push("LOGINDISABLED".to_owned());
        }
        let plaintext = self.may_send_passwords().then_some(&settings.plaintext_mechanisms);
        let others = self.may_log_in().then_some(&settings.mechanisms);
        let mechanisms = plaintext.into_iter().chain(others).flatten();
        names.extend(mechanisms.map(|name| format!("AUTH={name}")));
        let more = names.iter().filter_map(|name| Capability::new(name));
        settings.capabilities.iter().cloned().chain(more).collect()
    }

    fn done(&mut self, text: &'static str) {
        self.bad_commands = 0;
        self.reply(&Reply::ok(text));
    }

    fn reply(&mut self, reply: &Reply) {
        self.out.tagged(&self.tag, reply);
    }

    fn bad(&mut self, tag: &str) {
        self.deadline_runs = false;
        self.bad_commands += 1;
        if self.bad_commands >= self.settings.bad_command_limit {
            self.out.bye("Too many invalid IMAP commands.");
            return self.end();
        }
        self.out.tagged(tag, &Reply::bad("Error in IMAP command received by server."));
    }

    fn end(&mut self) {
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            self.input.clear();
            self.gather = Gather::default();
            self.ask(LoginQuestion::Ended, Asked::Nothing);
        }
    }

    fn connected(&mut self, answer: LoginAnswer) {
        match answer {
            LoginAnswer::Turned(text) => {
                self.out.bye(&text);
                return self.end();
            }
            LoginAnswer::Offers { mechanisms, plaintext_mechanisms } => {
                let settings = Arc::make_mut(&mut self.settings);
                settings.mechanisms = mechanisms;
                settings.plaintext_mechanisms = plaintext_mechanisms;
            }
            _ => {}
        }
        let code = Code::Capability(self.capabilities());
        self.out.untagged(&Reply::ok(self.settings.greeting.clone()).with(code));
    }

    fn judged(&mut self, answer: LoginAnswer) {
        match answer {
            LoginAnswer::Challenge(text) => {
                self.phase = Phase::Exchange;
                self.out.go_on(&String::from_utf8_lossy(&text));
            }
            LoginAnswer::Accepted => self.phase = Phase::HandOver,
            LoginAnswer::Denied(denial) => self.denied(denial),
            _ => self.denied(Denial::Unavailable),
        }
    }

    fn denied(&mut self, denial: Denial) {
        self.phase = Phase::Commands;
        let reply = match denial {
            Denial::Credentials => Reply::no("Authentication failed.").with(Code::AuthenticationFailed),
            Denial::Unavailable => Reply::no("Temporary authentication failure.").with(Code::Unavailable),
            Denial::NotAllowed => Reply::no("Login is not allowed here.").with(Code::NoPerm),
        };
        self.reply(&reply);
    }
}

fn is_base64(text: &[u8]) -> bool {
    text.len() <= SASL_LIMIT_BYTES
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

impl Machine for Login {
    type Question = LoginQuestion;
    type Answer = LoginAnswer;

    fn poll(&mut self) -> Output<LoginQuestion> {
        loop {
            if !self.out.is_empty() {
                return Output::Write(self.out.take());
            }
            match self.tasks.pop_front() {
                Some(Task::Ask(question, asked)) => {
                    self.asked = asked;
                    self.deadline_runs = false;
                    return Output::Ask(question);
                }
                Some(Task::StartTls) => return Output::StartTls,
                None => {}
            }
            if let Some(output) = self.advance() {
                if !self.out.is_empty() || !self.tasks.is_empty() {
                    continue;
                }
                return output;
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        if self.phase != Phase::Closed {
            self.input.push(bytes);
        }
    }

    fn answered(&mut self, answer: LoginAnswer) {
        if self.gone {
            return self.end();
        }
        match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Nothing => {}
            Asked::Connected => self.connected(answer),
            Asked::Password => self.judged(answer),
        }
    }

    fn secured(&mut self, facts: TlsFacts) {
        self.input.clear();
        self.tls = true;
        self.deadline_runs = false;
        self.ask(LoginQuestion::Secured(facts), Asked::Nothing);
    }

    fn elapsed(&mut self) {
        self.out.bye("Disconnected for inactivity.");
        self.end();
    }

    fn disconnected(&mut self, _why: Disconnect) {
        self.out = Out::default();
        self.gone = true;
        if self.asked == Asked::Nothing {
            self.end();
        }
    }

    fn stopping(&mut self) {
        if self.asked == Asked::Nothing && self.phase != Phase::Closed {
            self.out.bye("Server shutting down.");
            self.end();
        }
    }
}
