//! postmap and postalias.

mod message_keys;
mod options;
mod work;

use crate::getopt::{Getopt, Opt};
use maillog::{FATAL, Sink};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use tables::Trouble;
use worker::configuration::{self, Asker, LoadError, load};

pub use work::rebuild_aliases;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Tables of keys and values.
    Postmap,
    /// Tables of aliases.
    Postalias,
}

impl Program {
    /// The name it has on the command line and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postmap => "postmap",
            Self::Postalias => "postalias",
        }
    }
}

/// Why the program gives up. The text is Postfix's.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// main.cf can not be used.
    #[error(transparent)]
    Config(#[from] LoadError),
    /// A table can not be used.
    #[error(transparent)]
    Table(#[from] Trouble),
    /// Standard input or output.
    #[error("{verb} {stream}: {}", tables::reason(source))]
    Stream {
        /// "read", "write"
        verb: &'static str,
        /// "standard input", "standard output"
        stream: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Runs the program with the arguments that stand behind its name.
pub fn main(program: Program, arguments: Vec<OsString>) -> ExitCode {
    open_log(program.name(), false);
    let outcome = options::Options::parse(program, arguments).and_then(|options| {
        if options.verbose {
            log::set_max_level(log::LevelFilter::Debug);
        }
        work::run(program, &options)
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fatal) => {
            log::error!(target: FATAL, "{fatal}");
            ExitCode::FAILURE
        }
    }
}

/// Runs newaliases with the arguments that stand behind its name.
pub fn newaliases(arguments: Vec<OsString>) -> ExitCode {
    open_log("newaliases", false);
    let mut directory = None;
    for option in Getopt::new("A:B:b:C:F:f:GIL:N:O:o:R:tUvV:X:", arguments) {
        match option {
            Ok(Opt::Value('C', path)) => directory = Some(PathBuf::from(path)),
            Ok(_) => {}
            Err(misuse) => {
                eprintln!("newaliases: {misuse}");
                return ExitCode::FAILURE;
            }
        }
    }
    let asker = Asker { program: "newaliases", ..Asker::default() };
    let outcome = load(&configuration::directory(directory.as_deref()), &asker).map_err(Fatal::from);
    match outcome.and_then(|config| rebuild_aliases(&config, None)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            log::error!(target: FATAL, "{fatal}");
            ExitCode::FAILURE
        }
    }
}

/// Messages go to standard error, as Postfix's commands say them.
pub fn open_log(program: &str, verbose: bool) {
    maillog::open(maillog::Settings {
        tag: program.to_owned(),
        host: String::new(),
        sink: Sink::Terminal,
        buffered: false,
        verbose,
    });
}
