//! Which parameters nothing in the code asks for: those that are accepted and do not act yet, or never will.
//!
//! A parameter acts if a program or crate names it outside of the table, or if the default of one that acts refers
//! to it (but for [`PERMISSIONS`]). The list is kept in [`LIST`], where programs find it.

use std::collections::BTreeSet;
use std::path::Path;

use parameters::{Declared, family, index};

use crate::source::{Source, sources};

/// The file of the list, from the root of the tree.
pub const LIST: &str = "crates/logic/parameters/src/inert.txt";

/// Where a name says nothing about use: the table itself, its safer defaults, and the rules.
const DECLARATIONS: [&str; 5] = [
    "crates/logic/parameters/src/table",
    "crates/logic/parameters/src/safer.rs",
    // Which settings there are once for every transport.
    "crates/logic/parameters/src/family.rs",
    // How the tables of a parameter are made, whoever uses them.
    "crates/commands/src/postfix/stale_tables.rs",
    "tests",
];

/// What nobody asks for as long as the programs run, yet has its effect: what other programs read of us, and what
/// the head of every process is.
const ASKED_BY_OTHERS: [&str; 3] = ["mail_release_date", "process_name", "process_id"];

/// Lists of what may be asked for: that they name a parameter does not make it act.
const PERMISSIONS: [&str; 2] = ["proxy_read_maps", "proxy_write_maps"];

/// The names that do not act, sorted.
pub fn names() -> BTreeSet<&'static str> {
    let sources = sources();
    let asking: Vec<_> = sources.iter().filter(|source| !is_declaration(&source.path)).collect();
    let named: BTreeSet<&str> = asking.iter().flat_map(|source| words(source)).collect();
    let mut acting: BTreeSet<&'static str> = ASKED_BY_OTHERS.into();
    acting.extend(index::all().filter(|known| is_named(known, &named)).map(|known| known.name));
    loop {
        let referring = acting.iter().filter(|name| !PERMISSIONS.contains(name));
        let defaults = referring.filter_map(|name| index::declared(name)).map(|known| known.default);
        let referred: BTreeSet<_> = defaults.flat_map(references).collect();
        let acts =
            |known: &&Declared| referred.contains(known.name) || has_acting_family(known.name, &acting);
        let more: Vec<_> = index::all().filter(|known| !acting.contains(known.name)).filter(acts).collect();
        if more.is_empty() {
            return index::all().map(|known| known.name).filter(|name| !acting.contains(name)).collect();
        }
        acting.extend(more.iter().map(|known| known.name));
    }
}

/// Whether `name` is one transport's own setting of a kind that acts: `local_destination_recipient_limit`.
fn has_acting_family(name: &str, acting: &BTreeSet<&str>) -> bool {
    family::SUFFIXES.iter().any(|(suffix, default)| name.ends_with(suffix) && acting.contains(default))
}

/// The text of [`LIST`].
pub fn list(names: &BTreeSet<&str>) -> String {
    names.iter().map(|name| format!("{name}\n")).collect()
}

fn is_declaration(path: &Path) -> bool {
    DECLARATIONS.iter().any(|folder| path.starts_with(folder))
}

/// The words of what is not a test: of code, and of texts that are nothing but one name.
fn words(source: &Source) -> impl Iterator<Item = &str> {
    let not_word = |char: char| !char.is_ascii_alphanumeric() && char != '_';
    let lines = source.production_lines().map(|(number, _)| number).max().unwrap_or(0);
    let text = source.text.lines().zip(source.comments.lines()).take(lines);
    text.filter(|(_, comment)| comment.trim().is_empty()).flat_map(move |(line, _)| line.split(not_word))
}

/// Whether code names the parameter: by its static, or as a text.
fn is_named(parameter: &Declared, named: &BTreeSet<&str>) -> bool {
    let ident = parameter.name.to_ascii_uppercase();
    let ident = ident.strip_prefix("2BOUNCE").map_or(ident.clone(), |rest| format!("DOUBLE_BOUNCE{rest}"));
    // `family::DESTINATION_RATE_DELAY` asks for `default_destination_rate_delay`.
    let of_family = ident.strip_prefix("DEFAULT_").is_some_and(|family| named.contains(family));
    named.contains(ident.as_str()) || named.contains(parameter.name) || of_family
}

/// The names that a value refers to: `$name`, `${name?...}`.
pub fn references(value: &str) -> impl Iterator<Item = &str> {
    let ends = |char: char| !char.is_ascii_alphanumeric() && char != '_';
    let after = value.split('$').skip(1).map(|rest| rest.trim_start_matches(['{', '(']));
    after.map(move |rest| rest.split(ends).next().unwrap_or_default()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_in_every_form() {
        let value = "$name ${other?{$third}:{}} $(last) cost $";
        assert_eq!(references(value).collect::<Vec<_>>(), ["name", "other", "third", "last"]);
    }
}
