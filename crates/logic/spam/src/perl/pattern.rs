//! One pattern, compiled when it is first needed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Groups;
use super::delimiters::{self, BadPattern};
use super::folding;
use super::literals::{self, Needs};

/// Steps that one match may take before it is given up. A rule can not hold up the mail.
const MATCH_LIMIT_STEPS: u32 = 10_000_000;
/// Stack of the compiled code, beyond which a match is given up.
const JIT_STACK_BYTES: usize = 1 << 20;
/// Size of a compiled expression in the second engine, which takes what is too large for the first.
const LARGE_LIMIT_BYTES: usize = 1 << 27;

/// A regular expression.
pub struct Pattern {
    source: String,
    needs: Needs,
    program: OnceLock<Program>,
}

enum Program {
    /// Backtracking, with everything that Perl has.
    Backtracking(Box<pcre2::bytes::Regex>),
    /// For what is too large: linear, without look-around.
    Linear(Box<regex::bytes::Regex>),
    /// Neither takes it.
    None(String),
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.source).finish()
    }
}

impl Pattern {
    /// A pattern with delimiters: `/word/i`.
    ///
    /// # Errors
    /// [`BadPattern`]. Whether the expression itself is good shows when it is first used, or in [`Pattern::check`].
    pub fn delimited(text: &str) -> Result<Self, BadPattern> {
        delimiters::strip(text).map(Self::from_source)
    }

    /// A pattern without delimiters.
    ///
    /// # Errors
    /// As [`Pattern::delimited`].
    pub fn plain(text: &str) -> Result<Self, BadPattern> {
        delimiters::refuse_code(text)?;
        Ok(Self::from_source(text.to_owned()))
    }

    pub(crate) fn from_source(source: String) -> Self {
        let needs = literals::needs(&source);
        Self { source, needs, program: OnceLock::new() }
    }

    /// The same pattern, written in another way.
    pub(crate) fn with_source(self, source: String) -> Self {
        Self { source, needs: self.needs, program: OnceLock::new() }
    }

    /// The expression, its modifiers in front.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Texts of which each match holds at least one.
    pub(super) fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Compiles it now.
    ///
    /// # Errors
    /// [`BadPattern::Syntax`] with what the engine says.
    pub fn check(&self) -> Result<(), BadPattern> {
        match self.program() {
            Program::None(why) => Err(BadPattern::Syntax(why.clone())),
            _ => Ok(()),
        }
    }

    fn program(&self) -> &Program {
        self.program.get_or_init(|| compile(&self.source))
    }

    /// Does it match somewhere?
    pub fn is_match(&self, text: &[u8]) -> bool {
        match self.program() {
            Program::Backtracking(regex) => regex.is_match(text).unwrap_or(false),
            Program::Linear(regex) => regex.is_match(text),
            Program::None(_) => false,
        }
    }

    /// How often it matches, at most `limit` times.
    pub fn count(&self, text: &[u8], limit: usize) -> usize {
        match self.program() {
            Program::Backtracking(regex) => {
                regex.find_iter(text).take(limit).take_while(Result::is_ok).count()
            }
            Program::Linear(regex) => regex.find_iter(text).take(limit).count(),
            Program::None(_) => 0,
        }
    }

    /// The first group of the first match.
    pub fn first_group(&self, text: &[u8]) -> Option<Vec<u8>> {
        match self.program() {
            Program::Backtracking(regex) => {
                let captures = regex.captures(text).ok()??;
                captures.get(1).map(|group| group.as_bytes().to_vec())
            }
            Program::Linear(regex) => regex.captures(text)?.get(1).map(|group| group.as_bytes().to_vec()),
            Program::None(_) => None,
        }
    }

    /// The groups of all matches, one behind the other.
    pub(crate) fn all_groups<'t>(&self, text: &'t [u8]) -> Vec<Groups<'t>> {
        let Program::Backtracking(regex) = self.program() else { return Vec::new() };
        let mut found = Vec::new();
        let mut start = 0;
        let mut locations = regex.capture_locations();
        while start <= text.len()
            && matches!(regex.captures_read_at(&mut locations, text, start), Ok(Some(_)))
        {
            let groups = Groups::new(text, &locations);
            let (begin, end) = groups.span(0).unwrap_or((start, start));
            start = if end > begin { end } else { end + 1 };
            found.push(groups);
        }
        found
    }

    /// Named groups of all matches, with what they hold.
    pub fn named_groups(&self, text: &[u8]) -> Vec<(String, Vec<u8>)> {
        let Program::Backtracking(regex) = self.program() else { return Vec::new() };
        let mut found = Vec::new();
        for captures in regex.captures_iter(text).take_while(Result::is_ok).flatten() {
            let names = regex.capture_names().iter().enumerate();
            for (index, name) in names.filter_map(|(index, name)| name.as_ref().map(|name| (index, name))) {
                let held = captures.get(index).map(|group| group.as_bytes()).filter(|held| !held.is_empty());
                found.extend(held.map(|held| (name.clone(), held.to_vec())));
            }
        }
        found
    }
}

/// Patterns in arguments of eval functions that are kept compiled.
const CACHE_LIMIT: usize = 1000;

/// A pattern without delimiters that stands in a rule's arguments, compiled once in a process.
pub(crate) fn cached(source: &str) -> Option<Arc<Pattern>> {
    static CACHE: Mutex<BTreeMap<String, Arc<Pattern>>> = Mutex::new(BTreeMap::new());
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pattern) = cache.get(source) {
        return Some(Arc::clone(pattern));
    }
    let pattern = Arc::new(Pattern::plain(source).ok()?);
    if cache.len() < CACHE_LIMIT {
        cache.insert(source.to_owned(), Arc::clone(&pattern));
    }
    Some(pattern)
}

fn compile(source: &str) -> Program {
    let folded = folding::with_latin_case(source);
    let limited = format!("(*LIMIT_MATCH={MATCH_LIMIT_STEPS})(*LF){folded}");
    let mut builder = pcre2::bytes::RegexBuilder::new();
    builder.jit_if_available(true).max_jit_stack_size(Some(JIT_STACK_BYTES));
    match builder.build(&limited) {
        Ok(regex) => Program::Backtracking(Box::new(regex)),
        Err(error) => {
            let linear =
                regex::bytes::RegexBuilder::new(source).unicode(false).size_limit(LARGE_LIMIT_BYTES).build();
            linear.map_or_else(|_| Program::None(error.to_string()), |regex| Program::Linear(Box::new(regex)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perl_is_understood() {
        let pattern = Pattern::delimited("/^(?!no)\\w+(\\d)\\1$/i").unwrap();
        assert!(pattern.is_match(b"Yes11") && !pattern.is_match(b"no11") && !pattern.is_match(b"yes12"));
        assert_eq!(Pattern::delimited("/a/").unwrap().count(b"aXaXa", 2), 2);
        assert!(Pattern::delimited("/(/").unwrap().check().is_err());
        let named = Pattern::delimited("/(?<USER>\\w+)@/").unwrap();
        assert_eq!(named.named_groups(b"joe@"), [("USER".to_owned(), b"joe".to_vec())]);
    }
}
