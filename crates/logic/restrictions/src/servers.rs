//! `check_sender_mx_access` and its kind: access tables about the servers of a domain.

use lookup::Stop;

use crate::address::class_name;
use crate::check::{About, Check, Verdict};
use crate::parse::{ServerKind, Subject};
use crate::world::{DnsFailure, LogLine};

/// So many servers of one domain are looked at.
const SERVER_LIMIT: usize = 100;

impl Check<'_> {
    pub(crate) fn server_access(
        &mut self,
        subject: Subject,
        kind: ServerKind,
        table: &str,
    ) -> Result<Verdict, Stop> {
        let client = self.session.client;
        let (name, domain) = match subject {
            Subject::Client if client.name != "unknown" => (client.shown(), client.name.clone()),
            Subject::ReverseClient if client.reverse_name != "unknown" => {
                (format!("{}[{}]", client.reverse_name, client.address_text()), client.reverse_name.clone())
            }
            Subject::Helo => match self.session.helo {
                Some(name) if !name.starts_with('[') => (name.to_owned(), name.to_owned()),
                _ => return Ok(Verdict::Dunno),
            },
            Subject::Sender | Subject::Recipient => match self.domain_of(subject)? {
                Some((address, domain)) if !domain.starts_with('[') => (address, domain),
                _ => return Ok(Verdict::Dunno),
            },
            _ => return Ok(Verdict::Dunno),
        };
        let about = About { name: &name, class: class_name(subject), bare_table: None };
        match self.servers(&domain, kind)? {
            Ok(hosts) => self.hosts_access(&hosts, table, about),
            Err(DnsFailure::NotFound) => Ok(Verdict::Dunno),
            Err(DnsFailure::Unavailable) => {
                let kind = if kind == ServerKind::Ns { "NS" } else { "MX" };
                let why = format!("Unable to look up {kind} host for {domain}: Host not found, try again");
                self.log.push(LogLine::Warning(why));
                Ok(Verdict::Dunno)
            }
        }
    }

    fn servers(&self, domain: &str, kind: ServerKind) -> Result<Result<Vec<String>, DnsFailure>, Stop> {
        match kind {
            ServerKind::Host => Ok(Ok(vec![domain.to_owned()])),
            ServerKind::Mx => Ok(match self.world.mail_hosts(domain)? {
                Ok(hosts) => {
                    Ok(hosts.into_iter().map(|mx| mx.host).filter(|host| !host.is_empty()).collect())
                }
                // RFC 5321 §5.1: without MX the name itself is the server.
                Err(DnsFailure::NotFound) => Ok(vec![domain.to_owned()]),
                Err(failure) => Err(failure),
            }),
            ServerKind::Ns => {
                let mut zone = domain;
                loop {
                    match (self.world.name_servers(zone)?, zone.split_once('.')) {
                        (Err(DnsFailure::NotFound), Some((_, parent))) if parent.contains('.') => {
                            zone = parent
                        }
                        (answer, _) => return Ok(answer),
                    }
                }
            }
        }
    }

    fn hosts_access(&mut self, hosts: &[String], table: &str, about: About<'_>) -> Result<Verdict, Stop> {
        for host in hosts.iter().take(SERVER_LIMIT) {
            let found = self.find_domain(table, host);
            let verdict = self.act_on(found, table, about)?;
            if verdict != Verdict::Dunno {
                return Ok(verdict);
            }
            for address in self.world.addresses(host)?.unwrap_or_default() {
                let text = address.to_string();
                let found = self.find_address(table, &text);
                let verdict = self.act_on(found, table, about)?;
                if verdict != Verdict::Dunno {
                    return Ok(verdict);
                }
            }
        }
        Ok(Verdict::Dunno)
    }
}
