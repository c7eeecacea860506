//! Delivery agents that know at once what becomes of a recipient: error, discard, and those not built yet.

use std::fs::File;

use reactor::{EventLoop, HandlerId};
use services::delivery::{DeliveryReport, DeliveryRequest, Outcome, Recipient, Times, log_line};
use sys::clock;
use sys::sockets::{Peer, Socket};

use crate::deliveries::{self, Deliverer, Desk};
use crate::{Service, Setup, StartError};

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
    desk: Desk,
}

impl<V: Verdicts> Service for Agent<V> {
    const PROGRAM: &'static str = V::PROGRAM;
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        Ok(Self { verdicts: V::open(setup)?, desk: Desk::default() })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        deliveries::accept(self, socket, events);
    }

    fn sessions(&self) -> usize {
        self.desk.clients().here()
    }

    fn served(&self) -> u64 {
        self.desk.clients().come()
    }

    fn turn_ends(&mut self, events: &mut EventLoop<Self>) {
        deliveries::send_reports(self, events);
    }
}

impl<V: Verdicts> Deliverer for Agent<V> {
    fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }

    fn take(
        &mut self,
        request: DeliveryRequest,
        _: Option<File>,
        client: HandlerId,
        _events: &mut EventLoop<Self>,
    ) {
        self.desk.report(client, &report(&self.verdicts, &request));
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
    let outcomes = request.recipients.iter().map(decide).collect();
    DeliveryReport { serial: request.serial, outcomes, unreachable: None }
}
