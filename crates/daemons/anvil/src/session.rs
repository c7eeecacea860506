//! The connection of one worker of smtpd(8).

use std::collections::HashMap;

use attributes::Attributes;
use reactor::channel::{Line, Talk};
use reactor::{EventLoop, Fate};
use services::anvil::{Event, Request};

use crate::service::Anvil;

/// What a worker has told, as far as it must be taken back when it is gone.
#[derive(Default)]
pub(crate) struct Session {
    connected: HashMap<String, u64>,
}

impl Talk<Anvil> for Session {
    fn message(&mut self, message: Attributes, anvil: &mut Anvil, line: &mut Line<'_, Anvil>) -> Fate {
        let Request { event, client } = match Request::from_attributes(&message) {
            Ok(request) => request,
            Err(error) => {
                log::warn!("bad request: {error}");
                return Fate::Close;
            }
        };
        if event == Event::Disconnect {
            anvil.counts.disconnected(&client, 1);
            self.forget(&client);
            return Fate::Keep;
        }
        if event == Event::Connect {
            *self.connected.entry(client.clone()).or_default() += 1;
        }
        let count = anvil.counts.note(event, client, line.events.now());
        line.send(&count.to_attributes());
        Fate::Keep
    }

    fn ended(&mut self, anvil: &mut Anvil, _: &mut EventLoop<Anvil>) {
        anvil.clients.gone();
        for (client, connections) in self.connected.drain() {
            anvil.counts.disconnected(&client, connections);
        }
    }
}

impl Session {
    fn forget(&mut self, client: &str) {
        if let Some(connections) = self.connected.get_mut(client) {
            *connections -= 1;
            if *connections == 0 {
                self.connected.remove(client);
            }
        }
    }
}
