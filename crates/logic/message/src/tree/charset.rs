//! Bytes in some charset to text, when what is declared is often wrong.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far a declared charset is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// UTF-8 wins where the bytes are UTF-8, and a charset that does not fit is passed over.
    Guess,
    /// It is as declared; what does not fit becomes U+FFFD.
    Declared,
}

/// Decoded text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The characters. Where `decoded` is false each stands for the byte of its number.
    pub chars: String,
    /// Was anything decoded? Pure ASCII is left as it is.
    pub decoded: bool,
}

impl Text {
    /// As octets: UTF-8 where it was decoded.
    pub fn into_octets(self) -> Vec<u8> {
        if self.decoded { self.chars.into_bytes() } else { latin(&self.chars) }
    }

    fn decoded(chars: String) -> Self {
        Self { chars, decoded: true }
    }
}

fn latin(chars: &str) -> Vec<u8> {
    chars.chars().map(|char| u8::try_from(u32::from(char)).unwrap_or(b'?')).collect()
}

/// Bytes that Windows-1252 leaves undefined.
const UNDEFINED: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

/// Decodes `bytes` that claim to be in `charset`.
pub fn to_text(bytes: &[u8], charset: &[u8], trust: Trust) -> Text {
    let name = String::from_utf8_lossy(charset).trim().to_ascii_lowercase();
    let plain = bytes.is_ascii();
    if plain && extends_ascii(&name) {
        return undecoded(bytes);
    }
    if !plain
        && trust == Trust::Guess
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Text::decoded(text.to_owned());
    }
    let declared = as_declared(bytes, &name, trust);
    if let Some(text) = declared {
        return Text::decoded(text);
    }
    if plain { undecoded(bytes) } else { Text::decoded(windows(bytes)) }
}

fn undecoded(bytes: &[u8]) -> Text {
    Text { chars: bytes.iter().map(|byte| char::from(*byte)).collect(), decoded: false }
}

/// Is ASCII text the same in it?
fn extends_ascii(name: &str) -> bool {
    let families = [
        "iso-8859", "iso8859", "iso 8859", "windows-", "utf-8", "utf8", "koi8-", "euc-", "big5", "gbk",
        "gb18030",
    ];
    matches!(name, "us-ascii" | "ascii" | "ansi_x3.4-1968" | "ansi_x3.4-1986" | "iso646-us")
        || families.iter().any(|family| name.starts_with(family))
}

fn as_declared(bytes: &[u8], name: &str, trust: Trust) -> Option<String> {
    if matches!(name, "us-ascii" | "ascii") {
        return (trust == Trust::Declared).then(|| ascii(bytes));
    }
    if name.starts_with("utf-16") || name.starts_with("utf16") {
        return utf_16(bytes);
    }
    let latin = matches!(name, "iso-8859-1" | "iso8859-1" | "windows-1252" | "cp1252");
    if latin {
        let fits = !bytes.iter().any(|byte| UNDEFINED.contains(byte));
        return (fits || trust == Trust::Declared).then(|| windows(bytes));
    }
    let encoding = Encoding::for_label(name.as_bytes())?;
    match trust {
        Trust::Declared => Some(encoding.decode_without_bom_handling(bytes).0.into_owned()),
        Trust::Guess => encoding
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(std::borrow::Cow::into_owned),
    }
}

fn ascii(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER })
        .collect()
}

fn windows(bytes: &[u8]) -> String {
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    let undefined = |char: char| u8::try_from(u32::from(char)).is_ok_and(|byte| UNDEFINED.contains(&byte));
    text.chars().map(|char| if undefined(char) { char::REPLACEMENT_CHARACTER } else { char }).collect()
}

/// Which end comes first is told by where blanks have their zero byte; a byte order mark is left to nobody.
fn utf_16(bytes: &[u8]) -> Option<String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return None;
    }
    let (mut little, mut big) = (0, 0);
    let (mut even, mut odd) = (0_u64, 0_u64);
    for pair in bytes.chunks(2) {
        let second = pair.get(1).copied().unwrap_or(0);
        even += u64::from(pair[0] >> 4) + u64::from(pair[0] & 15);
        odd += u64::from(second >> 4) + u64::from(second & 15);
        little += u32::from(pair[0] == 0x20 && second == 0);
        big += u32::from(pair[0] == 0 && second == 0x20);
    }
    little += u32::from(even > odd * 4);
    big += u32::from(odd * 4 > even);
    match little.cmp(&big) {
        std::cmp::Ordering::Greater => Some(UTF_16LE.decode_without_bom_handling(bytes).0.into_owned()),
        std::cmp::Ordering::Less => Some(UTF_16BE.decode_without_bom_handling(bytes).0.into_owned()),
        std::cmp::Ordering::Equal => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_8_is_seen_whatever_is_declared() {
        let text = to_text("\u{e9}".as_bytes(), b"iso-8859-1", Trust::Guess);
        assert_eq!(text, Text { chars: "\u{e9}".into(), decoded: true });
        assert_eq!(to_text(b"\xe9", b"us-ascii", Trust::Guess).chars, "\u{e9}");
        assert!(!to_text(b"abc", b"koi8-r", Trust::Guess).decoded);
        assert_eq!(to_text(b"\xc1", b"koi8-r", Trust::Declared).chars, "\u{430}");
    }
}
