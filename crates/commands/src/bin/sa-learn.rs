//! # NAME
//! sa-learn - teaches the spam filter by examples
//!
//! # SYNOPSIS
//! `sa-learn [options] --spam|--ham|--forget [file ...]`
//! `sa-learn [options] --dump [all|data|magic]`
//! `sa-learn [options] --sync|--force-expire|--backup|--restore file|--clear`
//!
//! # DESCRIPTION
//! Shows the learner (the BAYES rules) messages that are known to be spam, or to be wanted. It needs 200 of each before it says anything.
//! A message that was learned already is passed over; one that was learned as the other class is learned anew. Marks of an earlier
//! check are taken out first.
//!
//! Files hold one message each; folders hold files, or are Maildirs; `--mbox` files hold many messages. A name may say what it is:
//! `spam:mbox:/path`. Without a name, one message is read from standard input. Compressed files are unpacked.
//!
//! The data lies in LMDB, in ~/.spamassassin/bayes.lmdb or where `bayes_path` says. That of an installed SpamAssassin comes over by
//! its `sa-learn --backup` and this one's `--restore`.
//!
//! Where several hosts share it, it lies in Redis: `bayes_store_module Mail::SpamAssassin::BayesStore::Redis`, and `bayes_sql_dsn` says
//! where: `server=`*host*`:`*port* or `server=`*socket*, `password=`, `database=`*number*, with `;` between. An installed SpamAssassin
//! may use the same at the same time. Tokens that nobody used for `bayes_token_ttl` go by themselves, messages that were learned after
//! `bayes_seen_ttl`, unless `bayes_auto_expire` is off. `--restore` adds to what is there, and `--clear` only says how to empty the
//! database: it may hold more than this.
//!
//! Or it lies in the tables `bayes_vars`, `bayes_token`, `bayes_seen` and `bayes_global_vars` of a database, made by SpamAssassin's schema,
//! also together with SpamAssassin: `bayes_store_module Mail::SpamAssassin::BayesStore::MySQL` (or `PgSQL`, or `SQL` for SQLite),
//! `bayes_sql_dsn DBI:mysql:`*name*`:`*host* (`DBI:Pg:dbname=`*name*`;host=`*host*, `DBI:SQLite:dbname=`*file*), asked as
//! `bayes_sql_username` with `bayes_sql_password`. There each user has his own, unless `bayes_sql_override_username` names one for all.
//! A backup that can not be read to its end changes nothing there. SQLite needs a primary key or a unique index on (`id`, `token`) and
//! on (`id`, `msgid`).
//!
//! # OPTIONS
//! - `--spam`, `--ham`, `--forget`: what the messages are.
//! - `-f file`, `--folders`: a list of names, one a line.
//! - `--mbox`: files hold many messages each. `--dir`, `--file`, `--single`: taken, and without effect.
//! - `--max-size bytes`: pass over larger messages; 500 KB by default, 0 for no limit.
//! - `--sync`: write down what waits, and remove old tokens if it is time. `--force-expire`: remove them in any case.
//! - `--no-sync`: without effect: nothing waits when the command has ended.
//! - `--dump`: show numbers (`magic`), tokens (`data`), or both. `--regexp pattern`: only such tokens.
//! - `--backup`: write everything to standard output. `--restore file`: take that in the place of what is there. `--clear`: forget all.
//! - `--dbpath path`: another database, as `bayes_path`.
//! - `-p file`, `-C path`, `--siteconfigpath path`, `--cf line`: as spamassassin(1).
//! - `--progress`, `--showdots`: a dot for each message. `-q`: less.
//! - `--stopafter n`: end when so many were learned. `-D`: tell more.
//! - `-u user`: whose data it is, in a database of SQL.
//! - `-L`, `--use-ignores`, `--learnprob`, `--randseed`: taken, and without effect here. `-V`, `-h`: what you think.
//!
//! # DIAGNOSTICS
//! 0; 1 when there was no message; 2 when the data can not be read or written; 64 for a wrong command line.
//!
//! # SEE ALSO
//! spamassassin(1), spamd(8), sa-awl(1)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::sa_learn::main(std::env::args_os().skip(1).collect())
}
