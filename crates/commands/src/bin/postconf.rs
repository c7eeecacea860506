//! # NAME
//! postconf - show and change the configuration
//!
//! # SYNOPSIS
//! `postconf` [`-dfhHnoqvxj`] [`-c` *directory*] [`-C` *class,...*] [*name* ...]
//!
//! `postconf -e` [`-c` *directory*] *name=value* ...
//!
//! `postconf -X`|`-#` [`-c` *directory*] *name* ...
//!
//! `postconf -M`|`-F`|`-P` [`-e`|`-X`|`-#`] [`-c` *directory*] [*service/type* ...]
//!
//! `postconf -a`|`-A`|`-b`|`-t`|`-l`|`-m`|`-T` *mode*
//!
//! # DESCRIPTION
//! Without an option that says otherwise, prints the settings that hold, each as `name = value`: those of main.cf,
//! and the defaults for the rest. What looks like a mistake, as a setting that nothing uses, is told on standard
//! error. Defaults are those of Postfix 3.7, so that they can be compared; main.cf(5) names the few where ours is
//! safer.
//!
//! A file is changed in one step: it is the old one or the new one, whatever happens. Comments, and the order of
//! lines, stay. A name that is set several times is set once afterwards.
//!
//! # OPTIONS
//! - `-c directory`: where main.cf and master.cf are, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-C class,...`: only these: `builtin` (declared by the mail system), `service` (of each service of master.cf),
//!   `user` (your own), `later` (names that Postfix 3.7 does not have), `all` but the last.
//! - `-d`: the defaults, not what main.cf says.
//! - `-n`: only what main.cf sets.
//! - `-x`: with `$name` replaced by what it stands for.
//! - `-o name=value`: as if main.cf said so.
//! - `-h`, `-H`: values without names; names without values.
//! - `-f`: long lines folded.
//! - `-j`: as JSON, one object a line.
//! - `-q`: no warnings.
//! - `-e`: set *name* to *value* in main.cf; the option may be left out when there is an equals sign.
//! - `-X`: take the line of *name* out of main.cf.
//! - `-#`: make it a comment.
//! - `-M`: the services of master.cf, such as `smtp/inet`; with `-e`, `-X`, `-#` to change them.
//! - `-F`: their fields, one a line: `smtp/inet/chroot = n`.
//! - `-P`: their own settings: `submission/inet/syslog_name = postfix/submission`.
//! - `-a`, `-A`: the ways in which the server, or the client, can log in.
//! - `-b`, `-t`: the templates of reports, filled in or as they are written.
//! - `-l`: the locks that a mailbox file can have.
//! - `-m`: the types of lookup tables.
//! - `-T mode`: facts about the TLS library.
//! - `-v`: accepted.
//!
//! # DIAGNOSTICS
//! Exit status 0, or 1 when a file could not be read or changed.
//!
//! # FILES
//! - `main.cf`: the settings.
//! - `master.cf`: the services.
//!
//! # SEE ALSO
//! main.cf(5), postfix(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::postconf::run(std::env::args_os())
}
