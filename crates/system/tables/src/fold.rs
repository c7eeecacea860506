//! Upper and lower case are the same in keys.

use std::borrow::Cow;

/// `text` with case differences taken out.
///
/// With `unicode`, and if it is UTF-8, by Unicode's rules (RFC 6531 addresses), else ASCII letters only.
pub fn fold(text: &[u8], unicode: bool) -> Cow<'_, [u8]> {
    if text.is_ascii() || !unicode {
        return fold_ascii(text);
    }
    match std::str::from_utf8(text) {
        Ok(text) => Cow::Owned(text.chars().flat_map(fold_character).collect::<String>().into_bytes()),
        Err(_) => fold_ascii(text),
    }
}

fn fold_ascii(text: &[u8]) -> Cow<'_, [u8]> {
    if text.iter().any(u8::is_ascii_uppercase) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Unicode's full case folding, out of std's case mappings: lower case of upper case. But the dotless i is not
/// folded to its capital, the capital sharp s is folded as the small one, and Cherokee is folded to capitals.
fn fold_character(character: char) -> impl Iterator<Item = char> {
    let upper: Vec<char> = match character {
        '\u{131}' => vec![character],
        'ẞ' => vec!['S', 'S'],
        other => other.to_uppercase().collect(),
    };
    let is_cherokee = matches!(upper[..], ['\u{13a0}'..='\u{13f5}']);
    upper.into_iter().flat_map(move |capital| {
        let lower: Vec<char> = if is_cherokee { vec![capital] } else { capital.to_lowercase().collect() };
        lower
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_and_unicode() {
        assert_eq!(&*fold(b"Info@Example.COM", true), b"info@example.com");
        assert!(matches!(fold(b"info@example.com", true), Cow::Borrowed(_)));
        assert_eq!(&*fold("JÖRG@straße.example".as_bytes(), true), "jörg@strasse.example".as_bytes());
        assert_eq!(&*fold("JÖRG".as_bytes(), false), "jÖrg".as_bytes());
        assert_eq!(&*fold(b"J\xd6RG", true), b"j\xd6rg");
    }
}
