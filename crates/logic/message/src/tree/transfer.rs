//! Transfer encodings, read leniently (RFC 2045 §6).

/// Undoes base64; what is no base64 is skipped, and padding in the middle counts for zero bits.
pub fn decode_base64(text: &[u8]) -> Vec<u8> {
    let packed: Vec<u8> = text.iter().copied().filter(|byte| !is_space(*byte)).collect();
    let clean = packed.iter().all(|byte| value(*byte).is_some() || *byte == b'=');
    if packed.len().is_multiple_of(4) && packed.len() >= 2 && clean {
        return decode_clean(&packed);
    }
    let kept = packed.iter().copied().filter(|byte| value(*byte).is_some() || *byte == b'=');
    let mut sixes: Vec<u8> = kept.collect();
    sixes.truncate(sixes.iter().rposition(|byte| *byte != b'=').map_or(0, |at| at + 1));
    let mut sixes: Vec<u8> = sixes.into_iter().map(|byte| value(byte).unwrap_or(63)).collect();
    if sixes.len() % 4 == 1 {
        sixes.pop();
    }
    join(&sixes)
}

fn decode_clean(packed: &[u8]) -> Vec<u8> {
    let end = packed.iter().rposition(|byte| *byte != b'=').map_or(0, |at| at + 1);
    let sixes: Vec<u8> = packed[..end].iter().map(|byte| value(*byte).unwrap_or(0)).collect();
    join(&sixes)
}

fn join(sixes: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(sixes.len() * 3 / 4);
    for four in sixes.chunks(4) {
        let bits = four.iter().fold(0_u32, |bits, six| bits << 6 | u32::from(*six)) << (6 * (4 - four.len()));
        let three = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
        bytes.extend_from_slice(&three[..four.len() - 1]);
    }
    bytes
}

fn value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Undoes quoted-printable; an `=` that means nothing stays.
pub fn decode_quoted_printable(text: &[u8]) -> Vec<u8> {
    let text = without_trailing_blanks(text);
    let mut decoded = Vec::with_capacity(text.len());
    let mut index = 0;
    while index < text.len() {
        let rest = &text[index..];
        if rest[0] != b'=' {
            decoded.push(rest[0]);
            index += 1;
        } else if rest.starts_with(b"=\n") {
            index += 2;
        } else if rest.starts_with(b"=\r\n") {
            index += 3;
        } else if let [b'=', high, low, ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            decoded.push(high << 4 | low);
            index += 3;
        } else {
            decoded.push(b'=');
            index += 1;
        }
    }
    decoded
}

fn without_trailing_blanks(text: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let Some(content) = line.strip_suffix(b"\n") else {
            lines.extend_from_slice(line);
            break;
        };
        let (content, end) =
            content.strip_suffix(b"\r").map_or((content, &b"\n"[..]), |content| (content, b"\r\n"));
        let length = content.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
        lines.extend_from_slice(&content[..length]);
        lines.extend_from_slice(end);
    }
    lines
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_whatever_stands_in_it() {
        assert_eq!(decode_base64(b"aGVsbG8="), b"hello");
        assert_eq!(decode_base64(b"aGVs\r\nbG8"), b"hello");
        assert_eq!(decode_base64(b"aGVs!bG8="), b"hello");
        assert_eq!(decode_base64(b""), b"");
    }

    #[test]
    fn quoted_printable_joins_and_keeps_what_it_does_not_know() {
        assert_eq!(decode_quoted_printable(b"a=3Db=\nc \t\r\nd=zz"), b"a=bc\r\nd=zz");
        assert_eq!(decode_quoted_printable(b"x ="), b"x =");
    }
}
