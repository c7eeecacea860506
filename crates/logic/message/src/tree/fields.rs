//! Header fields of a part, in their order, raw and decoded.

use std::collections::HashMap;

use super::HEADERS_LIMIT_BYTES;
use super::encoded_word::decode_value;

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name as it stands there.
    pub name: Vec<u8>,
    /// The name in lower case.
    pub key: Vec<u8>,
    /// What stands behind the colon, with line breaks; CR LF has become LF.
    pub raw: Vec<u8>,
    /// Unfolded, trimmed, encoded words decoded: UTF-8, or the bytes that were there.
    pub value: Vec<u8>,
}

/// All fields of one part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    list: Vec<Field>,
}

impl Fields {
    /// Adds a field.
    pub fn push(&mut self, name: &[u8], raw: &[u8]) {
        let key = name.to_ascii_lowercase();
        let value = decode_value(&unfold(raw), &key);
        self.list.push(Field { name: name.to_vec(), key, raw: raw.to_vec(), value });
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Field> {
        self.list.iter()
    }

    /// Those of that name, whatever its case.
    pub fn named<'a>(&'a self, name: &'a [u8]) -> impl DoubleEndedIterator<Item = &'a Field> {
        self.list.iter().filter(move |field| field.key.eq_ignore_ascii_case(name))
    }

    /// The decoded value of the last one of that name.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        let named = |field: &&Field| field.key.eq_ignore_ascii_case(name.as_bytes());
        self.list.iter().rev().find(named).map(|field| field.value.as_slice())
    }

    /// Forgets the fields for which `drop` says so.
    pub fn remove(&mut self, drop: impl Fn(&Field) -> bool) {
        self.list.retain(|field| !drop(field));
    }

    /// `Name: value` lines of all fields, decoded or raw, up to [`HEADERS_LIMIT_BYTES`], and whether some were left out.
    pub fn text(&self, raw: bool) -> (Vec<Vec<u8>>, bool) {
        let mut lines = vec![None; self.list.len()];
        let mut size = 0;
        let mut numbers: HashMap<&[u8], usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (index, field) in self.list.iter().enumerate() {
            let number = *numbers.entry(&field.key).or_insert(groups.len());
            if number == groups.len() {
                groups.push(Vec::new());
            }
            groups[number].push(index);
        }
        for index in groups.into_iter().flatten() {
            let field = &self.list[index];
            let value = if raw { one_line(&field.raw) } else { [field.value.as_slice(), b"\n"].concat() };
            size += field.key.len() + value.len() + 2;
            if size > HEADERS_LIMIT_BYTES {
                return (lines.into_iter().flatten().collect(), true);
            }
            lines[index] = Some([field.name.as_slice(), b": ", &value].concat());
        }
        (lines.into_iter().flatten().collect(), false)
    }
}

/// Folds become one blank, and blanks around go.
fn unfold(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
        text.extend_from_slice(&rest[..at]);
        let blanks = rest[at + 1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        text.push(if blanks > 0 { b' ' } else { b'\n' });
        rest = &rest[at + 1 + blanks..];
    }
    text.extend_from_slice(rest);
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(0, |at| at + 1);
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(end);
    text[start.min(end)..end].to_vec()
}

/// Each line break with the blanks behind it becomes one blank.
pub(crate) fn one_line(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut index = 0;
    while index < raw.len() {
        let breaks = if raw[index..].starts_with(b"\r\n") { 2 } else { usize::from(raw[index] == b'\n') };
        let blanks = raw[index + breaks..]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b)
            .count();
        if breaks > 0 && blanks > 0 {
            text.push(b' ');
            index += breaks + blanks;
        } else {
            text.push(raw[index]);
            index += 1;
        }
    }
    text
}

impl Field {
    /// The raw value on one line, as `:raw` in a rule sees it.
    pub fn raw_line(&self) -> Vec<u8> {
        one_line(&self.raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_unfolded_and_trimmed() {
        let mut fields = Fields::default();
        fields.push(b"Subject", b" a\n\t b \n");
        assert_eq!(fields.value("SUBJECT"), Some(&b"a b"[..]));
        let field = fields.iter().next().unwrap();
        assert_eq!(field.raw_line(), b" a b \n");
        assert_eq!(fields.text(false).0, [b"Subject: a b\n".to_vec()]);
    }
}
