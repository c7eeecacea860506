//! Small files, small functions, and names that say what is in them.

use std::path::Path;

use crate::{Finding, expect_none};
use tests::source::{Source, sources};

/// Lines of a file.
const FILE_LINES: usize = 1300;

/// Lines of a function, from `fn` to its closing brace; comments, and rows of a table of texts, do not count.
const FUNCTION_LINES: usize = 80;

/// Files that are flat tables.
const TABLES: [&str; 1] = ["crates/logic/parameters/src/table"];

/// Functions that may be long, as they are one flat match or table: file, name.
const FLAT_FUNCTIONS: [(&str, &str); 0] = [];

/// Names that tell nothing of what lies in them.
const DRAWERS: [&str; 9] =
    ["util", "utils", "common", "helper", "helpers", "manager", "misc", "shared", "stuff"];

#[test]
fn no_file_is_too_long() {
    let is_table = |source: &&Source| !TABLES.iter().any(|table| source.path.starts_with(table));
    let mut findings = Vec::new();
    for source in sources().iter().filter(is_table) {
        let lines = source.text.lines().count();
        if lines > FILE_LINES {
            findings.push(Finding::new(
                &source.path,
                FILE_LINES,
                format!("{lines} lines; split it along its subjects"),
            ));
        }
    }
    expect_none(&findings);
}

#[test]
fn no_function_is_too_long() {
    let mut findings = Vec::new();
    for source in sources() {
        for function in functions(source).into_iter().filter(|function| function.lines > FUNCTION_LINES) {
            let known = FLAT_FUNCTIONS.contains(&(source.path.to_str().unwrap(), &function.name));
            if !known {
                let remedy = "give its steps names and functions of their own";
                let problem = format!(
                    "fn {} has {} lines (limit {FUNCTION_LINES}); {remedy}",
                    function.name, function.lines
                );
                findings.push(Finding::new(&source.path, function.line, problem));
            }
        }
    }
    expect_none(&findings);
}

#[test]
fn every_name_says_what_lies_there() {
    let mut findings = Vec::new();
    for source in sources() {
        let parts =
            source.path.iter().map(Path::new).filter_map(Path::file_stem).filter_map(|stem| stem.to_str());
        let drawers = parts.filter(|part| part.split(['-', '_']).any(|word| DRAWERS.contains(&word)));
        findings.extend(drawers.map(|drawer| {
            Finding::new(&source.path, 1, format!("`{drawer}` is a drawer; name it by its job"))
        }));
        for (index, line) in source.code.lines().enumerate() {
            let module = line.trim_start().trim_start_matches("pub ").strip_prefix("mod ");
            let name = module.map(|rest| rest.trim_end_matches([' ', '{', ';']));
            if name.is_some_and(|name| DRAWERS.contains(&name)) {
                findings.push(Finding::new(
                    &source.path,
                    index + 1,
                    "a module that is a drawer; name it by its job",
                ));
            }
        }
    }
    expect_none(&findings);
}

/// A function with a body.
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// The functions of a file, inner ones included.
fn functions(source: &Source) -> Vec<Function> {
    let code = &source.code;
    let starts = code
        .match_indices("fn ")
        .filter(|(at, _)| !code[..*at].ends_with(|char: char| char.is_alphanumeric() || char == '_'));
    starts.filter_map(|(at, _)| function_at(code, at)).collect()
}

/// The function whose `fn` stands at `at`; none if it has no body, or is a type.
fn function_at(code: &str, at: usize) -> Option<Function> {
    let rest = &code[at + "fn ".len()..];
    let name: String = rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
    let open = rest.find(['{', ';'])?;
    if name.is_empty() || rest[open..].starts_with(';') {
        return None;
    }
    let mut depth = 0_usize;
    let close = rest[open..].char_indices().find_map(|(offset, char)| {
        depth = match char {
            '{' => depth + 1,
            '}' => depth - 1,
            _ => depth,
        };
        (depth == 0).then_some(open + offset)
    })?;
    let line = code[..at].matches('\n').count() + 1;
    let lines = rest[..close].lines().filter(|line| line.contains(char::is_alphanumeric)).count();
    Some(Function { name, line, lines })
}

#[test]
fn functions_are_measured_by_their_braces() {
    let text = "trait A { fn none(&self); }\nfn two() {\n    '{';\n    // }\n    \"text\", one()\n}\nstruct S(fn(u8) -> u8);\nfn one() {}\n";
    let source = Source::new("crates/x.rs".into(), text.to_owned());
    let found: Vec<_> =
        functions(&source).into_iter().map(|found| (found.name, found.line, found.lines)).collect();
    assert_eq!(found, [("two".to_owned(), 2, 2), ("one".to_owned(), 8, 1)]);
}
