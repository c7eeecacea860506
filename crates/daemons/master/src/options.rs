//! The command line of master(8).

use std::path::PathBuf;
use std::time::Duration;

/// What the command line says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    pub(crate) config_directory: PathBuf,
    /// `-d`: nothing is done about the terminal.
    pub(crate) keep_terminal: bool,
    /// `-s`, `-i`: standard output stays, for `maillog_file = /dev/stdout`.
    pub(crate) keep_output: bool,
    /// `-i`: process 1 of a container.
    pub(crate) init: bool,
    /// `-D`: run `debugger_command`.
    pub(crate) debug: bool,
    /// `-e`: end after so many seconds.
    pub(crate) exit_time: Option<Duration>,
    /// `-w`: start in the background, and wait until that has succeeded.
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
                if matches!(letter, 'c' | 'e') {
                    let attached = letters.get(at + 1..).filter(|value| !value.is_empty()).map(str::to_owned);
                    let value = attached.or_else(|| rest.next()).ok_or_else(usage)?;
                    options.value(letter, &value).ok_or_else(usage)?;
                    break;
                }
                options.flag(letter).ok_or_else(usage)?;
            }
        }
        options.checked()
    }

    fn value(&mut self, letter: char, value: &str) -> Option<()> {
        if letter == 'c' {
            self.config_directory = PathBuf::from(value);
        } else {
            self.exit_time = Some(Duration::from_secs(value.parse().ok()?));
        }
        Some(())
    }

    /// What can not go together.
    fn checked(self) -> Result<Self, String> {
        let complaint = if self.test && self.wait {
            "the -t and -w options cannot be used together"
        } else if self.init && (self.debug || self.keep_terminal || self.wait) {
            "the -i option cannot be used with -D, -d, or -w"
        } else {
            return Ok(self);
        };
        Err(complaint.to_owned())
    }

    fn flag(&mut self, letter: char) -> Option<()> {
        match letter {
            'd' => self.keep_terminal = true,
            'D' => self.debug = true,
            'i' => (self.init, self.keep_output) = (true, true),
            's' => self.keep_output = true,
            'w' => self.wait = true,
            't' => self.test = true,
            'v' => self.verbose = true,
            _ => return None,
        }
        Some(())
    }
}

fn usage() -> String {
    "usage: master [-c config_dir] [-D (debug)] [-d (don't detach from terminal)] [-e exit_time] [-t (test)] \
     [-v] [-w (wait for initialization)]"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_may_stand_together_and_values_apart() {
        let options = Options::parse(["-wc".to_owned(), "/etc/x".to_owned(), "-v".to_owned()]).unwrap();
        assert!(options.wait && options.verbose && !options.keep_terminal);
        assert_eq!(options.config_directory, PathBuf::from("/etc/x"));
        assert!(Options::parse(["start".to_owned()]).is_err());
        assert!(Options::parse(["-c".to_owned()]).is_err());
        let parse = |line: &str| Options::parse(line.split(' ').map(str::to_owned));
        assert_eq!(parse("-e 5 -d").unwrap().exit_time, Some(Duration::from_secs(5)));
        assert!(parse("-s").unwrap().keep_output && parse("-i").unwrap().init);
        for line in ["-e x", "-e", "-tw", "-iw", "-i -d", "-iD"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
