//! postconf: what main.cf and master.cf say, what holds where they say nothing, and changes to both.
//!
//! Its output, its warnings and its exit codes are those of Postfix 3.7, which scripts read.

mod options;
mod report;
mod files;
mod space;
mod register;
mod database;
mod value;
mod print;
mod show_main;
mod master;
mod show_master;
mod unused;
mod edit;
mod edit_main;
mod edit_master;
mod other;
mod templates;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use options::{Mode, Options};
use report::{Fatal, Report};
use space::Space;

/// Runs the command with its arguments, the program's name first.
pub fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let program = arguments.next().unwrap_or_else(|| "postconf".into());
    let program = parameters::text::from_bytes(program.as_bytes());
    let report = Report::new(program);
    match execute(arguments.collect(), &report) {
        Ok(output) => report.print(&output),
        Err(fatal) => report.fatal(&fatal),
    }
}

/// What goes to standard output, and the warnings that come after it.
struct Output {
    text: String,
    warnings: Vec<String>,
    /// Exit code 0, not 1.
    success: bool,
}

impl Output {
    fn text(text: String) -> Self {
        Self { text, warnings: Vec::new(), success: true }
    }
}

fn execute(arguments: Vec<OsString>, report: &Report) -> Result<Output, Fatal> {
    let options = Options::parse(arguments, report)?;
    match &options.mode {
        Mode::SaslServer => Ok(Output::text(other::sasl_server_types())),
        Mode::SaslClient => Ok(Output::text(other::sasl_client_types())),
        Mode::Locks => Ok(Output::text(other::lock_types())),
        Mode::Tables => Ok(Output::text(other::table_types())),
        Mode::Tls(what) => Ok(other::tls(what, report)),
        Mode::Templates(how) => templates::show(*how, &options, report),
        Mode::Main if options.edit.is_some() => edit_main::edit(&options, report),
        Mode::Main => show_main::show(&options, report),
        _ if options.edit.is_some() => edit_master::edit(&options, report),
        _ => show_master::show(&options, report),
    }
}

/// The settings of both files, with every name that counts as known.
fn read_both(options: &Options, report: &Report, main_first: bool) -> Result<Space, Fatal> {
    let mut space = Space::new(options, report)?;
    if main_first {
        space.read_main(options, report)?;
        space.read_master(files::Missing::Warn, report)?;
    } else {
        space.read_master(files::Missing::Fail, report)?;
        space.read_main(options, report)?;
    }
    register::register(&mut space, options, report)?;
    Ok(space)
}
