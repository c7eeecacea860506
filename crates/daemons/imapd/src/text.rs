//! The text of one message, read as far as it is needed.

use std::borrow::Cow;
use std::cell::RefCell;

use imap_protocol::types::{Partial, Section, SectionText};
use mailbox::store::{Folder, MailError, MessageText, Uid};
use message::decode;
use message::fields::lines;
use message::outline::{HEADER_LIMIT_BYTES, Outline, OutlineReader};
use message::structure::{Headers, Inner, Part};

use crate::binary::{Binary, encoding_of};

/// How much is read at once while the end of the header is looked for, bytes.
const HEADER_BLOCK_BYTES: usize = 16 * 1024;
/// A message that is larger is not held whole for the sake of its structure, bytes.
const WHOLE_LIMIT_BYTES: u64 = 2 * 1024 * 1024;
/// For no text more room is made before it is read, bytes.
const RESERVED_BYTES: usize = 64 * 1024 * 1024;
/// So much of such a message is looked at at once, bytes.
const OUTLINE_BLOCK_BYTES: usize = 64 * 1024;

/// A message whose text is read at the first need, once.
pub(crate) struct Text<'f> {
    folder: &'f Folder,
    uid: Uid,
    open: Option<MessageText>,
    /// What has been read, from the begin on.
    bytes: Vec<u8>,
    whole: bool,
    structure: Option<Structure>,
}

/// The parts of a message.
enum Structure {
    /// It is held whole.
    Whole(Part),
    Outline(Outline),
}

/// The parts of a message, and their texts.
pub(crate) struct Parts<'t> {
    pub(crate) root: &'t Part,
    texts: Texts<'t>,
}

enum Texts<'t> {
    Whole(&'t [u8]),
    Outline(&'t Outline, RefCell<&'t mut MessageText>),
}

impl Headers for Parts<'_> {
    fn header_of(&self, part: &Part) -> &[u8] {
        match &self.texts {
            Texts::Whole(text) => text.header_of(part),
            Texts::Outline(outline, _) => outline.header_of(part),
        }
    }
}

impl<'t> Parts<'t> {
    /// The parts of a text that is there.
    #[cfg(test)]
    pub(crate) fn of(text: &'t [u8], root: &'t Part) -> Self {
        Self { root, texts: Texts::Whole(text) }
    }

    /// The begin of a part's body, as it is: no more than `limit_bytes`, and all where it is held anyway.
    pub(crate) fn body(&self, part: &Part, limit_bytes: usize) -> Result<Cow<'t, [u8]>, MailError> {
        match &self.texts {
            Texts::Whole(text) => Ok(Cow::Borrowed(&text[part.body.clone()])),
            Texts::Outline(_, open) => {
                let (mut bytes, limit) = (Vec::new(), part.body.len().min(limit_bytes));
                open.borrow_mut().read_at(part.body.start as u64, limit, &mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// The begin of a part's body without its transfer encoding.
    pub(crate) fn decoded(&self, part: &Part, limit_bytes: usize) -> Result<Vec<u8>, MailError> {
        Ok(decode::body(encoding_of(self.header_of(part)), &self.body(part, limit_bytes)?))
    }
}

impl<'f> Text<'f> {
    /// Nothing is read yet.
    pub(crate) fn new(folder: &'f Folder, uid: Uid) -> Self {
        Self { folder, uid, open: None, bytes: Vec::new(), whole: false, structure: None }
    }

    fn open(&mut self) -> Result<&mut MessageText, MailError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.folder.open(self.uid)?,
        };
        Ok(self.open.insert(open))
    }

    /// The header with the empty line that ends it.
    pub(crate) fn header(&mut self) -> Result<&[u8], MailError> {
        let mut searched = 0;
        loop {
            if let Some(end) = header_end(&self.bytes, searched) {
                return Ok(&self.bytes[..end]);
            }
            if self.whole || self.bytes.len() >= HEADER_LIMIT_BYTES {
                return Ok(&self.bytes[..self.bytes.len().min(HEADER_LIMIT_BYTES)]);
            }
            searched = self.bytes.len().saturating_sub(4);
            self.read_more(HEADER_BLOCK_BYTES)?;
        }
    }

    fn read_more(&mut self, limit: usize) -> Result<(), MailError> {
        let mut bytes = std::mem::take(&mut self.bytes);
        let before = bytes.len();
        let outcome = self.open().and_then(|open| open.read_at(before as u64, limit, &mut bytes));
        self.whole = bytes.len() < before + limit;
        self.bytes = bytes;
        outcome
    }

    /// All of it.
    pub(crate) fn all(&mut self) -> Result<&[u8], MailError> {
        if !self.whole {
            let size = usize::try_from(self.open()?.size_bytes()).unwrap_or(usize::MAX);
            self.bytes.reserve(size.saturating_sub(self.bytes.len()).saturating_add(1).min(RESERVED_BYTES));
            while !self.whole {
                self.read_more(size.saturating_sub(self.bytes.len()).max(1) + 1)?;
            }
        }
        Ok(&self.bytes)
    }

    /// How long all of it is, as far as is known: a file's name may be wrong about that.
    pub(crate) fn size_bytes(&mut self) -> Result<u64, MailError> {
        if self.whole { Ok(self.bytes.len() as u64) } else { self.open().map(|open| open.size_bytes()) }
    }

    /// Appends all of it, or this part, to `out`, straight from the disk unless it is held anyway.
    pub(crate) fn copy(&mut self, partial: Option<Partial>, out: &mut Vec<u8>) -> Result<(), MailError> {
        let partial = partial.unwrap_or(Partial { offset: 0, count: None });
        let range = partial.of(self.size_bytes()?);
        if self.whole {
            out.extend_from_slice(&self.bytes[range.start as usize..range.end as usize]);
            return Ok(());
        }
        out.reserve(usize::try_from(range.end - range.start).unwrap_or(usize::MAX).min(RESERVED_BYTES));
        let limit = partial.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
        self.open()?.read_at(partial.offset, limit, out)
    }

    /// Its parts, and their texts.
    pub(crate) fn parts(&mut self) -> Result<Parts<'_>, MailError> {
        let structure = match self.structure.take() {
            Some(structure) => structure,
            None => self.read_structure()?,
        };
        match self.structure.insert(structure) {
            Structure::Whole(root) => Ok(Parts { root, texts: Texts::Whole(&self.bytes) }),
            Structure::Outline(outline) => {
                let open = self.open.as_mut().ok_or(MailError::Gone(self.uid))?;
                Ok(Parts { root: &outline.root, texts: Texts::Outline(outline, RefCell::new(open)) })
            }
        }
    }

    fn read_structure(&mut self) -> Result<Structure, MailError> {
        if self.whole || self.open()?.size_bytes() <= WHOLE_LIMIT_BYTES {
            self.all()?;
            return Ok(Structure::Whole(Part::read(&self.bytes)));
        }
        let (mut reader, mut block, mut at) = (OutlineReader::default(), Vec::new(), 0);
        loop {
            block.clear();
            self.open()?.read_at(at, OUTLINE_BLOCK_BYTES, &mut block)?;
            if block.is_empty() {
                return Ok(Structure::Outline(reader.finish()));
            }
            reader.push(&block);
            at += block.len() as u64;
        }
    }

    /// Where the header ends, be it as long as it may.
    pub(crate) fn body_start(&mut self) -> Result<usize, MailError> {
        let header = self.header()?.len();
        Ok(if header < HEADER_LIMIT_BYTES { header } else { self.parts()?.root.body.start })
    }

    /// What a section asks for; a part that is not there is empty, as with Dovecot.
    pub(crate) fn section(&mut self, section: &Section) -> Result<Cow<'_, [u8]>, MailError> {
        if section.part.is_empty() {
            return Ok(match &section.text {
                SectionText::All => Cow::Borrowed(self.all()?),
                SectionText::Header => Cow::Borrowed(self.header()?),
                SectionText::Fields(names) => Cow::Owned(ended(chosen(self.header()?, names, true))),
                SectionText::FieldsNot(names) => Cow::Owned(chosen(self.header()?, names, false)),
                SectionText::Text | SectionText::Mime => Cow::Borrowed(self.without_header()?),
            });
        }
        let parts = self.parts()?;
        of_part(&parts, section)
    }

    /// All behind the header.
    pub(crate) fn without_header(&mut self) -> Result<&[u8], MailError> {
        let start = self.body_start()?;
        let all = self.all()?;
        Ok(&all[start.min(all.len())..])
    }

    /// The decoded content of a section (RFC 3516 §4.2).
    pub(crate) fn binary(&mut self, section: &Section) -> Result<Binary, MailError> {
        // It may hold all parts, decoded: so the text is read whole, however large it is.
        self.all()?;
        self.parts()?;
        let text = self.bytes.as_slice();
        let root = match &self.structure {
            Some(Structure::Whole(root)) => root,
            Some(Structure::Outline(outline)) => &outline.root,
            None => return Err(MailError::Gone(self.uid)),
        };
        if section.part.is_empty() {
            return Ok(Binary::read(text, root, root.header.start));
        }
        let path: Vec<u32> = section.part.iter().map(|number| number.get()).collect();
        Ok(root
            .find(&path)
            .map_or_else(Binary::default, |found| Binary::read(text, found.part, found.part.body.start)))
    }
}

fn of_part<'t>(parts: &Parts<'t>, section: &Section) -> Result<Cow<'t, [u8]>, MailError> {
    let path: Vec<u32> = section.part.iter().map(|number| number.get()).collect();
    let Some(found) = parts.root.find(&path) else { return Ok(Cow::Borrowed(&[])) };
    let header = |part: &Part| Cow::Owned(parts.header_of(part).to_vec());
    let inner = match &found.part.inner {
        Inner::Message(message) => Some(message.as_ref()),
        _ => None,
    };
    Ok(match (&section.text, inner) {
        (SectionText::All, _) => parts.body(found.part, usize::MAX)?,
        (SectionText::Mime, _) => header(found.part),
        (_, None) => Cow::Borrowed(&[]),
        (SectionText::Header, Some(message)) => header(message),
        (SectionText::Text, Some(message)) => parts.body(message, usize::MAX)?,
        (SectionText::Fields(names), Some(message)) => {
            Cow::Owned(chosen(parts.header_of(message), names, true))
        }
        (SectionText::FieldsNot(names), Some(message)) => {
            Cow::Owned(chosen(parts.header_of(message), names, false))
        }
    })
}

/// The fields of these names, or all other lines; with the empty line behind them, where the header has one.
fn chosen(header: &[u8], names: &[Vec<u8>], wanted: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut end = 0;
    for (whole, field) in lines(header) {
        let named = field.is_some_and(|field| names.iter().any(|name| name.eq_ignore_ascii_case(field.name)));
        if named == wanted {
            out.extend_from_slice(whole);
        }
        end += whole.len();
    }
    out.extend_from_slice(&header[end..]);
    out
}

/// Fields of a message that ends in its header get an empty line, as those that Dovecot has in its cache.
fn ended(mut fields: Vec<u8>) -> Vec<u8> {
    if !fields.is_empty() && !fields.ends_with(b"\n") {
        let missing: &[u8] = if fields.ends_with(b"\r") { b"\n" } else { b"\r\n" };
        fields.extend_from_slice(missing);
    }
    if fields != b"\r\n" && !fields.ends_with(b"\r\n\r\n") {
        fields.extend_from_slice(b"\r\n");
    }
    fields
}

/// Where the header ends, behind its empty line; looked for from `from` on.
fn header_end(text: &[u8], from: usize) -> Option<usize> {
    if from == 0 && text.starts_with(b"\r\n") {
        return Some(2);
    }
    text[from..].windows(4).position(|window| window == b"\r\n\r\n").map(|place| from + place + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_chosen_by_name() {
        let header = b"A: 1\r\nB: 2\r\n x\r\nno field\r\n\r\n";
        assert_eq!(chosen(header, &[b"B".to_vec()], true), b"B: 2\r\n x\r\n\r\n");
        assert_eq!(chosen(header, &[b"B".to_vec()], false), b"A: 1\r\nno field\r\n\r\n");
        assert_eq!(chosen(header, &[b"C".to_vec()], true), b"\r\n");
    }

    #[test]
    fn fields_of_a_message_that_ends_in_its_header() {
        assert_eq!(chosen(b"A: 1", &[b"A".to_vec()], true), b"A: 1");
        assert_eq!(ended(b"A: 1".to_vec()), b"A: 1\r\n\r\n");
        assert_eq!(ended(b"A: 1\r\n\r\n".to_vec()), b"A: 1\r\n\r\n");
        assert_eq!([ended(b"".to_vec()), ended(b"\r\n".to_vec()), ended(b"\r".to_vec())], [b"\r\n"; 3]);
        assert_eq!(ended(b"A: 1\r\n\r".to_vec()), b"A: 1\r\n\r\n");
        assert_eq!(chosen(b"A: 1\r\n", &[b"B".to_vec()], true), b"");
        assert_eq!(chosen(b"A: 1\r\n", &[b"A".to_vec()], false), b"");
        assert_eq!(chosen(b"A: 1\r\nB: 2", &[b"A".to_vec()], false), b"B: 2");
        assert_eq!(chosen(b"A\r\n : 1\r\n", &[b"A".to_vec()], true), b"");
    }

    #[test]
    fn a_header_ends_at_its_empty_line() {
        assert_eq!(header_end(b"A: 1\r\n\r\nx", 0), Some(8));
        assert_eq!(header_end(b"\r\nx", 0), Some(2));
        assert_eq!(header_end(b"A: 1\r\n", 0), None);
    }

    #[test]
    fn sections_of_parts() {
        let text =
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
                     Subject: in\r\n\r\nbody\r\n--b--\r\n";
        let root = Part::read(text);
        let get = |section: &str| {
            let section = Section::parse(section.as_bytes()).unwrap();
            let parts = Parts::of(text, &root);
            String::from_utf8(of_part(&parts, &section).unwrap().into_owned()).unwrap()
        };
        assert_eq!(get("1.HEADER"), "Subject: in\r\n\r\n");
        assert_eq!(get("1.TEXT"), "body");
        assert_eq!(get("1.1"), "body");
        assert_eq!(get("1.MIME"), "Content-Type: message/rfc822\r\n\r\n");
        assert_eq!(get("2"), "");
        assert_eq!(get("1.1.HEADER"), "");
    }
}
