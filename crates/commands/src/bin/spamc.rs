//! # NAME
//! spamc - hands a message to spamd
//!
//! # SYNOPSIS
//! `spamc [options] < message`
//!
//! # DESCRIPTION
//! Sends the message on standard input to spamd(8) and writes what comes back to standard output. When spamd can not be had, or the
//! message is too large, the message goes through as it is, with exit status 0, so that no mail is lost.
//!
//! Options are SpamAssassin's; each stands as a word of its own, with its value as the next word.
//!
//! # OPTIONS
//! - `-B`, `--bsmtp`: the input is an SMTP session; the message between `DATA` and the dot is handed on, and replaced.
//! - `-c`, `--check`: print score and limit only (`0/0` when there was no verdict); exit status 1 for spam.
//! - `-y`, `--tests`: print the names of the rules that hit.
//! - `-r`, `--full-spam`: print the report, if it is spam.
//! - `-R`, `--full`: print score, limit and report.
//! - `--headers`: change the header only; the body does not travel back.
//! - `-E`, `--exitcode`: exit status 1 for spam, whatever is printed.
//! - `-L spam|ham|forget`, `--learntype`: teach spamd; it must allow that (`--allow-tell`).
//! - `-C report|revoke`, `--reporttype`: tell others about the message, or take that back.
//! - `-K`: is spamd alive?
//! - `-d host[,host...]`, `--dest`: where spamd is; each in turn, when one does not answer. With `-x` only the first answer counts.
//! - `-H`, `--randomize`: begin with any of the addresses.
//! - `-p port`, `--port`: 783 by default.
//! - `-U path`, `--socket`: a unix socket instead.
//! - `-4`, `-6`: IPv4 or IPv6 only.
//! - `-u user`, `--username`: for whom; by default the user who runs it.
//! - `-s bytes`, `--max-size`: larger messages go through unchecked; 500 KB by default, at most 256 MB.
//! - `-x`, `--no-safe-fallback`: exit with an error instead of handing on an unchecked message.
//! - `-X`, `--unavailable-tempfail`: behind `-x`, 75 instead of 69.
//! - `-e command [args]`, `--pipe-to`: the result goes to this command; the last option. The path is a full one.
//! - `-t seconds`, `--timeout`; `-n seconds`, `--connect-timeout`: 600 by default, 0 for none.
//! - `--connect-retries n`, `--retry-sleep seconds`: 3 times, 1 second.
//! - `--filter-retries n`, `--filter-retry-sleep seconds`: once, 1 second.
//! - `-z`: compress on the way.
//! - `-F file`, `--config`: more options, which come first; /etc/spamassassin/spamc.conf by default.
//! - `-l`, `--log-to-stderr`: complain on standard error instead of the mail log.
//! - `-f`: nothing. `-h`, `-V`: what you think.
//! - `-S`, `--ssl`: by TLS (1.2 or 1.3); spamd must expect that. Without one of the next two nobody knows whose spamd it is.
//! - `--ssl-ca-file file`, `--ssl-ca-path folder[:folder...]`: spamd's certificate must lead to one in the file, or in a folder that
//!   `openssl rehash` has prepared; its name does not count.
//! - `--ssl-cert file`, `--ssl-key file`: the certificate and key to show when spamd asks for one.
//!
//! # DIAGNOSTICS
//! 0, or with `-c` and `-E` 1 for spam; 64 for a wrong command line; with `-x`, `-L` and `-K` 68 (no such host), 69 (no connection, or
//! no handshake), 70 (no socket), 71 (a certificate or key that can not be used), 74 (no reply), 75, 76 (the reply makes no sense),
//! 98 (`-L`: too large); 78 for a wrong file of options.
//!
//! # SEE ALSO
//! spamd(8), spamassassin(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::spamc::main(std::env::args_os().skip(1).collect())
}
