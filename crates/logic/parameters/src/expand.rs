//! `$name`, `${name?text}` and `${{a} == {b} ? {c} : {d}}` in values (postconf(5)).

mod grammar;

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::compatibility::{Level, LevelError};

use self::grammar::{Cursor, Piece, Relation, excerpt, pieces};

/// Deepest chain of names whose values name others; a longer one is taken for a loop.
const NESTING_MAX: usize = 100;
/// Longest text that an expansion may give, in bytes.
const EXPANSION_MAX_BYTES: usize = 1 << 20;
/// Most text that one expansion reads, in bytes: names that each lead to two others would be read for ever.
const READING_MAX_BYTES: usize = 2 << 20;
/// What a name counts for in that, besides its value.
const REFERENCE_BYTES: usize = 256;
/// How much of the text after an error a message shows.
const EXCERPT_BYTES: usize = 20;

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
    /// More names than any setting needs, whatever they stand for.
    #[error("expansion reads more than {READING_MAX_BYTES} bytes: \"{0}\"")]
    TooMuch(String),
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
    /// The first [`ExpandError`] for bad grammar, loops, and texts that grow without bound.
    pub fn expand(&self, pattern: &str) -> Result<Expanded, ExpandError> {
        let mut first = None;
        let expanded = self.expand_telling(pattern, &mut |error| {
            first.get_or_insert(error);
        });
        first.map_or(Ok(expanded), Err)
    }

    /// The same, but every error is told, as postconf does; what is given back then is of no use.
    pub fn expand_telling(&self, pattern: &str, tell: &mut dyn FnMut(ExpandError)) -> Expanded {
        let mut run = Run::new(Task::Expand(self), tell, READING_MAX_BYTES);
        run.text(pattern, 0);
        run.result
    }
}

/// Calls `found` with each name that `pattern` refers to, in both arms of conditions, in reading order, and
/// `tell` with each error.
pub fn referenced_names(pattern: &str, found: &dyn Fn(&str), tell: &mut dyn FnMut(ExpandError)) {
    Run::new(Task::Scan(found), tell, READING_MAX_BYTES).text(pattern, 0);
}

/// What a run is for.
#[derive(Clone, Copy)]
enum Task<'e, 'a> {
    Expand(&'e Expander<'a>),
    /// Both arms of conditions are read, and nothing is replaced.
    Scan(&'e dyn Fn(&str)),
}

/// One expansion under way. Errors do not end it at once: Postfix's rules decide which others are told too.
struct Run<'e, 'a, 't> {
    task: Task<'e, 'a>,
    result: Expanded,
    failed: bool,
    tell: &'t mut dyn FnMut(ExpandError),
    /// How much more may be read, in bytes.
    left_bytes: usize,
}

impl<'e, 'a, 't> Run<'e, 'a, 't> {
    fn new(task: Task<'e, 'a>, tell: &'t mut dyn FnMut(ExpandError), left_bytes: usize) -> Self {
        Self { task, result: Expanded::default(), failed: false, tell, left_bytes }
    }

    fn fail(&mut self, error: ExpandError) {
        self.failed = true;
        (self.tell)(error);
    }

    fn may_read(&mut self, bytes: usize) -> bool {
        let left = self.left_bytes.checked_sub(bytes);
        self.left_bytes = left.unwrap_or(0);
        left.is_some()
    }

    fn text(&mut self, pattern: &str, depth: usize) {
        if !self.may_read(pattern.len()) {
            return self.fail(ExpandError::TooMuch(excerpt(pattern)));
        }
        for piece in pieces(pattern) {
            match piece {
                Ok(Piece::Literal(text)) => self.push(text),
                Ok(Piece::Reference(body)) => self.reference(body, depth + 1),
                Err(error) => self.fail(error),
            }
        }
    }

    fn reference(&mut self, body: &str, depth: usize) {
        if depth > NESTING_MAX {
            self.fail(ExpandError::Nesting(body.to_owned()));
        }
        if self.failed {
            return;
        }
        if !self.may_read(REFERENCE_BYTES) {
            return self.fail(ExpandError::TooMuch(excerpt(body)));
        }
        if let Err(error) = self.parse(body, depth) {
            self.fail(error);
        }
    }

    fn parse(&mut self, body: &str, depth: usize) -> Result<(), ExpandError> {
        let mut text = Cursor { rest: body };
        let value = if text.at_brace() {
            let relation = Relation::parse(&mut text)?;
            let holds = self.holds(&relation, depth)?;
            if self.failed {
                return Ok(());
            }
            if !text.rest.is_empty() && !text.rest.starts_with(['?', ':']) {
                let (wanted, before) = ("\"?\" or \":\"", "}".to_owned());
                return Err(ExpandError::Expected { wanted, before, after: excerpt(text.rest) });
            }
            Some(Cow::Borrowed(if holds { "true" } else { "" }))
        } else {
            let name = text.name(body)?;
            match text.argument(name, body)? {
                None => self.value(name),
                Some(argument) => Some(Cow::Owned(domain_to_ascii(&self.operand(argument, depth)))),
            }
        };
        if text.rest.is_empty() {
            self.put(value.as_deref(), depth);
            return Ok(());
        }
        self.arms(text, value.is_some_and(|value| !value.is_empty()), depth)
    }

    /// `?text`, `:text`, `?{text}:{text}`.
    fn arms(&mut self, mut text: Cursor<'_>, holds: bool, depth: usize) -> Result<(), ExpandError> {
        let both = matches!(self.task, Task::Scan(_));
        if text.skip('?') {
            let arm = text.arm()?;
            if holds || both {
                self.text(arm, depth);
            }
            if !text.rest.is_empty() && !text.rest.starts_with(':') {
                let before = format!("{arm}}}");
                return Err(ExpandError::Expected { wanted: "\":\"", before, after: excerpt(text.rest) });
            }
        }
        if text.skip(':') {
            let arm = text.arm()?;
            if !holds || both {
                self.text(arm, depth);
            }
            if !text.rest.is_empty() {
                return Err(ExpandError::Unexpected { before: arm.to_owned(), after: excerpt(text.rest) });
            }
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        match self.task {
            Task::Expand(expander) => (expander.names)(name),
            Task::Scan(found) => {
                found(name);
                None
            }
        }
    }

    /// The value of a plain `$name`.
    fn put(&mut self, value: Option<&str>, depth: usize) {
        match (self.task, value) {
            (Task::Scan(_), _) => {}
            (Task::Expand(_), None) => self.result.undefined = true,
            (Task::Expand(expander), Some(value)) if expander.recurse => self.text(value, depth),
            (Task::Expand(expander), Some(value)) => match expander.filter {
                None => self.push(value),
                Some(allowed) => {
                    let allow = |character| if allowed.contains(character) { character } else { '_' };
                    self.push(&value.chars().map(allow).collect::<String>());
                }
            },
        }
    }

    fn holds(&mut self, relation: &Relation<'_>, depth: usize) -> Result<bool, ExpandError> {
        let left = self.operand(relation.left, depth);
        let right = self.operand(relation.right, depth);
        if self.failed || matches!(self.task, Task::Scan(_)) {
            return Ok(false);
        }
        let order = if relation.levels {
            left.parse::<Level>()?.cmp(&right.parse::<Level>()?)
        } else {
            compare(&left, &right)
        };
        Ok(relation.operator.accepts(order))
    }

    /// An error in one operand does not keep those of the other from being told.
    fn operand(&mut self, pattern: &str, depth: usize) -> String {
        let mut run = Run::new(self.task, self.tell, self.left_bytes);
        run.text(pattern, depth);
        let (failed, result, left_bytes) = (run.failed, run.result, run.left_bytes);
        self.left_bytes = left_bytes;
        self.failed |= failed;
        self.result.undefined |= result.undefined;
        result.text
    }

    fn push(&mut self, text: &str) {
        if self.failed || matches!(self.task, Task::Scan(_)) {
            return;
        }
        if self.result.text.len() + text.len() > EXPANSION_MAX_BYTES {
            return self.fail(ExpandError::TooLong(excerpt(&self.result.text)));
        }
        self.result.text.push_str(text);
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

/// A name that cannot be written in ASCII stays as it is.
fn domain_to_ascii(name: &str) -> String {
    idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_owned())
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
    fn names_that_stand_for_nothing_twice_over_come_to_an_end() {
        let names = |name: &str| -> Option<Cow<'_, str>> {
            let below = name.strip_prefix('n')?.parse::<u32>().ok()?.checked_sub(1);
            Some(below.map_or("".into(), |below| format!("$n{below}$n{below}").into()))
        };
        let error = Expander::recursive(&names).expand("$n60").unwrap_err();
        assert!(matches!(error, ExpandError::TooMuch(_)), "{error}");
        assert_eq!(Expander::recursive(&names).expand("$n10").unwrap().text, "");
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
    fn names_of_domains_as_dns_has_them() {
        assert_eq!(expand("<${domain_to_ascii{b\u{fc}ro.$set}}>"), "<xn--bro-hoa.x>");
        assert_eq!(expand("${domain_to_ascii{a b}}"), "a b");
        assert!(expand("${domain_to_ascii{a} b}").starts_with("error: "));
        assert!(expand("${domain_to_ascii {a}}").starts_with("error: "));
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
    fn some_errors_do_not_hide_others() {
        let errors = |pattern: &str| {
            let mut told = Vec::new();
            Expander::recursive(&names).expand_telling(pattern, &mut |error| told.push(error.to_string()));
            told
        };
        assert_eq!(errors("${a b}${a b}$").len(), 2);
        assert_eq!(errors("${{$-} == {$} x}").len(), 2);
        assert_eq!(errors("${set?{$-} x}").len(), 2);
        assert_eq!(errors("$-$-").len(), 1);
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
        let found = std::cell::RefCell::new(Vec::new());
        let pattern = "$a ${b?{$c}:{$d}} ${{$e} == {f} ? {$g}}";
        let find = |name: &str| found.borrow_mut().push(name.to_owned());
        referenced_names(pattern, &find, &mut |error| panic!("{error}"));
        assert_eq!(found.into_inner(), ["a", "b", "c", "d", "e", "g"]);
    }

    proptest! {
        #[test]
        fn any_text_expands_or_is_refused(pattern in "[a-z${}():? =<>!]{0,40}") {
            let _ = Expander::recursive(&names).expand(&pattern);
            referenced_names(&pattern, &|_| (), &mut |_| ());
        }

        #[test]
        fn text_without_a_dollar_stays(pattern in "[^$]*") {
            prop_assert_eq!(expand(&pattern), pattern);
        }
    }
}
