//! Mail that the suite itself puts into the queue: reports, and messages that an alias sends on.
//!
//! It goes through the same editor and the same commit as all other mail.

pub mod editing;
mod expansion;

use std::sync::Arc;

use cleanup::{Cleanup, Envelope, Finished, LogClient, Options, Recipient, Verdict};
use lookup::Stop;
use mailbox::Content;
use mailbox::content::ContentError;
use message::{Moment, Received};
use parameters::Config;
use queue::{Queue, QueueError};
use queue_format::QueueId;
use rewriting::Context;
use tables::Tables;

pub use expansion::note_expanded;

/// What is posted, beside the content.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    /// The sender in internal form, empty for a report.
    pub sender: String,
    /// To whom; at least one.
    pub recipients: Vec<Recipient>,
    /// The client that the log names; none for mail that begins here.
    pub log_client: Option<LogClient>,
    /// "7bit", "8bit" or empty when not known.
    pub encoding: String,
    /// The SMTPUTF8 flags.
    pub send_options: u32,
    /// RFC 3461 ENVID.
    pub envelope_id: String,
    /// RFC 3461 RET.
    pub return_flags: u32,
    /// Header lines above all others but our own Received, each ended by LF.
    pub head: String,
}

/// Why a letter is not in the queue. It may be another time.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The spool failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The content could not be read.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A table could not be read.
    #[error("table {0} did not answer")]
    Table(String),
    /// The site's own checks refuse it.
    #[error("message not accepted: {0}")]
    Refused(String),
}

/// Puts letters into the queue.
pub struct Poster {
    settings: Arc<cleanup::Settings>,
    tables: Tables,
    options: Options,
    mail_name: String,
}

impl Poster {
    /// Opens the tables that a chroot would hide later. `class` names the kind of mail in
    /// `internal_mail_filter_classes` and `smtputf8_autodetect_classes`: "bounce", "forward". `config` is that of the
    /// program, `of_cleanup` that of the cleanup service whose work is done here.
    pub fn new(config: &Config, of_cleanup: &Config, class: &str) -> Self {
        let settings = cleanup::Settings::from(of_cleanup);
        let tables = Tables::default();
        let inspect = has_word(&config.get(&parameters::INTERNAL_MAIL_FILTER_CLASSES), class);
        let utf8_classes = config.get(&parameters::SMTPUTF8_AUTODETECT_CLASSES);
        let detect_utf8 = has_word(&utf8_classes, class) || has_word(&utf8_classes, "all");
        let options = Options { checks: inspect, mappings: true, bcc: false, detect_utf8 };
        editing::open_tables(&tables, &settings, options);
        Self { settings: Arc::new(settings), tables, options, mail_name: config.get(&parameters::MAIL_NAME) }
    }

    /// The tables of the site's rewriting and checks.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Queues a letter; on `Ok` it is on disk. `None`: the site's own checks threw it away. Blocks.
    ///
    /// # Errors
    /// [`PostError`]: nothing is queued.
    pub fn post(
        &self,
        queue: &Queue,
        letter: &Letter,
        content: &mut dyn Content,
    ) -> Result<Option<QueueId>, PostError> {
        let now_us = sys::clock::now_us();
        let mut file = queue.create(now_us)?;
        let finished = self.edit(letter, content, now_us, file.id().as_str())?;
        editing::log(&finished);
        if matches!(finished.verdict, Verdict::Queue | Verdict::Hold) {
            note_expanded(&mut file, &finished.expanded)?;
        }
        match finished.verdict {
            Verdict::Queue => Ok(Some(file.commit(&finished.records)?)),
            Verdict::Hold => {
                // Before it is complete: a queue manager that looks through incoming/ must not find it there.
                file.hold()?;
                Ok(Some(file.commit(&finished.records)?))
            }
            Verdict::Discard => Ok(None),
            Verdict::Reject(refusal) => Err(PostError::Refused(refusal.text)),
        }
    }

    fn edit(
        &self,
        letter: &Letter,
        content: &mut dyn Content,
        now_us: u64,
        id: &str,
    ) -> Result<Finished, PostError> {
        let mut cleanup = Cleanup::new(Arc::clone(&self.settings), self.envelope(letter, now_us));
        letter.recipients.iter().for_each(|recipient| {
            cleanup.recipient(recipient.clone());
        });
        cleanup.content(letter.head.as_bytes());
        let mut piece = Vec::new();
        while content.fill(&mut piece)? {
            cleanup.content(&piece);
            piece.clear();
        }
        cleanup.finish(id, &self.tables).map_err(|stop| match stop {
            Stop::Failed { table } => PostError::Table(table),
            Stop::Wait => PostError::Table("of another program".to_owned()),
        })
    }

    fn envelope(&self, letter: &Letter, now_us: u64) -> Envelope {
        let arrival = moment(now_us);
        let received = Received {
            host: self.settings.myhostname.clone(),
            mail_name: self.mail_name.clone(),
            date: arrival.clone(),
            ..Received::default()
        };
        let attributes = match letter.log_client {
            Some(_) => Vec::new(),
            None => vec![("log_message_origin".to_owned(), "local".to_owned())],
        };
        Envelope {
            arrival,
            sender: letter.sender.clone(),
            log_client: letter.log_client.clone(),
            encoding: letter.encoding.clone(),
            envelope_id: letter.envelope_id.clone(),
            return_flags: letter.return_flags,
            rewrite_context: Context::Local,
            send_options: letter.send_options,
            attributes,
            received: Some(received),
            options: self.options,
            raw_content: true,
            ..Envelope::default()
        }
    }
}

/// A time since 1970 in microseconds, with what the local clock says of it.
pub fn moment(microseconds: u64) -> Moment {
    let seconds = i64::try_from(microseconds / 1_000_000).unwrap_or(i64::MAX);
    let local = sys::clock::local_time(seconds);
    Moment {
        seconds,
        microseconds: u32::try_from(microseconds % 1_000_000).unwrap_or(0),
        offset_seconds: i32::try_from(local.offset_seconds).unwrap_or(0),
        zone: local.zone.as_str().to_owned(),
    }
}

fn has_word(list: &str, word: &str) -> bool {
    list.split(parameters::text::is_list_separator).any(|own| own.eq_ignore_ascii_case(word))
}
