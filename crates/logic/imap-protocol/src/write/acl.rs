//! `* ACL`, `* LISTRIGHTS`, `* MYRIGHTS` (RFC 4314 §3.6 to §3.8).

use acl::Rights;

use crate::types::MailboxName;
use crate::write::Out;

impl Out {
    /// `* ACL mailbox who rights ...`, the rights in letters.
    pub fn acl(&mut self, mailbox: &MailboxName, entries: &[(String, String)]) {
        self.text("* ACL ");
        self.mailbox(mailbox);
        for (who, rights) in entries {
            self.text(" ");
            self.short_string(who.as_bytes());
            self.text(" ");
            self.short_string(rights.as_bytes());
        }
        self.text("\r\n");
    }

    /// `* LISTRIGHTS mailbox who "" l r w ...`: none is always given, and each can be given by itself.
    pub fn list_rights(&mut self, mailbox: &MailboxName, who: &[u8]) {
        self.text("* LISTRIGHTS ");
        self.mailbox(mailbox);
        self.text(" ");
        self.short_string(who);
        // In Dovecot's order.
        self.text(" \"\" l r w s t p i e k x a c d\r\n");
    }

    /// `* MYRIGHTS mailbox rights`
    pub fn my_rights(&mut self, mailbox: &MailboxName, rights: Rights) {
        self.text("* MYRIGHTS ");
        self.mailbox(mailbox);
        self.text(" ");
        self.short_string(rights.to_imap().as_bytes());
        self.text("\r\n");
    }

    /// astring: an atom where it can be one.
    fn short_string(&mut self, text: &[u8]) {
        if !text.is_empty() && text.iter().copied().all(crate::types::is_astring) {
            self.raw(text);
        } else {
            self.string(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_told_as_by_dovecot() {
        let mut out = Out::default();
        let entries = [("$group", "lrw"), ("other", ""), ("with space", "kxc"), ("\u{e4}", "akxeilprwtscd")]
            .map(|(who, rights)| (who.to_owned(), rights.to_owned()));
        let inbox = MailboxName::inbox();
        out.acl(&inbox, &entries);
        out.list_rights(&inbox, b"");
        out.my_rights(&inbox, Rights::from_imap("lra").unwrap());
        let expected = "* ACL INBOX $group lrw other \"\" \"with space\" kxc {2}\r\n\u{e4} akxeilprwtscd\r\n\
            * LISTRIGHTS INBOX \"\" \"\" l r w s t p i e k x a c d\r\n* MYRIGHTS INBOX lra\r\n";
        assert_eq!(String::from_utf8(out.into_bytes()).unwrap(), expected);
    }
}
