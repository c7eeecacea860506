//! Content-Transfer-Encoding undone as Python's `email` undoes it: what is wrong is passed over.

/// The bytes that the text stands for.
pub(super) fn decoded(text: &[u8], encoding: &str) -> Vec<u8> {
    match encoding {
        "quoted-printable" => quoted_printable(text),
        "base64" => {
            let joined: Vec<u8> =
                text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
            let padded = || base64(&[joined.as_slice(), b"=="].concat());
            base64(&joined).or_else(padded).unwrap_or_else(|| joined.clone())
        }
        "x-uuencode" | "uuencode" | "uue" | "x-uue" => unix(text).unwrap_or_else(|| text.to_vec()),
        _ => text.to_vec(),
    }
}

/// RFC 2045 §6.7; a `=` that means nothing stands for itself.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'=' {
            decoded.push(*first);
            continue;
        }
        match rest {
            [] => {}
            [b'\r' | b'\n', ..] => {
                let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
                rest = &rest[end..];
            }
            [b'=', behind @ ..] => {
                decoded.push(b'=');
                rest = behind;
            }
            [high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.push(digit(*high) << 4 | digit(*low));
                rest = behind;
            }
            _ => decoded.push(b'='),
        }
    }
    decoded
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => hex.to_ascii_lowercase() - b'a' + 10,
    }
}

/// RFC 2045 §6.8; other characters are passed over. `None` when the padding is not enough.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
    let (mut place, mut left, mut padding) = (0, 0, 0);
    for byte in text {
        if *byte == b'=' {
            if place >= 2 {
                padding += 1;
                if place + padding >= 4 {
                    return Some(decoded);
                }
            }
            continue;
        }
        let Some(value) = base64_value(*byte) else { continue };
        padding = 0;
        match place {
            1 => decoded.push(left << 2 | value >> 4),
            2 => decoded.push(left << 4 | value >> 2),
            3 => decoded.push(left << 6 | value),
            _ => {}
        }
        left = value;
        place = (place + 1) % 4;
    }
    (place == 0).then_some(decoded)
}

fn base64_value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// uuencode, from `begin` on; `None` when it is no such thing.
fn unix(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.find(|line| {
        let mode = line.strip_prefix(b"begin ").and_then(|rest| rest.split(|byte| *byte == b' ').next());
        mode.is_some_and(|mode| !mode.is_empty() && mode.iter().all(|byte| (b'0'..=b'7').contains(byte)))
    })?;
    let mut decoded = Vec::new();
    for line in lines {
        let (first, data) = line.split_first()?;
        if line.trim_ascii() == b"end" {
            break;
        }
        let count = usize::from(first.wrapping_sub(b' ') & 63);
        let value = |index: usize| data.get(index).map_or(0, |byte| byte.wrapping_sub(b' ') & 63);
        let groups = (0..count.div_ceil(3)).flat_map(|group| {
            let [one, two, three, four] = [0, 1, 2, 3].map(|place| value(4 * group + place));
            [one << 2 | two >> 4, two << 4 | three >> 2, three << 6 | four]
        });
        decoded.extend(groups.take(count));
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_passed_over() {
        assert_eq!(decoded(b"a=3D=\r\nb=x==c=\n=", "quoted-printable"), b"a=b=x=c");
        assert_eq!(decoded(b"aGVs\nbG8", "base64"), b"hello");
        assert_eq!(decoded(b"aGVs*bG8=ignored", "base64"), b"hello");
        assert_eq!(decoded(b"aGVsb\n", "base64"), b"aGVsb");
        assert_eq!(decoded(b"begin 644 x\r\n#8V%T\r\n`\r\nend\r\n", "x-uuencode"), b"cat");
        assert_eq!(decoded(b"none\n", "uuencode"), b"none\n");
    }
}
