//! Records evaluated (RFC 7208 §4).

use std::net::IpAddr;

use crate::expansion::{Values, expand, needs_name};
use crate::record::Record;
use crate::specification::Specification;
use crate::terms::{Hosts, Mechanism, Network, Qualifier};
use crate::{Kind, NAME_LIMIT, Request, TERM_LIMIT, Told, VOID_LIMIT, Verdict, Zone, normal};

/// Bytes of a label, and of a name (RFC 1035 §2.3.4).
const LABEL_LIMIT_BYTES: usize = 63;
const DOMAIN_LIMIT_BYTES: usize = 253;

/// Why an evaluation ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// An answer is not there yet.
    Wait,
    Temporary,
    Permanent,
}

/// May this address send mail for this identity? `None` when the zone does not know enough yet.
pub fn check(request: &Request, zone: &mut dyn Zone) -> Option<Verdict> {
    let mut evaluation = Evaluation { request, zone, terms: 0, voids: 0 };
    evaluation.verdict(&request.domain()).ok()
}

struct Evaluation<'a> {
    request: &'a Request,
    zone: &'a mut dyn Zone,
    /// Terms that asked DNS.
    terms: u32,
    /// Lookups that found nothing.
    voids: u32,
}

impl Evaluation<'_> {
    /// What a domain says; errors are an answer, too.
    fn verdict(&mut self, domain: &str) -> Result<Verdict, Stop> {
        match self.evaluate(domain) {
            Err(Stop::Temporary) => Ok(Verdict::TempError),
            Err(Stop::Permanent) => Ok(Verdict::PermError),
            other => other,
        }
    }

    fn evaluate(&mut self, domain: &str) -> Result<Verdict, Stop> {
        let Some(record) = self.record(domain)? else { return Ok(Verdict::None) };
        let matched = self.first_match(&record, domain)?;
        if let Some(redirect) = &record.redirect {
            self.count_term()?;
            if matched.is_none() {
                let target = self.name(redirect, domain)?;
                let verdict = self.verdict(&target)?;
                return if verdict == Verdict::None { Err(Stop::Permanent) } else { Ok(verdict) };
            }
        }
        Ok(match matched {
            None | Some(Qualifier::Neutral) => Verdict::Neutral,
            Some(Qualifier::Pass) => Verdict::Pass,
            Some(Qualifier::SoftFail) => Verdict::SoftFail,
            Some(Qualifier::Fail) => Verdict::Fail { explanation: self.explanation(&record, domain)? },
        })
    }

    /// RFC 7208 §4.5: the one record of a domain.
    fn record(&mut self, domain: &str) -> Result<Option<Record>, Stop> {
        let mut found = None;
        for text in self.lookup(domain, Kind::Txt)?.iter().filter(|text| Record::is_one(text)) {
            let record = Record::parse(text).map_err(|_| Stop::Permanent)?;
            if found.replace(record).is_some() {
                return Err(Stop::Permanent);
            }
        }
        Ok(found)
    }

    /// What the first term that matches says. Terms behind one that waits are tried too, to raise their questions.
    fn first_match(&mut self, record: &Record, domain: &str) -> Result<Option<Qualifier>, Stop> {
        let mut waits = false;
        for term in &record.terms {
            match self.matches(&term.mechanism, domain) {
                Ok(false) => {}
                Err(Stop::Wait) => waits = true,
                _ if waits => break,
                Ok(true) => return Ok(Some(term.qualifier)),
                Err(stop) => return Err(stop),
            }
        }
        if waits { Err(Stop::Wait) } else { Ok(None) }
    }

    fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Result<bool, Stop> {
        match mechanism {
            Mechanism::All => return Ok(true),
            Mechanism::Ip(network) => return Ok(network.contains(self.request.ip)),
            _ => self.count_term()?,
        }
        match mechanism {
            Mechanism::A(hosts) => {
                let name = self.target(hosts.domain.as_ref(), domain)?;
                self.has_address(&name, hosts)
            }
            Mechanism::Mx(hosts) => self.has_exchange(hosts, domain),
            Mechanism::Ptr(target) => {
                let target = self.target(target.as_ref(), domain)?;
                self.has_name_below(&target)
            }
            Mechanism::Exists(target) => {
                let name = self.name(target, domain)?;
                Ok(!self.counted_lookup(&name, Kind::A)?.is_empty())
            }
            Mechanism::Include(target) => {
                let target = self.name(target, domain)?;
                self.includes(&target)
            }
            Mechanism::All | Mechanism::Ip(_) => Ok(false),
        }
    }

    /// RFC 7208 §5.2
    fn includes(&mut self, target: &str) -> Result<bool, Stop> {
        match self.verdict(target)? {
            Verdict::Pass => Ok(true),
            Verdict::Fail { .. } | Verdict::SoftFail | Verdict::Neutral => Ok(false),
            Verdict::TempError => Err(Stop::Temporary),
            Verdict::PermError | Verdict::None => Err(Stop::Permanent),
        }
    }

    /// The type of records that hold addresses like the client's.
    fn address_kind(&self) -> Kind {
        if self.request.ip.to_canonical().is_ipv4() { Kind::A } else { Kind::Aaaa }
    }

    fn has_address(&mut self, name: &str, hosts: &Hosts) -> Result<bool, Stop> {
        let kind = self.address_kind();
        let bits = if kind == Kind::A { hosts.bits_v4 } else { hosts.bits_v6 };
        let found = self.counted_lookup(name, kind)?;
        let addresses = found.iter().filter_map(|text| text.parse::<IpAddr>().ok());
        Ok(addresses.into_iter().any(|address| Network::new(address, bits).contains(self.request.ip)))
    }

    fn has_exchange(&mut self, hosts: &Hosts, domain: &str) -> Result<bool, Stop> {
        let name = self.target(hosts.domain.as_ref(), domain)?;
        let exchanges = self.counted_lookup(&name, Kind::Mx)?;
        let names = exchanges.iter().filter_map(|record| record.split_whitespace().nth(1));
        let mut waits = false;
        for name in names.take(NAME_LIMIT) {
            match self.has_address(&normal(name), hosts) {
                Ok(false) => {}
                Err(Stop::Wait) => waits = true,
                _ if waits => break,
                other => return other,
            }
        }
        if waits { Err(Stop::Wait) } else { Ok(false) }
    }

    /// RFC 7208 §5.5: a name of the client that is this one or below it, and that leads back to the client.
    fn has_name_below(&mut self, target: &str) -> Result<bool, Stop> {
        let below = |name: &str| {
            name.strip_suffix(target).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        for name in self.client_names()?.iter().filter(|name| below(name)) {
            if self.leads_back(name)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// RFC 7208 §7.3, of `p`: a name of the client, best one that is or is below the domain.
    fn client_name(&mut self, domain: &str) -> Result<String, Stop> {
        let unknown = || "unknown".to_owned();
        let names = match self.client_names() {
            Err(Stop::Temporary) => return Ok(unknown()),
            other => other?,
        };
        let mut best: Option<(u8, String)> = None;
        for name in names {
            let rank = match name.strip_suffix(domain) {
                Some("") => 2,
                Some(before) => u8::from(before.ends_with('.')),
                None => 0,
            };
            if best.as_ref().is_none_or(|(known, _)| rank > *known) && self.leads_back(&name)? {
                best = Some((rank, name));
            }
        }
        Ok(best.map_or_else(unknown, |(_, name)| name))
    }

    fn client_names(&mut self) -> Result<Vec<String>, Stop> {
        let found = self.counted_lookup(&reverse_name(self.request.ip), Kind::Ptr)?;
        Ok(found.iter().take(NAME_LIMIT).map(|name| normal(name)).collect())
    }

    fn leads_back(&mut self, name: &str) -> Result<bool, Stop> {
        let client = self.request.ip.to_canonical();
        match self.counted_lookup(name, self.address_kind()) {
            Err(Stop::Temporary) => Ok(false),
            other => Ok(other?.iter().any(|text| text.parse() == Ok(client))),
        }
    }

    fn target(&mut self, target: Option<&Specification>, domain: &str) -> Result<String, Stop> {
        target.map_or_else(|| Ok(domain.to_owned()), |target| self.name(target, domain))
    }

    /// The name that a specification stands for.
    fn name(&mut self, specification: &Specification, domain: &str) -> Result<String, Stop> {
        let expanded = self.expanded(&specification.0, domain, false)?.ok_or(Stop::Permanent)?;
        Ok(within_limits(&expanded))
    }

    /// `None` when a macro does not read.
    fn expanded(&mut self, text: &str, domain: &str, explaining: bool) -> Result<Option<String>, Stop> {
        if !text.contains('%') {
            return Ok(Some(text.to_owned()));
        }
        let name = if needs_name(text) { self.client_name(domain)? } else { String::new() };
        Ok(expand(text, &Values { request: self.request, domain, explaining }, &name).ok())
    }

    /// RFC 7208 §6.2: what the domain has to say; nothing where that is not to be had.
    fn explanation(&mut self, record: &Record, domain: &str) -> Result<Option<String>, Stop> {
        let Some(target) = &record.explanation else { return Ok(None) };
        let name = self.name(target, domain)?;
        let texts = match self.lookup(&name, Kind::Txt) {
            Err(Stop::Temporary) => return Ok(None),
            other => other?,
        };
        let [text] = texts.as_slice() else { return Ok(None) };
        self.expanded(text, domain, true)
    }

    fn lookup(&mut self, name: &str, kind: Kind) -> Result<Vec<String>, Stop> {
        match self.zone.ask(&normal(name), kind) {
            Told::Records(records) => Ok(records),
            Told::Failed => Err(Stop::Temporary),
            Told::NotYet => Err(Stop::Wait),
        }
    }

    /// RFC 7208 §4.6.4: what finds nothing counts.
    fn counted_lookup(&mut self, name: &str, kind: Kind) -> Result<Vec<String>, Stop> {
        let found = self.lookup(name, kind)?;
        self.voids += u32::from(found.is_empty());
        if self.voids > VOID_LIMIT { Err(Stop::Permanent) } else { Ok(found) }
    }

    fn count_term(&mut self) -> Result<(), Stop> {
        self.terms += 1;
        if self.terms > TERM_LIMIT { Err(Stop::Permanent) } else { Ok(()) }
    }
}

/// RFC 1035 §3.5, RFC 3596 §2.5
fn reverse_name(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(ip) => {
            let digits: Vec<String> =
                format!("{:032x}", u128::from(ip)).chars().rev().map(String::from).collect();
            format!("{}.ip6.arpa", digits.join("."))
        }
    }
}

/// RFC 7208 §7.3: labels that are too long are cut, and so is the front of a name that is.
fn within_limits(name: &str) -> String {
    let cut = |label: &str| {
        let end = (0..=label.len().min(LABEL_LIMIT_BYTES)).rev().find(|end| label.is_char_boundary(*end));
        label[..end.unwrap_or(0)].to_owned()
    };
    let name = name.split('.').map(cut).collect::<Vec<_>>().join(".");
    let mut rest = name.as_str();
    while rest.len() > DOMAIN_LIMIT_BYTES {
        let Some((_, behind)) = rest.split_once('.') else { break };
        rest = behind;
    }
    normal(rest)
}

#[cfg(test)]
mod tests;
