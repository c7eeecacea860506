//! # NAME
//! postconf - show and change the configuration

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::postconf::run(std::env::args_os())
}
