//! One request, carried out on a thread of the pool.

use std::time::{Duration, Instant};

use rulefiles::stamp;
use spam::report::Form;
use spam::{Check, Circumstances};
use spamc_protocol::{Command, Fault, Reply, Request, Verdict, decompress};

use crate::log_lines::{Facts, write};
use crate::users::Rules;

/// What a verdict needs beside the rules.
pub(crate) struct Case {
    pub(crate) request: Request,
    pub(crate) message: Vec<u8>,
    /// Where the client is, as the log shows it.
    pub(crate) client: String,
    pub(crate) time_limit: Duration,
    /// What a compressed message may become.
    pub(crate) size_limit_bytes: usize,
}

/// Judges a message.
pub(crate) fn judge(rules: &Rules, host: &str, mut case: Case) -> Reply {
    if case.request.compressed {
        match decompress(&case.message, case.size_limit_bytes) {
            Ok(message) => case.message = message,
            Err(fault) => return Reply::Fault(fault),
        }
    }
    judge_plain(rules, host, &case)
}

fn judge_plain(rules: &Rules, host: &str, case: &Case) -> Reply {
    let request = &case.request;
    if request.command == Command::Tell {
        return Reply::Fault(Fault::Unavailable("learning is not in this version of spamd".to_owned()));
    }
    let begun = Instant::now();
    let chosen = rules.of(request.user.as_deref());
    let (now, stamp) = stamp(host);
    let is_over = || begun.elapsed() > case.time_limit;
    let check = Check::new(chosen.rules(), &case.message, &Circumstances::new(now, &is_over));
    let text = match request.command {
        Command::Symbols => check.tests().join(",").into_bytes(),
        Command::Report | Command::ReportIfSpam => check.report(&stamp),
        Command::Process | Command::Headers => check.marked(Form::Configured, &stamp),
        _ => Vec::new(),
    };
    let (score, required) = (check.shown_score(), check.shown_required_score());
    let facts = Facts {
        user: request.user.as_deref(),
        client: &case.client,
        doing: if request.command == Command::Process { "processing" } else { "checking" },
        size: case.message.len(),
    };
    write(&check, &facts, begun.elapsed());
    Reply::Verdict(Verdict { spam: check.is_spam(), score, required, text })
}
