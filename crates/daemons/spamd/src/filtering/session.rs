//! A mail server's connection.

use std::sync::Arc;
use std::time::Duration;

use milter::{Decision, Fate, Filter, Settings, Submission};
use reactor::drive::Session;
use reactor::{EventLoop, HandlerId, Letter};

use super::decide::{Policy, decide};
use crate::session::{Office, Shared};

/// How long a mail server may say nothing: as long as its own client may.
const PATIENCE: Duration = Duration::from_secs(2 * 3600);

/// A mail server.
pub(crate) struct Milter {
    machine: Filter,
    shared: Arc<Shared>,
    policy: Arc<Policy>,
}

impl Milter {
    pub(crate) fn new(shared: Arc<Shared>, policy: Arc<Policy>) -> Self {
        let settings = Settings {
            patience: PATIENCE,
            decision_time: shared.settings.check_time,
            message_limit_bytes: policy.size_limit_bytes,
        };
        Self { machine: Filter::new(settings), shared, policy }
    }
}

impl<D: Office> Session<D> for Milter {
    type Machine = Filter;

    fn machine(&mut self) -> &mut Filter {
        &mut self.machine
    }

    fn answer(
        &mut self,
        message: Submission,
        _: &mut D,
        events: &mut EventLoop<D>,
        me: HandlerId,
    ) -> Option<Decision> {
        let (shared, policy) = (Arc::clone(&self.shared), Arc::clone(&self.policy));
        match events.offload(me, move || decide(&shared, &policy, &message)) {
            Ok(_) => None,
            Err(_) => {
                log::warn!("spamd: too busy to judge a message: it shall come again later");
                Some(Decision { changes: Vec::new(), fate: Fate::Defer })
            }
        }
    }

    fn letter(&mut self, letter: Letter, _: &mut D, _: &mut EventLoop<D>, _: HandlerId) -> Option<Decision> {
        letter.downcast::<Decision>().ok().map(|decision| *decision)
    }

    fn begin_tls(&mut self, _: &mut D) -> Option<(tls::Server, Duration)> {
        None
    }

    fn ended(&mut self, daemon: &mut D, _: &mut EventLoop<D>) {
        daemon.session_ended();
    }
}
