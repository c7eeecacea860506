//! # NAME
//! spamassassin - judges mail on standard input, and marks it
//!
//! # SYNOPSIS
//! `spamassassin [options] [ < message | path ... ]`
//!
//! # DESCRIPTION
//! Reads a message, judges it by SpamAssassin's rules, and writes it to standard output with its marks: headers, or a report with the
//! message attached (`report_safe`). It loads all rules for each run: where more than a few messages come, spamc(1) and spamd(8) do the
//! same without that.
//!
//! Rules ask DNS unless `-L` is given: lists of relays, senders and links, `askdns`, SPF, DKIM, DMARC, HashBL.
//!
//! What was learned counts as with spamd(8): Bayes, and the averages of senders (AWL, TxRep) where their plugins are loaded. It lies in
//! ~/.spamassassin of whoever runs the program, unless `bayes_path` and `auto_welcomelist_path` say otherwise.
//!
//! # OPTIONS
//! - `-t`, `--test-mode`: add the report at the end, whatever the verdict.
//! - `-d`, `--remove-markup`: take the marks of an earlier run away; with `-t`, judge what is left.
//! - `-e[=status]`, `--exit-code`: exit with this status (5) when it is spam.
//! - `-L`, `--local`: no network tests.
//! - `-p file`, `--prefspath`: the user's preferences; ~/.spamassassin/user_prefs by default.
//! - `-C path`, `--configpath`: the folder of the rules.
//! - `--siteconfigpath path`: the folder of local.cf and of .pre files.
//! - `--cf line`, `--pre line`: lines on top of all files, or before them.
//! - `-x`, `--nocreate-prefs`: make no file of preferences for a user who has none.
//! - `--lint`: check the rule files and nothing else.
//! - `-D[areas]`, `--debug`: tell on standard error what is done.
//! - `-r`, `--report`; `-k`, `--revoke`: learn that the message is spam, or is not. Spam is reported to Pyzor and DCC, where
//!   these are on; no network takes a report back. Razor and SpamCop are not in this version. Where nobody takes it, it says so.
//! - `-W`, `-R`, `--add-to-blocklist`, `--add-addr-to-welcomelist address` and their kin: change the averages of senders.
//! - `--mbox`: the input has many messages, each behind a `From ` line.
//! - `--progress`, `-u user`, `-4`, `-6`, `--net`: taken, and without effect here.
//! - `-V`, `-h`: what you think.
//!
//! # DIAGNOSTICS
//! 0; 5 or the status of `-e` for spam; 1 when `--lint` finds something; 64 for a wrong command line.
//!
//! # SEE ALSO
//! spamc(1), spamd(8), sa-learn(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::spamassassin::main(std::env::args_os().skip(1).collect())
}
