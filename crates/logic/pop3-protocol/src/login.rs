//! AUTHORIZATION: until the client has said who it is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use machine::{Disconnect, Machine, Output, TlsFacts};
use sasl::{PlainMessage, initial_response};

use crate::command::Command;
use crate::input::{Input, Next};
use crate::{BAD_COMMANDS_LIMIT, RESPONSE_LIMIT_BYTES, capabilities};

/// What holds for all clients of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSettings {
    /// What the greeting says, without `+OK`.
    pub greeting: String,
    /// STLS is offered.
    pub offers_tls: bool,
    /// TLS comes first, without STLS.
    pub wrapper: bool,
    /// No login without TLS.
    pub requires_tls: bool,
    /// A password in the clear is taken over TLS only (or from this host, see [`Login::new`]).
    pub plaintext_needs_tls: bool,
    /// How long a client may take to log in, in all.
    pub timeout: Duration,
    /// Failed logins after which the client is sent away.
    pub failures_limit: u32,
    /// For `EXPIRE`; 0 is NEVER.
    pub expire_days: u32,
}

/// What only the user database knows.
#[derive(Clone, PartialEq, Eq)]
pub enum LoginQuestion {
    /// Which mechanisms are there? Answered by [`LoginAnswer::Offers`]. Comes first.
    Offers,
    /// A client begins; the answer is any of the others.
    Begin {
        /// SASL's name of the mechanism, or `APOP`.
        mechanism: String,
        /// The initial response, if there is one.
        response: Option<Vec<u8>>,
        /// Nobody listens.
        secured: bool,
    },
    /// The answer to a challenge.
    Respond(Vec<u8>),
    /// The client has given the exchange up. Answered by [`LoginAnswer::Noted`].
    Cancel,
}

/// What the user database says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginAnswer {
    /// The mechanisms.
    Offers {
        /// Names, those that show the password included.
        mechanisms: Vec<String>,
        /// Of those, the ones that show the password to who listens.
        plaintext: Vec<String>,
        /// The time stamp for APOP, `<...@host>`, when every user can use it.
        timestamp: Option<String>,
    },
    /// The client has to answer this.
    Challenge(Vec<u8>),
    /// The client is who it says.
    Accepted,
    /// It is not.
    Refused,
    /// Nobody can tell now.
    Unavailable,
    /// All right.
    Noted,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Start,
    Ready,
    /// An answer is on its way.
    Asked,
    /// The client has a challenge to answer.
    Exchange,
    Over,
}

/// The dialogue with one client until it has logged in.
pub struct Login {
    settings: Arc<LoginSettings>,
    state: State,
    input: Input,
    outputs: VecDeque<Output<LoginQuestion>>,
    mechanisms: Vec<String>,
    plaintext: Vec<String>,
    timestamp: Option<String>,
    user: Option<String>,
    is_local: bool,
    is_secured: bool,
    /// The deadline runs.
    waits: bool,
    failures: u32,
    bad_commands: u32,
}

impl Login {
    /// A client that has just connected; `is_local` when it is on this host.
    pub fn new(settings: Arc<LoginSettings>, is_local: bool) -> Self {
        Self {
            settings,
            state: State::Start,
            input: Input::default(),
            outputs: VecDeque::new(),
            mechanisms: Vec::new(),
            plaintext: Vec::new(),
            timestamp: None,
            user: None,
            is_local,
            is_secured: false,
            waits: false,
            failures: 0,
            bad_commands: 0,
        }
    }

    /// What the client has sent beyond its login; of interest after `Output::HandOver`.
    pub fn take_early(&mut self) -> Vec<u8> {
        self.input.take()
    }

    /// Is the connection secured by TLS?
    pub fn is_secured(&self) -> bool {
        self.is_secured
    }

    fn begin(&mut self) {
        if self.settings.wrapper && !self.is_secured {
            self.outputs.push_back(Output::StartTls);
        }
        self.outputs.push_back(Output::Ask(LoginQuestion::Offers));
        self.state = State::Asked;
    }

    fn say(&mut self, line: &str) {
        self.outputs.push_back(Output::Write(format!("{line}\r\n").into_bytes()));
    }

    fn end(&mut self, line: &str) {
        self.say(line);
        self.outputs.push_back(Output::Close);
        self.state = State::Over;
    }

    fn ask(&mut self, question: LoginQuestion) {
        self.outputs.push_back(Output::Ask(question));
        self.state = State::Asked;
    }

    fn bad_command(&mut self, line: &str) {
        self.bad_commands += 1;
        match self.bad_commands {
            BAD_COMMANDS_LIMIT.. => self.end("-ERR Too many bad commands."),
            _ => self.say(line),
        }
    }

    /// May a password travel as it is?
    fn plaintext_allowed(&self) -> bool {
        let tls_rule = !self.settings.requires_tls || self.is_secured;
        tls_rule && (self.is_secured || self.is_local || !self.settings.plaintext_needs_tls)
    }

    fn offers(&self, mechanism: &str) -> bool {
        let known = |list: &[String]| list.iter().any(|name| name.eq_ignore_ascii_case(mechanism));
        let tls_rule = !self.settings.requires_tls || self.is_secured;
        known(&self.mechanisms) && tls_rule && (self.plaintext_allowed() || !known(&self.plaintext))
    }

    fn obey(&mut self, line: &[u8]) {
        let Some(command) = Command::parse(line) else {
            return self.bad_command("-ERR Unknown command.");
        };
        match command.keyword.as_str() {
            "CAPA" => self.capa(),
            "USER" => self.user(command.rest),
            "PASS" => self.pass(&command.rest),
            "APOP" => self.apop(&command.rest),
            "AUTH" => self.auth(&command.rest),
            "STLS" => self.stls(),
            "UTF8" => self.say("+OK UTF8 enabled."),
            "NOOP" => self.say("+OK"),
            "QUIT" => self.end("+OK Logging out"),
            _ => self.bad_command("-ERR Unknown command."),
        }
    }

    fn capa(&mut self) {
        let mut text = format!("+OK\r\n{}", capabilities(self.settings.expire_days));
        if self.settings.offers_tls && !self.is_secured {
            text.push_str("STLS\r\n");
        }
        if self.plaintext_allowed() {
            text.push_str("USER\r\n");
        }
        let offered: Vec<&str> =
            self.mechanisms.iter().map(String::as_str).filter(|name| self.offers(name)).collect();
        if !offered.is_empty() {
            text.push_str(&format!("SASL {}\r\n", offered.join(" ")));
        }
        self.say(&format!("{text}."));
    }

    fn user(&mut self, name: String) {
        if !self.plaintext_allowed() {
            return self.say(NEEDS_TLS);
        }
        if name.trim().is_empty() {
            return self.bad_command("-ERR Missing parameters.");
        }
        self.user = Some(name);
        self.say("+OK");
    }

    fn pass(&mut self, password: &str) {
        let Some(login) = self.user.take() else {
            return self.bad_command("-ERR No username given.");
        };
        let message = PlainMessage { authorize: String::new(), login, password: password.to_owned() };
        self.ask(LoginQuestion::Begin {
            mechanism: "PLAIN".to_owned(),
            response: Some(message.to_bytes()),
            secured: self.is_secured,
        });
    }

    /// RFC 1939 §7.
    fn apop(&mut self, rest: &str) {
        let tls_rule = !self.settings.requires_tls || self.is_secured;
        let Some(timestamp) = self.timestamp.clone().filter(|_| tls_rule) else {
            return self.bad_command("-ERR APOP not enabled.");
        };
        let digest = rest.rsplit_once(' ');
        let response =
            digest.and_then(|(login, digest)| sasl::apop_response(&timestamp, login.trim(), digest));
        match response {
            Some(response) => self.ask(LoginQuestion::Begin {
                mechanism: "APOP".to_owned(),
                response: Some(response),
                secured: self.is_secured,
            }),
            None => self.bad_command("-ERR Invalid parameters."),
        }
    }

    /// RFC 5034 §4; without an argument the names are listed, as old clients expect it.
    fn auth(&mut self, rest: &str) {
        let mut words = rest.split_whitespace();
        let Some(mechanism) = words.next() else {
            let offered: String = self
                .mechanisms
                .iter()
                .filter(|name| self.offers(name))
                .map(|name| format!("{name}\r\n"))
                .collect();
            return self.say(&format!("+OK\r\n{offered}."));
        };
        let response = words.next();
        if words.next().is_some() {
            return self.bad_command("-ERR Invalid parameters.");
        }
        if !self.offers(mechanism) {
            let hidden = self.plaintext.iter().any(|name| name.eq_ignore_ascii_case(mechanism));
            return self.bad_command(if hidden {
                NEEDS_TLS
            } else {
                "-ERR Unsupported authentication mechanism."
            });
        }
        let response = match response.map(initial_response) {
            Some(None) => return self.bad_command("-ERR Invalid base64 data in initial response."),
            Some(Some(bytes)) => Some(bytes),
            None => None,
        };
        let mechanism = mechanism.to_ascii_uppercase();
        self.ask(LoginQuestion::Begin { mechanism, response, secured: self.is_secured });
    }

    /// The client's answer to a challenge.
    fn respond(&mut self, line: &[u8]) {
        let text = std::str::from_utf8(line).ok();
        match (text, text.and_then(initial_response)) {
            (Some("*"), _) => {
                self.say("-ERR Authentication aborted by client.");
                self.ask(LoginQuestion::Cancel);
            }
            (_, Some(bytes)) => self.ask(LoginQuestion::Respond(bytes)),
            (_, None) => {
                self.say("-ERR Invalid base64 data in continued response.");
                self.ask(LoginQuestion::Cancel);
            }
        }
    }

    /// RFC 2595 §4: what was known of the client is forgotten, and what it sent after the command too.
    fn stls(&mut self) {
        if !self.settings.offers_tls || self.is_secured {
            return self.bad_command("-ERR TLS is not available.");
        }
        self.say("+OK Begin TLS negotiation now.");
        self.outputs.push_back(Output::StartTls);
        self.state = State::Over;
        self.user = None;
        self.input.clear();
    }

    fn failed(&mut self) {
        self.failures += 1;
        self.state = State::Ready;
        if self.failures >= self.settings.failures_limit {
            return self.end("-ERR [AUTH] Too many failed logins.");
        }
        self.say("-ERR [AUTH] Authentication failed.");
    }

    fn next_line(&mut self) {
        // AUTH may carry an initial response.
        match self.input.next_line(RESPONSE_LIMIT_BYTES) {
            Next::Line(line) if self.state == State::Exchange => self.respond(&line),
            Next::Line(line) => self.obey(&line),
            Next::TooLong => self.end("-ERR Command line too long."),
            Next::Incomplete => {
                // One deadline from question to question, however many words a client takes.
                let wait = match std::mem::replace(&mut self.waits, true) {
                    false => Output::Wait(self.settings.timeout),
                    true => Output::KeepWaiting { extension: Duration::ZERO },
                };
                self.outputs.push_back(wait);
            }
        }
    }
}

const NEEDS_TLS: &str =
    "-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.";

impl Machine for Login {
    type Question = LoginQuestion;
    type Answer = LoginAnswer;

    fn poll(&mut self) -> Output<LoginQuestion> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            match self.state {
                State::Start => self.begin(),
                State::Ready | State::Exchange => self.next_line(),
                State::Asked | State::Over => return Output::Close,
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        self.input.push(bytes);
    }

    fn answered(&mut self, answer: LoginAnswer) {
        // The deadline does not run while a question is open.
        self.waits = false;
        match answer {
            LoginAnswer::Offers { mechanisms, plaintext, timestamp } => {
                let stamp = timestamp.as_deref().map_or(String::new(), |stamp| format!(" {stamp}"));
                self.say(&format!("+OK {}{stamp}", self.settings.greeting));
                (self.mechanisms, self.plaintext, self.timestamp) = (mechanisms, plaintext, timestamp);
                self.state = State::Ready;
            }
            LoginAnswer::Challenge(bytes) => {
                self.say(&format!("+ {}", STANDARD.encode(bytes)));
                self.state = State::Exchange;
            }
            LoginAnswer::Accepted => {
                self.outputs.push_back(Output::HandOver);
                self.state = State::Over;
            }
            LoginAnswer::Refused => self.failed(),
            LoginAnswer::Unavailable => {
                self.say("-ERR [SYS/TEMP] Temporary authentication failure.");
                self.state = State::Ready;
            }
            LoginAnswer::Noted => self.state = State::Ready,
        }
    }

    fn secured(&mut self, _facts: TlsFacts) {
        self.is_secured = true;
        self.waits = false;
        if self.state == State::Over {
            self.state = State::Ready;
        }
    }

    fn elapsed(&mut self) {
        self.end("-ERR Disconnected for inactivity.");
    }

    fn disconnected(&mut self, _why: Disconnect) {
        self.outputs.clear();
        self.state = State::Over;
    }

    fn stopping(&mut self) {
        if matches!(self.state, State::Ready | State::Exchange) {
            self.end("-ERR [SYS/TEMP] Server shutting down.");
        }
    }
}

impl std::fmt::Debug for LoginQuestion {
    /// Never what the client has sent.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Offers => f.write_str("Offers"),
            Self::Begin { mechanism, .. } => write!(f, "Begin {mechanism}"),
            Self::Respond(_) => f.write_str("Respond"),
            Self::Cancel => f.write_str("Cancel"),
        }
    }
}
