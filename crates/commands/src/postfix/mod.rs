//! The `postfix` command: start, stop, reload, check, status and the rest.

mod folders;
mod warnings;
mod faults;
mod stale_tables;
mod control;
mod rotate;
pub mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use parameters::Config;
use worker::configuration::{self, Asker};

use crate::postfix::report::{Problem, say};

/// What the command line says.
struct Options {
    config_directory: PathBuf,
    command: String,
}

/// The installation that a command works on.
pub struct Site {
    /// main.cf.
    pub config: Config,
    /// Where main.cf is.
    pub config_directory: PathBuf,
    /// `queue_directory`
    pub queue_directory: PathBuf,
}

impl Site {
    /// Reads the configuration below `directory`.
    ///
    /// # Errors
    /// A [`Problem`] that says what is wrong with main.cf.
    pub fn read(directory: PathBuf) -> Result<Self, Problem> {
        let asker = Asker { program: "postfix", ..Asker::default() };
        let config = configuration::load(&directory, &asker).map_err(|error| Problem(error.to_string()))?;
        let queue_directory = PathBuf::from(config.get(&parameters::QUEUE_DIRECTORY));
        Ok(Self { config, config_directory: directory, queue_directory })
    }
}

/// Runs the command with these arguments.
pub fn main(arguments: Vec<String>) -> ExitCode {
    let Some(options) = parse(arguments) else {
        eprintln!("postfix: fatal: usage: postfix [-c config_dir] [-Dv] command");
        return ExitCode::FAILURE;
    };
    let done = Site::read(options.config_directory).and_then(|site| {
        report::open(&site.config);
        run(&options.command, &site)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            problem.tell();
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: Vec<String>) -> Option<Options> {
    let mut directory = None;
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        match argument.strip_prefix('-') {
            None => {
                let config_directory = configuration::directory(directory.as_deref());
                return rest.next().is_none().then_some(Options { config_directory, command: argument });
            }
            Some("c") => directory = Some(PathBuf::from(rest.next()?)),
            Some(letters) if letters.starts_with('c') => directory = Some(PathBuf::from(&letters[1..])),
            Some(letters) if letters.chars().all(|letter| letter == 'v' || letter == 'D') => {}
            Some(_) => return None,
        }
    }
    None
}

fn run(command: &str, site: &Site) -> Result<(), Problem> {
    match command {
        "check" => folders::check(site),
        "start" => control::start(site),
        "start-fg" => control::start_in_foreground(site),
        "stop" => control::stop(site),
        "abort" => control::abort(site),
        "reload" => control::reload(site),
        "flush" => control::flush(site),
        "status" => control::status(site),
        "set-permissions" => folders::set_permissions(site),
        "upgrade-configuration" => {
            say("nothing to upgrade");
            Ok(())
        }
        "logrotate" => rotate::rotate(site),
        _ => Err(Problem(format!(
            "unknown command: '{command}'. Usage: postfix start (or stop, reload, abort, flush, check, status, \
             set-permissions, upgrade-configuration, logrotate)"
        ))),
    }
}
