//! Command lines as getopt(3) reads them: letters may be joined, and the first argument that is none ends the
//! options. Order counts: some combinations are refused where they come up.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// One option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opt {
    /// A letter.
    Letter(char),
    /// A letter that has a value.
    Value(char, OsString),
}

/// An option that is none, in the words of getopt(3).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// A letter that the program does not know.
    #[error("invalid option -- '{0}'")]
    Unknown(char),
    /// The value is missing.
    #[error("option requires an argument -- '{0}'")]
    NoValue(char),
}

/// Reads options, one at a time.
pub struct Getopt {
    letters: &'static str,
    arguments: std::vec::IntoIter<OsString>,
    /// What is left of an argument with joined letters.
    joined: Vec<u8>,
}

impl Getopt {
    /// Reads `arguments`, which stand behind the program's name. In `letters`, a colon follows those with a value.
    pub fn new(letters: &'static str, arguments: Vec<OsString>) -> Self {
        Self { letters, arguments: arguments.into_iter(), joined: Vec::new() }
    }

    /// What follows the options. To be called when there are no more.
    pub fn operands(self) -> Vec<OsString> {
        self.arguments.collect()
    }

    /// Fills `joined` from the next argument, if that is an option.
    fn advance(&mut self) -> bool {
        let is_option = |argument: &OsString| argument.len() > 1 && argument.as_bytes()[0] == b'-';
        if self.arguments.as_slice().first().is_none_or(|next| !is_option(next)) {
            return false;
        }
        let argument = self.arguments.next().unwrap_or_default();
        if argument == "--" {
            return false;
        }
        self.joined = argument.as_bytes()[1..].to_vec();
        true
    }
}

impl Iterator for Getopt {
    type Item = Result<Opt, Misuse>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.joined.is_empty() && !self.advance() {
            return None;
        }
        let letter = char::from(self.joined.remove(0));
        let known = self.letters.find(letter).filter(|_| letter != ':');
        let Some(place) = known else { return Some(Err(Misuse::Unknown(letter))) };
        if !self.letters[place + 1..].starts_with(':') {
            return Some(Ok(Opt::Letter(letter)));
        }
        let value = if self.joined.is_empty() {
            self.arguments.next()
        } else {
            Some(OsString::from_vec(std::mem::take(&mut self.joined)))
        };
        Some(value.map(|value| Opt::Value(letter, value)).ok_or(Misuse::NoValue(letter)))
    }
}

/// The text of an argument; bytes that are no UTF-8 become the replacement character.
pub fn text(argument: &OsStr) -> String {
    argument.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Vec<Result<Opt, Misuse>>, Vec<OsString>) {
        let mut options = Getopt::new("ab:c", line.split(' ').map(OsString::from).collect());
        (options.by_ref().collect(), options.operands())
    }

    #[test]
    fn letters_and_values_may_be_joined() {
        let value = |text: &str| Ok(Opt::Value('b', text.into()));
        assert_eq!(
            read("-ac -bx -b y -cbz - -a").0,
            [
                Ok(Opt::Letter('a')),
                Ok(Opt::Letter('c')),
                value("x"),
                value("y"),
                Ok(Opt::Letter('c')),
                value("z")
            ]
        );
        assert_eq!(read("-a - -c").1, ["-", "-c"]);
        assert_eq!(read("-a -- -c").1, ["-c"]);
    }

    #[test]
    fn misuse_is_told() {
        assert_eq!(read("-x").0, [Err(Misuse::Unknown('x'))]);
        assert_eq!(read("-b").0, [Err(Misuse::NoValue('b'))]);
        assert_eq!(read("-:").0, [Err(Misuse::Unknown(':'))]);
    }
}
