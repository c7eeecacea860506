//! Character references of HTML 4 (`&eacute;`), and those by number.
//!
//! A name that ends in a semicolon here is known only with it.

use message::entities::NAMES;

/// Text with its references decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// It holds characters that no single byte can hold.
    pub(super) wide: bool,
}

/// Decodes references. `prefix`: a known name that begins an unknown one counts, as in `&quotx`.
pub(super) fn decode(text: &str, wide: bool, prefix: bool) -> Decoded {
    if !text.contains('&') {
        return Decoded { text: text.to_owned(), wide };
    }
    let mut decoded = Decoded { text: String::with_capacity(text.len()), wide };
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match reference(rest, prefix) {
            Some((number, length)) => {
                decoded.wide |= number > 255;
                push(&mut decoded.text, number);
                rest = &rest[length..];
                rest = rest.strip_prefix(';').unwrap_or(rest);
            }
            None => decoded.text.push('&'),
        }
    }
    decoded.text.push_str(rest);
    decoded
}

/// Half of a pair, and numbers that are no character, count as one that can not be shown.
fn push(text: &mut String, number: u32) {
    if (0xdc00..0xe000).contains(&number) && text.ends_with(char::REPLACEMENT_CHARACTER) {
        return;
    }
    text.push(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER));
}

/// The character that `text`, which stands behind `&`, begins with, and how many bytes of it.
fn reference(text: &str, prefix: bool) -> Option<(u32, usize)> {
    if let Some(number) = text.strip_prefix('#') {
        return by_number(number).map(|(number, length)| (number, length + 1));
    }
    let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = &text[..length];
    let closed = text[length..].starts_with(';');
    if let Some(number) = by_name(name).or_else(|| closed.then(|| by_name(&text[..=length])).flatten()) {
        return Some((number, length));
    }
    let shorter = (1..length).rev().filter(|_| prefix);
    shorter.into_iter().find_map(|length| by_name(&name[..length]).map(|number| (number, length)))
}

fn by_name(name: &str) -> Option<u32> {
    NAMES.binary_search_by(|(known, _)| (*known).cmp(name)).ok().map(|index| NAMES[index].1)
}

fn by_number(text: &str) -> Option<(u32, usize)> {
    let (digits, radix, skip) = match text.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16, 1),
        None => (text, 10, 0),
    };
    let length = digits.chars().take_while(|char| char.is_digit(radix)).count();
    let number =
        u32::from_str_radix(&digits[..length], radix).ok().filter(|number| *number <= 0x0010_ffff)?;
    (number != 0 && !matches!(number, 0xfffe | 0xffff)).then_some((number, length + skip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded() {
        let text = |text| decode(text, false, true).text;
        assert_eq!(
            text("a&lt;b &eacute;&#233;&#xE9; &foo; &amp &quotx"),
            "a<b \u{e9}\u{e9}\u{e9} &foo; & \"x"
        );
        assert_eq!(decode("&quotx", false, false).text, "&quotx");
        assert!(decode("&euro;", false, true).wide && !decode("&eacute;", false, true).wide);
        assert_eq!(text("&euro"), "&euro");
    }
}
