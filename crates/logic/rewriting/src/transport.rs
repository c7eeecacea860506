//! The transport table (transport(5)).

use address::split_extension;
use lookup::{Lookup, Part, Stop};

use crate::Rewriting;
use crate::route::{ERROR_TRANSPORT, RETRY_TRANSPORT, Route};

impl Rewriting {
    /// Overrides transport and next hop with what `transport_maps` says of the recipient: `user+ext@domain`,
    /// `user@domain`, `domain`, `.parent`, then `*`.
    pub(crate) fn apply_transport_maps(
        &self,
        tables: &dyn Lookup,
        recipient: &str,
        domain: &str,
        route: &mut Route,
    ) -> Result<(), Stop> {
        let maps = &self.settings.transport_maps;
        if maps.is_empty() {
            return Ok(());
        }
        let find = |key: &str, part: Part| tables.find(maps, key, part);
        let mut found = find(recipient, Part::Whole)?;
        if found.is_none()
            && let Some(bare) = without_extension(recipient, &self.settings.recipient_delimiter)
        {
            found = find(&bare, Part::Partial)?;
        }
        let mut name = Some(domain);
        while let (None, Some(key)) = (&found, name) {
            found = find(key, Part::Partial)?;
            name = self.parent_key(key);
        }
        if found.is_none() {
            found = find("*", Part::Partial)?;
        }
        if let Some(found) = found {
            override_route(route, &found.value, domain);
        }
        Ok(())
    }

    /// The next key up: `.example.com` after `www.example.com`, or without the dot where a plain domain stands for its
    /// subdomains (`parent_domain_matches_subdomains`).
    fn parent_key<'a>(&self, key: &'a str) -> Option<&'a str> {
        let from = key.char_indices().nth(1).map_or(key.len(), |(at, _)| at);
        let dot = from + key[from..].find('.')?;
        Some(if self.settings.transport_maps_match_subdomains { &key[dot + 1..] } else { &key[dot..] })
    }
}

fn without_extension(recipient: &str, delimiters: &str) -> Option<String> {
    let (local, domain) = recipient.rsplit_once('@')?;
    split_extension(local, delimiters).map(|(base, _)| format!("{base}@{domain}"))
}

/// `transport:nexthop`: an empty transport leaves the one there is, an empty next hop means the recipient's domain.
fn override_route(route: &mut Route, value: &str, domain: &str) {
    let (transport, nexthop) = value.split_once(':').unwrap_or((value, ""));
    if !transport.is_empty() {
        route.transport = transport.to_owned();
        // For these two it is no host but the reason.
        let refuses = [ERROR_TRANSPORT, RETRY_TRANSPORT].contains(&transport);
        route.nexthop = if refuses { "Address is undeliverable".to_owned() } else { domain.to_owned() };
    }
    if !nexthop.is_empty() {
        route.nexthop = nexthop.to_owned();
    }
    route.decided_by = "transport_maps";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use lookup::Memory;

    fn rewriting(parents: bool) -> Rewriting {
        Rewriting::new(Settings {
            transport_maps: "t".into(),
            recipient_delimiter: "+".into(),
            transport_maps_match_subdomains: parents,
            ..Settings::default()
        })
    }

    fn routed(entries: &[(&str, &str)], recipient: &str, parents: bool) -> String {
        let tables = Memory::new().table("t", entries);
        let mut route =
            Route { transport: "smtp".into(), nexthop: "relayhost".into(), decided_by: "default" };
        let domain = recipient.rsplit_once('@').unwrap().1;
        rewriting(parents).apply_transport_maps(&tables, recipient, domain, &mut route).unwrap();
        format!("{}:{}", route.transport, route.nexthop)
    }

    #[test]
    fn keys_are_asked_from_the_address_to_the_star() {
        let order = ["u+x@a.b.c", "u@a.b.c", "a.b.c", ".b.c", ".c", "*"];
        let values: Vec<_> = (0..order.len()).map(|number| format!("t{number}:")).collect();
        let entries: Vec<_> = order.iter().zip(&values).map(|(key, value)| (*key, value.as_str())).collect();
        for from in 0..order.len() {
            assert_eq!(routed(&entries[from..], "u+x@a.b.c", false), format!("t{from}:a.b.c"));
        }
        assert_eq!(routed(&[], "u@a.b.c", false), "smtp:relayhost");
    }

    #[test]
    fn a_plain_parent_matches_where_configured() {
        assert_eq!(routed(&[("b.c", "x:")], "u@a.b.c", false), "smtp:relayhost");
        assert_eq!(routed(&[("b.c", "x:")], "u@a.b.c", true), "x:a.b.c");
    }

    #[test]
    fn empty_halves_leave_what_is_there() {
        for (value, route) in [
            ("x:y", "x:y"),
            ("x:", "x:a.b"),
            ("x", "x:a.b"),
            ("retry:", "retry:Address is undeliverable"),
            ("error", "error:Address is undeliverable"),
            (":y", "smtp:y"),
            (":", "smtp:relayhost"),
            ("smtp:[h]:25", "smtp:[h]:25"),
        ] {
            assert_eq!(routed(&[("a.b", value)], "u@a.b", false), route, "{value}");
        }
    }
}
