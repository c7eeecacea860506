//! Commands that ask and change nothing: VRFY, EXPN, ETRN, HELP.

use super::{Asked, Server};
use crate::command::Command;
use crate::question::{Answer, Question};
use crate::reply::Reply;
use crate::token::Token;
use crate::xclient::is_host_name;

impl Server {
    /// RFC 5321 §3.5.3: 252 is the honest answer of a server that only knows that it would take the mail.
    pub(super) fn vrfy(&mut self, words: &[Token]) {
        if self.settings.vrfy_disabled {
            return self.refuse("502 5.5.1 VRFY command is disabled");
        }
        if words.is_empty() {
            let more = if self.settings.smtputf8 { " [SMTPUTF8]" } else { "" };
            return self.refuse(format!("501 5.5.4 Syntax: VRFY address{more}"));
        }
        let rest = without_smtputf8(words, self.settings.smtputf8);
        self.utf8 = rest.len() < words.len();
        let word = joined(rest);
        let Some(address) = self.extract(&word, false).filter(|address| !self.needs_utf8(address)) else {
            return self.refuse("501 5.1.3 Bad recipient address syntax");
        };
        let question = Question::Address { command: Command::Vrfy, address: address.clone() };
        self.ask(question, Asked::VrfyAddress(address, word.text));
    }

    pub(super) fn vrfy_address(&mut self, answer: Answer, address: String, text: String) {
        if let Answer::Refuse(_) = answer {
            self.note_illegal(&Token { text, broken: false });
            return self.refuse("501 5.1.3 Bad recipient address syntax");
        }
        self.ask(Question::Vrfy(address), Asked::Vrfy(text));
    }

    pub(super) fn vrfy_done(&mut self, answer: Answer, text: &str) {
        self.simple_done(answer, &format!("252 2.0.0 {text}"));
    }

    /// RFC 5321 §3.5.2, off unless it is switched on: it gives the members of a list away.
    pub(super) fn expn(&mut self, words: &[Token]) {
        if !self.settings.expn {
            return self.refuse("502 5.5.1 EXPN command is disabled");
        }
        if words.is_empty() {
            return self.refuse("501 5.5.4 Syntax: EXPN list");
        }
        let word = joined(without_smtputf8(words, self.settings.smtputf8));
        match self.extract(&word, false) {
            Some(address) => self.ask(Question::Expn(address), Asked::Expn),
            None => self.refuse("501 5.1.3 Bad recipient address syntax"),
        }
    }

    pub(super) fn expn_done(&mut self, answer: Answer) {
        match answer {
            Answer::Members(members) if !members.is_empty() => {
                let lines: Vec<_> = members.iter().map(|member| format!("2.0.0 <{member}>")).collect();
                self.done(format!("250 {}", lines.join("\n")));
            }
            Answer::Refuse(reply) => self.refuse(reply),
            _ => self.refuse("550 5.1.1 Not a list"),
        }
    }

    /// RFC 1985
    pub(super) fn etrn(&mut self, words: &[Token]) {
        if self.settings.helo_required && !self.helo {
            return self.refuse("503 Error: send HELO/EHLO first");
        }
        if self.transaction.is_some() {
            return self.refuse("503 Error: MAIL transaction in progress");
        }
        let [word] = words else { return self.refuse("500 Syntax: ETRN domain") };
        let domain = word.text.strip_prefix(['@', '#']).unwrap_or(&word.text);
        if !is_host_name(domain) && !is_literal(domain) {
            return self.refuse("501 Error: invalid parameter syntax");
        }
        self.ask(Question::Etrn(domain.to_owned()), Asked::Etrn);
    }

    /// RFC 5321 §4.1.1.8
    pub(super) fn help(&mut self) {
        if !self.settings.help {
            return self.refuse("500 5.5.2 Error: command not recognized");
        }
        self.done(self.commands());
    }

    fn commands(&self) -> Reply {
        let mut names =
            vec!["HELO", "EHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "QUIT", "HELP", "ETRN"];
        if !self.settings.vrfy_disabled {
            names.push("VRFY");
        }
        if self.settings.expn {
            names.push("EXPN");
        }
        if self.settings.tls.offered() && !self.tls {
            names.push("STARTTLS");
        }
        format!("214 2.0.0 Commands supported:\n2.0.0 {}", names.join(" ")).into()
    }
}

fn without_smtputf8(words: &[Token], enabled: bool) -> &[Token] {
    match words {
        [rest @ .., last] if enabled && !rest.is_empty() && last.text.eq_ignore_ascii_case("SMTPUTF8") => {
            rest
        }
        _ => words,
    }
}

fn joined(words: &[Token]) -> Token {
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    Token { text, broken: words.iter().any(|word| word.broken) }
}

/// `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3)
fn is_literal(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else { return false };
    match inner.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("ipv6:") => inner[5..].parse::<core::net::Ipv6Addr>().is_ok(),
        _ => inner.parse::<core::net::Ipv4Addr>().is_ok(),
    }
}
