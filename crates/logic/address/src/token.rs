//! Lexical tokens of addresses and address headers (RFC 5322 §3.2).
//!
//! The scanner takes any text: what it does not understand becomes a token too, so that a header can be written
//! again with only its addresses changed.

use crate::list::blank_between;

/// A piece of an address or of an address header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Characters that need no quotes.
    Atom(String),
    /// Text that stood in quotes, or needs them; without quotes and backslashes.
    Quoted(String),
    /// A domain literal, without its brackets.
    Literal(String),
    /// A comment with its parentheses, as it stood.
    Comment(String),
    /// One character with a meaning: `@ . , ; : < > % ! |`, or a stray bracket.
    Operator(char),
    /// The colon that opens a named group.
    GroupStart,
    /// The tokens of one address.
    Address(Vec<Token>),
}

/// Characters that end an atom. `%`, `!` and `|` are atom characters for RFC 5322, but old routing gives them a meaning.
const OPERATORS: &str = "|%!()<>@,;:\\\".[]";

impl Token {
    /// Is this the operator `character`?
    pub fn is(&self, character: char) -> bool {
        matches!(self, Self::Operator(own) if *own == character)
    }

    /// Is this a word: something a local part or domain is made of?
    pub fn is_word(&self) -> bool {
        matches!(self, Self::Atom(_) | Self::Quoted(_) | Self::Literal(_))
    }

    /// Appends the token as it stands in a header.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Atom(text) | Self::Comment(text) => out.push_str(text),
            Self::Quoted(text) => write_between(out, '"', text, '"', "\"\\\r\n"),
            Self::Literal(text) => write_between(out, '[', text, ']', "]\\\r\n"),
            Self::Operator(character) => out.push(*character),
            Self::GroupStart => out.push(':'),
            Self::Address(tokens) => tokens.iter().for_each(|token| token.write(out)),
        }
    }

    fn write_internal(&self, out: &mut String) {
        match self {
            Self::Quoted(text) => out.push_str(text),
            Self::Address(tokens) => tokens.iter().for_each(|token| token.write_internal(out)),
            other => other.write(out),
        }
    }
}

fn write_between(out: &mut String, open: char, text: &str, close: char, escaped: &str) {
    out.push(open);
    for character in text.chars() {
        if escaped.contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out.push(close);
}

/// The address that `tokens` make, in internal form.
pub fn internal_text(tokens: &[Token]) -> String {
    join(tokens, Token::write_internal)
}

/// `tokens` as they stand in a header or in an alias file, with quotes, and blanks where they are needed.
pub fn external_text(tokens: &[Token]) -> String {
    join(tokens, Token::write)
}

fn join(tokens: &[Token], write: fn(&Token, &mut String)) -> String {
    let mut text = String::new();
    for (at, token) in tokens.iter().enumerate() {
        write(token, &mut text);
        if tokens.get(at + 1).is_some_and(|next| blank_between(token, next)) {
            text.push(' ');
        }
    }
    text
}

/// Cuts `text` into at most `limit` tokens; what lies behind is dropped.
pub fn scan(text: &str, limit: usize) -> Vec<Token> {
    let mut scanner = Scanner { rest: text };
    std::iter::from_fn(|| scanner.next_token()).take(limit).collect()
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn next_token(&mut self) -> Option<Token> {
        self.rest = self.rest.trim_start_matches(is_blank);
        let first = self.rest.chars().next()?;
        Some(match first {
            '(' => self.comment(),
            '[' => Token::Literal(self.delimited(|character| character == ']')),
            '"' => Token::Quoted(self.delimited(|character| character == '"')),
            '\\' => self.atom(),
            operator if OPERATORS.contains(operator) => {
                self.rest = &self.rest[1..];
                Token::Operator(operator)
            }
            _ => self.atom(),
        })
    }

    /// Text up to the closing character, which is eaten; a missing one ends with the text.
    fn delimited(&mut self, closes: impl Fn(char) -> bool) -> String {
        self.rest = &self.rest[1..];
        let text = self.collect(closes);
        self.rest = self.rest.get(1..).unwrap_or("");
        text
    }

    fn atom(&mut self) -> Token {
        let text = self.collect(|character| is_blank(character) || OPERATORS.contains(character));
        let plain = |character: char| {
            !character.is_ascii_control() && character != ' ' && !OPERATORS.contains(character)
        };
        if text.chars().all(plain) { Token::Atom(text) } else { Token::Quoted(text) }
    }

    /// Characters up to one for which `ends` holds, without the backslashes; white space counts as a blank.
    fn collect(&mut self, ends: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        let mut characters = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((at, character)) = characters.next() {
            let kept = match character {
                // With nothing behind it, the backslash means nothing.
                '\\' => match characters.next() {
                    Some((_, next)) => next,
                    None => break,
                },
                other if ends(other) => {
                    end = at;
                    break;
                }
                other => other,
            };
            text.push(if is_blank(kept) { ' ' } else { kept });
        }
        self.rest = &self.rest[end..];
        text
    }

    fn comment(&mut self) -> Token {
        let (mut depth, mut escaped) = (0_usize, false);
        let mut end = self.rest.len();
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                end = at + 1;
                break;
            }
        }
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Token::Comment(text.replace('\n', " "))
    }
}

fn is_blank(character: char) -> bool {
    character.is_ascii_whitespace() || character == '\x0b'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn atom(text: &str) -> Token {
        Token::Atom(text.into())
    }

    #[test]
    fn words_comments_and_operators_are_told_apart() {
        let tokens = scan("\"q s\" (c (n)) <a.b@[::1]>", 100);
        let expected = vec![
            Token::Quoted("q s".into()),
            Token::Comment("(c (n))".into()),
            Token::Operator('<'),
            atom("a"),
            Token::Operator('.'),
            atom("b"),
            Token::Operator('@'),
            Token::Literal("::1".into()),
            Token::Operator('>'),
        ];
        assert_eq!(tokens, expected);
    }

    #[test]
    fn an_escaped_blank_makes_a_word_that_needs_quotes() {
        assert_eq!(scan("a\\ b", 100), [Token::Quoted("a b".into())]);
    }

    #[test]
    fn what_is_never_closed_ends_with_the_text() {
        assert_eq!(scan("\"ab", 100), [Token::Quoted("ab".into())]);
        assert_eq!(scan("[ab", 100), [Token::Literal("ab".into())]);
        assert_eq!(scan("(a(b)", 100), [Token::Comment("(a(b)".into())]);
        assert_eq!(scan("a\\", 100), [atom("a")]);
    }

    proptest! {
        #[test]
        fn any_text_is_scanned(text in "\\PC{0,60}", limit in 0_usize..20) {
            prop_assert!(scan(&text, limit).len() <= limit);
        }

        #[test]
        fn an_address_without_comments_keeps_its_internal_form(local in "[a-z \"@.,]{1,12}", domain in "[a-z]{1,5}(\\.[a-z]{1,3})?") {
            let internal = format!("{local}@{domain}");
            prop_assert_eq!(internal_text(&scan(&crate::quote(&internal), 100)), internal);
        }
    }
}
