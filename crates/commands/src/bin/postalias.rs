//! # NAME
//! postalias - makes, changes and asks alias tables
//!
//! # SYNOPSIS
//! `postalias [-finNoprsuvw] [-c config_dir] [-d key] [-q key] [file_type:]file_name ...`
//!
//! # DESCRIPTION
//! Makes the index of each alias table from its text, whose lines are `name: value, value, ...`; lines that begin
//! with white space continue the one before. In all else it is as postmap(1).
//!
//! # OPTIONS
//! - `-c config_dir`: where main.cf is, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-d key`: take the entry out of each table. With `-`, the keys come from standard input.
//! - `-f`: do not fold names to lower case.
//! - `-i`: add entries from standard input to the table that is there.
//! - `-n`: store names and values without a NUL byte at the end; `-N`: with it.
//! - `-o`: root keeps its rights.
//! - `-p`: a new index has mode 0644, whatever that of its text.
//! - `-q key`: print the value of the name, from the first table that has it. With `-`, the names come from standard
//!   input; those that are there are printed with their values.
//! - `-r`: of several entries with one name the last counts.
//! - `-s`: print all entries of the first table.
//! - `-u`: names and values need not be UTF-8.
//! - `-v`: say more.
//! - `-w`: no warning of several entries with one name.
//!
//! # DIAGNOSTICS
//! Exit status 0 when all was done; with `-q` and `-d`, when a name was there; else 1.
//!
//! # CONFIGURATION PARAMETERS
//! `default_database_type`, `smtputf8_enable`.
//!
//! # SEE ALSO
//! newaliases(1), postmap(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::table_command::main(
        commands::table_command::Program::Postalias,
        std::env::args_os().skip(1).collect(),
    )
}
