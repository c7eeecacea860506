//! # NAME
//! mailq - show the queue
//!
//! # SYNOPSIS
//! `mailq [option ...]`
//!
//! # DESCRIPTION
//! Shows the queue, as `postqueue -p` does. The options are those of sendmail(1).
//!
//! # SEE ALSO
//! postqueue(1), sendmail(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::sendmail::main(commands::sendmail::Name::Mailq, std::env::args_os().skip(1).collect())
}
