//! The head comment of a program: a man page in a few signs of Markdown.
//!
//! `# NAME` starts a section and `## Title` one within it; `- text` is a point of a list, and one that begins with
//! `` `-x` `` an option with its text; lines of a table or between fences stand as they are; a paragraph ends at
//! an empty line, and in `# SYNOPSIS` before each line that begins with code. Within text, `` `code` `` is bold and `*word*` is italic.

use std::path::Path;

use super::ManError;

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// `# NAME`
    Section(String),
    /// `## Title`
    Subsection(String),
    /// Text that is filled.
    Paragraph(String),
    /// A point of a list: the code it begins with, and the rest.
    Item { tag: Option<String>, text: String },
    /// Lines that stand as they are.
    Verbatim(Vec<String>),
}

/// The blocks of the head comment in `source`, the text of the file `path`; `None` if the program is to be written.
///
/// # Errors
/// The comment does not begin with `# NAME`, or has no `# DESCRIPTION`.
pub(super) fn parse(path: &Path, source: &str) -> Result<Option<Vec<Block>>, ManError> {
    let lines: Vec<&str> = source.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let lines: Vec<&str> = lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    if lines.first().is_some_and(|line| line.starts_with("To be written")) {
        return Ok(None);
    }
    let wrong = |problem| ManError::Header { path: path.to_owned(), line: 1, problem };
    let blocks = blocks(&lines);
    if blocks.first() != Some(&Block::Section("NAME".to_owned())) {
        return Err(wrong(
            "no man page: begin the file with `//! # NAME`, then `//! program - what it does`",
        ));
    }
    if !blocks.contains(&Block::Section("DESCRIPTION".to_owned())) {
        return Err(wrong("the man page lacks `//! # DESCRIPTION`: say there what the program does"));
    }
    Ok(Some(blocks))
}

fn blocks(lines: &[&str]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rest = lines;
    while let Some((&line, after)) = rest.split_first() {
        let (block, taken) = match line.trim_start() {
            "" => (None, 1),
            text if text.starts_with("```") => {
                let inner: Vec<_> =
                    after.iter().take_while(|line| !line.trim_start().starts_with("```")).collect();
                (
                    Some(Block::Verbatim(inner.iter().map(|line| (**line).to_owned()).collect())),
                    inner.len() + 2,
                )
            }
            text if text.starts_with('|') => {
                let rows: Vec<_> = rest.iter().take_while(|line| line.starts_with('|')).collect();
                let kept =
                    rows.iter().filter(|row| !row.starts_with("|-")).map(|row| (**row).to_owned()).collect();
                (Some(Block::Verbatim(kept)), rows.len())
            }
            text if text.starts_with("## ") => (Some(Block::Subsection(text[3..].trim().to_owned())), 1),
            text if text.starts_with("# ") => (Some(Block::Section(text[2..].trim().to_owned())), 1),
            text => {
                let synopsis = blocks.iter().rev().find_map(section) == Some("SYNOPSIS");
                let starts = |line: &str| synopsis && line.trim_start().starts_with('`');
                let more = after.iter().take_while(|line| continues(line) && !starts(line)).count();
                let text = joined(text, &after[..more]);
                (Some(text.strip_prefix("- ").map_or_else(|| Block::Paragraph(text.clone()), item)), more + 1)
            }
        };
        blocks.extend(block);
        rest = &rest[taken.min(rest.len())..];
    }
    blocks
}

fn section(block: &Block) -> Option<&str> {
    if let Block::Section(title) = block { Some(title) } else { None }
}

/// Whether a line belongs to the text of the line before it.
fn continues(line: &str) -> bool {
    let text = line.trim_start();
    !(text.is_empty()
        || text.starts_with("- ")
        || text.starts_with('#')
        || text.starts_with("```")
        || text.starts_with('|'))
}

fn joined(first: &str, more: &[&str]) -> String {
    let lines = std::iter::once(first).chain(more.iter().copied());
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

/// A point of a list. The code it begins with is its tag: `` `-c dir`: where main.cf lies ``, `` `-D`, `-v`: more ``.
fn item(text: &str) -> Block {
    let mut tags = Vec::new();
    let mut rest = text;
    while let Some((tag, after)) = rest.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        tags.push(tag);
        rest = after;
        match after.strip_prefix(", ").filter(|next| next.starts_with('`')) {
            Some(next) => rest = next,
            None => break,
        }
    }
    if tags.is_empty() || !(rest.is_empty() || rest.starts_with([':', ' ', ','])) {
        return Block::Item { tag: None, text: text.to_owned() };
    }
    Block::Item { tag: Some(tags.join(", ")), text: rest.trim_start_matches([':', ' ']).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_falls_into_its_blocks() {
        let source = "//! # NAME\n//! cat - show\n//! a message\n//!\n//! # SYNOPSIS\n//! `cat` a\n//! b\n//! `cat` c\n//! # DESCRIPTION\n//! - `-c dir`: from there\n//!   and here\n//! - plain\n//! ```text\n//!  x\n//! ```\n//! End.\nfn main() {}\n";
        let blocks = parse(Path::new("cat.rs"), source).unwrap().unwrap();
        assert_eq!(
            blocks,
            [
                Block::Section("NAME".into()),
                Block::Paragraph("cat - show a message".into()),
                Block::Section("SYNOPSIS".into()),
                Block::Paragraph("`cat` a b".into()),
                Block::Paragraph("`cat` c".into()),
                Block::Section("DESCRIPTION".into()),
                Block::Item { tag: Some("-c dir".into()), text: "from there and here".into() },
                Block::Item { tag: None, text: "plain".into() },
                Block::Verbatim(vec![" x".into()]),
                Block::Paragraph("End.".into()),
            ]
        );
    }

    #[test]
    fn several_options_are_one_tag() {
        let expected = Block::Item { tag: Some("-D, -v".into()), text: "more lines".into() };
        assert_eq!(item("`-D`, `-v`: more lines"), expected);
        assert_eq!(item("`a`b"), Block::Item { tag: None, text: "`a`b".into() });
    }

    #[test]
    fn a_program_to_be_written_has_no_page_and_any_other_needs_one() {
        assert!(parse(Path::new("x.rs"), "//! To be written.\nfn main() {}\n").unwrap().is_none());
        let error = parse(Path::new("x.rs"), "//! Something.\nfn main() {}\n").unwrap_err();
        assert!(error.to_string().starts_with("x.rs:1: no man page"), "{error}");
    }
}
