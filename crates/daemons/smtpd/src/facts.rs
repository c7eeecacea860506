//! Answers from outside that a session has waited for, and what it still wants to know.
//!
//! Logic asks as if every answer were there. What is not is noted as wanted, the run stops, and it starts again when
//! the answer has come in as a letter.

use std::collections::VecDeque;
use std::time::Duration;

use restrictions::PolicyService;
use rewriting::Resolved;
use services::anvil::{Count, Request};

/// So many answers are kept; a session with more lists than that asks the oldest again.
const KEPT: usize = 200;

/// Something to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A question to DNS.
    Dns(dns::Question),
    /// A question to a policy server: the service, and the attributes as they are sent.
    Policy(Box<PolicyService>, String),
    /// What an event of this client makes, of anvil(8).
    Count(Request),
    /// That so much time has gone by.
    Time(Duration),
}

/// What was found out.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// By DNS.
    Dns(dns::Answer),
    /// By a policy server: the action, or nothing where it could not be had.
    Policy(Option<String>),
    /// By anvil(8), or nothing where nobody counts.
    Count(Option<Count>),
    /// By waiting.
    Time,
}

/// A letter: the answer to what was wanted.
#[derive(Debug)]
pub(crate) struct Fact(pub(crate) Wanted, pub(crate) Found);

/// What one session knows.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    known: VecDeque<Fact>,
    wanted: Vec<Wanted>,
    /// How many answers are on their way.
    pub(crate) on_the_way: usize,
    /// How the last addresses resolved: the same one is asked about again and again.
    resolved: VecDeque<(String, String, Resolved)>,
}

/// So many resolved addresses are kept.
const RESOLVED_KEPT: usize = 4;

impl Facts {
    /// The answer; without one, it is wanted from now on.
    pub(crate) fn get(&mut self, wanted: Wanted) -> Option<Found> {
        if let Some(Fact(_, found)) = self.known.iter().find(|fact| fact.0 == wanted) {
            return Some(found.clone());
        }
        if !self.wanted.contains(&wanted) {
            self.wanted.push(wanted);
        }
        None
    }

    /// Who counts is told of each event: the next one is another.
    pub(crate) fn forget_events(&mut self) {
        self.known.retain(|fact| matches!(fact.0, Wanted::Dns(_)));
    }

    pub(crate) fn learn(&mut self, fact: Fact) {
        self.on_the_way = self.on_the_way.saturating_sub(1);
        if self.known.len() >= KEPT {
            self.known.pop_front();
        }
        self.known.push_back(fact);
    }

    /// What is to be asked now.
    pub(crate) fn take_wanted(&mut self) -> Vec<Wanted> {
        let wanted = std::mem::take(&mut self.wanted);
        self.on_the_way += wanted.len();
        wanted
    }

    pub(crate) fn resolved(&self, sender: &str, address: &str) -> Option<Resolved> {
        let known = self.resolved.iter().find(|(from, to, _)| from == sender && to == address);
        known.map(|(_, _, resolved)| resolved.clone())
    }

    pub(crate) fn remember(&mut self, sender: &str, address: &str, resolved: &Resolved) {
        if self.resolved.len() >= RESOLVED_KEPT {
            self.resolved.pop_front();
        }
        self.resolved.push_back((sender.to_owned(), address.to_owned(), resolved.clone()));
    }

    /// Between two messages nothing is kept: answers grow old, and an idle session should be small.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}
