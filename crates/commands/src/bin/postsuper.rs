//! # NAME
//! postsuper - superintendent of the queue
//!
//! # SYNOPSIS
//! `postsuper [-psSv] [-c config_dir] [-d queue_id] [-e queue_id] [-f queue_id] [-h queue_id] [-H queue_id] [-r queue_id] [queue ...]`
//!
//! # DESCRIPTION
//! Deletes, holds, releases, requeues and expires messages, and puts the queue in order. For root only. Without an option, `-p` and `-s` are
//! done. Where no queue is named, messages are looked for in hold, incoming, active and deferred.
//!
//! Each option with a queue_id may be given more than once. With `-`, the ids come from standard input; with `ALL`, in capital letters, all
//! messages are meant.
//!
//! # OPTIONS
//! - `-c config_dir`: where main.cf is, instead of `$MAIL_CONFIG` or /etc/postfix.
//! - `-d queue_id`: delete the message.
//! - `-e queue_id`: return the message to its sender at the next attempt.
//! - `-f queue_id`: the same, and release it from hold.
//! - `-h queue_id`: put the message on hold.
//! - `-H queue_id`: release it from hold, into the deferred queue.
//! - `-p`: remove files that were never finished and are seven days old, and logs of the same age whose message is gone.
//! - `-r queue_id`: requeue: send the message through pickup(8) again, under a new id.
//! - `-s`: repair the structure: give files whose inode does not fit their names new ones (after a restore from backup), move
//!   them where `hash_queue_names` and `hash_queue_depth` want them, remove needless folders.
//! - `-S`: as `-s`; long ids too must fit the inode.
//! - `-v`: say more.
//!
//! # DIAGNOSTICS
//! What was done is told on standard error and in the log. Exit status 0 when no step failed, else 1.
//!
//! # CONFIGURATION PARAMETERS
//! `enable_long_queue_ids`, `hash_queue_depth`, `hash_queue_names`, `queue_directory`.
//!
//! # SEE ALSO
//! postqueue(1), postcat(1), qmgr(8)

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::postsuper::main(std::env::args_os().skip(1).collect())
}
