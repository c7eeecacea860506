//! The command line that master gives a worker.

use std::ffi::OsString;
use std::fmt;

/// How a worker was started; the letters are Postfix's where it has them (master(8), `single_server(3)`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arguments {
    /// `-n`: the service's name in master.cf, when it is not the program's.
    pub service: Option<String>,
    /// `-t`: inet, unix, fifo, pass or unix-dgram.
    pub transport: String,
    /// `-s`: how many listening sockets there are.
    pub listeners: usize,
    /// `-c`: enter the queue directory for good (chroot).
    pub chroot: bool,
    /// `-u`: become `mail_owner`.
    pub unprivileged: bool,
    /// `-k`: serve at most this many clients at a time; 0 is no limit but our own.
    pub session_limit: usize,
    /// `-S`: alone, for the client on standard input and output.
    pub alone: bool,
    /// `-D`: run `debugger_command` at the start.
    pub debug: bool,
    /// `-v`, once or more: a chattier log.
    pub verbose: bool,
    /// `-o name=value`, in order: they override main.cf.
    pub overrides: Vec<(String, String)>,
    /// What follows the options: for programs with arguments of their own (pipe, spawn).
    pub operands: Vec<String>,
}

/// An argument that can not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadArgument(String);

impl fmt::Display for BadArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "bad command line argument {:?}: daemons are started by master, from the lines of master.cf",
            self.0
        )
    }
}

impl std::error::Error for BadArgument {}

impl Arguments {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// The first argument that is no option of ours, or lacks its value.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, BadArgument> {
        let mut parsed = Self { listeners: 1, ..Self::default() };
        let mut rest = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
        while let Some(argument) = rest.next() {
            if !argument.starts_with('-') {
                parsed.operands.push(argument);
                parsed.operands.extend(rest);
                break;
            }
            parsed.option(&argument, &mut rest)?;
        }
        Ok(parsed)
    }

    fn option(&mut self, argument: &str, rest: &mut impl Iterator<Item = String>) -> Result<(), BadArgument> {
        let bad = || BadArgument(argument.to_owned());
        let letter = argument.chars().nth(1).ok_or_else(bad)?;
        if "nstkomi".contains(letter) {
            let attached = argument.get(2..).filter(|value| !value.is_empty()).map(str::to_owned);
            let value = attached.or_else(|| rest.next()).ok_or_else(bad)?;
            return self.option_with_value(letter, value).ok_or_else(bad);
        }
        argument.chars().skip(1).try_for_each(|letter| self.flag(letter)).ok_or_else(bad)
    }

    fn option_with_value(&mut self, letter: char, value: String) -> Option<()> {
        match letter {
            'n' => self.service = Some(value),
            's' => self.listeners = value.parse().ok()?,
            't' => self.transport = value,
            'k' => self.session_limit = value.parse().ok()?,
            'o' => {
                let (name, value) = value.split_once('=')?;
                self.overrides.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            _ => {}
        }
        Some(())
    }

    /// `-d -l -V -z` are Postfix's and change nothing here.
    fn flag(&mut self, letter: char) -> Option<()> {
        match letter {
            'c' => self.chroot = true,
            'u' => self.unprivileged = true,
            'v' => self.verbose = true,
            'S' => self.alone = true,
            'D' => self.debug = true,
            'd' | 'l' | 'V' | 'z' => {}
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, BadArgument> {
        Arguments::parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_command_lines_of_master_are_understood() {
        let smtpd = parse("-n 127.0.0.1:25 -t inet -u -s 2 -k 50 -o stress= -o a=b=c").unwrap();
        assert_eq!(smtpd.service.as_deref(), Some("127.0.0.1:25"));
        assert_eq!((smtpd.listeners, smtpd.session_limit, smtpd.unprivileged), (2, 50, true));
        assert_eq!(smtpd.overrides[1], ("a".to_owned(), "b=c".to_owned()));
        let pipe = parse("-t unix -uv flags=F user=x argv=/bin/y -q").unwrap();
        assert_eq!(pipe.operands, ["flags=F", "user=x", "argv=/bin/y", "-q"]);
        assert!(pipe.verbose && pipe.unprivileged && !pipe.chroot);
    }

    #[test]
    fn an_unknown_option_is_named() {
        assert_eq!(parse("-t unix -Q"), Err(BadArgument("-Q".to_owned())));
        assert_eq!(parse("-o novalue"), Err(BadArgument("-o".to_owned())));
    }
}
