//! Threads (RFC 5256 §3): who answers whom. Pure functions of what is known about messages.

mod ordered_subject;
mod references;

use crate::types::Algorithm;

/// What a message is threaded by. Messages are given in the order of their sequence numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadFacts {
    /// The sent date, or the arrival where there is none.
    pub date: i64,
    /// Its Message-ID without `<` and `>`.
    pub message_id: Option<Vec<u8>>,
    /// The ids it refers to, from the oldest on: References, or the first of In-Reply-To.
    pub references: Vec<Vec<u8>>,
    /// The base subject, folded.
    pub subject: String,
    /// The subject said that this is an answer.
    pub is_reply: bool,
}

/// A node of [`Threads`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// Which message, by its place; `None` where it is missing and holds its answers together.
    pub message: Option<usize>,
    /// Answers: places in [`Threads::nodes`].
    pub replies: Vec<usize>,
}

/// Trees, held flat: a thread may be as deep as there are messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Threads {
    /// All nodes.
    pub nodes: Vec<Node>,
    /// Where threads begin, in order.
    pub roots: Vec<usize>,
}

/// Finds the threads.
pub fn thread(algorithm: Algorithm, facts: &[ThreadFacts]) -> Threads {
    match algorithm {
        Algorithm::OrderedSubject => ordered_subject::thread(facts),
        Algorithm::References => references::thread(facts, true),
        Algorithm::Refs => references::thread(facts, false),
    }
}

/// The message ids of a References, In-Reply-To or Message-ID field, without `<` and `>` (RFC 5256 §3: quoting in them is
/// undone).
pub fn message_ids(value: &[u8], limit: usize) -> Vec<Vec<u8>> {
    let mut ids = Vec::new();
    let mut rest = value;
    while let Some(start) = rest.iter().position(|byte| *byte == b'<').filter(|_| ids.len() < limit) {
        rest = &rest[start + 1..];
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'>' | b'<')) else { break };
        if rest[end] == b'>' {
            let id: Vec<u8> = rest[..end]
                .iter()
                .copied()
                .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'"')
                .collect();
            if id.contains(&b'@') {
                ids.push(id);
            }
            rest = &rest[end + 1..];
        } else {
            rest = &rest[end..];
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_among_other_text() {
        assert_eq!(message_ids(b" <a@b> (x)\r\n <\"c\"@d> <no> <e@f", 9), [b"a@b".to_vec(), b"c@d".to_vec()]);
        assert_eq!(message_ids(b"<a@b><c@d>", 1), [b"a@b".to_vec()]);
    }
}
