//! ENVELOPE (RFC 3501 §7.4.2).

use std::borrow::Cow;

use message::fields::{Field, fields};
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

/// A value without its line breaks; other white space stays, and a CR between words becomes a blank.
pub(super) fn one_line(value: &[u8]) -> Vec<u8> {
    let value = without_nul(without_leading_blanks(value));
    let mut line = Vec::with_capacity(value.len());
    for (at, byte) in value.iter().enumerate() {
        match byte {
            b'\n' => {}
            b'\r' if value.get(at + 1).is_none_or(|next| matches!(next, b'\n' | b' ' | b'\t')) => {}
            b'\r' => line.push(b' '),
            byte => line.push(*byte),
        }
    }
    line
}

/// The value from its first character on; of a first line that is blank, Dovecot takes one blank away.
fn without_leading_blanks(value: &[u8]) -> &[u8] {
    let blanks = value.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let is_blank = matches!(&value[blanks..], [] | [b'\n', ..] | [b'\r', b'\n', ..]);
    &value[if is_blank { blanks.min(1) } else { blanks }..]
}

/// NUL, which no string of IMAP holds, as U+FFFD.
fn without_nul(value: &[u8]) -> Cow<'_, [u8]> {
    match value.contains(&0) {
        false => Cow::Borrowed(value),
        true => Cow::Owned(value.split(|byte| *byte == 0).collect::<Vec<_>>().join("\u{fffd}".as_bytes())),
    }
}

impl Out {
    /// The envelope of a header, without a name: `("date" "subject" ...)`.
    pub fn envelope_of(&mut self, header: &[u8]) {
        let envelope = Envelope::read(header);
        self.text("(");
        self.nstring(envelope.date.map(one_line).as_deref());
        self.text(" ");
        match envelope.subject {
            Some(subject) => self.human(&without_nul(without_leading_blanks(subject))),
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
        self.nstring(envelope.in_reply_to.map(one_line).as_deref());
        self.text(" ");
        self.nstring(envelope.message_id.map(one_line).as_deref());
        self.text(")");
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
                    self.string(name);
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
            format!("(NIL {{3}}\r\na b {from} {from} {from} NIL NIL NIL NIL \" <x@y>\")")
        );
        assert_eq!(
            envelope("Date:  \t\nSubject: a\n \nIn-Reply-To: x\n\ty \nMessage-ID: a\0b\n\n"),
            "(\" \t\" {1}\r\na NIL NIL NIL NIL NIL NIL \"x\ty \" {5}\r\na\u{fffd}b)"
        );
        assert_eq!(
            envelope("To: G: x@y;\nTo: c@d\nDate: bad date\nSubject:"),
            "(\"bad date\" \"\" NIL NIL NIL ((NIL NIL \"G\" NIL)(NIL NIL \"x\" \"y\")(NIL NIL NIL NIL)\
             (NIL NIL \"c\" \"d\")) NIL NIL NIL NIL)"
        );
    }
}
