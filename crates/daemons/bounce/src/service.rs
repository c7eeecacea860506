//! What all connections share.

use std::sync::{Arc, Mutex};

use reactor::EventLoop;
use reactor::channel::Channel;
use services::qmgr::Notifier;
use sys::sockets::{Peer, Socket};
use tables::Tables;
use worker::{Clients, Service, Setup, StartError};

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
    pub(crate) clients: Clients,
    /// Requests.
    pub(crate) served: u64,
}

impl Service for Bounce {
    const PROGRAM: &'static str = "bounce";

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let settings = Settings::new(&setup.config, &setup.service);
        let queue = setup.queue()?;
        let preparer = Preparer { queue: queue.clone(), settings, config: Mutex::new(setup.config.clone()) };
        let poster = Poster::new(&setup.config, &setup.cleanup_config()?, "bounce");
        let job = Job { queue, preparer, poster };
        let notifier = Notifier::new(setup.public_socket(QUEUE_MANAGER));
        Ok(Self { job: Arc::new(job), notifier, clients: Clients::default(), served: 0 })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        self.clients.welcome(Channel::start(socket, Conversation::default(), events));
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        std::iter::once(self.job.poster.tables())
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }

    fn served(&self) -> u64 {
        self.served
    }
}
