//! XCLIENT and XFORWARD: being told about another client.

use super::{Asked, Server};
use crate::question::{Admission, Answer, Question};
use crate::token::Token;
use crate::xclient;

impl Server {
    pub(super) fn xclient(&mut self, words: &[Token]) {
        if self.transaction.is_some() {
            return self.refuse("503 5.5.1 Error: MAIL transaction in progress");
        }
        if words.is_empty() {
            return self.refuse("501 5.5.4 Syntax: XCLIENT attribute=value...");
        }
        if !self.admission.xclient {
            return self.refuse("550 5.7.0 Error: insufficient authorization");
        }
        match xclient::xclient(&texts(words)) {
            Ok(attributes) => self.ask(Question::Xclient(attributes), Asked::Xclient),
            Err(reply) => self.refuse(reply),
        }
    }

    /// The session starts again as that client, with what that one is allowed. The command does not count as one that
    /// succeeded, as in Postfix.
    pub(super) fn xclient_done(&mut self, answer: Answer) {
        if let Answer::Admit(admission) = answer {
            // XFORWARD is a right of whoever has connected.
            let xforward = self.admission.xforward;
            self.admission = Admission { xforward, ..*admission };
        }
        self.helo = false;
        self.extended = false;
        self.greet();
    }

    pub(super) fn xforward(&mut self, words: &[Token]) {
        if self.transaction.is_some() {
            return self.refuse("503 5.5.1 Error: MAIL transaction in progress");
        }
        if words.is_empty() {
            return self.refuse("501 5.5.4 Syntax: XFORWARD attribute=value...");
        }
        if !self.admission.xforward {
            return self.refuse("550 5.7.0 Error: insufficient authorization");
        }
        match xclient::xforward(&texts(words)) {
            Ok(attributes) => {
                self.ask(Question::Xforward(attributes), Asked::Nothing);
                self.done("250 2.0.0 Ok");
            }
            Err(reply) => self.refuse(reply),
        }
    }
}

fn texts(words: &[Token]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}
