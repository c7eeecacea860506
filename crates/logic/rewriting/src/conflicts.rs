//! Domains that stand in two address classes: only one of them acts.

use lookup::{Lookup, Stop};

use crate::Rewriting;
use crate::resolve::Class;

/// A domain in two lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The domain.
    pub domain: String,
    /// The parameter that acts.
    pub acting: &'static str,
    /// The parameter that has it for nothing.
    pub idle: &'static str,
}

impl Conflict {
    /// As trivial-rewrite(8) logs it.
    pub fn warning(&self) -> String {
        format!("do not list domain {} in BOTH {} and {}", self.domain, self.acting, self.idle)
    }
}

impl Rewriting {
    /// In which lists other than that of its own class does `domain` stand as well?
    ///
    /// # Errors
    /// As [`Lookup::listed`].
    pub fn conflicts(&self, tables: &dyn Lookup, domain: &str, class: Class) -> Result<Vec<Conflict>, Stop> {
        type List = (&'static str, fn(&Rewriting, &dyn Lookup, &str) -> Result<bool, Stop>);
        const ALIAS: List = ("virtual_alias_domains", Rewriting::is_virtual_alias_domain);
        const MAILBOX: List = ("virtual_mailbox_domains", Rewriting::is_virtual_mailbox_domain);
        const RELAY: List = ("relay_domains", Rewriting::is_relay_domain);
        let (acting, others): (_, &[List]) = match class {
            Class::Local => ("mydestination", &[ALIAS, MAILBOX]),
            Class::Alias => ("virtual_alias_domains", &[MAILBOX, RELAY]),
            Class::Virtual => ("virtual_mailbox_domains", &[RELAY]),
            Class::Relay | Class::Default => return Ok(Vec::new()),
        };
        let mut conflicts = Vec::new();
        for (idle, lists) in others {
            if lists(self, tables, domain)? {
                conflicts.push(Conflict { domain: domain.to_owned(), acting, idle });
            }
        }
        Ok(conflicts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use lookup::Memory;

    #[test]
    fn a_domain_in_two_classes_is_named_with_both_parameters() {
        let rewriting = Rewriting::new(Settings {
            mydestination: "x".into(),
            virtual_mailbox_domains: "x y".into(),
            relay_domains: "y".into(),
            ..Settings::default()
        });
        let warnings = |domain, class| {
            let found = rewriting.conflicts(&Memory::new(), domain, class).unwrap();
            found.iter().map(Conflict::warning).collect::<Vec<_>>()
        };
        assert_eq!(
            warnings("x", Class::Local),
            ["do not list domain x in BOTH mydestination and virtual_mailbox_domains"]
        );
        assert_eq!(
            warnings("y", Class::Virtual),
            ["do not list domain y in BOTH virtual_mailbox_domains and relay_domains"]
        );
        assert!(warnings("z", Class::Default).is_empty());
    }
}
