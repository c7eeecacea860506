//! sendmail: the command that programs expect, on top of this suite. mailq and newaliases are other names of it.

mod options;
mod message;
mod submit;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use worker::protocol::ENV_CONFIG_DIRECTORY;

use crate::postqueue::{self, Form, Request};
use crate::site::{EX_TEMPFAIL, Failure, Site, Voice};

use options::{Mode, Options};

/// The name under which the command was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// `sendmail`
    Sendmail,
    /// `mailq`: `sendmail -bp`
    Mailq,
}

impl Name {
    pub(crate) const fn voice(self) -> Voice {
        match self {
            Self::Sendmail => Voice { program: "sendmail" },
            Self::Mailq => Voice { program: "mailq" },
        }
    }
}

/// Runs the command with the arguments that stand behind its name.
pub fn main(name: Name, arguments: Vec<OsString>) -> ExitCode {
    name.voice().finish(run(name, arguments))
}

fn run(name: Name, arguments: Vec<OsString>) -> Result<ExitCode, Failure> {
    let voice = name.voice();
    let options = Options::parse(name, arguments)?;
    // Programs that call sendmail try again when it says so: that is better than to lose mail for a bad main.cf.
    let site = Site::open(voice, options.config_directory.as_deref())
        .map_err(|failure| Failure { status: EX_TEMPFAIL, ..failure })?;
    match options.mode {
        Mode::Submit | Mode::Verify => submit::submit(voice, &site, &options),
        Mode::ListQueue => delegate(&site, &Request::List(Form::Table)),
        Mode::Flush => delegate(&site, &options.flush),
        Mode::Aliases => {
            crate::table_command::rebuild_aliases(&site.config, options.alias_database.as_deref())
                .map_err(|fatal| Failure::with(EX_TEMPFAIL, fatal))?;
            Ok(ExitCode::SUCCESS)
        }
        Mode::Daemon => start_suite(&site),
        Mode::Dialogue => converse(&site),
        Mode::Nothing => Ok(ExitCode::SUCCESS),
    }
}

/// What postqueue does, under its name.
fn delegate(site: &Site, request: &Request) -> Result<ExitCode, Failure> {
    let voice = Voice { program: "postqueue" };
    Ok(voice.finish(postqueue::perform(voice, site, request)))
}

/// `-bs`: smtpd takes this process over.
fn converse(site: &Site) -> Result<ExitCode, Failure> {
    let program = std::path::Path::new(&site.config.get(&parameters::DAEMON_DIRECTORY)).join("smtpd");
    let error = std::process::Command::new(&program)
        .arg("-S")
        .env(ENV_CONFIG_DIRECTORY, &site.config_directory)
        .exec();
    Err(Failure::with(EX_TEMPFAIL, format!("{}: {}", program.display(), crate::site::reason(&error))))
}

/// `-bd`: as `postfix start`.
fn start_suite(site: &Site) -> Result<ExitCode, Failure> {
    let program = std::path::Path::new(&site.config.get(&parameters::COMMAND_DIRECTORY)).join("postfix");
    let status = std::process::Command::new(&program)
        .arg("-c")
        .arg(&site.config_directory)
        .arg("start")
        .status()
        .map_err(|error| {
            Failure::with(EX_TEMPFAIL, format!("run {}: {}", program.display(), crate::site::reason(&error)))
        })?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
