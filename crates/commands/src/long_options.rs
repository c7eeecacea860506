//! Command lines with long names and joined letters, as Perl's programs take them: options and operands may be mixed.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Does an option take a value?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// No.
    Nothing,
    /// Yes.
    Value,
    /// The next word, unless it looks like an option.
    Perhaps,
    /// The next word, if it is a number.
    Number,
}

/// The names of an option, the first of which is the one that is told, and whether it takes a value. Those of one letter
/// stand behind a single dash.
#[derive(Debug, Clone, Copy)]
pub struct Known(pub &'static [&'static str], pub Takes);

/// Reads options, one at a time.
pub struct LongOptions {
    known: &'static [Known],
    words: std::iter::Peekable<std::vec::IntoIter<OsString>>,
    /// Letters of a word that are still to come.
    joined: String,
    operands: Vec<OsString>,
}

impl LongOptions {
    /// Reads `arguments`, which stand behind the program's name.
    pub fn new(known: &'static [Known], arguments: Vec<OsString>) -> Self {
        Self { known, words: arguments.into_iter().peekable(), joined: String::new(), operands: Vec::new() }
    }

    /// What is no option. To be called when there are no more of them.
    pub fn operands(self) -> Vec<OsString> {
        self.operands
    }

    /// The next option and its value, or none.
    ///
    /// # Errors
    /// An option that is not known, or lacks its value.
    pub fn next_option(&mut self) -> Result<Option<(&'static str, Option<OsString>)>, String> {
        if !self.joined.is_empty() {
            return self.letter().map(Some);
        }
        while let Some(word) = self.words.next() {
            let text = word.to_string_lossy().into_owned();
            if text == "--" {
                self.operands.extend(self.words.by_ref());
            } else if let Some(long) = text.strip_prefix("--") {
                return self.long(long).map(Some);
            } else if word.as_bytes().first() == Some(&b'-') && word.len() > 1 {
                self.joined = text[1..].to_owned();
                return self.letter().map(Some);
            } else {
                self.operands.push(word);
            }
        }
        Ok(None)
    }

    fn find(&self, name: &str) -> Option<Known> {
        self.known.iter().find(|Known(names, _)| names.contains(&name)).copied()
    }

    fn long(&mut self, text: &str) -> Result<(&'static str, Option<OsString>), String> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let known = self.find(name).filter(|_| name.len() > 1).or_else(|| self.only_beginning(name));
        let Known(names, takes) = known.ok_or_else(|| format!("Unknown option: {name}"))?;
        let value = match value {
            Some(value) => Some(OsString::from(value)),
            None => self.next_value(takes, name)?,
        };
        Ok((names[0], value))
    }

    /// A name that is cut short, if only one goes on like that.
    fn only_beginning(&self, name: &str) -> Option<Known> {
        let goes_on =
            |Known(names, _): &&Known| names.iter().any(|long| long.len() > 1 && long.starts_with(name));
        let mut found = self.known.iter().filter(goes_on);
        found.next().filter(|_| found.next().is_none() && !name.is_empty()).copied()
    }

    fn letter(&mut self) -> Result<(&'static str, Option<OsString>), String> {
        let mut letters = self.joined.chars();
        let letter = letters.next().unwrap_or_default().to_string();
        let rest = letters.as_str().to_owned();
        self.joined.clear();
        let Known(names, takes) = self.find(&letter).ok_or_else(|| format!("Unknown option: {letter}"))?;
        let number = rest.bytes().all(|byte| byte.is_ascii_digit());
        let takes_rest = match takes {
            Takes::Nothing => false,
            Takes::Number => number,
            Takes::Value | Takes::Perhaps => true,
        };
        if rest.is_empty() {
            return Ok((names[0], self.next_value(takes, &letter)?));
        }
        if takes_rest {
            return Ok((names[0], Some(rest.strip_prefix('=').unwrap_or(&rest).into())));
        }
        self.joined = rest;
        Ok((names[0], None))
    }

    fn next_value(&mut self, takes: Takes, name: &str) -> Result<Option<OsString>, String> {
        let looks_like_option = |word: &OsString| word.len() > 1 && word.as_bytes()[0] == b'-';
        let is_number = |word: &OsString| word.as_bytes().iter().all(u8::is_ascii_digit) && !word.is_empty();
        match takes {
            Takes::Nothing => Ok(None),
            Takes::Value => {
                let value = self.words.next().ok_or_else(|| format!("Option {name} requires an argument"));
                value.map(Some)
            }
            Takes::Perhaps => Ok(self.words.next_if(|word| !looks_like_option(word))),
            Takes::Number => Ok(self.words.next_if(is_number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Known; 4] = [
        Known(&["spam", "s"], Takes::Nothing),
        Known(&["dbpath", "db"], Takes::Value),
        Known(&["dump"], Takes::Perhaps),
        Known(&["exit-code", "e"], Takes::Number),
    ];

    fn read(line: &str) -> Result<(Vec<String>, Vec<OsString>), String> {
        let mut options = LongOptions::new(&KNOWN, line.split_whitespace().map(OsString::from).collect());
        let mut found = Vec::new();
        while let Some((name, value)) = options.next_option()? {
            let value = value.map(|value| format!("={}", value.to_string_lossy())).unwrap_or_default();
            found.push(format!("{name}{value}"));
        }
        Ok((found, options.operands()))
    }

    #[test]
    fn names_letters_and_operands_are_mixed() {
        let (found, operands) = read("one -se5 --dbpath x --db=y two --dump magic --dump -s -- -s").unwrap();
        assert_eq!(found, ["spam", "exit-code=5", "dbpath=x", "dbpath=y", "dump=magic", "dump", "spam"]);
        assert_eq!(operands, ["one", "two", "-s"]);
        assert_eq!(read("-es").unwrap().0, ["exit-code", "spam"]);
        assert_eq!(read("--exit").unwrap().0, ["exit-code"]);
        assert!(read("--d").is_err() && read("--dbpath").is_err() && read("-x").is_err());
    }
}
