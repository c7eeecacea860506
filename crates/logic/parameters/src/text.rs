//! Small rules of text that both configuration files share.

/// White space as main.cf knows it: blank, tab, and the line ends and feeds that C calls space.
pub const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

/// What separates the items of a list: commas and white space.
pub const fn is_list_separator(character: char) -> bool {
    matches!(character, ',' | ' ' | '\t' | '\r' | '\n')
}

/// First of the 128 characters that stand for the bytes 0x80..=0xFF of text that is not UTF-8.
const FOREIGN_BYTES_START: u32 = 0x10_FF00;

/// Configuration text from the bytes of a file.
///
/// Files that are not UTF-8 (old comments and banners in Latin-1) keep each such byte as a character from a
/// private range, so that [`to_bytes`] gives back exactly what the file had.
pub fn from_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        // A character of that range, written as such, would come back as a byte: its own bytes are kept instead.
        for part in chunk.valid().split_inclusive(stands_for_byte) {
            match part.chars().next_back().filter(|last| stands_for_byte(*last)) {
                Some(last) => {
                    let (plain, foreign) = part.split_at(part.len() - last.len_utf8());
                    text.push_str(plain);
                    push_foreign(&mut text, foreign.as_bytes());
                }
                None => text.push_str(part),
            }
        }
        push_foreign(&mut text, chunk.invalid());
    }
    text
}

fn stands_for_byte(character: char) -> bool {
    character as u32 >= FOREIGN_BYTES_START + 0x80
}

fn push_foreign(text: &mut String, bytes: &[u8]) {
    text.extend(bytes.iter().filter_map(|byte| char::from_u32(FOREIGN_BYTES_START + u32::from(*byte))));
}

/// The bytes that [`from_bytes`] made `text` from.
pub fn to_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match (character as u32).checked_sub(FOREIGN_BYTES_START).and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) if byte >= 0x80 => bytes.push(byte),
            _ => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_of_any_encoding_come_back(bytes: Vec<u8>) {
            prop_assert_eq!(to_bytes(&from_bytes(&bytes)), bytes);
        }

        #[test]
        fn characters_of_any_plane_come_back(text in "[a\u{10FF7F}-\u{10FFFF}]{0,8}") {
            prop_assert_eq!(to_bytes(&from_bytes(text.as_bytes())), text.as_bytes());
        }
    }

    #[test]
    fn latin_1_is_kept() {
        assert_eq!(to_bytes(&from_bytes(b"caf\xe9 = \xc3\xa9")), b"caf\xe9 = \xc3\xa9");
    }
}
