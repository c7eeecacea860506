//! How a report gets into the queue: by the same editor and the same commit as all mail.

use std::sync::Arc;

use cleanup::{Cleanup, Envelope, Finished, Level, Options, Recipient, Verdict};
use lookup::Stop;
use message::{Moment, Received};
use parameters::Config;
use queue::{Queue, QueueError, QueueName};
use queue_format::QueueId;
use rewriting::Context;
use tables::Tables;

use crate::prepare::Report;

/// Why a report is not in the queue. It may be another time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error("table {0} did not answer")]
    Table(String),
    #[error("report not accepted: {0}")]
    Refused(String),
}

/// Puts reports into the queue.
pub(crate) struct Poster {
    settings: Arc<cleanup::Settings>,
    tables: Tables,
    options: Options,
    mail_name: String,
}

impl Poster {
    /// Opens the tables that a chroot would hide later.
    pub(crate) fn new(config: &Config) -> Self {
        let settings = cleanup::Settings::from(config);
        let tables = Tables::default();
        let inspect = has_word(&config.get(&parameters::INTERNAL_MAIL_FILTER_CLASSES), "bounce");
        let rewriting = settings.rewriting.settings();
        for maps in [
            &rewriting.virtual_alias_maps,
            &rewriting.canonical_maps,
            &rewriting.sender_canonical_maps,
            &rewriting.recipient_canonical_maps,
        ] {
            tables.open_maps(maps);
        }
        if inspect {
            for checks in [&settings.header_checks, &settings.mime_header_checks, &settings.body_checks] {
                tables.open_maps(checks);
            }
            tables.open_maps(&settings.nested_header_checks);
        }
        let utf8_classes = config.get(&parameters::SMTPUTF8_AUTODETECT_CLASSES);
        let detect_utf8 = has_word(&utf8_classes, "bounce") || has_word(&utf8_classes, "all");
        Self {
            settings: Arc::new(settings),
            tables,
            options: Options { checks: inspect, mappings: true, bcc: false, detect_utf8 },
            mail_name: config.get(&parameters::MAIL_NAME),
        }
    }

    /// Queues a report; on `Ok` it is on disk. `None`: the site's own checks threw it away.
    pub(crate) fn post(&self, queue: &Queue, report: &Report) -> Result<Option<QueueId>, PostError> {
        let now_us = sys::clock::now_us();
        let file = queue.create(now_us)?;
        let finished = self.edit(report, now_us, file.id().as_str())?;
        for line in &finished.log {
            match line.level {
                Level::Info => log::info!("{}", line.text),
                Level::Warning => log::warn!("{}", line.text),
            }
        }
        match finished.verdict {
            Verdict::Queue => Ok(Some(file.commit(&finished.records)?)),
            Verdict::Hold => {
                let id = file.commit(&finished.records)?;
                queue.hold(QueueName::Incoming, &id)?;
                Ok(Some(id))
            }
            Verdict::Discard => Ok(None),
            Verdict::Reject(refusal) => Err(PostError::Refused(refusal.text)),
        }
    }

    fn edit(&self, report: &Report, now_us: u64, id: &str) -> Result<Finished, PostError> {
        let mut cleanup = Cleanup::new(Arc::clone(&self.settings), self.envelope(report, now_us));
        cleanup.recipient(Recipient { address: report.recipient.clone(), ..Recipient::default() });
        // Above the other headers, where a reader expects the time of a report, not below, where cleanup adds what is missing.
        cleanup.content(format!("Date: {}\n", moment(now_us).to_header()).as_bytes());
        cleanup.content(&report.content);
        cleanup.finish(id, &self.tables).map_err(|stop| match stop {
            Stop::Failed { table } => PostError::Table(table),
            Stop::Wait => PostError::Table("of another program".to_owned()),
        })
    }

    fn envelope(&self, report: &Report, now_us: u64) -> Envelope {
        let arrival = moment(now_us);
        let received = Received {
            host: self.settings.myhostname.clone(),
            mail_name: self.mail_name.clone(),
            date: arrival.clone(),
            ..Received::default()
        };
        Envelope {
            arrival,
            sender: report.sender.clone(),
            rewrite_context: Context::Local,
            send_options: report.send_options,
            attributes: vec![("log_message_origin".to_owned(), "local".to_owned())],
            received: Some(received),
            options: self.options,
            raw_content: true,
            ..Envelope::default()
        }
    }
}

/// A time since 1970 in microseconds, with what the local clock says of it.
pub(crate) fn moment(microseconds: u64) -> Moment {
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
