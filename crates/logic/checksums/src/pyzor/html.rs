//! The text of HTML as Python's `html.parser` gives it to Pyzor: without tags, scripts and styles, and up to the first thing
//! that does not end.

use super::characters::is_blank;
use super::entities;

/// Characters of a name behind `&`.
const NAME_LIMIT: usize = 32;

/// The pieces of text between tags, with blanks between them; `None` for what that parser gives up on.
pub(super) fn text(source: &str) -> Option<String> {
    let mut parser = Parser { source, at: 0, hidden_by: None, collects: true, pieces: Vec::new() };
    while parser.at < source.len() {
        if !parser.step().ok()? {
            break;
        }
    }
    Some(parser.pieces.join(" "))
}

/// The original ends with an error here.
struct GivenUp;

struct Parser<'a> {
    source: &'a str,
    at: usize,
    /// The element whose text runs to its end tag: `script`, `style`.
    hidden_by: Option<&'static str>,
    collects: bool,
    pieces: Vec<String>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn find(&self, text: &str, from: usize) -> Option<usize> {
        self.source.get(from..)?.find(text).map(|at| from + at)
    }

    fn data(&mut self, text: &str) {
        let text = text.trim_matches(is_blank);
        if self.collects && !text.is_empty() {
            self.pieces.push(text.to_owned());
        }
    }

    /// Takes the text up to the next tag, and the tag; false where it ends.
    fn step(&mut self) -> Result<bool, GivenUp> {
        let Some(tag) = self.next_tag() else { return Ok(false) };
        let text = &self.source[self.at..tag];
        if !text.is_empty() {
            if self.hidden_by.is_none() { self.data(&unescaped(text)) } else { self.data(text) }
        }
        self.at = tag;
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(false);
        }
        let end = match rest.as_bytes() {
            [b'<', letter, ..] if letter.is_ascii_alphabetic() => self.start_tag(),
            [b'<', b'/', ..] => self.end_tag(),
            [b'<', b'!', b'-', b'-', ..] => self.comment(),
            [b'<', b'?', ..] => self.find(">", tag + 2).map(|at| at + 1),
            [b'<', b'!', ..] => self.declaration()?,
            [_, _, ..] => {
                self.data("<");
                Some(tag + 1)
            }
            _ => None,
        };
        self.at = end.unwrap_or(self.at);
        Ok(end.is_some())
    }

    /// Where the next tag begins, or the end; `None` where the rest is not looked at.
    fn next_tag(&self) -> Option<usize> {
        if let Some(element) = self.hidden_by {
            return self.closing(element);
        }
        if let Some(tag) = self.find("<", self.at) {
            return Some(tag);
        }
        // An entity that may be cut off at the end is waited for, in vain.
        let tail = self.rest().char_indices().rev().take(34).last().map_or(0, |(at, _)| at);
        let entity = self.rest()[tail..].rfind('&').map(|at| &self.rest()[tail + at..]);
        let is_cut =
            entity.is_some_and(|text| !text.contains(|character| character == ';' || is_blank(character)));
        (!is_cut).then_some(self.source.len())
    }

    /// Where the element's end tag is.
    fn closing(&self, element: &str) -> Option<usize> {
        let mut from = self.at;
        while let Some(tag) = self.find("</", from) {
            let name = self.source[tag + 2..].trim_start_matches(is_blank);
            let behind =
                name.get(element.len()..).filter(|_| name[..element.len()].eq_ignore_ascii_case(element));
            if behind.is_some_and(|behind| behind.trim_start_matches(is_blank).starts_with('>')) {
                return Some(tag);
            }
            from = tag + 2;
        }
        None
    }

    fn start_tag(&mut self) -> Option<usize> {
        let begin = self.at;
        let end = self.end_of_start_tag()?;
        let name_end = self.name_end(begin + 1);
        let name = self.source[begin + 1..name_end].to_lowercase();
        let mut at = self.separators(name_end);
        while at < end {
            let Some(behind) = self.attribute(at) else { break };
            at = behind;
        }
        let closing = self.source.get(at..end).unwrap_or_default().trim_matches(is_blank);
        if closing != ">" && closing != "/>" {
            self.data(&self.source[begin..end]);
            return Some(end);
        }
        let hiding = ["script", "style"].into_iter().find(|element| *element == name);
        if hiding.is_some() {
            self.collects = closing == "/>";
            self.hidden_by = hiding.filter(|_| closing == ">").or(self.hidden_by);
        }
        Some(end)
    }

    /// `None` where the tag does not end.
    fn end_of_start_tag(&self) -> Option<usize> {
        let begin = self.at;
        let mut at = self.name_end(begin + 1);
        at = self.skip(at, |character| is_blank(character) || character == '/');
        while let Some(behind) = self.attribute(at) {
            at = behind;
        }
        at = self.skip(at, is_blank);
        match self.source[at..].chars().next() {
            Some('>') => Some(at + 1),
            Some('/') => self.source[at..].starts_with("/>").then_some(at + 2),
            None => None,
            Some(letter) if letter.is_ascii_alphabetic() || letter == '=' => None,
            Some(_) => Some(at),
        }
    }

    fn name_end(&self, at: usize) -> usize {
        self.skip(at, |character| !matches!(character, '\t' | '\n' | '\r' | '\u{c}' | ' ' | '/' | '>' | '\0'))
    }

    fn skip(&self, at: usize, passes: impl Fn(char) -> bool) -> usize {
        self.source[at..].find(|character| !passes(character)).map_or(self.source.len(), |end| at + end)
    }

    /// Blanks, and slashes but for the last one of a tag.
    fn separators(&self, mut at: usize) -> usize {
        loop {
            let rest = &self.source[at..];
            match rest.chars().next() {
                Some(blank) if is_blank(blank) => at += blank.len_utf8(),
                Some('/') if !rest.starts_with("/>") => at += 1,
                _ => return at,
            }
        }
    }

    /// Behind the attribute that stands there, with its value and what separates it from the next.
    fn attribute(&self, at: usize) -> Option<usize> {
        let before = self.source[..at].chars().next_back()?;
        let first = self.source[at..].chars().next()?;
        let may_begin = is_blank(before) || matches!(before, '\'' | '"' | '/');
        if !may_begin || is_blank(first) || matches!(first, '/' | '>') {
            return None;
        }
        let begun = at + first.len_utf8();
        let name_end =
            self.skip(begun, |character| !is_blank(character) && !matches!(character, '/' | '=' | '>'));
        Some(self.separators(self.value(name_end).unwrap_or(name_end)))
    }

    /// Behind the `=` and the value.
    fn value(&self, at: usize) -> Option<usize> {
        let sign = self.skip(at, is_blank);
        let signs_end = self.skip(sign, |character| character == '=');
        if signs_end == sign {
            return None;
        }
        let begin = self.skip(signs_end, is_blank);
        let bare = |from: usize| self.skip(from, |character| character != '>' && !is_blank(character));
        let quote = self.source[begin..].chars().next().filter(|first| matches!(first, '\'' | '"'));
        let Some(quote) = quote else { return Some(bare(begin)) };
        match self.source[begin + 1..].find(quote) {
            Some(end) => Some(begin + 1 + end + 1),
            // A quote that does not end begins no value: the value is empty, or begins with the last of several signs.
            None if begin > signs_end => Some(begin),
            None if signs_end - sign > 1 => Some(bare(signs_end - 1)),
            None => None,
        }
    }

    fn end_tag(&mut self) -> Option<usize> {
        let end = self.find(">", self.at + 1)? + 1;
        let inner = self.source[self.at + 2..end - 1].trim_matches(is_blank);
        let is_name = inner.starts_with(|first: char| first.is_ascii_alphabetic())
            && inner
                .chars()
                .all(|next| next.is_ascii_alphanumeric() || matches!(next, '-' | '.' | ':' | '_'));
        if let Some(element) = self.hidden_by {
            if !is_name || !inner.eq_ignore_ascii_case(element) {
                self.data(&self.source[self.at..end]);
                return Some(end);
            }
            self.hidden_by = None;
        }
        let begun = self.at + 2;
        let named = self.source[begun..].starts_with(|first: char| first.is_ascii_alphabetic());
        if is_name || named {
            let name = if is_name { inner } else { &self.source[begun..self.name_end(begun)] };
            self.collects |= name.eq_ignore_ascii_case("script") || name.eq_ignore_ascii_case("style");
        }
        Some(end)
    }

    fn comment(&self) -> Option<usize> {
        let mut from = self.at + 4;
        loop {
            let dashes = self.find("--", from)?;
            let behind = self.skip(dashes + 2, is_blank);
            if self.source[behind..].starts_with('>') {
                return Some(behind + 1);
            }
            from = dashes + 1;
        }
    }

    fn declaration(&self) -> Result<Option<usize>, GivenUp> {
        if self.rest().starts_with("<![") {
            return self.section();
        }
        let is_document_type =
            self.rest().get(..9).is_some_and(|begin| begin.eq_ignore_ascii_case("<!doctype"));
        let from = self.at + if is_document_type { 9 } else { 2 };
        Ok(self.find(">", from).map(|at| at + 1))
    }

    /// `<![CDATA[...]]>`, `<![if ...]>`
    fn section(&self) -> Result<Option<usize>, GivenUp> {
        let begin = self.at + 3;
        let rest = &self.source[begin..];
        if rest.is_empty() {
            return Ok(None);
        }
        if !rest.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Err(GivenUp);
        }
        let end = self.skip(begin, |next| next.is_ascii_alphanumeric() || matches!(next, '-' | '_' | '.'));
        if self.skip(end, is_blank) == self.source.len() {
            return Ok(None);
        }
        let brackets = match self.source[begin..end].to_ascii_lowercase().as_str() {
            "temp" | "cdata" | "ignore" | "include" | "rcdata" => 2,
            "if" | "else" | "endif" => 1,
            _ => return Err(GivenUp),
        };
        Ok(self.section_end(begin, brackets))
    }

    /// So many brackets and a `>`, with blanks between them.
    fn section_end(&self, begin: usize, brackets: usize) -> Option<usize> {
        let mut from = begin;
        loop {
            let bracket = self.find("]", from)?;
            let mut at = bracket;
            let mut closed = 0;
            while closed < brackets && self.source[at..].starts_with(']') {
                at = self.skip(at + 1, is_blank);
                closed += 1;
            }
            if closed == brackets && self.source[at..].starts_with('>') {
                return Some(at + 1);
            }
            from = bracket + 1;
        }
    }
}

/// Characters for their names and numbers (HTML5 §13.2.5.72).
fn unescaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        shown.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('#') {
            Some(number) => {
                rest = numbered(number, &mut shown).unwrap_or_else(|| {
                    shown.push('&');
                    rest
                })
            }
            None => rest = by_name(rest, &mut shown),
        }
    }
    shown.push_str(rest);
    shown
}

/// What is behind the number.
fn numbered<'t>(text: &'t str, shown: &mut String) -> Option<&'t str> {
    let (radix, digits) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (16, digits),
        None => (10, text),
    };
    let end = digits.find(|next: char| !next.is_digit(radix)).unwrap_or(digits.len());
    if end == 0 {
        return None;
    }
    // What is too long for a number is too high for a character.
    let number = u32::from_str_radix(digits[..end].trim_start_matches('0'), radix);
    let number =
        if digits[..end].bytes().all(|digit| digit == b'0') { 0 } else { number.unwrap_or(u32::MAX) };
    shown.extend(character(number));
    let rest = &digits[end..];
    Some(rest.strip_prefix(';').unwrap_or(rest))
}

/// The character of a number: those that were never meant are those of windows-1252, or none.
fn character(number: u32) -> Option<char> {
    match number {
        0 => Some('\u{fffd}'),
        0x0d => Some('\r'),
        0x80..=0x9f => {
            let byte = [u8::try_from(number).unwrap_or_default()];
            encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte).0.chars().next()
        }
        1..=8 | 0x0b | 0x0e..=0x1f | 0x7f | 0xfdd0..=0xfdef => None,
        _ if number <= 0x10_ffff && number & 0xfffe == 0xfffe => None,
        _ => Some(char::from_u32(number).unwrap_or('\u{fffd}')),
    }
}

/// What is behind the name; the longest that is known counts.
fn by_name<'t>(text: &'t str, shown: &mut String) -> &'t str {
    let ends =
        |(_, next): &(usize, char)| matches!(next, '\t' | '\n' | '\u{c}' | ' ' | '<' | '&' | '#' | ';');
    let length = text.char_indices().find(ends).map_or(text.len(), |(at, _)| at);
    let end = text[..length].char_indices().nth(NAME_LIMIT).map_or(length, |(at, _)| at);
    let whole = if text[end..].starts_with(';') && end > 0 { end + 1 } else { end };
    let name = &text[..whole];
    if let Some(found) = entities::named(name) {
        shown.push_str(found);
        return &text[whole..];
    }
    let starts = name.char_indices().map(|(at, _)| at).skip(2).collect::<Vec<_>>();
    for at in starts.into_iter().rev() {
        if let Some(found) = entities::named(&name[..at]) {
            shown.push_str(found);
            shown.push_str(&name[at..]);
            return &text[whole..];
        }
    }
    shown.push('&');
    shown.push_str(name);
    &text[whole..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str) -> String {
        text(source).unwrap_or_else(|| "given up".to_owned())
    }

    #[test]
    fn tags_scripts_and_comments_go() {
        assert_eq!(
            of("<p class=\"a>b\">one<br/>two<!-- x -- > three <style>p{}</style>four"),
            "one two three four"
        );
        assert_eq!(of("a<script>if (a<b) '</x>'</SCRIPT >b<script/>c"), "a b c");
        assert_eq!(
            of("a < b &lt;&eacute&copy1;&#8364;&#x80;&zothing;"),
            "a < b <\u{e9}\u{a9}1;\u{20ac}\u{20ac}&zothing;"
        );
    }

    #[test]
    fn what_does_not_end_ends_the_text() {
        assert_eq!(of("one <p two"), "one");
        assert_eq!(of("one <!-- two"), "one");
        assert_eq!(of("one <script>two"), "one");
        assert_eq!(of("one &am"), "");
        assert_eq!(of("one<![endif]>two<![CDATA[x]] >three"), "one two three");
        assert_eq!(of("<![nonsense]>"), "given up");
        assert_eq!(of("<a b='c' d=\"e>x</a>"), "");
        assert_eq!(of("<a\0>x"), "<a \0>x");
    }
}
