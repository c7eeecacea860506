//! Case of bytes above ASCII: to Perl `\xE4` with `/i` is also `\xC4`, whatever the text's charset.

use super::byte_set::other_latin_case;

/// The pattern with both cases of such bytes written out where case does not count.
pub(super) fn with_latin_case(source: &str) -> String {
    let has_high = !source.is_ascii() || source.contains("\\x");
    if !has_high || !source.contains("(?") {
        return source.to_owned();
    }
    let mut writer = Writer {
        bytes: source.as_bytes(),
        at: 0,
        text: String::with_capacity(source.len() + 64),
        stack: vec![false],
    };
    writer.write_all();
    writer.text
}

struct Writer<'a> {
    bytes: &'a [u8],
    at: usize,
    text: String,
    /// For each open group: does case not count?
    stack: Vec<bool>,
}

impl Writer<'_> {
    fn ignores_case(&self) -> bool {
        self.stack.last().copied().unwrap_or(false)
    }

    fn starts_with(&self, text: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(text)
    }

    fn copy(&mut self, count: usize) {
        for byte in &self.bytes[self.at..(self.at + count).min(self.bytes.len())] {
            push(&mut self.text, *byte);
        }
        self.at = (self.at + count).min(self.bytes.len());
    }

    fn write_all(&mut self) {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b'(' => self.open(),
                b')' => {
                    if self.stack.len() > 1 {
                        self.stack.pop();
                    }
                    self.copy(1);
                }
                b'[' => self.class(),
                b'\\' if self.ignores_case() && self.hex().is_some() => self.single(),
                b'\\' => self.copy(2),
                0x80.. if self.ignores_case() => self.single(),
                _ => self.copy(1),
            }
        }
    }

    /// `(?i)` holds until its group ends, `(?i:` for its own group.
    fn open(&mut self) {
        let inherited = self.ignores_case();
        if !self.starts_with(b"(?") {
            self.stack.push(inherited);
            return self.copy(1);
        }
        let rest = &self.bytes[self.at + 2..];
        let length =
            rest.iter().take_while(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'^')).count();
        let letters = String::from_utf8_lossy(&rest[..length]).into_owned();
        let value = flag(&letters, inherited);
        match rest.get(length) {
            Some(b')') => {
                if let Some(last) = self.stack.last_mut() {
                    *last = value;
                }
                self.copy(length + 3);
            }
            Some(b':') => {
                self.stack.push(value);
                self.copy(length + 3);
            }
            _ => {
                self.stack.push(inherited);
                self.copy(2);
            }
        }
    }

    /// The byte of `\xHH` here, and how long it is written.
    fn hex(&self) -> Option<(u8, usize)> {
        let rest = self.bytes.get(self.at..)?.strip_prefix(b"\\x")?;
        let (digits, length) = match rest.strip_prefix(b"{") {
            Some(inner) => {
                let end = inner.iter().position(|byte| *byte == b'}')?;
                (&inner[..end], end + 4)
            }
            None => {
                let count = rest.iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
                (&rest[..count], count + 2)
            }
        };
        let value = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        (value >= 0x80).then_some((value, length))
    }

    fn single(&mut self) {
        let (byte, length) = self.hex().unwrap_or((self.bytes[self.at], 1));
        match other_latin_case(byte) {
            Some(other) => {
                self.text.push_str(&format!("[\\x{byte:02x}\\x{other:02x}]"));
                self.at += length;
            }
            None => self.copy(length),
        }
    }

    /// A class is copied, and the other cases of its high bytes are added.
    fn class(&mut self) {
        let ignores_case = self.ignores_case();
        self.copy(1);
        if self.starts_with(b"^") {
            self.copy(1);
        }
        if self.starts_with(b"]") {
            self.copy(1);
        }
        let mut added = String::new();
        let mut range_from: Option<u8> = None;
        while let Some(byte) = self.bytes.get(self.at).copied().filter(|byte| *byte != b']') {
            if self.starts_with(b"[:") {
                let end =
                    self.bytes[self.at..].windows(2).position(|pair| pair == b":]").map_or(2, |end| end + 2);
                self.copy(end);
                continue;
            }
            let (member, length) = match byte {
                b'\\' => self.hex().map_or((None, 2), |(member, length)| (Some(member), length)),
                0x80.. => (Some(byte), 1),
                _ => (None, 1),
            };
            let is_dash = byte == b'-' && range_from.is_some();
            self.copy(length);
            if is_dash {
                continue;
            }
            let after_dash = self.bytes.get(self.at.wrapping_sub(length + 1)) == Some(&b'-');
            if let Some(member) = member.filter(|_| ignores_case) {
                let from =
                    range_from.filter(|from| after_dash && *from < member).map_or(member, |from| from + 1);
                (from..=member)
                    .filter_map(other_latin_case)
                    .for_each(|other| added.push_str(&format!("\\x{other:02x}")));
            }
            range_from = member;
        }
        self.text.push_str(&added);
        self.copy(1);
    }
}

/// What `i` and `-i` in a group's letters make of the case.
fn flag(letters: &str, inherited: bool) -> bool {
    let (on, off) = letters.split_once('-').unwrap_or((letters, ""));
    let inherited = inherited && !on.starts_with('^');
    (inherited || on.contains('i')) && !off.contains('i')
}

/// Bytes above ASCII are written as escapes, so that the pattern stays text.
fn push(text: &mut String, byte: u8) {
    if byte.is_ascii() {
        text.push(char::from(byte));
    } else {
        text.push_str(&format!("\\x{byte:02x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cases_are_written() {
        assert_eq!(with_latin_case("(?i)a\\xE4b"), "(?i)a[\\xe4\\xc4]b");
        assert_eq!(with_latin_case("(?i)[a\\xE0-\\xE2]"), "(?i)[a\\xE0-\\xE2\\xc0\\xc1\\xc2]");
        assert_eq!(with_latin_case("a\\xE4(?i:\\xE4)\\xE4(?s)"), "a\\xE4(?i:[\\xe4\\xc4])\\xE4(?s)");
        assert_eq!(with_latin_case("(?i)[\\xA0-\\xC1x]"), "(?i)[\\xA0-\\xC1x\\xe0\\xe1]");
        assert_eq!(with_latin_case("(?i)[^]\\]\\x41]"), "(?i)[^]\\]\\x41]");
    }
}
