//! # NAME
//! sa-awl - shows the averages of senders, and tidies them up
//!
//! # SYNOPSIS
//! `sa-awl [--clean] [--dry-run] [--min n] [file]`
//!
//! # DESCRIPTION
//! Shows what is remembered of each sender (the plugins AWL and TxRep): the average score of its messages, their sum and number, and the
//! sender with the network that the mail came from.
//!
//! The file is ~/.spamassassin/auto-welcomelist.lmdb, or the one that is named, with or without its ending.
//!
//! # OPTIONS
//! - `--clean`: forget senders of few messages.
//! - `--dry-run`: show which `--clean` would forget.
//! - `--min n`: few are fewer than this; 2 by default.
//!
//! # DIAGNOSTICS
//! 0; 1 when the file can not be read; 64 for a wrong command line.
//!
//! # SEE ALSO
//! sa-learn(1), spamassassin(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::sa_awl::main(std::env::args_os().skip(1).collect())
}
