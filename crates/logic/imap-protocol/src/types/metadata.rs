//! Annotations of mailboxes and of the server (RFC 5464).

/// Bytes of an entry's name.
const ENTRY_LIMIT_BYTES: usize = 500;

/// The name of an annotation, `/private/comment`: in lower case, for its case means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryName(String);

impl EntryName {
    /// `None` where the text is no name of an entry (RFC 5464 §3.2).
    pub fn new(text: &[u8]) -> Option<Self> {
        let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'*' | b'%');
        if text.len() > ENTRY_LIMIT_BYTES || !text.iter().all(plain) {
            return None;
        }
        let name: String = text.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect();
        let rest = name.strip_prefix("/private/").or_else(|| name.strip_prefix("/shared/"))?;
        let whole = rest.split('/').all(|part| !part.is_empty());
        whole.then_some(Self(name))
    }

    /// As [`EntryName::new`], also `/private` and `/shared`, below which all others are; they have no value themselves.
    pub fn asked(text: &[u8]) -> Option<Self> {
        let tops = ["/private", "/shared"];
        let top = tops.into_iter().find(|top| text.eq_ignore_ascii_case(top.as_bytes()));
        top.map(|top| Self(top.to_owned())).or_else(|| Self::new(text))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does `other` lie so many levels below this entry, or is it this entry?
    pub fn covers(&self, other: &str, depth: Depth) -> bool {
        let Some(rest) = other.strip_prefix(self.0.as_str()) else { return false };
        if rest.is_empty() {
            return true;
        }
        let Some(below) = rest.strip_prefix('/') else { return false };
        match depth {
            Depth::Zero => false,
            Depth::One => !below.contains('/'),
            Depth::Infinity => true,
        }
    }
}

/// How far below an entry is asked (RFC 5464 §4.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// `0`: the entry alone.
    #[default]
    Zero,
    /// `1`: the entries right below it, too.
    One,
    /// `infinity`: all below it.
    Infinity,
}

/// GETMETADATA's options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MetadataOptions {
    /// Longer values are left out, bytes.
    pub max_size: Option<u64>,
    /// `DEPTH`
    pub depth: Depth,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paths_in_one_of_two_trees() {
        assert_eq!(EntryName::new(b"/Private/Comment").unwrap().as_str(), "/private/comment");
        for bad in [
            "",
            "/",
            "/private",
            "/private/",
            "/private//x",
            "/x/y",
            "/shared/x/",
            "/shared/a*",
            "/shared/\u{e9}",
        ] {
            assert_eq!(EntryName::new(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn depth_counts_levels() {
        let entry = EntryName::new(b"/shared/a").unwrap();
        for (other, depths) in [
            ("/shared/a", [true, true, true]),
            ("/shared/a/b", [false, true, true]),
            ("/shared/a/b/c", [false, false, true]),
            ("/shared/ab", [false, false, false]),
        ] {
            let covered = [Depth::Zero, Depth::One, Depth::Infinity].map(|depth| entry.covers(other, depth));
            assert_eq!(covered, depths, "{other}");
        }
    }
}
