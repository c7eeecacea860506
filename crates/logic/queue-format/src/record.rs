//! One record: a type byte, the length of the data in groups of seven bits (low group first, the high bit says
//! that another follows), the data.

use std::fmt;

/// The longest record that is read, in bytes. Postfix itself writes at most `line_length_limit` (2048) a record of
/// content; an envelope record holds an address or an attribute.
pub const RECORD_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// The type of a record, as its byte in the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind(pub u8);

#[allow(missing_docs)]
impl Kind {
    /// Sizes and offsets of the whole file ([`crate::SizeRecord`]).
    pub const SIZE: Self = Self(b'C');
    /// Arrival time, `seconds microseconds`.
    pub const TIME: Self = Self(b'T');
    /// Creation time; before 2.3.
    pub const CREATION_TIME: Self = Self(b'c');
    /// The sender's full name, of a local submission.
    pub const FULL_NAME: Self = Self(b'F');
    /// Inspecting transport; never used.
    pub const INSPECTOR: Self = Self(b'I');
    /// Content filter, `transport:nexthop`, in the envelope. The byte is that of [`Kind::CONTINUED`].
    pub const FILTER: Self = Self(b'L');
    /// Envelope sender.
    pub const SENDER: Self = Self(b'S');
    /// A recipient that is done: delivered or bounced.
    pub const DONE: Self = Self(b'D');
    /// A recipient.
    pub const RECIPIENT: Self = Self(b'R');
    /// The recipient as it was before rewriting, ahead of its `R` or `D`.
    pub const ORIGINAL_RECIPIENT: Self = Self(b'O');
    /// A recipient that a milter took out.
    pub const CANCELLED_RECIPIENT: Self = Self(b'/');
    /// When to tell the sender of a delay; `%15ld`, zero once told.
    pub const WARN_TIME: Self = Self(b'W');
    /// `name=value`.
    pub const ATTRIBUTE: Self = Self(b'A');
    /// Killed by postsuper; no longer written.
    pub const KILLED: Self = Self(b'K');
    /// All recipients are replaced by this one.
    pub const REDIRECT: Self = Self(b'>');
    /// Flags of cleanup.
    pub const FLAGS: Self = Self(b'f');
    /// Seconds to wait before the first delivery.
    pub const DELAY: Self = Self(b'd');
    /// VERP delimiters.
    pub const VERP: Self = Self(b'V');
    /// The content begins.
    pub const MESSAGE: Self = Self(b'M');
    /// A piece of a line that goes on in the next record.
    pub const CONTINUED: Self = Self(b'L');
    /// A line, or the last piece of one.
    pub const NORMAL: Self = Self(b'N');
    /// Deleted text: padding that a reader skips.
    pub const DELETED: Self = Self(b'w');
    /// The content ends; what was extracted from it follows.
    pub const EXTRACTED: Self = Self(b'X');
    /// Value of Return-Receipt-To.
    pub const RETURN_RECEIPT: Self = Self(b'r');
    /// Value of Errors-To.
    pub const ERRORS_TO: Self = Self(b'e');
    /// Value of Precedence.
    pub const PRECEDENCE: Self = Self(b'P');
    /// Reading goes on at this offset; `%15ld`, zero means here.
    pub const POINTER: Self = Self(b'p');
    /// RET of MAIL FROM (RFC 3461).
    pub const DSN_RETURN: Self = Self(b'<');
    /// ENVID of MAIL FROM.
    pub const DSN_ENVELOPE_ID: Self = Self(b'i');
    /// ORCPT of RCPT TO.
    pub const DSN_ORIGINAL_RECIPIENT: Self = Self(b'o');
    /// NOTIFY of RCPT TO.
    pub const DSN_NOTIFY: Self = Self(b'n');
    /// How many milters have seen the message.
    pub const MILTER_COUNT: Self = Self(b'm');
    /// The end of the file.
    pub const END: Self = Self(b'E');

    /// Name of the record in the messages of postcat(1) `-v`; `None` for a byte that is no record type.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::SIZE => "message_size",
            Self::TIME => "message_arrival_time",
            Self::CREATION_TIME => "queue_file_create_time",
            Self::FULL_NAME => "sender_fullname",
            Self::INSPECTOR => "content_inspector",
            Self::SENDER => "sender",
            Self::DONE => "done_recipient",
            Self::RECIPIENT => "recipient",
            Self::ORIGINAL_RECIPIENT => "original_recipient",
            Self::CANCELLED_RECIPIENT => "canceled_recipient",
            Self::WARN_TIME => "warning_message_time",
            Self::ATTRIBUTE => "named_attribute",
            Self::KILLED => "killed_record",
            Self::REDIRECT => "redirect_to",
            Self::FLAGS => "flags",
            Self::VERP => "verp_delimiters",
            Self::MESSAGE => "message_content",
            Self::CONTINUED => "unterminated_text",
            Self::NORMAL => "regular_text",
            Self::DELETED => "padding",
            Self::EXTRACTED => "extracted_info",
            Self::RETURN_RECEIPT => "return_receipt",
            Self::ERRORS_TO => "errors_to",
            Self::PRECEDENCE => "priority",
            Self::POINTER => "pointer_record",
            Self::DSN_RETURN => "dsn_return_flags",
            Self::DSN_ENVELOPE_ID => "dsn_envelope_id",
            Self::DSN_ORIGINAL_RECIPIENT => "dsn_original_recipient",
            Self::DSN_NOTIFY => "dsn_notify_flags",
            Self::END => "message_end",
            _ => return None,
        })
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({:?})", char::from(self.0))
    }
}

/// A record within a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its data, without type and length.
    pub data: &'a [u8],
}

/// Why bytes are not a queue file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The file ends within a record, or before its `E` record.
    #[error("queue file ends at offset {offset} before its end record")]
    Truncated {
        /// Where the next record should have begun.
        offset: u64,
    },
    /// A length above [`RECORD_LIMIT_BYTES`].
    #[error("record of {length} bytes at offset {offset} exceeds the limit of {RECORD_LIMIT_BYTES}")]
    TooLong {
        /// Where the record begins.
        offset: u64,
        /// The length that stands there; the groups read so far when it does not end.
        length: u64,
    },
    /// A byte that is no record type, or a type that may not stand here.
    #[error("unexpected record type {kind:?} at offset {offset}")]
    UnexpectedType {
        /// Where the record begins.
        offset: u64,
        /// The type byte.
        kind: Kind,
    },
    /// The data of a record that has a fixed form does not have it.
    #[error("malformed {kind:?} record at offset {offset}")]
    Malformed {
        /// Where the record begins.
        offset: u64,
        /// The type byte.
        kind: Kind,
    },
    /// A `p` record leads to where reading has been before.
    #[error("pointer record at offset {offset} leads back to offset {target}")]
    PointerLoop {
        /// Where the record begins.
        offset: u64,
        /// The offset it names.
        target: u64,
    },
}

/// What stands at the begin of a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A whole record and how many bytes it takes with its type and length.
    Whole(Record<'a>, usize),
    /// The buffer ends within the record, which takes at least this many bytes.
    Partial(usize),
}

/// What Postfix says of a file that ends within the record at the begin of `rest`.
pub fn cut_short(name: &str, rest: &[u8]) -> String {
    let kind = rest.first().copied().unwrap_or(0);
    let groups = rest.iter().skip(1).take(5).position(|byte| byte & 0x80 == 0);
    let Some(last) = groups else {
        return format!("{name}: unexpected EOF reading length, record type {kind}");
    };
    let length =
        (0..=last).fold(0_u64, |sum, group| sum | (u64::from(rest[group + 1] & 0x7f) << (7 * group)));
    format!("{name}: unexpected EOF in data, record type {kind} length {length}")
}

/// Reads the record at the begin of `bytes`, which begin at `offset` of the file.
///
/// # Errors
/// [`DecodeError::TooLong`].
pub fn parse(bytes: &[u8], offset: u64) -> Result<Parsed<'_>, DecodeError> {
    let Some((&kind, after_kind)) = bytes.split_first() else { return Ok(Parsed::Partial(2)) };
    let mut length: u64 = 0;
    for (group, &byte) in after_kind.iter().enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * group);
        if length > RECORD_LIMIT_BYTES as u64 || group > 3 {
            return Err(DecodeError::TooLong { offset, length });
        }
        if byte & 0x80 == 0 {
            let begin = 2 + group;
            let end = begin + length as usize;
            let Some(data) = bytes.get(begin..end) else { return Ok(Parsed::Partial(end)) };
            return Ok(Parsed::Whole(Record { kind: Kind(kind), data }, end));
        }
    }
    Ok(Parsed::Partial(bytes.len() + 1))
}

/// Appends a record to `out`.
///
/// # Panics
/// When `data` exceeds [`RECORD_LIMIT_BYTES`]: content is cut into lines and addresses are limited before they
/// come here.
pub fn write(out: &mut Vec<u8>, kind: Kind, data: &[u8]) {
    assert!(data.len() <= RECORD_LIMIT_BYTES, "record of {} bytes", data.len());
    out.push(kind.0);
    let mut rest = data.len();
    while rest > 0x7f {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out.extend_from_slice(data);
}

/// Appends an `A` record `name=value`. Line ends and NULs in `value` would break the readers: they become `?`.
pub fn write_attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    let clean = |byte: u8| if matches!(byte, b'\n' | b'\r' | 0) { b'?' } else { byte };
    let mut data = Vec::with_capacity(name.len() + 1 + value.len());
    data.extend_from_slice(name.as_bytes());
    data.push(b'=');
    data.extend(value.bytes().map(clean));
    write(out, Kind::ATTRIBUTE, &data);
}

/// A number in the fixed width of `W` and `p` records (`%15ld`), so that it can be written again in place.
pub fn fixed_number(number: i64) -> [u8; 15] {
    let mut text = [b' '; 15];
    let digits = number.to_string();
    let width = digits.len().min(15);
    text[15 - width..].copy_from_slice(&digits.as_bytes()[..width]);
    text
}

/// Walks over all records of `bytes`, in file order, without following pointers.
///
/// Ends after the last whole record; an unfinished one at the end is [`DecodeError::Truncated`].
pub fn walk(bytes: &[u8]) -> Walk<'_> {
    Walk { bytes, offset: 0 }
}

/// See [`walk`].
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Walk<'a> {
    /// The offset of the record and the record.
    type Item = Result<(u64, Record<'a>), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let offset = self.offset as u64;
        let step = parse(rest, offset);
        self.offset = self.bytes.len();
        match step {
            Ok(Parsed::Whole(record, length)) => {
                self.offset = offset as usize + length;
                Some(Ok((offset, record)))
            }
            Ok(Parsed::Partial(_)) => Some(Err(DecodeError::Truncated { offset })),
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_in_base_128_low_group_first() {
        let mut out = Vec::new();
        write(&mut out, Kind::CONTINUED, &[b'x'; 2048]);
        assert_eq!(&out[..3], [b'L', 0x80, 0x10]);
        write(&mut out, Kind::END, b"");
        assert_eq!(&out[out.len() - 2..], [b'E', 0]);
    }

    #[test]
    fn a_length_without_end_is_refused() {
        let error = parse(&[b'N', 0xff, 0xff, 0xff, 0xff, 0xff], 7).unwrap_err();
        assert!(matches!(error, DecodeError::TooLong { offset: 7, .. }), "{error:?}");
    }

    #[test]
    fn an_attribute_can_not_smuggle_a_line() {
        let mut out = Vec::new();
        write_attribute(&mut out, "log_helo_name", "a\nb");
        assert_eq!(out, b"A\x11log_helo_name=a?b");
    }

    #[test]
    fn fixed_numbers_keep_their_width() {
        assert_eq!(&fixed_number(0), b"              0");
        assert_eq!(&fixed_number(1795313801), b"     1795313801");
    }

    proptest! {
        #[test]
        fn records_come_back_as_written(records in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..400)), 0..20)) {
            let mut out = Vec::new();
            for (kind, data) in &records {
                write(&mut out, Kind(*kind), data);
            }
            let read: Vec<_> = walk(&out).map(|item| item.map(|(_, record)| (record.kind.0, record.data.to_vec())).unwrap()).collect();
            prop_assert_eq!(read, records);
        }

        #[test]
        fn a_record_in_pieces_is_partial_until_it_is_whole(data in prop::collection::vec(any::<u8>(), 0..300), cut in any::<prop::sample::Index>()) {
            let mut out = Vec::new();
            write(&mut out, Kind::NORMAL, &data);
            let end = cut.index(out.len());
            let parsed = parse(&out[..end], 0);
            prop_assert!(matches!(parsed, Ok(Parsed::Partial(n)) if n > end && n <= out.len()), "{:?}", parsed);
        }

        #[test]
        fn no_bytes_make_the_walk_fail_to_end(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(walk(&bytes).count() <= bytes.len());
        }
    }
}
