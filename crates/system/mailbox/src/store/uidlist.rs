//! The text of `dovecot-uidlist`: which UID each message file has.
//!
//! Version 3 is written; version 1, which Courier's `courierimapuiddb` shares, is read.
//!
//! ```text
//! 3 V<uidvalidity> N<next uid> G<guid, 32 hex>[ <key><value>...]
//! <uid>[ <key><value>...] :<base name>
//! ```

use super::Uid;

/// The largest UID there may be; one more is reserved.
pub(crate) const UID_LIMIT: Uid = u32::MAX - 1;

/// `1 :x` and a line end.
const SHORTEST_RECORD_BYTES: usize = 5;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: u8,
    pub(crate) uid_validity: u32,
    pub(crate) next_uid: Uid,
    pub(crate) guid: Option<[u8; 16]>,
    /// Fields with other keys, as they stand there.
    pub(crate) other: Vec<String>,
}

/// A line for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) uid: Uid,
    /// The fields between UID and name, parted by spaces; mostly empty.
    pub(crate) fields: Box<str>,
    /// The base name of its file.
    pub(crate) base: Box<[u8]>,
}

/// What is wrong with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadUidlist {
    #[error("the first line is not the header of a list of UIDs")]
    Header,
    #[error("line {0} is not the record of a message")]
    Record(usize),
    #[error("the UID in line {0} is not above the one before")]
    Order(usize),
    #[error("the last line is cut off")]
    Torn,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) header: Header,
    pub(crate) records: Vec<Record>,
    /// What is wrong first, if anything.
    pub(crate) fault: Option<BadUidlist>,
    /// Length of the lines that made no sense, but for a last one that was never written whole.
    pub(crate) lost_bytes: usize,
    /// How far the file has been read, in bytes.
    pub(crate) end: usize,
}

impl Header {
    /// A header as we write it.
    pub(crate) fn to_line(&self) -> String {
        let mut line = format!("3 V{} N{}", self.uid_validity, self.next_uid);
        if let Some(guid) = self.guid {
            line.push_str(&format!(" G{}", hexadecimal::encode(&guid)));
        }
        for field in &self.other {
            line.push(' ');
            line.push_str(field);
        }
        line.push('\n');
        line
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        match words.next()? {
            "1" => {
                let (uid_validity, next_uid) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
                Some(Self { version: 1, uid_validity, next_uid, guid: None, other: Vec::new() })
            }
            "3" => Self::parse_fields(words),
            _ => None,
        }
        .filter(|header| header.uid_validity != 0 && header.next_uid != 0)
    }

    fn parse_fields<'a>(words: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (mut uid_validity, mut next_uid, mut guid, mut other) = (None, None, None, Vec::new());
        for word in words {
            match word.split_at_checked(1)? {
                ("V", number) => uid_validity = Some(number.parse().ok()?),
                ("N", number) => next_uid = Some(number.parse().ok()?),
                ("G", text) => guid = unhex(text),
                _ => other.push(word.to_owned()),
            }
        }
        Some(Self { version: 3, uid_validity: uid_validity?, next_uid: next_uid?, guid, other })
    }
}

impl Record {
    /// A line as we write it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.uid.to_string().as_bytes());
        if !self.fields.is_empty() {
            out.push(b' ');
            out.extend_from_slice(self.fields.as_bytes());
        }
        out.extend_from_slice(b" :");
        out.extend_from_slice(&self.base);
        out.push(b'\n');
    }

    fn parse(line: &[u8], version: u8) -> Option<Self> {
        let (uid, rest) = split(line, b' ')?;
        let uid: Uid = std::str::from_utf8(uid).ok()?.parse().ok()?;
        let (fields, base) = match version {
            1 => ("", rest),
            _ => {
                let colon = if rest.first() == Some(&b':') { 0 } else { find(rest, b" :")? + 1 };
                (std::str::from_utf8(&rest[..colon]).ok()?.trim_end(), &rest[colon + 1..])
            }
        };
        let base = super::filename::base(base);
        if uid == 0 || uid > UID_LIMIT || base.is_empty() || base.contains(&b'/') || base.contains(&0) {
            return None;
        }
        Some(Self { uid, fields: fields.into(), base: base.into() })
    }
}

/// The value of the field `key` among `fields`.
pub(crate) fn field(fields: &str, key: char) -> Option<&str> {
    fields.split(' ').find_map(|word| word.strip_prefix(key))
}

/// Reads a whole file.
pub(crate) fn parse(text: &[u8]) -> Result<Parsed, BadUidlist> {
    let end = text.iter().position(|byte| *byte == b'\n').ok_or(BadUidlist::Header)?;
    let line = std::str::from_utf8(&text[..end]).map_err(|_| BadUidlist::Header)?;
    let header = Header::parse(line).ok_or(BadUidlist::Header)?;
    let mut parsed = Parsed { header, records: Vec::new(), fault: None, lost_bytes: 0, end: end + 1 };
    parsed.extend(&text[end + 1..], 0);
    Ok(parsed)
}

/// The UID of the last line of `text`, which begins anywhere; none when that is not a whole record.
pub(crate) fn last_uid(text: &[u8], version: u8) -> Option<Uid> {
    let lines = text.strip_suffix(b"\n")?;
    let start = lines.iter().rposition(|byte| *byte == b'\n')? + 1;
    Some(Record::parse(&lines[start..], version)?.uid)
}

impl Parsed {
    /// Reads lines that were appended after what has been read; their UIDs must be above `last`. Lines that make no
    /// sense are passed over: the messages that they were about get new UIDs, the others keep theirs.
    pub(crate) fn extend(&mut self, text: &[u8], mut last: Uid) {
        for (number, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            match self.read_line(line, number + 2, last) {
                Ok(record) => {
                    last = record.uid;
                    self.records.push(record);
                }
                Err(fault) => {
                    self.lost_bytes += if fault == BadUidlist::Torn { 0 } else { line.len() };
                    self.fault.get_or_insert(fault);
                }
            }
        }
        self.end += text.len();
    }

    fn read_line(&self, line: &[u8], number: usize, last: Uid) -> Result<Record, BadUidlist> {
        let whole = line.strip_suffix(b"\n");
        if whole.is_none() && !line.contains(&0) {
            return Err(BadUidlist::Torn);
        }
        let record = whole.and_then(|whole| Record::parse(whole, self.header.version));
        match record {
            Some(record) if record.uid > last => Ok(record),
            Some(_) => Err(BadUidlist::Order(number)),
            None => Err(BadUidlist::Record(number)),
        }
    }

    /// The next UID to give out. The damaged part may have held UIDs that clients know, a record for each
    /// [`SHORTEST_RECORD_BYTES`] at the most.
    pub(crate) fn next_uid(&self) -> Uid {
        let after_last = self.records.last().map_or(1, |record| record.uid.saturating_add(1));
        let lost = u32::try_from(self.lost_bytes / SHORTEST_RECORD_BYTES).unwrap_or(0);
        self.header.next_uid.max(after_last).saturating_add(lost)
    }
}

fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let position = bytes.iter().position(|byte| *byte == at)?;
    Some((&bytes[..position], &bytes[position + 1..]))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    hexadecimal::decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_of_dovecot_is_understood() {
        let text = b"3 V1795313871 N1 G0011223344556677889900aabbccddeE P%08Xu Xq\n1 :1.M2P3.h,S=5,W=6\n7 W12 Pabc S9 :a b:2,S\n";
        let parsed = parse(text).unwrap();
        assert_eq!(
            (parsed.header.uid_validity, parsed.header.next_uid, parsed.fault),
            (1_795_313_871, 1, None)
        );
        assert_eq!(parsed.header.other, ["P%08Xu", "Xq"]);
        assert_eq!(parsed.header.guid.map(|guid| guid[15]), Some(0xee));
        assert_eq!(&*parsed.records[1].base, b"a b");
        assert_eq!(field(&parsed.records[1].fields, 'P'), Some("abc"));
        assert_eq!(field(&parsed.records[1].fields, 'O'), None);
        assert_eq!(parsed.end, text.len());
    }

    #[test]
    fn the_first_version_is_understood() {
        let parsed = parse(b"1 123 9\n4 1.2.h,S=3\n8 5.6.h\n").unwrap();
        assert_eq!((parsed.header.uid_validity, parsed.header.next_uid), (123, 9));
        assert_eq!(parsed.records.iter().map(|record| record.uid).collect::<Vec<_>>(), [4, 8]);
    }

    #[test]
    fn what_is_around_a_fault_counts() {
        for (tail, fault, next) in [
            ("5 :y", BadUidlist::Torn, 10),
            ("4 :y\n9 :z\n", BadUidlist::Order(3), 11),
            ("4294967295 :y\n", BadUidlist::Record(3), 12),
            ("5 :a/b\n9 :z\n", BadUidlist::Record(3), 11),
            ("5 Wx\n", BadUidlist::Record(3), 11),
        ] {
            let parsed = parse(format!("3 V1 N10\n4 :x\n{tail}").as_bytes()).unwrap();
            let uids: Vec<_> = parsed.records.iter().map(|record| record.uid).collect();
            assert_eq!((uids[0], parsed.fault, parsed.next_uid()), (4, Some(fault), next), "{tail:?}");
            assert_eq!(uids.get(1).copied(), tail.contains("9 :z").then_some(9));
        }
        let zeros = parse(&[b"3 V1 N1\n4 :x\n".as_slice(), &[0; 50]].concat()).unwrap();
        assert_eq!((zeros.fault, zeros.next_uid()), (Some(BadUidlist::Record(3)), 15));
        for bad in ["", "3", "3 V1\n", "2 V1 N1\n", "3 V0 N1\n", "3 N1 V1 \n", "3 V4294967296 N1\n"] {
            assert_eq!(parse(bad.as_bytes()), Err(BadUidlist::Header), "{bad:?}");
        }
    }

    fn records() -> impl Strategy<Value = Vec<Record>> {
        let one = (1_u32..1000, "([A-Z][a-z0-9%]{0,4}( [A-Z][a-z0-9]{0,4})?)?", "[^:/\n\0]{1,20}");
        prop::collection::vec(one, 0..20).prop_map(|parts| {
            let mut uid = 0;
            let record = |(step, fields, base): (u32, String, String)| {
                uid += step;
                Record { uid, fields: fields.into(), base: base.into_bytes().into() }
            };
            parts.into_iter().map(record).collect()
        })
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(records in records(), v in 1_u32.., guid in any::<Option<[u8; 16]>>()) {
            let header = Header { version: 3, uid_validity: v, next_uid: 1, guid, other: vec!["Pq".into()] };
            let mut text = header.to_line().into_bytes();
            records.iter().for_each(|record| record.write(&mut text));
            let whole = parse(&text).unwrap();
            prop_assert_eq!((&whole.header, &whole.records, whole.fault), (&header, &records, None));
            // Cut off anywhere behind the header, it is the same list, shorter.
            let cut = header.to_line().len() + text.len().saturating_sub(header.to_line().len()) / 2;
            let part = parse(&text[..cut]).unwrap();
            prop_assert!(whole.records.starts_with(&part.records));
        }

        #[test]
        fn no_bytes_upset_the_parser(text in prop::collection::vec(any::<u8>(), 0..80)) {
            let whole = [b"3 V1 N1\n".as_slice(), &text].concat();
            if let Ok(parsed) = parse(&whole) {
                prop_assert!(parsed.records.windows(2).all(|pair| pair[0].uid < pair[1].uid));
            }
            let _ = parse(&text);
        }
    }
}
