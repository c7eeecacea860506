//! What holds for the whole tree and no compiler checks: each rule is a test that names file, line and remedy.
#![cfg(test)]

#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/licences.rs"]
mod licences;
#[path = "tidy/manifest.rs"]
mod manifest;
#[path = "tidy/neighbours.rs"]
mod neighbours;
#[path = "tidy/purity.rs"]
mod purity;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/words.rs"]
mod words;

use std::fmt;
use std::path::PathBuf;

/// Something that a rule forbids.
struct Finding {
    /// The file, from the root of the tree.
    path: PathBuf,
    /// From 1.
    line: usize,
    /// What is wrong, and what to do.
    problem: String,
}

impl Finding {
    fn new(path: impl Into<PathBuf>, line: usize, problem: impl Into<String>) -> Self {
        Self { path: path.into(), line, problem: problem.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path.display(), self.line, self.problem)
    }
}

/// Fails with all findings, one a line.
fn expect_none(findings: &[Finding]) {
    let text: Vec<_> = findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "\n{}\n", text.join("\n"));
}
