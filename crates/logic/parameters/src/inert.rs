//! Parameters that are accepted, printed and expanded, and that nothing asks for in this version.

use crate::config::Config;

/// One a line, sorted; kept true by the rules for the tree.
const LIST: &str = include_str!("inert.txt");

/// Whether setting `name` changes nothing.
pub fn is_inert(name: &str) -> bool {
    LIST.lines().any(|line| line == name)
}

/// What `config` sets in vain, sorted.
pub fn set_in_vain(config: &Config) -> Vec<&str> {
    let mut names: Vec<_> = config.names_set().filter(|name| is_inert(name)).collect();
    names.sort_unstable();
    names
}
