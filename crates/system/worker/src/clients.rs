//! The clients of a service, counted.

use std::io;

use reactor::HandlerId;

/// How many clients are here, and how many have come since the start.
#[derive(Debug, Default)]
pub struct Clients {
    here: usize,
    come: u64,
}

impl Clients {
    /// Counts a client that the event loop has taken, and names its handler. One that could not be taken is logged;
    /// its connection is closed already.
    pub fn welcome(&mut self, taken: io::Result<HandlerId>) -> Option<HandlerId> {
        match taken {
            Ok(handler) => {
                self.here += 1;
                self.come += 1;
                Some(handler)
            }
            Err(error) => {
                log::warn!("watch a client: {error}");
                None
            }
        }
    }

    /// A client that was welcome has gone: to be said where its handler ends, and only there.
    pub fn gone(&mut self) {
        assert!(self.here > 0, "a client has gone that never came");
        self.here -= 1;
    }

    /// How many are here.
    pub fn here(&self) -> usize {
        self.here
    }

    /// How many have come since the start.
    pub fn come(&self) -> u64 {
        self.come
    }
}

#[cfg(test)]
mod tests {
    use reactor::{EventLoop, Handler};

    use super::*;

    struct Nobody;

    impl Handler<()> for Nobody {}

    #[test]
    fn only_clients_that_were_taken_count() {
        let mut events = EventLoop::<()>::new(1).unwrap();
        let mut clients = Clients::default();
        let handler = clients.welcome(events.add(Box::new(Nobody)));
        assert!(handler.is_some());
        assert!(clients.welcome(Err(io::Error::from(io::ErrorKind::NotFound))).is_none());
        assert_eq!((clients.here(), clients.come()), (1, 1));
        clients.gone();
        assert_eq!((clients.here(), clients.come()), (0, 1));
    }
}
