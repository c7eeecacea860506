//! A server that turns its clients away.

use std::marker::PhantomData;

use reactor::EventLoop;
use sys::sockets::{Peer, Socket};
use worker::{Service, Setup, StartError};

use crate::{Missing, say_what_is_missing};

/// A [`Missing`] server, and its last words to a client.
pub trait Refusing: Missing {
    /// Sent before the connection is closed.
    const FAREWELL: &'static [u8] = b"";
}

/// The server for the program `M`.
#[derive(Debug)]
pub struct Server<M> {
    served: u64,
    program: PhantomData<M>,
}

impl<M: Refusing> Service for Server<M> {
    const PROGRAM: &'static str = M::PROGRAM;
    const POOL_THREADS: usize = 1;

    fn open(_setup: &Setup) -> Result<Self, StartError> {
        say_what_is_missing::<M>("clients are turned away");
        Ok(Self { served: 0, program: PhantomData })
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, _events: &mut EventLoop<Self>) {
        self.served += 1;
        // A few bytes fit into the buffer of a new connection; a client that is gone does not mind.
        let _ = socket.write(M::FAREWELL);
        socket.finish_writing();
    }

    fn sessions(&self) -> usize {
        0
    }

    fn served(&self) -> u64 {
        self.served
    }
}
