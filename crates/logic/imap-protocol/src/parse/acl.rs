//! SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §4).

use acl::{BadIdentifier, Change, Identifier, Rights};

use crate::parse::{Cursor, Parsed, Refusal, shown};
use crate::types::Command;

/// Bytes of an identifier that LISTRIGHTS is asked about; nothing is made of it.
const ASKED_LIMIT_BYTES: usize = 512;

impl Cursor<'_> {
    /// setacl = "SETACL" SP mailbox SP identifier SP mod-rights
    pub(crate) fn set_acl(&mut self) -> Parsed<Command> {
        self.space()?;
        let mailbox = self.mailbox()?;
        self.space()?;
        let identifier = self.identifier()?;
        self.space()?;
        let (change, rights) = self.mod_rights()?;
        self.end()?;
        Ok(Command::SetAcl { mailbox, identifier, change, rights })
    }

    /// deleteacl = "DELETEACL" SP mailbox SP identifier
    pub(crate) fn delete_acl(&mut self) -> Parsed<Command> {
        self.space()?;
        let mailbox = self.mailbox()?;
        self.space()?;
        let identifier = self.identifier()?;
        self.end()?;
        Ok(Command::DeleteAcl { mailbox, identifier })
    }

    /// listrights = "LISTRIGHTS" SP mailbox SP identifier
    pub(crate) fn list_rights(&mut self) -> Parsed<Command> {
        self.space()?;
        let mailbox = self.mailbox()?;
        self.space()?;
        let identifier = self.astring()?;
        self.end()?;
        if identifier.len() > ASKED_LIMIT_BYTES {
            return Err(Refusal::new("Invalid identifier"));
        }
        Ok(Command::ListRights { mailbox, identifier })
    }

    /// identifier = astring
    fn identifier(&mut self) -> Parsed<Identifier> {
        let name = self.astring()?;
        Identifier::from_imap(&name).map_err(|bad| match bad {
            BadIdentifier::Empty => Refusal::arguments(),
            BadIdentifier::Text => Refusal::new("Invalid identifier"),
            BadIdentifier::Global => Refusal::new(format!("Global ACLs can't be modified: {}", shown(&name))),
        })
    }

    /// mod-rights = astring ; +rights to add, -rights to remove, rights to replace
    fn mod_rights(&mut self) -> Parsed<(Change, Rights)> {
        let text = self.astring()?;
        let (change, letters) = match text.split_first() {
            Some((b'+', letters)) => (Change::Add, letters),
            Some((b'-', letters)) => (Change::Remove, letters),
            _ => (Change::Replace, text.as_slice()),
        };
        let letters: String = letters.iter().copied().map(char::from).collect();
        let invalid = |letter: char| {
            Refusal::new(format!("Invalid ACL right: {}", shown(letter.to_string().as_bytes())))
        };
        Ok((change, Rights::from_imap(&letters).map_err(invalid)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(arguments: &str) -> Result<(String, Change, String), String> {
        match Cursor::new(arguments.as_bytes(), false).set_acl() {
            Ok(Command::SetAcl { identifier, change, rights, .. }) => {
                Ok((identifier.to_imap(), change, rights.to_imap()))
            }
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal.text.into_owned()),
        }
    }

    #[test]
    fn rights_are_put_added_or_taken() {
        for (arguments, who, change, rights) in [
            (" INBOX joe lr", "joe", Change::Replace, "lr"),
            (" INBOX -$group +cd", "-$group", Change::Add, "tekxcd"),
            (" INBOX -anyone l", "-anyone", Change::Replace, "l"),
            (" INBOX \"a b\" -l", "a b", Change::Remove, "l"),
            (" INBOX {2+}\r\n\u{e4} \"\"", "\u{e4}", Change::Replace, ""),
        ] {
            assert_eq!(set(arguments), Ok((who.to_owned(), change, rights.to_owned())), "{arguments}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_as_by_dovecot() {
        for (arguments, text) in [
            (" INBOX joe lrQ", "Invalid ACL right: Q"),
            (" INBOX joe ++l", "Invalid ACL right: +"),
            (" INBOX joe 0", "Invalid ACL right: 0"),
            (" INBOX \"\" l", "Invalid arguments"),
            (" INBOX #x l", "Global ACLs can't be modified: #x"),
            (" INBOX \"a\tb\" l", "Invalid identifier"),
        ] {
            assert_eq!(set(arguments), Err(text.to_owned()), "{arguments}");
        }
        assert!(set(" INBOX joe").is_err() && set(" INBOX").is_err() && set(" INBOX a b c").is_err());
    }
}
