//! Characters: charsets by the names that Python knows, and what is a blank or the end of a line there.

use encoding_rs::Encoding;

/// A blank, as Python has it: those of Unicode, and the separators of ASCII.
pub(super) fn is_blank(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// The lines of a text, as Python has them.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    // A CRLF makes an empty line here, which does not count.
    text.split(|character| {
        matches!(character, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    })
}

/// Text in a charset: what is not valid in it is left out. A charset that nobody knows is ASCII.
pub(super) fn decoded(bytes: &[u8], charset: &str) -> String {
    match Charset::of(charset) {
        Charset::Ascii => bytes.iter().filter(|byte| byte.is_ascii()).map(|byte| char::from(*byte)).collect(),
        Charset::Utf8 => bytes.utf8_chunks().map(|chunk| chunk.valid()).collect(),
        Charset::Latin => bytes.iter().map(|byte| char::from(*byte)).collect(),
        Charset::Iso(encoding) => bytes.iter().filter_map(|byte| iso(*byte, encoding)).collect(),
        Charset::Windows(encoding) => without_faults(bytes, encoding)
            .chars()
            .filter(|character| !('\u{80}'..='\u{9f}').contains(character))
            .collect(),
        Charset::Other(encoding) => without_faults(bytes, encoding),
        Charset::Wide => {
            let (encoding, mark) = wide(bytes);
            without_faults(&bytes[mark..], encoding)
        }
    }
}

/// UTF-16 in the order that its mark says, and the bytes of the mark.
fn wide(bytes: &[u8]) -> (&'static Encoding, usize) {
    match bytes {
        [0xfe, 0xff, ..] => (encoding_rs::UTF_16BE, 2),
        [0xff, 0xfe, ..] => (encoding_rs::UTF_16LE, 2),
        _ => (encoding_rs::UTF_16LE, 0),
    }
}

/// What is no text counts as it stands; bytes beyond ASCII are read in the charset, where one is named, and each that is not
/// valid stands for itself.
pub(super) fn as_it_stands(bytes: &[u8], charset: Option<&str>) -> String {
    if bytes.is_ascii() {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    match Charset::of(charset.unwrap_or_default()) {
        Charset::Ascii => {
            let shown = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' };
            bytes.iter().map(shown).collect()
        }
        Charset::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Charset::Latin => bytes.iter().map(|byte| char::from(*byte)).collect(),
        Charset::Iso(encoding) => {
            bytes.iter().map(|byte| iso(*byte, encoding).unwrap_or('\u{fffd}')).collect()
        }
        Charset::Windows(encoding) | Charset::Other(encoding) => {
            encoding.decode_without_bom_handling(bytes).0.into_owned()
        }
        Charset::Wide => {
            let (encoding, mark) = wide(bytes);
            encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned()
        }
    }
}

enum Charset {
    Ascii,
    Utf8,
    /// Each byte is the character of its number.
    Latin,
    /// One byte a character, with control characters between 128 and 159.
    Iso(&'static Encoding),
    /// One byte a character, without such control characters.
    Windows(&'static Encoding),
    Other(&'static Encoding),
    /// UTF-16 of either order.
    Wide,
}

impl Charset {
    fn of(name: &str) -> Self {
        let name = folded(name);
        match name.as_str() {
            "utf_8" | "utf8" | "u8" | "utf" | "utf8_ucs2" | "utf8_ucs4" | "cp65001" | "utf_8_sig" => {
                Self::Utf8
            }
            "iso_8859_1" | "iso8859_1" | "8859" | "cp819" | "csisolatin1" | "ibm819" | "iso8859"
            | "iso_8859_1_1987" | "iso_ir_100" | "l1" | "latin" | "latin1" | "latin_1" => Self::Latin,
            "iso_8859_9" | "iso8859_9" | "latin5" | "l5" => Self::Iso(encoding_rs::WINDOWS_1254),
            "iso_8859_11" | "iso8859_11" | "tis_620" | "tis620" => Self::Iso(encoding_rs::WINDOWS_874),
            "utf_16" | "utf16" | "u16" => Self::Wide,
            "ascii" | "us_ascii" | "us" | "646" | "ansi_x3.4_1968" => Self::Ascii,
            other => Self::known(other),
        }
    }

    /// Names that browsers know too.
    fn known(name: &str) -> Self {
        let digits =
            |family: &str| name.strip_prefix(family).map(|rest| rest.trim_start_matches('_').to_owned());
        let label = match (
            digits("windows").or_else(|| digits("cp")),
            digits("iso8859").or_else(|| digits("iso_8859")),
        ) {
            (Some(page), _) if page.starts_with("125") || page == "874" => format!("windows-{page}"),
            (_, Some(part)) => format!("iso-8859-{part}"),
            _ => match name {
                "gb2312" | "gbk" | "cp936" | "ms936" | "936" | "hz_gb_2312" => "gbk".to_owned(),
                "iso_2022_jp" => "iso-2022-jp".to_owned(),
                "cp932" | "shift_jis" | "sjis" | "shiftjis" | "ms_kanji" => "shift_jis".to_owned(),
                "euc_jp" | "eucjp" => "euc-jp".to_owned(),
                "euc_kr" | "euckr" | "ks_c_5601_1987" | "ksc5601" | "cp949" | "uhc" => "euc-kr".to_owned(),
                "macintosh" | "mac_roman" | "macroman" => "macintosh".to_owned(),
                other => other.replace('_', "-"),
            },
        };
        match Encoding::for_label(label.as_bytes()) {
            None => Self::Ascii,
            Some(encoding)
                if encoding == encoding_rs::REPLACEMENT || encoding == encoding_rs::X_USER_DEFINED =>
            {
                Self::Ascii
            }
            // Labels of browsers that mean another charset than they say are those that are named above.
            Some(encoding) if encoding == encoding_rs::WINDOWS_1252 && !label.starts_with("windows") => {
                Self::Ascii
            }
            Some(encoding) if label.starts_with("windows") => Self::Windows(encoding),
            Some(encoding) if label.starts_with("iso-8859") => Self::Iso(encoding),
            Some(encoding) => Self::Other(encoding),
        }
    }
}

/// Letters, digits and dots of a name, in lower case; everything else is an underscore.
fn folded(name: &str) -> String {
    let mut folded = String::new();
    for part in name.split(|character: char| !character.is_ascii_alphanumeric() && character != '.') {
        if !part.is_empty() {
            folded.extend((!folded.is_empty()).then_some('_'));
            folded.push_str(&part.to_ascii_lowercase());
        }
    }
    folded
}

fn iso(byte: u8, encoding: &'static Encoding) -> Option<char> {
    if byte < 0xa0 {
        return Some(char::from(byte));
    }
    let text =
        encoding.decode_without_bom_handling_and_without_replacement(&[byte]).map(|text| text.into_owned());
    text.and_then(|text| text.chars().next())
}

fn without_faults(bytes: &[u8], encoding: &'static Encoding) -> String {
    let (text, faulty) = encoding.decode_without_bom_handling(bytes);
    if faulty { text.replace('\u{fffd}', "") } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_are_those_of_their_names() {
        assert_eq!(decoded(b"a\x80\xe4", "ISO-8859-1"), "a\u{80}\u{e4}");
        assert_eq!(decoded(b"a\x80\x81", "windows-1252"), "a\u{20ac}");
        assert_eq!(decoded(b"a\xe4b", "us-ascii"), "ab");
        assert_eq!(decoded(b"a\xff\xc3\xa4", "UTF-8"), "a\u{e4}");
        assert_eq!(decoded(b"\xa4\x80", "iso-8859-15"), "\u{20ac}\u{80}");
        assert_eq!(decoded(b"a\xe4", "no-such"), "a");
        assert_eq!(decoded(b"\xc1", "koi8-r"), "\u{430}");
        assert_eq!(decoded(b"\xfe\xff\x00a", "utf-16"), "a");
        assert_eq!(as_it_stands(b"a\xe4", None), "a\u{fffd}");
    }
}
