//! One client that has logged in: its machine's questions go to the mailbox, on a thread of the pool.

use std::sync::Arc;

use mailbox::store::{DropSettings, Location, MailError, Maildrop, MessageText, UidlFormat};
use pop3_protocol::{Answer, Facts, Question, Session, Settings};
use reactor::{EventLoop, HandlerId, Letter, drive};
use services::residents::NewSession;

use crate::ahead::{Claim, Piece, Pieces, ReadAhead, read_at};
use crate::mailboxes::Mailboxes;
use crate::settings::SessionSettings;

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
    ahead: ReadAhead,
    how_it_ended: &'static str,
}

/// What a thread brings back.
enum Brought {
    Opened(Result<Maildrop, MailError>),
    Read(Piece),
    /// What nobody has asked for yet; nothing where the maildrop is closed.
    Ahead(Pieces),
    Updated(Result<(), MailError>),
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
            ahead: ReadAhead::default(),
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

    /// A message has been sent: begins to read the next ones.
    fn begin_ahead(&mut self, message: usize, events: &mut EventLoop<Mailboxes>, me: HandlerId) {
        let Some(job) = self.maildrop.as_ref().and_then(|maildrop| self.ahead.job(message, maildrop)) else {
            return;
        };
        if events.offload(me, move || Brought::Ahead(job())).is_ok() {
            self.ahead.has_begun(message);
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
        (self.text, self.ahead) = (None, ReadAhead::default());
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
            Brought::Ahead(pieces) => match self.ahead.came(pieces)? {
                Some(piece) => self.piece(piece, events, me),
                None => Answer::Failed,
            },
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
                if offset == 0 {
                    match self.ahead.claim(message) {
                        Claim::Here(piece) => return Some(self.piece(piece, events, me)),
                        Claim::OnItsWay => return None,
                        Claim::Unknown => {}
                    }
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
