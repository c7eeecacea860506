//! Encoded words in header text (RFC 2047).

use crate::decode;

/// The text of a field's value: encoded words are decoded, blanks between two of them go, line breaks go.
pub fn decode_header(value: &[u8]) -> String {
    let value = crate::fields::unfold(value);
    let mut out = String::new();
    let mut rest = value.as_slice();
    let mut after_word = false;
    while !rest.is_empty() {
        let Some(start) = find(rest, b"=?") else { break };
        let (before, candidate) = rest.split_at(start);
        if let Some((text, length)) = encoded_word(candidate) {
            if !(after_word && before.iter().all(u8::is_ascii_whitespace)) {
                out.push_str(&decode::text(b"utf-8", before));
            }
            out.push_str(&text);
            rest = &candidate[length..];
            after_word = true;
        } else {
            out.push_str(&decode::text(b"utf-8", &rest[..start + 2]));
            rest = &candidate[2..];
            after_word = false;
        }
    }
    out.push_str(&decode::text(b"utf-8", rest));
    out
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?=", and how long it is.
fn encoded_word(text: &[u8]) -> Option<(String, usize)> {
    let mut parts = text.get(2..)?.splitn(3, |byte| *byte == b'?');
    let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    if charset.is_empty() || !charset.iter().all(u8::is_ascii_graphic) || encoding.len() != 1 {
        return None;
    }
    let end = rest.iter().position(|byte| *byte == b'?').filter(|end| rest.get(end + 1) == Some(&b'='))?;
    let content = &rest[..end];
    let mut bytes = Vec::new();
    match encoding[0].to_ascii_uppercase() {
        b'B' => bytes = decode::base64(content),
        b'Q' => decode::quoted_line(content, true, &mut bytes),
        _ => return None,
    }
    let charset = charset.split(|byte| *byte == b'*').next().unwrap_or(charset);
    Some((decode::text(charset, &bytes), 2 + charset_length(text) + 1 + 1 + 1 + end + 2))
}

fn charset_length(text: &[u8]) -> usize {
    text[2..].iter().position(|byte| *byte == b'?').unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_decoded() {
        for (value, text) in [
            ("=?utf-8?B?R3LDvMOfZSBhdXMgS8O2bG4=?=", "Grüße aus Köln"),
            ("=?utf-8?q?J=C3=B6?= x", "Jö x"),
            ("a =?iso-8859-1?Q?=E9_b?= =?iso-8859-1*fr?Q?c?= d", "a é bc d"),
            ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
            ("=?utf-8?Q?open", "=?utf-8?Q?open"),
            ("plain\r\n text", "plain text"),
            ("a=?b", "a=?b"),
        ] {
            assert_eq!(decode_header(value.as_bytes()), text, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_read(value in prop::collection::vec(prop::sample::select(b"=?utf-8QqBb_ =C3\n\xe9".to_vec()), 0..60)) {
            let _ = decode_header(&value);
        }
    }
}
