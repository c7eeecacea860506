//! One part of a message: a leaf with content, or a node with parts.

use super::transfer::{decode_base64, decode_quoted_printable};
use super::{Fields, Lines, PartId};

/// A part, or the message itself.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// Its header.
    pub fields: Fields,
    /// Its media type in lower case: `text/plain`.
    pub kind: String,
    /// The charset that it claims.
    pub charset: Option<Vec<u8>>,
    /// The file name that it claims.
    pub name: Option<Vec<u8>>,
    /// Its parts; `None` for a leaf.
    pub children: Option<Vec<PartId>>,
    /// Its content as it came, undecoded.
    pub raw: Lines,
}

impl Part {
    /// Has it content of its own?
    pub fn is_leaf(&self) -> bool {
        self.children.is_none()
    }

    /// `Content-Transfer-Encoding` in lower case.
    pub fn transfer_encoding(&self) -> Vec<u8> {
        self.fields.value("content-transfer-encoding").unwrap_or_default().to_ascii_lowercase()
    }

    /// Its content with the transfer encoding undone; text has LF line ends then.
    pub fn decoded(&self) -> Vec<u8> {
        let raw = self.raw.bytes();
        match self.transfer_encoding().as_slice() {
            b"quoted-printable" => without_cr(decode_quoted_printable(raw)),
            b"base64" if self.is_textual() => without_cr(decode_base64(raw)),
            b"base64" => decode_base64(raw),
            _ => raw.to_vec(),
        }
    }

    fn is_textual(&self) -> bool {
        self.kind.starts_with("text/") || self.kind.starts_with("message/")
    }

    /// The type by which it is shown: a file name that ends in `.html` makes it HTML, whatever its header says.
    pub fn effective_kind(&self) -> &str {
        let name = self.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        let html = [&b".html"[..], b".htm", b".shtml", b".shtm"];
        if html.iter().any(|end| name.ends_with(end)) { "text/html" } else { &self.kind }
    }
}

fn without_cr(text: Vec<u8>) -> Vec<u8> {
    if !text.contains(&b'\r') {
        return text;
    }
    let mut plain = Vec::with_capacity(text.len());
    for (index, byte) in text.iter().enumerate() {
        if *byte != b'\r' || text.get(index + 1) != Some(&b'\n') {
            plain.push(*byte);
        }
    }
    plain
}
