//! The page of one program: its head comment, and the parameters it uses.

use parameters::{Declared, FAMILIES, LATER, OWN};

use super::header::Block;
use super::roff::Roff;

/// The page of the program `name`.
pub(super) fn page(name: &str, section: u8, blocks: &[Block]) -> String {
    let mut roff = Roff::new(name, section, "the head comment of its source");
    let last = blocks
        .iter()
        .position(|block| *block == Block::Section("SEE ALSO".to_owned()))
        .unwrap_or(blocks.len());
    write_blocks(&mut roff, &blocks[..last]);
    write_parameters(&mut roff, name);
    if last == blocks.len() {
        roff.section("SEE ALSO");
        roff.text("main.cf(5)");
    }
    write_blocks(&mut roff, &blocks[last..]);
    roff.finish()
}

fn write_blocks(roff: &mut Roff, blocks: &[Block]) {
    let mut after_title = false;
    for block in blocks {
        match block {
            Block::Section(title) => roff.section(title),
            Block::Subsection(title) => roff.subsection(title),
            Block::Paragraph(text) if after_title => roff.text(text),
            Block::Paragraph(text) => roff.paragraph(text),
            Block::Item { tag: Some(tag), text } => roff.term(tag, "", text),
            Block::Item { tag: None, text } => roff.point(text),
            Block::Verbatim(lines) => roff.verbatim(lines.iter().map(String::as_str)),
        }
        after_title = matches!(block, Block::Section(_) | Block::Subsection(_));
    }
}

/// The parameters that only some programs use, this one among them.
fn write_parameters(roff: &mut Roff, name: &str) {
    let mut used: Vec<&Declared> = all().filter(|parameter| parameter.daemons.contains(&name)).collect();
    used.sort_by_key(|parameter| parameter.name);
    roff.section("CONFIGURATION PARAMETERS");
    if used.is_empty() {
        roff.text("Only those that every program uses: see main.cf(5).");
        return;
    }
    roff.text("In main.cf, besides those that every program uses; main.cf(5) has them in full.");
    for parameter in used {
        roff.term(parameter.name, "", first_sentence(parameter.doc));
    }
}

/// Every parameter there is.
pub(super) fn all() -> impl Iterator<Item = &'static Declared> {
    let later = LATER.iter().map(|(_, table)| *table);
    FAMILIES.iter().copied().chain(later).chain([OWN]).flat_map(|table| table.iter().copied())
}

/// Up to the first full stop that ends a sentence.
fn first_sentence(doc: &str) -> &str {
    let doc = doc.trim();
    let stops = doc.match_indices('.').map(|(at, _)| at + 1);
    let ends = |at: &usize| doc[*at..].chars().next().is_none_or(char::is_whitespace);
    stops.filter(ends).map(|at| &doc[..at]).next().unwrap_or(doc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_sentence() {
        assert_eq!(
            first_sentence(" Takes `hosts.allow`, 1.5 at most.\n Then more.\n"),
            "Takes `hosts.allow`, 1.5 at most."
        );
    }
}
