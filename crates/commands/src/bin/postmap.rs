//! # NAME
//! postmap - makes, changes and asks lookup tables
//!
//! # SYNOPSIS
//! `postmap [-bfFhimnNoprsuUvw] [-c config_dir] [-d key] [-q key] [file_type:]file_name ...`
//!
//! # DESCRIPTION
//! Makes the index of each table from its text. The old index serves until the new one is whole and on disk; a
//! running mail system uses the new one from then on, without being told.
//!
//! A line of the text is a key, white space, and a value; a line that begins with white space continues the one
//! before; empty lines, and lines whose first other character is `#`, are skipped. White space belongs to a key
//! that is in double quotes. Keys are folded to lower case. Of several entries with one key the first counts.
//!
//! Root works with the rights of the text's owner, so that the index is that one's as well. Who can not read the
//! text can not read a new index.
//!
//! # OPTIONS
//! - `-b`: with `-q -`: standard input is a message; each line of its body is a key.
//! - `-c config_dir`: where main.cf is, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-d key`: take the entry out of each table. With `-`, the keys come from standard input.
//! - `-f`: do not fold keys to lower case.
//! - `-F`: a value is a list of file names; the content of these files, in base64, is stored. When asked, decode.
//! - `-h`: with `-q -`: standard input is a message; each of its headers is a key.
//! - `-i`: add entries from standard input to the table that is there.
//! - `-m`: with `-b` or `-h`: look into the parts of the message, too.
//! - `-n`: store keys and values without a NUL byte at the end; `-N`: with it.
//! - `-o`: root keeps its rights.
//! - `-p`: a new index has mode 0644, whatever that of its text.
//! - `-q key`: print the value of the key, from the first table that has it. With `-`, the keys come from standard
//!   input; those that are there are printed with their values.
//! - `-r`: of several entries with one key the last counts.
//! - `-s`: print all entries of the first table.
//! - `-u`: keys and values need not be UTF-8; `-U`: they must, also with `-b` and `-h`.
//! - `-v`: say more.
//! - `-w`: no warning of several entries with one key.
//!
//! # TABLE TYPES
//! An index can be made for `lmdb:` (file_name.lmdb), `hash:` and `btree:` (the same) and `cdb:` (file_name.cdb).
//! Every type can be asked. Without a type, `default_database_type` counts.
//!
//! # DIAGNOSTICS
//! Exit status 0 when all was done; with `-q` and `-d`, when a key was there; else 1.
//!
//! # CONFIGURATION PARAMETERS
//! `default_database_type`, `smtputf8_enable`.
//!
//! # SEE ALSO
//! postalias(1), postconf(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::table_command::main(
        commands::table_command::Program::Postmap,
        std::env::args_os().skip(1).collect(),
    )
}
