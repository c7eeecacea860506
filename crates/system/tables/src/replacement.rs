//! The results of regexp: and pcre: rules, with `$1`, `${1}` and `$(1)` in them.

use crate::source::printable;

/// A result, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Replacement {
    pieces: Vec<Piece>,
    /// The largest N of all `$N`; 0 if there are none.
    pub(crate) highest: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Group(usize),
}

/// What is wrong with a result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReplacementError {
    /// `$` with nothing that can be named after it; the whole text.
    Empty(String),
    /// `${` without its `}`; the whole text.
    Truncated(String),
    /// `$name`.
    NotANumber(String),
    /// `$0`, which this is.
    Zero(String),
}

impl Replacement {
    /// Takes `text` apart; `$$` is a dollar.
    ///
    /// # Errors
    /// All names that are no numbers, up to the first that is no name.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Vec<ReplacementError>> {
        let mut replacement = Self { pieces: Vec::new(), highest: 0 };
        let mut errors = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            if *first != b'$' || after.first() == Some(&b'$') {
                literal.push(*first);
                rest = if *first == b'$' { &after[1..] } else { after };
                continue;
            }
            let (name, after) = match take_name(text, after) {
                Ok(found) => found,
                Err(error) => {
                    errors.push(error);
                    break;
                }
            };
            replacement.push_literal(&mut literal);
            errors.extend(replacement.push_group(name).err());
            rest = after;
        }
        replacement.push_literal(&mut literal);
        if errors.is_empty() { Ok(replacement) } else { Err(errors) }
    }

    fn push_literal(&mut self, literal: &mut Vec<u8>) {
        if !literal.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(literal)));
        }
    }

    fn push_group(&mut self, name: &[u8]) -> Result<(), ReplacementError> {
        let shown = printable(name);
        if !name.iter().all(u8::is_ascii_digit) {
            return Err(ReplacementError::NotANumber(shown));
        }
        let number: usize = shown.parse().unwrap_or(usize::MAX);
        if number == 0 {
            return Err(ReplacementError::Zero(shown));
        }
        self.highest = self.highest.max(number);
        self.pieces.push(Piece::Group(number));
        Ok(())
    }

    /// The result with each `$N` replaced by what group N matched of `subject`; nothing where it did not take part.
    pub(crate) fn expand(&self, subject: &[u8], groups: &[Option<(usize, usize)>]) -> Vec<u8> {
        let mut result = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => result.extend_from_slice(text),
                Piece::Group(number) => {
                    let span = groups.get(*number).copied().flatten();
                    result
                        .extend_from_slice(span.and_then(|(from, to)| subject.get(from..to)).unwrap_or(b""));
                }
            }
        }
        result
    }
}

/// The name at the start of `after`, which follows a `$` in `text`, and what comes after it.
fn take_name<'a>(text: &'a [u8], after: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), ReplacementError> {
    let (name, rest) = match after.first() {
        Some(open @ (b'{' | b'(')) => {
            let close = if *open == b'{' { b'}' } else { b')' };
            let end = closing(&after[1..], *open, close);
            let end = end.ok_or_else(|| ReplacementError::Truncated(printable(text)))?;
            (&after[1..=end], &after[end + 2..])
        }
        _ => {
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let end = after.iter().position(|byte| !is_name(byte)).unwrap_or(after.len());
            after.split_at(end)
        }
    };
    if name.is_empty() { Err(ReplacementError::Empty(printable(text))) } else { Ok((name, rest)) }
}

/// Where the `close` stands that matches an `open` just before `inside`.
fn closing(inside: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut depth = 1usize;
    for (at, byte) in inside.iter().enumerate() {
        depth = if *byte == open { depth + 1 } else { depth - usize::from(*byte == close) };
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Result<String, Vec<ReplacementError>> {
        let groups = [Some((0, 3)), Some((0, 1)), None, Some((1, 3))];
        let result = Replacement::parse(text.as_bytes())?.expand(b"abc", &groups);
        Ok(String::from_utf8(result).unwrap())
    }

    #[test]
    fn groups_are_filled_in() {
        assert_eq!(expand("x$1-${3}$(1)y$2").unwrap(), "xa-bcay");
        assert_eq!(expand("cost $$1 a} $01").unwrap(), "cost $1 a} a");
    }

    #[test]
    fn what_is_no_group_is_refused() {
        use ReplacementError::{Empty, NotANumber, Truncated, Zero};
        assert_eq!(expand("cost $"), Err(vec![Empty("cost $".into())]));
        assert_eq!(expand("a ${}"), Err(vec![Empty("a ${}".into())]));
        assert_eq!(expand("x ${1"), Err(vec![Truncated("x ${1".into())]));
        assert_eq!(expand("$1x $0"), Err(vec![NotANumber("1x".into()), Zero("0".into())]));
    }
}
