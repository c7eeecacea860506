//! The command line of master(8).

use std::path::PathBuf;

/// What the command line says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    pub(crate) config_directory: PathBuf,
    /// `-d`, `-D`, `-i` or `-s`.
    pub(crate) foreground: bool,
    /// `-w`
    pub(crate) wait: bool,
    /// `-t`
    pub(crate) test: bool,
    /// `-v`
    pub(crate) verbose: bool,
}

impl Options {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options =
            Self { config_directory: worker::configuration::directory(None), ..Self::default() };
        let mut rest = arguments.into_iter();
        while let Some(argument) = rest.next() {
            let letters =
                argument.strip_prefix('-').filter(|letters| !letters.is_empty()).ok_or_else(usage)?;
            for (at, letter) in letters.char_indices() {
                if letter == 'c' {
                    let attached = letters.get(at + 1..).filter(|value| !value.is_empty()).map(str::to_owned);
                    let value = attached.or_else(|| rest.next()).ok_or_else(usage)?;
                    options.config_directory = PathBuf::from(value);
                    break;
                }
                options.flag(letter).ok_or_else(usage)?;
            }
        }
        Ok(options)
    }

    fn flag(&mut self, letter: char) -> Option<()> {
        match letter {
            'd' | 'D' | 'i' | 's' => self.foreground = true,
            'w' => self.wait = true,
            't' => self.test = true,
            'v' => self.verbose = true,
            _ => return None,
        }
        Some(())
    }
}

fn usage() -> String {
    "usage: master [-c config_dir] [-D (debug)] [-d (don't detach from terminal)] [-t (test)] \
     [-v] [-w (wait for initialization)]"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_may_stand_together_and_values_apart() {
        let options = Options::parse(["-wc".to_owned(), "/etc/x".to_owned(), "-v".to_owned()]).unwrap();
        assert!(options.wait && options.verbose && !options.foreground);
        assert_eq!(options.config_directory, PathBuf::from("/etc/x"));
        assert!(Options::parse(["start".to_owned()]).is_err());
        assert!(Options::parse(["-c".to_owned()]).is_err());
    }
}
