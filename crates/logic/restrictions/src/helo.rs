//! Restrictions on the name in HELO and EHLO.

use std::net::{Ipv4Addr, Ipv6Addr};

use address::is_hostname;
use lookup::Stop;

use crate::check::{Check, Verdict};
use crate::world::{DnsFailure, LogLine};

const CLASS: &str = "Helo command";

impl Check<'_> {
    pub(crate) fn reject_invalid_helo(&mut self) -> Verdict {
        let Some(name) = self.session.helo else { return Verdict::Dunno };
        if name.starts_with('[') {
            return self.invalid_literal(name);
        }
        if is_hostname(without_dot(name)) || is_address(without_dot(name)) {
            return Verdict::Dunno;
        }
        self.refuse_helo(self.settings.invalid_hostname_reject_code, "5.5.2", name, "Invalid name")
    }

    pub(crate) fn reject_non_fqdn_helo(&mut self) -> Verdict {
        let Some(name) = self.session.helo else { return Verdict::Dunno };
        if name.starts_with('[') {
            return self.invalid_literal(name);
        }
        let bare = without_dot(name);
        if is_hostname(bare) && bare.contains('.') {
            return Verdict::Dunno;
        }
        let code = self.settings.non_fqdn_reject_code;
        self.refuse_helo(code, "5.5.2", name, "need fully-qualified hostname")
    }

    pub(crate) fn reject_unknown_helo(&mut self) -> Result<Verdict, Stop> {
        let Some(name) = self.session.helo else { return Ok(Verdict::Dunno) };
        if name.starts_with('[') {
            return Ok(self.invalid_literal(name));
        }
        let text = format!("<{name}>: {CLASS} rejected: Host not found");
        Ok(match self.has_address_or_mx(name)? {
            Ok(()) => Verdict::Dunno,
            Err(DnsFailure::NotFound) => {
                self.refuse(self.settings.unknown_hostname_reject_code, "4.7.1", text)
            }
            Err(DnsFailure::Unavailable) if self.settings.unknown_helo_tempfail_waits => {
                self.defer_if_permit(450, "4.7.1", text)
            }
            Err(DnsFailure::Unavailable) => self.refuse(450, "4.7.1", text),
        })
    }

    pub(crate) fn permit_naked_ip_address(&mut self) -> Verdict {
        let instead = "Use permit_mynetworks or permit_sasl_authenticated instead";
        self.log
            .push(LogLine::Warning(format!("restriction permit_naked_ip_address is deprecated. {instead}")));
        match self.session.helo {
            Some(name) if is_address(name) => Verdict::Permit,
            _ => Verdict::Dunno,
        }
    }

    /// A or AAAA or MX: is there such a host at all?
    pub(crate) fn has_address_or_mx(&self, name: &str) -> Result<Result<(), DnsFailure>, Stop> {
        let addresses = self.world.addresses(name)?;
        if addresses.is_ok() {
            return Ok(Ok(()));
        }
        let hosts = self.world.mail_hosts(name)?;
        Ok(match (addresses, hosts) {
            (_, Ok(_)) => Ok(()),
            (Err(DnsFailure::Unavailable), _) | (_, Err(DnsFailure::Unavailable)) => {
                Err(DnsFailure::Unavailable)
            }
            _ => Err(DnsFailure::NotFound),
        })
    }

    fn invalid_literal(&mut self, name: &str) -> Verdict {
        if address::literal(name).is_some() {
            return Verdict::Dunno;
        }
        self.refuse_helo(self.settings.invalid_hostname_reject_code, "5.5.2", name, "invalid ip address")
    }

    fn refuse_helo(&mut self, code: i64, status: &str, name: &str, why: &str) -> Verdict {
        self.refuse(code, status, format!("<{name}>: {CLASS} rejected: {why}"))
    }
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn is_address(name: &str) -> bool {
    name.parse::<Ipv4Addr>().is_ok() || name.parse::<Ipv6Addr>().is_ok()
}
