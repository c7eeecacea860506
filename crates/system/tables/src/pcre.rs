//! The engine of pcre: tables: PCRE2, working on bytes as Postfix's does.

use crate::patterns::{Engine, Groups};
use pcre2::bytes::{Regex, RegexBuilder};

pub(crate) struct Pcre;

/// What the letters after a pattern say.
pub(crate) struct Letters {
    caseless: bool,
    multi_line: bool,
    dot_all: bool,
    extended: bool,
    anchored: bool,
    dollar_end_only: bool,
    ungreedy: bool,
}

impl Letters {
    fn read(text: &[u8], warn: &dyn Fn(&str)) -> Result<Self, u8> {
        let mut all = Self {
            caseless: true,
            multi_line: false,
            dot_all: true,
            extended: false,
            anchored: false,
            dollar_end_only: false,
            ungreedy: false,
        };
        for letter in text {
            match letter {
                b'i' => all.caseless ^= true,
                b'm' => all.multi_line ^= true,
                b's' => all.dot_all ^= true,
                b'x' => all.extended ^= true,
                b'A' => all.anchored ^= true,
                b'E' => all.dollar_end_only ^= true,
                b'U' => all.ungreedy ^= true,
                b'X' => warn("ignoring obsolete regexp option \"X\""),
                other => return Err(*other),
            }
        }
        Ok(all)
    }

    /// The pattern with those letters written into it that the library's face has no switch for. What comes before
    /// the pattern counts in the offsets of errors.
    fn written_into(&self, pattern: &[u8]) -> (String, usize) {
        let mut text = String::new();
        if self.ungreedy {
            text.push_str("(?U)");
        }
        if self.anchored {
            text.push_str("\\A(?:");
        }
        let before = text.len();
        push_bytes(&mut text, pattern, self.dollar_end_only && !self.multi_line);
        if self.anchored {
            // The newline ends a comment that the x letter may have allowed.
            text.push_str(if self.extended { "\n)" } else { ")" });
        }
        (text, before)
    }
}

/// Appends `pattern`, bytes that are no UTF-8 as escapes; with `end_only`, `$` as `\z`.
fn push_bytes(text: &mut String, pattern: &[u8], end_only: bool) {
    let mut escaped = false;
    let mut in_class = false;
    for chunk in pattern.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '$' if end_only && !escaped && !in_class => text.push_str("\\z"),
                other => text.push(other),
            }
            match character {
                '[' if !escaped => in_class = true,
                ']' if !escaped => in_class = false,
                _ => {}
            }
            escaped = character == '\\' && !escaped;
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{{{byte:x}}}"));
            escaped = false;
        }
    }
}

impl Engine for Pcre {
    type Expression = Regex;
    type Letters = Letters;

    const KIND: &'static str = "pcre";
    const IGNORED: &'static str = "ignoring";
    const BACKSLASH_CLOSES: bool = false;
    const OUT_OF_RANGE: &'static str = "out of range";
    const SECOND_PATTERN: bool = false;

    fn letters(text: &[u8], warn: &dyn Fn(&str)) -> Result<Letters, u8> {
        Letters::read(text, warn)
    }

    fn compile(pattern: &[u8], letters: &Letters, _captures: bool) -> Result<Regex, String> {
        let (text, before) = letters.written_into(pattern);
        let mut builder = RegexBuilder::new();
        builder
            .caseless(letters.caseless)
            .multi_line(letters.multi_line)
            .dotall(letters.dot_all)
            .extended(letters.extended)
            .jit_if_available(true);
        builder.build(&text).map_err(|error| {
            let offset = error.offset().unwrap_or(0).saturating_sub(before).min(pattern.len());
            format!("error in regex at offset {offset}: {}", library_message(&error))
        })
    }

    fn groups(expression: &Regex) -> usize {
        expression.captures_len() - 1
    }

    fn matches(expression: &Regex, subject: &[u8], groups: &mut Groups) -> Result<bool, String> {
        if groups.is_empty() {
            return expression.is_match(subject).map_err(|error| error.to_string());
        }
        let mut locations = expression.capture_locations();
        let found = expression.captures_read(&mut locations, subject).map_err(|error| error.to_string())?;
        for (number, group) in groups.iter_mut().enumerate() {
            *group = locations.get(number);
        }
        Ok(found.is_some())
    }
}

/// The library's own words, which its Rust face puts after a colon.
fn library_message(error: &pcre2::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(": ").map_or(text.clone(), |(_, message)| message.to_owned())
}
