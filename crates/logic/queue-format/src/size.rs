//! The `C` record at the begin of every queue file.

/// Sizes and offsets that let a reader skip the content. Six numbers of 15 characters, so that the record can be
/// written as zeros first and again in place when all is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SizeRecord {
    /// Bytes from the first record after `M` up to the `X` record: the size that logs and mailq show.
    pub message_bytes: u64,
    /// Offset of the first record after `M`.
    pub content_offset: u64,
    /// How many recipients, in both parts of the envelope.
    pub recipients: u64,
    /// For the queue manager: bit 0 says that other records stand between the recipients; the NOTIFY flags of all recipients
    /// together, shifted left by one.
    pub manager_flags: u32,
    /// Bytes that the content takes in the file; differs from `message_bytes` only after a milter changed the body.
    pub content_bytes: u64,
    /// SMTPUTF8 and other promises of the sender (3.0 and later).
    pub send_options: u32,
}

/// Bytes of data in the record.
pub const SIZE_RECORD_BYTES: usize = 6 * 15 + 5;

impl SizeRecord {
    /// The data of the record.
    pub fn encode(&self) -> Vec<u8> {
        let Self { message_bytes, content_offset, recipients, manager_flags, content_bytes, send_options } =
            *self;
        format!("{message_bytes:15} {content_offset:15} {recipients:15} {manager_flags:15} {content_bytes:15} {send_options:15}").into_bytes()
    }

    /// Reads the data of a record; numbers that an older version did not write are taken as Postfix takes them: zero, and the
    /// bytes of the content those of the message. `None` when the first three do not stand there.
    pub fn decode(data: &[u8]) -> Option<Self> {
        let mut rest = data;
        let mut numbers = std::iter::from_fn(|| next_number(&mut rest));
        let message_bytes = numbers.next()?;
        Some(Self {
            message_bytes,
            content_offset: numbers.next()?,
            recipients: numbers.next()?,
            manager_flags: u32::try_from(numbers.next().unwrap_or(0)).ok()?,
            content_bytes: numbers.next().unwrap_or(message_bytes),
            send_options: u32::try_from(numbers.next().unwrap_or(0)).ok()?,
        })
    }
}

/// Takes the next decimal number and the spaces before it off.
fn next_number(rest: &mut &[u8]) -> Option<u64> {
    let text = rest.trim_ascii_start();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (digits, behind) = text.split_at(end);
    *rest = behind;
    let digit =
        |number: u64, byte: &u8| number.checked_mul(10)?.checked_add(char::from(*byte).to_digit(10)?.into());
    digits.iter().try_fold(0_u64, digit).filter(|_| !digits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Postfix 3.7.11 wrote it.
    const REAL: &[u8] =
        b"           3251             964               4               8            3251               0";

    #[test]
    fn equals_what_postfix_writes() {
        let size = SizeRecord {
            message_bytes: 3251,
            content_offset: 964,
            recipients: 4,
            manager_flags: 8,
            content_bytes: 3251,
            send_options: 0,
        };
        assert_eq!(SizeRecord::decode(REAL), Some(size));
        assert_eq!(size.encode(), REAL);
        assert_eq!(SizeRecord::default().encode().len(), SIZE_RECORD_BYTES);
    }

    #[test]
    fn an_older_record_with_three_numbers_is_read() {
        let size = SizeRecord::decode(b"            387             591               1").unwrap();
        assert_eq!((size.message_bytes, size.content_offset, size.content_bytes), (387, 591, 387));
        assert_eq!(SizeRecord::decode(b"   12 "), None);
        assert_eq!(SizeRecord::decode(b"-1 2 3"), None);
    }
}
