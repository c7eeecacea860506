//! `$name` in the text of a template (bounce(5) "TEMPLATE MESSAGE TEXT FORMAT").

use std::time::Duration;

use crate::template::Template;

/// What the text may speak of.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// `myhostname`
    pub myhostname: &'a str,
    /// `mydomain`
    pub mydomain: &'a str,
    /// `delay_warning_time`, for `$delay_warning_time_hours` and its siblings.
    pub delay_warning_time: Duration,
    /// `maximal_queue_lifetime`, likewise.
    pub maximal_queue_lifetime: Duration,
    /// `smtputf8_enable`: `$myhostname` and `$mydomain` show `xn--` labels in UTF-8.
    pub smtputf8_enable: bool,
    /// Any other parameter of main.cf, expanded; `None` when there is none of that name.
    pub parameter: &'a dyn Fn(&str) -> Option<String>,
}

/// A text with all names replaced, and what is odd about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The lines, each with its line end.
    pub text: String,
    /// For the log, one line each.
    pub warnings: Vec<String>,
}

/// Why a template can not be expanded. The text is that of the log line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// `$` without a name, or braces that do not close.
    #[error("{origin}: bad $name syntax in {class} template: {line}")]
    Syntax {
        /// The template's file.
        origin: String,
        /// "failure"
        class: &'static str,
        /// The line as it stands there.
        line: String,
    },
    /// A name that no parameter has.
    #[error("{origin}: undefined $name in {class} template: {line}")]
    Undefined {
        /// The template's file.
        origin: String,
        /// "failure"
        class: &'static str,
        /// The line as it stands there.
        line: String,
    },
    /// `$delay_warning_time_x` with an x that is no unit.
    #[error("{origin}: unrecognized suffix \"{suffix}\" in parameter \"{name}\"")]
    Suffix {
        /// The template's file.
        origin: String,
        /// What follows the parameter's name.
        suffix: String,
        /// The whole name.
        name: String,
    },
}

/// Units that a time may be shown in, by suffix, in seconds.
const UNITS: [(&str, u64); 5] =
    [("seconds", 1), ("minutes", 60), ("hours", 3_600), ("days", 86_400), ("weeks", 604_800)];
/// From this number on a smaller unit reads badly, and the log says so.
const READABLE_LIMIT: u64 = 999;
/// `${a?${b?...}}` nests no deeper.
const NESTING_LIMIT: usize = 20;

/// Expands all lines of `template`.
pub(crate) fn expand_lines(template: &Template, facts: &Facts<'_>) -> Result<Expanded, ExpandError> {
    let mut out = Expanded::default();
    for line in &template.text {
        let mut names = Names { template, facts, warnings: &mut out.warnings };
        match expand(line, &mut names, NESTING_LIMIT) {
            Ok(text) => {
                out.text.extend(text.chars().map(|c| if c.is_control() && c != '\t' { '?' } else { c }));
                out.text.push('\n');
            }
            Err(Fault::Told(error)) => return Err(error),
            Err(fault) => return Err(fault.told(template, line)),
        }
    }
    Ok(out)
}

/// Why one line could not be expanded, before file and class are named.
enum Fault {
    Syntax,
    Undefined,
    Told(ExpandError),
}

impl Fault {
    fn told(self, template: &Template, line: &str) -> ExpandError {
        let (origin, class, line) = (template.origin.clone(), template.class.word(), line.to_owned());
        match self {
            Self::Syntax => ExpandError::Syntax { origin, class, line },
            Self::Undefined => ExpandError::Undefined { origin, class, line },
            Self::Told(error) => error,
        }
    }
}

fn expand(text: &str, names: &mut Names<'_>, depth: usize) -> Result<String, Fault> {
    let depth = depth.checked_sub(1).ok_or(Fault::Syntax)?;
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out += &rest[..at];
        rest = &rest[at + 1..];
        match rest.chars().next() {
            Some('$') => {
                out.push('$');
                rest = &rest[1..];
            }
            Some(open @ ('{' | '(')) => {
                let end = closing(rest, open).ok_or(Fault::Syntax)?;
                out += &reference(&rest[1..end], names, depth)?;
                rest = &rest[end + 1..];
            }
            _ => {
                let end = name_length(rest);
                out += &names.value(&rest[..end])?.ok_or(Fault::Undefined)?;
                rest = &rest[end..];
            }
        }
    }
    Ok(out + rest)
}

/// What stands in braces: `name`, `name?then`, `name:else`, `name?{then}:{else}`.
fn reference(inside: &str, names: &mut Names<'_>, depth: usize) -> Result<String, Fault> {
    let end = name_length(inside);
    let value = names.value(&inside[..end])?;
    let set = value.as_ref().is_some_and(|value| !value.is_empty());
    match inside[end..].chars().next() {
        None => value.ok_or(Fault::Undefined),
        Some('?') => {
            let (then, otherwise) = branches(&inside[end + 1..]);
            if set { expand(then, names, depth) } else { expand(otherwise, names, depth) }
        }
        Some(':') if set => Ok(String::new()),
        Some(':') => expand(unbraced(&inside[end + 1..]), names, depth),
        Some(_) => Err(Fault::Syntax),
    }
}

/// `{then}:{else}`, `{then}` or a bare `then`.
fn branches(text: &str) -> (&str, &str) {
    if !text.starts_with('{') {
        return (text, "");
    }
    match closing(text, '{') {
        Some(end) => (&text[1..end], text[end + 1..].strip_prefix(':').map_or("", unbraced)),
        None => (text, ""),
    }
}

fn unbraced(text: &str) -> &str {
    text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(text)
}

/// Where the bracket that `text` begins with closes.
fn closing(text: &str, open: char) -> Option<usize> {
    let close = if open == '{' { '}' } else { ')' };
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// The values of names, as one template sees them.
struct Names<'a> {
    template: &'a Template,
    facts: &'a Facts<'a>,
    warnings: &'a mut Vec<String>,
}

impl Names<'_> {
    fn value(&mut self, name: &str) -> Result<Option<String>, Fault> {
        if name.is_empty() {
            return Err(Fault::Syntax);
        }
        let times = [
            ("delay_warning_time_", self.facts.delay_warning_time),
            ("maximal_queue_lifetime_", self.facts.maximal_queue_lifetime),
        ];
        for (prefix, time) in times {
            if let Some(suffix) = name.strip_prefix(prefix) {
                return self.time(name, suffix, time).map(Some);
            }
        }
        Ok(match name {
            "myhostname" => Some(self.shown(self.facts.myhostname)),
            "mydomain" => Some(self.shown(self.facts.mydomain)),
            _ => (self.facts.parameter)(name),
        })
    }

    /// A domain as people read it.
    fn shown(&self, domain: &str) -> String {
        if !self.facts.smtputf8_enable {
            return domain.to_owned();
        }
        let (shown, outcome) = idna::domain_to_unicode(domain);
        if outcome.is_ok() { shown } else { domain.to_owned() }
    }

    fn time(&mut self, name: &str, suffix: &str, time: Duration) -> Result<String, Fault> {
        let Some((unit, seconds)) = UNITS.iter().find(|(unit, _)| *unit == suffix) else {
            let (origin, suffix) = (self.template.origin.clone(), suffix.to_owned());
            return Err(Fault::Told(ExpandError::Suffix { origin, suffix, name: name.to_owned() }));
        };
        let number = time.as_secs() / seconds;
        if number > READABLE_LIMIT && *seconds < 86_400 {
            self.warn(&format!("excessive result \"{number}\""), "increase", name, unit);
        } else if number == 0 && !time.is_zero() && *seconds > 1 {
            self.warn("zero result", "reduce", name, unit);
        }
        Ok(number.to_string())
    }

    fn warn(&mut self, what: &str, remedy: &str, name: &str, unit: &str) {
        let (origin, class) = (&self.template.origin, self.template.class.word());
        self.warnings.extend([
            format!("{origin}: {what} in {class} template conversion of parameter \"{name}\""),
            format!("please {remedy} time unit \"{unit}\" of \"{name}\" in {class} template"),
            "for instructions see the bounce(5) manual".to_owned(),
        ]);
    }
}
