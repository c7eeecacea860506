//! Tables held in memory: for tests of logic, and for programs without files.

use std::collections::HashMap;

use crate::{Found, Lookup, Part, Stop, Subject};

/// Tables by name. Names of tables are what parameters hold (`hash:virtual`); lists are names, networks left out.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    tables: HashMap<String, HashMap<String, String>>,
    broken: Option<String>,
}

impl Memory {
    /// No table at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a table of keys and values.
    #[must_use]
    pub fn table(mut self, name: &str, entries: &[(&str, &str)]) -> Self {
        let fold = |(key, value): &(&str, &str)| (key.to_lowercase(), (*value).to_owned());
        self.tables.insert(name.to_owned(), entries.iter().map(fold).collect());
        self
    }

    /// From now on this table cannot be read.
    #[must_use]
    pub fn broken(mut self, name: &str) -> Self {
        self.broken = Some(name.to_owned());
        self
    }

    fn get(&self, table: &str, key: &str) -> Result<Option<String>, Stop> {
        if self.broken.as_deref() == Some(table) {
            return Err(Stop::Failed { table: table.to_owned() });
        }
        let entries = self.tables.get(table).ok_or_else(|| Stop::Failed { table: table.to_owned() })?;
        Ok(entries.get(&key.to_lowercase()).cloned())
    }

    fn has(&self, word: &str, subject: &Subject<'_>) -> Result<bool, Stop> {
        let (name, parents) = match *subject {
            Subject::Text(text) => (text, None),
            Subject::Domain { name, parents } => (name, Some(parents)),
            Subject::Client { address, .. } => (address, None),
        };
        if word.contains(':') {
            return Ok(self.get(word, name)?.is_some());
        }
        let (name, word) = (name.to_lowercase(), word.to_lowercase());
        Ok(match parents {
            _ if name == word => true,
            Some(true) => name.ends_with(&format!(".{word}")),
            Some(false) => word.starts_with('.') && name.ends_with(&word),
            None => false,
        })
    }
}

impl Lookup for Memory {
    fn find(&self, maps: &str, key: &str, _part: Part) -> Result<Option<Found>, Stop> {
        for table in words(maps) {
            if let Some(value) = self.get(table, key)? {
                return Ok(Some(Found { value, table: table.to_owned() }));
            }
        }
        Ok(None)
    }

    fn listed(&self, list: &str, subject: &Subject<'_>) -> Result<bool, Stop> {
        for word in words(list) {
            let pattern = word.trim_start_matches('!');
            if self.has(pattern, subject)? {
                return Ok((word.len() - pattern.len()) % 2 == 0);
            }
        }
        Ok(false)
    }
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_table_that_has_the_key_answers() {
        let tables = Memory::new().table("a", &[("X", "1")]).table("b", &[("x", "2"), ("y", "3")]);
        let value = |key| tables.find("a, b", key, Part::Whole).unwrap().map(|found| found.value);
        assert_eq!((value("x").as_deref(), value("Y").as_deref(), value("z")), (Some("1"), Some("3"), None));
        assert!(tables.clone().broken("b").find("a b", "y", Part::Whole).is_err());
    }

    #[test]
    fn lists_hold_names_tables_and_exceptions() {
        let tables = Memory::new().table("hash:d", &[("t.example", "")]);
        let domain = |list, name, parents| tables.listed(list, &Subject::Domain { name, parents }).unwrap();
        assert!(domain("a.example, hash:d", "T.example", false));
        assert!(domain("example", "x.example", true) && !domain("example", "x.example", false));
        assert!(domain(".example", "x.example", false));
        assert!(!domain("!x.example, .example", "x.example", false));
    }
}
