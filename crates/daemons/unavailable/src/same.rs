//! Old names of programs: whoever starts one gets the other.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Becomes the program `name` that lies beside this one, with the same arguments and descriptors. Returns
/// only when that fails.
pub fn become_program(name: &str) -> ExitCode {
    let error = match std::env::current_exe() {
        Ok(own) => Command::new(own.with_file_name(name)).args(std::env::args_os().skip(1)).exec(),
        Err(error) => error,
    };
    eprintln!("fatal: start {name}: {error}");
    ExitCode::FAILURE
}
