//! # NAME
//! sendmail - submit mail, as programs expect it
//!
//! # SYNOPSIS
//! `sendmail [option ...] [recipient ...]`
//! `mailq`
//! `sendmail -I`
//!
//! # DESCRIPTION
//! Takes a message from standard input up to its end, or a line with a dot alone, and puts it into the queue through postdrop(1). Works while
//! the mail system is down; the message then waits.
//!
//! # OPTIONS
//! - `-B 8BITMIME`, `-B 7BIT`: what the body is.
//! - `-bd`, `-bl`: start the mail system.
//! - `-bi`, `-I`: make the alias tables anew, as newaliases(1).
//! - `-bm`: take a message from standard input; the default.
//! - `-bp`: show the queue, as mailq(1).
//! - `-bs`: SMTP on standard input and output, by smtpd(8). Access is controlled only when `mail_owner` runs it.
//! - `-bv`: deliver nothing, report by mail how it would be delivered.
//! - `-C config_dir`: where main.cf is, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-F name`: the sender's full name.
//! - `-f address`, `-r address`: the envelope sender.
//! - `-G`: the message comes from elsewhere: its headers are left alone.
//! - `-i`, `-oi`: a line with a dot alone does not end the message.
//! - `-N words`: when to report: `never`, or some of `success`, `failure`, `delay`, with commas (RFC 3461).
//! - `-oAname`: the alias table for `-bi`.
//! - `-q`: try all mail in the queue now; `-qIqueue_id`: this message; `-qRsite`: the mail for this site.
//! - `-R full`, `-R hdrs`: what a report of failure holds (RFC 3461).
//! - `-t`: recipients are in the header: To, Cc, Bcc, or their Resent- forms.
//! - `-V id`: the envelope id (RFC 3461). `-XV`, `-XVab`: a return address of its own for each recipient (VERP), with these delimiters.
//! - `-v`: report by mail how it was delivered.
//! - `-A -c -e -h -L -m -O -o -p -U -x` are accepted and mean nothing.
//!
//! # DIAGNOSTICS
//! Exit status 0 when the message is safe; 69, 70 or 75 when it was not taken, 75 also when it is too large and for a command line
//! that makes no sense: the caller tries again.
//!
//! # CONFIGURATION PARAMETERS
//! `alternate_config_directories`, `command_directory`, `default_verp_delimiters`, `verp_delimiter_filter`, `header_address_token_limit`, `line_length_limit`, `message_size_limit`,
//! `sendmail_fix_line_endings`.
//!
//! # SEE ALSO
//! postdrop(1), postqueue(1), pickup(8), mailq(1), newaliases(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::sendmail::main(commands::sendmail::Name::Sendmail, std::env::args_os().skip(1).collect())
}
