//! The address in MAIL and RCPT: from what a client wrote to `local@domain` without quotes.
//!
//! RFC 5321 §4.1.2 is strict; clients are not, and Postfix takes names, comments and groups around an address
//! unless `strict_rfc821_envelopes` forbids them. So does this.

/// Why an argument is not one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotOneAddress;

/// Takes the address out of `text`, as the client wrote it, and gives its internal form: no quotes, no
/// comments, no source route (RFC 5321 Appendix C: it is ignored). The empty string is the null address.
pub(crate) fn extract(text: &str, strict: bool) -> Result<String, NotOneAddress> {
    let bracketed = text.len() >= 2 && text.starts_with('<') && text.ends_with('>');
    let inner = if bracketed { &text[1..text.len() - 1] } else { text };
    let found = Parse::new(without_route(inner)).run();
    if found.addresses.len() > 1 || (strict && (found.others > 0 || !text.starts_with('<'))) {
        return Err(NotOneAddress);
    }
    let address = found.addresses.into_iter().next().unwrap_or_default();
    if strict && address.starts_with('@') { Err(NotOneAddress) } else { Ok(address) }
}

/// `@a,@b:user@domain` is `user@domain`.
fn without_route(text: &str) -> &str {
    match text.split_once(':') {
        Some((route, rest)) if route.starts_with('@') => rest,
        _ => text,
    }
}

enum Lexeme {
    /// A piece of an address: its text without quotes.
    Word(String),
    /// `.`, `@` or `:`, which tie the words on both sides together.
    Tie(char),
    /// `<`, `>`, `,`, `;`
    Mark(char),
    Comment,
}

#[derive(Default)]
struct Found {
    addresses: Vec<String>,
    /// Words and comments that are no part of an address.
    others: usize,
}

struct Parse<'a> {
    text: &'a str,
    found: Found,
    current: Option<String>,
    tied: bool,
    in_group: bool,
}

impl<'a> Parse<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, found: Found::default(), current: None, tied: false, in_group: false }
    }

    fn run(mut self) -> Found {
        while let Some(lexeme) = self.next_lexeme() {
            match lexeme {
                Lexeme::Word(word) => self.word(&word),
                Lexeme::Tie(':') if self.text.contains(';') => self.start_group(),
                Lexeme::Tie(tie) => self.tie(tie),
                Lexeme::Mark(mark) => self.mark(mark),
                Lexeme::Comment => self.found.others += 1,
            }
        }
        self.finish();
        self.found
    }

    fn word(&mut self, word: &str) {
        if !self.tied {
            self.finish();
        }
        self.current.get_or_insert_default().push_str(word);
        self.tied = false;
    }

    fn tie(&mut self, tie: char) {
        self.current.get_or_insert_default().push(tie);
        self.tied = true;
    }

    /// `name: a@b, c@d;` What stood before the colon was the name.
    fn start_group(&mut self) {
        self.drop_phrase();
        self.in_group = true;
    }

    fn mark(&mut self, mark: char) {
        match mark {
            '<' => {
                self.drop_phrase();
                self.text = without_route(self.text);
            }
            ';' if self.in_group => {
                self.finish();
                self.found.others += 1;
            }
            _ => self.finish(),
        }
    }

    /// What stood before `<` was a name, not an address.
    fn drop_phrase(&mut self) {
        if self.current.take().is_some() {
            self.found.others += 1;
        }
        self.tied = false;
    }

    fn finish(&mut self) {
        self.found.addresses.extend(self.current.take());
        self.tied = false;
    }

    fn next_lexeme(&mut self) -> Option<Lexeme> {
        self.text = self.text.trim_start_matches([' ', '\t', '\r', '\n']);
        let first = self.text.chars().next()?;
        Some(match first {
            '(' => {
                self.skip_comment();
                Lexeme::Comment
            }
            '"' => Lexeme::Word(self.quoted('"').0),
            '[' => {
                let (text, _) = self.quoted(']');
                Lexeme::Word(format!("[{text}]"))
            }
            '.' | '@' | ':' => self.single(Lexeme::Tie(first)),
            '<' | '>' | ',' | ';' => self.single(Lexeme::Mark(first)),
            _ => Lexeme::Word(self.atom()),
        })
    }

    fn single(&mut self, lexeme: Lexeme) -> Lexeme {
        self.text = &self.text[1..];
        lexeme
    }

    fn atom(&mut self) -> String {
        let mut word = String::new();
        let mut letters = self.text.char_indices();
        let end = loop {
            match letters.next() {
                Some((_, '\\')) => word.extend(letters.next().map(|(_, letter)| letter)),
                Some((at, letter)) if ends_atom(letter) => break at,
                Some((_, letter)) => word.push(letter),
                None => break self.text.len(),
            }
        };
        self.text = &self.text[end..];
        word
    }

    /// The text up to `last`, or up to the end where that is missing.
    fn quoted(&mut self, last: char) -> (String, bool) {
        let mut word = String::new();
        let mut letters = self.text.char_indices().skip(1);
        let (end, closed) = loop {
            match letters.next() {
                Some((_, '\\')) => word.extend(letters.next().map(|(_, letter)| letter)),
                Some((at, letter)) if letter == last => break (at + 1, true),
                Some((_, letter)) => word.push(letter),
                None => break (self.text.len(), false),
            }
        };
        self.text = &self.text[end..];
        (word, closed)
    }

    /// RFC 5322 §3.2.2: comments nest. A counter does, so depth costs nothing.
    fn skip_comment(&mut self) {
        let mut depth = 0usize;
        let mut letters = self.text.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => drop(letters.next()),
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.text = &self.text[at + 1..];
                return;
            }
        }
        self.text = "";
    }
}

fn ends_atom(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n' | '(' | '"' | '[' | '.' | '@' | ':' | '<' | '>' | ',' | ';')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client writes, and the address Postfix 3.7.11 takes out of it (`None`: refused).
    const CASES: &[(&str, Option<&str>, bool)] = &[
        ("<a@b.example>", Some("a@b.example"), true),
        ("a@b.example", Some("a@b.example"), false),
        ("<<a@b.example>>", Some("a@b.example"), true),
        ("<a@b.example>>", Some("a@b.example"), true),
        ("a@b.example>", Some("a@b.example"), false),
        ("<a b@c.example>", None, false),
        ("\"a b\"@c.example", Some("a b@c.example"), false),
        ("<\"a b\"@c.example>", Some("a b@c.example"), true),
        ("<a\"b\"c@d.example>", None, false),
        ("<@h1,@h2:a@b.example>", Some("a@b.example"), true),
        ("@h1,@h2:a@b.example", Some("a@b.example"), false),
        ("<a(comment)@b.example>", Some("a@b.example"), false),
        ("(comment)<a@b.example>", Some("a@b.example"), false),
        ("Foo<@h1,@h2:a@b>", Some("a@b"), false),
        ("Foo<a@b.example>", Some("a@b.example"), false),
        ("\"Foo\"<a@b.example>", Some("a@b.example"), false),
        ("<a@b.example>x", None, false),
        ("<a@b.example>,<c@d.example>", None, false),
        ("<a;b@c.example>", None, false),
        ("<a:b@c.example>", Some("a:b@c.example"), true),
        ("<a:b@c.example;>", Some("b@c.example"), false),
        ("group:a@b.example;", Some("a@b.example"), false),
        ("<a\\b@c.example>", Some("ab@c.example"), true),
        ("<a\\ b@c.example>", Some("a b@c.example"), true),
        ("<a\\@b@c.example>", Some("a@b@c.example"), true),
        ("<\"a\\\"b\"@c.example>", Some("a\"b@c.example"), true),
        ("<\"\">", Some(""), true),
        ("<\"\"@c.example>", Some("@c.example"), false),
        ("< a@b.example >", Some("a@b.example"), true),
        ("<a @ b.example>", Some("a@b.example"), true),
        ("<a@@b.example>", Some("a@@b.example"), true),
        ("<a..b@c.example>", Some("a..b@c.example"), true),
        ("<a@[IPv6:::1]>", Some("a@[IPv6:::1]"), true),
        ("<a@[1.2.3.4>", Some("a@[1.2.3.4]"), true),
        ("<a@[1.2.3.4]x>", None, false),
        ("<a]b@c.example>", Some("a]b@c.example"), true),
        ("<a[b@c.example>", None, false),
        ("<a,b@c.example>", None, false),
        ("<.>", Some("."), true),
        ("<@b.example>", Some("@b.example"), false),
        ("<>", Some(""), true),
        ("\"\"", Some(""), false),
        (":<a@b>", Some("a@b"), false),
        ("<((a)b)c@d.example>", Some("c@d.example"), false),
        ("<(a@b.example>", Some(""), false),
        ("<a)@b.example>", Some("a)@b.example"), true),
        ("<a(x)b@c.example>", None, false),
        ("<a@\"b\".example>", Some("a@b.example"), true),
        ("<a.\"b c\".d@e.example>", Some("a.b c.d@e.example"), true),
    ];

    #[test]
    fn addresses_come_out_as_postfix_reads_them() {
        for (text, address, strict_too) in CASES {
            let expected = address.map(str::to_owned).ok_or(NotOneAddress);
            assert_eq!(extract(text, false), expected, "{text}");
            assert_eq!(extract(text, true).is_ok(), *strict_too, "strict {text}");
        }
    }

    #[test]
    fn a_hundred_thousand_parentheses_are_one_comment() {
        assert_eq!(extract(&"(".repeat(100_000), false), Ok(String::new()));
    }
}
