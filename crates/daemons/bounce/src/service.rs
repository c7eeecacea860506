//! What all connections share.

use std::sync::{Arc, Mutex};

use queue::Queue;
use reactor::EventLoop;
use reactor::channel::Channel;
use services::qmgr::Notifier;
use sys::sockets::{Peer, Socket};
use worker::{Service, Setup, StartError};

use crate::conversation::Conversation;
use crate::job::Job;
use crate::prepare::Preparer;
use crate::settings::Settings;
use posting::Poster;

/// The queue manager's socket.
const QUEUE_MANAGER: &str = "qmgr";

/// The state of one worker.
pub(crate) struct Bounce {
    pub(crate) job: Arc<Job>,
    pub(crate) notifier: Notifier,
    pub(crate) sessions: usize,
    pub(crate) served: u64,
}

impl Service for Bounce {
    const PROGRAM: &'static str = "bounce";

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let settings = Settings::new(&setup.config, &setup.service);
        let queue = Queue::open(".", queue_settings(&setup.config))
            .map_err(|error| StartError::Refused(error.to_string()))?;
        let preparer = Preparer { queue: queue.clone(), settings, config: Mutex::new(setup.config.clone()) };
        let job = Job { queue, preparer, poster: Poster::new(&setup.config, "bounce") };
        let notifier = Notifier::new(setup.public_socket(QUEUE_MANAGER));
        Ok(Self { job: Arc::new(job), notifier, sessions: 0, served: 0 })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        match Channel::start(socket, Conversation::default(), events) {
            Ok(_) => self.sessions += 1,
            Err(error) => log::warn!("connection of a client: {error}"),
        }
    }

    fn sessions(&self) -> usize {
        self.sessions
    }

    fn served(&self) -> u64 {
        self.served
    }
}

fn queue_settings(config: &parameters::Config) -> queue::Settings {
    queue::Settings::new(
        &config.get(&parameters::HASH_QUEUE_NAMES),
        config.get(&parameters::HASH_QUEUE_DEPTH),
        config.get(&parameters::ENABLE_LONG_QUEUE_IDS),
    )
}
