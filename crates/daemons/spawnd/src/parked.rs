//! Clients that only wait, without a process of their mailbox's owner.
//!
//! Nothing is read here of what they say, and of mail nothing can be: a resident has left its watch on the mailboxes (inotify(7)),
//! made with its own rights. What it brings is not read either; that it can be read is the news.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use services::residents::{ParkedClient, ParkedWords, Parking};
use sys::{descriptors, sockets};

use crate::front::Spawnd;
use crate::residents::{Guest, Household};

/// Clients hear no more often that the server is still there, and none is late earlier.
const PATIENCE_FLOOR: Duration = Duration::from_secs(1);

/// The clients of all owners that are parked.
#[derive(Default)]
pub(crate) struct ParkedHomes {
    homes: HashMap<u64, Home>,
    by_household: HashMap<Household, u64>,
    last_number: u64,
    /// What the clients of the last home hear; mostly all hear the same.
    words: Option<Rc<ParkedWords>>,
}

/// The clients of one owner.
struct Home {
    household: Household,
    clients: Vec<Waiting>,
    /// None where nobody wants to hear of changes.
    watch: Option<OwnedFd>,
    /// Those in the loop that wait for one of them, or the watch.
    handlers: Vec<HandlerId>,
    words: Rc<ParkedWords>,
}

struct Waiting {
    socket: OwnedFd,
    message: Vec<u8>,
    idles: bool,
    patience: Duration,
}

impl Waiting {
    fn new(socket: OwnedFd, client: ParkedClient) -> Self {
        let patience = Duration::from_secs(client.patience_seconds).max(PATIENCE_FLOOR);
        Self { socket, message: client.session, idles: client.idles, patience }
    }
}

impl ParkedHomes {
    pub(crate) fn len(&self) -> usize {
        self.homes.len()
    }

    /// The words that are there already where they are the same.
    fn shared(&mut self, words: ParkedWords) -> Rc<ParkedWords> {
        match &self.words {
            Some(last) if **last == words => Rc::clone(last),
            _ => Rc::clone(self.words.insert(Rc::new(words))),
        }
    }
}

impl Spawnd {
    /// Clients of a household come to wait: their sockets, and the watch on their mailboxes.
    pub(crate) fn settle(
        &mut self,
        household: Household,
        parking: Parking,
        (sockets, watch): (Vec<OwnedFd>, Option<OwnedFd>),
        events: &mut EventLoop<Self>,
    ) {
        let clients = sockets.into_iter().zip(parking.clients);
        let mut home = Home {
            household: household.clone(),
            clients: clients.map(|(socket, client)| Waiting::new(socket, client)).collect(),
            watch,
            handlers: Vec::new(),
            words: self.residents.parked.shared(parking.words),
        };
        if self.residents.is_stopping {
            return home.say_farewell();
        }
        self.residents.parked.last_number += 1;
        let number = self.residents.parked.last_number;
        let is_watched = home.wait_for_all(number, events);
        self.residents.parked.homes.insert(number, home);
        // Another resident may have begun meanwhile, after this one was dismissed.
        self.residents.parked.by_household.insert(household, number);
        if !is_watched {
            self.wake(number, events);
        }
    }

    /// A resident of this household begins.
    pub(crate) fn wake_household(&mut self, household: &Household, events: &mut EventLoop<Self>) {
        if let Some(number) = self.residents.parked.by_household.get(household) {
            self.wake(*number, events);
        }
    }

    /// One of them has something to say, or to hear: they all go to a resident.
    fn wake(&mut self, number: u64, events: &mut EventLoop<Self>) {
        let Some(mut home) = self.take_home(number, events) else { return };
        let (order, folders) = (home.household.order(), home.household.folders());
        let refusal = String::from_utf8_lossy(&home.words.farewell).into_owned();
        for Waiting { socket, message, .. } in std::mem::take(&mut home.clients) {
            let (refusal, order, folders) = (refusal.clone(), order.clone(), folders.clone());
            self.give(Guest { socket, refusal, message, order, folders, tries: 0 }, events);
        }
        home.close(events);
    }

    /// A client has closed its side. When it has said nothing before, that is all: nobody has to be started for it.
    fn let_go(&mut self, number: u64, descriptor: RawFd, events: &mut EventLoop<Self>) {
        let Some(home) = self.residents.parked.homes.get_mut(&number) else { return };
        match home.place(descriptor).filter(|place| home.clients[*place].has_ended()) {
            Some(place) => self.part_with(number, place, events),
            None => self.wake(number, events),
        }
    }

    /// The patience with a client has come to its end: it hears that the server is there, or that it has been silent for too long.
    /// True when it stays.
    fn remind(
        &mut self,
        number: u64,
        descriptor: RawFd,
        events: &mut EventLoop<Self>,
        me: HandlerId,
    ) -> bool {
        let Some(home) = self.residents.parked.homes.get_mut(&number) else { return false };
        let Some(place) = home.place(descriptor) else { return true };
        let client = &home.clients[place];
        if client.idles {
            client.say(&home.words.notice);
            events.set_deadline(me, Some(events.now() + client.patience));
            return true;
        }
        client.say(&home.words.late);
        self.part_with(number, place, events);
        false
    }

    fn part_with(&mut self, number: u64, place: usize, events: &mut EventLoop<Self>) {
        let Some(home) = self.residents.parked.homes.get_mut(&number) else { return };
        let client = home.clients.swap_remove(place);
        events.forget(client.socket.as_raw_fd());
        if home.clients.is_empty()
            && let Some(home) = self.take_home(number, events)
        {
            home.close(events);
        }
    }

    /// They are not waited for any more.
    fn take_home(&mut self, number: u64, events: &mut EventLoop<Self>) -> Option<Home> {
        let home = self.residents.parked.homes.remove(&number)?;
        if self.residents.parked.by_household.get(&home.household) == Some(&number) {
            self.residents.parked.by_household.remove(&home.household);
        }
        // Before the numbers of these descriptors are somebody else's.
        home.descriptors().for_each(|descriptor| events.forget(descriptor));
        home.handlers.iter().for_each(|handler| events.remove(*handler, self));
        Some(home)
    }

    /// The suite stops.
    pub(crate) fn end_parked(&mut self, events: &mut EventLoop<Self>) {
        self.residents.is_stopping = true;
        let numbers: Vec<u64> = self.residents.parked.homes.keys().copied().collect();
        for number in numbers {
            if let Some(home) = self.take_home(number, events) {
                home.say_farewell();
            }
        }
    }
}

impl Home {
    fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        let clients = self.clients.iter().map(|client| client.socket.as_raw_fd());
        self.watch.as_ref().map(AsRawFd::as_raw_fd).into_iter().chain(clients)
    }

    /// Which client has this connection?
    fn place(&self, descriptor: RawFd) -> Option<usize> {
        self.clients.iter().position(|client| client.socket.as_raw_fd() == descriptor)
    }

    /// False when the kernel refuses to watch one of them.
    fn wait_for_all(&mut self, number: u64, events: &mut EventLoop<Spawnd>) -> bool {
        let descriptors: Vec<RawFd> = self.descriptors().collect();
        for descriptor in descriptors {
            match events.add(Box::new(Waiter { descriptor, number })) {
                Ok(handler) => {
                    self.handlers.push(handler);
                    let patience = self.place(descriptor).map(|place| self.clients[place].patience);
                    events.set_deadline(handler, patience.map(|patience| events.now() + patience));
                }
                Err(error) => {
                    log::warn!("watch a client that waits: {error}");
                    return false;
                }
            }
        }
        true
    }

    /// Nobody waits here any more. To let a watch of inotify(7) go takes the kernel some milliseconds: it waits until no processor
    /// looks at it any more. The loop does not wait for that.
    fn close(self, events: &mut EventLoop<Spawnd>) {
        let (Some(handler), Some(watch)) = (self.handlers.first(), self.watch) else { return };
        // The handler has gone, and hears nothing of it. Without room in the pool the watch goes here.
        let _ = events.offload(*handler, move || drop(watch));
    }

    fn say_farewell(self) {
        self.clients.iter().for_each(|client| client.say(&self.words.farewell));
    }
}

impl Waiting {
    fn say(&self, words: &[u8]) {
        // One that is gone, or reads nothing, is found out when it is waked.
        let _ = descriptors::send_at_once(&self.socket, words);
    }

    fn has_ended(&self) -> bool {
        sockets::has_ended(self.socket.as_fd())
    }
}

/// Waits for one descriptor of a home.
struct Waiter {
    descriptor: RawFd,
    number: u64,
}

impl Handler<Spawnd> for Waiter {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.descriptor)
    }

    fn waits_to_write(&self) -> bool {
        false
    }

    fn ready(
        &mut self,
        how: Readiness,
        spawnd: &mut Spawnd,
        events: &mut EventLoop<Spawnd>,
        _: HandlerId,
    ) -> Fate {
        if how.closed {
            spawnd.let_go(self.number, self.descriptor, events);
        } else {
            spawnd.wake(self.number, events);
        }
        Fate::Close
    }

    fn elapsed(&mut self, spawnd: &mut Spawnd, events: &mut EventLoop<Spawnd>, me: HandlerId) -> Fate {
        if spawnd.remind(self.number, self.descriptor, events, me) { Fate::Keep } else { Fate::Close }
    }

    fn stopping(&mut self, _: &mut Spawnd, _: &mut EventLoop<Spawnd>, _: HandlerId) -> Fate {
        Fate::Keep
    }
}
