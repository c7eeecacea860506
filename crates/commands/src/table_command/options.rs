//! The command lines of postmap and postalias.

use super::{Fatal, Program};
use crate::getopt::{Getopt, Opt, text};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use tables::Duplicates;

/// What is to be done with the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Task {
    /// Make them.
    Create,
    /// `-i`: add entries from standard input.
    Add,
    /// `-q key`
    Query(Keys),
    /// `-d key`
    Delete(Keys),
    /// `-s`: print the first one.
    List,
}

/// The keys that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keys {
    One(Vec<u8>),
    /// Each line of standard input is one.
    Lines,
    /// Standard input is a message.
    Message(MessageKeys),
}

/// What of a message is a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageKeys {
    /// `-h`
    pub(super) headers: bool,
    /// `-b`
    pub(super) body: bool,
    /// `-m`: look into the parts, too.
    pub(super) parts: bool,
}

/// The command line, checked.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) task: Task,
    pub(super) directory: Option<PathBuf>,
    /// Off with `-f`.
    pub(super) fold: bool,
    /// `-F`
    pub(super) values_are_files: bool,
    pub(super) duplicates: Duplicates,
    /// `-N` and `-n`
    pub(super) nul: Option<bool>,
    /// Off with `-o`.
    pub(super) as_owner: bool,
    /// Off with `-p`.
    pub(super) inherit_mode: bool,
    /// `-u`: never, `-U`: always; else as `smtputf8_enable` says, and not for messages.
    pub(super) utf8: Utf8,
    pub(super) verbose: bool,
    /// `type:name` or `name`
    pub(super) tables: Vec<String>,
}

/// Whether keys and values have to be UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Utf8 {
    AsConfigured,
    Never,
    Forced,
}

/// The options, letter by letter.
#[derive(Default)]
struct Given {
    letters: Vec<char>,
    directory: Option<PathBuf>,
    query: Option<OsString>,
    delete: Option<OsString>,
}

impl Options {
    /// Reads the arguments behind the program's name.
    pub(super) fn parse(program: Program, arguments: Vec<OsString>) -> Result<Self, Fatal> {
        let mut getopt = Getopt::new(letters(program), arguments);
        let mut given = Given::default();
        for option in getopt.by_ref() {
            match option {
                Ok(option) => given.take(option)?,
                Err(misuse) => {
                    eprintln!("{}: {misuse}", program.name());
                    return Err(usage(program));
                }
            }
        }
        let tables: Vec<_> = getopt.operands().iter().map(|operand| text(operand)).collect();
        let task = given.task()?;
        if tables.is_empty() {
            return Err(usage(program));
        }
        let (duplicates, nul, utf8) = (given.duplicates(), given.nul(), given.utf8());
        Ok(Self {
            task,
            fold: !given.has('f'),
            values_are_files: given.has('F'),
            as_owner: !given.has('o'),
            inherit_mode: !given.has('p'),
            verbose: given.has('v'),
            directory: given.directory,
            duplicates,
            nul,
            utf8,
            tables,
        })
    }
}

fn letters(program: Program) -> &'static str {
    match program {
        Program::Postmap => "bc:d:fFhimnNopq:rsuUvw",
        Program::Postalias => "Nc:d:finopq:rsuvw",
    }
}

fn usage(program: Program) -> Fatal {
    let letters = match program {
        Program::Postmap => "-bfFhimnNoprsuUvw",
        Program::Postalias => "-Nfinoprsuvw",
    };
    let name = program.name();
    Fatal::Usage(format!("usage: {name} [{letters}] [-c config_dir] [-d key] [-q key] [map_type:]file..."))
}

impl Given {
    fn take(&mut self, option: Opt) -> Result<(), Fatal> {
        let several = self.query.is_some() || self.delete.is_some() || self.has('s');
        match option {
            Opt::Value('c', directory) => self.directory = Some(directory.into()),
            Opt::Value(_, _) if several => {
                return Err(Fatal::Usage("specify only one of -s -q or -d".to_owned()));
            }
            Opt::Value('q', key) => self.query = Some(key),
            Opt::Value(_, key) => self.delete = Some(key),
            Opt::Letter('s') if self.query.is_some() || self.delete.is_some() => {
                return Err(Fatal::Usage("specify only one of -s or -q or -d".to_owned()));
            }
            Opt::Letter(letter) => self.letters.push(letter),
        }
        Ok(())
    }

    fn has(&self, letter: char) -> bool {
        self.letters.contains(&letter)
    }

    /// Of two letters that mean opposite things, the last counts.
    fn last_of(&self, letters: &str) -> Option<char> {
        self.letters.iter().rev().copied().find(|letter| letters.contains(*letter))
    }

    fn task(&mut self) -> Result<Task, Fatal> {
        let message = MessageKeys { headers: self.has('h'), body: self.has('b'), parts: self.has('m') };
        let has_message = message.headers || message.body;
        let query = self.query.take();
        if query.as_ref().is_none_or(|key| key != "-") && (has_message || message.parts) {
            return Err(Fatal::Usage("specify -b -h or -m only with \"-q -\"".to_owned()));
        }
        if message.parts && !has_message {
            log::warn!("ignoring -m option without -b or -h");
        }
        Ok(match (query, self.delete.take()) {
            (Some(_), _) if has_message => Task::Query(Keys::Message(message)),
            (Some(key), _) => Task::Query(keys(key)),
            (None, Some(key)) => Task::Delete(keys(key)),
            (None, None) if self.has('s') => Task::List,
            (None, None) if self.has('i') => Task::Add,
            (None, None) => Task::Create,
        })
    }

    fn duplicates(&self) -> Duplicates {
        match self.last_of("rw") {
            Some('r') => Duplicates::Replace,
            Some(_) => Duplicates::Ignore,
            None => Duplicates::Warn,
        }
    }

    fn nul(&self) -> Option<bool> {
        self.last_of("Nn").map(|letter| letter == 'N')
    }

    fn utf8(&self) -> Utf8 {
        match (self.has('u'), self.has('U')) {
            (true, _) => Utf8::Never,
            (false, true) => Utf8::Forced,
            (false, false) => Utf8::AsConfigured,
        }
    }
}

fn keys(key: OsString) -> Keys {
    if key == "-" { Keys::Lines } else { Keys::One(key.into_vec()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(program: Program, line: &str) -> Result<Options, String> {
        let arguments = line.split(' ').map(OsString::from).collect();
        Options::parse(program, arguments).map_err(|fatal| fatal.to_string())
    }

    #[test]
    fn what_is_asked_for() {
        let task = |line| parse(Program::Postmap, line).unwrap().task;
        assert_eq!(task("lmdb:m"), Task::Create);
        assert_eq!(task("-i m"), Task::Add);
        assert_eq!(task("-iq a m"), Task::Query(Keys::One(b"a".to_vec())));
        assert_eq!(task("-d - m"), Task::Delete(Keys::Lines));
        assert_eq!(task("-si m"), Task::List);
        let message = MessageKeys { headers: true, body: false, parts: true };
        assert_eq!(task("-hmq - m"), Task::Query(Keys::Message(message)));
    }

    #[test]
    fn combinations_that_are_refused() {
        let error = |line| parse(Program::Postmap, line).unwrap_err();
        assert_eq!(error("-q a -q b m"), "specify only one of -s -q or -d");
        assert_eq!(error("-s -d b m"), "specify only one of -s -q or -d");
        assert_eq!(error("-q a -s m"), "specify only one of -s or -q or -d");
        assert_eq!(error("-hq a m"), "specify -b -h or -m only with \"-q -\"");
        assert!(error("-q a").starts_with("usage: postmap [-bfFhimnNoprsuUvw] [-c config_dir]"));
        assert!(
            parse(Program::Postalias, "-b m").unwrap_err().starts_with("usage: postalias [-Nfinoprsuvw]")
        );
    }
}
