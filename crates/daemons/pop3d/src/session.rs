//! One client that has logged in: its machine's questions go to the mailbox, on a thread of the pool.

use std::collections::VecDeque;
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
/// So many messages are read ahead at most, and no further one when there are [`READ_BYTES`].
const AHEAD_MESSAGES: usize = 16;

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
    /// So many messages are read ahead the next time: the more, the longer the client has taken them in turn.
    ahead_messages: usize,
    how_it_ended: &'static str,
}

/// What a thread brings back.
enum Brought {
    Opened(Result<Maildrop, MailError>),
    Read(Piece),
    /// What nobody has asked for yet; nothing where the maildrop is closed.
    Ahead(VecDeque<Piece>),
    Updated(Result<(), MailError>),
}

/// A piece of a message.
struct Piece {
    message: usize,
    outcome: Outcome,
}

/// The bytes, and the open message where it goes on behind them.
type Outcome = Result<(Vec<u8>, Option<MessageText>), MailError>;

/// The messages that are likely to be asked for next, a first piece of each: most clients take them in turn, each when
/// they have the one before.
#[derive(Default)]
enum Ahead {
    #[default]
    No,
    /// A thread reads them, this one first; the client may be waiting for it.
    Reading {
        message: usize,
        awaited: bool,
    },
    Here(VecDeque<Piece>),
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
            ahead_messages: 1,
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
            Ahead::Here(pieces) if pieces.front().is_some_and(|piece| piece.message == message) => {
                Some(self.first_of(pieces, events, me))
            }
            Ahead::Reading { message: other, .. } => {
                let awaited = other == message;
                self.ahead = Ahead::Reading { message: other, awaited };
                awaited.then_some(None)
            }
            _ => {
                self.ahead_messages = 1;
                None
            }
        }
    }

    /// The first piece is wanted now, the others may be soon.
    fn first_of(
        &mut self,
        mut pieces: VecDeque<Piece>,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Option<Answer> {
        let first = pieces.pop_front()?;
        if pieces.is_empty() {
            self.ahead_messages = (self.ahead_messages * 2).min(AHEAD_MESSAGES);
        } else {
            self.ahead = Ahead::Here(pieces);
        }
        Some(self.piece(first, events, me))
    }

    /// A message has been sent: begins to read the next ones.
    fn begin_ahead(&mut self, message: usize, events: &mut EventLoop<Mailboxes>, me: HandlerId) {
        let (Some(maildrop), Ahead::No) = (&self.maildrop, &self.ahead) else { return };
        let next = maildrop.messages().iter().map(|message| message.uid).enumerate().skip(message);
        let next: Vec<_> = next.take(self.ahead_messages).collect();
        if next.is_empty() {
            return;
        }
        // It may wait for long, and the maildrop may be closed meanwhile.
        let maildrop = Arc::downgrade(maildrop);
        let begun = events.offload(me, move || {
            let (mut pieces, mut total_bytes) = (VecDeque::new(), 0);
            for (message, uid) in next {
                let Some(text) = maildrop.upgrade().map(|maildrop| maildrop.text(uid)) else { break };
                let outcome = text.and_then(|text| read_at(text, 0));
                total_bytes += outcome.as_ref().map_or(0, |(bytes, _)| bytes.len());
                pieces.push_back(Piece { message, outcome });
                if total_bytes >= READ_BYTES {
                    break;
                }
            }
            Brought::Ahead(pieces)
        });
        if begun.is_ok() {
            self.ahead = Ahead::Reading { message, awaited: false };
        }
    }

    /// What has been read ahead is here.
    fn ahead_came(
        &mut self,
        pieces: VecDeque<Piece>,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Option<Answer> {
        match std::mem::take(&mut self.ahead) {
            Ahead::Reading { awaited: true, .. } => {
                Some(self.first_of(pieces, events, me).unwrap_or(Answer::Failed))
            }
            _ => {
                self.ahead = Ahead::Here(pieces);
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
            Ok((bytes, rest)) => {
                let is_end = rest.is_none();
                self.text = rest.map(|text| (message, text));
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
            Brought::Ahead(pieces) => return self.ahead_came(pieces, events, me),
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

fn read_at(mut text: MessageText, offset: u64) -> Outcome {
    let mut bytes = Vec::new();
    text.read_at(offset, READ_BYTES, &mut bytes)?;
    let goes_on = bytes.len() == READ_BYTES;
    Ok((bytes, goes_on.then_some(text)))
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
