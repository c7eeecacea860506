//! LIST, LSUB and STATUS (RFC 3501 §9, RFC 5258, RFC 5819, RFC 6154).

use crate::parse::{Cursor, Parsed, Refusal, shown};
use crate::types::{Command, ListRequest, ListReturn, ListSelection, Pattern, StatusItem};
use crate::utf7;

/// Patterns of one command.
const PATTERNS_LIMIT: usize = 100;
/// Bytes of a pattern: a name, and as many wildcards.
const PATTERN_LIMIT_BYTES: usize = 2000;

impl Cursor<'_> {
    /// list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
    pub(crate) fn list_command(&mut self) -> Parsed<Command> {
        self.space()?;
        let mut extended = self.peek() == Some(b'(');
        let mut selection = ListSelection::default();
        if extended {
            self.list(|cursor| cursor.selection_option(&mut selection))?;
            self.space()?;
        }
        if selection.recursive_match && !selection.subscribed && !selection.special_use {
            return Err(Refusal::new("RECURSIVEMATCH must not be the only selection"));
        }
        let reference = self.reference()?;
        self.space()?;
        let patterns = self.patterns(&mut extended)?;
        let mut returns = ListReturn::default();
        while self.take(b' ') {}
        if self.keyword("RETURN") {
            extended = true;
            self.space()?;
            self.list(|cursor| cursor.return_option(&mut returns))?;
        }
        self.end()?;
        Ok(Command::List(ListRequest { reference, patterns, selection, returns, extended }))
    }

    /// lsub = "LSUB" SP mailbox SP list-mailbox
    pub(crate) fn lsub(&mut self) -> Parsed<Command> {
        self.space()?;
        let reference = self.reference()?;
        self.space()?;
        let wire = self.list_mailbox()?;
        let patterns = vec![self.pattern(&wire)?];
        self.end()?;
        let selection = ListSelection { subscribed: true, ..ListSelection::default() };
        let returns = ListReturn::default();
        Ok(Command::Lsub(ListRequest { reference, patterns, selection, returns, extended: false }))
    }

    fn reference(&mut self) -> Parsed<String> {
        // Wildcards without quotes are taken, as Dovecot does.
        let wire = self.list_mailbox()?;
        Ok(self.pattern(&wire)?.as_str().to_owned())
    }

    /// mbox-or-pat = list-mailbox / "(" list-mailbox *(SP list-mailbox) ")"
    fn patterns(&mut self, extended: &mut bool) -> Parsed<Vec<Pattern>> {
        if self.peek() != Some(b'(') {
            let wire = self.list_mailbox()?;
            return Ok(vec![self.pattern(&wire)?]);
        }
        *extended = true;
        let mut patterns = Vec::new();
        self.list(|cursor| {
            let wire = cursor.list_mailbox()?;
            patterns.push(cursor.pattern(&wire)?);
            if patterns.len() > PATTERNS_LIMIT { Err(Refusal::new("Too many patterns")) } else { Ok(()) }
        })?;
        if patterns.is_empty() { Err(Refusal::arguments()) } else { Ok(patterns) }
    }

    /// What is no modified UTF-7 fits no name: it is kept as it is.
    fn pattern(&self, wire: &[u8]) -> Parsed<Pattern> {
        if wire.len() > PATTERN_LIMIT_BYTES {
            return Err(Refusal::new("Pattern is too long"));
        }
        let text = if self.utf8 { String::from_utf8(wire.to_vec()).ok() } else { utf7::decode(wire) };
        Ok(Pattern::new(text.unwrap_or_else(|| wire.iter().copied().map(char::from).collect::<String>())))
    }

    fn selection_option(&mut self, selection: &mut ListSelection) -> Parsed<()> {
        match self.word()?.as_str() {
            "SUBSCRIBED" => selection.subscribed = true,
            "REMOTE" => selection.remote = true,
            "RECURSIVEMATCH" => selection.recursive_match = true,
            "SPECIAL-USE" => selection.special_use = true,
            other => return Err(Refusal::new(format!("Unknown select options {}", shown(other.as_bytes())))),
        }
        Ok(())
    }

    fn return_option(&mut self, returns: &mut ListReturn) -> Parsed<()> {
        match self.word()?.as_str() {
            "SUBSCRIBED" => returns.subscribed = true,
            "CHILDREN" => returns.children = true,
            "SPECIAL-USE" => returns.special_use = true,
            "MYRIGHTS" => returns.my_rights = true,
            "STATUS" => {
                self.space()?;
                returns.status = self.status_items()?;
            }
            other => return Err(Refusal::new(format!("Unknown return options {}", shown(other.as_bytes())))),
        }
        Ok(())
    }

    /// status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
    pub(crate) fn status(&mut self) -> Parsed<Command> {
        self.space()?;
        let mailbox = self.mailbox()?;
        self.space()?;
        let items = self.status_items()?;
        self.end()?;
        Ok(Command::Status(mailbox, items))
    }

    fn status_items(&mut self) -> Parsed<Vec<StatusItem>> {
        let mut items = Vec::new();
        self.list(|cursor| {
            let name = cursor.atom()?;
            let item = StatusItem::parse(name)
                .ok_or_else(|| Refusal::new(format!("Invalid status item {}", shown(name).to_uppercase())))?;
            items.push(item);
            Ok(())
        })?;
        items.sort_unstable();
        items.dedup();
        if items.is_empty() { Err(Refusal::new("Empty status list")) } else { Ok(items) }
    }
}
