//! Crates import downward only: commands and daemons from system and logic, system from logic.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Finding, expect_none};
use tests::source::root;

/// Which floors a crate of each floor may import from.
const MAY_IMPORT: [(&str, &[&str]); 5] = [
    ("logic", &["logic"]),
    ("system", &["logic", "system"]),
    ("daemons", &["logic", "system"]),
    ("commands", &["logic", "system"]),
    ("tests", &["logic", "system", "daemons", "commands"]),
];

/// The one crate of a higher floor that tests of any crate may use: it plays transcripts, clocks and disks.
const FOR_TESTS: &str = "testkit";

/// A dependency in a manifest.
struct Edge {
    line: usize,
    to: String,
    tests_only: bool,
}

#[test]
fn crates_import_downward_only() {
    let manifests = manifests();
    assert!(manifests.len() > 10, "no crates found: is the tree where it should be?");
    let floors: BTreeMap<_, _> =
        manifests.iter().map(|(name, (floor, _))| (name.as_str(), floor.as_str())).collect();
    let mut findings = Vec::new();
    for (name, (floor, path)) in &manifests {
        let text = fs::read_to_string(root().join(path)).unwrap();
        for edge in edges(&text) {
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

/// Crate name -> its floor and manifest.
fn manifests() -> BTreeMap<String, (String, PathBuf)> {
    let mut paths: Vec<_> =
        ["crates/commands", "tests"].iter().map(|folder| Path::new(folder).join("Cargo.toml")).collect();
    for floor in ["logic", "system", "daemons"] {
        let folder = Path::new("crates").join(floor);
        let entries = fs::read_dir(root().join(&folder)).unwrap();
        paths.extend(entries.map(|entry| folder.join(entry.unwrap().file_name()).join("Cargo.toml")));
    }
    paths.into_iter().map(|path| (package_name(&path), (floor_of(&path), path))).collect()
}

fn floor_of(manifest: &Path) -> String {
    let mut parts = manifest.iter().filter(|part| *part != "crates");
    parts.next().unwrap().to_string_lossy().into_owned()
}

fn package_name(manifest: &Path) -> String {
    let text = fs::read_to_string(root().join(manifest)).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("name = \"")).unwrap();
    line.trim_end_matches('"').to_owned()
}

/// The dependencies of a manifest, with the lines they stand on.
fn edges(manifest: &str) -> Vec<Edge> {
    let mut edges = Vec::new();
    let mut section = "";
    for (index, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
            continue;
        }
        let name: String =
            line.chars().take_while(|char| char.is_alphanumeric() || "-_".contains(*char)).collect();
        if section.ends_with("dependencies") && !name.is_empty() {
            edges.push(Edge { line: index + 1, to: name, tests_only: section == "dev-dependencies" });
        }
    }
    edges
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
