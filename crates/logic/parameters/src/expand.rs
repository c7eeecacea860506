//! `$name`, `${name?text}` and `${{a} == {b} ? {c} : {d}}` in values (postconf(5)).

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::compatibility::{Level, LevelError};

/// Deepest chain of names whose values name others; a longer one is taken for a loop.
const NESTING_MAX: usize = 100;
/// Longest text that an expansion may give, in bytes.
const EXPANSION_MAX_BYTES: usize = 1 << 20;
/// How much of the text after an error a message shows, in characters.
const EXCERPT_CHARACTERS: usize = 20;

/// Why a text could not be expanded; worded as Postfix words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// `${` or `$(` without its end.
    #[error("truncated macro reference: \"{0}\"")]
    Truncated(String),
    /// `$` and no name.
    #[error("empty macro name: \"{0}\"")]
    EmptyName(String),
    /// A character that no name has.
    #[error("attribute name syntax error at: \"...{before}>>>{after}\"")]
    Name {
        /// What was read.
        before: String,
        /// What came instead of the end, `?` or `:`.
        after: String,
    },
    /// A `{` without its `}`.
    #[error("unbalanced {{}} in attribute expression: \"{0}\"")]
    Unbalanced(String),
    /// Something else stands where `wanted` should.
    #[error("{wanted} expected at: \"...{before}>>>{after}\"")]
    Expected {
        /// What may stand there.
        wanted: &'static str,
        /// What was read.
        before: String,
        /// What came instead.
        after: String,
    },
    /// Text behind the last operand.
    #[error("unexpected input at: \"...{before}}}>>>{after}\"")]
    Unexpected {
        /// What was read.
        before: String,
        /// What came instead of the end.
        after: String,
    },
    /// A word other than `level` behind an operator.
    #[error("bad operator suffix at: \"...{before}>>>{after}\"")]
    Suffix {
        /// The operator.
        before: String,
        /// The word.
        after: String,
    },
    /// An operand of a `level` operator that is none.
    #[error(transparent)]
    Level(#[from] LevelError),
    /// A value that leads back to itself, or too deep.
    #[error("unreasonable macro call nesting: \"{0}\"")]
    Nesting(String),
    /// More text than any setting needs.
    #[error("expansion is longer than {EXPANSION_MAX_BYTES} bytes: \"{0}\"")]
    TooLong(String),
}

/// The result of an expansion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expanded {
    /// The text with every name replaced.
    pub text: String,
    /// A name was used that the lookup does not know; it stands for nothing.
    pub undefined: bool,
}

/// Where the value of a name comes from.
pub type Names<'a> = &'a dyn Fn(&str) -> Option<Cow<'a, str>>;

/// How to expand: where names are looked up, and what happens to their values.
#[derive(Clone, Copy)]
pub struct Expander<'a> {
    /// The value of a name.
    pub names: Names<'a>,
    /// Names inside values are expanded too. Never for values that a client has chosen.
    pub recurse: bool,
    /// Characters that a value may have; all others become `_`. `None`: all.
    pub filter: Option<&'a str>,
}

impl<'a> Expander<'a> {
    /// Parameters: names in values are expanded too, any character goes.
    pub fn recursive(names: Names<'a>) -> Self {
        Self { names, recurse: true, filter: None }
    }

    /// Replaces every name in `pattern`.
    ///
    /// # Errors
    /// [`ExpandError`] for bad grammar, loops, and texts that grow without bound.
    pub fn expand(&self, pattern: &str) -> Result<Expanded, ExpandError> {
        let mut run = Run { expander: self, result: Expanded::default() };
        run.text(pattern, 0)?;
        Ok(run.result)
    }
}

/// Calls `found` with each name that `pattern` refers to, in both arms of conditions, in reading order.
///
/// # Errors
/// [`ExpandError`] for bad grammar.
pub fn referenced_names(pattern: &str, found: &mut dyn FnMut(&str)) -> Result<(), ExpandError> {
    for piece in pieces(pattern) {
        let Piece::Reference(body) = piece? else { continue };
        let reference = Reference::parse(body)?;
        match &reference.subject {
            Subject::Name(name) => found(name),
            Subject::Relation(relation) => {
                referenced_names(relation.left, found)?;
                referenced_names(relation.right, found)?;
            }
        }
        for arm in [reference.if_true, reference.if_false].into_iter().flatten() {
            referenced_names(arm, found)?;
        }
    }
    Ok(())
}

/// One expansion under way.
struct Run<'e, 'a> {
    expander: &'e Expander<'a>,
    result: Expanded,
}

impl Run<'_, '_> {
    fn text(&mut self, pattern: &str, depth: usize) -> Result<(), ExpandError> {
        for piece in pieces(pattern) {
            match piece? {
                Piece::Literal(text) => self.push(text)?,
                Piece::Reference(body) => self.reference(body, depth + 1)?,
            }
        }
        Ok(())
    }

    fn reference(&mut self, body: &str, depth: usize) -> Result<(), ExpandError> {
        if depth > NESTING_MAX {
            return Err(ExpandError::Nesting(body.to_owned()));
        }
        let reference = Reference::parse(body)?;
        let value = match &reference.subject {
            Subject::Name(name) => (self.expander.names)(name),
            Subject::Relation(relation) => Some(Cow::Borrowed(self.holds(relation, depth)?)),
        };
        let chosen = if value.as_ref().is_some_and(|value| !value.is_empty()) {
            reference.if_true
        } else {
            reference.if_false
        };
        match (chosen, reference.is_conditional(), value) {
            (Some(arm), ..) => self.text(arm, depth),
            (None, true, _) => Ok(()),
            (None, false, Some(value)) if self.expander.recurse => self.text(&value, depth),
            (None, false, Some(value)) => self.push_filtered(&value),
            (None, false, None) => {
                self.result.undefined = true;
                Ok(())
            }
        }
    }

    /// "true" or nothing, as Postfix has it: a relation reads like a parameter that is set or not.
    fn holds(&mut self, relation: &Relation<'_>, depth: usize) -> Result<&'static str, ExpandError> {
        let left = self.operand(relation.left, depth)?;
        let right = self.operand(relation.right, depth)?;
        let order = if relation.levels {
            left.parse::<Level>()?.cmp(&right.parse::<Level>()?)
        } else {
            compare(&left, &right)
        };
        Ok(if relation.operator.accepts(order) { "true" } else { "" })
    }

    fn operand(&mut self, pattern: &str, depth: usize) -> Result<String, ExpandError> {
        let mut run = Run { expander: self.expander, result: Expanded::default() };
        run.text(pattern, depth)?;
        self.result.undefined |= run.result.undefined;
        Ok(run.result.text)
    }

    fn push(&mut self, text: &str) -> Result<(), ExpandError> {
        if self.result.text.len() + text.len() > EXPANSION_MAX_BYTES {
            return Err(ExpandError::TooLong(excerpt(&self.result.text)));
        }
        self.result.text.push_str(text);
        Ok(())
    }

    fn push_filtered(&mut self, value: &str) -> Result<(), ExpandError> {
        let Some(allowed) = self.expander.filter else { return self.push(value) };
        let allow = |character| if allowed.contains(character) { character } else { '_' };
        self.push(&value.chars().map(allow).collect::<String>())
    }
}

/// Numbers are compared as numbers, everything else as text.
fn compare(left: &str, right: &str) -> Ordering {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(left) && is_number(right) {
        let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
        left.len().cmp(&right.len()).then_with(|| left.cmp(right))
    } else {
        left.cmp(right)
    }
}

/// A part of a pattern.
enum Piece<'a> {
    Literal(&'a str),
    /// What stands between the braces, or the bare name.
    Reference(&'a str),
}

fn pieces(pattern: &str) -> Pieces<'_> {
    Pieces { pattern, rest: pattern }
}

struct Pieces<'a> {
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
    fn enclosed(&mut self, text: &'a str, open: u8, close: u8) -> Result<Piece<'a>, ExpandError> {
        let Some(end) = closing(text, open, close) else {
            self.rest = "";
            return Err(ExpandError::Truncated(self.pattern.to_owned()));
        };
        self.rest = &text[end + 1..];
        self.named(&text[1..end])
    }

    fn named(&mut self, body: &'a str) -> Result<Piece<'a>, ExpandError> {
        if body.is_empty() {
            self.rest = "";
            return Err(ExpandError::EmptyName(self.pattern.to_owned()));
        }
        Ok(Piece::Reference(body))
    }
}

/// Where the bracket that `text` starts with is closed.
fn closing(text: &str, open: u8, close: u8) -> Option<usize> {
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

fn name_length(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

/// What stands between `${` and `}`.
struct Reference<'a> {
    subject: Subject<'a>,
    /// After `?`.
    if_true: Option<&'a str>,
    /// After `:`.
    if_false: Option<&'a str>,
}

enum Subject<'a> {
    Name(&'a str),
    Relation(Relation<'a>),
}

struct Relation<'a> {
    left: &'a str,
    operator: Operator,
    /// The operands are compatibility levels.
    levels: bool,
    right: &'a str,
}

#[derive(Clone, Copy)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    GreaterOrEqual,
    Greater,
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
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

    fn accepts(self, order: Ordering) -> bool {
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
const OPERATOR_CHARACTERS: &str = "<>!=?+-*/~&|%";
/// Postfix's list of operators, with its own quoting.
const ANY_OPERATOR: &str = r#""==" or "!="" or "<"" or "<="" or ">="" or ">""#;

impl<'a> Reference<'a> {
    fn is_conditional(&self) -> bool {
        self.if_true.is_some() || self.if_false.is_some()
    }

    fn parse(body: &'a str) -> Result<Self, ExpandError> {
        let mut text = Cursor { rest: body };
        let subject = if text.at_brace() {
            Subject::Relation(Self::relation(&mut text)?)
        } else {
            Subject::Name(Self::name(&mut text, body)?)
        };
        let mut reference = Self { subject, if_true: None, if_false: None };
        reference.arms(text)?;
        Ok(reference)
    }

    fn name(text: &mut Cursor<'a>, body: &'a str) -> Result<&'a str, ExpandError> {
        text.skip_blanks();
        let name = text.take(name_length(text.rest));
        let behind_name = text.rest;
        text.skip_blanks();
        if text.rest.is_empty() || text.rest.starts_with(['?', ':']) {
            return Ok(name);
        }
        let before = body[..body.len() - behind_name.len()].to_owned();
        Err(ExpandError::Name { before, after: excerpt(behind_name) })
    }

    fn relation(text: &mut Cursor<'a>) -> Result<Relation<'a>, ExpandError> {
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
        let right = text.payload()?;
        if text.rest.is_empty() || text.rest.starts_with(['?', ':']) {
            return Ok(Relation { left, operator, levels: !suffix.is_empty(), right });
        }
        let after = excerpt(text.rest);
        Err(ExpandError::Expected { wanted: "\"?\" or \":\"", before: "}".to_owned(), after })
    }

    fn arms(&mut self, mut text: Cursor<'a>) -> Result<(), ExpandError> {
        if text.skip('?') {
            let arm = text.arm()?;
            self.if_true = Some(arm);
            if !text.rest.is_empty() && !text.rest.starts_with(':') {
                let before = format!("{arm}}}");
                return Err(ExpandError::Expected { wanted: "\":\"", before, after: excerpt(text.rest) });
            }
        }
        if text.skip(':') {
            let arm = text.arm()?;
            self.if_false = Some(arm);
            if !text.rest.is_empty() {
                return Err(ExpandError::Unexpected { before: arm.to_owned(), after: excerpt(text.rest) });
            }
        }
        Ok(())
    }
}

/// Reading position between the braces.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.find(|next| !belongs(next)).unwrap_or(self.rest.len());
        self.take(length)
    }

    fn skip(&mut self, wanted: char) -> bool {
        let found = self.rest.starts_with(wanted);
        self.rest = self.rest.strip_prefix(wanted).unwrap_or(self.rest);
        found
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Is a `{` next? Blanks before it are skipped, and only then.
    fn at_brace(&mut self) -> bool {
        let text = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let found = text.starts_with('{');
        if found {
            self.rest = text;
        }
        found
    }

    /// What the braces hold; blanks behind them are skipped.
    fn payload(&mut self) -> Result<&'a str, ExpandError> {
        let end =
            closing(self.rest, b'{', b'}').ok_or_else(|| ExpandError::Unbalanced(self.rest.to_owned()))?;
        let payload = &self.take(end + 1)[1..end];
        self.skip_blanks();
        Ok(payload)
    }

    /// `{text}`, or all the text there is.
    fn arm(&mut self) -> Result<&'a str, ExpandError> {
        if self.at_brace() { self.payload() } else { Ok(self.take(self.rest.len())) }
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(name: &str) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(match name {
            "set" => "x",
            "empty" => "",
            "deep" => "[$set]",
            "loop" => "$loop",
            "odd" => "a!b",
            "double" => "$double$double",
            _ => return None,
        }))
    }

    fn expand(pattern: &str) -> String {
        match Expander::recursive(&names).expand(pattern) {
            Ok(expanded) => expanded.text,
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn names_in_every_spelling() {
        for (pattern, wanted) in [
            ("a$set.b", "ax.b"),
            ("${set}${ set }$(set)", "xxx"),
            ("$$set$$", "$set$"),
            ("<$deep>", "<[x]>"),
            ("<$nothing$empty>", "<>"),
        ] {
            assert_eq!(expand(pattern), wanted, "{pattern}");
        }
    }

    #[test]
    fn conditions() {
        for (pattern, wanted) in [
            ("${set?a}${empty?b}${nothing?c}", "a"),
            ("${set:a}${empty:b}${nothing:c}", "bc"),
            ("${set?{a}:{b}}${empty ? {a} : {b}}", "ab"),
            ("${set?{a}:b}", "a"),
            ("${set?a:b}", "a:b"),
            ("${set? x }|", " x |"),
            ("${set?  {x}  }|", "x|"),
            ("${nothing:${empty:${set}}}", "x"),
            ("${set?a}b}", "ab}"),
            ("$(set?{a})", "a"),
        ] {
            assert_eq!(expand(pattern), wanted, "{pattern}");
        }
    }

    #[test]
    fn relations() {
        for (pattern, wanted) in [
            ("${{a}=={a}}", "true"),
            ("${{a} != {a}}", ""),
            ("${{10}>{9}?{y}:{n}}", "y"),
            ("${{a10}>{a9}?{y}:{n}}", "n"),
            ("${{01} == {1} ? {y}:{n}}", "y"),
            ("${{ 1} == {1} ? {y}:{n}}", "n"),
            ("${{99999999999999999999} > {2} ? {y}:{n}}", "y"),
            ("${{$set} == {x} : {n}}|", "|"),
            ("${{3.10} >level {3.9} ? {y}:{n}}", "y"),
            ("${{3.10} > {3.9} ? {y}:{n}}", "n"),
            ("${{1}<level{2}?1:2}", "1:2"),
        ] {
            assert_eq!(expand(pattern), wanted, "{pattern}");
        }
    }

    #[test]
    fn errors_say_where() {
        for (pattern, wanted) in [
            ("${set", "truncated macro reference: \"${set\""),
            ("$-x", "empty macro name: \"$-x\""),
            ("${a b}", "attribute name syntax error at: \"...a>>> b\""),
            ("${ a-}", "attribute name syntax error at: \"... a>>>-\""),
            ("${set?{b} x}", "\":\" expected at: \"...b}>>>x\""),
            ("${set?{b}:{c} x}", "unexpected input at: \"...c}>>>x\""),
            (
                "${{a}}",
                "\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\" expected at: \"...a}>>>\"",
            ),
            ("${{a} ==}", "\"{expression}\" expected at: \"...{a} ==>>>\""),
            ("${{a}==b}", "bad operator suffix at: \"...==>>>b\""),
            ("${{a}=={a}x}", "\"?\" or \":\" expected at: \"...}>>>x\""),
            ("${{3.x} <level {1}}", "malformed compatibility level syntax: \"3.x\""),
            ("$loop", "unreasonable macro call nesting: \"loop\""),
        ] {
            assert_eq!(expand(pattern), format!("error: {wanted}"), "{pattern}");
        }
    }

    #[test]
    fn growth_has_an_end() {
        assert!(expand("$double").starts_with("error: "));
    }

    #[test]
    fn values_of_clients_are_filtered_and_not_expanded() {
        let expander = Expander { names: &names, recurse: false, filter: Some("abx") };
        assert_eq!(expander.expand("<$odd>").unwrap().text, "<a_b>");
        assert_eq!(expander.expand("$deep").unwrap().text, "______");
    }

    #[test]
    fn undefined_names_are_told() {
        assert!(Expander::recursive(&names).expand("a$nothing").unwrap().undefined);
        assert!(!Expander::recursive(&names).expand("a$empty${nothing?x}").unwrap().undefined);
    }

    #[test]
    fn names_of_both_arms_are_found() {
        let mut found = Vec::new();
        let pattern = "$a ${b?{$c}:{$d}} ${{$e} == {f} ? {$g}}";
        referenced_names(pattern, &mut |name| found.push(name.to_owned())).unwrap();
        assert_eq!(found, ["a", "b", "c", "d", "e", "g"]);
    }

    proptest! {
        #[test]
        fn any_text_expands_or_is_refused(pattern in "[a-z${}():? =<>!]{0,40}") {
            let _ = Expander::recursive(&names).expand(&pattern);
            let _ = referenced_names(&pattern, &mut |_| ());
        }

        #[test]
        fn text_without_a_dollar_stays(pattern in "[^$]*") {
            prop_assert_eq!(expand(&pattern), pattern);
        }
    }
}
