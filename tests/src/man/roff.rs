//! Writing roff, as far as man pages need it.

/// A man page in the making.
pub(super) struct Roff(String);

impl Roff {
    /// The page `name(section)`; `source` is the head comment's or table's place in the code.
    pub(super) fn new(name: &str, section: u8, source: &str) -> Self {
        let upper = name.to_uppercase();
        Self(format!(
            ".\\\" Made from {source}: change it there, then run `cargo run -p tests --bin write-documents`.\n\
             .TH {upper} {section} \"\" Pillarbox\n.ad l\n.nh\n"
        ))
    }

    /// A section: `NAME`.
    pub(super) fn section(&mut self, title: &str) {
        self.line(&format!(".SH {}", escaped(title)));
    }

    /// A section within a section.
    pub(super) fn subsection(&mut self, title: &str) {
        self.line(&format!(".SS {}", escaped(title)));
    }

    /// A paragraph of text with `` `code` `` and `*emphasis*`.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.line(".PP");
        self.line(&inline(text));
    }

    /// Text that follows a section's title, without a gap.
    pub(super) fn text(&mut self, text: &str) {
        self.line(&inline(text));
    }

    /// A term in bold, what follows it in plain type, and its text below.
    pub(super) fn term(&mut self, term: &str, aside: &str, text: &str) {
        self.line(".TP");
        self.line(&guarded(&format!("\\fB{}\\fR{}", escaped(term), escaped(aside))));
        self.line(&inline(text));
    }

    /// A line of its own below the text so far: a label, and text in bold, neither looked into for marks.
    pub(super) fn line_below(&mut self, label: &str, text: &str) {
        self.line(".br");
        self.line(&guarded(&match text {
            "" => escaped(label),
            text => format!("{}\\fB{}\\fR", escaped(label), escaped(text)),
        }));
    }

    /// A point of a list.
    pub(super) fn point(&mut self, text: &str) {
        self.line(".IP \\(bu 2");
        self.line(&inline(text));
    }

    /// Lines that stand as they are.
    pub(super) fn verbatim<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>) {
        self.line(".PP");
        self.line(".nf");
        for line in lines {
            self.line(&guarded(&escaped(line)));
        }
        self.line(".fi");
    }

    /// The text of the page.
    pub(super) fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }
}

/// Text with its marks turned into roff's.
fn inline(text: &str) -> String {
    let mut roff = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            roff.push_str(&format!("\\fB{}\\fR", escaped(part)));
        } else {
            roff.push_str(&emphasised(&unlinked(part)));
        }
    }
    guarded(roff.trim())
}

/// `*word*` in italics; a star that stands alone stays.
fn emphasised(text: &str) -> String {
    let mut roff = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('*') {
        roff.push_str(&escaped(before));
        match after.split_once('*') {
            Some((word, then)) if !word.is_empty() && !word.contains(' ') => {
                roff.push_str(&format!("\\fI{}\\fR", escaped(word)));
                rest = then;
            }
            _ => {
                roff.push('*');
                rest = after;
            }
        }
    }
    roff + &escaped(rest)
}

/// `[text](address)` without the address.
fn unlinked(text: &str) -> String {
    let Some((before, rest)) = text.split_once('[') else { return text.to_owned() };
    let Some((label, after)) = rest.split_once("](") else { return text.to_owned() };
    let Some((_, after)) = after.split_once(')') else { return text.to_owned() };
    format!("{before}{label}{}", unlinked(after))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\u{2019}', "'")
}

/// A line that does not begin with what roff takes for a request.
fn guarded(line: &str) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_fonts_and_signs_of_roff_are_escaped() {
        assert_eq!(inline("run `a -b` or *c*, 2 * 3"), "run \\fBa \\-b\\fR or \\fIc\\fR, 2 * 3");
        assert_eq!(inline(".start with \\n"), "\\&.start with \\en");
        assert_eq!(inline("see [the RFC](https://example.com) and [this]"), "see the RFC and [this]");
    }
}
