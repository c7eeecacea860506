//! xtext (RFC 3461 §4): printable text in which `+2B` stands for `+`.

/// The bytes that `text` stands for as UTF-8 text, or `None` where it is not xtext.
pub fn decode(text: &str) -> Option<String> {
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
    String::from_utf8(out).ok()
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
    fn what_is_not_xtext_is_refused() {
        for text in ["a+b", "+", "+2", "+FF"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
