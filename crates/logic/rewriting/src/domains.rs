//! Which domains are ours.

use lookup::{Lookup, Stop, Subject};

use crate::Rewriting;

impl Rewriting {
    /// Is mail for this domain local: in `mydestination`, or an address literal of this host?
    ///
    /// # Errors
    /// As [`Lookup::listed`].
    pub fn is_local_domain(&self, tables: &dyn Lookup, domain: &str) -> Result<bool, Stop> {
        let name = domain
            .strip_suffix('.')
            .filter(|name| !name.is_empty() && !name.ends_with('.'))
            .unwrap_or(domain);
        if listed(tables, &self.settings.mydestination, name)? {
            return Ok(true);
        }
        Ok(address::literal(name).is_some_and(|literal| self.settings.own_addresses.contains(&literal.0)))
    }

    pub(crate) fn is_virtual_alias_domain(&self, tables: &dyn Lookup, domain: &str) -> Result<bool, Stop> {
        listed(tables, &self.settings.virtual_alias_domains, domain)
    }

    pub(crate) fn is_virtual_mailbox_domain(&self, tables: &dyn Lookup, domain: &str) -> Result<bool, Stop> {
        listed(tables, &self.settings.virtual_mailbox_domains, domain)
    }

    pub(crate) fn is_relay_domain(&self, tables: &dyn Lookup, domain: &str) -> Result<bool, Stop> {
        let parents = self.settings.relay_domains_match_subdomains;
        if self.settings.relay_domains.is_empty() {
            return Ok(false);
        }
        tables.listed(&self.settings.relay_domains, &Subject::Domain { name: domain, parents })
    }
}

fn listed(tables: &dyn Lookup, list: &str, domain: &str) -> Result<bool, Stop> {
    if list.is_empty() { Ok(false) } else { tables.listed(list, &Subject::Text(domain)) }
}
