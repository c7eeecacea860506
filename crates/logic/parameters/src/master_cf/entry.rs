//! An entry of master.cf as it is written, and as postconf edits it.

use std::collections::VecDeque;

use crate::list::{BraceError, inside_braces, words};
use crate::main_cf::{AssignmentError, LogicalLine, split_assignment};

use super::Kind;

/// Names of the seven fields before the command, as Postfix writes them in messages.
pub const FIELD_NAMES: [&str; 8] =
    ["service", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command"];

/// An entry of master.cf as it is written: eight fields and the arguments of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The eight fields in the order of [`FIELD_NAMES`].
    pub fields: [String; 8],
    /// What follows the command: options one by one (`-o`, then `name=value`), braces removed.
    pub arguments: Vec<String>,
    /// Number of its first physical line.
    pub line: usize,
    /// Number of the last physical line that was read with it.
    pub last_line: usize,
}

/// An entry that cannot be used; worded as Postfix words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Fewer than eight fields.
    #[error("bad field count")]
    FieldCount,
    /// A field with a value that it cannot have.
    #[error("invalid {field} field \"{value}\" in \"{text}\"")]
    Field {
        /// One of [`FIELD_NAMES`].
        field: &'static str,
        /// The value.
        value: String,
        /// The logical line.
        text: String,
    },
}

/// Something odd in an entry that postconf goes on after; worded as Postfix words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryWarning {
    /// Braces that do not match.
    #[error(transparent)]
    Braces(#[from] BraceError),
    /// `-o {text}` without `name = value` in it.
    #[error("{problem}: \"{text}\"")]
    Override {
        /// What the braces hold.
        text: String,
        /// What is wrong with it.
        problem: AssignmentError,
    },
}

impl Entry {
    /// Reads one logical line as postconf does. What is odd in it is told to `warn`.
    ///
    /// # Errors
    /// [`EntryError`] for missing and impossible fields.
    pub fn parse(line: &LogicalLine<'_>, warn: &mut dyn FnMut(EntryWarning)) -> Result<Self, EntryError> {
        Self::parse_as(line, ValueLetter::AsPostconf, warn)
    }

    pub(super) fn parse_as(
        line: &LogicalLine<'_>,
        letter: ValueLetter,
        warn: &mut dyn FnMut(EntryWarning),
    ) -> Result<Self, EntryError> {
        let mut words = words(&line.text).map(str::to_owned);
        let fields: Vec<String> = words.by_ref().take(FIELD_NAMES.len()).collect();
        let fields = <[String; 8]>::try_from(fields).map_err(|_| EntryError::FieldCount)?;
        check_fields(&fields, &line.text)?;
        Ok(Self { fields, arguments: arguments(words, letter, warn), line: line.first, last_line: line.last })
    }

    /// Replaces the command and its arguments by those in `text`.
    pub fn set_command(&mut self, text: &str, warn: &mut dyn FnMut(EntryWarning)) {
        let mut words = words(text).map(str::to_owned);
        self.fields[7] = words.next().unwrap_or_default();
        self.arguments = arguments(words, ValueLetter::AsPostconf, warn);
    }

    /// Checks the fields again after a change; `text` is what messages show.
    ///
    /// # Errors
    /// [`EntryError::Field`] for a field with a value that it cannot have.
    pub fn check(&self, text: &str) -> Result<(), EntryError> {
        check_fields(&self.fields, text)
    }

    /// The name of the service: `smtp`, `127.0.0.1:10025`.
    pub fn name(&self) -> &str {
        &self.fields[0]
    }

    /// The type of its socket: `inet`, `unix`, `unix-dgram`, `fifo`, `pass`.
    pub fn kind(&self) -> &str {
        &self.fields[1]
    }

    /// The program.
    pub fn command(&self) -> &str {
        &self.fields[7]
    }

    /// Where each `-o` has its `name=value` among the arguments.
    ///
    /// Options end at the first argument that is none, or at `--`.
    pub fn overrides(&self) -> impl Iterator<Item = usize> {
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                let argument = self.arguments.get(at)?;
                if !argument.starts_with('-') || argument == "--" {
                    return None;
                }
                at += 1;
                if argument == "-o" && at < self.arguments.len() {
                    at += 1;
                    return Some(at - 1);
                }
            }
        })
    }
}

fn check_fields(fields: &[String; 8], text: &str) -> Result<(), EntryError> {
    match FIELD_NAMES.into_iter().zip(fields).find(|(field, value)| !is_valid_field(field, value)) {
        None => Ok(()),
        Some((field, value)) => Err(EntryError::Field { field, value: value.clone(), text: text.to_owned() }),
    }
}

fn is_valid_field(field: &str, value: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match field {
        "type" => Kind::parse(value).is_some(),
        "private" | "unprivileged" | "chroot" => matches!(value, "y" | "n" | "-"),
        "wakeup" => value == "-" || is_number(value.strip_suffix('?').unwrap_or(value)),
        "process_limit" => value == "-" || is_number(value),
        _ => true,
    }
}

/// Which `o` in an option has a value behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueLetter {
    /// The first, as getopt(3) in the started program has it.
    First,
    /// The first behind the first letter: `-oholdo=x` is taken for `-oh -oldo=x` by Postfix's postconf.
    AsPostconf,
}

/// Splits `-vo` and `-oname=value`, and takes the braces off.
fn arguments(
    words: impl Iterator<Item = String>,
    letter: ValueLetter,
    warn: &mut dyn FnMut(EntryWarning),
) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut words: VecDeque<String> = words.collect();
    while let Some(option) = words.pop_front() {
        if !option.starts_with('-') || option == "--" {
            words.push_front(option);
            break;
        }
        let from = if letter == ValueLetter::First && option.starts_with("-o") { option.len() } else { 2 };
        let split = option.get(from..).and_then(|rest| rest.find('o')).map(|at| from + at);
        let (option, rest) = option.split_at(split.unwrap_or(option.len()));
        if split.is_some() {
            words.push_front(["-", rest].concat());
        }
        let Some(attached) = option.strip_prefix("-o") else {
            arguments.push(option.to_owned());
            continue;
        };
        arguments.push("-o".to_owned());
        let value = if attached.is_empty() { words.pop_front() } else { Some(attached.to_owned()) };
        arguments.extend(value.map(|value| override_text(value, warn)));
    }
    arguments.extend(words.iter().map(|word| unbraced(word, warn)));
    arguments
}

/// `{ name = value }` as `name=value`; other text as it is.
fn override_text(value: String, warn: &mut dyn FnMut(EntryWarning)) -> String {
    if !value.starts_with('{') {
        return value;
    }
    let text = unbraced(&value, warn);
    match split_assignment(&text) {
        Ok((name, value)) => [name, "=", value].concat(),
        Err(problem) => {
            warn(EntryWarning::Override { text: text.clone(), problem });
            text
        }
    }
}

fn unbraced(word: &str, warn: &mut dyn FnMut(EntryWarning)) -> String {
    let (content, problem) = inside_braces(word);
    if let Err(problem) = problem {
        warn(problem.into());
    }
    content.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postconf_takes_options_apart_as_postfixs_does() {
        let line = LogicalLine {
            first: 1,
            last: 1,
            text: "a unix - - n - - smtp -odo=x -oo=b -oa -vdox - foo".into(),
        };
        let entry = Entry::parse(&line, &mut |_| ()).unwrap();
        assert_eq!(
            entry.arguments,
            ["-o", "d", "-o", "=x", "-o", "-o=b", "-o", "a", "-vd", "-o", "x", "-", "foo"]
        );
    }
}
