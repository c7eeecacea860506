//! A client that has logged in: its machine's questions go to pool threads, with all that the session holds.

use std::sync::Arc;
use std::time::Duration;

use imap_protocol::session::{Answer, Question, Session as Dialogue, SessionSettings};
use mailbox::store::WatchKey;
use reactor::drive::{self, Connection};
use reactor::{EventLoop, HandlerId, Letter};
use services::residents::NewSession;
use sys::clock;
use worker::resident::Parked;

use crate::parking::ParkedSession;
use crate::resident::Mailboxes;
use crate::state::{Features, State};
use crate::view::ParkedView;
use crate::watches::Watches;

/// A letter: something that is watched for the session has changed.
pub(crate) struct Changed(pub(crate) WatchKey);

/// A letter: can the session be parked? Then it counts itself among [`Mailboxes::resting`].
pub(crate) struct Rest;

/// A letter: the session goes, to be taken up again later.
pub(crate) struct Leave;

/// A letter: a pool thread has done what was asked.
struct Finished {
    state: Box<State>,
    answer: Answer,
}

/// A client in its mailbox.
pub(crate) struct Session {
    machine: Dialogue,
    /// None while a pool thread has it.
    state: Option<Box<State>>,
    /// The machine waits for what the thread is doing.
    is_awaited: bool,
    /// The next piece of a long answer, made while the one before it goes out. There is one at the most.
    ahead: Option<Answer>,
    watch: Option<WatchKey>,
    /// What NOTIFY has asked for; then it is what is watched while the client idles, too.
    watches: Option<Box<Watches>>,
    wants_poll: bool,
    me: Option<HandlerId>,
    /// What it came with; only where its process has so few sessions that they may be parked.
    origin: Option<Box<NewSession>>,
    /// It goes, as this, idling or not, and is waited for so long.
    leaves: Option<(NewSession, bool, Duration)>,
    /// The client has been heard then, and perhaps since.
    heard_us: u64,
}

impl Session {
    pub(crate) fn new(settings: Arc<SessionSettings>, tag: &str, early: &[u8], state: State) -> Self {
        Self::with(Dialogue::new(settings, tag, early), state)
    }

    /// A session that was parked goes on.
    pub(crate) fn resumed(settings: Arc<SessionSettings>, parked: ParkedSession, mut state: State) -> Self {
        state.features = parked.features;
        state.resumes = parked.view.map(Box::new);
        let session = Self::with(Dialogue::resumed(settings, parked.dialogue), state);
        Self { heard_us: parked.heard_us, ..session }
    }

    /// It may be parked, and comes back with this.
    pub(crate) fn with_origin(self, origin: Option<Box<NewSession>>) -> Self {
        Self { origin, ..self }
    }

    fn with(machine: Dialogue, state: State) -> Self {
        Self {
            machine,
            state: Some(Box::new(state)),
            is_awaited: false,
            ahead: None,
            watch: None,
            watches: None,
            wants_poll: false,
            me: None,
            origin: None,
            leaves: None,
            heard_us: 0,
        }
    }

    /// As what it would be parked; none when it can not be.
    fn parked(&mut self) -> Option<(Features, Option<ParkedView>)> {
        let state = self.state.as_ref()?;
        // Where a client wants to hear of changes and there can be no watch, only a process can look for them.
        let hears = self.machine.is_idle() && state.view.is_some();
        let watched = hears == self.watch.is_some();
        let needs_no_more = self.watches.as_ref().is_none_or(|watches| watches.is_empty());
        if !(watched && needs_no_more && self.origin.is_some() && self.machine.can_park()) {
            return None;
        }
        state.parked()
    }

    /// Goes, if it can.
    fn leave(&mut self) {
        let Some((features, view)) = self.parked() else { return };
        let Some(origin) = &self.origin else { return };
        let now_us = clock::now_us();
        if self.machine.take_heard() {
            self.heard_us = now_us;
        }
        let (dialogue, heard_us) = (self.machine.parked(), self.heard_us);
        let silent = Duration::from_micros(now_us.saturating_sub(heard_us));
        let (idles, patience) = (dialogue.idles, self.machine.patience_with_silence(silent));
        let parked = ParkedSession { dialogue, features, view, heard_us };
        self.leaves = parked.into_session(origin).map(|session| (session, idles, patience));
        if self.leaves.is_some() {
            self.machine.park();
            self.wants_poll = true;
            // It goes on, wherever the session goes: to end it would be news.
            self.watch = None;
        }
    }

    /// Gives the state to a pool thread.
    fn offload(
        &mut self,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
        job: impl FnOnce(&mut State) -> Answer + Send + 'static,
    ) -> Option<Answer> {
        let Some(mut state) = self.state.take() else {
            return Some(Answer::Gone("Internal error occurred.".to_owned()));
        };
        let begun = events.offload(me, move || {
            let answer = job(&mut state);
            Finished { state, answer }
        });
        self.is_awaited = begun.is_ok();
        match begun {
            Ok(()) => None,
            Err(_) => Some(Answer::Gone("Server is overloaded, try again later.".to_owned())),
        }
    }

    /// The next piece of an answer: it is there, or is being made, or is begun now.
    fn more(&mut self, events: &mut EventLoop<Mailboxes>, me: HandlerId) -> Option<Answer> {
        match self.ahead.take() {
            Some(answer) => Some(self.with_more_ahead(answer, events, me)),
            None if self.state.is_none() => {
                self.is_awaited = true;
                None
            }
            None => self.offload(events, me, State::more),
        }
    }

    /// The machine gets this answer; if it is not the last piece, the next one is begun.
    fn with_more_ahead(
        &mut self,
        answer: Answer,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Answer {
        if matches!(answer, Answer::More(_)) {
            self.ahead = self.offload(events, me, State::more);
        }
        self.is_awaited = false;
        answer
    }

    /// The state is back: what does its client hear of now?
    fn renew_watches(&mut self, mailboxes: &mut Mailboxes, events: &mut EventLoop<Mailboxes>, me: HandlerId) {
        let Some(list) = self.state.as_mut().and_then(|state| state.take_watch_list()) else { return };
        let watches = self.watches.get_or_insert_default();
        if watches.replace(list, mailboxes, events, me) {
            self.machine.changed();
        }
    }

    fn begin_watch(&mut self, mailboxes: &mut Mailboxes, events: &mut EventLoop<Mailboxes>, me: HandlerId) {
        let view = self.state.as_ref().and_then(|state| state.view.as_ref());
        let hears = self.watches.as_ref().is_some_and(|watches| !watches.is_empty());
        if let (None, Some(view), false) = (self.watch, view, hears) {
            self.watch = mailboxes.watch(&view.folder.watch_place(), me, events);
        }
    }

    fn end_watch(&mut self, mailboxes: &mut Mailboxes, me: HandlerId) {
        if let Some(key) = self.watch.take() {
            mailboxes.unwatch(key, me);
        }
    }

    fn end_all_watches(&mut self, mailboxes: &mut Mailboxes, me: HandlerId) {
        self.end_watch(mailboxes, me);
        if let Some(mut watches) = self.watches.take() {
            watches.end(mailboxes, me);
        }
    }
}

impl drive::Session<Mailboxes> for Session {
    type Machine = Dialogue;

    fn machine(&mut self) -> &mut Dialogue {
        &mut self.machine
    }

    fn answer(
        &mut self,
        question: Question,
        mailboxes: &mut Mailboxes,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Option<Answer> {
        self.me = Some(me);
        mailboxes.stirs(events);
        match question {
            Question::Run { tag, command } => {
                self.offload(events, me, move |state| state.run(&tag, *command))
            }
            Question::More => self.more(events, me),
            Question::Append(step) => self.offload(events, me, move |state| state.append(step)),
            Question::Changes => {
                // First the watch, then the look: nothing falls between them.
                self.begin_watch(mailboxes, events, me);
                let changed = self.watches.as_mut().map(|watches| watches.take_changed()).unwrap_or_default();
                if self.state.as_ref().is_some_and(|state| state.view.is_none() && !state.hears()) {
                    return Some(Answer::Changes(Vec::new()));
                }
                let idle = self.machine.is_idle();
                self.offload(events, me, move |state| state.changes(changed, idle))
            }
            Question::Resume => {
                let idles = self.machine.is_idle();
                self.offload(events, me, move |state| state.resume(idles))
            }
            Question::IdleEnds => {
                self.end_watch(mailboxes, me);
                Some(Answer::Proceed)
            }
            Question::Ended => {
                self.end_all_watches(mailboxes, me);
                Some(Answer::Proceed)
            }
        }
    }

    fn letter(
        &mut self,
        letter: Letter,
        mailboxes: &mut Mailboxes,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Option<Answer> {
        match letter.downcast::<Finished>() {
            Ok(finished) => {
                self.state = Some(finished.state);
                self.renew_watches(mailboxes, events, me);
                if !self.is_awaited {
                    self.ahead = Some(finished.answer);
                    return None;
                }
                Some(self.with_more_ahead(finished.answer, events, me))
            }
            Err(letter) => {
                if letter.is::<Rest>() {
                    mailboxes.resting += usize::from(self.parked().is_some());
                } else if letter.is::<Leave>() {
                    self.leave();
                } else if let Some(Changed(key)) = letter.downcast_ref() {
                    let heard = self.watches.as_mut().is_none_or(|watches| watches.note(*key));
                    self.wants_poll |= (heard || self.watch == Some(*key)) && self.machine.changed();
                }
                None
            }
        }
    }

    fn wants_poll(&mut self) -> bool {
        std::mem::take(&mut self.wants_poll)
    }

    fn patience(&self) -> Option<Duration> {
        self.machine.patience()
    }

    fn still_working(&mut self) -> Vec<u8> {
        self.machine.still_working()
    }

    /// It has been parked.
    fn hand_over(
        &mut self,
        connection: Connection,
        mailboxes: &mut Mailboxes,
        events: &mut EventLoop<Mailboxes>,
    ) {
        if let (Some((session, idles, patience)), Ok(client)) = (self.leaves.take(), connection.into_socket())
        {
            mailboxes.has_left(Parked { session, client, idles, patience }, events);
        }
    }

    fn ended(&mut self, mailboxes: &mut Mailboxes, _events: &mut EventLoop<Mailboxes>) {
        if let Some(me) = self.me {
            mailboxes.members.remove(&me);
            self.end_all_watches(mailboxes, me);
        }
        mailboxes.clients.gone();
    }
}
