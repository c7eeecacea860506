//! Pyzor and DCC: asked before DNS, heard after it, so that all wait at the same time.

use std::time::{Duration, Instant};

use checksums::pyzor::Operation;
use dns::Resolver;
use spam::rules::{Clearinghouses, DccPlace};
use spam::{Answers, Errands, Ruleset};

use crate::{dcc, pyzor};

/// Whom to ask.
pub(crate) struct Houses {
    pyzor: Option<pyzor::Client>,
    dcc: DccPlace,
    /// Names of servers are those of this system, whatever name servers the rules ask.
    resolver: Resolver,
}

/// Questions that are sent.
pub(crate) struct Sent {
    pyzor: Option<pyzor::Asked>,
    dcc: Option<dcc::Asked>,
}

/// Who was told that a message is spam; `None` for a network that is off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// All of Pyzor's servers took it.
    pub pyzor: Option<bool>,
    /// DCC took it.
    pub dcc: Option<bool>,
}

impl Told {
    /// Somebody took it.
    pub fn is_done(&self) -> bool {
        self.pyzor == Some(true) || self.dcc == Some(true)
    }
}

fn seconds(time: f64) -> Duration {
    Duration::try_from_secs_f64(time).unwrap_or_default()
}

impl Houses {
    pub(crate) fn new(rules: &Ruleset) -> Self {
        let settings = &rules.settings.clearinghouses;
        let pyzor = if settings.pyzor.active { pyzor::Client::open(&settings.pyzor) } else { None };
        Self { pyzor, dcc: settings.dcc.place(), resolver: Resolver::of_system() }
    }

    /// Is there anybody to ask? A digest is made only then.
    pub(crate) fn asks_pyzor(&self) -> bool {
        self.pyzor.is_some()
    }

    /// Sends what has to be asked; `now` is in seconds since 1970.
    pub(crate) fn ask(&self, errands: &Errands, settings: &Clearinghouses, now: i64) -> Sent {
        self.send(Operation::Check, errands, settings, now)
    }

    /// Reports a message as spam, and waits for the answers.
    pub(crate) fn report(&self, errands: &Errands, settings: &Clearinghouses, now: i64) -> Told {
        let sent = self.send(Operation::Report, errands, settings, now);
        Told {
            pyzor: sent.pyzor.map(pyzor::Asked::all_done),
            dcc: errands.dcc.as_ref().map(|_| sent.dcc.and_then(dcc::Asked::answer).is_some()),
        }
    }

    fn send(&self, operation: Operation, errands: &Errands, settings: &Clearinghouses, now: i64) -> Sent {
        let begun = Instant::now();
        let pyzor = self.pyzor.as_ref().zip(errands.pyzor.as_ref()).map(|(client, digest)| {
            client.ask(&self.resolver, (operation, digest), seconds(settings.pyzor.timeout_seconds), now)
        });
        let deadline = begun + seconds(settings.dcc.timeout_seconds);
        let dcc =
            errands.dcc.as_ref().and_then(|request| dcc::ask(&self.dcc, &self.resolver, request, deadline));
        Sent { pyzor, dcc }
    }

    /// Which networks are asked, for the log; one that rules want and that is not configured is named too.
    pub(crate) fn outlook(&self, rules: &Ruleset) -> String {
        let (wants_pyzor, wants_dcc) = rules.clearinghouses();
        let mut text = String::new();
        match &self.pyzor {
            _ if !wants_pyzor => {}
            Some(client) => text.push_str(&format!("; Pyzor is asked at {}", client.shown())),
            None => text.push_str(
                "; Pyzor is not asked: set pyzor_options --homedir to the folder with its file servers",
            ),
        }
        if wants_dcc {
            let place = dcc::shown(&self.dcc);
            match &self.dcc {
                DccPlace::Path(path) if !path.exists() => {
                    text.push_str(&format!("; DCC is not there ({place}): name it with dcc_dccifd_path"));
                }
                _ => text.push_str(&format!("; DCC is asked at {place}")),
            }
        }
        text
    }
}

impl Sent {
    /// Notes what was said in time.
    pub(crate) fn note(self, answers: &mut Answers) {
        answers.pyzor = self.pyzor.and_then(pyzor::Asked::counts);
        answers.dcc = self.dcc.and_then(dcc::Asked::answer);
    }
}
