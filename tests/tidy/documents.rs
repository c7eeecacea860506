//! What is written about the code is true: paths exist, parameters are described, man pages are those of the code.

use std::collections::BTreeSet;
use std::fs;

use parameters::master_cf::MasterFile;
use parameters::{Config, Defaults, HostFacts, Sources, index};

use crate::{Finding, expect_none};
use tests::inert;
use tests::source::root;

/// The document whose paths must exist.
const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// Where a path of a document may start.
const BASES: [&str; 2] = ["", "crates"];

#[test]
fn every_path_in_the_architecture_exists() {
    let Ok(text) = fs::read_to_string(root().join(ARCHITECTURE)) else { return };
    let missing = paths(&text)
        .into_iter()
        .filter(|(_, path)| !BASES.iter().any(|base| root().join(base).join(path).exists()));
    let findings: Vec<_> = missing
        .map(|(line, path)| {
            Finding::new(ARCHITECTURE, line, format!("`{path}` does not exist; say where it is now"))
        })
        .collect();
    expect_none(&findings);
}

/// The paths that a document names in backticks, outside of ```text fences, with their lines. What begins with none
/// of the tree's folders, or has a placeholder in it, is not a path of the tree.
fn paths(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_fence = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        }
        let code = line.split('`').skip(1).step_by(2).filter(|_| !in_fence);
        let in_tree = code.filter(|code| {
            let top = code.split('/').next().unwrap_or_default();
            code.contains('/')
                && BASES.iter().any(|base| root().join(base).join(top).is_dir())
                && !top.is_empty()
        });
        let whole = in_tree.filter(|code| !code.contains(['*', '{', '<', ' ', '$']));
        found.extend(whole.map(|code| (index + 1, code.to_owned())));
    }
    found
}

#[test]
fn paths_are_read_from_backticks_outside_of_fences() {
    let text = "see `tests/tidy.rs` and `proxy:unix/x`,\n```text\n`tests/none.rs`\n```\n`logic/address` `crates/*/src`\n";
    assert_eq!(paths(text), [(1, "tests/tidy.rs".to_owned()), (5, "logic/address".to_owned())]);
}

#[test]
fn every_parameter_is_described_once() {
    let mut programs = tests::man::program_names(&root()).unwrap();
    programs.push("all".to_owned());
    let mut names = BTreeSet::new();
    let mut findings = Vec::new();
    for parameter in index::all() {
        let table = "crates/logic/parameters/src/table";
        if parameter.doc.trim().is_empty() {
            findings.push(Finding::new(
                table,
                1,
                format!("{} has no text; say what it does above its row", parameter.name),
            ));
        }
        if parameter.daemons.is_empty() {
            findings.push(Finding::new(
                table,
                1,
                format!("{} is used by nobody; name its programs, or \"all\"", parameter.name),
            ));
        }
        for stranger in parameter.daemons.iter().filter(|name| !programs.iter().any(|known| known == *name)) {
            let problem =
                format!("{} is used by {stranger}, which is no program; correct its row", parameter.name);
            findings.push(Finding::new(table, 1, problem));
        }
        if !names.insert(parameter.name) {
            findings.push(Finding::new(
                table,
                1,
                format!("{} is declared twice; remove one row", parameter.name),
            ));
        }
    }
    expect_none(&findings);
}

#[test]
fn the_list_of_parameters_without_effect_is_true() {
    let committed = fs::read_to_string(root().join(inert::LIST)).unwrap();
    let names = inert::names();
    let remedy = "run `cargo run -p tests --bin write-documents` and commit what it changes";
    let stale = committed.lines().enumerate().filter(|(_, name)| !names.contains(name));
    let mut findings: Vec<_> = stale
        .map(|(index, name)| {
            Finding::new(inert::LIST, index + 1, format!("{name} acts, or is no parameter; {remedy}"))
        })
        .collect();
    let listed: BTreeSet<_> = committed.lines().collect();
    let missing = names.iter().filter(|name| !listed.contains(**name));
    findings.extend(
        missing.map(|name| Finding::new(inert::LIST, 1, format!("nothing asks for {name}; {remedy}"))),
    );
    expect_none(&findings);
}

#[test]
fn examples_are_understood_without_a_complaint() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let (path, main_cf) = ("main.cf.example", read("main.cf.example"));
    let sources = Sources {
        main_cf: &main_cf,
        path,
        overrides: &[],
        facts: HostFacts::default(),
        defaults: Defaults::Safer,
    };
    let config = Config::read(sources).unwrap_or_else(|error| panic!("{error}"));
    let mut complaints: Vec<_> = config.warnings().iter().map(ToString::to_string).collect();
    let unknown = config.names_set().filter(|name| index::declared(name).is_none());
    complaints.extend(unknown.map(|name| format!("{path}: {name} is no parameter")));
    for daemon in ["smtpd", "cleanup", "qmgr", "virtual", "local", "bounce"] {
        complaints.extend(config.faults(daemon).iter().map(ToString::to_string));
    }
    let file = MasterFile::read(&read("master.cf.example"), "master.cf.example");
    complaints.extend(file.errors.iter().map(ToString::to_string));
    complaints.extend(file.warnings.iter().map(ToString::to_string));
    assert!(file.services.len() > 20, "master.cf.example starts too little");
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn man_pages_are_those_of_the_code() {
    let remedy = "run `cargo run -p tests --bin write-documents` and commit man/";
    let pages = tests::man::pages(&root()).unwrap_or_else(|error| panic!("{error}"));
    let faults: Vec<_> = pages.faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    let mut findings = Vec::new();
    for (name, text) in &pages.texts {
        let committed = fs::read_to_string(root().join("man").join(name)).unwrap_or_default();
        if committed != *text {
            let same = committed.lines().zip(text.lines()).take_while(|(old, new)| old == new).count();
            findings.push(Finding::new(
                format!("man/{name}"),
                same + 1,
                format!("is not what the code says; {remedy}"),
            ));
        }
    }
    for entry in fs::read_dir(root().join("man")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !pages.texts.contains_key(&name) {
            findings.push(Finding::new(
                format!("man/{name}"),
                1,
                format!("has no program any more; {remedy}"),
            ));
        }
    }
    expect_none(&findings);
}
