//! One connection: requests come in, work goes to the pool and comes back, answers go out.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use attributes::Attributes;
use reactor::channel::{Line, Talk};
use reactor::{Fate, Letter};
use services::bounce::{BounceReply, BounceRequest, Command};

use crate::post::{Committed, PostError};
use crate::prepare::{PrepareError, Report};
use crate::service::Bounce;

/// The requests of one connection that are not answered yet, by their number here.
#[derive(Default)]
pub(crate) struct Conversation {
    work: HashMap<u64, Work>,
    next: u64,
}

/// A request that is being worked on.
struct Work {
    request: BounceRequest,
    /// Reports that are not in the queue yet; the one that is being queued has left the list.
    reports: VecDeque<Report>,
    /// The report that is being queued.
    current: Option<Report>,
    /// The first report is queued: from here the request counts as done.
    first_is_queued: bool,
}

/// What comes back from the pool.
enum Step {
    /// Appended to the log, or the log removed.
    Logged(Result<(), PrepareError>),
    /// The reports are written.
    Written(Result<Vec<Report>, PrepareError>),
    /// A report is in the queue.
    Queued(Result<Committed, PostError>),
}

/// A [`Step`] of the request with this number.
struct Progress(u64, Step);

impl Talk<Bounce> for Conversation {
    fn message(&mut self, message: Attributes, bounce: &mut Bounce, line: &mut Line<'_, Bounce>) -> Fate {
        match BounceRequest::from_attributes(&message) {
            Ok(request) => {
                self.begin(request, bounce, line);
                Fate::Keep
            }
            Err(error) => {
                log::warn!("request: {error}");
                Fate::Close
            }
        }
    }

    fn letter(&mut self, letter: Letter, bounce: &mut Bounce, line: &mut Line<'_, Bounce>) -> Fate {
        if let Ok(progress) = letter.downcast::<Progress>() {
            let Progress(number, step) = *progress;
            self.go_on(number, step, bounce, line);
        }
        Fate::Keep
    }

    /// An idle connection ends; one with unanswered requests is heard out.
    fn stopping(&mut self, _bounce: &mut Bounce, _line: &mut Line<'_, Bounce>) -> Fate {
        if self.work.is_empty() { Fate::Close } else { Fate::Keep }
    }

    fn ended(&mut self, bounce: &mut Bounce, _events: &mut reactor::EventLoop<Bounce>) {
        bounce.sessions -= 1;
    }
}

impl Conversation {
    fn begin(&mut self, request: BounceRequest, bounce: &Bounce, line: &mut Line<'_, Bounce>) {
        let number = self.next;
        self.next += 1;
        let (shared, job) = (Arc::clone(&bounce.shared), request.clone());
        let work = Work { request, reports: VecDeque::new(), current: None, first_is_queued: false };
        self.work.insert(number, work);
        self.offload(number, line, move || match &job.command {
            Command::Append(failures) => Step::Logged(shared.append(&job.queue_id, failures)),
            command => Step::Written(shared.reports(&job.queue_id, command)),
        });
    }

    fn offload(
        &mut self,
        number: u64,
        line: &mut Line<'_, Bounce>,
        job: impl FnOnce() -> Step + Send + 'static,
    ) {
        if let Err(error) = line.events.offload(line.me, move || Progress(number, job())) {
            log::warn!("{error}");
            self.answer(number, false, line);
        }
    }

    fn go_on(&mut self, number: u64, step: Step, bounce: &mut Bounce, line: &mut Line<'_, Bounce>) {
        let Some(work) = self.work.get_mut(&number) else { return };
        match step {
            Step::Logged(result) => {
                // A log that stays after its report is sent costs nobody anything: the queue manager removes it with the message.
                let done = work.first_is_queued || result.is_ok();
                warn_of(&work.request.queue_id, result);
                bounce.served += 1;
                self.answer(number, done, line);
            }
            Step::Written(Ok(reports)) => {
                work.reports = reports.into();
                self.post_next(number, bounce, line);
            }
            Step::Written(result) => {
                warn_of(&work.request.queue_id, result.map(drop));
                self.answer(number, false, line);
            }
            Step::Queued(result) => self.queued(number, result, bounce, line),
        }
    }

    /// Puts the next report into the queue, or ends the request when there is none.
    fn post_next(&mut self, number: u64, bounce: &mut Bounce, line: &mut Line<'_, Bounce>) {
        let Some(work) = self.work.get_mut(&number) else { return };
        let Some(report) = work.reports.pop_front() else { return self.finish(number, bounce, line) };
        let edited = bounce.poster.edit(&report);
        work.current = Some(report);
        match edited {
            Ok(message) => self.offload(number, line, move || Step::Queued(message.commit())),
            Err(error) => self.queued(number, Err(error), bounce, line),
        }
    }

    fn queued(
        &mut self,
        number: u64,
        result: Result<Committed, PostError>,
        bounce: &mut Bounce,
        line: &mut Line<'_, Bounce>,
    ) {
        let Some(work) = self.work.get_mut(&number) else { return };
        let id = &work.request.queue_id;
        match (result, work.current.take()) {
            (Ok(committed), Some(report)) => {
                log::info!("{id}: {}: {}", report.log_words, committed.id);
                bounce.poster.announce(&committed);
                work.first_is_queued = true;
                self.post_next(number, bounce, line);
            }
            (Err(error), _) if work.first_is_queued => {
                // The postmaster's copy is a courtesy: the sender's report must not be sent twice for it.
                log::warn!("{id}: postmaster notice failed: {error}");
                self.post_next(number, bounce, line);
            }
            (result, _) => {
                warn_of(id, result.map(drop));
                self.answer(number, false, line);
            }
        }
    }

    /// All reports are queued, or nobody is to be told: the log has served, unless it goes on.
    fn finish(&mut self, number: u64, bounce: &mut Bounce, line: &mut Line<'_, Bounce>) {
        let Some(work) = self.work.get_mut(&number) else { return };
        if !matches!(work.request.command, Command::Flush(_)) {
            return self.answer(number, true, line);
        }
        work.first_is_queued = true;
        let (shared, id) = (Arc::clone(&bounce.shared), work.request.queue_id.clone());
        self.offload(number, line, move || Step::Logged(shared.forget(&id)));
    }

    fn answer(&mut self, number: u64, done: bool, line: &mut Line<'_, Bounce>) {
        if let Some(work) = self.work.remove(&number) {
            line.send(&BounceReply { serial: work.request.serial, done }.to_attributes());
        }
    }
}

fn warn_of(id: &str, result: Result<(), impl std::fmt::Display>) {
    if let Err(error) = result {
        log::warn!("{id}: {error}");
    }
}
