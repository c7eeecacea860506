//! # NAME
//! newaliases - makes the alias tables of the mail system anew
//!
//! # SYNOPSIS
//! `newaliases [-C config_dir] [-v]`
//!
//! # DESCRIPTION
//! Makes the index of each table that `alias_database` names from its text, as postalias(1) does. The tables of
//! `alias_maps` that are not among them are left alone. It is the same as `sendmail -I`.
//!
//! # OPTIONS
//! - `-C config_dir`: where main.cf is, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-v`: say more.
//!
//! # DIAGNOSTICS
//! Exit status 0 when all tables were made; else not 0, and standard error says why.
//!
//! # CONFIGURATION PARAMETERS
//! `alias_database`, `default_database_type`, `smtputf8_enable`.
//!
//! # SEE ALSO
//! postalias(1), sendmail(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::table_command::newaliases(std::env::args_os().skip(1).collect())
}
