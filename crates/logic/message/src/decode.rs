//! Content without its transfer encoding, and text in any charset as UTF-8 (RFC 2045 §6).

use encoding_rs::{Encoding as Charset, UTF_8, WINDOWS_1252};

use crate::content_type::Encoding;

/// The bytes of a body; what is broken in it is passed over.
pub fn body(encoding: Encoding, body: &[u8]) -> Vec<u8> {
    match encoding {
        Encoding::Base64 => base64(body),
        Encoding::QuotedPrintable => quoted_printable(body),
        _ => body.to_vec(),
    }
}

/// Is that the name of a charset that [`text`] reads?
pub fn is_charset(name: &[u8]) -> bool {
    Charset::for_label(name).is_some()
}

/// base64 (RFC 2045 §6.8): other characters are passed over.
pub fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                (bits, count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}

/// quoted-printable (RFC 2045 §6.7): blanks at the end of a line go, and so does a line break behind `=`.
pub fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        let line_break = &line[bare.len()..];
        let bare = bare.trim_ascii_end();
        let (bare, soft) = bare.strip_suffix(b"=").map_or((bare, false), |bare| (bare, true));
        quoted_line(bare, false, &mut out);
        if !soft {
            out.extend_from_slice(line_break);
        }
    }
    out
}

/// `=XX`, and `_` for a blank in encoded words (RFC 2047 §4.2).
pub(crate) fn quoted_line(line: &[u8], in_word: bool, out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        at += 1;
        match byte {
            b'=' => match line.get(at..at + 2).and_then(hex) {
                Some(value) => {
                    out.push(value);
                    at += 2;
                }
                None => out.push(b'='),
            },
            b'_' if in_word => out.push(b' '),
            byte => out.push(*byte),
        }
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u8::from_str_radix(digits, 16).ok()
}

/// Names of ASCII. A byte that is none of it tells that the text is something else.
const ASCII: [&[u8]; 3] = [b"us-ascii", b"ascii", b"ansi_x3.4-1968"];

/// Text in a charset. One that is not known is read as UTF-8; what is none in it, as Windows-1252, which has every byte.
pub fn text(charset: &[u8], bytes: &[u8]) -> String {
    let is_ascii = ASCII.iter().any(|name| name.eq_ignore_ascii_case(charset));
    match Charset::for_label(charset) {
        Some(known) if known != UTF_8 && !is_ascii => known.decode_without_bom_handling(bytes).0.into_owned(),
        _ => utf8_or_single_bytes(bytes),
    }
}

fn utf8_or_single_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encodings_are_undone() {
        assert_eq!(base64(b"AAEC\r\nAw=="), [0, 1, 2, 3]);
        assert_eq!(quoted_printable(b"<b>alt=20html</b>"), b"<b>alt html</b>");
        assert_eq!(quoted_printable(b"a=\r\nb  \r\nc=C3=A9=4"), "ab\r\nc\u{e9}=4".as_bytes());
        assert_eq!(text(b"iso-8859-1", b"\xe9"), "\u{e9}");
        assert_eq!(text(b"", b"\xe9"), "\u{e9}");
        assert_eq!(text(b"x-unknown", "\u{e9}".as_bytes()), "\u{e9}");
        assert_eq!(text(b"US-ASCII", "\u{e9}".as_bytes()), "\u{e9}");
        // One byte that is broken does not spoil the others.
        assert_eq!(text(b"utf-8", b"\xc3\xa9\xe9\xc3\xa9\xc3"), "\u{e9}\u{e9}\u{e9}\u{c3}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(base64(&bytes).len() <= bytes.len());
            prop_assert!(quoted_printable(&bytes).len() <= bytes.len());
        }
    }
}
