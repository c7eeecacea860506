//! How the bytes of a charset become characters, by the name that it has in mail.
//!
//! What is read here is what SpamAssassin's library reads: a text whose last character is cut off loses it, and a charset
//! of seven bits ends at the first byte that has eight.

use std::borrow::Cow;

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, ISO_2022_JP, REPLACEMENT, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};

/// Bytes that Windows-1252 leaves undefined.
const UNDEFINED: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

/// How a charset is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Ascii,
    /// ISO-8859-1 is what people call it.
    Windows1252,
    /// Either end first.
    Utf16,
    Iso2022Jp,
    /// Korean in seven bits (RFC 1557).
    Iso2022Kr,
    /// Without the characters of Hong Kong.
    Big5,
    /// KS X 1001 and no more, of which the code page of Windows is an extension.
    EucKr,
    /// GB2312 and no more, of which GBK is an extension.
    Gb2312,
    /// Any other that is known.
    Other(&'static Encoding),
}

impl Coding {
    /// The charset of this name in lower case.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "us-ascii" | "ascii" | "iso646-us" | "ansi_x3.4-1968" => Self::Ascii,
            "iso-8859-1" | "iso8859-1" | "windows-1252" | "cp1252" => Self::Windows1252,
            "iso-2022-jp" => Self::Iso2022Jp,
            "iso-2022-kr" => Self::Iso2022Kr,
            // The original leaves the seven bits of HZ as they are.
            "gb2312" | "euc-cn" | "hz-gb-2312" | "hz" => Self::Gb2312,
            "euc-kr" => Self::EucKr,
            "big5" => Self::Big5,
            "cp932" => Self::Other(SHIFT_JIS),
            "cp936" => Self::Other(GBK),
            "cp949" | "uhc" => Self::Other(EUC_KR),
            "cp950" => Self::Other(BIG5),
            _ if is_unknown_to_mail(name) => return None,
            _ if ["utf-16", "utf16", "utf 16"].iter().any(|start| name.starts_with(start)) => Self::Utf16,
            _ => Self::Other(Encoding::for_label(name.as_bytes()).filter(|found| *found != REPLACEMENT)?),
        })
    }

    /// The text, when all bytes are of this charset.
    pub(super) fn fits(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Ascii => bytes.is_ascii().then(|| forced_ascii(bytes)),
            Self::Windows1252 => (!bytes.iter().any(|byte| UNDEFINED.contains(byte))).then(|| windows(bytes)),
            Self::Utf16 => {
                utf_16(bytes)?.decode_without_bom_handling_and_without_replacement(bytes).map(Cow::into_owned)
            }
            Self::Iso2022Jp => Some(forced(ISO_2022_JP, seven_bits(bytes))),
            Self::Iso2022Kr => Self::EucKr.fits(&shifted(bytes)),
            Self::EucKr => {
                is_made_of(bytes, |_, second| second >= 0xa1).then(|| whole(EUC_KR, bytes)).flatten()
            }
            Self::Big5 => is_made_of(bytes, |_, _| true).then(|| whole(BIG5, bytes)).flatten(),
            Self::Gb2312 => is_made_of(bytes, is_gb2312).then(|| whole(GBK, bytes)).flatten(),
            Self::Other(encoding) => whole(encoding, bytes),
        }
    }

    /// The text, with U+FFFD for what is not of this charset.
    pub(super) fn forced(self, bytes: &[u8]) -> String {
        match self {
            Self::Ascii => forced_ascii(bytes),
            Self::Windows1252 => windows(bytes),
            Self::Utf16 => utf_16(bytes).map_or_else(|| windows(bytes), |encoding| forced(encoding, bytes)),
            Self::Iso2022Jp => forced(ISO_2022_JP, seven_bits(bytes)),
            Self::Iso2022Kr => forced(EUC_KR, &shifted(bytes)),
            Self::EucKr => forced(EUC_KR, bytes),
            Self::Big5 => forced(BIG5, bytes),
            Self::Gb2312 => forced(GBK, bytes),
            Self::Other(encoding) => forced(encoding, bytes),
        }
    }
}

/// Names that are on the web, but not in the library of the original: such a charset is guessed.
fn is_unknown_to_mail(name: &str) -> bool {
    matches!(
        name,
        "x-gbk"
            | "chinese"
            | "csgb2312"
            | "csiso58gb231280"
            | "csiso2022jp"
            | "csshiftjis"
            | "ms_kanji"
            | "korean"
            | "csksc56011987"
            | "ks_c_5601-1989"
            | "ksc_5601"
            | "cskoi8r"
            | "koi8"
            | "iso-8859-6-i"
            | "iso-8859-8-i"
            | "visual"
            | "unicode"
            | "x-user-defined"
    )
}

fn forced_ascii(bytes: &[u8]) -> String {
    let char = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER };
    bytes.iter().map(char).collect()
}

/// As Windows-1252, which is never wrong by much.
pub(super) fn windows(bytes: &[u8]) -> String {
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    let undefined = |char: char| u8::try_from(u32::from(char)).is_ok_and(|byte| UNDEFINED.contains(&byte));
    text.chars().map(|char| if undefined(char) { char::REPLACEMENT_CHARACTER } else { char }).collect()
}

/// Nothing where a byte is wrong; a last character that is not whole is dropped, but in UTF-8.
fn whole(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length_without_replacement(bytes.len())?);
    let (outcome, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, encoding == UTF_8);
    (outcome == encoding_rs::DecoderResult::InputEmpty).then_some(text)
}

/// U+FFFD where a byte is wrong; a last character that is not whole is dropped, but in UTF-8.
fn forced(encoding: &'static Encoding, bytes: &[u8]) -> String {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(0));
    let _ = decoder.decode_to_string(bytes, &mut text, encoding == UTF_8);
    text
}

/// Which end comes first is told by where blanks have their zero byte; a byte order mark is left to nobody.
fn utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
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
        std::cmp::Ordering::Greater => Some(UTF_16LE),
        std::cmp::Ordering::Less => Some(UTF_16BE),
        std::cmp::Ordering::Equal => None,
    }
}

fn seven_bits(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(bytes.len());
    &bytes[..end]
}

/// Is all that is not ASCII pairs of bytes that are `assigned`? The last one may be cut off.
fn is_made_of(bytes: &[u8], assigned: fn(u8, u8) -> bool) -> bool {
    let mut rest = bytes;
    loop {
        match rest {
            [first, after @ ..] if first.is_ascii() => rest = after,
            [first, second, after @ ..] if *first >= 0xa1 && assigned(*first, *second) => rest = after,
            [] => return true,
            [first] => return *first >= 0xa1,
            _ => return false,
        }
    }
}

/// Its rows have gaps, which GBK fills.
fn is_gb2312(row: u8, cell: u8) -> bool {
    match row {
        0xa1 | 0xa3 | 0xb0..=0xd6 | 0xd8..=0xf7 => (0xa1..=0xfe).contains(&cell),
        0xa2 => matches!(cell, 0xb1..=0xe2 | 0xe5..=0xee | 0xf1..=0xfc),
        0xa4 => matches!(cell, 0xa1..=0xf3),
        0xa5 => matches!(cell, 0xa1..=0xf6),
        0xa6 => matches!(cell, 0xa1..=0xb8 | 0xc1..=0xd8),
        0xa7 => matches!(cell, 0xa1..=0xc1 | 0xd1..=0xf1),
        0xa8 => matches!(cell, 0xa1..=0xba | 0xc5..=0xe9),
        0xa9 => matches!(cell, 0xa4..=0xef),
        0xd7 => matches!(cell, 0xa1..=0xf9),
        _ => false,
    }
}

/// Korean between SO and SI as EUC-KR has it in eight bits, without the line that announces it.
fn shifted(bytes: &[u8]) -> Vec<u8> {
    const SHIFT_OUT: u8 = 0x0e;
    const SHIFT_IN: u8 = 0x0f;
    const ANNOUNCED: &[u8] = b"\x1b$)C";
    let mut out = Vec::with_capacity(bytes.len());
    let mut korean = false;
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        match *first {
            _ if rest.starts_with(ANNOUNCED) => {
                rest = &rest[ANNOUNCED.len()..];
                continue;
            }
            SHIFT_OUT => korean = true,
            SHIFT_IN => korean = false,
            byte => out.push(if korean && byte > b' ' { byte | 0x80 } else { byte }),
        }
        rest = after;
    }
    out
}
