//! Crates import downward only: commands and daemons from system and logic, system from logic.

use std::collections::BTreeMap;

use crate::manifest::{Manifest, edges, manifests};
use crate::{Finding, expect_none};

/// Which floors a crate of each floor may import from.
const MAY_IMPORT: [(&str, &[&str]); 5] = [
    ("logic", &["logic"]),
    ("system", &["logic", "system"]),
    ("daemons", &["logic", "system"]),
    ("commands", &["logic", "system"]),
    ("tests", &["logic", "system", "daemons", "commands"]),
];

/// The one crate of a higher floor that tests of any crate may use.
const FOR_TESTS: &str = "testkit";

#[test]
fn crates_import_downward_only() {
    let manifests = manifests();
    assert!(manifests.len() > 10, "no crates found: is the tree where it should be?");
    let floors: BTreeMap<_, _> =
        manifests.iter().map(|manifest| (manifest.name.as_str(), manifest.floor.as_str())).collect();
    let mut findings = Vec::new();
    for Manifest { name, floor, path, text } in &manifests {
        for edge in edges(text) {
            let Some(target) = floors.get(edge.to.as_str()) else { continue };
            let allowed = may_import(floor, target) || (edge.tests_only && edge.to == FOR_TESTS);
            if !allowed {
                let remedy = "move the shared code down a floor, or hand the value in from above";
                let problem = format!(
                    "{name} ({floor}) imports {} ({target}), which is not below it; {remedy}",
                    edge.to
                );
                findings.push(Finding::new(path, edge.line, problem));
            }
        }
    }
    expect_none(&findings);
}

fn may_import(from: &str, to: &str) -> bool {
    MAY_IMPORT.iter().any(|(floor, below)| *floor == from && below.contains(&to))
}

#[test]
fn an_upward_edge_is_found_with_its_line() {
    let manifest = "[package]\nname = \"address\"\n\n[dependencies]\nqueue.workspace = true\n\n[dev-dependencies]\ntestkit = {}\n";
    let found: Vec<_> =
        edges(manifest).into_iter().map(|edge| (edge.line, edge.to, edge.tests_only)).collect();
    assert_eq!(found, [(5, "queue".to_owned(), false), (8, "testkit".to_owned(), true)]);
    assert!(
        may_import("daemons", "logic") && !may_import("logic", "system") && !may_import("daemons", "daemons")
    );
}
