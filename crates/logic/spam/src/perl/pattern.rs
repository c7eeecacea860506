//! One pattern, compiled when it is first needed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Groups;
use super::delimiters::{self, BadPattern};
use super::folding;
use super::literals::{self, Needs};
use super::outline::Outline;
use super::screen::Screen;
use super::window::{self, Window};

/// Steps that one match may take before it is given up. A rule can not hold up the mail.
const MATCH_LIMIT_STEPS: u32 = 10_000_000;
/// Stack of the compiled code, beyond which a match is given up.
const JIT_STACK_BYTES: usize = 1 << 20;
/// A pattern of more than this is tried in its shorter form first.
const FULL_LIMIT_BYTES: usize = 30_000;
/// Size of a compiled expression in the second engine, which takes what is too large for the first.
const LARGE_LIMIT_BYTES: usize = 1 << 27;

/// A regular expression.
pub struct Pattern {
    source: String,
    /// The same in fewer bytes, for when the source is too large.
    shorter: Option<String>,
    filter: OnceLock<Filter>,
    program: OnceLock<Program>,
}

/// What a text must have before it is worth to try a pattern on it.
pub(super) enum Filter {
    /// These texts, whatever the case: one of each.
    Texts(Vec<Needs>),
    /// One of these windows.
    Windows(Vec<Window>),
    /// So many bytes.
    Bytes(usize),
}

impl Filter {
    fn of(source: &str) -> Self {
        let outline = Outline::of(source);
        let needs = literals::needs(&outline);
        if !needs.is_empty() {
            return Self::Texts(needs);
        }
        window::windows(&outline).map(Self::Windows).unwrap_or_else(|| Self::Bytes(outline.least_bytes()))
    }
}

enum Program {
    /// Backtracking, with everything that Perl has.
    Backtracking(Box<Backtracking>),
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
        Self { source, shorter: None, filter: OnceLock::new(), program: OnceLock::new() }
    }

    /// The same pattern, which may also be written like that.
    pub(crate) fn with_shorter(self, shorter: String) -> Self {
        Self { shorter: Some(shorter), ..self }
    }

    /// The expression, its modifiers in front.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What each text has in which it matches.
    pub(super) fn filter(&self) -> &Filter {
        self.filter.get_or_init(|| Filter::of(&self.source))
    }

    /// A screen for it; `None` when it is too large for one.
    pub(super) fn screen(&self) -> Option<Screen> {
        Screen::of(&Outline::of(&self.source))
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
        self.program.get_or_init(|| compile(&self.source, self.shorter.as_deref()))
    }

    /// Does it match somewhere?
    pub fn is_match(&self, text: &[u8]) -> bool {
        match self.program() {
            Program::Backtracking(regex) => regex.try_on(|regex| regex.is_match(text)).unwrap_or(false),
            Program::Linear(regex) => regex.is_match(text),
            Program::None(_) => false,
        }
    }

    /// How often it matches, at most `limit` times.
    pub fn count(&self, text: &[u8], limit: usize) -> usize {
        match self.program() {
            Program::Backtracking(regex) => regex.count(text, limit),
            Program::Linear(regex) => regex.find_iter(text).take(limit).count(),
            Program::None(_) => 0,
        }
    }

    /// The first group of the first match.
    pub fn first_group(&self, text: &[u8]) -> Option<Vec<u8>> {
        match self.program() {
            Program::Backtracking(regex) => {
                let captures = regex.try_on(|regex| regex.captures(text))??;
                captures.get(1).map(|group| group.as_bytes().to_vec())
            }
            Program::Linear(regex) => regex.captures(text)?.get(1).map(|group| group.as_bytes().to_vec()),
            Program::None(_) => None,
        }
    }

    /// The groups of all matches, one behind the other.
    pub(crate) fn all_groups<'t>(&self, text: &'t [u8]) -> Vec<Groups<'t>> {
        self.groups_from(text, 0)
    }

    /// The same, of those that begin at `start` or behind it.
    pub(crate) fn groups_from<'t>(&self, text: &'t [u8], mut start: usize) -> Vec<Groups<'t>> {
        let Program::Backtracking(regex) = self.program() else { return Vec::new() };
        let mut found = Vec::new();
        let mut locations = regex.quick.capture_locations();
        while start <= text.len() {
            let groups = match regex.quick.captures_read_at(&mut locations, text, start) {
                Ok(Some(_)) => Groups::new(text, &locations),
                Ok(None) => break,
                Err(error) => match regex.patient_groups(&error, text, start) {
                    Some(groups) => groups,
                    None => break,
                },
            };
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
        for groups in self.all_groups(text) {
            let names = regex.quick.capture_names().iter().enumerate();
            for (index, name) in names.filter_map(|(index, name)| name.as_ref().map(|name| (index, name))) {
                let held = Some(groups.get(index)).filter(|held| !held.is_empty());
                found.extend(held.map(|held| (name.clone(), held.to_vec())));
            }
        }
        found
    }
}

/// The code of PCRE2's error when the stack of the compiled code is too small.
const JIT_STACK_IS_FULL: i32 = -46;

/// An expression with the small stack that each thread has anyway, and for the few texts that need more, with one of its own.
struct Backtracking {
    quick: pcre2::bytes::Regex,
    source: String,
    patient: OnceLock<Option<pcre2::bytes::Regex>>,
}

impl Backtracking {
    /// What `look` finds; `None` when it had to be given up.
    fn try_on<T>(&self, look: impl Fn(&pcre2::bytes::Regex) -> Result<T, pcre2::Error>) -> Option<T> {
        look(&self.quick).or_else(|error| self.patient(&error).map_or(Err(error), look)).ok()
    }

    fn patient(&self, error: &pcre2::Error) -> Option<&pcre2::bytes::Regex> {
        if error.code() != JIT_STACK_IS_FULL {
            return None;
        }
        let build = || build(&self.source, Some(JIT_STACK_BYTES)).ok();
        self.patient.get_or_init(build).as_ref()
    }

    fn patient_groups<'t>(&self, error: &pcre2::Error, text: &'t [u8], start: usize) -> Option<Groups<'t>> {
        let regex = self.patient(error)?;
        let mut locations = regex.capture_locations();
        regex.captures_read_at(&mut locations, text, start).ok()??;
        Some(Groups::new(text, &locations))
    }

    fn count(&self, text: &[u8], limit: usize) -> usize {
        let count = |regex: &pcre2::bytes::Regex| {
            let mut count = 0;
            for found in regex.find_iter(text).take(limit) {
                match found {
                    Ok(_) => count += 1,
                    Err(error) if error.code() == JIT_STACK_IS_FULL => return Err(error),
                    Err(_) => break,
                }
            }
            Ok(count)
        };
        // With the larger stack a count that was cut short stays as it is.
        self.try_on(count).unwrap_or(0)
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

fn build(source: &str, stack_bytes: Option<usize>) -> Result<pcre2::bytes::Regex, pcre2::Error> {
    let limited = format!("(*LIMIT_MATCH={MATCH_LIMIT_STEPS})(*LF){}", folding::with_latin_case(source));
    let mut builder = pcre2::bytes::RegexBuilder::new();
    builder.jit_if_available(true).max_jit_stack_size(stack_bytes).build(&limited)
}

fn compile(source: &str, shorter: Option<&str>) -> Program {
    let compiled = |source| build(source, None).map(|quick| (quick, source));
    let first = if source.len() > FULL_LIMIT_BYTES { shorter.unwrap_or(source) } else { source };
    let found = compiled(first).or_else(|error| shorter.map_or(Err(error), compiled));
    match found {
        Ok((quick, source)) => Program::Backtracking(Box::new(Backtracking {
            quick,
            source: source.to_owned(),
            patient: OnceLock::new(),
        })),
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
