//! Clients that only wait, without a process of their mailbox's owner.
//!
//! Nothing is read here of what they say, and of mail nothing can be: a resident has left its watch on the mailboxes (inotify(7)),
//! made with its own rights. What it brings is not read either; that it can be read is the news.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use services::residents::Parking;
use sys::{descriptors, sockets};

use crate::front::Spawnd;
use crate::residents::{Guest, Household};

/// Clients hear no more often that the server is still there.
const NOTICE_FLOOR: Duration = Duration::from_secs(1);

/// The clients of all owners that are parked.
#[derive(Default)]
pub(crate) struct ParkedHomes {
    homes: HashMap<u64, Home>,
    by_household: HashMap<Household, u64>,
    last_number: u64,
}

/// The clients of one owner.
struct Home {
    household: Household,
    clients: Vec<Waiting>,
    watch: OwnedFd,
    /// Those in the loop that wait for one of them, or the watch.
    handlers: Vec<HandlerId>,
    notice: Vec<u8>,
    notice_interval: Duration,
    farewell: Vec<u8>,
}

struct Waiting {
    socket: OwnedFd,
    message: Vec<u8>,
}

impl ParkedHomes {
    pub(crate) fn len(&self) -> usize {
        self.homes.len()
    }
}

impl Spawnd {
    /// Clients of a household come to wait: their sockets, and the watch on their mailboxes.
    pub(crate) fn settle(
        &mut self,
        household: Household,
        parking: Parking,
        (sockets, watch): (Vec<OwnedFd>, OwnedFd),
        events: &mut EventLoop<Self>,
    ) {
        let clients = sockets.into_iter().zip(parking.sessions);
        let mut home = Home {
            household: household.clone(),
            clients: clients.map(|(socket, message)| Waiting { socket, message }).collect(),
            watch,
            handlers: Vec::new(),
            notice: parking.notice,
            notice_interval: Duration::from_secs(parking.notice_seconds).max(NOTICE_FLOOR),
            farewell: parking.farewell,
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
        let Some(home) = self.take_home(number, events) else { return };
        let (order, folders) = (home.household.order(), home.household.folders());
        let refusal = String::from_utf8_lossy(&home.farewell).into_owned();
        for Waiting { socket, message } in home.clients {
            let (refusal, order, folders) = (refusal.clone(), order.clone(), folders.clone());
            self.give(Guest { socket, refusal, message, order, folders, tries: 0 }, events);
        }
    }

    /// A client has closed its side. When it has said nothing before, that is all: nobody has to be started for it.
    fn let_go(&mut self, number: u64, descriptor: RawFd, events: &mut EventLoop<Self>) {
        let Some(home) = self.residents.parked.homes.get_mut(&number) else { return };
        let gone = home.clients.iter().position(|client| {
            client.socket.as_raw_fd() == descriptor && sockets::has_ended(client.socket.as_fd())
        });
        let Some(gone) = gone else { return self.wake(number, events) };
        events.forget(descriptor);
        home.clients.swap_remove(gone);
        if home.clients.is_empty() {
            self.take_home(number, events);
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
        std::iter::once(self.watch.as_raw_fd()).chain(clients)
    }

    /// False when the kernel refuses to watch one of them.
    fn wait_for_all(&mut self, number: u64, events: &mut EventLoop<Spawnd>) -> bool {
        let descriptors: Vec<RawFd> = self.descriptors().collect();
        for descriptor in descriptors {
            match events.add(Box::new(Waiter { descriptor, number })) {
                Ok(handler) => self.handlers.push(handler),
                Err(error) => {
                    log::warn!("watch a client that waits: {error}");
                    return false;
                }
            }
        }
        // The first is the watch's, which stays when a client goes.
        if let Some(first) = self.handlers.first() {
            events.set_deadline(*first, Some(events.now() + self.notice_interval));
        }
        true
    }

    fn say(&self, words: &[u8]) {
        for client in &self.clients {
            // One that is gone, or reads nothing, is found out when it is waked.
            let _ = descriptors::send_at_once(&client.socket, words);
        }
    }

    fn say_farewell(self) {
        self.say(&self.farewell);
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
        if let Some(home) = spawnd.residents.parked.homes.get(&self.number) {
            home.say(&home.notice);
            events.set_deadline(me, Some(events.now() + home.notice_interval));
        }
        Fate::Keep
    }

    fn stopping(&mut self, _: &mut Spawnd, _: &mut EventLoop<Spawnd>, _: HandlerId) -> Fate {
        Fate::Keep
    }
}
