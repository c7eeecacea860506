//! One request, carried out on a thread of the pool.

use std::time::{Duration, Instant};

use learned::Learned;
use rulefiles::stamp;
use spam::learned::{Change, Class as Teach, Memory};
use spam::report::{Form, unmark};
use spam::{Answers, Check, Circumstances, Letter};
use spamc_protocol::{Class, Command, Fault, Learn, Reply, Request, Verdict, decompress};

use crate::log_lines::{Facts, write};
use crate::session::Shared;
use crate::users::Chosen;

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

/// Judges a message, or learns from it.
pub(crate) fn judge(shared: &Shared, mut case: Case) -> Reply {
    if case.request.compressed {
        match decompress(&case.message, case.size_limit_bytes) {
            Ok(message) => case.message = message,
            Err(fault) => return Reply::Fault(fault),
        }
    }
    let chosen = match shared.rules.of(case.request.user.as_deref()) {
        Ok(chosen) => chosen,
        Err(withheld) => return Reply::Fault(Fault::Unavailable(withheld.to_string())),
    };
    let memory = shared.notes.of(&chosen.rules().settings, chosen.user(), chosen.state());
    match case.request.command {
        Command::Tell => tell(&chosen, memory.as_ref(), &case),
        _ => verdict(shared, &chosen, memory.as_ref(), &case),
    }
}

fn verdict(shared: &Shared, chosen: &Chosen, memory: Option<&Learned>, case: &Case) -> Reply {
    let begun = Instant::now();
    let request = &case.request;
    let (now, stamp) = stamp(&shared.host);
    let is_over = || begun.elapsed() > case.time_limit;
    let check = check(chosen, memory, &case.message, now, &is_over);
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
    if let Some(memory) = memory {
        shared.notes.tidy_up(memory, &chosen.rules().settings, now);
    }
    Reply::Verdict(Verdict { spam: check.is_spam(), score, required, text })
}

/// Judges a message by the rules, by what DNS says, and by what was learned; what it teaches is noted. While DNS is asked
/// this thread of the pool waits, for as long as `rbl_timeout` says.
pub(crate) fn check<'a>(
    chosen: &'a Chosen,
    memory: Option<&Learned>,
    message: &[u8],
    now: i64,
    is_over: &dyn Fn() -> bool,
) -> Check<'a> {
    let known = memory.map(|memory| -> &dyn Memory { memory });
    let rules = chosen.rules();
    let letter = Letter::open(rules, message);
    let asked = chosen.inquirer().map(|inquirer| inquirer.answers(&letter, rules, now));
    // Where `dns_available` is off the scores are those of the network all the same, as in the peer.
    let answers = asked.or_else(|| (!rules.is_local()).then(Answers::default));
    let check = letter.judge(&Circumstances {
        memory: known,
        answers: answers.as_ref(),
        ..Circumstances::new(now, is_over)
    });
    if let Some(inquirer) = chosen.inquirer() {
        inquirer.learn(&check, rules);
    }
    if let Some(memory) = memory {
        keep(memory, &check.findings.changes);
    }
    check
}

/// Keeps what was learned. What does not work is in the log already.
fn keep(memory: &Learned, changes: &[Change]) -> bool {
    memory.apply(changes).is_ok()
}

/// `TELL`: what is learned, and with `Set: remote` the networks that are on are told. None takes a report back.
fn tell(chosen: &Chosen, memory: Option<&Learned>, case: &Case) -> Reply {
    let begun = Instant::now();
    let rules = chosen.rules();
    let asked = case.request.learn;
    let (now, _) = stamp("");
    let mut did = Learn::default();
    if let Some(memory) = memory {
        if asked.set_local {
            let class = if asked.class == Some(Class::Spam) { Teach::Spam } else { Teach::Ham };
            let lesson = rules.learn(&case.message, class, memory, now);
            did.set_local = keep(memory, &lesson.changes) && lesson.learned;
        }
        if asked.remove_local {
            let lesson = rules.forget(&case.message, memory, now);
            did.remove_local = keep(memory, &lesson.changes) && lesson.learned;
        }
    }
    if asked.set_remote {
        let told = chosen.inquirer().map(|inquirer| inquirer.report(&unmark(&case.message), rules, now));
        did.set_remote = told.is_some_and(|told| told.is_done());
    }
    let what = match (did.set_local, did.set_remote, did.remove_local) {
        (true, true, _) => "Setting local,remote",
        (true, _, _) => "Setting local",
        (_, true, _) => "Setting remote",
        (_, _, true) => "Removing local",
        _ => "Did nothing",
    };
    let (user, uid) = (case.request.user.as_deref().unwrap_or("(unknown)"), sys::ids::effective_uid());
    let (seconds, size) = (format!("{:.1}", begun.elapsed().as_secs_f64()), case.message.len());
    log::info!("spamd: Tell: {what} for {user}:{uid} in {seconds} seconds, {size} bytes");
    Reply::Told(did)
}
