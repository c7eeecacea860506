//! The order of keys in which a table is asked about an address.

use address::{quote, split_extension};
use lookup::{Lookup, Part, Stop};

use crate::Rewriting;

/// An entry found for an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The right-hand side.
    pub value: String,
    /// The table that had it.
    pub table: String,
    /// The key under which it stood.
    pub key: String,
    /// The extension of the address, with its delimiter, where the key was the address without it. A catch-all `@domain`
    /// has matched all there is.
    pub unmatched_extension: Option<String>,
}

impl Rewriting {
    /// Looks `address` up in `maps` as canonical(5) and virtual(5) say: `user+ext@domain`, `user@domain`, for
    /// our own domains `user+ext` and `user`, then `@domain`. Each key is tried quoted, then as it is.
    ///
    /// # Errors
    /// As [`Lookup::find`].
    pub fn find_address(
        &self,
        tables: &dyn Lookup,
        maps: &str,
        address: &str,
    ) -> Result<Option<Match>, Stop> {
        if maps.is_empty() {
            return Ok(None);
        }
        let keys = Keys::new(address, &self.settings.recipient_delimiter);
        if let Some(found) = find_key(tables, maps, address, Part::Whole)? {
            return Ok(Some(found));
        }
        if let Some(bare) = &keys.bare
            && let Some(found) = find_key(tables, maps, bare, Part::Partial)?
        {
            return Ok(Some(keys.with_extension(found)));
        }
        let Some(domain) = keys.domain else { return Ok(None) };
        if self.is_own_domain(tables, domain)?
            && let Some(found) = keys.find_local(tables, maps)?
        {
            return Ok(Some(found));
        }
        find_key(tables, maps, &format!("@{domain}"), Part::Partial)
    }

    /// Does a bare user name stand for an address in this domain?
    fn is_own_domain(&self, tables: &dyn Lookup, domain: &str) -> Result<bool, Stop> {
        Ok(domain.eq_ignore_ascii_case(&self.settings.myorigin) || self.is_local_domain(tables, domain)?)
    }
}

/// The pieces of one address.
struct Keys<'a> {
    local: &'a str,
    domain: Option<&'a str>,
    /// The address without its extension.
    bare: Option<String>,
    /// The extension with its delimiter.
    extension: Option<&'a str>,
    bare_length: usize,
}

impl<'a> Keys<'a> {
    fn new(address: &'a str, delimiters: &str) -> Self {
        let (local, domain) = match address.rsplit_once('@') {
            Some((local, domain)) => (local, Some(domain)),
            None => (address, None),
        };
        let bare_length = split_extension(local, delimiters).map_or(local.len(), |(base, _)| base.len());
        let extension = (bare_length < local.len()).then(|| &local[bare_length..]);
        let bare = extension.map(|_| format!("{}{}", &local[..bare_length], &address[local.len()..]));
        Self { local, domain, bare, extension, bare_length }
    }

    fn find_local(&self, tables: &dyn Lookup, maps: &str) -> Result<Option<Match>, Stop> {
        if let Some(found) = find_key(tables, maps, self.local, Part::Partial)? {
            return Ok(Some(found));
        }
        if self.extension.is_none() {
            return Ok(None);
        }
        let found = find_key(tables, maps, &self.local[..self.bare_length], Part::Partial)?;
        Ok(found.map(|found| self.with_extension(found)))
    }

    fn with_extension(&self, mut found: Match) -> Match {
        found.unmatched_extension = self.extension.map(str::to_owned);
        found
    }
}

/// Asks for the quoted form of `key`, then for `key` itself where that differs.
fn find_key(tables: &dyn Lookup, maps: &str, key: &str, part: Part) -> Result<Option<Match>, Stop> {
    let external = if key.starts_with('@') || key.is_empty() { key.to_owned() } else { quote(key) };
    let differs = external != key;
    if let Some(found) = ask(tables, maps, external, part)? {
        return Ok(Some(found));
    }
    if differs { ask(tables, maps, key.to_owned(), part) } else { Ok(None) }
}

fn ask(tables: &dyn Lookup, maps: &str, key: String, part: Part) -> Result<Option<Match>, Stop> {
    let found = tables.find(maps, &key, part)?;
    Ok(found.map(|found| Match { value: found.value, table: found.table, key, unmatched_extension: None }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use lookup::Memory;

    fn rewriting() -> Rewriting {
        Rewriting::new(Settings {
            myorigin: "origin.example".into(),
            mydestination: "here.example".into(),
            recipient_delimiter: "+".into(),
            ..Settings::default()
        })
    }

    /// The key that answers, of all that stand in the table.
    fn key(entries: &[&str], address: &str) -> Option<String> {
        let entries: Vec<_> = entries.iter().map(|key| (*key, "value")).collect();
        let tables = Memory::new().table("t", &entries);
        rewriting().find_address(&tables, "t", address).unwrap().map(|found| found.key)
    }

    #[test]
    fn keys_are_asked_from_the_whole_address_to_the_domain() {
        let order = ["u+x@here.example", "u@here.example", "u+x", "u", "@here.example"];
        for from in 0..order.len() {
            assert_eq!(key(&order[from..], "u+x@here.example").as_deref(), Some(order[from]));
        }
        assert_eq!(key(&[], "u@here.example"), None);
    }

    #[test]
    fn a_bare_name_stands_for_our_own_domains_only() {
        assert_eq!(key(&["u"], "u@origin.example").as_deref(), Some("u"));
        assert_eq!(key(&["u"], "u@other.example"), None);
        assert_eq!(key(&["u"], "u").as_deref(), Some("u"));
    }

    #[test]
    fn a_quoted_key_comes_before_the_plain_one() {
        assert_eq!(key(&["\"a b\"@x", "a b@x"], "a b@x").as_deref(), Some("\"a b\"@x"));
        assert_eq!(key(&["a b@x"], "a b@x").as_deref(), Some("a b@x"));
    }

    #[test]
    fn an_unmatched_extension_is_told() {
        let tables = Memory::new().table("t", &[("u@x", ""), ("@y", ""), ("u+e@z", "")]);
        let extension = |address| {
            rewriting()
                .find_address(&tables, "t", address)
                .unwrap()
                .and_then(|found| found.unmatched_extension)
        };
        assert_eq!(extension("u+e@x").as_deref(), Some("+e"));
        assert_eq!(extension("u+e@y"), None);
        assert_eq!(extension("u+e@z"), None);
    }

    #[test]
    fn a_table_that_fails_is_not_an_empty_one() {
        let tables = Memory::new().table("t", &[]).broken("t");
        assert!(rewriting().find_address(&tables, "t", "u@x").is_err());
    }
}
