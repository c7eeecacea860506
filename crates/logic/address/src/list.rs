//! The value of an address header: addresses between names, comments, groups and commas (RFC 5322 §3.4).

use crate::token::{Token, internal_text, scan};

/// So much text beside the address, in bytes, is written at most. An old sendmail overran its buffer at 256
/// (CERT CA-2003-07); like a fixed one, we leave only the address then.
const COMMENT_LIMIT_BYTES: usize = 250;

/// An address header's value, in which the addresses can be changed while all else stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressList {
    tokens: Vec<Token>,
}

impl AddressList {
    /// Reads `value`, the text behind the colon; line breaks in it count as blanks. Nothing is refused: words that
    /// stand side by side become addresses of their own, comments inside an address move behind it. Text behind
    /// the first `token_limit` tokens is dropped (`header_address_token_limit`).
    pub fn parse(value: &str, token_limit: usize) -> Self {
        Self { tokens: Grouping::new(scan(value, token_limit)).run() }
    }

    /// The tokens of each address, for whoever rewrites them.
    pub fn addresses_mut(&mut self) -> impl Iterator<Item = &mut Vec<Token>> {
        self.tokens.iter_mut().filter_map(|token| match token {
            Token::Address(tokens) => Some(tokens),
            _ => None,
        })
    }

    /// Each address in internal form.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Address(tokens) => Some(internal_text(tokens)),
            _ => None,
        })
    }

    /// Is there anything but addresses and comments: names, angle brackets, commas?
    pub fn is_single_bare_address(&self) -> bool {
        matches!(self.tokens.as_slice(), [Token::Address(_)])
    }

    /// All tokens, for parsers of a single address.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The value as text, with a line break instead of a blank behind each comma: the caller folds it.
    pub fn to_lines(&self) -> String {
        let mut writer = Writer::default();
        for (at, token) in self.tokens.iter().enumerate() {
            writer.write(token, self.tokens.get(at + 1));
        }
        writer.shorten();
        writer.text
    }
}

/// Groups a flat row of tokens into addresses. It goes from right to left: whether words are a name or an address
/// is seen only at the `<` behind them.
struct Grouping {
    input: Vec<Token>,
    /// The result, last token first.
    reversed: Vec<Token>,
    /// Tokens of the address being gathered, last first. Comments between them have gone to `reversed`: behind it.
    address: Vec<Token>,
    /// The last token was a word: another one to its left is not part of the same address.
    after_word: bool,
    /// A `;` was seen: a colon opens a group.
    in_group: bool,
}

impl Grouping {
    fn new(input: Vec<Token>) -> Self {
        let reversed = Vec::with_capacity(input.len() + 4);
        Self { input, reversed, address: Vec::new(), after_word: false, in_group: false }
    }

    fn run(mut self) -> Vec<Token> {
        while let Some(token) = self.input.pop() {
            match token {
                Token::Operator(';') => self.group_end(),
                Token::Operator(':') if self.in_group => self.group_start(),
                Token::Operator('>') => self.angle_address(),
                Token::Operator(',') => self.comma(),
                comment @ Token::Comment(_) => self.reversed.push(comment),
                word if word.is_word() => self.word(word),
                operator => self.operator(operator),
            }
        }
        self.close();
        self.reversed.reverse();
        self.reversed
    }

    /// Ends the address being gathered, if there is one.
    fn close(&mut self) -> bool {
        if self.address.is_empty() {
            return false;
        }
        self.address.reverse();
        self.reversed.push(Token::Address(std::mem::take(&mut self.address)));
        true
    }

    /// As `close`, and adds the comma that is missing in front of the address.
    fn close_with_comma(&mut self) {
        if self.close() {
            self.reversed.push(Token::Operator(','));
        }
    }

    fn word(&mut self, word: Token) {
        if self.after_word {
            self.close_with_comma();
        }
        self.address.push(word);
        self.after_word = true;
    }

    fn operator(&mut self, operator: Token) {
        self.address.push(operator);
        self.after_word = false;
    }

    fn comma(&mut self) {
        self.close();
        self.reversed.push(Token::Operator(','));
        self.after_word = false;
    }

    fn group_end(&mut self) {
        self.close_with_comma();
        self.reversed.push(Token::Operator(';'));
        self.in_group = true;
    }

    fn group_start(&mut self) {
        self.close();
        self.reversed.push(Token::GroupStart);
        self.keep_until(|token| token.is(','));
    }

    /// `name <address>`, begun at the `>`.
    fn angle_address(&mut self) {
        self.close_with_comma();
        self.reversed.push(Token::Operator('>'));
        let mut opened = false;
        while let Some(token) = self.input.pop() {
            opened = token.is('<');
            match token {
                Token::Operator('<') => break,
                comment @ Token::Comment(_) => self.reversed.push(comment),
                other => self.address.push(other),
            }
        }
        self.close();
        if opened {
            self.reversed.push(Token::Operator('<'));
        }
        self.keep_until(|token| [',', ';', ':', '>'].iter().any(|end| token.is(*end)));
        self.keep_stray_colon();
        self.after_word = false;
    }

    /// A colon that ends a name without being a group's ties nothing: `Re: joe <a@b>` is two addresses, `:<a@b>` one.
    fn keep_stray_colon(&mut self) {
        if !self.in_group {
            self.reversed.extend(self.input.pop_if(|token| token.is(':')));
        }
    }

    /// The words of a name stay as they are.
    fn keep_until(&mut self, ends: impl Fn(&Token) -> bool) {
        while let Some(token) = self.input.pop_if(|token| !ends(token)) {
            self.reversed.push(token);
        }
    }
}

/// Writes tokens, and keeps each entry's text beside the address within [`COMMENT_LIMIT_BYTES`].
#[derive(Default)]
struct Writer<'a> {
    text: String,
    /// Where the entry begins.
    entry: usize,
    /// The last address of the entry.
    address: Option<&'a Token>,
    /// Bytes of addresses in the entry.
    address_length: usize,
}

impl<'a> Writer<'a> {
    fn write(&mut self, token: &'a Token, next: Option<&Token>) {
        let begin = self.text.len();
        match token {
            Token::Operator(',') => {
                self.shorten();
                self.text.push_str(",\n");
                self.begin_entry();
                return;
            }
            Token::Operator(';') => {
                self.shorten();
                self.text.push(';');
                self.begin_entry();
            }
            Token::GroupStart => {
                self.text.push(':');
                self.begin_entry();
            }
            Token::Address(_) => {
                token.write(&mut self.text);
                self.address = Some(token);
                self.address_length += self.text.len() - begin;
            }
            other => other.write(&mut self.text),
        }
        if next.is_some_and(|next| blank_between(token, next)) {
            self.text.push(' ');
        }
    }

    fn begin_entry(&mut self) {
        self.entry = self.text.len();
        self.address = None;
        self.address_length = 0;
    }

    fn shorten(&mut self) {
        let Some(address) = self.address else { return };
        if self.text.len() - self.entry <= COMMENT_LIMIT_BYTES + self.address_length {
            return;
        }
        self.text.truncate(self.entry);
        self.text.push('<');
        address.write(&mut self.text);
        self.text.push('>');
    }
}

/// Must a blank stand between these two?
pub(crate) fn blank_between(token: &Token, next: &Token) -> bool {
    let solid = |token: &Token| !matches!(token, Token::Operator(_) | Token::GroupStart);
    token.is(',') || *token == Token::GroupStart || next.is('<') || (solid(token) && solid(next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As a header reads after each address without a domain got one.
    fn completed(value: &str) -> String {
        let mut list = AddressList::parse(value, 10_000);
        for address in list.addresses_mut() {
            if !address.iter().any(|token| token.is('@')) {
                address.extend(scan("@h", 10));
            }
        }
        list.to_lines().replace('\n', " ")
    }

    #[test]
    fn names_comments_and_commas_stay_around_the_addresses() {
        for (before, after) in [
            ("John Smith <js>", "John Smith <js@h>"),
            ("\"John Q\" <js> (c (n)), foo", "\"John Q\" <js@h>(c (n)), foo@h"),
            ("a <b> c <d>", "a <b@h>c <d@h>"),
            ("phrase \"q s\" (c) <x> (d), y", "phrase \"q s\" (c) <x@h>(d), y@h"),
            ("a,,b", "a@h, , b@h"),
            ("a,", "a@h, "),
            ("(only comment)", "(only comment)"),
            ("=?utf-8?q?J=C3=B6?= <j>", "=?utf-8?q?J=C3=B6?= <j@h>"),
            ("a>", "a@h>"),
            ("a (x\\)y)", "a@h (x\\)y)"),
        ] {
            assert_eq!(completed(before), after);
        }
    }

    #[test]
    fn words_side_by_side_become_addresses() {
        for (before, after) in [
            ("a b c", "a@h, b@h, c@h"),
            ("John Smith js@x", "John@h, Smith@h, js@x"),
            ("a.b c.d", "a.b@h, c.d@h"),
            ("a. b", "a.b@h"),
            ("<a> b", "<a@h>, b@h"),
            ("a@ b c", "a@b, c@h"),
            ("a > b", "a@h>, b@h"),
        ] {
            assert_eq!(completed(before), after);
        }
    }

    #[test]
    fn a_colon_of_no_group_ends_a_name_and_stays() {
        for (before, after) in [
            ("x:<a>", "x@h: <a@h>"),
            ("Re: y <a>", "Re@h:y <a@h>"),
            ("x:y:<a>", "x:y@h: <a@h>"),
            ("a, x:<c>", "a@h, x@h: <c@h>"),
        ] {
            assert_eq!(completed(before), after);
        }
    }

    #[test]
    fn comments_inside_an_address_move_behind_it() {
        for (before, after) in [
            ("a (c) .(d) b", "a.b@h (c) (d)"),
            ("(c) a (d) b (e)", "a@h (c), b@h (d) (e)"),
            ("a <b> (c) d", "a <b@h>, d@h (c)"),
        ] {
            assert_eq!(completed(before), after);
        }
    }

    #[test]
    fn groups_keep_their_names() {
        for (before, after) in [
            ("group: a, b <c>, d@e;, f", "group: a@h, b <c@h>, d@e;, f@h"),
            ("foo:;", "foo: ;"),
            ("a;b", "a@h;, b@h"),
            ("x:y, g:a;, q", "x: y@h, g: a@h;, q@h"),
            ("p:q:r;", "p:q: r@h;"),
            ("g (c): a b;", "g (c): a@h, b@h;"),
        ] {
            assert_eq!(completed(before), after);
        }
    }

    #[test]
    fn too_much_text_beside_an_address_is_dropped() {
        let long = "x".repeat(251);
        assert_eq!(completed(&format!("{long} <u>, v")), "<u@h>, v@h");
        assert_eq!(completed(&format!("({long}) u")), "<u@h>");
        assert_eq!(completed(&long), format!("{long}@h"));
    }

    #[test]
    fn addresses_come_out_in_internal_form() {
        let list = AddressList::parse("\"a b\"@c, N <d@e>, g: f;", 100);
        assert_eq!(list.addresses().collect::<Vec<_>>(), ["a b@c", "d@e", "f"]);
    }

    #[test]
    fn a_bracket_in_a_literal_does_not_end_it_when_it_is_read_again() {
        let list = AddressList::parse("<a@[1\\]2>", 100);
        let lines = list.to_lines();
        assert_eq!(lines, "<a@[1\\]2>]");
        assert_eq!(AddressList::parse(&lines, 100).addresses().count(), list.addresses().count());
    }

    proptest! {
        #[test]
        fn any_header_value_is_read_and_written(value in "[a-c \\n\"\\\\()<>@,;:.%!\\[\\]\u{e9}]{0,40}") {
            let lines = AddressList::parse(&value, 30).to_lines();
            prop_assert!(AddressList::parse(&lines, 1000).addresses().count() <= 30);
        }
    }
}
