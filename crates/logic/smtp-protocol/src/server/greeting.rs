//! The start of a session: PROXY header, connection, TLS wrapper, banner, HELO, STARTTLS.

use machine::Output;

use super::{Asked, Phase, Server, Step};
use crate::command::Command;
use crate::proxy_protocol::{self, Header};
use crate::question::{Answer, Event, Hello, Question};
use crate::settings::TlsLevel;
use crate::token::Token;
use crate::xclient::{XCLIENT_KEYWORD, XFORWARD_KEYWORD};

impl Server {
    pub(super) fn begin(&mut self) {
        if self.settings.proxy_protocol {
            self.phase = Phase::Proxy;
        } else {
            self.phase = Phase::Commands;
            self.ask(Question::Connect(None), Asked::Connect);
        }
    }

    pub(super) fn proxy_header(&mut self) -> Option<Output<Question>> {
        match proxy_protocol::parse(self.input.bytes()) {
            Header::Incomplete => return Some(self.wait(self.settings.proxy_timeout)),
            Header::Whole { bytes, endpoints } => {
                self.input.consume(bytes);
                self.phase = Phase::Commands;
                self.ask(Question::Connect(endpoints), Asked::Connect);
            }
            Header::Wrong(why) => {
                self.note(Event::BadProxyHeader(why));
                self.end(None);
            }
        }
        None
    }

    pub(super) fn admit(&mut self, answer: Answer) {
        if let Answer::Admit(admission) = answer {
            self.admission = *admission;
        }
        match self.settings.tls {
            _ if !self.settings.tls_wrapper || self.tls => self.greet(),
            TlsLevel::Broken { .. } | TlsLevel::None => {
                self.note(Event::TlsUnavailable);
                self.end(None);
            }
            TlsLevel::May | TlsLevel::Encrypt => self.steps.push_back(Step::StartTls),
        }
    }

    /// RFC 5321 §3.1. A client that is not wanted hears why, and then may only QUIT.
    pub(super) fn greet(&mut self) {
        self.greeted = true;
        match self.admission.refused.clone() {
            Some(reply) => {
                self.say(reply);
                self.errors += 1;
            }
            None => self.say(format!("220 {}", self.settings.banner)),
        }
    }

    /// RFC 5321 §4.1.1.1
    pub(super) fn hello(&mut self, words: &[Token], extended: bool) {
        let verb = if extended { "EHLO" } else { "HELO" };
        if words.is_empty() {
            return self.refuse(format!("501 Syntax: {verb} hostname"));
        }
        let name = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let hello = Hello { name: presentable(&name), extended };
        self.ask(Question::Hello(hello.clone()), Asked::Hello(hello));
    }

    pub(super) fn hello_done(&mut self, hello: Hello, answer: Answer) {
        if let Answer::Refuse(reply) = answer {
            return self.refuse(reply);
        }
        self.reset();
        self.flush_history(self.settings.history_threshold, None);
        self.helo = true;
        if !hello.extended {
            // The protocol stays what it was: else a HELO would hide pipelining from the check for it.
            return self.done(format!("250 {}", self.settings.hostname));
        }
        self.extended = true;
        if self.admission.discard != crate::settings::Keywords::default() {
            self.note(Event::DiscardingKeywords(self.admission.discard));
        }
        let lines = self.keywords().join("\n");
        self.done(format!("250 {}\n{lines}", self.settings.hostname));
    }

    /// What EHLO offers, in Postfix's order.
    fn keywords(&self) -> Vec<String> {
        let tls = self.settings.tls.offered() && !self.tls;
        let size = match self.settings.message_limit_bytes {
            0 => "SIZE".to_owned(),
            limit => format!("SIZE {limit}"),
        };
        let offers = [
            (true, "PIPELINING"),
            (true, size.as_str()),
            (!self.settings.vrfy_disabled, "VRFY"),
            (true, "ETRN"),
            (tls, "STARTTLS"),
            (self.admission.verp, "XVERP"),
            (self.admission.xclient, XCLIENT_KEYWORD),
            (self.admission.xforward, XFORWARD_KEYWORD),
            (true, "ENHANCEDSTATUSCODES"),
            (true, "8BITMIME"),
            (true, "DSN"),
            (self.settings.smtputf8, "SMTPUTF8"),
            (true, "CHUNKING"),
        ];
        let hidden = |text: &str| self.admission.discard.has(text.split(' ').next().unwrap_or(text));
        let shown = offers.iter().filter(|(offered, text)| *offered && !hidden(text));
        shown.map(|(_, text)| (*text).to_owned()).collect()
    }

    /// RFC 3207
    pub(super) fn starttls(&mut self, words: &[Token]) {
        if !words.is_empty() {
            return self.refuse("501 5.5.4 Syntax: STARTTLS");
        }
        if self.tls {
            return self.refuse("554 5.5.1 Error: TLS already active");
        }
        match self.settings.tls {
            TlsLevel::None => self.refuse("502 5.5.1 Error: command not implemented"),
            _ if self.admission.discard.has("STARTTLS") => {
                self.refuse("502 5.5.1 Error: command not implemented")
            }
            TlsLevel::Broken { .. } => self.refuse("454 4.7.0 TLS not available due to local problem"),
            TlsLevel::May | TlsLevel::Encrypt => self.ask(Question::StartTls, Asked::StartTls),
        }
    }

    pub(super) fn starttls_done(&mut self, answer: Answer) {
        if let Answer::Refuse(reply) = answer {
            return self.refuse(reply);
        }
        self.say("220 2.0.0 Ready to start TLS");
        self.after = Command::Starttls.name();
        self.steps.push_back(Step::StartTls);
    }
}

impl Server {
    /// TLS is there: the client goes on with EHLO, or in wrapper mode is greeted.
    pub(super) fn secured_done(&mut self, answer: Answer) {
        match answer {
            Answer::Refuse(reply) => self.refuse(reply),
            _ if self.greeted => self.counts.succeeded(Command::Starttls),
            _ => self.greet(),
        }
    }
}

/// The name as it may stand in a header and in the log: nothing that ends a comment or an address.
fn presentable(name: &str) -> String {
    let odd = |c: char| c.is_control() || " <>()\\\";@".contains(c);
    name.chars().map(|c| if odd(c) { '?' } else { c }).collect()
}
