//! Text and tags of HTML as mail has it: never well-formed, always read to the end.
//!
//! What counts as a tag is what Perl's `HTML::Parser` takes for one, for the rules were measured on its reading.

use super::entities::{self, Decoded};

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Text(Decoded),
    Start { name: String, attributes: Vec<(String, Decoded)> },
    End { name: String },
    Comment(String),
    Declaration(String),
}

/// Elements whose content holds no tags, and whether it holds no character references either.
const LITERAL: [(&str, bool); 7] = [
    ("script", true),
    ("style", true),
    ("title", false),
    ("textarea", false),
    ("xmp", true),
    ("iframe", true),
    ("plaintext", true),
];

/// How far one attempt to read markup came.
enum Attempt {
    /// To here.
    Read(usize),
    /// The end of the text came first.
    Cut,
    /// It is no markup.
    No,
}

/// Cuts a document into tokens.
pub(super) fn tokens(text: &str, wide: bool) -> Vec<Token> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        wide,
        tokens: Vec::new(),
        literal: None,
        sections: Vec::new(),
        lone_gt_ends_comment: false,
    };
    reader.read_all();
    reader.tokens
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    wide: bool,
    tokens: Vec<Token>,
    /// The element of [`LITERAL`] that is open.
    literal: Option<(&'static str, bool)>,
    /// Marked sections that are open: true where they hold text only.
    sections: Vec<bool>,
    /// At the end of the document a comment without end is ended by the next `>`.
    lone_gt_ends_comment: bool,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b':' | b'_')
}

impl Reader<'_> {
    fn at(&self, index: usize) -> u8 {
        self.bytes.get(index).copied().unwrap_or(0)
    }

    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn skip_space(&self, mut index: usize) -> usize {
        while index < self.len() && is_space(self.at(index)) {
            index += 1;
        }
        index
    }

    fn find(&self, from: usize, byte: u8) -> Option<usize> {
        self.bytes.get(from..)?.iter().position(|other| *other == byte).map(|at| from + at)
    }

    fn add_text(&mut self, from: usize, to: usize) {
        if from == to {
            return;
        }
        let raw = self.literal.is_some_and(|(_, raw)| raw) || self.sections.contains(&true);
        let text = &self.text[from..to];
        let decoded = if raw {
            Decoded { text: text.to_owned(), wide: self.wide }
        } else {
            entities::decode(text, self.wide, true)
        };
        self.tokens.push(Token::Text(decoded));
    }

    fn add_comment(&mut self, from: usize, to: usize) {
        self.tokens.push(Token::Comment(self.text[from..to].to_owned()));
    }

    fn add_end(&mut self, name: &str) {
        self.tokens.push(Token::End { name: name.to_ascii_lowercase() });
    }

    /// Reads what is complete; then what is left is taken as well as can be.
    fn read_all(&mut self) {
        let mut rest = self.read(0);
        while rest < self.len() {
            if let Some((name, _)) = self.literal {
                if matches!(name, "plaintext" | "xmp" | "iframe" | "textarea") {
                    break;
                }
                if matches!(name, "script" | "style") {
                    // An element without end ends with the document.
                    self.add_text(rest, self.len());
                    self.literal = None;
                    return self.add_end(name);
                }
                self.literal = None;
                rest = self.read(rest);
                continue;
            }
            if self.at(rest) != b'<' {
                break;
            }
            if !self.lone_gt_ends_comment {
                self.lone_gt_ends_comment = true;
                rest = self.read(rest);
                continue;
            }
            let next = self.at(rest + 1);
            if rest + 1 == self.len() || begins_name(next) || matches!(next, b'/' | b'!' | b'?') {
                self.add_comment(rest, self.len());
                return;
            }
            break;
        }
        self.add_text(rest, self.len());
    }

    /// Reads on from `start`; where what could not be read begins.
    fn read(&mut self, start: usize) -> usize {
        let mut from = start;
        let mut here = start;
        loop {
            if self.literal.is_some() {
                match self.read_literal(from) {
                    Some(end) => (from, here) = (end, end),
                    None => return from,
                }
                continue;
            }
            if self.sections.contains(&true) {
                match self.end_of_section(from) {
                    Some(end) => {
                        self.add_text(from, end);
                        self.sections.pop();
                        (from, here) = (end + 3, end + 3);
                    }
                    None => return from,
                }
                continue;
            }
            here = self.find(here, b'<').unwrap_or(self.len());
            if !self.sections.is_empty()
                && let Some(end) = self.end_of_section(from).filter(|end| *end < here)
            {
                self.add_text(from, end);
                self.sections.pop();
                (from, here) = (end + 3, end + 3);
                continue;
            }
            if here == self.len() {
                let kept = self.begin_of_last_word(from);
                self.add_text(from, kept);
                return kept;
            }
            if here > from {
                self.add_text(from, here);
                from = here;
            }
            if self.len() - here < 3 {
                return from;
            }
            match self.markup(here) {
                Attempt::Read(end) => (from, here) = (end, end),
                Attempt::Cut => return from,
                Attempt::No => here += 1,
            }
        }
    }

    /// The last word, with the blanks before it, may go on in what is still to come: it is a text of its own.
    fn begin_of_last_word(&self, from: usize) -> usize {
        let mut end = self.len();
        if end > from && !is_space(self.at(end - 1)) {
            while end > from && !is_space(self.at(end - 1)) {
                end -= 1;
            }
        }
        while end > from && is_space(self.at(end - 1)) {
            end -= 1;
        }
        end
    }

    fn end_of_section(&self, from: usize) -> Option<usize> {
        self.text.get(from..)?.find("]]>").map(|at| from + at)
    }

    /// Reads up to the end tag of the open literal element.
    fn read_literal(&mut self, from: usize) -> Option<usize> {
        let (name, _) = self.literal?;
        let mut here = from;
        while let Some(open) = self.find(here, b'<') {
            here = open + 1;
            let behind = open + 2 + name.len();
            let matches = self.at(open + 1) == b'/'
                && self
                    .bytes
                    .get(open + 2..behind)
                    .is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()));
            let end = self.skip_space(behind);
            if matches && name != "plaintext" && self.at(end) == b'>' {
                self.add_text(from, open);
                self.literal = None;
                self.add_end(name);
                return Some(end + 1);
            }
        }
        None
    }

    fn markup(&mut self, open: usize) -> Attempt {
        match self.at(open + 1) {
            b'/' => self.end_tag(open),
            b'!' => self.declaration(open),
            b'?' => self.find(open + 2, b'>').map_or(Attempt::Cut, |end| Attempt::Read(end + 1)),
            byte if begins_name(byte) => self.start_tag(open),
            _ => Attempt::No,
        }
    }

    fn end_tag(&mut self, open: usize) -> Attempt {
        let first = open + 2;
        let mut end = first;
        while end < self.len() && !is_space(self.at(end)) && self.at(end) != b'>' {
            end += 1;
        }
        let Some(close) = self.skip_quoted(end) else { return Attempt::Cut };
        if end == first {
            self.add_comment(open, close + 1);
        } else {
            let name = self.text[first..end].to_owned();
            self.add_end(&name);
        }
        Attempt::Read(close + 1)
    }

    /// The next `>` outside of quotes.
    fn skip_quoted(&self, from: usize) -> Option<usize> {
        let mut quote = None;
        let mut before = b' ';
        for index in from..self.len() {
            let byte = self.at(index);
            match byte {
                b'>' if quote.is_none() => return Some(index),
                b'"' | b'\'' if quote == Some(byte) => quote = None,
                b'"' | b'\'' if quote.is_none() && matches!(before, b' ' | b'=') => quote = Some(byte),
                _ => {}
            }
            before = byte;
        }
        None
    }

    fn declaration(&mut self, open: usize) -> Attempt {
        let first = open + 2;
        if self.text[first..].starts_with("--") {
            return self.comment(open);
        }
        if self.at(first) == b'['
            && let Some(attempt) = self.marked_section(open)
        {
            return attempt;
        }
        if self.at(first).is_ascii_alphabetic()
            && let Some(attempt) = self.doctype(open)
        {
            return attempt;
        }
        let Some(close) = self.find(first, b'>') else { return Attempt::Cut };
        self.add_comment(open, close + 1);
        Attempt::Read(close + 1)
    }

    fn comment(&mut self, open: usize) -> Attempt {
        let mut here = open + 4;
        if self.lone_gt_ends_comment {
            let Some(close) = self.find(here, b'>') else { return Attempt::Cut };
            self.add_comment(open, close + 1);
            return Attempt::Read(close + 1);
        }
        while let Some(dash) = self.find(here, b'-') {
            let close = self.skip_space(dash + 2);
            if self.at(dash + 1) == b'-' && self.at(close) == b'>' {
                self.add_comment(open, close + 1);
                return Attempt::Read(close + 1);
            }
            here = dash + 1;
        }
        Attempt::Cut
    }

    /// `<![CDATA[`, `<![IGNORE[`: `None` when it is none.
    fn marked_section(&mut self, open: usize) -> Option<Attempt> {
        let mut here = self.skip_space(open + 3);
        let mut text_only = false;
        while self.at(here).is_ascii_alphabetic() {
            let begin = here;
            while self.at(here).is_ascii_alphanumeric() || matches!(self.at(here), b'-' | b'_' | b'.' | b':')
            {
                here += 1;
            }
            let name = self.text[begin..here].to_ascii_lowercase();
            text_only |= matches!(name.as_str(), "cdata" | "rcdata");
            here = self.skip_space(here);
            if here >= self.len() {
                return Some(Attempt::Cut);
            }
        }
        (self.at(here) == b'[').then(|| {
            self.sections.push(text_only);
            Attempt::Read(here + 1)
        })
    }

    /// `<!DOCTYPE ...>`: `None` when it is none.
    fn doctype(&mut self, open: usize) -> Option<Attempt> {
        let first = open + 2;
        let mut here = first;
        while self.at(here).is_ascii_alphanumeric() || matches!(self.at(here), b'-' | b'_' | b'.' | b':') {
            here += 1;
        }
        if here >= self.len() {
            return Some(Attempt::Cut);
        }
        let name = self.text[first..here].to_ascii_lowercase();
        if !matches!(name.as_str(), "doctype" | "entity") {
            return None;
        }
        loop {
            here = self.skip_space(here);
            match self.at(here) {
                _ if here >= self.len() => return Some(Attempt::Cut),
                b'>' => {
                    self.tokens.push(Token::Declaration(self.text[open..=here].to_owned()));
                    return Some(Attempt::Read(here + 1));
                }
                quote @ (b'"' | b'\'') => match self.find(here + 1, quote) {
                    Some(end) => here = end + 1,
                    None => return Some(Attempt::Cut),
                },
                b'-' => return None,
                _ => {
                    while here < self.len() && !is_space(self.at(here)) && self.at(here) != b'>' {
                        here += 1;
                    }
                }
            }
        }
    }

    fn start_tag(&mut self, open: usize) -> Attempt {
        let mut here = open + 2;
        while here < self.len() && !is_space(self.at(here)) && self.at(here) != b'>' {
            here += 1;
        }
        let name = self.text[open + 1..here].to_ascii_lowercase();
        here = self.skip_space(here);
        let mut attributes: Vec<(String, Decoded)> = Vec::new();
        while here < self.len() && self.at(here) != b'>' {
            let Some((attribute, value, end)) = self.attribute(here) else { return Attempt::Cut };
            if !attributes.iter().any(|(known, _)| *known == attribute) {
                attributes.push((attribute, value));
            }
            here = end;
        }
        if here >= self.len() {
            return Attempt::Cut;
        }
        self.literal = LITERAL.into_iter().find(|(literal, _)| *literal == name);
        self.tokens.push(Token::Start { name, attributes });
        Attempt::Read(here + 1)
    }

    /// Name, value, and where the next one begins; `None` when the text ends first.
    fn attribute(&self, begin: usize) -> Option<(String, Decoded, usize)> {
        let mut here = begin + 1;
        while !is_space(*self.bytes.get(here)?) && !matches!(self.at(here), b'>' | b'=') {
            here += 1;
        }
        // A character of several bytes is not cut.
        let name = self.text.get(begin..here)?.to_ascii_lowercase();
        here = self.skip_space(here);
        if *self.bytes.get(here)? != b'=' {
            let value = Decoded { text: name.clone(), wide: self.wide };
            return Some((name, value, here));
        }
        here = self.skip_space(here + 1);
        let (from, to, end) = match *self.bytes.get(here)? {
            b'>' => (here, here, here),
            quote @ (b'"' | b'\'') => {
                let close = self.find(here + 1, quote)?;
                (here + 1, close, close + 1)
            }
            _ => {
                let mut end = here;
                while !is_space(*self.bytes.get(end)?) && self.at(end) != b'>' {
                    end += 1;
                }
                (here, end, end)
            }
        };
        let value = entities::decode(self.text.get(from..to)?, self.wide, false);
        let end = self.skip_space(end);
        (end < self.len()).then_some((name, value, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn show(text: &str) -> String {
        let show = |token: &Token| match token {
            Token::Text(text) => format!("[{}]", text.text),
            Token::Start { name, attributes } => {
                let attributes: Vec<_> =
                    attributes.iter().map(|(name, value)| format!("{name}={}", value.text)).collect();
                format!("<{name} {}>", attributes.join(","))
            }
            Token::End { name } => format!("</{name}>"),
            Token::Comment(text) => format!("!{text}!"),
            Token::Declaration(text) => format!("D{text}"),
        };
        tokens(text, false).iter().map(show).collect::<Vec<_>>().join(" ")
    }

    /// What Perl's `HTML::Parser` 3.81 makes of the same.
    #[test]
    fn tags_as_the_original_takes_them() {
        assert_eq!(
            show("<script>a=\"</script>x\";</script>y"),
            "<script > [a=\"] </script> [x\";] </script> [y]"
        );
        assert_eq!(show("<1a>x"), "[<1a>x]");
        assert_eq!(show("x <b"), "[x ] !<b!");
        assert_eq!(show("<!-- a > b"), "!<!-- a >! [ b]");
        assert_eq!(show("<!-- a -- > b"), "!<!-- a -- >! [ b]");
        assert_eq!(show("<A B=\"c>d\" e>x"), "<a b=c>d,e=e> [x]");
        assert_eq!(show("<a b='x y>z"), "!<a b='x y>z!");
        assert_eq!(show("<title>x<b>y</title>z"), "<title > [x<b>y] </title> [z]");
        assert_eq!(show("</ x>y"), "!</ x>! [y]");
        assert_eq!(show("<![CDATA[x<b>y]]>z"), "[x<b>y] [z]");
        assert_eq!(show("<![if !x]>y<![endif]>"), "!<![if !x]>! [y] !<![endif]>!");
        assert_eq!(show("<?xml a>b"), "[b]");
        assert_eq!(show("abc def ghi"), "[abc def] [ ghi]");
        assert_eq!(show("<p a b=c b=d>"), "<p a=a,b=c>");
        assert_eq!(show("<plaintext>x<b>y"), "<plaintext > [x<b>y]");
        assert_eq!(show("<!doctype html \"a>b\">x"), "D<!doctype html \"a>b\"> [x]");
        assert_eq!(show("<img src=\"x\" / alt=y>"), "<img src=x,/=/,alt=y>");
    }

    proptest! {
        #[test]
        fn anything_is_read(text in "[<>/!a-c\\-\"'= &;#\\[\\]?\u{e9}]{0,60}") {
            tokens(&text, false);
        }
    }
}
