//! DNS lists of addresses and of names (RFC 5782).

use std::net::{IpAddr, Ipv4Addr};

use lookup::{Part, Stop};

use crate::address::class_name;
use crate::check::{Check, Verdict};
use crate::expand::expand;
use crate::parse::Subject;
use crate::world::{DnsFailure, LogLine};

/// What a list said about something.
struct Listing<'a> {
    list: &'a str,
    what: &'a str,
    class: &'static str,
    reason: String,
}

impl Check<'_> {
    pub(crate) fn address_list(&mut self, list: &str, permit: bool) -> Result<Verdict, Stop> {
        let Some(address) = self.session.client.address else { return Ok(Verdict::Dunno) };
        let (domain, filter) = split_filter(list);
        let query = format!("{}.{domain}", reversed(address));
        match self.listed_as(&query, filter)? {
            Ok(true) if permit => Ok(Verdict::Permit),
            Ok(true) => {
                let reason = self.reason(&query)?;
                let what = address.to_string();
                self.refuse_listed(&Listing {
                    list: domain,
                    what: &what,
                    class: class_name(Subject::Client),
                    reason,
                })
            }
            Ok(false) | Err(DnsFailure::NotFound) => Ok(Verdict::Dunno),
            // A list that refuses and does not answer is passed over; one that permits might have permitted.
            Err(DnsFailure::Unavailable) => {
                self.warn_no_answer(&query);
                let text = format!("<{address}>: Client host rejected: Service unavailable");
                Ok(if permit { self.defer_if_reject(450, "4.7.1", text) } else { Verdict::Dunno })
            }
        }
    }

    fn warn_no_answer(&mut self, query: &str) {
        let error = "RBL lookup error: Host or domain name not found. Name service error for";
        let why = format!("{query}: {error} name={query} type=A: Host not found, try again");
        self.log.push(LogLine::Warning(why));
    }

    pub(crate) fn maps_rbl(&mut self) -> Result<Verdict, Stop> {
        let old = "support for restriction \"reject_maps_rbl\" will be removed from Postfix";
        self.log.push(LogLine::Warning(format!("{old}; use \"reject_rbl_client domain-name\" instead")));
        let lists = self.settings.maps_rbl_domains.clone();
        for list in lists.split([',', ' ', '\t', '\n']).filter(|list| !list.is_empty()) {
            let verdict = self.address_list(list, false)?;
            if verdict != Verdict::Dunno {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Dunno)
    }

    pub(crate) fn domain_list(
        &mut self,
        list: &str,
        subject: Subject,
        permit: bool,
    ) -> Result<Verdict, Stop> {
        let client = self.session.client;
        let name = match subject {
            Subject::Client => Some((client.name.clone(), client.name.clone())),
            Subject::ReverseClient => Some((client.reverse_name.clone(), client.reverse_name.clone())),
            Subject::Helo => self.session.helo.map(|name| (name.to_owned(), name.to_owned())),
            _ => self.domain_of(subject)?,
        };
        let Some((what, name)) = name.filter(|(_, name)| may_be_listed(name)) else {
            return Ok(Verdict::Dunno);
        };
        let (domain, filter) = split_filter(list);
        let query = format!("{name}.{domain}");
        match self.listed_as(&query, filter)? {
            Ok(true) if permit => Ok(Verdict::Permit),
            Ok(true) => {
                let reason = self.reason(&query)?;
                self.refuse_listed(&Listing { list: domain, what: &what, class: class_name(subject), reason })
            }
            Err(DnsFailure::Unavailable) => {
                self.warn_no_answer(&query);
                Ok(Verdict::Dunno)
            }
            _ => Ok(Verdict::Dunno),
        }
    }

    /// Is the name in the list, with one of the addresses that the filter wants?
    fn listed_as(&self, query: &str, filter: Option<&str>) -> Result<Result<bool, DnsFailure>, Stop> {
        Ok(self.world.addresses(query)?.map(|addresses| {
            addresses.iter().any(|address| match (address, filter) {
                (_, None) => true,
                (IpAddr::V4(address), Some(filter)) => matches(*address, filter),
                (IpAddr::V6(_), Some(_)) => false,
            })
        }))
    }

    fn reason(&self, query: &str) -> Result<String, Stop> {
        Ok(self.world.texts(query)?.ok().and_then(|texts| texts.into_iter().next()).unwrap_or_default())
    }

    /// The reply is a template, of the list or the default.
    fn refuse_listed(&mut self, listing: &Listing<'_>) -> Result<Verdict, Stop> {
        let template =
            match self.world.tables().find(&self.settings.rbl_reply_maps, listing.list, Part::Whole) {
                Ok(found) => {
                    found.map_or_else(|| self.settings.default_rbl_reply.clone(), |found| found.value)
                }
                Err(Stop::Wait) => return Err(Stop::Wait),
                Err(Stop::Failed { .. }) => self.settings.default_rbl_reply.clone(),
            };
        let text = expand(&template, &|name| {
            self.rbl_value(name, listing).map(|value| self.settings.expansion_filter.apply(&value))
        });
        let (code, rest) = text.split_once(' ').unwrap_or((&text, ""));
        let Some(code) = code.parse().ok().filter(|code| (400..600).contains(code)) else {
            self.log.push(LogLine::Warning(format!("rbl response code configuration error: {text}")));
            return Ok(self.refuse(450, "4.7.1", "Service unavailable".to_owned()));
        };
        let (status, rest) = match rest.split_once(' ') {
            Some((status, rest)) if is_status(status) => (status.to_owned(), rest.to_owned()),
            _ => ("4.7.1".to_owned(), rest.to_owned()),
        };
        Ok(self.refuse(code, &status, rest))
    }

    fn rbl_value(&self, name: &str, listing: &Listing<'_>) -> Option<String> {
        let client = self.session.client;
        Some(match name {
            "rbl_code" => self.settings.maps_rbl_reject_code.to_string(),
            "rbl_domain" => listing.list.to_owned(),
            "rbl_class" => listing.class.to_owned(),
            "rbl_what" => listing.what.to_owned(),
            "rbl_reason" | "rbl_txt" => listing.reason.clone(),
            "client" => client.shown(),
            "client_address" => client.address_text(),
            "client_name" => client.name.clone(),
            "reverse_client_name" => client.reverse_name.clone(),
            "helo_name" => self.session.helo.unwrap_or("").to_owned(),
            "sender" => self.session.envelope.sender.clone().unwrap_or_default(),
            "recipient" => self.session.envelope.recipient.clone().unwrap_or_default(),
            "myhostname" => self.settings.myhostname.clone(),
            _ => return None,
        })
    }
}

/// `list.example=127.0.0.[2;4..9]`
fn split_filter(list: &str) -> (&str, Option<&str>) {
    list.split_once('=').map_or((list, None), |(domain, filter)| (domain, Some(filter)))
}

/// RFC 5782 §2.1, §2.4
fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(address) => {
            let nibbles =
                address.octets().into_iter().rev().map(|byte| format!("{:x}.{:x}", byte & 15, byte >> 4));
            nibbles.collect::<Vec<_>>().join(".")
        }
    }
}

/// An octet of a filter is a number or `[a;b..c]`.
fn matches(address: Ipv4Addr, filter: &str) -> bool {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in filter.char_indices() {
        match letter {
            '[' => depth += 1,
            ']' => depth -= 1,
            '.' if depth == 0 => {
                parts.push(&filter[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&filter[start..]);
    parts.len() == 4 && parts.iter().zip(address.octets()).all(|(part, octet)| octet_matches(part, octet))
}

fn octet_matches(part: &str, octet: u8) -> bool {
    let ranges = part.strip_prefix('[').and_then(|part| part.strip_suffix(']')).unwrap_or(part);
    ranges.split(';').any(|range| {
        let (low, high) = range.split_once("..").unwrap_or((range, range));
        match (low.parse::<u8>(), high.parse::<u8>()) {
            (Ok(low), Ok(high)) => (low..=high).contains(&octet),
            _ => false,
        }
    })
}

/// Names of one label, literals and unknown names are in no list.
fn may_be_listed(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('[') && name.contains('.') && name.parse::<IpAddr>().is_err()
}

fn is_status(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_reversed() {
        assert_eq!(reversed("192.0.2.1".parse().unwrap()), "1.2.0.192");
        let v6 = reversed("2001:db8::1".parse().unwrap());
        assert!(v6.starts_with("1.0.0.0.") && v6.ends_with(".8.b.d.0.1.0.0.2"), "{v6}");
    }

    #[test]
    fn filters_name_octets_and_ranges() {
        let address = Ipv4Addr::new(127, 0, 0, 4);
        for yes in ["127.0.0.4", "127.0.0.[2..9]", "127.0.0.[1;4]", "[126..127].0.0.[4]"] {
            assert!(matches(address, yes), "{yes}");
        }
        for no in ["127.0.0.5", "127.0.0.[5..9]", "127.0.4", "", "127.0.0.[a]"] {
            assert!(!matches(address, no), "{no}");
        }
    }
}
