//! Virtual aliases: the recipients behind an address (virtual(5)).

use std::collections::HashSet;

use address::AddressList;
use lookup::{Lookup, Stop};

use crate::Rewriting;
use crate::find::Match;
use crate::rewrite::{Context, TOKEN_LIMIT};

/// The recipients behind an address, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// At least one address; the address itself when no alias has it.
    pub recipients: Vec<String>,
    /// Did a table have it?
    pub changed: bool,
}

/// Why an address could not be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpandError {
    /// A table did not answer.
    Stop(Stop),
    /// More than `virtual_alias_expansion_limit` recipients.
    TooMany,
    /// More than `virtual_alias_recursion_limit` aliases in a row.
    TooDeep,
    /// A recipient longer than `virtual_alias_address_length_limit`.
    TooLong {
        /// The recipient.
        result: String,
    },
}

impl From<Stop> for ExpandError {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl Rewriting {
    /// Replaces `recipient` by what `virtual_alias_maps` holds for it, again and again, until no alias is left. An
    /// address that leads to itself is kept as it is.
    ///
    /// # Errors
    /// [`ExpandError`]: nothing of the result can be used.
    pub fn virtual_alias_expand(
        &self,
        tables: &dyn Lookup,
        recipient: &str,
    ) -> Result<Expansion, ExpandError> {
        let mut recipients = vec![recipient.to_owned()];
        let mut changed = false;
        let mut settled = HashSet::new();
        let mut at = 0;
        while at < recipients.len() {
            if recipients.len() > self.settings.virtual_alias_expansion_limit {
                return Err(ExpandError::TooMany);
            }
            changed |= self.expand_one(tables, &mut recipients, at, &mut settled)?;
            at += 1;
        }
        Ok(Expansion { recipients, changed })
    }

    /// Follows the aliases of the address at `at`: its first result takes its place, the others go to the end.
    fn expand_one(
        &self,
        tables: &dyn Lookup,
        recipients: &mut Vec<String>,
        at: usize,
        settled: &mut HashSet<String>,
    ) -> Result<bool, ExpandError> {
        let mut changed = false;
        for depth in 0.. {
            if settled.contains(&recipients[at].to_lowercase()) {
                break;
            }
            if depth >= self.settings.virtual_alias_recursion_limit {
                return Err(ExpandError::TooDeep);
            }
            let maps = &self.settings.virtual_alias_maps;
            let Some(found) = self.find_address(tables, maps, &recipients[at])? else { break };
            changed = true;
            let alias = recipients[at].to_lowercase();
            let results = self.mapped(&found, &recipients[at], self.settings.propagate_virtual);
            if results.is_empty() {
                return Err(ExpandError::Stop(Stop::Failed { table: found.table }));
            }
            for (number, result) in results.into_iter().enumerate() {
                if result.len() > self.settings.virtual_alias_address_length_limit {
                    return Err(ExpandError::TooLong { result });
                }
                if result.to_lowercase() == alias {
                    settled.insert(alias.clone());
                }
                match number {
                    0 => recipients[at] = result,
                    _ => recipients.push(result),
                }
            }
        }
        Ok(changed)
    }

    /// The addresses of a table entry, in full form: `@domain` keeps the user, and an extension that the key did not have
    /// moves on to each result if `propagate`.
    pub(crate) fn mapped(&self, found: &Match, address: &str, propagate: bool) -> Vec<String> {
        let value = found.value.trim();
        let extension = found.unmatched_extension.as_deref();
        if value.starts_with('@') {
            let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
            let bare = extension.and_then(|extension| local.strip_suffix(extension)).unwrap_or(local);
            let kept = if propagate { local } else { bare };
            return vec![self.rewrite(&format!("{kept}{value}"), Context::Local)];
        }
        let extension = extension.filter(|_| propagate);
        let list = AddressList::parse(value, TOKEN_LIMIT);
        let complete = |address: String| with_extension(self.rewrite(&address, Context::Local), extension);
        list.addresses().map(complete).collect()
    }
}

fn with_extension(address: String, extension: Option<&str>) -> String {
    let Some(extension) = extension else { return address };
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}{extension}@{domain}"),
        None => address + extension,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use lookup::Memory;

    fn expand(entries: &[(&str, &str)], recipient: &str) -> Result<Vec<String>, ExpandError> {
        expand_with(true, entries, recipient)
    }

    fn expand_with(
        propagate_virtual: bool,
        entries: &[(&str, &str)],
        recipient: &str,
    ) -> Result<Vec<String>, ExpandError> {
        let settings = Settings {
            virtual_alias_maps: "v".into(),
            propagate_virtual,
            myorigin: "origin".into(),
            mydestination: "here".into(),
            recipient_delimiter: "+".into(),
            virtual_alias_expansion_limit: 5,
            virtual_alias_recursion_limit: 10,
            virtual_alias_address_length_limit: 30,
            ..Settings::default()
        };
        let tables = Memory::new().table("v", entries);
        Rewriting::new(settings)
            .virtual_alias_expand(&tables, recipient)
            .map(|expansion| expansion.recipients)
    }

    #[test]
    fn aliases_lead_on_until_none_is_left() {
        let entries = [("a@x", "b@x, c@x"), ("b@x", "d@x"), ("c@x", "e")];
        assert_eq!(expand(&entries, "a@x").unwrap(), ["d@x", "e@origin"]);
        assert_eq!(expand(&entries, "other@x").unwrap(), ["other@x"]);
    }

    #[test]
    fn an_address_that_names_itself_is_kept() {
        assert_eq!(expand(&[("a@x", "A@x, b@x")], "a@x").unwrap(), ["A@x", "b@x"]);
    }

    #[test]
    fn a_domain_takes_the_user_along() {
        assert_eq!(expand(&[("@x", "@y")], "u+e@x").unwrap(), ["u+e@y"]);
        assert_eq!(expand(&[("@x", "all@y")], "u+e@x").unwrap(), ["all@y"]);
        assert_eq!(expand(&[("u@x", "v@y, w")], "u+e@x").unwrap(), ["v+e@y", "w+e@origin"]);
    }

    #[test]
    fn an_extension_stays_behind_where_configured() {
        let entries = [("u@x", "v@y, w@y"), ("d@x", "@z")];
        assert_eq!(expand_with(false, &entries, "u+e@x").unwrap(), ["v@y", "w@y"]);
        assert_eq!(expand_with(false, &entries, "d+e@x").unwrap(), ["d@z"]);
        assert_eq!(expand_with(true, &entries, "d+e@x").unwrap(), ["d+e@z"]);
    }

    #[test]
    fn what_grows_without_bound_is_refused() {
        assert_eq!(expand(&[("a@x", "b@x"), ("b@x", "a@x")], "a@x"), Err(ExpandError::TooDeep));
        assert_eq!(expand(&[("a@x", "1@y 2@y 3@y 4@y 5@y 6@y")], "a@x"), Err(ExpandError::TooMany));
        let long = format!("{}@y", "l".repeat(40));
        assert_eq!(expand(&[("a@x", &long)], "a@x"), Err(ExpandError::TooLong { result: long.clone() }));
    }

    #[test]
    fn an_entry_without_an_address_is_a_fault() {
        assert!(matches!(expand(&[("a@x", "(nobody)")], "a@x"), Err(ExpandError::Stop(_))));
    }
}
