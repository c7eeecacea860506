//! Delivery agents that know at once what becomes of a recipient: error, discard, and those not built yet.

use attributes::Attributes;
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate};
use services::delivery::{DeliveryReport, DeliveryRequest, Outcome, Recipient, Times, log_line};
use sys::clock;
use sys::sockets::{Peer, Socket};

use crate::{Clients, Service, Setup, StartError};

/// What such an agent has to decide.
pub trait Verdicts: Sized + 'static {
    /// The program's name.
    const PROGRAM: &'static str;

    /// As [`Service::open`].
    ///
    /// # Errors
    /// As [`Service::open`].
    fn open(setup: &Setup) -> Result<Self, StartError>;

    /// What becomes of this recipient; it is logged and reported.
    fn outcome(&self, request: &DeliveryRequest, recipient: &Recipient) -> Outcome;
}

/// The agent that gives the verdicts of `V`.
#[derive(Debug)]
pub struct Agent<V> {
    verdicts: V,
    clients: Clients,
}

impl<V: Verdicts> Service for Agent<V> {
    const PROGRAM: &'static str = V::PROGRAM;
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        Ok(Self { verdicts: V::open(setup)?, clients: Clients::default() })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        self.clients.welcome(Channel::start(socket, Conversation, events));
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }
}

/// One connection of the queue manager.
struct Conversation;

impl<V: Verdicts> Talk<Agent<V>> for Conversation {
    fn message(&mut self, message: Attributes, agent: &mut Agent<V>, line: &mut Line<'_, Agent<V>>) -> Fate {
        match DeliveryRequest::from_attributes(&message) {
            Ok(request) => {
                line.send(&report(&agent.verdicts, &request).to_attributes());
                Fate::Keep
            }
            Err(error) => {
                log::warn!("malformed delivery request: {error}");
                Fate::Close
            }
        }
    }

    fn ended(&mut self, agent: &mut Agent<V>, _events: &mut EventLoop<Agent<V>>) {
        agent.clients.gone();
    }
}

/// The verdict on every recipient, each logged.
pub fn report<V: Verdicts>(verdicts: &V, request: &DeliveryRequest) -> DeliveryReport {
    let taken_us = clock::now_us();
    let decide = |recipient: &Recipient| {
        let outcome = verdicts.outcome(request, recipient);
        let times = Times { taken_us, connected_us: taken_us, done_us: clock::now_us() };
        log::info!("{}", log_line(request, recipient, &outcome, times));
        outcome
    };
    DeliveryReport { serial: request.serial, outcomes: request.recipients.iter().map(decide).collect() }
}
