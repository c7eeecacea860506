//! Bytes in some charset to text, when what is declared is often wrong.

use super::coding::{Coding, windows};

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
    match Coding::of(&name).and_then(|coding| as_declared(bytes, &coding, trust)) {
        Some(text) => text,
        None if plain => undecoded(bytes),
        None => Text::decoded(windows(bytes)),
    }
}

fn as_declared(bytes: &[u8], coding: &Coding, trust: Trust) -> Option<Text> {
    match (coding, trust) {
        (Coding::Ascii, Trust::Guess) => None,
        // What is declared in a header is tried, and left as it is.
        (Coding::Utf16, Trust::Declared) => coding.fits(bytes).map(|_| undecoded(bytes)),
        (_, Trust::Guess) => coding.fits(bytes).map(Text::decoded),
        (_, Trust::Declared) => Some(Text::decoded(coding.forced(bytes))),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(bytes: &[u8], charset: &str) -> String {
        to_text(bytes, charset.as_bytes(), Trust::Guess).chars
    }

    #[test]
    fn utf_16_is_taken_by_where_its_zeros_are_and_only_whole() {
        assert_eq!(guessed(b"A\0B\0 \0C\0", "utf-16"), "AB C");
        assert_eq!(guessed(b"\0A\0B\0 \0C", "UTF-16"), "AB C");
        assert_eq!(guessed(b"Dear Sir,", "utf-16"), "Dear Sir,", "half a character is left over");
        assert_eq!(to_text(b"\0A\0B", b"utf-16", Trust::Declared).into_octets(), b"\0A\0B");
    }

    #[test]
    fn a_character_that_the_end_cuts_off_is_dropped() {
        assert_eq!(guessed(b"\xc4\xe3\xba", "gb2312"), "\u{4f60}");
        assert_eq!(to_text(b"x \xa4", b"euc-jp", Trust::Declared).chars, "x ");
    }

    #[test]
    fn what_gb2312_does_not_have_is_not_gb2312() {
        assert_eq!(guessed(b"\xb0\xa1 ok", "gb2312"), "\u{554a} ok");
        assert_eq!(guessed(b"Fr\xe9e", "gb2312"), "Fr\u{e9}e");
        assert_eq!(guessed(b"\x81\x40 \xb0\xa1", "gbk"), "\u{4e02} \u{554a}");
    }

    #[test]
    fn seven_bit_charsets_end_where_the_eighth_bit_begins() {
        assert_eq!(guessed(b"\x1b$B$3$l\x1b(B \xe9 rest", "iso-2022-jp"), "\u{3053}\u{308c} ");
        assert_eq!(guessed(b"\x1b$)C\x0e>H\x0f y", "iso-2022-kr"), "\u{c548} y");
    }

    #[test]
    fn utf_8_is_seen_whatever_is_declared() {
        let text = to_text("\u{e9}".as_bytes(), b"iso-8859-1", Trust::Guess);
        assert_eq!(text, Text { chars: "\u{e9}".into(), decoded: true });
        assert_eq!(to_text(b"\xe9", b"us-ascii", Trust::Guess).chars, "\u{e9}");
        assert!(!to_text(b"abc", b"koi8-r", Trust::Guess).decoded);
        assert_eq!(to_text(b"\xc1", b"koi8-r", Trust::Declared).chars, "\u{430}");
    }
}
