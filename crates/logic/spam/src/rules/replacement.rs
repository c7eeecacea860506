//! `replace_tag` and `replace_rules`: names for pieces of patterns, such as all ways to write an `a`.

use std::collections::{BTreeSet, HashMap};

use crate::perl::Pattern;

/// Tags within tags are followed this deep.
const PASSES: u32 = 6;

/// Tags, and the rules in which they are replaced.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replacements {
    pub(crate) tags: HashMap<String, String>,
    pub(crate) before: HashMap<String, String>,
    pub(crate) between: HashMap<String, String>,
    pub(crate) behind: HashMap<String, String>,
    pub(crate) rules: BTreeSet<String>,
}

/// A pattern with more than this may also be written with its tags as groups that are called by name.
const SMALL_BYTES: usize = 2_000;

impl Replacements {
    /// The pattern with its tags replaced, in a form that can be compiled.
    pub(crate) fn apply_to(&self, pattern: &Pattern) -> Pattern {
        let expanded = Pattern::from_source(self.apply(pattern.source()));
        if expanded.source().len() <= SMALL_BYTES {
            return expanded;
        }
        expanded.with_shorter(self.with_groups(pattern.source()))
    }

    /// The same pattern, each tag defined once and called where it stands.
    fn with_groups(&self, pattern: &str) -> String {
        let (flags, rest) = leading_flags(pattern);
        let called = Self {
            tags: self.tags.keys().map(|name| (name.clone(), format!("(?&t_{name})"))).collect(),
            ..self.clone()
        };
        let (body, _) = called.pass(&format!("(?:){rest}"));
        let mut definitions = String::new();
        for name in self.tags.keys().filter(|name| body.contains(&format!("(?&t_{name})"))) {
            definitions.push_str(&format!("(?<t_{name}>{})", self.apply(&format!("(?:)<{name}>"))));
        }
        format!("{flags}(?(DEFINE){definitions}){body}")
    }

    /// The pattern with its tags replaced.
    pub(crate) fn apply(&self, pattern: &str) -> String {
        // A tag at the very begin has something before it, so that nothing is put in there.
        let mut text = if pattern.starts_with('<') { format!("(?:){pattern}") } else { pattern.to_owned() };
        for _ in 0..PASSES {
            let (next, again) = self.pass(&text);
            text = next;
            if !again {
                break;
            }
        }
        text
    }

    fn pass(&self, text: &str) -> (String, bool) {
        let mut text = text.to_owned();
        let before = take_name(&mut text, "pre ").and_then(|name| self.before.get(&name));
        let behind = take_name(&mut text, "post ").and_then(|name| self.behind.get(&name));
        let between = take_name(&mut text, "inter ").and_then(|name| self.between.get(&name));
        let mut again = false;
        let mut replaced = String::with_capacity(text.len() * 4);
        for piece in pieces(&text) {
            if piece.is_empty() {
                replaced.push_str(between.map_or("", String::as_str));
                continue;
            }
            let Some(tag) = tag_in(piece) else {
                replaced.push_str(piece);
                continue;
            };
            let replacement = self.tags.get(tag).filter(|text| !text.is_empty());
            again |= replacement.is_some_and(|text| has_tag(text));
            replaced.push_str(before.map_or("", String::as_str));
            replaced.push_str(replacement.map_or(piece, String::as_str));
            replaced.push_str(behind.map_or("", String::as_str));
        }
        (replaced, again)
    }
}

/// `(?i)` in front, and the rest.
fn leading_flags(pattern: &str) -> (&str, &str) {
    let end = pattern.find(')').filter(|end| {
        pattern
            .strip_prefix("(?")
            .is_some_and(|_| pattern[2..*end].chars().all(|char| char.is_ascii_lowercase()))
    });
    pattern.split_at(end.map_or(0, |end| end + 1))
}

/// `<NAME>`, the whole of it.
fn tag_in(piece: &str) -> Option<&str> {
    piece.strip_prefix('<')?.strip_suffix('>').filter(|name| !name.is_empty())
}

fn has_tag(text: &str) -> bool {
    pieces(text).into_iter().any(|piece| tag_in(piece).is_some())
}

/// Takes `<kind NAME>` out of the text.
fn take_name(text: &mut String, kind: &str) -> Option<String> {
    let start = text.find(&format!("<{kind}"))?;
    let name_at = start + 1 + kind.len();
    let end = name_at + text[name_at..].find('>').filter(|length| *length > 0)?;
    let name = text[name_at..end].to_owned();
    text.replace_range(start..=end, "");
    Some(name)
}

/// The text cut before and behind each `<...>`; between two of them that touch lies an empty piece.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut from = 0;
    while let Some(open) = text[from..].find('<').map(|at| from + at) {
        let inner = &text[open + 1..];
        match inner.find(['<', '>']) {
            Some(length) if length > 0 && inner[length..].starts_with('>') => {
                let end = open + 1 + length + 1;
                pieces.push(&text[start..open]);
                pieces.push(&text[open..end]);
                (start, from) = (end, end);
            }
            _ => from = open + 1,
        }
    }
    pieces.push(&text[start..]);
    while pieces.last().is_some_and(|piece| piece.is_empty()) {
        pieces.pop();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_replaced_with_what_stands_between() {
        let mut replacements = Replacements::default();
        for (name, text) in [("A", "[aA4]"), ("B", "[bB8]"), ("AB", "<A><B>")] {
            replacements.tags.insert(name.into(), text.into());
        }
        replacements.between.insert("W".into(), "\\W*".into());
        replacements.behind.insert("P".into(), "{1,3}".into());
        assert_eq!(replacements.apply("(?i)<inter W><post P><A><B>c"), "(?i)[aA4]{1,3}\\W*[bB8]{1,3}c");
        assert_eq!(replacements.apply("x<AB>"), "x[aA4][bB8]");
        assert_eq!(replacements.apply("(?<!a)<A>"), "(?<!a)[aA4]");
        assert_eq!(replacements.apply("x<Q>"), "x<Q>");
    }
}
