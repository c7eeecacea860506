//! What flush(8) is told: which message waits for which destination. Nobody waits for its answer, and a word that is lost costs a flush of
//! that message, not the message.

use attributes::Attributes;
use lookup::{Lookup, Subject};
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate};
use scheduling::MessageKey;
use services::flush::Request;
use std::path::Path;
use std::time::Duration;

use crate::service::Manager;

/// How many words wait for flush(8) at a time.
const WAITING_LIMIT: usize = 100;
/// How long it has to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection: the greeting comes, the word goes, the answer ends it.
struct FlushTalk {
    word: Option<Attributes>,
}

impl Talk<Manager> for FlushTalk {
    fn message(&mut self, _: Attributes, _: &mut Manager, line: &mut Line<'_, Manager>) -> Fate {
        match self.word.take() {
            Some(word) => {
                line.send(&word);
                line.events.set_deadline(line.me, Some(line.events.now() + PATIENCE));
                Fate::Keep
            }
            None => Fate::Close,
        }
    }

    fn elapsed(&mut self, _: &mut Manager, _: &mut Line<'_, Manager>) -> Fate {
        Fate::Close
    }

    fn ended(&mut self, manager: &mut Manager, _: &mut EventLoop<Manager>) {
        manager.flush_talks -= 1;
    }
}

impl Manager {
    /// These recipients wait: their destinations are noted, if they are in `fast_flush_domains`.
    pub(crate) fn note_waiting(&mut self, key: MessageKey, slots: &[u32]) {
        if self.settings.fast_flush_domains.is_empty() {
            return;
        }
        let Some(message) = self.messages.get(&key) else { return };
        let addresses = slots.iter().map(|slot| message.recipients[slot].recipient.address.as_str());
        let mut sites: Vec<&str> =
            addresses.filter_map(|address| Some(address.rsplit_once('@')?.1)).collect();
        sites.sort_unstable();
        sites.dedup();
        for site in sites {
            let subject = Subject::Domain { name: site, parents: self.settings.fast_flush_parents };
            let listed = self.tables.listed(&self.settings.fast_flush_domains, &subject);
            if listed == Ok(true) && self.flush_words.len() < WAITING_LIMIT {
                let queue_id = message.id.to_string();
                self.flush_words.push(Request::Add { site: site.to_owned(), queue_id });
            }
        }
    }

    /// Says what was noted in this turn.
    pub(crate) fn tell_flush(&mut self, events: &mut EventLoop<Self>) {
        for word in std::mem::take(&mut self.flush_words) {
            if self.flush_talks >= WAITING_LIMIT {
                return;
            }
            let path = Path::new("public").join(&self.settings.flush_service);
            let talk = FlushTalk { word: Some(word.to_attributes()) };
            let started =
                sys::sockets::connect_unix(&path).and_then(|socket| Channel::start(socket, talk, events));
            if let Ok(id) = started {
                self.flush_talks += 1;
                events.set_deadline(id, Some(events.now() + PATIENCE));
            }
        }
    }
}
