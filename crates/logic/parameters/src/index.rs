//! Finding a parameter by its name.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::declare::Declared;
use crate::table::{FAMILIES, LATER, OWN};

/// The parameter called `name`, if it is declared in the table.
pub fn declared(name: &str) -> Option<&'static Declared> {
    static INDEX: OnceLock<HashMap<&'static str, &'static Declared>> = OnceLock::new();
    let index = INDEX.get_or_init(|| all().map(|declared| (declared.name, declared)).collect());
    index.get(name).copied()
}

/// Every parameter of the table: those of Postfix 3.7, those it has had since, and our own.
pub fn all() -> impl Iterator<Item = &'static Declared> {
    of_postfix_3_7().chain(since_postfix_3_7()).chain(own())
}

/// The parameters of Postfix 3.7, which are what `postconf` lists.
pub fn of_postfix_3_7() -> impl Iterator<Item = &'static Declared> {
    FAMILIES.iter().flat_map(|family| family.iter().copied())
}

/// The parameters that Postfix has had since 3.7.
pub fn since_postfix_3_7() -> impl Iterator<Item = &'static Declared> {
    LATER.iter().flat_map(|(_, table)| table.iter()).copied()
}

/// The parameters that Postfix does not have.
pub fn own() -> impl Iterator<Item = &'static Declared> {
    OWN.iter().flat_map(|family| family.iter()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_declared_once() {
        let mut names: Vec<_> = all().map(|declared| declared.name).collect();
        let total = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), total);
        assert!(declared("queue_run_delay").is_some() && declared("queue_run_delays").is_none());
    }
}
