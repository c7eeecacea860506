//! What becomes of a message whose recipients have their results: crossed off, reported, removed, put off, returned.

use scheduling::retry::Next;
use scheduling::{Job, MessageKey};
use services::bounce::{Command, Failure};
use services::delivery::{Expansion, Outcome, Recipient, Times, Verdict, log_line};

use crate::disk::{Refused, Task};
use crate::message::{End, Message, Stage};
use crate::reports::{Purpose, ReportService};
use crate::service::Manager;

/// RFC 3461 NOTIFY, as in the queue file.
const NOTIFY_NEVER: u32 = 1;
pub(crate) const NOTIFY_SUCCESS: u32 = 2;
const NOTIFY_FAILURE: u32 = 4;
const NOTIFY_DELAY: u32 = 8;

/// How long the disk is left alone after it refused a removal or a rename, in seconds: first, and at most.
const DISK_RETRY_SECONDS: u64 = 1;
const DISK_RETRY_LIMIT_SECONDS: u64 = 60;

impl Manager {
    /// Results that the queue manager finds by itself: it logs them as an agent would.
    pub(crate) fn settle_here(&mut self, job: Job, outcome: &Outcome) {
        let Some(message) = self.messages.get(&job.message) else { return };
        let request = message.request(0, "", &job.recipients);
        let now = sys::clock::now_us();
        let times = Times { taken_us: now, connected_us: now, done_us: now };
        for recipient in &request.recipients {
            log::info!("{}", log_line(&request, recipient, outcome, times));
        }
        let outcomes = job.recipients.iter().map(|slot| (*slot, outcome.clone())).collect();
        self.take_outcomes(job.message, outcomes);
    }

    /// Takes the results of some recipients. Those that bounce(8) has to keep count only when it has.
    pub(crate) fn take_outcomes(&mut self, key: MessageKey, outcomes: Vec<(u32, Outcome)>) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        if message.direct.is_some() {
            return self.take_direct_outcomes(key, outcomes);
        }
        let mut kept: [(Vec<u32>, Vec<Failure>); 3] = Default::default();
        // Beside what bounce and defer keep of them.
        let mut also_traced = Vec::new();
        for (slot, mut outcome) in outcomes {
            if !message.recipients.contains_key(&slot) {
                continue;
            }
            soften(&mut outcome, message.soft_bounce);
            let recipient = message.recipient(slot);
            let of_alias = tells_of_alias(message, slot, &outcome);
            let only_verifies = message.trace.only_verifies();
            let traced = || match of_alias {
                Some(expansion) => vec![Failure::expanded(&recipient, expansion, &outcome)],
                None => {
                    let results = outcome.results(&recipient).into_iter();
                    results.map(|(who, what)| Failure::traced(&who, &what, only_verifies)).collect()
                }
            };
            match service_for(message, slot, &outcome) {
                None if outcome.crossed_off && !message.began_directly => {
                    message.settle(slot, End::CrossedOff)
                }
                None => message.settle(slot, End::Done),
                Some(service) => {
                    let (slots, failures) = &mut kept[service as usize];
                    slots.push(slot);
                    failures.extend(match service {
                        ReportService::Trace => traced(),
                        _ => failures_of(&recipient, &outcome),
                    });
                }
            }
            if outcome.verdict != Verdict::Sent && (of_alias.is_some() || message.trace.reports_all()) {
                also_traced.extend(traced());
            }
        }
        if !also_traced.is_empty() {
            self.append(ReportService::Trace, key, Vec::new(), also_traced);
        }
        for (service, (slots, failures)) in
            [ReportService::Bounce, ReportService::Defer, ReportService::Trace].into_iter().zip(kept)
        {
            if !slots.is_empty() {
                if service == ReportService::Defer {
                    self.note_waiting(key, &slots);
                }
                self.append(service, key, slots, failures);
            }
        }
        self.cross_off(key);
        self.advance(key);
    }

    /// Marks those that are done, when others of the message are still under way; else the end of the message does it.
    fn cross_off(&mut self, key: MessageKey) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        if message.direct.is_some()
            || message.unmarked.is_empty()
            || (message.open() == 0 && message.more.is_none())
        {
            return;
        }
        let offsets = std::mem::take(&mut message.unmarked);
        self.disk.push(Task::Mark { key, id: message.id.clone(), offsets });
    }

    /// bounce(8) has answered.
    pub(crate) fn report_done(
        &mut self,
        key: MessageKey,
        service: ReportService,
        purpose: Purpose,
        done: bool,
    ) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        let kept = if done { End::Done } else { End::Another };
        message.waiting -= 1;
        match (purpose, service) {
            (Purpose::Append(slots), ReportService::Bounce) => {
                message.bounce_log |= done;
                slots.into_iter().for_each(|slot| message.settle(slot, kept));
            }
            (Purpose::Append(slots), ReportService::Defer) => {
                message.defer_log |= done;
                slots.into_iter().for_each(|slot| message.settle(slot, End::Another));
            }
            // Delivered is delivered, whether the sender gets to know or not.
            (Purpose::Append(slots), ReportService::Trace) => {
                message.trace_log |= done;
                slots.into_iter().for_each(|slot| message.settle(slot, End::Done));
            }
            (Purpose::Flush, ReportService::Defer) if done => self.leave(key),
            (Purpose::Flush, ReportService::Defer) => self.park(key, DISK_RETRY_LIMIT_SECONDS, false),
            (Purpose::Flush, ReportService::Trace) if done => self.trace_is_reported(key),
            (Purpose::Flush, _) => message.deferred |= !done,
            (Purpose::Warn, _) => {
                if let Stage::Warning(until) = message.stage {
                    self.park_until(key, until, done);
                }
            }
        }
        self.cross_off(key);
        self.advance(key);
    }

    /// `sendmail -v` is about the first attempt: at the next one the message is one like others.
    fn trace_is_reported(&mut self, key: MessageKey) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        if let Some((_, offset)) = message.envelope.trace.take().filter(|_| message.trace.reports_all()) {
            self.disk.push(Task::StrikeOut { key, id: message.id.clone(), offset });
        }
    }

    /// Moves a message on when nothing is awaited.
    pub(crate) fn advance(&mut self, key: MessageKey) {
        self.count_freed(key);
        let Some(message) = self.messages.get_mut(&key) else { return };
        if message.open() > 0 || message.waiting > 0 {
            return;
        }
        match message.stage {
            Stage::Delivering if message.more.is_some() => self.read_on(key),
            Stage::Delivering => {
                message.stage = Stage::Reporting;
                self.report(key);
            }
            Stage::Reporting => self.report(key),
            Stage::Expiring | Stage::Warning(_) | Stage::Leaving => {}
        }
    }

    /// Has the reports sent that are due, one after the other; then decides what becomes of the message.
    fn report(&mut self, key: MessageKey) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        if std::mem::take(&mut message.bounce_log) {
            let original = message.original();
            return self.ask(ReportService::Bounce, key, Purpose::Flush, Command::Flush(original));
        }
        if std::mem::take(&mut message.trace_log) {
            let original = message.original();
            return self.ask(ReportService::Trace, key, Purpose::Flush, Command::Flush(original));
        }
        if message.deferred { self.judge(key) } else { self.leave(key) }
    }

    /// Somebody is left over: too old, late enough for a warning, or simply another time.
    fn judge(&mut self, key: MessageKey) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        let now = self.now_us / 1_000_000;
        let next = match message.force_expire {
            true => Next::Expired,
            false => self.settings.retry.next(now, message.created_seconds(), message.sender().is_empty()),
        };
        let until = match next {
            Next::Expired => {
                let word = if message.force_expire { "force-expired" } else { "expired" };
                let sender = self.settings.shown(message.sender());
                log::info!("{}: from=<{sender}>, status={word}, returned to sender", message.id);
                message.stage = Stage::Expiring;
                let original = message.original();
                return self.ask(ReportService::Defer, key, Purpose::Flush, Command::Flush(original));
            }
            Next::At(until) => until,
        };
        let due = |message: &Message| {
            message.envelope.warn_time.is_some_and(|warn| warn.seconds > 0 && now + 1 >= warn.seconds)
        };
        if due(message) && message.defer_log {
            message.stage = Stage::Warning(until);
            let original = message.original();
            return self.ask(ReportService::Defer, key, Purpose::Warn, Command::Warn(original));
        }
        self.park_until(key, until, false);
    }

    fn park(&mut self, key: MessageKey, seconds: u64, warned: bool) {
        self.park_until(key, self.now_us / 1_000_000 + seconds, warned);
    }

    /// Into `deferred/`.
    fn park_until(&mut self, key: MessageKey, until: u64, warned: bool) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        message.stage = Stage::Leaving;
        message.waiting += 1;
        let offsets = std::mem::take(&mut message.unmarked);
        let warned = message.envelope.warn_time.filter(|_| warned);
        self.disk.push(Task::Park { key, id: message.id.clone(), offsets, until, warned });
    }

    /// Nobody is left over.
    fn leave(&mut self, key: MessageKey) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        if message.direct.is_some() {
            return self.leave_directly(key);
        }
        message.stage = Stage::Leaving;
        message.waiting += 1;
        self.disk.push(Task::Remove { key, id: message.id.clone(), with_logs: message.defer_log });
    }

    /// The message has been moved to `deferred/`, or removed.
    pub(crate) fn left(&mut self, key: MessageKey, result: Result<(), Refused>, removed: bool) {
        match result {
            Err(Refused { error, task }) if !error.is_gone() => {
                // Not to be lost, and not to be delivered again: the message stays in memory until the disk does as it should.
                let refusals = self.messages.get_mut(&key).map_or(0, |message| {
                    message.refusals += 1;
                    message.refusals - 1
                });
                let delay = DISK_RETRY_SECONDS.checked_shl(refusals).unwrap_or(DISK_RETRY_LIMIT_SECONDS);
                let delay = delay.clamp(DISK_RETRY_SECONDS, DISK_RETRY_LIMIT_SECONDS);
                log::warn!("{error}; trying again in {delay} s");
                self.later.push((self.now_us + delay * 1_000_000, task));
            }
            result => {
                let Some(message) = self.forget_message(key) else { return };
                if removed && result.is_ok() {
                    log::info!("{}: removed", message.id);
                }
                self.intake.forget(&message.id);
            }
        }
    }
}

/// `soft_bounce`: nothing is returned to its sender, everything is tried again.
pub(crate) fn soften(outcome: &mut Outcome, soft_bounce: bool) {
    if soft_bounce && outcome.verdict == Verdict::Bounced {
        outcome.verdict = Verdict::Deferred;
        soften_status(&mut outcome.status);
        for member in outcome.members.iter_mut().filter(|member| member.verdict == Verdict::Bounced) {
            member.verdict = Verdict::Deferred;
            soften_status(&mut member.status);
        }
    }
}

fn soften_status(status: &mut String) {
    if status.starts_with('5') {
        status.replace_range(..1, "4");
    }
}

/// What bounce(8) keeps: of the members of an alias, those who fared as the recipient does on the whole.
fn failures_of(recipient: &Recipient, outcome: &Outcome) -> Vec<Failure> {
    let results = outcome.results(recipient).into_iter().filter(|(_, what)| what.verdict == outcome.verdict);
    results.map(|(who, what)| Failure::new(&who, &what)).collect()
}

/// Which service of bounce(8) keeps the result, if any does (RFC 3461 §4.1: NOTIFY; `sendmail -bv` and `-v`).
pub(crate) fn service_for(message: &Message, slot: u32, outcome: &Outcome) -> Option<ReportService> {
    let notify = message.recipients[&slot].recipient.notify;
    let trace = message.trace;
    if trace.only_verifies() {
        return Some(ReportService::Trace);
    }
    match outcome.verdict {
        Verdict::Deferred => Some(ReportService::Defer),
        Verdict::Sent => {
            let cleared = trace.reports_cleared_delay() && (notify == 0 || notify & NOTIFY_DELAY != 0);
            (wants_success(notify) || cleared || trace.reports_all()).then_some(ReportService::Trace)
        }
        Verdict::Bounced => (notify == 0 || notify & NOTIFY_FAILURE != 0).then_some(ReportService::Bounce),
    }
}

fn wants_success(notify: u32) -> bool {
    notify & NOTIFY_SUCCESS != 0 && notify & NOTIFY_NEVER == 0
}

/// Is the sender told that an alias took the recipient in (RFC 3461 §5.2.7.2)? `sendmail -v` shows the steps instead.
fn tells_of_alias(message: &Message, slot: u32, outcome: &Outcome) -> Option<Expansion> {
    let wanted = wants_success(message.recipients[&slot].recipient.notify);
    let over = outcome.verdict != Verdict::Deferred;
    outcome.expansion.filter(|_| over && wanted && message.trace.is_plain())
}
