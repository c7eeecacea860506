//! Who names a crate in a manifest uses it.

use std::collections::BTreeSet;
use std::fs;

use crate::manifest::{Edge, Manifest, edges, manifests};
use crate::{Finding, expect_none};
use tests::source::{Source, root, sources};

/// Packages whose crates have another name.
const OTHER_NAMES: [(&str, &str); 2] = [("lmdb-rkv", "lmdb"), ("md-5", "md5")];

#[test]
fn every_dependency_is_used() {
    expect_none(&manifests().iter().flat_map(unused).collect::<Vec<_>>());
}

/// What a crate names and does not use; what only its tests use must not be a dependency of the crate itself.
fn unused(manifest: &Manifest) -> Vec<Finding> {
    let folder = manifest.path.parent().unwrap();
    let own: Vec<_> = sources().iter().filter(|source| source.path.starts_with(folder)).collect();
    let whole = |source: &&Source| source.code.clone();
    let production = |source: &&Source| -> String {
        source.production_lines().map(|(_, line)| line.to_owned() + "\n").collect()
    };
    let with_tests: String = own.iter().map(whole).collect();
    let without: String =
        if manifest.floor == "tests" { with_tests.clone() } else { own.iter().map(production).collect() };
    let is_unused = |edge: &Edge| {
        let code = if edge.tests_only { &with_tests } else { &without };
        !names(code, &crate_name(&edge.to))
    };
    let finding = |edge: Edge| {
        let remedy = "remove it, or make it a dev-dependency if tests use it";
        Finding::new(&manifest.path, edge.line, format!("{} is not used; {remedy}", edge.to))
    };
    edges(&manifest.text).into_iter().filter(is_unused).map(finding).collect()
}

fn crate_name(package: &str) -> String {
    let other = OTHER_NAMES.iter().find(|(known, _)| *known == package);
    other.map_or_else(|| package.replace('-', "_"), |(_, name)| (*name).to_owned())
}

/// Whether code has a path that begins with the crate's name, or imports it whole.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let behind = &code[at + name.len()..];
        let begins = before.is_none_or(|char| !char.is_alphanumeric() && !matches!(char, '_' | ':' | '.'));
        begins && ["::", ";", " as "].iter().any(|mark| behind.starts_with(mark))
    })
}

#[test]
fn what_is_declared_for_all_is_used_by_some() {
    let named: BTreeSet<_> =
        manifests().iter().flat_map(|manifest| edges(&manifest.text)).map(|edge| edge.to).collect();
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let declared = edges(&text).into_iter().filter(|edge| !named.contains(&edge.to));
    let findings: Vec<_> = declared
        .map(|edge| Finding::new("Cargo.toml", edge.line, format!("no crate uses {}; remove it", edge.to)))
        .collect();
    expect_none(&findings);
}

#[test]
fn uses_are_told_from_other_words() {
    assert!(names("use log;", "log") && names("fn f() { log::warn!() }", "log"));
    assert!(!names("mod maillog::x; self.log; super::log::x; log_it()", "log"));
    assert_eq!((crate_name("md-5").as_str(), crate_name("base-64").as_str()), ("md5", "base_64"));
}
