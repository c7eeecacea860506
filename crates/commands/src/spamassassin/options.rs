//! The command line of `spamassassin`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::archive::Format;
use crate::long_options::{Known, LongOptions, Takes};

/// Exit status for spam, when `-e` does not say.
const SPAM_STATUS: u8 = 5;

/// What becomes of a sender's average.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Welcome,
    Blocked,
    Forgotten,
}

/// What is done with each message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Task {
    /// It is judged and marked.
    #[default]
    Judge,
    /// Its marks are taken away.
    Unmark,
    /// Others are told.
    Report {
        revoke: bool,
    },
    /// The averages of all who are named in it are changed.
    Senders(Standing),
    /// The average of one address is changed; there are no messages.
    Address(Standing, String),
    /// The rule files are checked; there are no messages.
    Lint,
    Help,
    Version,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    pub(crate) task: Task,
    /// `-t`
    pub(crate) test: bool,
    /// `-d`, with `-t`.
    pub(crate) unmark_first: bool,
    pub(crate) spam_status: Option<u8>,
    pub(crate) preferences: Option<PathBuf>,
    pub(crate) rules: Option<PathBuf>,
    pub(crate) site: Option<PathBuf>,
    pub(crate) lines: Vec<String>,
    pub(crate) lines_before: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) create_preferences: bool,
    pub(crate) debug: bool,
    /// No network tests (`-L`).
    pub(crate) local: bool,
    pub(crate) format: Format,
    pub(crate) targets: Vec<OsString>,
    pub(crate) warnings: Vec<String>,
}

use Takes::{Nothing, Perhaps, Value};

/// All options; several names of one lead to the first of them.
const KNOWN: [Known; 32] = [
    Known(&["add-addr-to-blocklist", "add-addr-to-blacklist"], Value),
    Known(&["add-addr-to-welcomelist", "add-addr-to-whitelist"], Value),
    Known(&["add-to-blocklist", "add-to-blacklist"], Nothing),
    Known(&["add-to-welcomelist", "add-to-whitelist", "W"], Nothing),
    Known(&["username", "u"], Value),
    Known(&["configpath", "config-file", "config-dir", "c", "C"], Value),
    Known(&["create-prefs"], Nothing),
    Known(&["nocreate-prefs", "no-create-prefs", "x"], Nothing),
    Known(&["pre"], Value),
    Known(&["cf"], Value),
    Known(&["debug", "D"], Perhaps),
    Known(&["error-code", "exit-code", "e"], Takes::Number),
    Known(&["help", "h", "?"], Nothing),
    Known(&["ipv4", "ipv4only", "ipv4-only", "4", "6"], Nothing),
    Known(&["lint"], Nothing),
    Known(&["net"], Nothing),
    Known(&["local", "local-only", "L"], Nothing),
    Known(&["mbox"], Nothing),
    Known(&["mbx"], Nothing),
    Known(&["prefspath", "prefs-file", "p"], Value),
    Known(&["remove-addr-from-welcomelist", "remove-addr-from-whitelist"], Value),
    Known(&["remove-from-welcomelist", "remove-from-whitelist", "R"], Nothing),
    Known(&["remove-markup", "despamassassinify", "d"], Nothing),
    Known(&["report", "r"], Nothing),
    Known(&["revoke", "k"], Nothing),
    Known(&["siteconfigpath"], Value),
    Known(&["test-mode", "test", "t"], Nothing),
    Known(&["progress"], Nothing),
    Known(&["version", "V"], Nothing),
    Known(&["pipe", "P"], Nothing),
    Known(&["stop-at-threshold", "S"], Nothing),
    Known(&["log-to-mbox", "l"], Perhaps),
];

impl Options {
    /// Reads the arguments behind the program's name.
    pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Self, String> {
        let mut options = Self { create_preferences: true, ..Self::default() };
        let mut unmark = false;
        let mut words = LongOptions::new(&KNOWN, arguments);
        while let Some((name, value)) = words.next_option()? {
            let text = value.clone().unwrap_or_default().to_string_lossy().into_owned();
            match name {
                "remove-markup" => unmark = true,
                "mbx" => return Err("mbx folders are not in this version".to_owned()),
                _ => options.set(name, text),
            }
        }
        options.targets = words.operands();
        options.unmark_first = unmark && options.test;
        if unmark && !options.test && options.task == Task::Judge {
            options.task = Task::Unmark;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, text: String) {
        match name {
            "add-addr-to-blocklist" => self.task = Task::Address(Standing::Blocked, text),
            "add-addr-to-welcomelist" => self.task = Task::Address(Standing::Welcome, text),
            "remove-addr-from-welcomelist" => self.task = Task::Address(Standing::Forgotten, text),
            "add-to-blocklist" => self.task = Task::Senders(Standing::Blocked),
            "add-to-welcomelist" => self.task = Task::Senders(Standing::Welcome),
            "remove-from-welcomelist" => self.task = Task::Senders(Standing::Forgotten),
            "configpath" => self.rules = Some(text.into()),
            "create-prefs" => self.create_preferences = true,
            "nocreate-prefs" => self.create_preferences = false,
            "pre" => self.lines_before.push(text),
            "cf" => self.lines.push(text),
            "username" => self.user = Some(text),
            "debug" => self.debug = true,
            "local" => self.local = true,
            "error-code" => {
                let status = text.parse().ok().filter(|status| *status != 0);
                self.spam_status = Some(status.unwrap_or(SPAM_STATUS));
            }
            "help" => self.task = Task::Help,
            "version" if self.task != Task::Help => self.task = Task::Version,
            "lint" => self.task = Task::Lint,
            "mbox" => self.format = Format::Mbox,
            "prefspath" => self.preferences = Some(text.into()),
            "report" => self.task = Task::Report { revoke: false },
            "revoke" => self.task = Task::Report { revoke: true },
            "siteconfigpath" => self.site = Some(text.into()),
            "test-mode" => self.test = true,
            "pipe" => self.warnings.push(
                "The -P option is deprecated as 'pipe mode' is now the default behavior, ignoring."
                    .to_owned(),
            ),
            "stop-at-threshold" => self
                .warnings
                .push("The -S option has been deprecated and is no longer supported, ignoring.".to_owned()),
            "log-to-mbox" => self
                .warnings
                .push("The -l option has been deprecated and is no longer supported, ignoring.".to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn options_of_old_recipes_and_new_ones() {
        let options = parse("-Lt -p prefs --cf=x -e 7 --mbox one two").unwrap();
        assert!(options.test && options.spam_status == Some(7) && options.format == Format::Mbox);
        assert_eq!((options.targets.len(), options.lines.len()), (2, 1));
        assert_eq!(parse("-e -d").unwrap().spam_status, Some(5));
        assert_eq!(parse("-d").unwrap().task, Task::Unmark);
        assert!(parse("-d -t").unwrap().unmark_first);
        assert_eq!(parse("-P").unwrap().warnings.len(), 1);
        assert!(parse("-D").unwrap().debug && parse("--lint").unwrap().task == Task::Lint);
        assert_eq!(parse("-W").unwrap().task, Task::Senders(Standing::Welcome));
        let blocked = parse("--add-addr-to-blacklist=x@y.example").unwrap().task;
        assert_eq!(blocked, Task::Address(Standing::Blocked, "x@y.example".into()));
        assert!(parse("-Z").is_err() && parse("--mbx").is_err());
    }
}
