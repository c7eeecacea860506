//! Header values to UTF-8: encoded words (RFC 2047), and 8-bit text that should not be there.

use super::charset::{Trust, to_text};
use super::transfer::{decode_base64, decode_quoted_printable};

/// A run of text with one charset; none where it is no encoded word.
struct Section {
    charset: Vec<u8>,
    text: Vec<u8>,
}

/// Decodes an unfolded value; `name` in lower case: some fields hold no encoded words (RFC 2047 §5).
pub fn decode_value(value: &[u8], name: &[u8]) -> Vec<u8> {
    let mut text = without_breaks(value);
    if !text.is_ascii() {
        text = to_text(&text, b"UTF-8", Trust::Guess).into_octets();
    }
    if holds_no_words(name) || !contains(&text, b"=?") {
        return text;
    }
    let mut decoded = Vec::with_capacity(text.len());
    for section in sections(&join_neighbours(&text)) {
        let charset = section.charset.split(|byte| *byte == b'*').next().unwrap_or_default();
        if charset.is_empty() {
            decoded.extend(section.text);
        } else {
            decoded.extend(to_text(&section.text, charset, Trust::Declared).into_octets());
        }
    }
    decoded
}

fn without_breaks(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    let mut index = 0;
    while index < value.len() {
        let rest = &value[index..];
        if rest.starts_with(b"\n\t") {
            text.push(b' ');
            index += 2;
        } else if rest.starts_with(b"\r\n") {
            index += 2;
        } else if rest[0] == b'\n' {
            index += 1;
        } else {
            text.push(rest[0]);
            index += 1;
        }
    }
    text
}

fn holds_no_words(name: &[u8]) -> bool {
    let name =
        name.strip_prefix(b"resent-").filter(|rest| matches!(*rest, b"message-id" | b"date")).unwrap_or(name);
    name.starts_with(b"list-")
        || matches!(
            name,
            b"received" | b"message-id" | b"date" | b"mime-version" | b"references" | b"in-reply-to"
        )
}

fn contains(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|window| window == needle)
}

/// An encoded word at the begin of `text`: charset, encoding, content, length.
fn word(text: &[u8]) -> Option<(&[u8], u8, &[u8], usize)> {
    let rest = text.strip_prefix(b"=?")?;
    let is_charset = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'_' | b'-');
    let charset = rest.iter().take_while(|byte| is_charset(byte)).count();
    let rest_of = rest[charset..].strip_prefix(b"?")?;
    let encoding = *rest_of.first()?;
    let content = rest_of[1..].strip_prefix(b"?")?;
    let length = content.iter().position(|byte| *byte == b'?')?;
    let good = charset > 0
        && matches!(encoding, b'b' | b'q' | b'B' | b'Q')
        && content.get(length + 1) == Some(&b'=');
    good.then(|| (&rest[..charset], encoding, &content[..length], 2 + charset + 3 + length + 2))
}

/// Blanks between two encoded words do not count (RFC 2047 §6.2).
fn join_neighbours(text: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(text.len());
    let mut index = 0;
    while index < text.len() {
        let Some((_, _, _, length)) = word(&text[index..]) else {
            joined.push(text[index]);
            index += 1;
            continue;
        };
        joined.extend_from_slice(&text[index..index + length]);
        index += length;
        let blanks =
            text[index..].iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b).count();
        if blanks > 0 && word(&text[index + blanks..]).is_some() {
            index += blanks;
        }
    }
    joined
}

fn sections(text: &[u8]) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut index = 0;
    while index < text.len() {
        let (charset, piece, length) = match word(&text[index..]) {
            Some((charset, encoding, content, length)) => {
                (charset.to_ascii_lowercase(), decode(encoding, content), length)
            }
            None => {
                let plain = text[index..].iter().take_while(|byte| **byte != b'=').count().max(1);
                (Vec::new(), text[index..index + plain].to_vec(), plain)
            }
        };
        index += length;
        match sections.last_mut() {
            Some(last) if last.charset == charset => last.text.extend(piece),
            _ => sections.push(Section { charset, text: piece }),
        }
    }
    sections
}

fn decode(encoding: u8, content: &[u8]) -> Vec<u8> {
    if matches!(encoding, b'b' | b'B') {
        return decode_base64(content);
    }
    let mut text = Vec::with_capacity(content.len());
    for byte in content {
        match byte {
            b'_' => text.extend_from_slice(b"=20"),
            byte => text.push(*byte),
        }
    }
    decode_quoted_printable(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded_and_joined() {
        assert_eq!(
            decode_value(b"=?iso-8859-1?Q?a_=E9?= =?iso-8859-1?q?b?= c", b"subject"),
            "a \u{e9}b c".as_bytes()
        );
        assert_eq!(decode_value(b"=?utf-8?B?w6k=?=", b"subject"), "\u{e9}".as_bytes());
        assert_eq!(decode_value(b"=?utf-8?B?w6k=?=", b"references"), b"=?utf-8?B?w6k=?=");
        assert_eq!(decode_value(b"caf\xe9", b"subject"), "caf\u{e9}".as_bytes());
    }
}
