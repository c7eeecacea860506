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
            self.entry(entry);
            self.text(" ");
            match value {
                Some(value) if value.contains(&0) => self.literal8(value),
                value => self.nstring(*value),
            }
        }
        self.text(")\r\n");
    }

    /// `* METADATA name entry ...`: these have changed (RFC 5464 §4.4.2).
    pub fn metadata_changed(&mut self, mailbox: &MailboxName, entries: &[&str]) {
        self.text("* METADATA ");
        self.mailbox(mailbox);
        for entry in entries {
            self.text(" ");
            self.entry(entry);
        }
        self.text("\r\n");
    }

    /// entry = astring (RFC 5464 §5)
    fn entry(&mut self, entry: &str) {
        if entry.bytes().all(crate::types::is_astring) {
            self.text(entry);
        } else {
            self.string(entry.as_bytes());
        }
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
        out.metadata_changed(&MailboxName::inbox(), &["/shared/a", "/shared/b (c"]);
        let expected: &[u8] = b"* METADATA \"\" (/shared/a \"x y\" /shared/b NIL /shared/c ~{1}\r\n\0)\r\n\
            * METADATA INBOX /shared/a \"/shared/b (c\"\r\n";
        assert_eq!(out.into_bytes(), expected);
    }
}
