//! The page of one program: its head comment, and the parameters it uses.

use parameters::{Declared, index};

use super::header::Block;
use super::roff::Roff;

/// Sections that we write ourselves, after what the head comment says in them.
const PARAMETERS: &str = "CONFIGURATION PARAMETERS";
const SEE_ALSO: &str = "SEE ALSO";

/// The page of the program `name`.
pub(super) fn page(name: &str, section: u8, blocks: &[Block]) -> String {
    let mut roff = Roff::new(name, section, "the head comment of its source");
    let mut sections: Vec<&[Block]> = blocks.chunk_by(|_, next| !matches!(next, Block::Section(_))).collect();
    let see_also = take(&mut sections, SEE_ALSO);
    let parameters = take(&mut sections, PARAMETERS);
    for section in &sections {
        write_blocks(&mut roff, section);
        if titled(section, "NAME") && !sections.iter().any(|section| titled(section, "SYNOPSIS")) {
            roff.section("SYNOPSIS");
            roff.text(&format!("`{name}` (started by master(8), with the options of every daemon)"));
        }
    }
    roff.section(PARAMETERS);
    let said: Vec<_> = parameters.iter().filter(|block| !is_list_of_names(block)).cloned().collect();
    write_blocks(&mut roff, &said);
    write_parameters(&mut roff, name, &names_in(parameters));
    roff.section(SEE_ALSO);
    match see_also {
        [] => roff.text("main.cf(5), master(8), postconf(1)"),
        own => write_blocks(&mut roff, own),
    }
    roff.finish()
}

/// Takes the section called `title` out, and gives what stands below the title.
fn take<'a>(sections: &mut Vec<&'a [Block]>, title: &str) -> &'a [Block] {
    let at = sections.iter().position(|section| titled(section, title));
    at.map_or(&[], |at| &sections.remove(at)[1..])
}

fn titled(section: &[Block], title: &str) -> bool {
    matches!(section.first(), Some(Block::Section(own)) if own == title)
}

fn write_blocks(roff: &mut Roff, blocks: &[Block]) {
    let mut after_title = true;
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

/// Whether a paragraph says nothing but names of parameters: the list below has them with their texts.
fn is_list_of_names(block: &Block) -> bool {
    let Block::Paragraph(text) = block else { return false };
    let between = text.split('`').step_by(2).flat_map(str::chars);
    text.contains('`') && between.into_iter().all(|char| ",.; ".contains(char))
}

/// What stands in backticks in a section.
fn names_in(section: &[Block]) -> Vec<&str> {
    let texts = section.iter().flat_map(|block| match block {
        Block::Paragraph(text) => vec![text.as_str()],
        Block::Item { tag, text } => tag.iter().map(String::as_str).chain([text.as_str()]).collect(),
        Block::Section(_) | Block::Subsection(_) | Block::Verbatim(_) => Vec::new(),
    });
    texts.flat_map(|text| text.split('`')).collect()
}

/// The parameters that only some programs use, this one among them, and those that are `named` by it; not those
/// that are accepted for old files' sake.
fn write_parameters(roff: &mut Roff, name: &str, named: &[&str]) {
    let acts = |parameter: &&Declared| !parameter.doc.contains("without effect");
    let uses = |parameter: &&Declared| parameter.daemons.contains(&name) || named.contains(&parameter.name);
    let mut used: Vec<_> = index::all().filter(uses).filter(acts).collect();
    used.sort_by_key(|parameter| parameter.name);
    if used.is_empty() {
        roff.paragraph("None but those that every program uses: see main.cf(5).");
        return;
    }
    roff.paragraph("In main.cf; main.cf(5) has them in full, and those that every program uses.");
    for parameter in used {
        roff.term(parameter.name, "", &first_sentence(parameter.doc));
    }
}

/// Up to the first full stop that ends a sentence, on one line.
fn first_sentence(doc: &str) -> String {
    let doc = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    doc.find(". ").map_or_else(|| doc.clone(), |at| doc[..=at].to_owned())
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

    #[test]
    fn a_list_of_names_is_no_text() {
        assert!(is_list_of_names(&Block::Paragraph("`queue_directory`, `mail_owner`.".into())));
        assert!(!is_list_of_names(&Block::Paragraph("`queue_directory`: where".into())));
    }
}
