//! The world as restrictions see it: this daemon's tables, the session's answers.

use std::cell::RefCell;
use std::net::IpAddr;
use std::time::Duration;

use dns::{Answer, Question};
use lookup::{Lookup, Stop};
use restrictions::{DnsFailure, Mx, PolicyService, World};
use rewriting::{Context, Existence, Resolved, Rewriting};
use tables::Tables;

use crate::facts::{Facts, Found, Wanted};

/// Where one check takes place.
pub(crate) struct Place<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) rewriting: &'a Rewriting,
    pub(crate) facts: RefCell<&'a mut Facts>,
    /// `no_unknown_recipient_checks`: every address exists.
    pub(crate) trusting: bool,
}

type Dns<T> = Result<Result<T, DnsFailure>, Stop>;

impl Place<'_> {
    fn dns(&self, question: Question) -> Result<Answer, Stop> {
        match self.facts.borrow_mut().get(Wanted::Dns(question)) {
            Some(Found::Dns(answer)) => Ok(answer),
            _ => Err(Stop::Wait),
        }
    }
}

fn failure(why: dns::Failure) -> DnsFailure {
    match why {
        dns::Failure::NotFound => DnsFailure::NotFound,
        dns::Failure::Unavailable => DnsFailure::Unavailable,
    }
}

impl World for Place<'_> {
    fn tables(&self) -> &dyn Lookup {
        self.tables
    }

    fn resolve(&self, sender: &str, address: &str) -> Result<Resolved, Stop> {
        if let Some(resolved) = self.facts.borrow().resolved(sender, address) {
            return Ok(resolved);
        }
        let full = self.rewriting.rewrite(address, Context::Local);
        let resolved = self.rewriting.resolve(self.tables, sender, &full)?;
        self.facts.borrow_mut().remember(sender, address, &resolved);
        Ok(resolved)
    }

    fn existence(&self, sender: &str, address: &str) -> Result<Existence, Stop> {
        if self.trusting {
            return Ok(Existence::Accepted);
        }
        let resolved = self.resolve(sender, address)?;
        self.rewriting.existence(self.tables, address, &resolved)
    }

    fn addresses(&self, name: &str) -> Dns<Vec<IpAddr>> {
        match self.dns(Question::Addresses(name.to_owned()))? {
            Answer::Addresses(answer) => Ok(answer.map_err(failure)),
            _ => Ok(Err(DnsFailure::Unavailable)),
        }
    }

    fn mail_hosts(&self, name: &str) -> Dns<Vec<Mx>> {
        let mx = |host: dns::MailHost| Mx { preference: host.preference, host: host.host };
        match self.dns(Question::MailHosts(name.to_owned()))? {
            Answer::MailHosts(answer) => {
                Ok(answer.map(|hosts| hosts.into_iter().map(mx).collect()).map_err(failure))
            }
            _ => Ok(Err(DnsFailure::Unavailable)),
        }
    }

    fn name_servers(&self, name: &str) -> Dns<Vec<String>> {
        match self.dns(Question::NameServers(name.to_owned()))? {
            Answer::NameServers(answer) => Ok(answer.map_err(failure)),
            _ => Ok(Err(DnsFailure::Unavailable)),
        }
    }

    fn texts(&self, name: &str) -> Dns<Vec<String>> {
        match self.dns(Question::Texts(name.to_owned()))? {
            Answer::Texts(answer) => Ok(answer.map_err(failure)),
            _ => Ok(Err(DnsFailure::Unavailable)),
        }
    }

    fn sleep(&self, time: Duration) -> Result<(), Stop> {
        match self.facts.borrow_mut().get(Wanted::Time(time)) {
            Some(_) => Ok(()),
            None => Err(Stop::Wait),
        }
    }

    fn policy(
        &self,
        service: &PolicyService,
        attributes: &[(&'static str, String)],
    ) -> Result<Option<String>, Stop> {
        let request: String =
            attributes.iter().map(|(name, value)| format!("{name}={}\n", on_one_line(value))).collect();
        match self.facts.borrow_mut().get(Wanted::Policy(Box::new(service.clone()), request)) {
            Some(Found::Policy(action)) => Ok(action),
            _ => Err(Stop::Wait),
        }
    }
}

/// A line end in a value would begin another attribute.
fn on_one_line(value: &str) -> String {
    value.replace(['\n', '\0'], "?")
}
