//! One client that has logged in: its machine's questions go to the mailbox, on a thread of the pool.

use std::sync::Arc;
use std::time::Duration;

use mailbox::store::{DropSettings, Location, MailError, Maildrop, MessageText, UidlFormat};
use pop3_protocol::{Answer, Facts, Question, Session, Settings};
use reactor::{EventLoop, HandlerId, Letter, drive};
use services::residents::NewSession;

use crate::mailboxes::Mailboxes;
use crate::settings::SessionSettings;

/// So much of a message is read at a time, in bytes.
const READ_BYTES: usize = 64 * 1024;

/// A client with its maildrop.
pub(crate) struct MailSession {
    machine: Session,
    /// `user=<u@x>, rip=192.0.2.1`, for the log.
    shown: String,
    settings: SessionSettings,
    format: UidlFormat,
    location: Location,
    maildrop: Option<Arc<Maildrop>>,
    /// The message that is being sent.
    text: Option<(usize, MessageText)>,
    ahead: Ahead,
    how_it_ended: &'static str,
}

/// What a thread brings back.
enum Brought {
    Opened(Result<Maildrop, MailError>),
    Read(Piece),
    /// What nobody has asked for yet; none where the maildrop is closed.
    Ahead(Option<Piece>),
    Updated(Result<(), MailError>),
}

/// A piece of a message.
struct Piece {
    message: usize,
    outcome: Result<(MessageText, Vec<u8>), MailError>,
}

/// The begin of the message that is likely to be asked for next: most clients take them in turn, each when they have
/// the one before.
#[derive(Default)]
enum Ahead {
    #[default]
    No,
    /// A thread reads it; the client may be waiting for it.
    Reading {
        message: usize,
        awaited: bool,
    },
    Here(Piece),
}

impl MailSession {
    pub(crate) fn new(
        new: &NewSession,
        settings: SessionSettings,
        format: UidlFormat,
        location: Location,
    ) -> Self {
        let dialogue = Settings {
            timeout: settings.timeout,
            has_last: settings.has_last,
            expire_days: settings.expire_days,
        };
        let address = new.words.get("rip").filter(|address| !address.is_empty()).unwrap_or("unknown");
        Self {
            machine: Session::new(dialogue, &new.early),
            shown: format!("user=<{}>, rip={address}", new.user),
            settings,
            format,
            location,
            maildrop: None,
            text: None,
            ahead: Ahead::No,
            how_it_ended: "disconnected without QUIT",
        }
    }

    fn open(&self, mailboxes: &Mailboxes) -> impl FnOnce() -> Brought + Send + use<> {
        let (stores, location) = (Arc::clone(&mailboxes.stores), self.location.clone());
        let settings = DropSettings {
            format: self.format.clone(),
            exclusive: self.settings.locks,
            hidden_keyword: self.settings.deleted_flag.clone(),
            keeps_deleted: self.settings.keeps_deleted,
        };
        move || {
            let store = stores.open_at(&location);
            Brought::Opened(store.and_then(|store| Maildrop::open(&store, settings, sys::clock::now_us())))
        }
    }

    fn read(&mut self, message: usize, offset: u64) -> Option<impl FnOnce() -> Brought + Send + use<>> {
        let maildrop = Arc::clone(self.maildrop.as_ref()?);
        let uid = maildrop.messages().get(message)?.uid;
        let open = self.text.take().filter(|(number, _)| *number == message).map(|(_, text)| text);
        Some(move || {
            let text = open.map_or_else(|| maildrop.text(uid), Ok);
            Brought::Read(Piece { message, outcome: text.and_then(|text| read_at(text, offset)) })
        })
    }

    /// Has the begin of a message been read ahead, or is it about to be? Then a question needs no thread.
    fn read_ahead(
        &mut self,
        message: usize,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Option<Option<Answer>> {
        match std::mem::take(&mut self.ahead) {
            Ahead::Here(piece) if piece.message == message => Some(Some(self.piece(piece, events, me))),
            Ahead::Reading { message: other, .. } => {
                let awaited = other == message;
                self.ahead = Ahead::Reading { message: other, awaited };
                awaited.then_some(None)
            }
            _ => None,
        }
    }

    /// A message has been sent: begins to read the next one.
    fn begin_ahead(&mut self, message: usize, events: &mut EventLoop<Mailboxes>, me: HandlerId) {
        let Some(maildrop) = &self.maildrop else { return };
        let Some(uid) = maildrop.messages().get(message).map(|message| message.uid) else { return };
        if !matches!(self.ahead, Ahead::No) {
            return;
        }
        // It may wait for long, and the maildrop may be closed meanwhile.
        let maildrop = Arc::downgrade(maildrop);
        let begun = events.offload(me, move || {
            let text = maildrop.upgrade().map(|maildrop| maildrop.text(uid));
            let piece = |text: Result<MessageText, MailError>| text.and_then(|text| read_at(text, 0));
            Brought::Ahead(text.map(|text| Piece { message, outcome: piece(text) }))
        });
        if begun.is_ok() {
            self.ahead = Ahead::Reading { message, awaited: false };
        }
    }

    /// What has been read ahead is here.
    fn ahead_came(
        &mut self,
        piece: Option<Piece>,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Option<Answer> {
        match (std::mem::take(&mut self.ahead), piece) {
            (Ahead::Reading { awaited: true, .. }, Some(piece)) => Some(self.piece(piece, events, me)),
            (Ahead::Reading { awaited: true, .. }, None) => Some(Answer::Failed),
            (_, piece) => {
                self.ahead = piece.map_or(Ahead::No, Ahead::Here);
                None
            }
        }
    }

    fn piece(
        &mut self,
        Piece { message, outcome }: Piece,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Answer {
        match outcome {
            Ok((text, bytes)) => {
                let is_end = bytes.len() < READ_BYTES;
                self.text = (!is_end).then_some((message, text));
                if is_end {
                    self.begin_ahead(message + 1, events, me);
                }
                Answer::Text { bytes, is_end }
            }
            Err(MailError::Gone(_)) => Answer::Gone,
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &MailError) -> Answer {
        log::warn!("{}: {error}", self.shown);
        self.how_it_ended = "mailbox failed";
        Answer::Failed
    }

    fn update(
        &mut self,
        deleted: &[usize],
        seen: &[usize],
    ) -> Option<impl FnOnce() -> Brought + Send + use<>> {
        let maildrop = self.maildrop.take()?;
        let uids = |numbers: &[usize]| -> Vec<u32> {
            let all = maildrop.messages();
            numbers.iter().filter_map(|number| all.get(*number)).map(|message| message.uid).collect()
        };
        let seen = if self.settings.no_flag_updates { Vec::new() } else { uids(seen) };
        let deleted = uids(deleted);
        (self.text, self.ahead) = (None, Ahead::No);
        Some(move || {
            let maildrop = alone(maildrop);
            Brought::Updated(maildrop.update(&deleted, &seen, sys::clock::now_us()))
        })
    }

    fn judged(
        &mut self,
        brought: Brought,
        mailboxes: &mut Mailboxes,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Option<Answer> {
        Some(match brought {
            Brought::Opened(Ok(maildrop)) => self.opened(maildrop, mailboxes, events),
            Brought::Opened(Err(MailError::InUse)) => {
                self.how_it_ended = "maildrop is in use";
                Answer::InUse
            }
            Brought::Read(piece) => self.piece(piece, events, me),
            Brought::Ahead(piece) => return self.ahead_came(piece, events, me),
            Brought::Updated(Ok(())) => {
                self.how_it_ended = "logged out";
                Answer::Updated
            }
            Brought::Opened(Err(error)) | Brought::Updated(Err(error)) => self.failed(&error),
        })
    }

    fn opened(
        &mut self,
        maildrop: Maildrop,
        mailboxes: &mut Mailboxes,
        events: &mut EventLoop<Mailboxes>,
    ) -> Answer {
        let maildrop = Arc::new(maildrop);
        if self.settings.locks {
            mailboxes.keep_fresh(&maildrop, events);
        }
        let facts = |message: &mailbox::store::DropMessage| Facts {
            size_bytes: message.size_bytes,
            uidl: message.uidl.clone(),
        };
        let messages = maildrop.messages().iter().map(facts).collect();
        let last_seen = maildrop.last_seen();
        self.maildrop = Some(maildrop);
        Answer::Opened { messages, last_seen }
    }
}

fn read_at(mut text: MessageText, offset: u64) -> Result<(MessageText, Vec<u8>), MailError> {
    let mut bytes = Vec::new();
    text.read_at(offset, READ_BYTES, &mut bytes)?;
    Ok((text, bytes))
}

/// The only handle of a maildrop: a thread that touches its lock is done in a moment.
fn alone(mut shared: Arc<Maildrop>) -> Maildrop {
    loop {
        match Arc::try_unwrap(shared) {
            Ok(maildrop) => return maildrop,
            Err(again) => shared = again,
        }
        std::thread::yield_now();
    }
}

impl drive::Session<Mailboxes> for MailSession {
    type Machine = Session;

    fn machine(&mut self) -> &mut Session {
        &mut self.machine
    }

    fn answer(
        &mut self,
        question: Question,
        mailboxes: &mut Mailboxes,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Option<Answer> {
        let sent = match question {
            Question::Open => events.offload(me, self.open(mailboxes)),
            Question::Read { message, offset } => {
                if offset == 0
                    && let Some(known) = self.read_ahead(message, events, me)
                {
                    return known;
                }
                match self.read(message, offset) {
                    Some(job) => events.offload(me, job),
                    None => return Some(Answer::Failed),
                }
            }
            Question::Update { deleted, seen } => match self.update(&deleted, &seen) {
                Some(job) => events.offload(me, job),
                None => return Some(Answer::Failed),
            },
        };
        sent.err().map(|error| {
            log::warn!("{}: {error}", self.shown);
            Answer::Failed
        })
    }

    fn letter(
        &mut self,
        letter: Letter,
        mailboxes: &mut Mailboxes,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Option<Answer> {
        let brought = letter.downcast::<Brought>().ok()?;
        self.judged(*brought, mailboxes, events, me)
    }

    fn begin_tls(&mut self, _mailboxes: &mut Mailboxes) -> Option<(tls::Server, Duration)> {
        None
    }

    fn ended(&mut self, mailboxes: &mut Mailboxes, _events: &mut EventLoop<Mailboxes>) {
        let totals = self.machine.totals();
        log::info!(
            "{}: {}, retr={}, del={}/{}, size={}",
            self.shown,
            self.how_it_ended,
            totals.fetched,
            totals.deleted,
            totals.messages,
            totals.bytes
        );
        mailboxes.clients.gone();
    }
}
