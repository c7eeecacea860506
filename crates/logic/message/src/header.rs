//! Header fields: where a name ends, and which names mean something to a mail system (RFC 5322 §2.2, §3.6).

use std::borrow::Cow;

/// The name of the field that begins on `line`, if it is one: printable characters up to a colon, blanks before the
/// colon allowed (RFC 5322 §4.5.8).
pub fn header_name(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = line[..colon].trim_ascii_end();
    let good = |byte: &u8| (33..=126).contains(byte);
    (!name.is_empty() && name.iter().all(good)).then_some(name)
}

/// What stands behind the colon of a whole field, with its line breaks.
pub fn header_value(field: &[u8]) -> &[u8] {
    field.iter().position(|byte| *byte == b':').map_or(&[], |colon| &field[colon + 1..])
}

/// A header that a mail system reads or writes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Known {
    ApparentlyTo,
    Bcc,
    Cc,
    ContentDescription,
    ContentDisposition,
    ContentId,
    ContentLength,
    ContentTransferEncoding,
    ContentType,
    Date,
    DispositionNotificationTo,
    ErrorsTo,
    From,
    MailFollowupTo,
    MessageId,
    MimeVersion,
    Received,
    ReplyTo,
    ResentBcc,
    ResentCc,
    ResentDate,
    ResentFrom,
    ResentMessageId,
    ResentReplyTo,
    ResentSender,
    ResentTo,
    ReturnPath,
    ReturnReceiptTo,
    Sender,
    To,
}

/// What the addresses of a header are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// From, Sender and whatever answers go to.
    Sender,
    /// To, Cc and the like.
    Recipient,
}

use Known::*;

/// Names as Postfix writes them when it changes the value.
const NAMES: [(&str, Known); 30] = [
    ("Apparently-To", ApparentlyTo),
    ("Bcc", Bcc),
    ("Cc", Cc),
    ("Content-Description", ContentDescription),
    ("Content-Disposition", ContentDisposition),
    ("Content-ID", ContentId),
    ("Content-Length", ContentLength),
    ("Content-Transfer-Encoding", ContentTransferEncoding),
    ("Content-Type", ContentType),
    ("Date", Date),
    ("Disposition-Notification-To", DispositionNotificationTo),
    ("Errors-To", ErrorsTo),
    ("From", From),
    ("Mail-Followup-To", MailFollowupTo),
    ("Message-Id", MessageId),
    ("MIME-Version", MimeVersion),
    ("Received", Received),
    ("Reply-To", ReplyTo),
    ("Resent-Bcc", ResentBcc),
    ("Resent-Cc", ResentCc),
    ("Resent-Date", ResentDate),
    ("Resent-From", ResentFrom),
    ("Resent-Message-Id", ResentMessageId),
    ("Resent-Reply-To", ResentReplyTo),
    ("Resent-Sender", ResentSender),
    ("Resent-To", ResentTo),
    ("Return-Path", ReturnPath),
    ("Return-Receipt-To", ReturnReceiptTo),
    ("Sender", Sender),
    ("To", To),
];

impl Known {
    /// The header with this name, in any case.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        NAMES.iter().find(|(own, _)| own.as_bytes().eq_ignore_ascii_case(name)).map(|(_, known)| *known)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES[self as usize].0
    }

    /// Does it describe MIME content? Such headers have checks of their own.
    pub fn is_mime(self) -> bool {
        matches!(
            self,
            ContentDescription
                | ContentDisposition
                | ContentId
                | ContentTransferEncoding
                | ContentType
                | MimeVersion
        )
    }

    /// Is it part of a resent block (RFC 5322 §3.6.6)?
    pub fn is_resent(self) -> bool {
        self.name().starts_with("Resent-")
    }

    /// Whose addresses it holds; `None` when it holds none that are rewritten.
    pub fn role(self) -> Option<Role> {
        match self {
            ApparentlyTo | Bcc | Cc | ResentBcc | ResentCc | ResentTo | To => Some(Role::Recipient),
            DispositionNotificationTo
            | ErrorsTo
            | From
            | MailFollowupTo
            | ReplyTo
            | ResentFrom
            | ResentReplyTo
            | ResentSender
            | ReturnPath
            | ReturnReceiptTo
            | Sender => Some(Role::Sender),
            _ => None,
        }
    }
}

/// A header's text as characters, and the way back: UTF-8 where it is that, else one character for each byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset {
    utf8: bool,
}

impl Charset {
    /// Reads `bytes` as text.
    pub fn decode(bytes: &[u8]) -> (Self, Cow<'_, str>) {
        match std::str::from_utf8(bytes) {
            Ok(text) => (Self { utf8: true }, Cow::Borrowed(text)),
            Err(_) => (Self { utf8: false }, Cow::Owned(bytes.iter().copied().map(char::from).collect())),
        }
    }

    /// Gives the bytes of a text that was made from what [`Charset::decode`] gave. Characters that came from elsewhere, and have
    /// no byte, are written in UTF-8.
    pub fn encode(self, text: &str) -> Vec<u8> {
        if self.utf8 {
            return text.as_bytes().to_vec();
        }
        let mut bytes = Vec::with_capacity(text.len());
        for character in text.chars() {
            match u8::try_from(u32::from(character)) {
                Ok(byte) => bytes.push(byte),
                Err(_) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_field_begins_with_a_name_and_a_colon() {
        assert_eq!(header_name(b"Subject: x"), Some(b"Subject".as_slice()));
        assert_eq!(header_name(b"X-Space : y"), Some(b"X-Space".as_slice()));
        for line in [b"".as_slice(), b": x", b" a: b", b"two words: x", b"no colon", b"\xe9: x", b" : x"] {
            assert_eq!(header_name(line), None, "{line:?}");
        }
    }

    #[test]
    fn the_table_is_in_the_order_of_the_names() {
        for (at, (name, known)) in NAMES.iter().enumerate() {
            assert_eq!(*known as usize, at);
            assert_eq!(Known::by_name(name.to_uppercase().as_bytes()), Some(*known));
        }
        assert_eq!(Known::by_name(b"Subject"), None);
    }

    #[test]
    fn values_keep_their_line_breaks() {
        assert_eq!(header_value(b"To: a,\n b"), b" a,\n b");
        assert_eq!(header_value(b"To"), b"");
    }

    proptest! {
        #[test]
        fn any_bytes_survive_being_text(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let (charset, text) = Charset::decode(&bytes);
            prop_assert_eq!(charset.encode(&text), bytes);
        }
    }
}
