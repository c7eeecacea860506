//! Access tables (access(5)): in which order a client, name or address is looked up.

use address::split_extension;
use lookup::{Part, Stop};

use crate::action::Origin;
use crate::address::class_name;
use crate::check::{About, Check, Verdict};
use crate::parse::Subject;

/// An entry that was found.
pub(crate) struct Hit {
    key: String,
    value: String,
}

impl Check<'_> {
    /// `check_client_access` and its kind.
    pub(crate) fn access(
        &mut self,
        subject: Subject,
        table: &str,
        about: About<'_>,
    ) -> Result<Verdict, Stop> {
        let client = self.session.client;
        match subject {
            Subject::Client => {
                let (shown, address) = (client.shown(), client.address_text());
                let about = About { name: &shown, class: class_name(subject), ..about };
                self.name_and_address(table, &client.name, &address, about)
            }
            Subject::ReverseClient => {
                let shown = format!("{}[{}]", client.reverse_name, client.address_text());
                let about = About { name: &shown, class: class_name(subject), ..about };
                let found = self.find_domain(table, &client.reverse_name);
                self.act_on(found, table, about)
            }
            Subject::Helo => {
                let Some(name) = self.session.helo else { return Ok(Verdict::Dunno) };
                self.domain_access(table, name, About { name, class: class_name(subject), ..about })
            }
            Subject::Etrn => {
                let Some(name) = self.session.envelope.etrn_domain.clone() else { return Ok(Verdict::Dunno) };
                self.domain_access(table, &name, About { name: &name, class: class_name(subject), ..about })
            }
            Subject::Sender | Subject::Recipient => self.mail_access(subject, table, about),
            Subject::Certificate => self.certificate_access(table, about),
            Subject::Sasl => Ok(Verdict::Dunno),
        }
    }

    fn certificate_access(&mut self, table: &str, about: About<'_>) -> Result<Verdict, Stop> {
        let Some(print) = self.session.tls.and_then(|facts| facts.client_certificate.clone()) else {
            return Ok(Verdict::Dunno);
        };
        let found = self.find(table, &print, Part::Whole);
        let about = About { name: &print, class: class_name(Subject::Certificate), ..about };
        self.act_on(found, table, about)
    }

    fn domain_access(&mut self, table: &str, name: &str, about: About<'_>) -> Result<Verdict, Stop> {
        let found = self.find_domain(table, name);
        self.act_on(found, table, about)
    }

    fn name_and_address(
        &mut self,
        table: &str,
        name: &str,
        address: &str,
        about: About<'_>,
    ) -> Result<Verdict, Stop> {
        let found = match self.find_domain(table, name) {
            Ok(None) => self.find_address(table, address),
            decided => decided,
        };
        self.act_on(found, table, about)
    }

    /// A sender or recipient, `<>` for the null sender.
    fn mail_access(&mut self, subject: Subject, table: &str, about: About<'_>) -> Result<Verdict, Stop> {
        let envelope = self.session.envelope;
        let address = if subject == Subject::Sender { &envelope.sender } else { &envelope.recipient };
        let Some(address) = address.clone() else { return Ok(Verdict::Dunno) };
        let about = About { name: &address, class: class_name(subject), ..about };
        if address.is_empty() {
            let key = self.settings.null_access_lookup_key.clone();
            let found = self.find(table, &key, Part::Whole);
            return self.act_on(found, table, about);
        }
        let routed = match self.world.resolve(self.sender_for(subject), &address) {
            Ok(resolved) => resolved.recipient,
            Err(Stop::Wait) => return Err(Stop::Wait),
            Err(Stop::Failed { .. }) => return Ok(self.lookup_failure(&address)),
        };
        let found = self.find_mail(table, &routed);
        self.act_on(found, table, about)
    }

    /// What a table said becomes a verdict; a table that can not be read refuses for now.
    pub(crate) fn act_on(
        &mut self,
        found: Result<Option<Hit>, Stop>,
        table: &str,
        about: About<'_>,
    ) -> Result<Verdict, Stop> {
        match found {
            Ok(None) => Ok(Verdict::Dunno),
            Ok(Some(hit)) => self.act(&hit.value, Origin { table, key: &hit.key }, about),
            Err(Stop::Wait) => Err(Stop::Wait),
            Err(Stop::Failed { .. }) => {
                self.act("451 4.3.5 Server configuration error", Origin { table, key: "" }, about)
            }
        }
    }

    fn find(&self, table: &str, key: &str, part: Part) -> Result<Option<Hit>, Stop> {
        let found = self.world.tables().find(table, key, part)?;
        Ok(found.map(|found| Hit { key: key.to_owned(), value: found.value }))
    }

    /// `user+ext@domain`, `user@domain`, the domain and its parents, `user+ext@`, `user@`.
    fn find_mail(&self, table: &str, address: &str) -> Result<Option<Hit>, Stop> {
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        let bare = split_extension(local, &self.settings.recipient_delimiter).map(|(user, _)| user);
        if let Some(found) = self.find(table, address, Part::Whole)? {
            return Ok(Some(found));
        }
        if let Some(user) = bare
            && let Some(found) = self.find(table, &format!("{user}@{domain}"), Part::Partial)?
        {
            return Ok(Some(found));
        }
        if let Some(found) = self.find_parents(table, domain, Part::Partial)? {
            return Ok(Some(found));
        }
        for user in [Some(local), bare].into_iter().flatten() {
            if let Some(found) = self.find(table, &format!("{user}@"), Part::Partial)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// A name and its parents: `a.b.c`, `b.c`, `c`; or with a dot in front where
    /// `parent_domain_matches_subdomains` leaves access maps out.
    pub(crate) fn find_domain(&self, table: &str, name: &str) -> Result<Option<Hit>, Stop> {
        self.find_parents(table, name.strip_suffix('.').unwrap_or(name), Part::Whole)
    }

    fn find_parents(&self, table: &str, name: &str, part: Part) -> Result<Option<Hit>, Stop> {
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(found) = self.find(table, name, part)? {
            return Ok(Some(found));
        }
        let skip = usize::from(self.settings.access_maps_match_subdomains);
        for (at, _) in name.match_indices('.').filter(|(at, _)| *at > 0 || skip == 1) {
            if let Some(found) = self.find(table, &name[at + skip..], Part::Partial)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// An address and the networks it is in: `1.2.3.4`, `1.2.3`, `1.2`, `1`; IPv6 cut at colons.
    pub(crate) fn find_address(&self, table: &str, address: &str) -> Result<Option<Hit>, Stop> {
        if let Some(found) = self.find(table, address, Part::Whole)? {
            return Ok(Some(found));
        }
        let separator = if address.contains(':') { ':' } else { '.' };
        let mut rest = address;
        while let Some((shorter, _)) = rest.rsplit_once(separator) {
            rest = shorter;
            if !rest.is_empty()
                && let Some(found) = self.find(table, rest, Part::Partial)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
