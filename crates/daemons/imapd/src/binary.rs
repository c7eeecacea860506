//! Content without its transfer encodings, as BINARY has it (RFC 3516 §4.2).

use message::content_type::Encoding;
use message::decode;
use message::fields::{fields, lines};
use message::header::header_value;
use message::structure::{Inner, Part};

/// The decoded content of a part, or of a message with all its parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Binary {
    pub(crate) content: Vec<u8>,
    /// Something was decoded: as with Dovecot the content goes out as a literal8 then.
    pub(crate) decoded: bool,
    /// A part is encoded in a way that nobody knows (RFC 3516 §4.3).
    pub(crate) unknown: bool,
}

impl Binary {
    /// Reads `part` from `start` on: where its header begins, or its body.
    pub(crate) fn read(text: &[u8], part: &Part, start: usize) -> Self {
        let (mut binary, mut at) = (Self::default(), start);
        binary.add(text, part, &mut at);
        binary.content.extend_from_slice(&text[at..part.body.end.max(at)]);
        binary
    }

    /// Adds a part, and what stands before it; `at` is how far the text is added. Depth is bounded, as [`Part`] bounds it.
    fn add(&mut self, text: &[u8], part: &Part, at: &mut usize) {
        match &part.inner {
            Inner::Parts(parts) => parts.iter().for_each(|inner| self.add(text, inner, at)),
            Inner::Message(inner) => self.add(text, inner, at),
            Inner::Leaf => self.add_leaf(text, part, at),
        }
    }

    fn add_leaf(&mut self, text: &[u8], part: &Part, at: &mut usize) {
        let header = &text[part.header.clone()];
        let encoding = encoding_of(header);
        self.unknown |= encoding == Encoding::Other;
        if !matches!(encoding, Encoding::Base64 | Encoding::QuotedPrintable) {
            return;
        }
        self.decoded = true;
        if *at <= part.header.start {
            self.content.extend_from_slice(&text[*at..part.header.start]);
            self.content.extend(with_binary(header));
        }
        self.content.extend(decode::body(encoding, &text[part.body.clone()]));
        *at = part.body.end;
    }
}

/// The transfer encoding that a header tells.
pub(crate) fn encoding_of(header: &[u8]) -> Encoding {
    let is_it = |name: &[u8]| name.eq_ignore_ascii_case(b"Content-Transfer-Encoding");
    let last = fields(header).filter(|field| is_it(field.name)).last();
    last.map_or(Encoding::SevenBit, |field| Encoding::parse(header_value(field.whole)))
}

/// The header of a part that is decoded: it says so.
fn with_binary(header: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(header.len());
    for (whole, field) in lines(header) {
        if !field.is_some_and(|field| field.name.eq_ignore_ascii_case(b"Content-Transfer-Encoding")) {
            out.extend_from_slice(whole);
        }
    }
    out.extend_from_slice(b"Content-Transfer-Encoding: binary\r\n\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, whole: bool) -> (String, bool, bool) {
        let text = text.replace('\n', "\r\n");
        let root = Part::read(text.as_bytes());
        let start = if whole { root.header.start } else { root.body.start };
        let Binary { content, decoded, unknown } = Binary::read(text.as_bytes(), &root, start);
        (String::from_utf8(content).unwrap().replace("\r\n", "\n"), decoded, unknown)
    }

    #[test]
    fn all_parts_are_decoded() {
        let one = "A: b\nContent-Transfer-Encoding: base64\n\nSGk=\n";
        assert_eq!(read(one, false), ("Hi".into(), true, false));
        let header = "A: b\nContent-Transfer-Encoding: binary\n\n";
        assert_eq!(read(one, true), (format!("{header}Hi"), true, false));
        let many =
            format!("Content-Type: multipart/mixed; boundary=b\n\npre\n--b\n{one}--b\n\nx\n--b--\nepi\n");
        let decoded = format!("pre\n--b\n{header}Hi\n--b\n\nx\n--b--\nepi\n");
        assert_eq!(read(&many, false), (decoded, true, false));
    }

    #[test]
    fn what_needs_nothing_stays_and_what_is_unknown_is_told() {
        assert_eq!(read("A: b\n\n=41\n", true), ("A: b\n\n=41\n".into(), false, false));
        assert_eq!(read("Content-Transfer-Encoding: x-uu\n\nz\n", false), ("z\n".into(), false, true));
    }
}
