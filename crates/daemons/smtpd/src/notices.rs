//! Mail to the postmaster about sessions with trouble (`notify_classes`).

use std::io;
use std::sync::Arc;

use cleanup::Recipient;
use notifications::SessionNotice;
use parameters::Config;
use posting::{Letter, Poster, moment};
use queue_format::QueueId;
use reactor::{EventLoop, Fate, Handler, HandlerId};
use smtp_protocol::{Transcript, Troubles};
use tables::Tables;

use crate::service::Smtpd;

/// Notices of one worker that are on their way at a time; of further ones the log tells.
const UNDER_WAY_LIMIT: usize = 16;

/// Who is told of what.
pub(crate) struct Notices {
    /// `error_notice_recipient`; for trouble of the class "bounce", `bounce_notice_recipient`.
    recipient: String,
    bounce_recipient: String,
    /// `double_bounce_sender` with our host: a notice is never returned.
    sender: String,
    poster: Option<Arc<Poster>>,
    desk: Option<HandlerId>,
    under_way: usize,
}

impl Notices {
    pub(crate) fn new(config: &Config, of_cleanup: &Config) -> Self {
        let poster = (!wanted(config).is_none()).then(|| Arc::new(Poster::new(config, of_cleanup, "notify")));
        let host = config.get(&parameters::MYHOSTNAME);
        Self {
            recipient: config.get(&parameters::ERROR_NOTICE_RECIPIENT),
            bounce_recipient: config.get(&parameters::BOUNCE_NOTICE_RECIPIENT),
            sender: format!("{}@{host}", config.get(&parameters::DOUBLE_BOUNCE_SENDER)),
            poster,
            desk: None,
            under_way: 0,
        }
    }

    /// How many are being written: the worker does not leave before they are in the queue.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way
    }

    /// The tables of the site's rewriting.
    pub(crate) fn tables(&self) -> Option<&Tables> {
        self.poster.as_deref().map(Poster::tables)
    }

    fn letter(&self, transcript: &Transcript) -> Letter {
        let bounce = transcript.troubles.has(Troubles::BOUNCE);
        let address = if bounce { &self.bounce_recipient } else { &self.recipient };
        Letter {
            sender: self.sender.clone(),
            recipients: vec![Recipient { address: address.clone(), ..Recipient::default() }],
            head: format!("Date: {}\n", moment(sys::clock::now_us()).to_header()),
            ..Letter::default()
        }
    }
}

/// The kinds of trouble that `notify_classes` names; "2bounce" and "delay" are bounce(8)'s business.
pub(crate) fn wanted(config: &Config) -> Troubles {
    let classes = config.get(&parameters::NOTIFY_CLASSES).to_ascii_lowercase();
    let words = classes.split(parameters::text::is_list_separator);
    words.filter_map(Troubles::named).fold(Troubles::default(), Troubles::with)
}

/// A letter: the notice is in the queue, or never will be.
struct Queued(Option<QueueId>);

struct Desk;

impl Handler<Smtpd> for Desk {
    fn letter(
        &mut self,
        letter: reactor::Letter,
        daemon: &mut Smtpd,
        _: &mut EventLoop<Smtpd>,
        _: HandlerId,
    ) -> Fate {
        if let Ok(queued) = letter.downcast::<Queued>() {
            daemon.notices.under_way = daemon.notices.under_way.saturating_sub(1);
            if let Some(id) = queued.0 {
                daemon.notifier.arrived(id.as_str());
            }
        }
        Fate::Keep
    }
}

impl Smtpd {
    /// Makes the desk for what the pool has done. To be called once, at the start.
    pub(crate) fn open_notices(&mut self, events: &mut EventLoop<Self>) -> io::Result<()> {
        self.notices.desk = Some(events.add(Box::new(Desk))?);
        Ok(())
    }

    /// Tells the postmaster what was said to `client`, and by it. Nobody waits for it.
    pub(crate) fn notice(&mut self, transcript: &Transcript, client: &str, events: &mut EventLoop<Self>) {
        let notices = &mut self.notices;
        let (Some(poster), Some(desk)) = (&notices.poster, notices.desk) else { return };
        if notices.under_way >= UNDER_WAY_LIMIT {
            return log::warn!("postmaster notify: {UNDER_WAY_LIMIT} are on their way, none about {client}");
        }
        let text = SessionNotice {
            mail_name: &self.settings.mail_name,
            client,
            recipient: &notices.recipient,
            transcript: &transcript.lines,
            aborted: transcript.aborted,
        }
        .text();
        let (letter, poster, queue) = (notices.letter(transcript), Arc::clone(poster), self.queue.clone());
        let job = move || {
            let posted = poster.post(&queue, &letter, &mut text.as_bytes());
            Queued(posted.unwrap_or_else(|error| {
                log::warn!("postmaster notify: {error}");
                None
            }))
        };
        match events.offload(desk, job) {
            Ok(()) => notices.under_way += 1,
            Err(full) => log::warn!("postmaster notify: {full}"),
        }
    }
}
