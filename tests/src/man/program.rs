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
    write_blocks(&mut roff, parameters);
    write_parameters(&mut roff, name);
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

/// The parameters that only some programs use, this one among them; not those that are accepted for old files' sake.
fn write_parameters(roff: &mut Roff, name: &str) {
    let acts = |parameter: &&Declared| !parameter.doc.contains("without effect");
    let mut used: Vec<_> =
        index::all().filter(|parameter| parameter.daemons.contains(&name)).filter(acts).collect();
    used.sort_by_key(|parameter| parameter.name);
    if used.is_empty() {
        roff.paragraph("No other than those that every program uses: see main.cf(5).");
        return;
    }
    roff.paragraph("In main.cf, besides those that every program uses; main.cf(5) has them in full:");
    for parameter in used {
        roff.term(parameter.name, "", first_sentence(parameter.doc));
    }
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
