//! Entries of master.cf: read, printed, and chosen by patterns.

use std::fmt::Write;

use parameters::main_cf::LogicalLine;
use parameters::master_cf::{Entry, EntryError, EntryWarning, FIELD_NAMES};

use super::print::{INDENT, LINE_LIMIT};
use super::report::{Fatal, Report};

/// Reads one entry of the file `path`.
pub(super) fn parse(line: &LogicalLine<'_>, path: &str, report: &Report) -> Result<Entry, Fatal> {
    Entry::parse(line, &mut |warning| warn(&warning, report)).map_err(|error| match error {
        EntryError::FieldCount => Fatal(format!("file {path}: line {}: {error}", line.first)),
        EntryError::Field { .. } => Fatal(error.to_string().replace('\n', " ")),
    })
}

pub(super) fn warn(warning: &EntryWarning, report: &Report) {
    report.warn(format_args!("master.cf: {warning}"));
}

/// Where each field of an entry starts, when there is room.
const COLUMNS: [usize; 8] = [0, 11, 17, 25, 33, 41, 49, 57];
/// Number of the field with the command.
pub(super) const COMMAND: usize = 7;

/// An entry for the file.
pub(super) fn file_line(entry: &Entry) -> Result<String, Fatal> {
    full_line(Line { fold: true, to_file: true, ..Line::default() }, entry, &mut |text| Ok(text.to_owned()))
}

/// An entry to show. `expand` is what becomes of each override's text.
pub(super) fn entry_line(
    entry: &Entry,
    fold: bool,
    expand: &mut dyn FnMut(&str) -> Result<String, Fatal>,
) -> Result<String, Fatal> {
    full_line(Line { fold, ..Line::default() }, entry, expand)
}

fn full_line(
    mut line: Line,
    entry: &Entry,
    expand: &mut dyn FnMut(&str) -> Result<String, Fatal>,
) -> Result<String, Fatal> {
    for (field, column) in entry.fields.iter().zip(COLUMNS) {
        while line.length > 0 && (line.length < column || !line.text.ends_with(' ')) {
            line.add(" ");
        }
        line.add(field);
    }
    line.arguments(entry, 3, expand)?;
    Ok(line.text + "\n")
}

/// A field of an entry behind `label`; the command with its arguments.
pub(super) fn field_line(
    entry: &Entry,
    field: usize,
    label: &str,
    fold: bool,
    expand: &mut dyn FnMut(&str) -> Result<String, Fatal>,
) -> Result<String, Fatal> {
    let mut line = Line { fold, ..Line::default() };
    line.add(label);
    if !label.is_empty() && line.length + entry.fields[field].len() > LINE_LIMIT {
        line.wrap();
    }
    line.add(&entry.fields[field]);
    if field == COMMAND {
        line.arguments(entry, 1, expand)?;
    }
    Ok(line.text + "\n")
}

/// A line under way, which folds before items that do not fit.
#[derive(Default)]
struct Line {
    text: String,
    length: usize,
    fold: bool,
    /// It must read back as it is.
    to_file: bool,
}

impl Line {
    fn add(&mut self, text: &str) {
        self.text.push_str(text);
        self.length += text.len();
    }

    fn wrap(&mut self) {
        self.text.push('\n');
        self.text.push_str(INDENT);
        self.length = INDENT.len();
    }

    /// An item behind a blank, or on a line of its own when it does not fit.
    fn item(&mut self, item: &str, width: usize) {
        if self.length > INDENT.len() {
            if self.fold && self.length + 1 + width >= LINE_LIMIT {
                self.wrap();
            } else {
                self.add(" ");
            }
        }
        self.add(item);
    }

    /// Options with a value stand on lines of their own. `value_margin` is what Postfix counts for an
    /// option's name and blanks.
    fn arguments(
        &mut self,
        entry: &Entry,
        value_margin: usize,
        expand: &mut dyn FnMut(&str) -> Result<String, Fatal>,
    ) -> Result<(), Fatal> {
        let mut arguments = entry.arguments.iter().peekable();
        while let Some(option) = arguments.next_if(|word| word.starts_with('-') && *word != "--") {
            // A lone dash takes a value too, as far as Postfix is concerned.
            match arguments.next_if(|_| option == "-" || option.starts_with("-o")) {
                Some(value) => {
                    self.length = LINE_LIMIT;
                    let value = braced(&expand(value)?);
                    self.item(&format!("{option} {value}"), option.len() + value.len() + value_margin);
                    self.length = LINE_LIMIT;
                }
                None => self.item(option, option.len()),
            }
        }
        if let Some(first) = arguments.next() {
            // Postfix shows this one without braces; what goes to a file must have them.
            let text = if self.to_file { braced(first) } else { first.clone() };
            self.item(&text, first.len());
        }
        for word in arguments {
            self.item(&braced(word), word.len());
        }
        Ok(())
    }
}

/// Text with blanks in braces.
fn braced(text: &str) -> String {
    if text.contains(parameters::text::is_space) { format!("{{{text}}}") } else { text.to_owned() }
}

/// `service/type/field`: each part a word, or `*` for any.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// As given on the command line.
    pub(super) text: String,
    parts: Vec<String>,
}

impl Pattern {
    /// Reads a pattern of `least` to `most` parts; missing ones stand for any.
    pub(super) fn parse(text: &str, least: usize, most: usize) -> Option<Self> {
        let mut parts: Vec<String> =
            text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let lone_star = |part: &String| part == "*" || !part.contains('*');
        if text.starts_with('/') || parts.len() < least || parts.len() > most || !parts.iter().all(lone_star)
        {
            return None;
        }
        parts.resize(most, "*".to_owned());
        Some(Self { text: text.to_owned(), parts })
    }

    /// Does it name this service?
    pub(super) fn matches(&self, name: &str, kind: &str) -> bool {
        let fits = |part: &str, wanted: &str| part == "*" || part == wanted;
        fits(&self.parts[0], name) && fits(&self.parts[1], kind)
    }

    /// The third part; `None` for any.
    pub(super) fn third(&self) -> Option<&str> {
        self.parts.get(2).map(String::as_str).filter(|part| *part != "*")
    }

    /// The third part as the number of a field; `None` for any.
    pub(super) fn field(&self) -> Result<Option<usize>, Fatal> {
        let Some(name) = self.third() else { return Ok(None) };
        let number = FIELD_NAMES.iter().position(|field| *field == name);
        number.map(Some).ok_or_else(|| Fatal(format!("invalid service attribute name: \"{name}\"")))
    }
}

/// `a/b/field = `, or nothing.
pub(super) fn label(parts: &[&str], hidden: bool) -> String {
    let mut label = String::new();
    if !hidden {
        let _ = write!(label, "{} = ", parts.join("/"));
    }
    label
}
