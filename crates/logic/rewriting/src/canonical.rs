//! Canonical maps and masquerading: one address in the place of another (canonical(5), ADDRESS_REWRITING_README).

use lookup::{Lookup, Stop, Subject};

use crate::Rewriting;
use crate::settings::{AddressClasses, words};

/// A table may replace an address so often in a row; then the address stays as it is by then, with a warning.
const NESTING_LIMIT: usize = 10;

/// Where an address stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canonical {
    /// The envelope's sender.
    EnvelopeSender,
    /// A recipient of the envelope.
    EnvelopeRecipient,
    /// A sender header.
    HeaderSender,
    /// A recipient header.
    HeaderRecipient,
}

/// What the maps made of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The address now.
    pub address: String,
    /// Is it another?
    pub changed: bool,
    /// What the log should tell of the tables' entries.
    pub warnings: Vec<String>,
}

/// A table of this parameter did not answer about this address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapFailure {
    /// Why.
    pub stop: Stop,
    /// The parameter that names the table.
    pub parameter: &'static str,
    /// The address that was looked up.
    pub address: String,
}

impl Canonical {
    fn is_sender(self) -> bool {
        matches!(self, Self::EnvelopeSender | Self::HeaderSender)
    }

    fn is_in(self, classes: AddressClasses) -> bool {
        match self {
            Self::EnvelopeSender => classes.envelope_sender,
            Self::EnvelopeRecipient => classes.envelope_recipient,
            Self::HeaderSender => classes.header_sender,
            Self::HeaderRecipient => classes.header_recipient,
        }
    }
}

impl Rewriting {
    /// Applies the sender's or recipient's own canonical map, then the common one, then masquerading, each where its
    /// classes say so.
    ///
    /// # Errors
    /// [`MapFailure`] when a table does not answer.
    pub fn canonical(
        &self,
        tables: &dyn Lookup,
        address: &str,
        place: Canonical,
    ) -> Result<Mapping, MapFailure> {
        let settings = &self.settings;
        let (own, maps, classes) = match place.is_sender() {
            true => {
                ("sender_canonical_maps", &settings.sender_canonical_maps, settings.sender_canonical_classes)
            }
            false => (
                "recipient_canonical_maps",
                &settings.recipient_canonical_maps,
                settings.recipient_canonical_classes,
            ),
        };
        let mut mapping = Mapping { address: address.to_owned(), changed: false, warnings: Vec::new() };
        if place.is_in(classes) {
            self.map_canonical(tables, own, maps, &mut mapping)?;
        }
        if place.is_in(settings.canonical_classes) {
            self.map_canonical(tables, "canonical_maps", &settings.canonical_maps, &mut mapping)?;
        }
        if place.is_in(settings.masquerade_classes)
            && let Some(shorter) = self.masquerade(tables, &mapping.address)?
        {
            mapping.address = shorter;
        }
        mapping.changed = mapping.address != address;
        Ok(mapping)
    }

    /// Is there anything that [`Rewriting::canonical`] could do?
    pub fn has_canonical(&self, place: Canonical) -> bool {
        let settings = &self.settings;
        let own = if place.is_sender() {
            &settings.sender_canonical_maps
        } else {
            &settings.recipient_canonical_maps
        };
        !own.is_empty() || !settings.canonical_maps.is_empty() || !settings.masquerade_domains.is_empty()
    }

    fn map_canonical(
        &self,
        tables: &dyn Lookup,
        parameter: &'static str,
        maps: &str,
        mapping: &mut Mapping,
    ) -> Result<(), MapFailure> {
        for _ in 0..NESTING_LIMIT {
            let address = &mapping.address;
            let failed = |stop| MapFailure { stop, parameter, address: address.clone() };
            let Some(found) = self.find_address(tables, maps, address).map_err(failed)? else {
                return Ok(());
            };
            let mut results = self.mapped(&found, address, self.settings.propagate_canonical);
            if results.is_empty() {
                return Err(failed(Stop::Failed { table: found.table }));
            }
            if results.len() > 1 {
                mapping.warnings.push(format!("multi-valued {parameter} entry for {address}"));
            }
            let result = results.swap_remove(0);
            let settled = result.eq_ignore_ascii_case(address);
            mapping.address = result;
            if settled {
                return Ok(());
            }
        }
        let address = &mapping.address;
        mapping.warnings.push(format!(
            "unreasonable {parameter} map nesting for {address} -- message not accepted, try again later"
        ));
        Ok(())
    }

    /// Cuts the domain down to the first of `masquerade_domains` that it lies below; `!domain` in that list keeps it.
    /// `None` when the address stays.
    fn masquerade(&self, tables: &dyn Lookup, address: &str) -> Result<Option<String>, MapFailure> {
        let settings = &self.settings;
        if settings.masquerade_domains.is_empty() {
            return Ok(None);
        }
        let Some((local, domain)) = address.rsplit_once('@') else { return Ok(None) };
        let exceptions = &settings.masquerade_exceptions;
        let failed =
            |stop| MapFailure { stop, parameter: "masquerade_exceptions", address: address.to_owned() };
        if !exceptions.is_empty() && tables.listed(exceptions, &Subject::Text(local)).map_err(failed)? {
            return Ok(None);
        }
        for word in words(&settings.masquerade_domains) {
            let parent = word.trim_start_matches('!');
            let keep = (word.len() - parent.len()) % 2 == 1;
            if parent.eq_ignore_ascii_case(domain) {
                break;
            }
            if let Some(shorter) = strip_below(domain, parent) {
                return Ok((!keep).then(|| format!("{local}@{shorter}")));
            }
        }
        Ok(None)
    }
}

/// The tail of `domain` that equals `parent`, if `domain` lies below it.
fn strip_below<'a>(domain: &'a str, parent: &str) -> Option<&'a str> {
    let at = domain.len().checked_sub(parent.len())?;
    let tail = domain.get(at..)?;
    (!parent.is_empty() && domain[..at].ends_with('.') && tail.eq_ignore_ascii_case(parent)).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use lookup::Memory;

    fn map(settings: Settings, address: &str, place: Canonical) -> String {
        let tables = Memory::new().table("own", &[("a@x", "own@x")]).table(
            "all",
            &[("a@x", "b@x"), ("b@x", "c@x"), ("own@x", "both@x"), ("l@x", "m@x"), ("m@x", "l@x")],
        );
        Rewriting::new(settings).canonical(&tables, address, place).unwrap().address
    }

    #[test]
    fn the_own_map_comes_before_the_common_one() {
        let settings = Settings {
            sender_canonical_maps: "own".into(),
            canonical_maps: "all".into(),
            ..Settings::default()
        };
        assert_eq!(map(settings.clone(), "a@x", Canonical::EnvelopeSender), "both@x");
        assert_eq!(map(settings, "a@x", Canonical::EnvelopeRecipient), "c@x");
    }

    #[test]
    fn classes_say_where_a_map_acts() {
        let settings = Settings {
            canonical_maps: "all".into(),
            canonical_classes: AddressClasses::parse("header_sender"),
            ..Settings::default()
        };
        assert_eq!(map(settings.clone(), "b@x", Canonical::HeaderSender), "c@x");
        assert_eq!(map(settings, "b@x", Canonical::HeaderRecipient), "b@x");
    }

    #[test]
    fn odd_entries_are_told_and_end_somewhere() {
        let rewriting = Rewriting::new(Settings { canonical_maps: "t".into(), ..Settings::default() });
        let tables = Memory::new().table("t", &[("l@x", "m@x"), ("m@x", "l@x"), ("p@x", "q@x, r@x")]);
        let map = |address| rewriting.canonical(&tables, address, Canonical::HeaderSender).unwrap();
        let nesting =
            "unreasonable canonical_maps map nesting for l@x -- message not accepted, try again later";
        assert_eq!(map("l@x").warnings, [nesting]);
        assert_eq!(map("p@x").address, "q@x");
        assert_eq!(map("p@x").warnings, ["multi-valued canonical_maps entry for p@x"]);
    }

    #[test]
    fn a_failure_names_parameter_and_address() {
        let rewriting = Rewriting::new(Settings { canonical_maps: "t".into(), ..Settings::default() });
        let tables = Memory::new().table("t", &[]).broken("t");
        let failure = rewriting.canonical(&tables, "a@x", Canonical::HeaderSender).unwrap_err();
        assert_eq!((failure.parameter, failure.address.as_str()), ("canonical_maps", "a@x"));
    }

    #[test]
    fn masquerading_cuts_the_host_off() {
        let settings = Settings {
            masquerade_domains: "!keep.example.com, foo.example.com, example.com".into(),
            masquerade_exceptions: "root".into(),
            ..Settings::default()
        };
        for (address, expected) in [
            ("u@a.b.Example.com", "u@Example.com"),
            ("u@a.foo.example.com", "u@foo.example.com"),
            ("u@foo.example.com", "u@foo.example.com"),
            ("u@a.keep.example.com", "u@a.keep.example.com"),
            ("u@notexample.com", "u@notexample.com"),
            ("root@a.example.com", "root@a.example.com"),
        ] {
            assert_eq!(map(settings.clone(), address, Canonical::HeaderSender), expected);
        }
        assert_eq!(map(settings, "u@a.example.com", Canonical::EnvelopeRecipient), "u@a.example.com");
    }
}
