//! Sequence sets (RFC 3501 §9, RFC 5182).

use std::num::NonZeroU32;

use crate::parse::{Cursor, Parsed, Refusal};
use crate::types::{Messages, Numbers, SequenceSet};

/// seq-range = seq-number ":" seq-number
type Pair = (Option<NonZeroU32>, Option<NonZeroU32>);

impl Cursor<'_> {
    /// sequence-set = (seq-number / seq-range) *("," sequence-set) / seq-last-command
    pub(crate) fn sequence_set(&mut self) -> Parsed<SequenceSet> {
        if self.take(b'$') {
            return Ok(SequenceSet::Saved);
        }
        let mut ranges = vec![self.sequence_range()?];
        while self.take(b',') {
            ranges.push(self.sequence_range()?);
        }
        match self.peek() {
            None | Some(b' ' | b')') => Ok(SequenceSet::Ranges(ranges)),
            _ => Err(bad_set()),
        }
    }

    fn sequence_range(&mut self) -> Parsed<Pair> {
        let first = self.sequence_number()?;
        let last = if self.take(b':') { self.sequence_number()? } else { first };
        Ok((first, last))
    }

    /// seq-number = nz-number / "*"
    fn sequence_number(&mut self) -> Parsed<Option<NonZeroU32>> {
        if self.take(b'*') {
            return Ok(None);
        }
        if self.peek() == Some(b'0') {
            return Err(bad_set());
        }
        self.number32().ok().and_then(NonZeroU32::new).map(Some).ok_or_else(bad_set)
    }

    /// The set of a command that came with or without UID.
    pub(crate) fn messages(&mut self, uid: bool) -> Parsed<Messages> {
        Ok(Messages { uid, set: self.sequence_set()? })
    }

    /// A set without `*` and `$` (RFC 7162 §3.2.5 known-uids).
    pub(crate) fn known_set(&mut self) -> Parsed<Numbers> {
        match self.sequence_set()? {
            set @ SequenceSet::Ranges(_) if !set.names_last() => {
                Ok(set.resolve(u32::MAX, &Numbers::default()))
            }
            _ => Err(bad_set()),
        }
    }
}

fn bad_set() -> Refusal {
    Refusal::new("Invalid messageset")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<String> {
        let set = Cursor::new(text.as_bytes(), false).sequence_set().ok()?;
        Some(set.resolve(10, &Numbers::default()).to_string())
    }

    #[test]
    fn sets_are_read() {
        assert_eq!(parse("1").as_deref(), Some("1"));
        assert_eq!(parse("*:8").as_deref(), Some("8:10"));
        assert_eq!(parse("3,1,1:2").as_deref(), Some("1:3"));
        for bad in ["0", "a", "1:", ",1", "1,,2", "4294967296", "01", "-1", "1:2:3", "*a", ""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
