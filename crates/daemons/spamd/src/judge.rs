//! One request, carried out on a thread of the pool.

use std::time::{Duration, Instant};

use rulefiles::stamp;
use spam::report::Form;
use spam::{Check, Circumstances};
use spamc_protocol::{Command, Fault, Reply, Request, Verdict};

use crate::users::Rules;

/// What a verdict needs beside the rules.
pub(crate) struct Case {
    pub(crate) request: Request,
    pub(crate) message: Vec<u8>,
    /// Where the client is, as the log shows it.
    pub(crate) client: String,
    pub(crate) time_limit: Duration,
}

/// Judges a message.
pub(crate) fn judge(rules: &Rules, host: &str, case: &Case) -> Reply {
    let request = &case.request;
    if request.command == Command::Tell {
        return Reply::Fault(Fault::Unavailable("learning is not in this version of spamd".to_owned()));
    }
    if request.compressed {
        return Reply::Fault(Fault::Unavailable(
            "compressed messages are not in this version of spamd".to_owned(),
        ));
    }
    let begun = Instant::now();
    let chosen = rules.of(request.user.as_deref());
    let (now, stamp) = stamp(host);
    let is_over = || begun.elapsed() > case.time_limit;
    let circumstances = Circumstances::new(now, &is_over);
    let check = Check::new(chosen.rules(), &case.message, &circumstances);
    let text = match request.command {
        Command::Symbols => check.tests().join(",").into_bytes(),
        Command::Report | Command::ReportIfSpam => check.report(&stamp),
        Command::Process | Command::Headers => check.marked(Form::Configured, &stamp),
        _ => Vec::new(),
    };
    let (score, required) = (check.shown_score(), check.shown_required_score());
    let verdict = Verdict { spam: check.is_spam(), score, required, text };
    write_log(&check, case, &verdict, begun.elapsed(), &check.findings.autolearn.to_string());
    Reply::Verdict(verdict)
}

/// The lines that administrators look for.
fn write_log(check: &Check<'_>, case: &Case, verdict: &Verdict, took: Duration, autolearn: &str) {
    let user = case.request.user.as_deref().unwrap_or("(unknown)");
    let uid = sys::ids::effective_uid();
    let (score, required, size) = (&verdict.score, &verdict.required, case.message.len());
    let seconds = format!("{:.1}", took.as_secs_f64());
    let what = if verdict.spam { "identified spam" } else { "clean message" };
    log::info!("spamd: {what} ({score}/{required}) for {user}:{uid} in {seconds} seconds, {size} bytes.");
    let mark = if verdict.spam { 'Y' } else { '.' };
    let id = check.message_id().unwrap_or_else(|| "(unknown)".to_owned());
    let whole = check.findings.score.trunc();
    let tests = check.tests().join(",");
    let client = &case.client;
    log::info!(
        "spamd: result: {mark} {whole:2} - {tests} scantime={seconds},size={size},user={user},uid={uid},\
         required_score={required},{client},mid={id},autolearn={autolearn}"
    );
}
