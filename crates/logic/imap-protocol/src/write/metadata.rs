//! `* METADATA` (RFC 5464 §4.4.1).

use crate::types::MailboxName;
use crate::write::Out;

impl Out {
    /// `* METADATA name (entry value ...)`; without a mailbox the server's.
    pub fn metadata(&mut self, mailbox: &MailboxName, entries: &[(&str, Option<&[u8]>)]) {
        self.text("* METADATA ");
        self.mailbox(mailbox);
        self.text(" (");
        for (place, (entry, value)) in entries.iter().enumerate() {
            if place > 0 {
                self.text(" ");
            }
            self.text(entry);
            self.text(" ");
            match value {
                Some(value) if value.contains(&0) => self.literal8(value),
                value => self.nstring(*value),
            }
        }
        self.text(")\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_form_they_need() {
        let mut out = Out::default();
        let entries: [(&str, Option<&[u8]>); 3] =
            [("/shared/a", Some(b"x y")), ("/shared/b", None), ("/shared/c", Some(b"\0"))];
        out.metadata(&MailboxName::new("").unwrap(), &entries);
        let expected: &[u8] = b"* METADATA \"\" (/shared/a \"x y\" /shared/b NIL /shared/c ~{1}\r\n\0)\r\n";
        assert_eq!(out.into_bytes(), expected);
    }
}
