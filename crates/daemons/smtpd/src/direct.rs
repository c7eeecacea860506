//! Messages that are delivered while their clients wait, without a queue file (see `services::qmgr`).
//!
//! The queue manager gets the message as an open file in memory and says when every copy is safe. When it says
//! otherwise, or says nothing for a while, the message is put into the queue like any other, and then answered.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use attributes::Attributes;
use queue::{QueueError, QueueName, Reserved};
use queue_format::QueueId;
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate, Handler, HandlerId, Letter};
use services::qmgr::{Answer, Request};
use sys::sockets::connect_unix;

use crate::intake::Committed;
use crate::parcel::{Parcel, Place};
use crate::service::Smtpd;

/// No larger message is held in memory, in bytes.
pub(crate) const DIRECT_LIMIT_BYTES: usize = 64 * 1024;
/// Messages of one worker that are under way at a time.
const UNDER_WAY_LIMIT: usize = 256;
/// Empty queue files that are kept for messages to come.
const RESERVED_LIMIT: usize = 256;
/// How long a queue manager that was behind is taken to be so.
const CROWDED_FOR: Duration = Duration::from_secs(10);
/// After misses in a row so many messages (two to the power of it) go to the queue at once, before another try.
const MISSES_COUNTED: u32 = 6;

/// Who waits, and for what.
struct UnderWay {
    session: HandlerId,
    stage: Stage,
    /// The queue manager that had it is gone, not so whoever delivers for it.
    doubtful: bool,
}

enum Stage {
    /// For the queue manager.
    Delivering(Parcel),
    /// For the disk. `done`: meanwhile everybody has got it.
    Settling { done: bool },
}

/// What a worker has under way.
pub(crate) struct Direct {
    manager: PathBuf,
    limit: Duration,
    desk: Option<HandlerId>,
    line: Option<HandlerId>,
    under_way: HashMap<String, UnderWay>,
    /// In the order of time: when patience ends.
    due: VecDeque<(Instant, String)>,
    reserved: Vec<Reserved>,
    closed: bool,
    misses: u32,
    skip: u32,
    /// `in_flow_delay`
    in_flow_delay: Duration,
    /// Until then the queue manager is taken to be behind.
    crowded_until: Option<Instant>,
}

impl Direct {
    /// `manager` is the socket of the queue manager; a `limit` of zero lets nothing go this way.
    pub(crate) fn new(manager: PathBuf, limit: Duration, in_flow_delay: Duration) -> Self {
        Self {
            manager,
            limit,
            desk: None,
            line: None,
            under_way: HashMap::new(),
            due: VecDeque::new(),
            reserved: Vec::new(),
            closed: false,
            misses: 0,
            skip: 0,
            in_flow_delay,
            crowded_until: None,
        }
    }

    /// How long the next message has to wait, so that no more comes in than goes out.
    pub(crate) fn pause(&self, now: Instant) -> Option<Duration> {
        let crowded = self.crowded_until.is_some_and(|until| now < until);
        Some(self.in_flow_delay).filter(|delay| crowded && !delay.is_zero())
    }

    /// May the next message go this way? After misses some do not, for what was slow just now will be so for a while.
    pub(crate) fn may_try(&mut self) -> bool {
        if self.limit.is_zero() || self.under_way.len() >= UNDER_WAY_LIMIT {
            return false;
        }
        let skipped = self.skip > 0;
        self.skip = self.skip.saturating_sub(1);
        !skipped
    }

    /// An empty queue file that was not used, if one is kept: see [`Smtpd::keep_reserved`].
    pub(crate) fn take_reserved(&mut self) -> Option<Reserved> {
        self.reserved.pop()
    }

    /// No more goes this way. To drop the files that were kept for it is work for the disk.
    pub(crate) fn close(&mut self) -> Vec<Reserved> {
        self.limit = Duration::ZERO;
        self.closed = true;
        std::mem::take(&mut self.reserved)
    }

    fn missed(&mut self) {
        self.misses = (self.misses + 1).min(MISSES_COUNTED);
        self.skip = 1 << self.misses;
    }

    /// Keeps a file for another message, or gives it back.
    fn keep(&mut self, reserved: Reserved) -> Option<Reserved> {
        if self.closed || self.reserved.len() >= RESERVED_LIMIT {
            return Some(reserved);
        }
        self.reserved.push(reserved);
        None
    }
}

/// A letter: this message goes to the queue manager.
struct Offer(String, Arc<File>);

/// A letter: this message is in the queue.
struct Say(Request);

/// A letter: what became of a message that was put into the queue.
struct Settled(String, Result<Place, QueueError>);

/// The connection to the queue manager.
struct ManagerTalk;

impl Talk<Smtpd> for ManagerTalk {
    fn message(&mut self, message: Attributes, daemon: &mut Smtpd, line: &mut Line<'_, Smtpd>) -> Fate {
        match Answer::from_attributes(&message) {
            Some(Answer::Done(id)) => {
                daemon.direct.crowded_until = None;
                daemon.delivered(id, line.events);
            }
            Some(Answer::Keep(id)) => daemon.settle(&id, line.events),
            Some(Answer::Crowded(id)) => {
                daemon.direct.crowded_until = Some(line.events.now() + CROWDED_FOR);
                daemon.settle(&id, line.events);
            }
            None => return Fate::Close,
        }
        Fate::Keep
    }

    fn letter(&mut self, letter: Letter, _: &mut Smtpd, line: &mut Line<'_, Smtpd>) -> Fate {
        match letter.downcast::<Offer>() {
            Ok(offer) => line.send_with(&Request::Direct(offer.0), offer.1),
            Err(letter) => {
                if let Ok(word) = letter.downcast::<Say>() {
                    line.send(&word.0);
                }
            }
        }
        Fate::Keep
    }

    /// A new queue manager knows nothing of what the old one had. Agents do: most messages will have been delivered
    /// when their time is up.
    fn ended(&mut self, daemon: &mut Smtpd, _: &mut EventLoop<Smtpd>) {
        daemon.direct.line = None;
        daemon.direct.under_way.values_mut().for_each(|state| state.doubtful = true);
    }
}

/// Where jobs of the disk are answered, and patience ends.
struct Desk;

impl Handler<Smtpd> for Desk {
    fn letter(
        &mut self,
        letter: Letter,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        _: HandlerId,
    ) -> Fate {
        if let Ok(settled) = letter.downcast::<Settled>() {
            daemon.settled(settled.0, settled.1, events);
        }
        Fate::Keep
    }

    fn elapsed(&mut self, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>, _: HandlerId) -> Fate {
        while let Some((time, _)) = daemon.direct.due.front()
            && *time <= events.now()
            && let Some((_, id)) = daemon.direct.due.pop_front()
        {
            daemon.settle(&id, events);
        }
        daemon.set_patience(events);
        Fate::Keep
    }
}

impl Smtpd {
    /// Makes the desk. To be called once, at the start.
    pub(crate) fn open_desk(&mut self, events: &mut EventLoop<Self>) -> io::Result<()> {
        self.direct.desk = Some(events.add(Box::new(Desk))?);
        Ok(())
    }

    /// Sends a message on its way. `session` gets a [`Committed`] as a letter when it is safe.
    pub(crate) fn deliver_directly(
        &mut self,
        parcel: Parcel,
        session: HandlerId,
        events: &mut EventLoop<Self>,
    ) {
        let id = parcel.id.to_string();
        let memory = Arc::clone(&parcel.memory);
        let state = UnderWay { session, stage: Stage::Delivering(parcel), doubtful: false };
        self.direct.under_way.insert(id.clone(), state);
        let Some(line) = self.manager_line(events) else { return self.settle(&id, events) };
        self.direct.due.push_back((events.now() + self.direct.limit, id.clone()));
        if self.direct.due.len() == 1 {
            self.set_patience(events);
        }
        events.hand(line, Box::new(Offer(id, memory)), self);
    }

    /// Ends direct delivery: the worker is about to leave.
    pub(crate) fn close_direct(&mut self, events: &mut EventLoop<Self>) {
        let files = self.direct.close();
        if let Some(desk) = self.direct.desk.filter(|_| !files.is_empty()) {
            // With a full pool they go here and now.
            let _ = events.offload(desk, move || drop(files));
        }
    }

    /// Keeps an empty queue file for another message.
    pub(crate) fn keep_reserved(&mut self, reserved: Reserved, events: &mut EventLoop<Self>) {
        if let (Some(reserved), Some(desk)) = (self.direct.keep(reserved), self.direct.desk) {
            // With a full pool it goes here and now.
            let _ = events.offload(desk, move || drop(reserved));
        }
    }

    fn manager_line(&mut self, events: &mut EventLoop<Self>) -> Option<HandlerId> {
        if self.direct.line.is_none() {
            let socket = connect_unix(&self.direct.manager).ok()?;
            self.direct.line = Channel::start(socket, ManagerTalk, events).ok();
        }
        self.direct.line
    }

    fn set_patience(&mut self, events: &mut EventLoop<Self>) {
        if let Some(desk) = self.direct.desk {
            events.set_deadline(desk, self.direct.due.front().map(|(time, _)| *time));
        }
    }

    /// The queue manager says that every copy is safe.
    fn delivered(&mut self, id: String, events: &mut EventLoop<Self>) {
        match self.direct.under_way.get_mut(&id) {
            // Its answer has crossed our word that the message is in the queue.
            None => self.remove_settled(&id, events),
            Some(UnderWay { stage: Stage::Settling { done }, .. }) => *done = true,
            Some(UnderWay { stage: Stage::Delivering(_), .. }) => {
                let Some(UnderWay { session, stage: Stage::Delivering(parcel), .. }) =
                    self.direct.under_way.remove(&id)
                else {
                    return;
                };
                self.direct.misses = 0;
                self.forget_due(&id);
                self.keep_reserved(parcel.reserved, events);
                // Not handed over: its next message may want this connection, which is acting just now.
                events.post_box().send(session, Box::new(Committed::of(Ok(parcel.id))));
            }
        }
    }

    /// Most answers come in the order in which the messages went out.
    fn forget_due(&mut self, id: &str) {
        if let Some(place) = self.direct.due.iter().position(|(_, due)| due == id) {
            self.direct.due.remove(place);
        }
    }

    /// Has a message that is still being delivered put into the queue.
    fn settle(&mut self, id: &str, events: &mut EventLoop<Self>) {
        let Some(state) = self.direct.under_way.get_mut(id) else { return };
        let Stage::Delivering(parcel) = std::mem::replace(&mut state.stage, Stage::Settling { done: false })
        else {
            return;
        };
        self.direct.missed();
        self.forget_due(id);
        let Some(desk) = self.direct.desk else { return };
        let name = id.to_owned();
        if events.offload(desk, move || Settled(name, parcel.settle())).is_err() {
            log::warn!("{id}: too much waits for the disk");
            let (path, source) = (PathBuf::from(id), io::ErrorKind::ResourceBusy.into());
            self.settled(id.to_owned(), Err(QueueError::Io { verb: "write", path, source }), events);
        }
    }

    /// The message is in the queue, or can not be put there.
    fn settled(&mut self, text: String, outcome: Result<Place, QueueError>, events: &mut EventLoop<Self>) {
        let Some(UnderWay { session, stage, doubtful }) = self.direct.under_way.remove(&text) else { return };
        let done = matches!(stage, Stage::Settling { done: true });
        let answer = match (outcome, text.parse()) {
            (_, Ok(id)) if done => {
                self.remove_settled(&text, events);
                Ok(id)
            }
            (Ok(Place::Queue(id)), _) => {
                self.announce(text, doubtful, events);
                Ok(id)
            }
            (Ok(Place::Mailboxes(id)), _) => Ok(id),
            (Err(error), _) => {
                // The queue manager forgets what it waits for when the connection ends.
                if let Some(line) = self.direct.line {
                    events.remove(line, self);
                }
                Err(error)
            }
        };
        // Not handed over, for the session itself may have come here.
        events.post_box().send(session, Box::new(Committed::of(answer)));
    }

    /// Tells the queue manager of a message that was put into the queue.
    fn announce(&mut self, id: String, doubtful: bool, events: &mut EventLoop<Self>) {
        match self.direct.line {
            _ if doubtful => self.notifier.doubtful(&id),
            Some(line) => events.hand(line, Box::new(Say(Request::Settled(id))), self),
            None => self.notifier.doubtful(&id),
        }
    }

    /// Everybody has got this message: its file has no purpose.
    fn remove_settled(&mut self, id: &str, events: &mut EventLoop<Self>) {
        let (Some(desk), Ok(id)) = (self.direct.desk, id.parse::<QueueId>()) else { return };
        let (queue, name) = (self.queue.clone(), id.clone());
        // Gone already is as good.
        let removed = events.offload(desk, move || drop(queue.remove(QueueName::Incoming, &name)));
        if removed.is_err() {
            // Here and now: a file that stays is a second copy for its recipients.
            let _ = self.queue.remove(QueueName::Incoming, &id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(milliseconds: u64) -> Direct {
        Direct::new(PathBuf::from("qmgr"), Duration::from_millis(milliseconds), Duration::from_secs(1))
    }

    #[test]
    fn messages_pause_while_the_queue_manager_is_behind() {
        let mut direct = direct(200);
        let now = Instant::now();
        assert_eq!(direct.pause(now), None);
        direct.crowded_until = Some(now + CROWDED_FOR);
        assert_eq!(direct.pause(now), Some(Duration::from_secs(1)));
        assert_eq!(direct.pause(now + CROWDED_FOR), None);
        direct.in_flow_delay = Duration::ZERO;
        assert_eq!(direct.pause(now), None);
    }

    #[test]
    fn after_misses_more_and_more_messages_go_to_the_queue_at_once() {
        let mut direct = direct(200);
        let skipped = |direct: &mut Direct| (0..1000).take_while(|_| !direct.may_try()).count();
        assert_eq!(skipped(&mut direct), 0);
        let counts: Vec<usize> = (0..8)
            .map(|_| {
                direct.missed();
                skipped(&mut direct)
            })
            .collect();
        assert_eq!(counts, [2, 4, 8, 16, 32, 64, 64, 64]);
    }

    #[test]
    fn with_no_time_to_wait_nothing_goes_this_way() {
        assert!(!direct(0).may_try());
        let mut closed = direct(200);
        closed.close();
        assert!(!closed.may_try());
    }
}
