//! Bytes in hexadecimal digits, two each (RFC 4648 §8).
#![forbid(unsafe_code)]

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Bytes in lower-case digits.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

fn digit(value: u8) -> char {
    char::from(DIGITS[usize::from(value)])
}

/// The bytes that `digits` of either case stand for; `None` for an odd number of them, or for what is no digit.
pub fn decode(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Some(value(pair.first()?)? << 4 | value(pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_whole_pairs_of_digits_are_bytes() {
        assert_eq!(encode(b"\x00\x7f\xff"), "007fff");
        assert_eq!(decode("007FfF"), Some(vec![0, 0x7f, 0xff]));
        assert_eq!(decode(""), Some(Vec::new()));
        for text in ["0", "000", "+f", "0x", "g0", "\u{e9}"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
