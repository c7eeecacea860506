//! Modified UTF-7 (RFC 3501 §5.1.3): names of folders in printable ASCII.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// `text` in modified UTF-7. Control characters are encoded, too.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units = Vec::new();
    for character in text.chars() {
        if matches!(character, ' '..='~') {
            shift(&mut units, &mut out);
            out.push(character);
            if character == '&' {
                out.push('-');
            }
        } else {
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
        }
    }
    shift(&mut units, &mut out);
    out
}

/// Writes the UTF-16 units that have gathered as `&...-`.
fn shift(units: &mut Vec<u16>, out: &mut String) {
    if units.is_empty() {
        return;
    }
    out.push('&');
    let (mut bits, mut count) = (0_u32, 0);
    for unit in units.drain(..) {
        bits = bits << 16 | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            out.push(char::from(ALPHABET[(bits >> count & 63) as usize]));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        out.push(char::from(ALPHABET[(bits << (6 - count) & 63) as usize]));
    }
    out.push('-');
}

/// The text that `encoded` stands for; none when it is not what [`encode`] would write.
pub fn decode(encoded: &str) -> Option<String> {
    let mut out = String::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some(at) = rest.find('&') {
        let (plain, shifted) = (&rest[..at], &rest[at + 1..]);
        let end = shifted.find('-')?;
        out.push_str(plain);
        match &shifted[..end] {
            "" => out.push('&'),
            base64 => out.push_str(&unshift(base64)?),
        }
        rest = &shifted[end + 1..];
    }
    out.push_str(rest);
    // One canonical form: no printable ASCII within a shift, no two shifts in a row, no other padding.
    (encode(&out) == encoded).then_some(out)
}

fn unshift(base64: &str) -> Option<String> {
    let (mut bits, mut count) = (0_u32, 0);
    let mut units = Vec::with_capacity(base64.len() / 2);
    for byte in base64.bytes() {
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        bits = (bits << 6 | value as u32) & 0x3f_ffff;
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push((bits >> count & 0xffff) as u16);
        }
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(encode("~peter/mail/台北/日本語"), "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
        assert_eq!(decode("&U,BTFw-").as_deref(), Some("台北"));
        assert_eq!(decode("x&-y").as_deref(), Some("x&y"));
        assert_eq!(encode("ä"), "&AOQ-");
        for bad in ["&", "&AOQ", "&AGE-", "&AOQ-&AOQ-", "&A-", "&AOQ=-", "&2D0-", "ä"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in ".{0,30}") {
            let encoded = encode(&text);
            prop_assert!(encoded.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
            prop_assert_eq!(decode(&encoded), Some(text));
        }

        #[test]
        fn no_bytes_upset_the_decoder(text in "[&A-C+,a😀-]{0,20}") {
            if let Some(decoded) = decode(&text) {
                prop_assert_eq!(encode(&decoded), text);
            }
        }
    }
}
