//! Who is told to look, and which files are under way.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::sync::Arc;

use queue::{Entry, Queue, QueueError, QueueName};
use reactor::{EventLoop, Fate, Handler, HandlerId, Letter};
use services::qmgr::Notifier;
use sys::sockets::{Peer, Socket};
use tables::Tables;
use worker::{Clients, Service, Setup, StartError};

use crate::intake::{Intake, Outcome};
use crate::trigger::TriggerClient;

/// How many files are edited and written at a time.
const FILES_AT_A_TIME: usize = 8;
/// How many clients the public socket may have at a time.
const CLIENT_LIMIT: usize = 1000;

/// The service.
pub(crate) struct Pickup {
    queue: Queue,
    intake: Arc<Intake>,
    notifier: Notifier,
    pub(crate) clients: Clients,
    wanted: bool,
    scanning: bool,
    waiting: VecDeque<Entry>,
    busy: HashSet<OsString>,
    served: u64,
    leaving: bool,
    desk: Option<HandlerId>,
}

/// A letter: what lies in the folder.
struct Found(Result<Vec<Entry>, QueueError>);

/// A letter: what became of a file.
struct Taken {
    name: OsString,
    outcome: Outcome,
}

/// Takes the letters of the offload pool.
struct Desk;

impl Handler<Pickup> for Desk {
    fn letter(
        &mut self,
        letter: Letter,
        pickup: &mut Pickup,
        _: &mut EventLoop<Pickup>,
        _: HandlerId,
    ) -> Fate {
        match letter.downcast::<Found>() {
            Ok(found) => pickup.found(found.0),
            Err(letter) => {
                if let Ok(taken) = letter.downcast::<Taken>() {
                    pickup.taken(*taken);
                }
            }
        }
        Fate::Keep
    }
}

impl Service for Pickup {
    const PROGRAM: &'static str = "pickup";
    const POOL_THREADS: usize = FILES_AT_A_TIME;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let queue = setup.queue()?;
        let notifier = Notifier::new(setup.public_socket(&config.get(&parameters::QUEUE_SERVICE_NAME)));
        Ok(Self {
            queue,
            intake: Arc::new(Intake::new(config, &setup.cleanup_config()?)),
            notifier,
            clients: Clients::default(),
            wanted: true,
            scanning: false,
            waiting: VecDeque::new(),
            busy: HashSet::new(),
            served: 0,
            leaving: false,
            desk: None,
        })
    }

    fn start(&mut self, _: &Setup, events: &mut EventLoop<Self>) -> Result<(), StartError> {
        let desk = events.add(Box::new(Desk)).map_err(|error| StartError::Refused(error.to_string()))?;
        self.desk = Some(desk);
        Ok(())
    }

    fn accepted(&mut self, socket: Socket, _: Peer, _: usize, events: &mut EventLoop<Self>) {
        self.clients.welcome(events.add(Box::new(TriggerClient::new(socket))));
    }

    fn has_room(&self) -> bool {
        self.clients.here() < CLIENT_LIMIT
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        std::iter::once(self.intake.tables())
    }

    fn sessions(&self) -> usize {
        self.busy.len()
    }

    fn served(&self) -> u64 {
        self.served
    }

    fn woken(&mut self, _: &mut EventLoop<Self>) {
        self.look();
    }

    fn draining(&mut self, _: &mut EventLoop<Self>) {
        self.leaving = true;
        self.waiting.clear();
    }

    fn turn_ends(&mut self, events: &mut EventLoop<Self>) {
        let Some(desk) = self.desk.filter(|_| !self.leaving) else { return };
        if self.wanted && !self.scanning && self.waiting.is_empty() {
            let queue = self.queue.clone();
            self.scanning = events.offload(desk, move || Found(submissions(&queue))).is_ok();
            self.wanted = !self.scanning;
        }
        while self.busy.len() < FILES_AT_A_TIME
            && let Some(entry) = self.waiting.pop_front()
        {
            self.take(entry, events, desk);
        }
    }
}

/// The complete files in `maildrop/`. Blocks.
fn submissions(queue: &Queue) -> Result<Vec<Entry>, QueueError> {
    let ready = |entry: &Entry| entry.id().is_some() && entry.facts().is_ok_and(|facts| facts.is_ready());
    queue.scan(QueueName::Maildrop)?.filter(|entry| entry.as_ref().is_ok_and(ready)).collect()
}

impl Pickup {
    /// There may be something.
    pub(crate) fn look(&mut self) {
        self.wanted = true;
    }

    fn found(&mut self, found: Result<Vec<Entry>, QueueError>) {
        self.scanning = false;
        match found {
            Ok(found) => self.waiting.extend(found),
            Err(error) => log::warn!("scan of the maildrop queue: {error}"),
        }
    }

    fn take(&mut self, entry: Entry, events: &mut EventLoop<Self>, desk: HandlerId) {
        if !self.busy.insert(entry.name.clone()) {
            return;
        }
        let (queue, intake) = (self.queue.clone(), Arc::clone(&self.intake));
        let name = entry.name.clone();
        let job = move || Taken { outcome: intake.take(&queue, &entry), name: entry.name };
        if events.offload(desk, job).is_err() {
            self.busy.remove(&name);
            self.wanted = true;
        }
    }

    fn taken(&mut self, taken: Taken) {
        self.busy.remove(&taken.name);
        self.served += 1;
        match taken.outcome {
            Outcome::Queued(id) => self.notifier.arrived(id.as_str()),
            Outcome::Over => {}
            // Not at once: what stands in the way stands there a moment longer. Master wakes us.
            Outcome::Later => {}
        }
    }
}
