//! The loop itself: who is ready, whose time is over, who gets a letter.

use std::any::Any;
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::pool::{Pool, PoolFull};

/// How many ready descriptors one turn takes from the kernel.
const EVENTS_PER_TURN: usize = 256;
/// The token of the waker; handlers count from 0.
const WAKER: Token = Token(usize::MAX);

/// Something that waits for a descriptor, a time or a letter. `D` is the state that a daemon's handlers share.
pub trait Handler<D> {
    /// What to watch, for reading and writing; asked once, when the handler is added. Who waits for times and letters
    /// alone has nothing to watch, and is never ready.
    fn descriptor(&self) -> Option<RawFd> {
        None
    }

    /// Does it wait for room to write? Asked when the handler is added and each time it has acted. A handler that
    /// says so only while bytes are left over spares a turn of the loop for each message its peer reads.
    fn waits_to_write(&self) -> bool {
        true
    }

    /// Does the descriptor stay open when the handler has gone? The kernel forgets by itself only those that close.
    fn descriptor_outlives(&self) -> bool {
        false
    }

    /// The descriptor may be readable or writable now. Readiness is told once (edge-triggered): read and write
    /// until `WouldBlock`, or ask for another turn with [`EventLoop::again`].
    fn ready(
        &mut self,
        _how: Readiness,
        _daemon: &mut D,
        _events: &mut EventLoop<D>,
        _me: HandlerId,
    ) -> Fate {
        Fate::Keep
    }

    /// The time set with [`EventLoop::set_deadline`] has come.
    fn elapsed(&mut self, _daemon: &mut D, _events: &mut EventLoop<D>, _me: HandlerId) -> Fate {
        Fate::Keep
    }

    /// A letter has arrived: the result of an offloaded job, or a word from another handler.
    fn letter(
        &mut self,
        _letter: Letter,
        _daemon: &mut D,
        _events: &mut EventLoop<D>,
        _me: HandlerId,
    ) -> Fate {
        Fate::Keep
    }

    /// The service is about to end (see `machine::Machine::stopping`).
    fn stopping(&mut self, _daemon: &mut D, _events: &mut EventLoop<D>, _me: HandlerId) -> Fate {
        Fate::Keep
    }

    /// The handler has left the loop; its descriptor closes after this.
    fn ended(&mut self, _daemon: &mut D, _events: &mut EventLoop<D>) {}
}

/// What the kernel told about a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// Bytes, a connection or the end may be there to read.
    pub readable: bool,
    /// There may be room to write.
    pub writable: bool,
    /// The peer has closed its side: read on until the end, for no further word will come of it.
    pub closed: bool,
}

impl Readiness {
    /// Another turn that was asked for: the kernel has told nothing new.
    const AGAIN: Self = Self { readable: false, writable: false, closed: false };
}

/// Does a handler stay?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Yes.
    Keep,
    /// No: `ended` is called and it is dropped.
    Close,
}

/// Any value on its way to a handler.
pub type Letter = Box<dyn Any + Send>;

/// Names a handler for as long as it lives; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandlerId {
    slot: u32,
    generation: u32,
}

struct Slot<D> {
    generation: u32,
    handler: Option<Box<dyn Handler<D>>>,
    deadline: Option<Instant>,
    in_use: bool,
    /// Its descriptor is watched for room to write as well.
    watches_room: bool,
    /// To be taken out as soon as it has acted.
    doomed: bool,
}

/// The loop of one worker.
pub struct EventLoop<D> {
    poll: Poll,
    slots: Vec<Slot<D>>,
    free: Vec<u32>,
    deadlines: BTreeSet<(Instant, HandlerId)>,
    again: VecDeque<HandlerId>,
    letters: Receiver<(HandlerId, Letter)>,
    post_box: PostBox,
    pool: Pool,
    now: Instant,
    population: usize,
    scratch: Scratch,
    /// Grows; odd while handlers act.
    beat: Arc<AtomicU64>,
}

/// Buffers that one connection after the other reads through, so that an idle one holds none.
#[derive(Default)]
pub(crate) struct Scratch {
    /// What one read takes from a socket; its length stays, for to fill it with zeros costs more than to copy what came.
    pub(crate) block: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) plain: Vec<u8>,
}

/// Sends letters to handlers from any thread.
#[derive(Clone)]
pub struct PostBox {
    sender: Sender<(HandlerId, Letter)>,
    waker: Arc<Waker>,
    awake: Arc<AtomicBool>,
}

impl PostBox {
    /// Puts a letter in; it is dropped if the handler is gone by the time it is read.
    pub fn send(&self, to: HandlerId, letter: Letter) {
        if self.sender.send((to, letter)).is_ok() && !self.awake.swap(true, Ordering::AcqRel) {
            let _ = self.waker.wake();
        }
    }
}

impl<D> EventLoop<D> {
    /// A loop whose pool has up to `pool_threads` threads; they start when there is work.
    ///
    /// # Errors
    /// When the system gives no epoll descriptor.
    pub fn new(pool_threads: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let (sender, letters) = channel();
        Ok(Self {
            poll,
            slots: Vec::new(),
            free: Vec::new(),
            deadlines: BTreeSet::new(),
            again: VecDeque::new(),
            letters,
            post_box: PostBox { sender, waker, awake: Arc::new(AtomicBool::new(false)) },
            pool: Pool::new(pool_threads),
            now: Instant::now(),
            population: 0,
            scratch: Scratch::default(),
            beat: Arc::default(),
        })
    }

    /// The time at which this turn began.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many handlers there are.
    pub fn population(&self) -> usize {
        self.population
    }

    /// Takes a handler in and watches its descriptor.
    ///
    /// # Errors
    /// When the kernel refuses to watch the descriptor.
    pub fn add(&mut self, handler: Box<dyn Handler<D>>) -> io::Result<HandlerId> {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                handler: None,
                deadline: None,
                in_use: false,
                watches_room: false,
                doomed: false,
            });
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let entry = &mut self.slots[slot as usize];
        let id = HandlerId { slot, generation: entry.generation };
        entry.watches_room = handler.waits_to_write();
        if let Some(descriptor) = handler.descriptor() {
            let interest = interest(entry.watches_room);
            let watched = self.poll.registry().register(&mut SourceFd(&descriptor), token_of(id), interest);
            if let Err(error) = watched {
                self.free.push(slot);
                return Err(error);
            }
        }
        entry.handler = Some(handler);
        entry.in_use = true;
        entry.doomed = false;
        self.population += 1;
        Ok(id)
    }

    /// Calls `ready` of this handler in the next turn, whatever its descriptor says.
    pub fn again(&mut self, id: HandlerId) {
        self.again.push_back(id);
    }

    /// Calls `elapsed` of this handler at `deadline`, or never; a handler has one deadline at a time.
    pub fn set_deadline(&mut self, id: HandlerId, deadline: Option<Instant>) {
        let Some(slot) = self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)
        else {
            return;
        };
        if let Some(old) = slot.deadline.take() {
            self.deadlines.remove(&(old, id));
        }
        slot.deadline = deadline;
        if let Some(new) = deadline {
            self.deadlines.insert((new, id));
        }
    }

    /// The deadline that is set.
    pub fn deadline(&self, id: HandlerId) -> Option<Instant> {
        self.slots.get(id.slot as usize).filter(|slot| slot.generation == id.generation)?.deadline
    }

    /// Lends the buffers to the handler that acts; it gives them back before it returns.
    pub(crate) fn scratch(&mut self) -> &mut Scratch {
        &mut self.scratch
    }

    /// Where letters for this loop's handlers are put in.
    pub fn post_box(&self) -> PostBox {
        self.post_box.clone()
    }

    /// Lets the pool have so many threads, for jobs that wait for others: never fewer than it may have already.
    pub fn allow_threads(&mut self, limit: usize) {
        self.pool.allow(limit);
    }

    /// Runs `job` on the pool; its value comes to `to` as a letter.
    ///
    /// # Errors
    /// [`PoolFull`] when too much waits already; the job has not run and will not.
    pub fn offload<T: Send + 'static>(
        &mut self,
        to: HandlerId,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(), PoolFull> {
        let post_box = self.post_box.clone();
        self.pool.run(Box::new(move || post_box.send(to, Box::new(job()))))
    }

    /// Waits for something to happen, at most until `limit` from now, and lets every handler concerned act.
    ///
    /// # Errors
    /// As epoll_wait(2); a signal is no error.
    pub fn turn(&mut self, daemon: &mut D, limit: Option<Duration>) -> io::Result<()> {
        let mut ready = Events::with_capacity(EVENTS_PER_TURN);
        match self.poll.poll(&mut ready, self.patience(limit)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => self.now = Instant::now(),
        }
        self.beat.fetch_or(1, Ordering::Relaxed);
        let repeated = std::mem::take(&mut self.again);
        for event in &ready {
            if event.token() != WAKER {
                self.make_ready(id_of(event.token()), readiness_of(event), daemon);
            }
        }
        for id in repeated {
            self.make_ready(id, Readiness::AGAIN, daemon);
        }
        self.deliver_letters(daemon);
        self.expire(daemon);
        Ok(())
    }

    /// Watches a descriptor no more that goes elsewhere open, into another handler or another process.
    pub fn forget(&mut self, descriptor: RawFd) {
        // The kernel may have forgotten it already.
        let _ = self.poll.registry().deregister(&mut SourceFd(&descriptor));
    }

    /// A number that is odd while a turn goes on and grows with each: for a watchdog.
    pub fn beat(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.beat)
    }

    /// What belongs to this turn is done: the caller is about to wait in [`EventLoop::turn`] again.
    pub fn turn_is_over(&self) {
        self.beat.store((self.beat.load(Ordering::Relaxed) | 1) + 1, Ordering::Relaxed);
    }

    /// Gives a handler a letter at once; not for a handler that is acting itself.
    pub fn hand(&mut self, to: HandlerId, letter: Letter, daemon: &mut D) {
        self.act(to, daemon, |handler, daemon, events, me| handler.letter(letter, daemon, events, me));
    }

    /// Takes a handler out of the loop; its `ended` is called. One that acts just now goes when it has acted.
    pub fn remove(&mut self, id: HandlerId, daemon: &mut D) {
        if let Some(slot) =
            self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)
        {
            slot.doomed = slot.in_use && slot.handler.is_none();
        }
        self.act(id, daemon, |_, _, _, _| Fate::Close);
    }

    /// Tells every handler that the service is about to end.
    pub fn stop_all(&mut self, daemon: &mut D) {
        for slot in 0..self.slots.len() {
            if self.slots[slot].in_use {
                let id = HandlerId {
                    slot: u32::try_from(slot).unwrap_or(u32::MAX),
                    generation: self.slots[slot].generation,
                };
                self.act(id, daemon, |handler, daemon, events, me| handler.stopping(daemon, events, me));
            }
        }
    }

    fn patience(&self, limit: Option<Duration>) -> Option<Duration> {
        if !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        let next =
            self.deadlines.first().map(|(deadline, _)| deadline.saturating_duration_since(Instant::now()));
        match (next, limit) {
            (Some(next), Some(limit)) => Some(next.min(limit)),
            (next, limit) => next.or(limit),
        }
    }

    fn make_ready(&mut self, id: HandlerId, how: Readiness, daemon: &mut D) {
        self.act(id, daemon, |handler, daemon, events, me| handler.ready(how, daemon, events, me));
    }

    fn deliver_letters(&mut self, daemon: &mut D) {
        self.post_box.awake.store(false, Ordering::Release);
        while let Ok((to, letter)) = self.letters.try_recv() {
            self.act(to, daemon, |handler, daemon, events, me| handler.letter(letter, daemon, events, me));
        }
    }

    /// Each deadline that is due, once: a handler that sets one in the past acts again in the next turn, and keeps nobody
    /// waiting.
    fn expire(&mut self, daemon: &mut D) {
        let now = self.now;
        let due: Vec<_> =
            self.deadlines.iter().take_while(|(deadline, _)| *deadline <= now).copied().collect();
        for one in due {
            if self.deadlines.contains(&one) {
                self.set_deadline(one.1, None);
                self.act(one.1, daemon, |handler, daemon, events, me| handler.elapsed(daemon, events, me));
            }
        }
    }

    /// Takes the handler out of its slot while it acts, so that it may use the loop.
    fn act(
        &mut self,
        id: HandlerId,
        daemon: &mut D,
        action: impl FnOnce(&mut Box<dyn Handler<D>>, &mut D, &mut Self, HandlerId) -> Fate,
    ) {
        let Some(slot) = self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)
        else {
            return;
        };
        let Some(mut handler) = slot.handler.take() else { return };
        let fate = action(&mut handler, daemon, self, id);
        match fate {
            Fate::Keep if !self.slots[id.slot as usize].doomed => {
                self.watch_for_room(id, handler.as_ref());
                self.slots[id.slot as usize].handler = Some(handler);
            }
            _ => {
                self.release(id);
                if let Some(descriptor) = handler.descriptor().filter(|_| handler.descriptor_outlives()) {
                    // It may have been closed all the same; then there is nothing to forget.
                    let _ = self.poll.registry().deregister(&mut SourceFd(&descriptor));
                }
                handler.ended(daemon, self);
            }
        }
    }

    /// Room that is there already is told again: nothing is missed between the handler's last try and this.
    fn watch_for_room(&mut self, id: HandlerId, handler: &dyn Handler<D>) {
        let wanted = handler.waits_to_write();
        let slot = &mut self.slots[id.slot as usize];
        if slot.watches_room == wanted {
            return;
        }
        let Some(descriptor) = handler.descriptor() else { return };
        match self.poll.registry().reregister(&mut SourceFd(&descriptor), token_of(id), interest(wanted)) {
            Ok(()) => slot.watches_room = wanted,
            Err(error) => log::warn!("watch a connection for room to write: {error}"),
        }
    }

    fn release(&mut self, id: HandlerId) {
        self.set_deadline(id, None);
        let slot = &mut self.slots[id.slot as usize];
        slot.generation = slot.generation.wrapping_add(1);
        slot.in_use = false;
        self.free.push(id.slot);
        self.population -= 1;
    }
}

fn interest(room: bool) -> Interest {
    if room { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE }
}

fn readiness_of(event: &mio::event::Event) -> Readiness {
    let closed = event.is_read_closed() || event.is_error();
    Readiness { readable: event.is_readable() || closed, writable: event.is_writable(), closed }
}

fn token_of(id: HandlerId) -> Token {
    Token((id.generation as usize) << 32 | id.slot as usize)
}

fn id_of(token: Token) -> HandlerId {
    let low = u32::try_from(token.0 & 0xffff_ffff).unwrap_or(u32::MAX);
    HandlerId { slot: low, generation: u32::try_from(token.0 >> 32).unwrap_or(u32::MAX) }
}
