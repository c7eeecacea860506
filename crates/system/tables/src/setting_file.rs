//! The file that says how a table reaches its database: `name = value`, as sqlite_table(5) and its kin have it.

use crate::sight::Sight;
use crate::source::{LogicalLine, LogicalLines, trim};
use crate::trouble::Trouble;
use crate::watched::Watched;
use std::collections::HashMap;
use std::io::{self, BufReader};
use std::path::Path;

const NO_EQUAL_SIGN: &str = "missing '=' after attribute name";

/// Settings of one table. References to other parameters mean nothing in them.
pub(crate) struct SettingFile {
    name: String,
    values: HashMap<String, String>,
    watched: Watched,
}

impl SettingFile {
    /// Reads `name`, a path. (What has no `/` or `.` in front would be the beginning of names in main.cf, an old form
    /// that is not read.)
    pub(crate) fn open(kind: &str, name: &str) -> Result<Self, Trouble> {
        if !name.starts_with(['/', '.']) {
            return Err(Trouble::SettingsInMain { kind: kind.to_owned(), name: name.to_owned() });
        }
        let path = Path::new(name);
        let watched = Watched::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::IsADirectory => Trouble::File { verb: "read", path: path.to_owned(), source },
            _ => Trouble::Open { path: path.to_owned(), source },
        })?;
        let values = read(name, &watched)?;
        Ok(Self { name: name.to_owned(), values, watched })
    }

    /// The file's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn changed(&self, sight: &Sight) -> bool {
        self.watched.changed(sight)
    }

    /// A value that may be absent or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A value that must not be empty.
    pub(crate) fn needed(&self, name: &'static str) -> Result<&str, Trouble> {
        let value = self.text(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Trouble::EmptySetting { file: self.name.clone(), setting: name })
    }

    /// A number; 0 if it is absent.
    pub(crate) fn number(&self, name: &'static str) -> Result<usize, Trouble> {
        let Some(text) = self.text(name) else { return Ok(0) };
        text.parse().map_err(|_| Trouble::SettingNoNumber {
            file: self.name.clone(),
            setting: name,
            value: text.to_owned(),
        })
    }
}

fn read(name: &str, watched: &Watched) -> Result<HashMap<String, String>, Trouble> {
    let mut lines = LogicalLines::new(BufReader::new(watched.file()), name);
    let (mut line, mut values) = (LogicalLine::default(), HashMap::new());
    while lines.next_into(&mut line).map_err(|source| Trouble::Open { path: name.into(), source })? {
        let text = String::from_utf8_lossy(trim(&line.text)).into_owned();
        let (setting, value) = assignment(&text).map_err(|problem| Trouble::SettingLine {
            file: name.to_owned(),
            line: line.number,
            problem,
            text: text.clone(),
        })?;
        if let Some(earlier) = values.insert(setting.to_owned(), value.to_owned()) {
            log::warn!("{name}, line {}: overriding earlier entry: {setting}={earlier}", line.number);
        }
    }
    Ok(values)
}

/// `name = value`, or what is missing.
fn assignment(text: &str) -> Result<(&str, &str), &'static str> {
    let pair = text.split_once('=').map(|(setting, value)| (setting.trim_end(), value.trim_start()));
    match pair {
        Some(("", _)) => Err("missing attribute name"),
        Some((setting, _)) if setting.contains(char::is_whitespace) => Err(NO_EQUAL_SIGN),
        None => Err(NO_EQUAL_SIGN),
        Some(pair) => Ok(pair),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_assignment_or_says_what_is_missing() {
        assert_eq!(assignment("query = a=b c"), Ok(("query", "a=b c")));
        assert_eq!(assignment("hosts="), Ok(("hosts", "")));
        assert_eq!(assignment("= x"), Err("missing attribute name"));
        assert_eq!(assignment("a b = c"), Err(NO_EQUAL_SIGN));
        assert_eq!(assignment("dbpath"), Err(NO_EQUAL_SIGN));
    }
}
