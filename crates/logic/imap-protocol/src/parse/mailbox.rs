//! Commands that name a mailbox, or two (RFC 3501 §9, RFC 6154, RFC 6851, RFC 9208).

use crate::parse::{Cursor, Parsed, Refusal};
use crate::types::{Code, Command, MailboxName, SpecialUse};

impl Cursor<'_> {
    /// SP mailbox, and nothing more.
    pub(crate) fn one_mailbox(&mut self) -> Parsed<MailboxName> {
        self.space()?;
        let mailbox = self.mailbox()?;
        self.end()?;
        Ok(mailbox)
    }

    /// create = "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]
    pub(crate) fn create(&mut self) -> Parsed<Command> {
        self.space()?;
        let mailbox = self.mailbox()?;
        let mut uses = Vec::new();
        while self.take(b' ') {}
        if !self.is_done() {
            self.list(|cursor| {
                if !cursor.keyword("USE") {
                    return Err(Refusal::new("Unknown CREATE parameter"));
                }
                cursor.space()?;
                cursor.list(|cursor| {
                    uses.push(cursor.special_use()?);
                    Ok(())
                })
            })?;
        }
        self.end()?;
        Ok(Command::Create { mailbox, uses })
    }

    fn special_use(&mut self) -> Parsed<SpecialUse> {
        let word = self.run(|byte| byte == b'\\' || crate::types::is_astring(byte));
        SpecialUse::parse(word).ok_or_else(|| Refusal::no(Code::UseAttr, "Unsupported special use"))
    }

    /// rename = "RENAME" SP mailbox SP mailbox
    pub(crate) fn rename(&mut self) -> Parsed<Command> {
        self.space()?;
        let from = self.mailbox()?;
        self.space()?;
        let to = self.mailbox()?;
        self.end()?;
        Ok(Command::Rename(from, to))
    }

    /// copy = "COPY" SP sequence-set SP mailbox; move = "MOVE" SP sequence-set SP mailbox
    pub(crate) fn copy(&mut self, uid: bool, moves: bool) -> Parsed<Command> {
        self.space()?;
        let messages = self.messages(uid)?;
        let mailbox = self.one_mailbox()?;
        Ok(if moves { Command::Move(messages, mailbox) } else { Command::Copy(messages, mailbox) })
    }

    /// getquota = "GETQUOTA" SP quota-root-name
    pub(crate) fn get_quota(&mut self) -> Parsed<Command> {
        self.space()?;
        let root = self.astring()?;
        self.end()?;
        Ok(Command::GetQuota(root))
    }
}
