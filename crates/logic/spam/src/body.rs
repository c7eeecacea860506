//! The text of a message as `body` and `rawbody` rules see it.

use std::collections::HashMap;

use message::tree::{PartId, Text, Tree, Trust, to_text};

use crate::html::{Html, Rendering, as_number, render};
use crate::rules::Settings;

/// Bytes of a line; longer ones are cut at a blank.
const LINE_LIMIT_BYTES: usize = 2048;
/// How far behind its limit a part may still end at a good place.
const CUT_PATIENCE_BYTES: usize = 1024;

/// A part as it is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    /// `text/plain` or `text/html`.
    pub(crate) kind: &'static str,
    pub(crate) all: Text,
    /// What a reader sees of a document, when something of it is hidden.
    pub(crate) visible: Option<Text>,
    /// What is hidden from readers.
    pub(crate) invisible: Text,
    /// Of a document that is not empty.
    pub(crate) html: Option<Html>,
}

/// Renders all text and HTML parts.
pub(crate) fn render_parts(tree: &Tree, settings: &Settings) -> HashMap<PartId, Shown> {
    let leaves = tree.leaves().into_iter();
    leaves.filter_map(|id| shown(tree, id, settings).map(|shown| (id, shown))).collect()
}

fn shown(tree: &Tree, id: PartId, settings: &Settings) -> Option<Shown> {
    let part = tree.part(id);
    let kind = match part.effective_kind() {
        "text/plain" => "text/plain",
        "text/html" => "text/html",
        _ => return None,
    };
    let bytes = part.decoded();
    let charset = part.charset.as_deref().unwrap_or(b"us-ascii");
    let text = if settings.normalize_charset {
        to_text(&bytes, charset, Trust::Guess)
    } else {
        undecoded(&bytes, charset)
    };
    if kind == "text/html" && !text.chars.is_empty() {
        return Some(shown_html(render(&text), bytes.len()));
    }
    Some(Shown { kind, all: text, ..Shown::default() })
}

/// Without `normalize_charset` only UTF-8 is decoded, where it is declared.
fn undecoded(bytes: &[u8], charset: &[u8]) -> Text {
    let declared = charset.eq_ignore_ascii_case(b"utf-8") || charset.eq_ignore_ascii_case(b"us-ascii");
    match std::str::from_utf8(bytes) {
        Ok(text) if declared && !text.is_ascii() => Text { chars: text.to_owned(), decoded: true },
        _ => Text { chars: bytes.iter().map(|byte| char::from(*byte)).collect(), decoded: false },
    }
}

fn shown_html(rendering: Rendering, source_bytes: usize) -> Shown {
    let Rendering { all, visible, invisible, mut html } = rendering;
    let length = all.chars.chars().count();
    let space = all.chars.chars().filter(|char| is_space(*char, all.decoded)).count();
    html.numbers.insert("html_length", as_number(length));
    html.numbers.insert("non_space_len", as_number(length - space));
    if source_bytes > 0 {
        let source = as_number(source_bytes);
        html.numbers.insert("ratio", (source - as_number(length)) / source);
    }
    let visible = (!invisible.chars.is_empty()).then_some(visible);
    Shown { kind: "text/html", all, visible, invisible, html: Some(html) }
}

/// Blank, in text that was decoded (any blank of Unicode) or not (ASCII's).
pub(crate) fn is_space(char: char, decoded: bool) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}') || (decoded && char.is_whitespace())
}

/// The lines of the rendered text, the subject first.
pub(crate) fn lines(tree: &Tree, shown: &HashMap<PartId, Shown>, settings: &Settings) -> Vec<Vec<u8>> {
    let subject = [tree.root().fields.value("subject").unwrap_or_default(), b"\n"].concat();
    chosen_lines(tree, shown, settings, subject, |shown| &shown.all)
}

/// The lines that a reader sees, the subject first; `None` when a reader sees all of them.
pub(crate) fn visible_lines(
    tree: &Tree,
    shown: &HashMap<PartId, Shown>,
    settings: &Settings,
) -> Option<Vec<Vec<u8>>> {
    if shown.values().all(|shown| shown.visible.is_none()) {
        return None;
    }
    let subject = [tree.root().fields.value("subject").unwrap_or_default(), b"\n"].concat();
    Some(chosen_lines(tree, shown, settings, subject, |shown| shown.visible.as_ref().unwrap_or(&shown.all)))
}

/// The lines that are hidden from readers.
pub(crate) fn invisible_lines(
    tree: &Tree,
    shown: &HashMap<PartId, Shown>,
    settings: &Settings,
) -> Vec<Vec<u8>> {
    if shown.values().all(|shown| shown.invisible.chars.is_empty()) {
        return Vec::new();
    }
    chosen_lines(tree, shown, settings, Vec::new(), |shown| &shown.invisible)
}

fn chosen_lines(
    tree: &Tree,
    shown: &HashMap<PartId, Shown>,
    settings: &Settings,
    subject: Vec<u8>,
    choose: fn(&Shown) -> &Text,
) -> Vec<Vec<u8>> {
    let texts = shown.iter().map(|(id, shown)| (*id, choose(shown))).collect();
    text_lines(tree, &texts, settings, subject)
}

fn text_lines(
    tree: &Tree,
    texts: &HashMap<PartId, &Text>,
    settings: &Settings,
    subject: Vec<u8>,
) -> Vec<Vec<u8>> {
    let mut text = Text::default();
    let leaves = tree.leaves();
    if leaves.is_empty() {
        return Vec::new();
    }
    for id in leaves {
        if !text.chars.is_empty() {
            text.chars.push('\n');
        }
        let Some(shown) = texts.get(&id) else { continue };
        text.chars.push_str(cut(&shown.chars, settings.body_part_scan_size));
        text.decoded |= shown.decoded;
    }
    let paragraphs = Text { chars: paragraphs(&text), decoded: text.decoded }.into_octets();
    short_lines(&[subject, paragraphs].concat())
}

/// The text up to so many characters, if possible up to the end of a line or word.
fn cut(text: &str, limit: usize) -> &str {
    if limit == 0 || text.len() <= limit {
        return text;
    }
    let Some((at, _)) = text.char_indices().nth(limit) else { return text };
    let behind = &text[at..];
    let good = [b'\n', b' '].into_iter().find_map(|end| {
        let found = behind.bytes().position(|byte| byte == end)?;
        (found <= CUT_PATIENCE_BYTES).then_some(at + found + 1)
    });
    &text[..good.unwrap_or(at)]
}

/// Blank lines become line ends, all other blanks one blank.
fn paragraphs(text: &Text) -> String {
    let mut squeezed = String::with_capacity(text.chars.len());
    let mut rest = text.chars.as_str();
    while !rest.is_empty() {
        let word = rest.find(|char: char| !is_space(char, text.decoded)).unwrap_or(rest.len());
        squeezed.push_str(squeezed_blanks(&rest[..word]));
        rest = &rest[word..];
        let end = rest.find(|char: char| is_space(char, text.decoded)).unwrap_or(rest.len());
        squeezed.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    if squeezed.contains('\0') { squeezed.replace('\0', "\n") } else { squeezed }
}

/// What becomes of the blanks between two words.
fn squeezed_blanks(blanks: &str) -> &'static str {
    if blanks.len() <= 1 {
        return if blanks.is_empty() { "" } else { " " };
    }
    let first = blanks.bytes().position(|byte| byte == b'\n');
    let last = blanks.bytes().rposition(|byte| byte == b'\n');
    match (first, last) {
        (Some(first), Some(last)) if first != last => match (first > 0, last + 1 < blanks.len()) {
            (false, false) => "\n",
            (true, false) => " \n",
            (false, true) => "\n ",
            (true, true) => " \n ",
        },
        _ => " ",
    }
}

fn short_lines(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for mut line in text.split_inclusive(|byte| *byte == b'\n') {
        while line.len() > LINE_LIMIT_BYTES {
            let blank = line[..=LINE_LIMIT_BYTES].iter().rposition(|byte| *byte == b' ');
            let (head, rest) = line.split_at(blank.map_or(LINE_LIMIT_BYTES, |at| at + 1));
            lines.push(head.to_vec());
            line = rest;
        }
        lines.push(line.to_vec());
    }
    lines
}

/// The pieces of the decoded text, as `rawbody` rules see them.
pub(crate) fn raw_pieces(tree: &Tree, settings: &Settings) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    for id in tree.leaves() {
        let part = tree.part(id);
        let kind = part.effective_kind();
        let word_ends =
            |rest: &str| !rest.starts_with(|char: char| char.is_ascii_alphanumeric() || char == '_');
        let textual = ["text", "message"].iter().any(|begin| kind.strip_prefix(begin).is_some_and(word_ends));
        if textual && part.kind != "text/calendar" {
            let mut text = part.decoded();
            cut_raw(&mut text, settings.rawbody_part_scan_size);
            pieces.extend(short_paragraphs(&text).into_iter().map(<[u8]>::to_vec));
        }
    }
    pieces
}

fn cut_raw(text: &mut Vec<u8>, limit: usize) {
    if limit == 0 || text.len() <= limit {
        return;
    }
    let good = [b'\n', b'>', b' '].into_iter().find_map(|end| {
        let found = text[limit..].iter().position(|byte| *byte == end)?;
        (found <= CUT_PATIENCE_BYTES).then_some(limit + found + 1)
    });
    text.truncate(good.unwrap_or(limit));
}

/// Pieces of 2 to 4 KB that end at a line end, else at `>`, else at a blank.
pub(crate) fn short_paragraphs(text: &[u8]) -> Vec<&[u8]> {
    if text.len() <= LINE_LIMIT_BYTES {
        return vec![text];
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > 2 * LINE_LIMIT_BYTES {
        let window = &rest[LINE_LIMIT_BYTES..2 * LINE_LIMIT_BYTES];
        let good =
            [b'\n', b'>', b' '].into_iter().find_map(|end| window.iter().position(|byte| *byte == end));
        let (piece, behind) = rest.split_at(LINE_LIMIT_BYTES + good.unwrap_or(0) + 1);
        pieces.push(piece);
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_squeezed_and_paragraphs_kept() {
        let text = |chars: &str, decoded| paragraphs(&Text { chars: chars.to_owned(), decoded });
        assert_eq!(text("a  b\nc \n \n  d", false), "a b c \n d");
        assert_eq!(text("a\u{a0}b", false), "a\u{a0}b");
        assert_eq!(text("a\u{a0}\u{2003}b", true), "a b");
    }

    #[test]
    fn the_subject_comes_first_and_long_lines_are_cut() {
        let long = "word ".repeat(1000);
        let tree = Tree::parse(format!("Subject: hi\n\n{long}").as_bytes());
        let settings = Settings::default();
        let lines = lines(&tree, &render_parts(&tree, &settings), &settings);
        assert_eq!(lines[0], b"hi\n");
        assert!(lines.len() == 4 && lines[1].len() == 2045 && lines[1].ends_with(b" "));
    }

    #[test]
    fn raw_pieces_end_at_lines() {
        let text = [vec![b'x'; 3000], b"\n".to_vec(), vec![b'y'; 2000]].concat();
        let pieces: Vec<usize> = short_paragraphs(&text).iter().map(|piece| piece.len()).collect();
        assert_eq!(pieces, [3001, 2000]);
    }
}
