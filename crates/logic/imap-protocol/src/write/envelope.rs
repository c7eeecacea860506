//! ENVELOPE (RFC 3501 §7.4.2).

use message::fields::{Field, fields, unfold};
use message::mailboxes::{self, Entry};

use crate::write::Out;

/// The fields that an envelope is made of; of those with addresses all count, of the others the last.
#[derive(Default)]
struct Envelope<'a> {
    date: Option<&'a [u8]>,
    subject: Option<&'a [u8]>,
    from: Vec<Entry>,
    sender: Vec<Entry>,
    reply_to: Vec<Entry>,
    to: Vec<Entry>,
    cc: Vec<Entry>,
    bcc: Vec<Entry>,
    in_reply_to: Option<&'a [u8]>,
    message_id: Option<&'a [u8]>,
}

impl<'a> Envelope<'a> {
    fn read(header: &'a [u8]) -> Self {
        let mut envelope = Self::default();
        for field in fields(header) {
            envelope.take(&field);
        }
        envelope
    }

    fn take(&mut self, field: &Field<'a>) {
        let list = match field.name.to_ascii_lowercase().as_slice() {
            b"date" => return self.date = Some(field.value),
            b"subject" => return self.subject = Some(field.value),
            b"in-reply-to" => return self.in_reply_to = Some(field.value),
            b"message-id" => return self.message_id = Some(field.value),
            b"from" => &mut self.from,
            b"sender" => &mut self.sender,
            b"reply-to" => &mut self.reply_to,
            b"to" => &mut self.to,
            b"cc" => &mut self.cc,
            b"bcc" => &mut self.bcc,
            _ => return,
        };
        list.extend(mailboxes::read(field.value));
    }
}

impl Out {
    /// The envelope of a header, without a name: `("date" "subject" ...)`.
    pub fn envelope_of(&mut self, header: &[u8]) {
        let envelope = Envelope::read(header);
        self.text("(");
        self.one_line(envelope.date);
        self.text(" ");
        match envelope.subject {
            Some(subject) => self.human(subject),
            None => self.text("NIL"),
        }
        // RFC 3501 §7.4.2: without Sender and Reply-To, the server takes From.
        let or_from = |list: &'_ [Entry]| if list.is_empty() { envelope.from.clone() } else { list.to_vec() };
        let (sender, reply_to) = (or_from(&envelope.sender), or_from(&envelope.reply_to));
        for list in [&envelope.from, &sender, &reply_to, &envelope.to, &envelope.cc, &envelope.bcc] {
            self.text(" ");
            self.address_list(list);
        }
        self.text(" ");
        self.one_line(envelope.in_reply_to);
        self.text(" ");
        self.one_line(envelope.message_id);
        self.text(")");
    }

    fn one_line(&mut self, value: Option<&[u8]>) {
        self.nstring(value.map(unfold).as_deref().map(<[u8]>::trim_ascii_end));
    }

    fn address_list(&mut self, list: &[Entry]) {
        if list.is_empty() {
            return self.text("NIL");
        }
        self.text("(");
        for entry in list {
            self.text("(");
            match entry {
                Entry::GroupBegin(name) => {
                    self.text("NIL NIL ");
                    self.human(name);
                    self.text(" NIL");
                }
                Entry::GroupEnd => self.text("NIL NIL NIL NIL"),
                Entry::Mailbox(mailbox) => {
                    match &mailbox.name {
                        Some(name) => self.human(name),
                        None => self.text("NIL"),
                    }
                    self.text(" ");
                    self.nstring(mailbox.route.as_deref());
                    self.text(" ");
                    self.string(mailbox.local_shown());
                    self.text(" ");
                    self.string(mailbox.domain_shown());
                }
            }
            self.text(")");
        }
        self.text(")");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(header: &str) -> String {
        let mut out = Out::default();
        out.envelope_of(header.as_bytes());
        String::from_utf8_lossy(&out.into_bytes()).into_owned()
    }

    #[test]
    fn envelopes_are_as_dovecot_makes_them() {
        assert_eq!(envelope(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
        let from = "((NIL NIL \"a\" \"b\"))";
        assert_eq!(
            envelope("Subject: a\n  b\nFrom: a@b\nMessage-ID:\n <x@y>\n\n"),
            format!("(NIL {{3}}\r\na b {from} {from} {from} NIL NIL NIL NIL \"<x@y>\")")
        );
        assert_eq!(
            envelope("To: G: x@y;\nTo: c@d\nDate: bad date\nSubject:"),
            "(\"bad date\" \"\" NIL NIL NIL ((NIL NIL \"G\" NIL)(NIL NIL \"x\" \"y\")(NIL NIL NIL NIL)\
             (NIL NIL \"c\" \"d\")) NIL NIL NIL NIL)"
        );
    }
}
