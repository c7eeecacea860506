//! The manifests of the crates, as far as the rules look at them.

use std::fs;
use std::path::{Path, PathBuf};

use tests::source::root;

/// A crate's `Cargo.toml`.
pub(crate) struct Manifest {
    /// The crate's name.
    pub(crate) name: String,
    /// The folder below `crates/`, or `tests`.
    pub(crate) floor: String,
    /// The file, from the root of the tree.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A dependency in a manifest.
pub(crate) struct Edge {
    /// From 1.
    pub(crate) line: usize,
    /// The crate.
    pub(crate) to: String,
    pub(crate) tests_only: bool,
}

/// The manifests of all crates.
pub(crate) fn manifests() -> Vec<Manifest> {
    let mut paths: Vec<_> =
        ["crates/commands", "tests"].iter().map(|folder| Path::new(folder).join("Cargo.toml")).collect();
    for floor in ["logic", "system", "daemons"] {
        let folder = Path::new("crates").join(floor);
        let entries = fs::read_dir(root().join(&folder)).unwrap();
        paths.extend(entries.map(|entry| folder.join(entry.unwrap().file_name()).join("Cargo.toml")));
    }
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Manifest {
    let text = fs::read_to_string(root().join(&path)).unwrap();
    let name = text.lines().find_map(|line| line.strip_prefix("name = \"")).unwrap();
    Manifest { name: name.trim_end_matches('"').to_owned(), floor: floor_of(&path), path, text }
}

fn floor_of(manifest: &Path) -> String {
    let mut parts = manifest.iter().filter(|part| *part != "crates");
    parts.next().unwrap().to_string_lossy().into_owned()
}

/// The dependencies of a manifest, with the lines they stand on.
pub(crate) fn edges(manifest: &str) -> Vec<Edge> {
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
