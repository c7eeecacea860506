//! From a submission to a message that is safe in the queue.

use std::sync::Arc;

use cleanup::{Cleanup, Envelope, Finished, Options, Refusal, Verdict};
use message::Received;
use parameters::Config;
use posting::{editing, moment};
use queue::{Entry, NewFile, Queue, QueueError, QueueName};
use queue_format::QueueId;
use rewriting::Context;
use tables::Tables;

use crate::submission::{Submission, SubmissionError};

/// Content beyond this goes to the file before the message is complete, in bytes.
const KEPT_BYTES: usize = 512 * 1024;

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the incoming queue under this id.
    Queued(QueueId),
    /// It is on hold, thrown away, put aside, or was gone.
    Over,
    /// It lies where it lay.
    Later,
}

/// Why a submission is not in the queue.
#[derive(Debug)]
enum Obstacle {
    Queue(QueueError),
    Submission(SubmissionError),
}

impl From<QueueError> for Obstacle {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
}

impl From<SubmissionError> for Obstacle {
    fn from(error: SubmissionError) -> Self {
        Self::Submission(error)
    }
}

/// What all submissions have in common.
pub(crate) struct Intake {
    settings: Arc<cleanup::Settings>,
    /// For what goes back to its sender: any size and any number of hops will do.
    lenient: Arc<cleanup::Settings>,
    tables: Tables,
    options: Options,
    filter: Option<String>,
    error_service: String,
    mail_name: String,
    mail_owner: u32,
    log_internal_form: bool,
}

impl Intake {
    /// `config` is that of pickup(8), `of_cleanup` that of the cleanup service it speaks for.
    pub(crate) fn new(config: &Config, of_cleanup: &Config) -> Self {
        let settings = cleanup::Settings::from(of_cleanup);
        let lenient =
            cleanup::Settings { message_size_limit: 0, hopcount_limit: usize::MAX, ..settings.clone() };
        let overrides = config.get(&parameters::RECEIVE_OVERRIDE_OPTIONS);
        let off = |name: &str| overrides.split(parameters::text::is_list_separator).any(|word| word == name);
        let utf8 = config.get(&parameters::SMTPUTF8_AUTODETECT_CLASSES);
        let detect = |name: &str| utf8.split(parameters::text::is_list_separator).any(|word| word == name);
        let filter = config.get(&parameters::CONTENT_FILTER);
        let owner = sys::users::user(&config.get(&parameters::MAIL_OWNER)).ok().flatten();
        let options = Options {
            checks: !off("no_header_body_checks"),
            mappings: !off("no_address_mappings"),
            bcc: !off("no_address_mappings"),
            detect_utf8: detect("sendmail") || detect("all"),
        };
        let tables = Tables::default();
        editing::open_tables(&tables, &settings, options);
        Self {
            tables,
            options,
            settings: Arc::new(settings),
            lenient: Arc::new(lenient),
            filter: (!filter.is_empty()).then_some(filter),
            error_service: config.get(&parameters::ERROR_SERVICE_NAME),
            mail_name: config.get(&parameters::MAIL_NAME),
            mail_owner: owner.map_or_else(sys::ids::effective_uid, |user| user.uid),
            log_internal_form: config.get(&parameters::INFO_LOG_ADDRESS_FORMAT) == "internal",
        }
    }

    /// The tables of the site's rewriting and checks.
    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Takes one file into the queue and removes it. Blocks.
    pub(crate) fn take(&self, queue: &Queue, entry: &Entry) -> Outcome {
        let Some(id) = entry.id() else { return Outcome::Over };
        // postsuper(1) may have taken a message out of the active queue that is just being delivered. Whom that still
        // reaches is to be known before the others get a message of their own.
        if queue.is_being_delivered(QueueName::Maildrop, &id).unwrap_or(false) {
            return Outcome::Later;
        }
        let outcome = match Submission::open(&entry.path, &id, self.mail_owner) {
            Ok(submission) if submission.is_delivered() => {
                log::info!("maildrop/{id}: every recipient has it by now, nothing is queued anew");
                Ok(Outcome::Over)
            }
            Ok(submission) => self.queue(queue, &submission),
            Err(error) => Err(error.into()),
        };
        match outcome {
            Ok(outcome) => {
                if outcome != Outcome::Later
                    && let Err(error) = queue.remove(QueueName::Maildrop, &id)
                {
                    log::warn!("maildrop/{id}: {error}: the message may be queued twice");
                }
                outcome
            }
            Err(Obstacle::Submission(SubmissionError::Gone)) => Outcome::Over,
            Err(Obstacle::Submission(
                error @ (SubmissionError::Malformed(_) | SubmissionError::Incomplete(_)),
            )) => {
                log::warn!("maildrop/{id}: {error}; saved in the corrupt queue");
                match queue.corrupt(QueueName::Maildrop, &id) {
                    Ok(()) => Outcome::Over,
                    Err(error) => {
                        log::warn!("{error}");
                        Outcome::Later
                    }
                }
            }
            Err(Obstacle::Submission(error)) => {
                log::warn!("maildrop/{id}: {error}");
                Outcome::Later
            }
            Err(Obstacle::Queue(error)) => {
                log::warn!("maildrop/{id}: {error}");
                Outcome::Later
            }
        }
    }

    fn queue(&self, queue: &Queue, submission: &Submission) -> Result<Outcome, Obstacle> {
        let refusal = match self.edit(queue, submission, None)? {
            Ok(outcome) => return Ok(outcome),
            Err(refusal) => refusal,
        };
        if refusal.code < 500 {
            log::warn!("uid={}: {}", submission.uid, refusal.text);
            return Ok(Outcome::Later);
        }
        // The sender gets it back with the reason: the queue manager has it bounced by the error service.
        match self.edit(queue, submission, Some(&refusal))? {
            Ok(outcome) => Ok(outcome),
            Err(refusal) => {
                log::warn!("uid={}: {}", submission.uid, refusal.text);
                Err(SubmissionError::Incomplete("recipient").into())
            }
        }
    }

    /// Edits and commits the message; `refused` is why it goes back.
    fn edit(
        &self,
        queue: &Queue,
        submission: &Submission,
        refused: Option<&Refusal>,
    ) -> Result<Result<Outcome, Refusal>, Obstacle> {
        let now_us = sys::clock::now_us();
        let mut file = queue.create(now_us)?;
        let id = file.id().clone();
        self.log_begin(&id, submission);
        let settings = if refused.is_some() { &self.lenient } else { &self.settings };
        let mut cleanup = Cleanup::new(Arc::clone(settings), self.envelope(submission, now_us, refused));
        submission.recipients().for_each(|recipient| {
            cleanup.recipient(recipient);
        });
        let mut written = Ok(());
        submission.read_content(|bytes| {
            cleanup.content(bytes);
            if written.is_ok() && cleanup.pending_bytes() >= KEPT_BYTES {
                let _ = cleanup.advance(id.as_str(), &self.tables);
                written = file.write(&cleanup.take());
            }
        })?;
        written?;
        let Ok(finished) = cleanup.finish(id.as_str(), &self.tables) else {
            return Ok(Err(Refusal { code: 451, text: "4.3.0 a table did not answer".to_owned() }));
        };
        editing::log(&finished);
        match finished.verdict {
            Verdict::Queue => commit(file, &finished).map(|id| Ok(Outcome::Queued(id))),
            Verdict::Hold => {
                file.hold()?;
                commit(file, &finished).map(|_| Ok(Outcome::Over))
            }
            Verdict::Discard => Ok(Ok(Outcome::Over)),
            Verdict::Reject(refusal) => Ok(Err(refusal)),
        }
    }

    fn log_begin(&self, id: &QueueId, submission: &Submission) {
        let sender = submission.envelope.sender.as_deref().unwrap_or("");
        let shown = if self.log_internal_form || sender.is_empty() {
            sender.to_owned()
        } else {
            address::quote(sender)
        };
        match &submission.requeued {
            Some(old) => log::info!("{id}: uid={} from=<{shown}> orig_id={old}", submission.uid),
            None => log::info!("{id}: uid={} from=<{shown}>", submission.uid),
        }
    }

    fn envelope(&self, submission: &Submission, now_us: u64, refused: Option<&Refusal>) -> Envelope {
        let known = &submission.envelope;
        let arrival_us =
            known.arrival.and_then(|time| u64::try_from(time.as_micros()).ok()).unwrap_or(now_us);
        let remote = self.settings.rewriting.header_context(false);
        let received = Received {
            submitter: Some(format!("from userid {}", submission.uid)),
            host: self.settings.myhostname.clone(),
            mail_name: self.mail_name.clone(),
            date: moment(submission.modified_us),
            ..Received::default()
        };
        let trace = submission.trace_flags().map(|flags| ("trace_flags".to_owned(), flags));
        Envelope {
            arrival: moment(arrival_us),
            created_seconds: i64::try_from(now_us / 1_000_000).ok(),
            sender: known.sender.clone().unwrap_or_default(),
            full_name: known.full_name.clone().unwrap_or_default(),
            rewrite_context: submission.context(if remote == Context::Local {
                Context::Remote
            } else {
                remote
            }),
            return_flags: known.return_flags,
            envelope_id: known.envelope_id.clone(),
            encoding: submission.encoding(),
            verp_delimiters: known.verp_delimiters.clone(),
            attributes: trace.into_iter().collect(),
            received: Some(received),
            options: match refused {
                Some(_) => Options { checks: false, bcc: false, ..self.options },
                None => self.options,
            },
            filter: match refused {
                Some(refusal) => Some(format!("{}:{}", self.error_service, refusal.reason())),
                None => self.filter.clone(),
            },
            raw_content: true,
            ..Envelope::default()
        }
    }
}

fn commit(mut file: NewFile, finished: &Finished) -> Result<QueueId, Obstacle> {
    posting::note_expanded(&mut file, &finished.expanded)?;
    if file.length() > 0 {
        file.overwrite(0, &finished.size_record)?;
    }
    Ok(file.commit(&finished.records)?)
}
