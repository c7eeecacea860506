//! xtext (RFC 3461 §4): printable text in which `+2B` stands for `+`; and its kin for UTF-8 addresses.

/// The bytes that `text` stands for as UTF-8 text, or `None` where it is not xtext.
pub fn decode(text: &str) -> Option<String> {
    String::from_utf8(bytes(text)?).ok()
}

/// As [`decode`], with U+FFFD for what is no UTF-8.
pub(crate) fn decode_lossy(text: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&bytes(text)?).into_owned())
}

/// The text that utf-8-addr-xtext or utf-8-addr-unitext stands for (RFC 6533 §3), where `\x{E4}` is `ä`; U+FFFD for what is
/// no character. `None` where the braces are not closed or what is in them is no number of Unicode.
pub(crate) fn decode_unicode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, coded)) = rest.split_once("\\x{") {
        let (digits, after) = coded.split_once('}')?;
        let number = digits.chars().try_fold(0u32, |sum, digit| {
            Some(sum * 16 + digit.to_digit(16)?).filter(|sum| *sum <= char::MAX.into())
        })?;
        out.push_str(before);
        out.push(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = after;
    }
    Some(out + rest)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'+' {
            out.push(hex(*bytes.get(at + 1)?)? << 4 | hex(*bytes.get(at + 2)?)?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// `text` as xtext: blanks, control characters, `+`, `=` and what is not ASCII become `+XX`.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'+' | b'=') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("+{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_comes_back() {
        for text in ["", "a+b=c d", "häß\u{7f}", "plain"] {
            assert_eq!(decode(&encode(text)).as_deref(), Some(text));
        }
        assert_eq!(encode("a+b"), "a+2Bb");
    }

    #[test]
    fn unicode_is_written_by_its_numbers() {
        for (text, meant) in [
            ("a\\x{E4}b@x", "aäb@x"),
            ("\\x{1f600}\\x{5C}", "\u{1f600}\\"),
            ("a+2B\\y", "a+2B\\y"),
            ("\\x{D800}", "\u{fffd}"),
        ] {
            assert_eq!(decode_unicode(text).as_deref(), Some(meant));
        }
        for text in ["\\x{E4", "\\x{GG}", "\\x{110000}", "\\x{100000000}"] {
            assert_eq!(decode_unicode(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_xtext_is_refused() {
        for text in ["a+b", "+", "+2", "+FF"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
