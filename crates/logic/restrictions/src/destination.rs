//! Restrictions on where mail may go through us.

use std::net::IpAddr;

use lookup::{Stop, Subject as Listed};
use rewriting::{Class, Resolved};

use crate::check::{About, Check, Verdict};
use crate::parse::Subject;

impl Check<'_> {
    /// Mail to ourselves, and to the domains that we relay to.
    pub(crate) fn permit_auth_destination(&mut self, about: About<'_>) -> Result<Verdict, Stop> {
        let Some(recipient) = self.session.envelope.recipient.as_deref() else { return Ok(Verdict::Dunno) };
        match self.world.resolve(self.sender_text(), recipient) {
            Ok(resolved) => Ok(self.authorized(&resolved)),
            Err(Stop::Wait) => Err(Stop::Wait),
            Err(Stop::Failed { .. }) => Ok(self.lookup_failure(about.name)),
        }
    }

    fn authorized(&self, resolved: &Resolved) -> Verdict {
        let uncertain = resolved.routed && !self.settings.allow_untrusted_routing;
        match resolved.class {
            _ if !resolved.recipient.contains('@') => Verdict::Permit,
            _ if uncertain => Verdict::Dunno,
            Class::Local | Class::Alias | Class::Virtual | Class::Relay => Verdict::Permit,
            Class::Default => Verdict::Dunno,
        }
    }

    pub(crate) fn unauth_destination(&mut self, code: i64, about: About<'_>) -> Result<Verdict, Stop> {
        let Some(recipient) = self.session.envelope.recipient.clone() else { return Ok(Verdict::Dunno) };
        Ok(match self.permit_auth_destination(about)? {
            Verdict::Permit => Verdict::Dunno,
            Verdict::Dunno => self.refuse(code, "5.7.1", format!("<{recipient}>: Relay access denied")),
            failed => failed,
        })
    }

    /// Mail to domains that name this host as mail exchanger, whose primaries are in `permit_mx_backup_networks`.
    pub(crate) fn permit_mx_backup(&mut self, about: About<'_>) -> Result<Verdict, Stop> {
        let Some(recipient) = self.session.envelope.recipient.clone() else { return Ok(Verdict::Dunno) };
        match self.permit_auth_destination(about)? {
            Verdict::Dunno => {}
            decided => return Ok(decided),
        }
        let resolved = match self.world.resolve(self.sender_text(), &recipient) {
            Ok(resolved) if !resolved.routed => resolved,
            Ok(_) => return Ok(Verdict::Dunno),
            Err(Stop::Wait) => return Err(Stop::Wait),
            Err(Stop::Failed { .. }) => return Ok(self.lookup_failure(&recipient)),
        };
        let Some((_, domain)) = resolved.recipient.rsplit_once('@') else { return Ok(Verdict::Dunno) };
        let Ok(hosts) = self.world.mail_hosts(domain)? else { return Ok(Verdict::Dunno) };
        let best = hosts.iter().map(|mx| mx.preference).min();
        let (mut listed, mut allowed) = (false, true);
        for mx in &hosts {
            let addresses = self.world.addresses(&mx.host)?.unwrap_or_default();
            listed |= addresses.iter().any(|address| self.settings.own_addresses.contains(address));
            if Some(mx.preference) == best && !self.settings.permit_mx_backup_networks.is_empty() {
                allowed &= self.all_in_backup_networks(&addresses)?;
            }
        }
        Ok(if listed && allowed { Verdict::Permit } else { Verdict::Dunno })
    }

    fn all_in_backup_networks(&self, addresses: &[IpAddr]) -> Result<bool, Stop> {
        for address in addresses {
            let text = address.to_string();
            let subject = Listed::Client { name: "unknown", address: &text, parents: true };
            match self.world.tables().listed(&self.settings.permit_mx_backup_networks, &subject) {
                Ok(true) => {}
                Err(Stop::Wait) => return Err(Stop::Wait),
                Ok(false) | Err(Stop::Failed { .. }) => return Ok(false),
            }
        }
        Ok(!addresses.is_empty())
    }

    /// A message from nobody is a report, and a report has one recipient.
    pub(crate) fn reject_multi_recipient_bounce(&mut self, about: About<'_>) -> Verdict {
        let envelope = self.session.envelope;
        let others = if self.at_end() { 1 } else { 0 };
        if envelope.sender.as_deref() != Some("") || envelope.recipients <= others {
            return Verdict::Dunno;
        }
        let text = format!("<{}>: {} rejected: Multi-recipient bounce", about.name, about.class);
        self.refuse(self.settings.multi_recipient_bounce_reject_code, "5.5.3", text)
    }

    /// Mail to a recipient may take a way that depends on its sender.
    pub(crate) fn sender_for(&self, subject: Subject) -> &str {
        if subject == Subject::Recipient { self.sender_text() } else { "" }
    }

    pub(crate) fn sender_text(&self) -> &str {
        self.session.envelope.sender.as_deref().unwrap_or("")
    }

    /// The domain of an address as it is routed, for restrictions on domains.
    pub(crate) fn domain_of(&mut self, subject: Subject) -> Result<Option<(String, String)>, Stop> {
        let Some(address) = self.address_of(subject) else { return Ok(None) };
        match self.world.resolve(self.sender_for(subject), &address) {
            Ok(resolved) => {
                Ok(resolved.recipient.rsplit_once('@').map(|(_, domain)| (address, domain.to_owned())))
            }
            Err(Stop::Wait) => Err(Stop::Wait),
            Err(Stop::Failed { .. }) => Ok(None),
        }
    }
}
