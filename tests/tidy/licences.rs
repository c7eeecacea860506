//! Every library is under a licence that lets anybody use the whole.

use std::process::Command;

use crate::{Finding, expect_none};
use tests::source::root;

/// The licences we accept. Of several that are offered, one is enough; of several that hold together, each counts.
const ACCEPTED: [&str; 11] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    // The list of certificate authorities: data that anybody may hand on.
    "CDLA-Permissive-2.0",
];

/// Dedications to the public, accepted too.
const PUBLIC_DOMAIN: [&str; 2] = ["CC0-1.0", "0BSD"];

/// Libraries that name no licence but have one in a file, which somebody has read: that of webpki is ISC.
const READ: [&str; 1] = ["webpki v0.22.4"];

/// Of the libraries for this system: cargo has not fetched those for others where nobody asked for them.
#[test]
fn every_library_has_an_accepted_licence() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments =
        ["tree", "--workspace", "--offline", "--prefix=none", "--edges=all", "--locked", "--format={p}\t{l}"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree failed: {told}");
    let listing = String::from_utf8(output.stdout).unwrap();
    let mut findings: Vec<_> = listing.lines().filter_map(unaccepted).collect();
    findings.dedup_by(|one, other| one.problem == other.problem);
    assert!(listing.lines().count() > 50, "cargo tree lists too little: {listing}");
    expect_none(&findings);
}

/// A line of the listing whose licence is not accepted.
fn unaccepted(line: &str) -> Option<Finding> {
    let (package, licence) = line.trim_end_matches(" (*)").split_once('\t')?;
    let remedy = "use another library, or ask for the licence to be accepted in tests/tidy/licences.rs";
    let problem = format!("{package} is under `{licence}`; {remedy}");
    (!accepts(licence) && !READ.contains(&package)).then(|| Finding::new("Cargo.lock", 1, problem))
}

/// Whether an expression such as `(MIT OR GPL-3.0) AND Unicode-3.0` can be met.
fn accepts(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    split(&expression, " OR ").iter().any(|choice| {
        split(choice, " AND ").iter().all(|part| {
            let part = part.trim();
            match part.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
                Some(inner) => accepts(inner),
                None => ACCEPTED.contains(&part) || PUBLIC_DOMAIN.contains(&part),
            }
        })
    })
}

/// Splits at `separator` where no parenthesis is open.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(separator) {
        let before = &text[..at];
        if before.matches('(').count() == before.matches(')').count() {
            parts.push(&text[start..at]);
            start = at + separator.len();
        }
    }
    parts.push(&text[start..]);
    parts
}

#[test]
fn expressions_of_licences_are_understood() {
    assert!(
        accepts("MIT/Apache-2.0")
            && accepts("GPL-3.0 OR MIT")
            && accepts("(MIT OR Apache-2.0) AND Unicode-3.0")
    );
    assert!(
        !accepts("GPL-3.0")
            && !accepts("MIT AND GPL-3.0")
            && !accepts("")
            && !accepts("(GPL-3.0 OR LGPL-3.0) AND MIT")
    );
}
