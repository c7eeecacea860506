//! GETMETADATA and SETMETADATA (RFC 5464 §5).

use crate::parse::{Cursor, Parsed, Refusal};
use crate::types::{Command, Depth, EntryName, MetadataOptions};

/// Entries of one command.
const ENTRIES_LIMIT: usize = 100;

impl Cursor<'_> {
    /// getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries
    ///
    /// Options behind the mailbox are taken as well: the RFC's examples have them there.
    pub(crate) fn get_metadata(&mut self) -> Parsed<Command> {
        self.space()?;
        let mut options = MetadataOptions::default();
        if self.peek() == Some(b'(') {
            self.metadata_options(&mut options)?;
            self.space()?;
        }
        let mailbox = self.mailbox()?;
        self.space()?;
        let mut again = self.clone();
        if again.metadata_options(&mut options).is_ok() && again.take(b' ') {
            *self = again;
        }
        let entries = self.entries()?;
        self.end()?;
        Ok(Command::GetMetadata { mailbox, options, entries })
    }

    /// getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
    ///
    /// maxsize-opt = "MAXSIZE" SP number; scope-opt = "DEPTH" SP ("0" / "1" / "infinity")
    fn metadata_options(&mut self, options: &mut MetadataOptions) -> Parsed<()> {
        self.list(|cursor| {
            match cursor.word()?.as_str() {
                "MAXSIZE" => {
                    cursor.space()?;
                    options.max_size = Some(cursor.number()?);
                }
                "DEPTH" => {
                    cursor.space()?;
                    options.depth = match cursor.word()?.as_str() {
                        "0" => Depth::Zero,
                        "1" => Depth::One,
                        "INFINITY" => Depth::Infinity,
                        _ => return Err(Refusal::new("Invalid DEPTH")),
                    };
                }
                _ => return Err(Refusal::new("Unknown GETMETADATA option")),
            }
            Ok(())
        })
    }

    /// entries = entry / "(" entry *(SP entry) ")"
    fn entries(&mut self) -> Parsed<Vec<EntryName>> {
        if self.peek() != Some(b'(') {
            return Ok(vec![self.asked_entry()?]);
        }
        let mut entries = Vec::new();
        self.list(|cursor| {
            entries.push(cursor.asked_entry()?);
            if entries.len() > ENTRIES_LIMIT { Err(Refusal::new("Too many entries")) } else { Ok(()) }
        })?;
        if entries.is_empty() { Err(Refusal::arguments()) } else { Ok(entries) }
    }

    /// entry = astring
    fn asked_entry(&mut self) -> Parsed<EntryName> {
        let name = self.astring()?;
        EntryName::asked(&name).ok_or_else(|| Refusal::new("Invalid entry name"))
    }

    /// One that can have a value.
    fn entry(&mut self) -> Parsed<EntryName> {
        let name = self.astring()?;
        EntryName::new(&name).ok_or_else(|| Refusal::new("Invalid entry name"))
    }

    /// setmetadata = "SETMETADATA" SP mailbox SP entry-values
    ///
    /// entry-values = "(" entry SP value *(SP entry SP value) ")"; value = nstring / literal8
    pub(crate) fn set_metadata(&mut self) -> Parsed<Command> {
        self.space()?;
        let mailbox = self.mailbox()?;
        self.space()?;
        let mut entries = Vec::new();
        self.list(|cursor| {
            let entry = cursor.entry()?;
            cursor.space()?;
            entries.push((entry, cursor.nstring()?));
            if entries.len() > ENTRIES_LIMIT { Err(Refusal::new("Too many entries")) } else { Ok(()) }
        })?;
        self.end()?;
        if entries.is_empty() {
            Err(Refusal::arguments())
        } else {
            Ok(Command::SetMetadata { mailbox, entries })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(text: &str) -> Option<(MetadataOptions, usize)> {
        match Cursor::new(text.as_bytes(), false).get_metadata().ok()? {
            Command::GetMetadata { options, entries, .. } => Some((options, entries.len())),
            _ => None,
        }
    }

    #[test]
    fn options_stand_before_or_behind_the_mailbox() {
        let asked = MetadataOptions { max_size: Some(5), depth: Depth::One };
        assert_eq!(get(" (MAXSIZE 5 DEPTH 1) INBOX /shared/a"), Some((asked, 1)));
        assert_eq!(get(" INBOX (DEPTH 1 MAXSIZE 5) (/shared/a /private/b)"), Some((asked, 2)));
        assert_eq!(get(" \"\" (/shared/a /shared/b)"), Some((MetadataOptions::default(), 2)));
        assert_eq!(get(" INBOX (/Private /shared)"), Some((MetadataOptions::default(), 2)));
        for bad in [" INBOX", " INBOX ()", " INBOX x", " (FOO) INBOX /shared/a", " (DEPTH 2) INBOX /shared/a"]
        {
            assert_eq!(get(bad), None, "{bad}");
        }
    }

    #[test]
    fn values_are_strings_or_nil() {
        let set = |text: &str| Cursor::new(text.as_bytes(), false).set_metadata();
        let Ok(Command::SetMetadata { entries, .. }) = set(" INBOX (/shared/a \"x\" /private/b NIL)") else {
            panic!("not understood")
        };
        assert_eq!(entries[0].1.as_deref(), Some(b"x".as_slice()));
        assert_eq!(entries[1].1, None);
        assert!(set(" INBOX ()").is_err() && set(" INBOX (/shared/a)").is_err());
        assert!(set(" INBOX (/shared \"x\")").is_err());
    }
}
