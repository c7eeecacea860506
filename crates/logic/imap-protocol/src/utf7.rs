//! Modified UTF-7 (RFC 3501 §5.1.3): UTF-16 in base64 between `&` and `-`.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Text as modified UTF-7.
pub fn encode(text: &str) -> String {
    let mut out = String::new();
    let mut pending: Vec<u16> = Vec::new();
    for letter in text.chars() {
        if matches!(letter, ' '..='~') {
            flush(&mut pending, &mut out);
            out.push(letter);
            if letter == '&' {
                out.push('-');
            }
        } else {
            pending.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
        }
    }
    flush(&mut pending, &mut out);
    out
}

fn flush(pending: &mut Vec<u16>, out: &mut String) {
    if pending.is_empty() {
        return;
    }
    out.push('&');
    let (mut bits, mut count) = (0_u32, 0);
    for unit in pending.drain(..) {
        bits = bits << 16 | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            out.push(letter(bits >> count));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        out.push(letter(bits << (6 - count)));
    }
    out.push('-');
}

fn letter(bits: u32) -> char {
    char::from(ALPHABET[(bits & 63) as usize])
}

/// The text of modified UTF-7; `None` unless it is the one right form of its text. A NUL is never right.
pub fn decode(bytes: &[u8]) -> Option<String> {
    let mut out = String::new();
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'&' => {
                let end = rest.iter().position(|byte| *byte == b'-')?;
                decode_shift(&rest[..end], &mut out)?;
                rest = &rest[end + 1..];
            }
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => return None,
        }
    }
    (encode(&out).as_bytes() == bytes && !out.contains('\0')).then_some(out)
}

fn decode_shift(letters: &[u8], out: &mut String) -> Option<()> {
    if letters.is_empty() {
        out.push('&');
        return Some(());
    }
    let (mut bits, mut count, mut units) = (0_u32, 0, Vec::new());
    for byte in letters {
        let value = ALPHABET.iter().position(|letter| letter == byte)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push(u16::try_from(bits >> count & 0xffff).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    for unit in char::decode_utf16(units) {
        out.push(unit.ok()?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_names() {
        for (text, wire) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("a&b", "a&-b"),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(encode(text), wire);
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(text));
        }
    }

    #[test]
    fn only_the_right_form_is_taken() {
        for bad in ["&Jjo", "&&", "&2AA-", "&AAA-x", "&AGE-", "&Jjo-&Jjo-", "\u{e4}", "&Jjp-x!"] {
            let good = decode(bad.as_bytes()).is_some_and(|text| encode(&text) == bad);
            assert!(decode(bad.as_bytes()).is_none() || good, "{bad}");
        }
        assert_eq!(decode(b"&AGE-"), None);
        assert_eq!(decode(b"&Jjo-&Jjo-"), None);
        assert_eq!(decode(b"&2AA-"), None);
    }

    proptest! {
        #[test]
        fn text_survives(text in "\\PC{0,30}") {
            let wire = encode(&text);
            prop_assert_eq!(decode(wire.as_bytes()), Some(text));
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(text) = decode(&bytes) {
                prop_assert_eq!(encode(&text).into_bytes(), bytes);
            }
        }
    }
}
