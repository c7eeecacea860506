//! How a value is written: text, references, and what stands within their braces.

use std::cmp::Ordering;

use super::{EXCERPT_BYTES, ExpandError};
use crate::text::{from_bytes, to_bytes};

/// A part of a pattern.
pub(super) enum Piece<'a> {
    Literal(&'a str),
    /// What stands between the braces, or the bare name.
    Reference(&'a str),
}

pub(super) fn pieces(pattern: &str) -> Pieces<'_> {
    Pieces { pattern, rest: pattern }
}

pub(super) struct Pieces<'a> {
    pattern: &'a str,
    rest: &'a str,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<Piece<'a>, ExpandError>;

    fn next(&mut self) -> Option<Self::Item> {
        let dollar = self.rest.find('$').unwrap_or(self.rest.len());
        if dollar > 0 {
            let (text, rest) = self.rest.split_at(dollar);
            self.rest = rest;
            return Some(Ok(Piece::Literal(text)));
        }
        let after = self.rest.strip_prefix('$')?;
        Some(match after.as_bytes().first() {
            Some(b'$') => {
                let (text, rest) = after.split_at(1);
                self.rest = rest;
                Ok(Piece::Literal(text))
            }
            Some(b'{') => self.enclosed(after, b'{', b'}'),
            Some(b'(') => self.enclosed(after, b'(', b')'),
            _ => {
                let (name, rest) = after.split_at(name_length(after));
                self.rest = rest;
                self.named(name)
            }
        })
    }
}

impl<'a> Pieces<'a> {
    pub(super) fn enclosed(&mut self, text: &'a str, open: u8, close: u8) -> Result<Piece<'a>, ExpandError> {
        let Some(end) = closing(text, open, close) else {
            self.rest = "";
            return Err(ExpandError::Truncated(self.pattern.to_owned()));
        };
        self.rest = &text[end + 1..];
        self.named(&text[1..end])
    }

    pub(super) fn named(&mut self, body: &'a str) -> Result<Piece<'a>, ExpandError> {
        if body.is_empty() {
            self.rest = "";
            return Err(ExpandError::EmptyName(self.pattern.to_owned()));
        }
        Ok(Piece::Reference(body))
    }
}

/// Where the bracket that `text` starts with is closed.
pub(super) fn closing(text: &str, open: u8, close: u8) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().position(|byte| {
        if byte == open {
            depth += 1;
        } else if byte == close {
            depth -= 1;
        }
        depth == 0
    })
}

pub(super) fn name_length(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

pub(super) struct Relation<'a> {
    pub(super) left: &'a str,
    pub(super) operator: Operator,
    /// The operands are compatibility levels.
    pub(super) levels: bool,
    pub(super) right: &'a str,
}

#[derive(Clone, Copy)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    GreaterOrEqual,
    Greater,
}

impl Operator {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">=" => Self::GreaterOrEqual,
            ">" => Self::Greater,
            _ => return None,
        })
    }

    pub(super) fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Greater => order.is_gt(),
        }
    }
}

/// Characters that operators are made of, and others, for a better message.
pub(super) const OPERATOR_CHARACTERS: &str = "<>!=?+-*/~&|%";
/// Postfix's list of operators, with its own quoting.
pub(super) const ANY_OPERATOR: &str = r#""==" or "!="" or "<"" or "<="" or ">="" or ">""#;

impl<'a> Relation<'a> {
    pub(super) fn parse(text: &mut Cursor<'a>) -> Result<Self, ExpandError> {
        let left = text.payload()?;
        let sign = text.take_while(|next| OPERATOR_CHARACTERS.contains(next));
        let Some(operator) = Operator::parse(sign) else {
            let (before, after) = (format!("{left}}}"), excerpt(&[sign, text.rest].concat()));
            return Err(ExpandError::Expected { wanted: ANY_OPERATOR, before, after });
        };
        let suffix = text.take_while(|next| next.is_ascii_alphanumeric());
        if !matches!(suffix, "" | "level") {
            return Err(ExpandError::Suffix { before: sign.to_owned(), after: suffix.to_owned() });
        }
        if !text.at_brace() {
            let before = format!("{{{left}}} {sign}{suffix}");
            let after = excerpt(text.rest);
            return Err(ExpandError::Expected { wanted: "\"{expression}\"", before, after });
        }
        Ok(Self { left, operator, levels: !suffix.is_empty(), right: text.payload()? })
    }
}

/// Reading position between the braces.
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// A name and the blanks around it; the end, `?` or `:` must follow. `body` is all the text there is.
    pub(super) fn name(&mut self, body: &str) -> Result<&'a str, ExpandError> {
        self.skip_blanks();
        let name = self.take(name_length(self.rest));
        let behind_name = self.rest;
        self.skip_blanks();
        if self.rest.is_empty() || self.rest.starts_with(['?', ':']) {
            return Ok(name);
        }
        if name == FUNCTION && behind_name.starts_with('{') {
            return Ok(name);
        }
        let before = body[..body.len() - behind_name.len()].to_owned();
        Err(ExpandError::Name { before, after: excerpt(behind_name) })
    }

    /// The argument of the one function there is.
    pub(super) fn argument(&mut self, name: &str, body: &str) -> Result<Option<&'a str>, ExpandError> {
        if name != FUNCTION || !self.rest.starts_with('{') {
            return Ok(None);
        }
        let argument = self.payload()?;
        if self.rest.is_empty() || self.rest.starts_with(['?', ':']) {
            return Ok(Some(argument));
        }
        let before = body[..body.len() - self.rest.len()].to_owned();
        Err(ExpandError::Name { before, after: excerpt(self.rest) })
    }

    pub(super) fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    pub(super) fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.find(|next| !belongs(next)).unwrap_or(self.rest.len());
        self.take(length)
    }

    pub(super) fn skip(&mut self, wanted: char) -> bool {
        let found = self.rest.starts_with(wanted);
        self.rest = self.rest.strip_prefix(wanted).unwrap_or(self.rest);
        found
    }

    pub(super) fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Is a `{` next? Blanks before it are skipped, and only then.
    pub(super) fn at_brace(&mut self) -> bool {
        let text = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let found = text.starts_with('{');
        if found {
            self.rest = text;
        }
        found
    }

    /// What the braces hold; blanks behind them are skipped.
    pub(super) fn payload(&mut self) -> Result<&'a str, ExpandError> {
        let end =
            closing(self.rest, b'{', b'}').ok_or_else(|| ExpandError::Unbalanced(self.rest.to_owned()))?;
        let payload = &self.take(end + 1)[1..end];
        self.skip_blanks();
        Ok(payload)
    }

    /// `{text}`, or all the text there is.
    pub(super) fn arm(&mut self) -> Result<&'a str, ExpandError> {
        if self.at_brace() { self.payload() } else { Ok(self.take(self.rest.len())) }
    }
}

/// `${domain_to_ascii{name}}`, since Postfix 3.11: the name as DNS has it.
pub(super) const FUNCTION: &str = "domain_to_ascii";

/// The start of a text. A character that is cut through is shown as the bytes that are left of it.
pub(super) fn excerpt(text: &str) -> String {
    let bytes = to_bytes(text);
    from_bytes(bytes.get(..EXCERPT_BYTES).unwrap_or(&bytes))
}
