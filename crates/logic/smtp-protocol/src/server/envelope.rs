//! MAIL and RCPT (RFC 5321 §4.1.1.2, §4.1.1.3).

use super::{Asked, Chunks, Server, Transaction};
use crate::command::Command;
use crate::esmtp;
use crate::question::{Answer, Event, Question, Recipient, Sender};
use crate::token::Token;

impl Server {
    pub(super) fn mail(&mut self, words: Vec<Token>) {
        if self.settings.helo_required && !self.helo {
            return self.refuse("503 5.5.1 Error: send HELO/EHLO first");
        }
        if self.transaction.is_some() {
            return self.refuse("503 5.5.1 Error: nested MAIL command");
        }
        if self.bdat != Chunks::None {
            return self.refuse("503 5.5.1 Error: MAIL after BDAT");
        }
        if !has_path(&words, "from:") {
            return self.refuse("501 5.5.4 Syntax: MAIL FROM:<address>");
        }
        if self.admission.rates {
            self.ask(Question::Rate(Command::Mail), Asked::MailRate(words));
        } else {
            self.mail_address(Answer::Proceed, words);
        }
    }

    pub(super) fn mail_address(&mut self, answer: Answer, words: Vec<Token>) {
        if let Answer::Refuse(reply) = answer {
            return self.refuse(reply);
        }
        let Some(address) = self.extract(&words[1], true) else {
            return self.refuse("501 5.1.7 Bad sender address syntax");
        };
        self.utf8 = self.settings.smtputf8
            && words[2..].iter().any(|word| word.text.eq_ignore_ascii_case("SMTPUTF8"));
        if self.needs_utf8(&address) {
            self.note_illegal(&words[1]);
            return self.refuse("501 5.1.7 Bad sender address syntax");
        }
        let sender = Sender { address: address.clone(), ..Sender::default() };
        let question = Question::Address { command: Command::Mail, address };
        self.ask(question, Asked::MailAddress(sender, words));
    }

    pub(super) fn mail_parameters(&mut self, answer: Answer, mut sender: Sender, words: &[Token]) {
        if let Answer::Refuse(_) = answer {
            self.note_illegal(&words[1]);
            return self.refuse("501 5.1.7 Bad sender address syntax");
        }
        match esmtp::mail(&texts(&words[2..]), &self.settings, self.allowed(), &mut sender) {
            Err(reply) => self.refuse(reply),
            Ok(()) if self.must_declare_utf8(&sender) => self.refuse(UNDECLARED),
            Ok(()) => self.ask(Question::Mail(sender), Asked::Mail),
        }
    }

    /// RFC 6531 §3.4, if `strict_smtputf8` wants it.
    fn must_declare_utf8(&self, sender: &Sender) -> bool {
        self.settings.smtputf8
            && self.settings.strict_smtputf8
            && !sender.smtputf8
            && !sender.address.is_ascii()
    }

    pub(super) fn mail_done(&mut self, answer: Answer) {
        match answer {
            Answer::Refuse(reply) => self.refuse(reply),
            _ => {
                self.transaction = Some(Transaction::default());
                self.done("250 2.1.0 Ok");
            }
        }
    }

    pub(super) fn rcpt(&mut self, words: Vec<Token>) {
        if self.transaction.is_none() {
            return self.refuse("503 5.5.1 Error: need MAIL command");
        }
        if self.bdat != Chunks::None {
            return self.refuse("503 5.5.1 Error: RCPT after BDAT");
        }
        if !has_path(&words, "to:") {
            return self.refuse("501 5.5.4 Syntax: RCPT TO:<address>");
        }
        if self.admission.rates {
            self.ask(Question::Rate(Command::Rcpt), Asked::RcptRate(words));
        } else {
            self.rcpt_address(Answer::Proceed, words);
        }
    }

    pub(super) fn rcpt_address(&mut self, answer: Answer, words: Vec<Token>) {
        if let Answer::Refuse(reply) = answer {
            return self.refuse(reply);
        }
        let Some(address) = self.extract(&words[1], false) else {
            return self.refuse("501 5.1.3 Bad recipient address syntax");
        };
        if self.needs_utf8(&address) {
            self.note_illegal(&words[1]);
            return self.refuse("501 5.1.3 Bad recipient address syntax");
        }
        let question = Question::Address { command: Command::Rcpt, address: address.clone() };
        self.ask(question, Asked::RcptAddress(address, words));
    }

    pub(super) fn rcpt_parameters(&mut self, answer: Answer, address: String, words: &[Token]) {
        if let Answer::Refuse(_) = answer {
            self.note_illegal(&words[1]);
            return self.refuse("501 5.1.3 Bad recipient address syntax");
        }
        let parameters = match esmtp::rcpt(&texts(&words[2..]), self.allowed()) {
            Ok(parameters) => parameters,
            Err(wrong) => {
                if let Some(unknown) = wrong.unknown {
                    self.note(unknown);
                }
                return self.refuse(wrong.reply);
            }
        };
        if self.recipients_full() {
            return;
        }
        let original =
            parameters.original.unwrap_or_else(|| format!("rfc822;{}", unbracketed(&words[1].text)));
        let recipient = Recipient { address, notify: parameters.notify, original };
        self.ask(Question::Rcpt(recipient), Asked::Rcpt);
    }

    /// RFC 5321 §4.5.3.1.10. Up to a second limit this is no error of the client.
    fn recipients_full(&mut self) -> bool {
        let limit = self.settings.recipient_limit;
        let overshoot_limit = self.settings.recipient_overshoot_limit;
        let Some(transaction) =
            self.transaction.as_mut().filter(|open| limit > 0 && open.recipients >= limit)
        else {
            return false;
        };
        transaction.overshoot += 1;
        let reply = "452 4.5.3 Error: too many recipients";
        if transaction.overshoot <= overshoot_limit {
            self.done(reply)
        } else {
            self.refuse(reply)
        }
        true
    }

    pub(super) fn rcpt_done(&mut self, answer: Answer) {
        if let Answer::Refuse(reply) = answer {
            return self.refuse(reply);
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.recipients += 1;
        }
        self.done("250 2.1.5 Ok");
    }

    /// A domain beyond ASCII is one only where SMTPUTF8 was declared (RFC 6531 §3.4); a local part may pass.
    pub(super) fn needs_utf8(&self, address: &str) -> bool {
        !self.utf8 && address.rsplit_once('@').is_some_and(|(_, domain)| !domain.is_ascii())
    }

    /// The address in an argument, or `None` where there is not exactly one; the log hears of that.
    pub(super) fn extract(&mut self, word: &Token, may_be_empty: bool) -> Option<String> {
        if word.broken && self.command != Command::Vrfy {
            return None;
        }
        let strict = self.settings.strict_envelopes && self.command != Command::Vrfy;
        let found = address::parse_path(&word.text, strict).ok().map(String::from);
        let address = found.filter(|address| may_be_empty || !address.is_empty());
        if address.is_none() {
            self.note_illegal(word);
        }
        address
    }

    pub(super) fn note_illegal(&mut self, word: &Token) {
        let shown = word.text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        self.note(Event::IllegalAddress(self.command.name(), shown));
    }
}

const UNDECLARED: &str = "553 5.6.7 Must declare SMTPUTF8 to send unicode address";

fn has_path(words: &[Token], label: &str) -> bool {
    words.len() >= 2 && words[0].text.eq_ignore_ascii_case(label)
}

fn texts(words: &[Token]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text)
}
