//! SELECT and EXAMINE (RFC 3501 §9, RFC 7162 §3.1.8, §3.2.5).

use crate::parse::{Cursor, Parsed, Refusal};
use crate::types::{Command, Qresync, SelectOptions};

impl Cursor<'_> {
    /// select = "SELECT" SP mailbox [select-params]
    pub(crate) fn select(&mut self, read_only: bool) -> Parsed<Command> {
        self.space()?;
        let mailbox = self.mailbox()?;
        let mut options = SelectOptions::default();
        while self.take(b' ') {}
        if !self.is_done() {
            self.list(|cursor| cursor.select_parameter(&mut options))?;
        }
        self.end()?;
        Ok(Command::Select { mailbox, options, read_only })
    }

    fn select_parameter(&mut self, options: &mut SelectOptions) -> Parsed<()> {
        match self.word()?.as_str() {
            "CONDSTORE" => options.condstore = true,
            "QRESYNC" => {
                self.space()?;
                options.qresync = Some(self.qresync()?);
            }
            _ => return Err(Refusal::new("Unknown SELECT parameter")),
        }
        Ok(())
    }

    /// "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"
    fn qresync(&mut self) -> Parsed<Qresync> {
        self.expect(b'(')?;
        let uid_validity = self.number32()?;
        self.space()?;
        let modseq = self.mod_sequence()?;
        let mut qresync = Qresync { uid_validity, modseq, known: None, matching: None };
        if self.take(b' ') && self.peek() != Some(b'(') {
            qresync.known = Some(self.known_set()?);
            self.take(b' ');
        }
        if self.take(b'(') {
            let numbers = self.known_set()?;
            self.space()?;
            let uids = self.known_set()?;
            self.expect(b')')?;
            if numbers.len() != uids.len() {
                return Err(Refusal::new("QRESYNC match data has sets of different sizes"));
            }
            qresync.matching = Some((numbers, uids));
        }
        self.expect(b')')?;
        Ok(qresync)
    }
}
