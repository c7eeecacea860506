//! Nothing half done is kept: no notes of what is still to do, no tests that do not run, no paths of one machine.

use crate::{Finding, expect_none};
use tests::source::{Source, sources};

/// Marks in code, and what to do about each.
const IN_CODE: [(&str, &str); 3] = [
    ("todo!", "write it, or leave the whole item out"),
    ("unimplemented!", "write it, or leave the whole item out"),
    ("#[ignore", "make the test run, or remove it"),
];

/// Words in comments, and what to do about each.
const IN_COMMENTS: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: [&str; 2] = ["/work/", "/root/"];

#[test]
fn nothing_is_left_half_done() {
    let sources = sources();
    let findings: Vec<_> =
        sources.iter().filter(|source| !is_this_rule(source)).flat_map(leftovers).collect();
    expect_none(&findings);
}

/// This file has to name what it forbids.
fn is_this_rule(source: &Source) -> bool {
    source.path.ends_with("tidy/words.rs")
}

fn leftovers(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = source.text.lines().zip(source.code.lines()).zip(source.comments.lines());
    for (index, ((text, code), comment)) in lines.enumerate() {
        let mut found = |problem: String| findings.push(Finding::new(&source.path, index + 1, problem));
        for (mark, remedy) in IN_CODE.into_iter().filter(|(mark, _)| code.contains(mark)) {
            found(format!("`{mark}`; {remedy}"));
        }
        let words = || comment.split(|char: char| !char.is_alphanumeric());
        for word in IN_COMMENTS.into_iter().filter(|word| words().any(|other| other == *word)) {
            found(format!("{word} in a comment; do it now, or file it where work is planned"));
        }
        for path in MACHINE_PATHS.into_iter().filter(|path| text.contains(path)) {
            found(format!(
                "a path of one machine ({path}...); use a path below the tree or a temporary folder"
            ));
        }
    }
    findings
}

#[test]
fn marks_are_found_where_they_count() {
    let text = "// FIXME: later\nlet name = \"FIXME\"; // mkstemp(XXXXXX)\n";
    let findings = leftovers(&Source::new("crates/x.rs".into(), text.to_owned()));
    assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [1]);
}
