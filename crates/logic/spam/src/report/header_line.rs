//! The `X-Spam-*` fields that are added.

use super::Stamp;
use super::wrap::{Break, Wrap};
use crate::check::Check;

/// Characters of a line of a header field.
const LINE_LENGTH: usize = 79;

impl Check<'_> {
    /// All fields that are added to spam, or to other mail.
    pub(super) fn added_headers(&self, spam: bool, stamp: &Stamp) -> Vec<u8> {
        let settings = &self.rules.settings;
        let list = if spam { &settings.headers_spam } else { &settings.headers_ham };
        let mut fields = Vec::new();
        for (name, template) in list {
            let value = encoded(&self.folded(name, self.fill(template, stamp)));
            fields.extend([b"X-Spam-", name.as_bytes(), b": ", &value, b"\n"].concat());
        }
        fields
    }

    fn folded(&self, name: &str, mut value: Vec<u8>) -> Vec<u8> {
        while matches!(value.last(), Some(b'\n' | b'\r')) {
            value.pop();
        }
        if !self.rules.settings.fold_headers {
            return value.into_iter().map(|byte| if byte == b'\n' { b' ' } else { byte }).collect();
        }
        if value.contains(&b'\n') {
            let lines: Vec<&[u8]> = value.split(|byte| *byte == b'\n').collect();
            let last = lines.len() - 1;
            let trimmed = lines.iter().enumerate().map(|(index, line)| match index {
                0 => line.trim_ascii_end(),
                index if index == last => line.trim_ascii_start(),
                _ => line.trim_ascii(),
            });
            let kept: Vec<&[u8]> = trimmed
                .enumerate()
                .filter(|(index, line)| *index == 0 || !line.is_empty())
                .map(|(_, line)| line)
                .collect();
            return kept.join(&b"\n\t"[..]);
        }
        let wrap = Wrap { prefix: "\t", first: "", length: LINE_LENGTH, overflow: false, at: Break::Behind };
        let begin = format!("X-Spam-{name}!!").into_bytes();
        let wrapped = wrap.apply(&[begin.as_slice(), &value].concat());
        let lines = wrapped.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let joined = lines.collect::<Vec<_>>().join(&b'\n');
        joined.get(begin.len()..).unwrap_or_default().to_vec()
    }
}

/// Text that is not ASCII becomes an encoded word (RFC 2047), a line at a time.
fn encoded(value: &[u8]) -> Vec<u8> {
    if value.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e)) {
        return value.to_vec();
    }
    let lines: Vec<Vec<u8>> = value.split(|byte| *byte == b'\n').map(encoded_line).collect();
    lines.join(&b'\n')
}

fn encoded_line(line: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7e);
    let Some(first) = line.iter().position(|byte| !plain(byte)) else { return line.to_vec() };
    let last = line.iter().rposition(|byte| !plain(byte)).unwrap_or(first);
    let start = line[..first].iter().rposition(|byte| matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
    let end =
        line[last..].iter().position(|byte| matches!(byte, b' ' | b'\t')).map_or(line.len(), |at| last + at);
    let mut word = line[..start].to_vec();
    word.extend_from_slice(b"=?UTF-8?Q?");
    for byte in &line[start..end] {
        match byte {
            b' ' => word.push(b'_'),
            b'=' | b'?' | b'_' | 0..=0x1f | 0x7f.. => word.extend(format!("={byte:02X}").into_bytes()),
            byte => word.push(*byte),
        }
    }
    word.extend_from_slice(b"?=");
    word.extend_from_slice(&line[end..]);
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_letters_are_encoded() {
        assert_eq!(encoded(b"plain"), b"plain");
        assert_eq!(encoded("a caf\u{e9} b".as_bytes()), b"a =?UTF-8?Q?caf=C3=A9?= b");
    }
}
