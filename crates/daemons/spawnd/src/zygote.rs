//! The process that keeps root, and forks couriers.
//!
//! It is forked before spawnd has read a byte from anywhere, has one thread, opens no file, and takes orders
//! from the front only, within bounds that the first word fixes. Each courier is a copy of it, so that a courier's
//! memory holds nothing either. A resident is another program; of each that is wanted at all, one has been started already and
//! waits to hear from here, and from nobody else, whom it becomes. It has read nothing until then.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use mailbox::job::Hello;
use services::residents::{Calling, Program};
use sys::ids::{self, Identity};
use sys::{descriptors, fork, process};

use crate::courier;
use crate::order::{Bounds, Order, WORD_LIMIT_BYTES};
use crate::resident;

/// Couriers that may live at a time, whoever asks for them.
const COURIERS_LIMIT: usize = 1200;
/// How often the zygote collects couriers that have ended, when no order comes.
const REAP_INTERVAL_MS: u16 = 10_000;

/// The front's end of a zygote.
#[derive(Debug)]
pub(crate) struct Zygote {
    /// Orders go in here; its end is the zygote's end.
    pub(crate) orders: OwnedFd,
    /// Can it become any user, or only stay what it is?
    pub(crate) is_root: bool,
}

struct Keeper {
    orders: OwnedFd,
    host: String,
    couriers: usize,
    /// Residents that wait to be needed, each by our end of its line: to start one takes long, to become somebody does not.
    spares: HashMap<Program, OwnedFd>,
}

/// Forks the zygote off this process.
pub(crate) fn start() -> io::Result<Zygote> {
    let (ours, theirs) = descriptors::message_pair()?;
    let is_root = ids::is_root();
    let parent = std::process::id();
    let keeper =
        || Keeper { orders: theirs, host: process::host_name(), couriers: 0, spares: HashMap::new() };
    fork::fork(|| keeper().run(parent))?;
    Ok(Zygote { orders: ours, is_root })
}

impl Keeper {
    /// Lives until the front is gone.
    fn run(mut self, parent: u32) -> i32 {
        let alone = fork::keep_only(&[self.orders.as_fd()]);
        if alone.is_err() || !fork::die_with_parent(parent).unwrap_or(false) {
            return 1;
        }
        let Some(bounds) = self.receive_bounds() else { return 1 };
        if let Some((uid, gid)) = bounds.only
            && ids::is_root()
            && ids::become_for_good(&Identity::new(uid, gid)).is_err()
        {
            return 1;
        }
        loop {
            match self.receive() {
                Ok(None) => return 0,
                Ok(Some((word, line))) => self.obey(&bounds, &word, line),
                Err(_) => return 1,
            }
        }
    }

    fn receive_bounds(&mut self) -> Option<Bounds> {
        let mut word = [0; WORD_LIMIT_BYTES];
        let received = descriptors::receive(&self.orders, &mut word).ok()?;
        Bounds::from_bytes(&word[..received.length])
    }

    /// The next order and the courier's end of its line; none when the front is gone.
    fn receive(&mut self) -> io::Result<Option<(Vec<u8>, Option<OwnedFd>)>> {
        loop {
            while process::reap().is_some() {
                self.couriers = self.couriers.saturating_sub(1);
            }
            if sys::sockets::wait_readable(self.orders.as_fd(), REAP_INTERVAL_MS) {
                break;
            }
        }
        let mut word = vec![0; WORD_LIMIT_BYTES];
        let mut received = descriptors::receive(&self.orders, &mut word)?;
        word.truncate(received.length);
        Ok((received.length > 0).then(|| (word, received.files.pop())))
    }

    fn obey(&mut self, bounds: &Bounds, word: &[u8], line: Option<OwnedFd>) {
        let Some(line) = line else { return };
        let Some(order) = Order::from_bytes(word).filter(|order| bounds.admit(&order.identity)) else {
            return refuse(&line, "the order is out of the bounds that were fixed at the start", true);
        };
        if !self.call_spare(&order, &line) {
            self.start(bounds, &order, line);
        }
        if let Some(program) = order.program {
            self.prepare_spare(program);
        }
    }

    fn start(&mut self, bounds: &Bounds, order: &Order, line: OwnedFd) {
        if self.couriers >= COURIERS_LIMIT {
            return refuse(&line, "too many couriers", false);
        }
        let parent = std::process::id();
        let run = || match order.program {
            None => courier::run(&line, order, bounds, &self.host, parent),
            Some(program) => resident::run(&line, order, program, parent),
        };
        match fork::fork(run) {
            Ok(_) => self.couriers += 1,
            Err(error) => refuse(&line, &format!("fork: {error}"), false),
        }
    }

    /// Gives the order to a resident that waits for one. False where none does.
    fn call_spare(&mut self, order: &Order, line: &OwnedFd) -> bool {
        let Some(spare) = order.program.and_then(|program| self.spares.remove(&program)) else {
            return false;
        };
        let calling = Calling { identity: order.identity.clone() };
        // One that was killed does not hear it.
        descriptors::send(&spare, &calling.to_attributes().to_bytes(), &[line.as_fd()]).is_ok()
    }

    /// Starts a resident for the next order. Without one, the order takes longer.
    fn prepare_spare(&mut self, program: Program) {
        if self.spares.contains_key(&program) || self.couriers >= COURIERS_LIMIT {
            return;
        }
        let Ok((ours, theirs)) = descriptors::message_pair() else { return };
        let parent = std::process::id();
        if fork::fork(|| resident::wait(&theirs, program, parent)).is_ok() {
            self.couriers += 1;
            self.spares.insert(program, ours);
        }
    }
}

/// Tells the agent why it gets no courier.
pub(crate) fn refuse(line: impl AsFd, text: &str, misconfigured: bool) {
    let hello = Hello::Refused { text: text.to_owned(), misconfigured };
    // An agent that is gone needs no answer.
    let _ = descriptors::send(line, &hello.to_attributes().to_bytes(), &[]);
}
