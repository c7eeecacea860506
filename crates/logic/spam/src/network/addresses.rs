//! Which addresses of a message's way are looked up.

use crate::addresses_of_hosts::{is_private, parse};
use crate::mail::Mail;
use crate::perl::Fixed;
use crate::relays::Hop;

/// The addresses of a message, as lists ask for them.
pub(crate) struct Addresses {
    /// Of relays that are not trusted.
    untrusted: Vec<Vec<u8>>,
    /// Of relays that are not ours, trusted or not.
    external: Vec<Vec<u8>>,
    /// That `originating_ip_headers` name.
    originating: Vec<Vec<u8>>,
}

impl Addresses {
    /// `None` when the mail came from nowhere but trusted relays.
    pub(crate) fn of(mail: &Mail<'_>) -> Option<Self> {
        static ADDRESS: Fixed = Fixed::new(r"(<IP>)");
        let ip = |hop: &Hop| hop.ip.clone();
        let all: Vec<Vec<u8>> = mail.relays.untrusted.iter().map(ip).collect();
        let trusted = mail.relays.trusted.iter().filter(|hop| !hop.internal).map(ip);
        let external = trusted.chain(all.iter().cloned()).collect();
        let mut originating = Vec::new();
        for name in &mail.settings.originating_ip_headers {
            let value = mail.text(name);
            originating.extend(ADDRESS.all(&value).into_iter().map(|groups| groups.text(1)));
        }
        let untrusted = public(all);
        let any = !untrusted.is_empty() || !originating.is_empty();
        any.then_some(Self { untrusted, external, originating })
    }

    /// Those that a set is about; what is behind its last `-` says which.
    pub(crate) fn chosen(&self, set: &str, mail: &Mail<'_>, nice: bool) -> Vec<Vec<u8>> {
        let trusted = &mail.settings.trusted_networks;
        let is_trusted = |ip: &[u8]| parse(ip).is_some_and(|address| trusted.contains(address));
        let with_originating = || {
            let more = self.originating.iter().filter(|ip| !is_trusted(ip));
            public(self.untrusted.iter().chain(more).cloned().collect())
        };
        let first = |ips: Vec<Vec<u8>>| ips.into_iter().take(1).collect::<Vec<_>>();
        let ends = |end: &str| set.ends_with(end);
        let mut ips = if ends("-lastexternal") {
            first(public(self.external.clone()))
        } else if ends("-notfirsthop") {
            let mut ips = public(self.external.clone());
            ips.truncate(if ips.len() > 1 { ips.len() - 1 } else { 1 });
            ips
        } else if ends("-firsttrusted") {
            first(with_originating())
        } else if ends("-untrusted") {
            with_originating().into_iter().skip(1).collect()
        } else {
            with_originating().into_iter().rev().collect()
        };
        ips.truncate(mail.settings.asking.num_check_received);
        if nice { ips } else { ips.into_iter().skip_while(|ip| is_trusted(ip)).collect() }
    }
}

/// Each once, without those of private networks.
fn public(ips: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for ip in ips {
        if !ip.is_empty() && !is_private(&ip) && !kept.contains(&ip) {
            kept.push(ip);
        }
    }
    kept
}
