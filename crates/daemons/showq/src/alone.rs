//! The list on standard output, without a mail system that runs.

use std::io::Write;
use std::process::ExitCode;

use sys::ids::{self, Identity};
use worker::configuration::{self, Asker};

use crate::listing::{Listing, Settings};

/// Writes the list and ends.
pub(crate) fn run() -> ExitCode {
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("showq: fatal: {text}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<(), String> {
    let asker = Asker { program: "showq", ..Asker::default() };
    let config =
        configuration::load(&configuration::directory(None), &asker).map_err(|error| error.to_string())?;
    let directory = config.get(&parameters::QUEUE_DIRECTORY);
    std::env::set_current_dir(&directory).map_err(|error| format!("chdir {directory}: {error}"))?;
    give_up_root(&config.get(&parameters::MAIL_OWNER))?;
    let listing = Listing::new(Settings::from_config(&config).map_err(|error| error.to_string())?);
    let mut output = std::io::stdout().lock();
    loop {
        let portion = listing.next_portion();
        output.write_all(&portion.bytes).map_err(|error| format!("output write error: {error}"))?;
        if portion.last {
            break;
        }
    }
    output.flush().map_err(|error| format!("output write error: {error}"))
}

/// The files of the queue are read as their owner.
fn give_up_root(mail_owner: &str) -> Result<(), String> {
    if !ids::is_root() {
        return Ok(());
    }
    let user = sys::users::user(mail_owner).map_err(|error| format!("look up {mail_owner}: {error}"))?;
    let user = user.filter(|user| user.uid != 0).ok_or(format!("mail_owner: unknown user: {mail_owner}"))?;
    ids::become_for_good(&Identity::new(user.uid, user.gid))
        .map_err(|error| format!("become {mail_owner}: {error}"))
}
