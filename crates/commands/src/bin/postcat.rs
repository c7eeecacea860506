//! # NAME
//! postcat - show the content of queue files
//!
//! # SYNOPSIS
//! `postcat [-bdehoqrv] [-c config_dir] [-s offset] [file ...]`
//!
//! # DESCRIPTION
//! Prints queue files in readable form: envelope, header and body, or what the options ask for. Without a file, standard input is read.
//!
//! # OPTIONS
//! - `-b`: the body of the message, from the first line that is no header.
//! - `-c config_dir`: where main.cf is, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-d`: in front of each record its type, as a decimal number.
//! - `-e`: the envelope.
//! - `-h`: the header of the message.
//! - `-o`: in front of each record its offset in the file.
//! - `-q`: the files are queue ids, to be looked for in the queue.
//! - `-r`: records in the order of the file; pointers are shown, not followed.
//! - `-s offset`: begin at this offset of the file.
//! - `-v`: in front of each line of the message the name of its record type.
//!
//! # DIAGNOSTICS
//! Exit status 0 when all files were shown, else 1.
//!
//! # CONFIGURATION PARAMETERS
//! `queue_directory`, `hash_queue_names`, `hash_queue_depth`.
//!
//! # SEE ALSO
//! postqueue(1), postsuper(1), qmgr(8)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::postcat::main(std::env::args_os().skip(1).collect())
}
