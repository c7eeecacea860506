//! regexp: and pcre: — rules of regular expressions, regexp_table(5) and pcre_table(5).

use crate::cidr::keyword;
use crate::replacement::{Replacement, ReplacementError};
use crate::rules::{Rule, RuleSource, Rules};
use crate::sight::Sight;
use crate::source::{is_blank, printable, trim, trim_start};
use crate::table::{Options, Table};
use crate::trouble::Trouble;
use crate::watched::Watched;

/// Byte ranges of the groups of a match, the whole match first.
pub(crate) type Groups = [Option<(usize, usize)>];

/// A library of regular expressions, and how its tables differ from the other's.
pub(crate) trait Engine: Send + 'static {
    /// A compiled expression.
    type Expression: Send;
    /// What the letters after a pattern say.
    type Letters;

    /// "regexp" or "pcre".
    const KIND: &'static str;
    /// What becomes of a rule without its second delimiter, as the warning puts it.
    const IGNORED: &'static str;
    /// Does a backslash at the end of the line stand for the second delimiter?
    const BACKSLASH_CLOSES: bool;
    /// How the warning about `$0` spells itself.
    const OUT_OF_RANGE: &'static str;
    /// May a second pattern follow the first: `/this/!/but not this/ result`?
    const SECOND_PATTERN: bool;

    /// Reads the letters after a pattern. `warn` gets what is odd about them; the error is one that means nothing.
    fn letters(text: &[u8], warn: &dyn Fn(&str)) -> Result<Self::Letters, u8>;
    /// Compiles `pattern`. The error is what the warning about the skipped rule says.
    fn compile(pattern: &[u8], letters: &Self::Letters, captures: bool) -> Result<Self::Expression, String>;
    /// Its number of groups.
    fn groups(expression: &Self::Expression) -> usize;
    /// Does it match? `groups` is filled in.
    fn matches(expression: &Self::Expression, subject: &[u8], groups: &mut Groups) -> Result<bool, String>;
}

/// A table of patterns.
pub(crate) struct Patterns<E: Engine> {
    name: String,
    rules: Rules<Condition<E>, Replacement>,
    watched: Option<Watched>,
}

struct Condition<E: Engine> {
    line: usize,
    first: Pattern<E>,
    second: Option<Pattern<E>>,
}

struct Pattern<E: Engine> {
    expression: E::Expression,
    positive: bool,
}

/// A pattern as it stands in the file.
struct Written<'a, E: Engine> {
    pattern: &'a [u8],
    letters: E::Letters,
    positive: bool,
}

impl<E: Engine> Patterns<E> {
    /// Reads the rules of `name`. Lines that make no sense are skipped with a warning.
    pub(crate) fn open(name: &str, options: &Options) -> Result<Self, Trouble> {
        let source = RuleSource::open(E::KIND, name)?;
        let warn = |line: usize, problem: &str| log::warn!("{} map {name}, line {line}: {problem}", E::KIND);
        let rules = source.rules(&warn, &mut |number, line, open_ifs| {
            let reader = LineReader { number, options, warn: &|text| warn(number, text) };
            reader.read(line, open_ifs)
        });
        Ok(Self { name: name.to_owned(), rules, watched: source.watched })
    }

    fn holds(&self, condition: &Condition<E>, subject: &[u8], groups: &mut Groups) -> bool {
        let test = |pattern: &Pattern<E>, groups: &mut Groups| match E::matches(
            &pattern.expression,
            subject,
            groups,
        ) {
            Ok(matched) => matched == pattern.positive,
            Err(problem) => {
                log::warn!("{} map {}, line {}: {problem}", E::KIND, self.name, condition.line);
                false
            }
        };
        test(&condition.first, groups) && condition.second.as_ref().is_none_or(|second| test(second, &mut []))
    }
}

impl<E: Engine> Table for Patterns<E> {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let mut groups = Vec::new();
        let found = self.rules.find(&mut |condition, result| {
            groups.clear();
            let highest = result.map_or(0, |result| result.highest);
            groups.resize(if highest > 0 { highest + 1 } else { 0 }, None);
            self.holds(condition, key, &mut groups)
        });
        let result = found.map(|(_, result)| result);
        Ok(result.map(|result| result.expand(key, &groups)))
    }

    fn takes_parts(&self) -> bool {
        false
    }

    fn folds_keys(&self) -> bool {
        false
    }

    fn changed(&mut self, sight: &Sight) -> bool {
        self.watched.as_ref().is_some_and(|watched| watched.changed(sight))
    }
}

/// Reads one line; `None` if it is skipped, for which `warn` has been told the reason.
struct LineReader<'a> {
    number: usize,
    options: &'a Options,
    warn: &'a dyn Fn(&str),
}

impl LineReader<'_> {
    fn read<E: Engine>(&self, line: &[u8], open_ifs: usize) -> Option<Rule<Condition<E>, Replacement>> {
        if !line.first()?.is_ascii_alphanumeric() {
            return self.rule(line);
        }
        if let Some(rest) = keyword(line, b"if") {
            return self.if_rule(trim_start(rest));
        }
        if let Some(rest) = keyword(line, b"endif") {
            return self.endif(trim(rest), open_ifs);
        }
        self.skip("ignoring unrecognized request")
    }

    fn skip<T>(&self, problem: &str) -> Option<T> {
        (self.warn)(problem);
        None
    }

    fn rule<E: Engine>(&self, line: &[u8]) -> Option<Rule<Condition<E>, Replacement>> {
        let (first, rest) = self.pattern::<E>(line)?;
        let (second, rest) = match rest.first() {
            Some(b'!') if E::SECOND_PATTERN => {
                self.pattern::<E>(rest).map(|(second, rest)| (Some(second), rest))?
            }
            _ => (None, rest),
        };
        let text = trim_start(rest);
        if text.is_empty() {
            (self.warn)("no replacement text: using empty string");
        }
        let text = match self.options.value(text) {
            Ok(text) => text,
            Err(error) => return self.skip(&format!("{error}: skipping this rule")),
        };
        let result = self.result::<E>(&text)?;
        if result.highest > 0 && !first.positive {
            return self.skip("$number found in negative match replacement text: skipping this rule");
        }
        if result.highest > 0 && !self.options.substitution {
            return self.skip("regular expression substitution is not allowed: skipping this rule");
        }
        let first = self.compile(&first, result.highest > 0)?;
        if result.highest > E::groups(&first.expression) {
            let highest = result.highest;
            return self.skip(&format!("out of range replacement index \"{highest}\": skipping this rule"));
        }
        let second = match second {
            Some(second) => Some(self.compile(&second, false)?),
            None => None,
        };
        Some(Rule::Match(Condition { line: self.number, first, second }, result))
    }

    fn if_rule<E: Engine>(&self, rest: &[u8]) -> Option<Rule<Condition<E>, Replacement>> {
        let (written, after) = self.pattern::<E>(rest)?;
        let after = trim_start(after);
        if !after.is_empty() {
            let after = String::from_utf8_lossy(after);
            (self.warn)(&format!("ignoring extra text after IF statement: \"{after}\""));
            (self.warn)("do not prepend whitespace to statements between IF and ENDIF");
        }
        let first = self.compile(&written, false)?;
        Some(Rule::If(Condition { line: self.number, first, second: None }))
    }

    fn endif<E: Engine>(&self, rest: &[u8], open_ifs: usize) -> Option<Rule<Condition<E>, Replacement>> {
        if open_ifs == 0 {
            return self.skip("ignoring ENDIF without matching IF");
        }
        if !rest.is_empty() {
            (self.warn)("ignoring extra text after ENDIF");
        }
        Some(Rule::Endif)
    }

    /// `!`, a delimiter, the pattern, the delimiter, letters; and what follows.
    fn pattern<'a, E: Engine>(&self, text: &'a [u8]) -> Option<(Written<'a, E>, &'a [u8])> {
        let start = text.iter().position(|byte| *byte != b'!' && !is_blank(*byte));
        let Some(start) = start else { return self.skip("no regexp: skipping this rule") };
        let positive = text[..start].iter().filter(|byte| **byte == b'!').count() % 2 == 0;
        let delimiter = text[start];
        let pattern = &text[start + 1..];
        let Some(end) = closing_delimiter(pattern, delimiter, E::BACKSLASH_CLOSES) else {
            let (shown, ignored) = (printable(&[delimiter]), E::IGNORED);
            return self.skip(&format!("no closing regexp delimiter \"{shown}\": {ignored} this rule"));
        };
        let after = &pattern[end + 1..];
        let ends_letters = |byte: &u8| is_blank(*byte) || (E::SECOND_PATTERN && *byte == b'!');
        let (letters, rest) = after.split_at(after.iter().position(ends_letters).unwrap_or(after.len()));
        let letters = match E::letters(letters, self.warn) {
            Ok(letters) => letters,
            Err(letter) => {
                let letter = printable(&[letter]);
                return self.skip(&format!("unknown regexp option \"{letter}\": skipping this rule"));
            }
        };
        Some((Written { pattern: &pattern[..end], letters, positive }, rest))
    }

    fn result<E: Engine>(&self, text: &[u8]) -> Option<Replacement> {
        let problems = match Replacement::parse(text) {
            Ok(replacement) => return Some(replacement),
            Err(problems) => problems,
        };
        for problem in problems {
            match problem {
                // These come from the reader of "$name", which knows no file.
                ReplacementError::Empty(text) => log::warn!("empty macro name: \"{text}\""),
                ReplacementError::Truncated(text) => log::warn!("truncated macro reference: \"{text}\""),
                ReplacementError::NotANumber(text) => {
                    (self.warn)(&format!("non-numeric replacement index \"{text}\""));
                }
                ReplacementError::Zero(text) => {
                    (self.warn)(&format!("{} replacement index \"{text}\"", E::OUT_OF_RANGE));
                }
            }
        }
        self.skip("bad replacement syntax: skipping this rule")
    }

    fn compile<E: Engine>(&self, written: &Written<'_, E>, captures: bool) -> Option<Pattern<E>> {
        match E::compile(written.pattern, &written.letters, captures) {
            Ok(expression) => Some(Pattern { expression, positive: written.positive }),
            Err(problem) => self.skip(&problem),
        }
    }
}

/// Where the pattern ends: at the delimiter, if no backslash stands before it.
fn closing_delimiter(pattern: &[u8], delimiter: u8, backslash_closes: bool) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = pattern.get(at) {
        match byte {
            b'\\' if at + 1 == pattern.len() => return backslash_closes.then_some(at),
            b'\\' => at += 1,
            byte if *byte == delimiter => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}
