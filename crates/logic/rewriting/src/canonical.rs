//! Canonical maps and masquerading: one address in the place of another (canonical(5), ADDRESS_REWRITING_README).

use lookup::{Lookup, Stop, Subject};

use crate::Rewriting;
use crate::settings::{AddressClasses, words};

/// A table may replace an address so often in a row.
const NESTING_LIMIT: usize = 1000;

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
}

/// The entries of this parameter's tables lead on without an end: "unreasonable ... map nesting".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NestingTooDeep {
    /// A table did not answer.
    Stop(Stop),
    /// The parameter whose tables never come to an end.
    TooDeep {
        /// Its name.
        parameter: &'static str,
    },
}

impl From<Stop> for NestingTooDeep {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
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
    /// [`NestingTooDeep`] when a table does not answer or entries lead in a circle.
    pub fn canonical(
        &self,
        tables: &dyn Lookup,
        address: &str,
        place: Canonical,
    ) -> Result<Mapping, NestingTooDeep> {
        let settings = &self.settings;
        let (own, maps, classes) = match place.is_sender() {
            true => ("sender_canonical", &settings.sender_canonical_maps, settings.sender_canonical_classes),
            false => (
                "recipient_canonical",
                &settings.recipient_canonical_maps,
                settings.recipient_canonical_classes,
            ),
        };
        let mut now = address.to_owned();
        if place.is_in(classes) {
            now = self.map_canonical(tables, own, maps, now)?;
        }
        if place.is_in(settings.canonical_classes) {
            now = self.map_canonical(tables, "canonical", &settings.canonical_maps, now)?;
        }
        if place.is_in(settings.masquerade_classes) {
            now = self.masquerade(tables, now)?;
        }
        Ok(Mapping { changed: now != address, address: now })
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
        mut address: String,
    ) -> Result<String, NestingTooDeep> {
        for _ in 0..NESTING_LIMIT {
            let Some(found) = self.find_address(tables, maps, &address)? else { return Ok(address) };
            let mut results = self.mapped(&found, &address, self.settings.propagate_canonical);
            if results.is_empty() {
                return Err(NestingTooDeep::Stop(Stop::Failed { table: found.table }));
            }
            let result = results.swap_remove(0);
            if result.eq_ignore_ascii_case(&address) {
                return Ok(result);
            }
            address = result;
        }
        Err(NestingTooDeep::TooDeep { parameter })
    }

    /// Cuts the domain down to the first of `masquerade_domains` that it lies below; `!domain` in that list keeps it.
    fn masquerade(&self, tables: &dyn Lookup, address: String) -> Result<String, Stop> {
        let settings = &self.settings;
        if settings.masquerade_domains.is_empty() {
            return Ok(address);
        }
        let Some((local, domain)) = address.rsplit_once('@') else { return Ok(address) };
        let exceptions = &settings.masquerade_exceptions;
        if !exceptions.is_empty() && tables.listed(exceptions, &Subject::Text(local))? {
            return Ok(address);
        }
        for word in words(&settings.masquerade_domains) {
            let parent = word.trim_start_matches('!');
            let keep = (word.len() - parent.len()) % 2 == 1;
            if parent.eq_ignore_ascii_case(domain) {
                break;
            }
            if let Some(shorter) = strip_below(domain, parent) {
                return Ok(if keep { address } else { format!("{local}@{shorter}") });
            }
        }
        Ok(address)
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
    fn entries_in_a_circle_are_a_fault() {
        let rewriting = Rewriting::new(Settings { canonical_maps: "t".into(), ..Settings::default() });
        let tables = Memory::new().table("t", &[("l@x", "m@x"), ("m@x", "l@x")]);
        let error = rewriting.canonical(&tables, "l@x", Canonical::HeaderSender).unwrap_err();
        assert_eq!(error, NestingTooDeep::TooDeep { parameter: "canonical" });
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
