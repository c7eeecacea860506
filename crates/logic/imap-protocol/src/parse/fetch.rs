//! FETCH (RFC 3501 §9, RFC 3516, RFC 7162, RFC 8514, RFC 8970).

use crate::parse::{Cursor, Parsed, Refusal, shown};
use crate::types::{Command, FetchItem, FetchModifiers, Messages};

/// Items of one command.
const ITEMS_LIMIT: usize = 500;

impl Cursor<'_> {
    /// fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
    /// [fetch-modifiers]
    pub(crate) fn fetch(&mut self, uid: bool) -> Parsed<Command> {
        self.space()?;
        let messages = self.messages(uid)?;
        self.space()?;
        let mut items = Vec::new();
        if self.peek() == Some(b'(') {
            self.list(|cursor| cursor.fetch_attribute(&mut items))?;
            if items.is_empty() {
                return Err(Refusal::new("FETCH list is empty"));
            }
        } else if !self.fetch_macro(&mut items) {
            self.fetch_attribute(&mut items)?;
        }
        let modifiers = self.fetch_modifiers(&messages)?;
        Ok(Command::Fetch { messages, items, modifiers })
    }

    fn fetch_macro(&mut self, items: &mut Vec<FetchItem>) -> bool {
        let fast = [FetchItem::Flags, FetchItem::InternalDate, FetchItem::Size];
        let more: &[FetchItem] = if self.keyword("FAST") {
            &[]
        } else if self.keyword("ALL") {
            &[FetchItem::Envelope]
        } else if self.keyword("FULL") {
            &[FetchItem::Envelope, FetchItem::Body]
        } else {
            return false;
        };
        items.extend(fast);
        items.extend_from_slice(more);
        true
    }

    /// fetch-att
    pub(crate) fn fetch_attribute(&mut self, items: &mut Vec<FetchItem>) -> Parsed<()> {
        let name = self.run(|byte| crate::types::is_astring(byte) && byte != b'[');
        let item = match name.to_ascii_uppercase().as_slice() {
            b"UID" => FetchItem::Uid,
            b"FLAGS" => FetchItem::Flags,
            b"INTERNALDATE" => FetchItem::InternalDate,
            b"RFC822.SIZE" => FetchItem::Size,
            b"ENVELOPE" => FetchItem::Envelope,
            b"BODYSTRUCTURE" => FetchItem::BodyStructure,
            b"RFC822" => FetchItem::Rfc822,
            b"RFC822.HEADER" => FetchItem::Rfc822Header,
            b"RFC822.TEXT" => FetchItem::Rfc822Text,
            b"BODY" if self.peek() != Some(b'[') => FetchItem::Body,
            b"BODY" => self.body_section(false)?,
            b"BODY.PEEK" if self.peek() == Some(b'[') => self.body_section(true)?,
            b"BINARY" if self.peek() == Some(b'[') => self.binary(false)?,
            b"BINARY.PEEK" if self.peek() == Some(b'[') => self.binary(true)?,
            b"BINARY.SIZE" if self.peek() == Some(b'[') => FetchItem::BinarySize(self.binary_section()?),
            b"MODSEQ" => FetchItem::ModSeq,
            b"SAVEDATE" => FetchItem::SaveDate,
            b"PREVIEW" => FetchItem::Preview { lazy: self.lazy()? },
            b"SNIPPET" => FetchItem::Snippet { lazy: self.lazy()? },
            b"EMAILID" => FetchItem::EmailId,
            b"THREADID" => FetchItem::ThreadId,
            _ => return Err(Refusal::new(format!("Unknown parameter: {}", shown(name).to_uppercase()))),
        };
        if items.len() >= ITEMS_LIMIT {
            return Err(Refusal::new("Too many items"));
        }
        let repeats = matches!(item, FetchItem::Section { .. } | FetchItem::Binary { .. });
        if repeats || !items.contains(&item) {
            items.push(item);
        }
        Ok(())
    }

    fn body_section(&mut self, peek: bool) -> Parsed<FetchItem> {
        let section = self.section()?;
        Ok(FetchItem::Section { section, partial: self.partial()?, peek })
    }

    fn binary(&mut self, peek: bool) -> Parsed<FetchItem> {
        let section = self.binary_section()?;
        Ok(FetchItem::Binary { section, partial: self.partial()?, peek })
    }

    /// preview-atts = [SP "(" "LAZY" ")"] (RFC 8970 §6); Dovecot took FUZZY and LAZY=FUZZY before.
    fn lazy(&mut self) -> Parsed<bool> {
        let mut lazy = false;
        if self.rest().starts_with(b" (") {
            self.space()?;
            self.list(|cursor| match cursor.word()?.as_str() {
                "LAZY" | "LAZY=FUZZY" => {
                    lazy = true;
                    Ok(())
                }
                "FUZZY" => Ok(()),
                other => Err(Refusal::new(format!(
                    "'{}' is not a valid preview parameter",
                    shown(other.as_bytes())
                ))),
            })?;
        }
        Ok(lazy)
    }

    /// fetch-modifiers = SP "(" fetch-modifier *(SP fetch-modifier) ")" (RFC 4466)
    fn fetch_modifiers(&mut self, messages: &Messages) -> Parsed<FetchModifiers> {
        let mut modifiers = FetchModifiers::default();
        if self.is_done() {
            return Ok(modifiers);
        }
        self.space()?;
        if self.is_done() {
            return Ok(modifiers);
        }
        self.list(|cursor| match cursor.word()?.as_str() {
            "CHANGEDSINCE" => {
                cursor.space()?;
                modifiers.changed_since = Some(cursor.mod_sequence()?);
                Ok(())
            }
            "VANISHED" => {
                modifiers.vanished = true;
                Ok(())
            }
            _ => Err(Refusal::new("Unknown FETCH modifier")),
        })?;
        self.end()?;
        if modifiers.vanished && (!messages.uid || modifiers.changed_since.is_none()) {
            return Err(Refusal::new("VANISHED used without CHANGEDSINCE or with a non-UID FETCH"));
        }
        Ok(modifiers)
    }

    /// mod-sequence-valzer = 1*DIGIT, below 2^63 (RFC 7162 §7)
    pub(crate) fn mod_sequence(&mut self) -> Parsed<u64> {
        let number = self.number()?;
        if number <= i64::MAX as u64 { Ok(number) } else { Err(Refusal::new("Invalid modseq")) }
    }
}
