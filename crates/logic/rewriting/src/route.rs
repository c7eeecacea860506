//! Address class, transport and next hop of a domain.

use lookup::{Lookup, Stop};

use crate::Rewriting;
use crate::resolve::{Class, Destination, Resolved};

/// The delivery agent that bounces, with status and reason in the place of the next hop.
pub(crate) const ERROR_TRANSPORT: &str = "error";
/// The delivery agent that defers, likewise.
pub(crate) const RETRY_TRANSPORT: &str = "retry";

/// A route in the making.
pub(crate) struct Route {
    pub(crate) transport: String,
    pub(crate) nexthop: String,
    pub(crate) decided_by: &'static str,
}

impl Rewriting {
    pub(crate) fn route(&self, tables: &dyn Lookup, sender: &str, to: Destination) -> Result<Resolved, Stop> {
        let (class, mut route) = match to.local {
            true => (
                Class::Local,
                self.class_route("local_transport", &self.settings.local_transport, &to.domain)?,
            ),
            false => self.remote_route(tables, sender, &to.domain)?,
        };
        if class != Class::Alias {
            self.apply_transport_maps(tables, &to.recipient, &to.domain, &mut route)?;
        }
        if let Some(moved) = self.find_address(tables, &self.settings.relocated_maps, &to.recipient)? {
            let prefix = if self.settings.relocated_prefix_enable { "5.1.6 User has moved to " } else { "" };
            let nexthop = format!("{prefix}{}", moved.value);
            route = Route { transport: ERROR_TRANSPORT.into(), nexthop, decided_by: "relocated_maps" };
        }
        Ok(Resolved {
            routed: is_routed(&to.recipient, &to.domain),
            malformed: to.recipient.starts_with('-') && !self.settings.allow_min_user,
            transport: route.transport,
            nexthop: route.nexthop,
            recipient: to.recipient,
            class,
            decided_by: route.decided_by,
        })
    }

    fn remote_route(&self, tables: &dyn Lookup, sender: &str, domain: &str) -> Result<(Class, Route), Stop> {
        if self.is_virtual_alias_domain(tables, domain)? {
            return Ok((Class::Alias, self.unknown_alias()));
        }
        if self.is_virtual_mailbox_domain(tables, domain)? {
            let route = self.class_route("virtual_transport", &self.settings.virtual_transport, domain)?;
            return Ok((Class::Virtual, route));
        }
        let relay = self.is_relay_domain(tables, domain)?;
        let nexthop = self.relay_nexthop(tables, sender, domain)?;
        if relay {
            let route = self.class_route("relay_transport", &self.settings.relay_transport, &nexthop)?;
            return Ok((Class::Relay, route));
        }
        Ok((Class::Default, self.default_route(tables, sender, &nexthop)?))
    }

    /// What a virtual alias domain gives an address that no alias has replaced.
    fn unknown_alias(&self) -> Route {
        let table = if self.settings.show_user_unknown_table_name { " in virtual alias table" } else { "" };
        Route {
            transport: ERROR_TRANSPORT.into(),
            nexthop: format!("5.1.1 User unknown{table}"),
            decided_by: "virtual_alias_domains",
        }
    }

    /// `transport:nexthop` from a parameter; without a next hop, the one given.
    fn class_route(&self, parameter: &'static str, value: &str, nexthop: &str) -> Result<Route, Stop> {
        let (transport, own_nexthop) = value.split_once(':').unwrap_or((value, ""));
        if transport.is_empty() {
            return Err(Stop::Failed {
                table: format!("parameter {parameter}: null transport is not allowed"),
            });
        }
        let nexthop = if own_nexthop.is_empty() { nexthop } else { own_nexthop };
        Ok(Route { transport: transport.into(), nexthop: nexthop.into(), decided_by: parameter })
    }

    fn default_route(&self, tables: &dyn Lookup, sender: &str, nexthop: &str) -> Result<Route, Stop> {
        let maps = &self.settings.sender_dependent_default_transport_maps;
        let null = &self.settings.empty_address_default_transport_maps_lookup_key;
        match self.sender_dependent(tables, maps, sender, null)? {
            Some(own) => self.class_route("sender_dependent_default_transport_maps", &own, nexthop),
            None => self.class_route("default_transport", &self.settings.default_transport, nexthop),
        }
    }

    fn relay_nexthop(&self, tables: &dyn Lookup, sender: &str, domain: &str) -> Result<String, Stop> {
        let maps = &self.settings.sender_dependent_relayhost_maps;
        let null = &self.settings.empty_address_relayhost_maps_lookup_key;
        if !maps.is_empty() {
            let key = if sender.is_empty() { null } else { sender };
            if let Some(found) = self.find_address(tables, maps, key)? {
                let dunno = found.value.is_empty() || found.value.eq_ignore_ascii_case("DUNNO");
                return Ok(if dunno { domain.to_owned() } else { found.value });
            }
        }
        let relayhost = &self.settings.relayhost;
        Ok(if relayhost.is_empty() { domain.to_owned() } else { relayhost.clone() })
    }

    /// What a table says of the sender; DUNNO says nothing.
    fn sender_dependent(
        &self,
        tables: &dyn Lookup,
        maps: &str,
        sender: &str,
        null: &str,
    ) -> Result<Option<String>, Stop> {
        let key = if sender.is_empty() { null } else { sender };
        let found = self.find_address(tables, maps, key)?;
        Ok(found
            .map(|found| found.value)
            .filter(|value| !value.is_empty() && !value.eq_ignore_ascii_case("DUNNO")))
    }
}

/// May the next host take the local part for a route, whatever we make of it ourselves?
fn is_routed(recipient: &str, domain: &str) -> bool {
    let first = recipient.find(['@', '!', '%']).map_or("", |at| &recipient[at + 1..]);
    first != domain
}
