//! Restrictions on the client: its network, name and certificate.

use lookup::{Part, Stop, Subject as Listed};

use crate::check::{About, Check, Verdict};
use crate::session::NameStatus;

impl Check<'_> {
    pub(crate) fn permit_inet_interfaces(&self) -> Verdict {
        let own = |address| self.settings.own_addresses.contains(&address);
        if self.session.client.address.is_some_and(own) { Verdict::Permit } else { Verdict::Dunno }
    }

    pub(crate) fn permit_mynetworks(&mut self, about: About<'_>) -> Result<Verdict, Stop> {
        let client = self.session.client;
        let Some(address) = client.address else { return Ok(Verdict::Dunno) };
        let address = address.to_string();
        let subject = Listed::Client {
            name: &client.name,
            address: &address,
            parents: self.settings.mynetworks_match_subdomains,
        };
        match self.world.tables().listed(&self.settings.mynetworks, &subject) {
            Ok(true) => Ok(Verdict::Permit),
            Ok(false) => Ok(Verdict::Dunno),
            Err(Stop::Wait) => Err(Stop::Wait),
            Err(Stop::Failed { .. }) => Ok(self.lookup_failure(about.name)),
        }
    }

    pub(crate) fn permit_tls_clientcerts(&mut self) -> Result<Verdict, Stop> {
        let print = self.session.tls.and_then(|facts| facts.client_certificate.as_deref());
        let Some(print) = print else { return Ok(Verdict::Dunno) };
        match self.world.tables().find(&self.settings.relay_clientcerts, print, Part::Whole) {
            Ok(Some(_)) => Ok(Verdict::Permit),
            Err(Stop::Wait) => Err(Stop::Wait),
            Ok(None) | Err(Stop::Failed { .. }) => Ok(Verdict::Dunno),
        }
    }

    pub(crate) fn reject_unknown_client(&mut self) -> Verdict {
        let client = self.session.client;
        if client.name_status == NameStatus::Found {
            return Verdict::Dunno;
        }
        let address = client.address_text();
        let text = format!("Client host rejected: cannot find your hostname, [{address}]");
        self.refuse(self.unknown_client_code(client.name_status), "4.7.25", text)
    }

    pub(crate) fn reject_unknown_reverse_client(&mut self) -> Verdict {
        let client = self.session.client;
        if client.reverse_status == NameStatus::Found {
            return Verdict::Dunno;
        }
        let address = client.address_text();
        let text = format!("Client host rejected: cannot find your reverse hostname, [{address}]");
        self.refuse(self.unknown_client_code(client.reverse_status), "4.7.1", text)
    }

    fn unknown_client_code(&self, status: NameStatus) -> i64 {
        if status == NameStatus::NotFound { self.settings.unknown_client_reject_code } else { 450 }
    }
}
