//! The tree as its own rules see it: its Rust files, with code and comments apart.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A Rust file of the project.
#[derive(Debug)]
pub struct Source {
    /// From the root of the tree.
    pub path: PathBuf,
    /// As it is.
    pub text: String,
    /// Line for line as long as `text`, with comments and the inside of literals blanked.
    pub code: String,
    /// Line for line as long as `text`, with all but comments blanked.
    pub comments: String,
}

impl Source {
    /// Reads `text` as the file `path`.
    pub fn new(path: PathBuf, text: String) -> Self {
        let (code, comments) = apart(&text);
        Self { path, text, code, comments }
    }

    /// Whether the file is there for tests alone.
    pub fn is_test_file(&self) -> bool {
        self.path.starts_with("tests") || self.path.components().any(|part| part.as_os_str() == "tests")
    }

    /// Lines of code with their numbers from 1, up to the tests at the end of the file.
    pub fn production_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.code.find("#[cfg(test)]\nmod ").unwrap_or(self.code.len());
        let end = if self.is_test_file() { 0 } else { end };
        self.code[..end].lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The folder below `crates/`, such as `logic`, if the file lies in a crate.
    pub fn floor(&self) -> Option<&str> {
        let mut parts = self.path.iter();
        (parts.next()? == "crates").then_some(())?;
        parts.next()?.to_str()
    }
}

/// The root of the tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust files of `crates/` and `tests/`, read once.
pub fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let root = root();
        let mut paths: Vec<_> =
            ["crates", "tests"].iter().flat_map(|folder| below(&root, Path::new(folder))).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
        let read = |path: PathBuf| Source::new(path.clone(), fs::read_to_string(root.join(path)).unwrap());
        paths.into_iter().map(read).collect()
    })
}

/// All files below `folder`, from the root of the tree, sorted; what builds leave behind is passed over.
pub fn below(root: &Path, folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap()).collect();
    entries.retain(|entry| !matches!(entry.file_name().to_str(), Some("target" | ".git") | None));
    entries.sort_by_key(std::fs::DirEntry::file_name);
    entries
        .into_iter()
        .flat_map(|entry| {
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() { below(root, &path) } else { vec![path] }
        })
        .collect()
}

/// What a piece of Rust text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Code,
    Comment,
    Literal,
}

/// Code and comments of `text`, each with blanks where the other (or a literal) stood.
fn apart(text: &str) -> (String, String) {
    let (mut code, mut comments) = (String::with_capacity(text.len()), String::new());
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, length) = next_piece(rest);
        for char in rest[..length].chars() {
            let blank = if char == '\n' { '\n' } else { ' ' };
            code.push(if piece == Piece::Code { char } else { blank });
            comments.push(if piece == Piece::Comment { char } else { blank });
        }
        rest = &rest[length..];
    }
    (code, comments)
}

/// The first piece of `text` and its length in bytes.
fn next_piece(text: &str) -> (Piece, usize) {
    let upto = |end: Option<usize>| end.unwrap_or(text.len());
    if text.starts_with("//") {
        return (Piece::Comment, upto(text.find('\n')));
    }
    if text.starts_with("/*") {
        return (Piece::Comment, upto(text.find("*/").map(|at| at + 2)));
    }
    if let Some(length) = raw_literal(text) {
        return (Piece::Literal, length);
    }
    if let Some(rest) = text.strip_prefix('"') {
        return (Piece::Literal, 1 + quoted(rest, '"'));
    }
    if is_char_literal(text) {
        return (Piece::Literal, 1 + quoted(&text[1..], '\''));
    }
    let word = text.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(text.len());
    let byte_prefix = matches!(&text[..word], "b" | "c") && text[word..].starts_with(['"', '\'']);
    (Piece::Code, if word == 0 || byte_prefix { text.chars().next().map_or(1, char::len_utf8) } else { word })
}

/// The length of a literal such as `r#"..."#` at the start of `text`.
fn raw_literal(text: &str) -> Option<usize> {
    let start = ["r", "br", "cr"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let hashes = start.len() - start.trim_start_matches('#').len();
    start[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let body = text.len() - start.len() + hashes + 1;
    Some(text[body..].find(&end).map_or(text.len(), |at| body + at + end.len()))
}

/// The length of the rest of a literal, with its closing quote.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, char) in rest.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            char if char == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'a'` and `'\n'` are literals; `'a` is a lifetime.
fn is_char_literal(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('\'') && (chars.next() == Some('\\') || chars.next() == Some('\''))
}

#[cfg(test)]
#[test]
fn code_comments_and_literals_are_told_apart() {
    let text = "let a = \"// no\"; // yes 'x\nlet b: &'a str = r#\"\"}\"#; let c = '{'; let d = b\"{\"; /* fn */ end";
    let (code, comments) = apart(text);
    assert_eq!(code.split_whitespace().collect::<String>(), "leta=;letb:&'astr=;letc=;letd=b;end");
    assert_eq!(comments.split_whitespace().collect::<Vec<_>>(), ["//", "yes", "'x", "/*", "fn", "*/"]);
}
