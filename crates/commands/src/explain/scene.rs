//! The world as restrictions see it while an address is explained.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::mpsc;

use dns::{Answer, Failure, Question, Resolver};
use lookup::{Lookup, Stop};
use restrictions::{DnsFailure, Mx, PolicyService, World};
use rewriting::{Context, Existence, Resolved, Rewriting};

use crate::explain::recorder::Recorder;

/// Answers questions about names, and waits until it can.
pub trait Names {
    /// The answer to a question.
    fn answer(&self, question: Question) -> Answer;
}

impl Names for Resolver {
    fn answer(&self, question: Question) -> Answer {
        if let Some(answer) = self.at_once(&question) {
            return answer;
        }
        let (sender, receiver) = mpsc::channel();
        self.ask(question.clone(), move |answer| drop(sender.send(answer)));
        receiver.recv().unwrap_or_else(|_| failed(&question))
    }
}

fn failed(question: &Question) -> Answer {
    match question {
        Question::Addresses(_) => Answer::Addresses(Err(Failure::Unavailable)),
        Question::MailHosts(_) => Answer::MailHosts(Err(Failure::Unavailable)),
        Question::NameServers(_) => Answer::NameServers(Err(Failure::Unavailable)),
        Question::Texts(_) => Answer::Texts(Err(Failure::Unavailable)),
        Question::Records(..) => Answer::Records(None),
        Question::Peer(_) => {
            let name = Err(Failure::Unavailable);
            Answer::Peer(dns::Peer { name: name.clone(), reverse: name, doubt: None })
        }
    }
}

/// Tables, addresses, names; policy servers are not asked.
pub(crate) struct Scene<'a> {
    pub(crate) tables: &'a Recorder<'a>,
    pub(crate) rewriting: &'a Rewriting,
    pub(crate) names: &'a dyn Names,
    /// `no_unknown_recipient_checks`: every address exists.
    pub(crate) trusting: bool,
    /// What was not asked.
    pub(crate) notes: RefCell<Vec<String>>,
}

type Dns<T> = Result<Result<T, DnsFailure>, Stop>;

fn told<T>(answer: Result<T, Failure>) -> Dns<T> {
    Ok(answer.map_err(|why| match why {
        Failure::NotFound => DnsFailure::NotFound,
        Failure::Unavailable => DnsFailure::Unavailable,
    }))
}

impl World for Scene<'_> {
    fn tables(&self) -> &dyn Lookup {
        self.tables
    }

    fn resolve(&self, sender: &str, address: &str) -> Result<Resolved, Stop> {
        let full = self.rewriting.rewrite(address, Context::Local);
        self.rewriting.resolve(self.tables, sender, &full)
    }

    fn existence(&self, sender: &str, address: &str) -> Result<Existence, Stop> {
        if self.trusting {
            return Ok(Existence::Accepted);
        }
        let resolved = self.resolve(sender, address)?;
        self.rewriting.existence(self.tables, address, &resolved)
    }

    fn addresses(&self, name: &str) -> Dns<Vec<IpAddr>> {
        match self.names.answer(Question::Addresses(name.to_owned())) {
            Answer::Addresses(answer) => told(answer),
            _ => told(Err(Failure::Unavailable)),
        }
    }

    fn mail_hosts(&self, name: &str) -> Dns<Vec<Mx>> {
        let mx = |host: dns::MailHost| Mx { preference: host.preference, host: host.host };
        match self.names.answer(Question::MailHosts(name.to_owned())) {
            Answer::MailHosts(answer) => told(answer.map(|hosts| hosts.into_iter().map(mx).collect())),
            _ => told(Err(Failure::Unavailable)),
        }
    }

    fn name_servers(&self, name: &str) -> Dns<Vec<String>> {
        match self.names.answer(Question::NameServers(name.to_owned())) {
            Answer::NameServers(answer) => told(answer),
            _ => told(Err(Failure::Unavailable)),
        }
    }

    fn texts(&self, name: &str) -> Dns<Vec<String>> {
        match self.names.answer(Question::Texts(name.to_owned())) {
            Answer::Texts(answer) => told(answer),
            _ => told(Err(Failure::Unavailable)),
        }
    }

    /// Nobody waits here.
    fn sleep(&self, _time: std::time::Duration) -> Result<(), Stop> {
        Ok(())
    }

    fn policy(&self, service: &PolicyService, _: &[(&'static str, String)]) -> Result<Option<String>, Stop> {
        let note =
            format!("check_policy_service {} is not asked here: as if it said DUNNO", service.endpoint);
        let mut notes = self.notes.borrow_mut();
        if !notes.contains(&note) {
            notes.push(note);
        }
        Ok(Some("DUNNO".to_owned()))
    }
}
