//! The lines that administrators look for, in the original's words.

use std::time::Duration;

use spam::Check;

/// What the log tells beside the verdict.
pub(crate) struct Facts<'a> {
    /// Whose preferences count.
    pub(crate) user: Option<&'a str>,
    /// Where the client is: `rhost=...,raddr=...,rport=...`.
    pub(crate) client: &'a str,
    /// `processing` or `checking`
    pub(crate) doing: &'a str,
    /// Bytes of the message.
    pub(crate) size: usize,
}

/// Tells of a verdict.
pub(crate) fn write(check: &Check<'_>, facts: &Facts<'_>, took: Duration) {
    let Facts { user, client, doing, size } = facts;
    let user = user.unwrap_or("(unknown)");
    let uid = sys::ids::effective_uid();
    let id = check.message_id().unwrap_or_else(|| "(unknown)".to_owned());
    log::info!("spamd: {doing} message {id} for {user}:{uid}");
    let (score, required) = (check.shown_score(), check.shown_required_score());
    let seconds = format!("{:.1}", took.as_secs_f64());
    let what = if check.is_spam() { "identified spam" } else { "clean message" };
    log::info!("spamd: {what} ({score}/{required}) for {user}:{uid} in {seconds} seconds, {size} bytes.");
    let mark = if check.is_spam() { 'Y' } else { '.' };
    let whole = check.findings.score.trunc();
    let tests = check.tests().join(",");
    let autolearn = &check.findings.autolearn;
    let judgement = check.findings.bayes.as_ref().and_then(|judgement| judgement.probability);
    let bayes = judgement.map(|probability| format!("bayes={probability:.6},")).unwrap_or_default();
    log::info!(
        "spamd: result: {mark} {whole:2} - {tests} scantime={seconds},size={size},user={user},uid={uid},\
         required_score={required},{client},mid={id},{bayes}autolearn={autolearn}"
    );
}
