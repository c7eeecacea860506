//! The tests of a program run beside each other in one process, and beside other people's processes: none does what
//! makes its neighbours fail.

use crate::{Finding, expect_none};
use tests::source::{Source, sources};

/// What changes the process under all tests in it, or makes them wait for a time instead of an event; and what to do.
const NOT_IN_TESTS: [(&str, &str); 5] = [
    ("thread::sleep(", "wait for the event, with a limit of a minute"),
    ("set_current_dir(", "name files by their whole path"),
    ("env::set_var(", "hand the value in"),
    ("env::remove_var(", "hand the value in"),
    ("umask(", "set the mode of what was made"),
];

/// Test programs of crates that start processes. Until its exec(2) a child has everything open that its parent has: the
/// locks, listeners and pipes of the tests beside it. So these programs hold nothing else.
const STARTERS: [&str; 6] = [
    "crates/commands/tests/postmap_crash.rs",
    "crates/system/learned/tests/original/main.rs",
    "crates/system/learned/tests/original/redis.rs",
    "crates/system/mailbox/tests/abuse.rs",
    "crates/system/mailbox/tests/dovecot.rs",
    "crates/system/sys/tests/sandbox.rs",
];

#[test]
fn no_test_disturbs_its_neighbours() {
    let findings: Vec<_> =
        sources().iter().filter(|source| !is_this_rule(source)).flat_map(breaches).collect();
    expect_none(&findings);
}

/// This file has to name what it forbids.
fn is_this_rule(source: &Source) -> bool {
    source.path.ends_with("tidy/neighbours.rs")
}

fn breaches(source: &Source) -> Vec<Finding> {
    let production_lines = source.production_lines().count();
    let start = source.code.split_inclusive('\n').take(production_lines).map(str::len).sum();
    let code = &source.code[start..];
    let mut findings = Vec::new();
    let mut found = |at: usize, problem: String| {
        let line = production_lines + code[..at].matches('\n').count() + 1;
        findings.push(Finding::new(&source.path, line, problem));
    };
    for (mark, remedy) in NOT_IN_TESTS {
        code.match_indices(mark).for_each(|(at, _)| found(at, format!("`{mark}` in a test; {remedy}")));
    }
    // The programs of the end-to-end tests hold nothing that a child could keep from anybody.
    let may_start =
        source.path.starts_with("tests") || STARTERS.iter().any(|path| source.path.ends_with(path));
    for (at, _) in code.match_indices("Command::new(").filter(|_| !may_start) {
        let remedy =
            "give it a program of its own in the crate's tests/, and name that in tests/tidy/neighbours.rs";
        found(at, format!("a test that starts a process beside others; {remedy}"));
    }
    for (at, _) in code.match_indices("::bind(") {
        let statement = code[at..].split(';').next().unwrap_or_default();
        if statement.contains(".local_addr()") {
            found(at, "a port that is free again at once; use tests::Port, or keep the socket".to_owned());
        }
    }
    findings
}

#[test]
fn breaches_are_found_in_tests_alone() {
    let production = "fn main() {\n    std::thread::sleep(x);\n}\n\n";
    let tests = "#[cfg(test)]\nmod tests {\n    fn port() -> u16 {\n        \
         TcpListener::bind(\"127.0.0.1:0\").unwrap().local_addr().unwrap().port()\n    }\n    \
         fn child() {\n        Command::new(\"true\");\n        std::thread::sleep(x);\n    }\n}\n";
    let source = Source::new("crates/x/src/main.rs".into(), format!("{production}{tests}"));
    let mut lines: Vec<_> = breaches(&source).iter().map(|finding| finding.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, [8, 11, 12]);
}
