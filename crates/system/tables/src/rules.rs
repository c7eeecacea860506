//! What tables of rules have in common: one rule a line, `if` and `endif` around some, the first that matches wins.

use crate::name::{BraceError, split_list, within_braces};
use crate::source::{LogicalLine, LogicalLines};
use crate::trouble::Trouble;
use crate::watched::Watched;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// One line of a table of rules, read. `M` says whether a key matches, `V` is what the table answers then.
pub(crate) enum Rule<M, V> {
    /// A condition and what follows from it.
    Match(M, V),
    /// A condition for the rules until the matching `endif`.
    If(M),
    /// The end of that.
    Endif,
}

/// Rules in their order.
pub(crate) struct Rules<M, V> {
    rules: Vec<Line<M, V>>,
}

enum Line<M, V> {
    Match(M, V),
    /// Where to go on if the condition does not hold.
    If(M, usize),
}

impl<M, V> Rules<M, V> {
    /// What the first matching rule says. `matches` may fail: then that rule does not match.
    pub(crate) fn find<'a>(
        &'a self,
        matches: &mut dyn FnMut(&'a M, Option<&'a V>) -> bool,
    ) -> Option<(&'a M, &'a V)> {
        let mut at = 0;
        while let Some(line) = self.rules.get(at) {
            at = match line {
                Line::Match(condition, value) if matches(condition, Some(value)) => {
                    return Some((condition, value));
                }
                Line::If(condition, otherwise) if !matches(condition, None) => *otherwise,
                _ => at + 1,
            };
        }
        None
    }
}

/// How a table reads a line, told its number, its text and how many `if`s are open. What it refuses is skipped.
type Parse<'a, M, V> = dyn FnMut(usize, &[u8], usize) -> Option<Rule<M, V>> + 'a;

/// Where rules come from: a file, or `{{rule}, {rule}}` in the name of the table.
pub(crate) struct RuleSource {
    /// Numbered logical lines, white space taken off.
    lines: Vec<LogicalLine>,
    /// The file, if it is one.
    pub(crate) watched: Option<Watched>,
}

impl RuleSource {
    /// Reads the rules of `kind:name`.
    pub(crate) fn open(kind: &str, name: &str) -> Result<Self, Trouble> {
        if name.starts_with('{') {
            let text =
                inline_rules(name).map_err(|error| Trouble::RuleSyntax { kind: kind.to_owned(), error })?;
            return Ok(Self { lines: read_lines(text.as_bytes(), name)?, watched: None });
        }
        let path = Path::new(name);
        let watched = Watched::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::IsADirectory => Trouble::File { verb: "read", path: path.to_owned(), source },
            _ => Trouble::Open { path: path.to_owned(), source },
        })?;
        Ok(Self { lines: read_lines(watched.file(), name)?, watched: Some(watched) })
    }

    /// Reads each line with `parse`; `warn` gets the number of a line that has something wrong, and what to say of it.
    pub(crate) fn rules<M, V>(&self, warn: &dyn Fn(usize, &str), parse: &mut Parse<'_, M, V>) -> Rules<M, V> {
        let mut rules = Vec::new();
        let mut open_ifs: Vec<(usize, usize)> = Vec::new();
        for line in &self.lines {
            match parse(line.number, crate::source::trim_end(&line.text), open_ifs.len()) {
                None => {}
                Some(Rule::Match(condition, value)) => rules.push(Line::Match(condition, value)),
                Some(Rule::If(condition)) => {
                    open_ifs.push((rules.len(), line.number));
                    rules.push(Line::If(condition, usize::MAX));
                }
                Some(Rule::Endif) => {
                    let after = rules.len();
                    if let Some(Line::If(_, otherwise)) = open_ifs.pop().map(|(at, _)| &mut rules[at]) {
                        *otherwise = after;
                    }
                }
            }
        }
        for (_, number) in open_ifs.iter().rev() {
            warn(*number, "IF has no matching ENDIF");
        }
        Rules { rules }
    }
}

/// `{{rule}, {rule}}` as text, a rule a line.
fn inline_rules(name: &str) -> Result<String, BraceError> {
    let rules: Result<Vec<_>, _> = split_list(within_braces(name)?).map(within_braces).collect();
    Ok(rules?.join("\n"))
}

fn read_lines(text: impl Read, name: &str) -> Result<Vec<LogicalLine>, Trouble> {
    let mut lines = LogicalLines::new(BufReader::new(text), name);
    let mut all = Vec::new();
    let mut line = LogicalLine::default();
    while lines.next_into(&mut line).map_err(|source| Trouble::File {
        verb: "read",
        path: name.into(),
        source,
    })? {
        all.push(std::mem::take(&mut line));
    }
    Ok(all)
}
