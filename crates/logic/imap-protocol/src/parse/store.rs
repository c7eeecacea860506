//! STORE (RFC 3501 §9, RFC 7162 §3.1.3).

use crate::parse::{Cursor, Parsed, Refusal};
use crate::types::{Change, Command, StoreRequest};

impl Cursor<'_> {
    /// store = "STORE" SP sequence-set [store-modifiers] SP store-att-flags
    ///
    /// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
    pub(crate) fn store(&mut self, uid: bool) -> Parsed<Command> {
        self.space()?;
        let messages = self.messages(uid)?;
        self.space()?;
        let unchanged_since = if self.peek() == Some(b'(') { self.store_modifiers()? } else { None };
        let change = match self.peek() {
            Some(b'+') => Change::Add,
            Some(b'-') => Change::Remove,
            _ => Change::Replace,
        };
        let _ = self.take(b'+') || self.take(b'-');
        let silent = match self.word()?.as_str() {
            "FLAGS" => false,
            "FLAGS.SILENT" => true,
            _ => return Err(Refusal::arguments()),
        };
        self.space()?;
        let flags = if self.peek() == Some(b'(') { self.flag_list()? } else { self.flags()? };
        self.end()?;
        Ok(Command::Store(StoreRequest { messages, change, silent, flags, unchanged_since }))
    }

    /// store-modifiers = SP "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")"
    fn store_modifiers(&mut self) -> Parsed<Option<u64>> {
        let mut unchanged_since = None;
        self.list(|cursor| {
            if !cursor.keyword("UNCHANGEDSINCE") {
                return Err(Refusal::new("Unknown STORE modifier"));
            }
            cursor.space()?;
            unchanged_since = Some(cursor.mod_sequence()?);
            Ok(())
        })?;
        self.space()?;
        Ok(unchanged_since)
    }
}
