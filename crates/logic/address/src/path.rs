//! The address argument of MAIL FROM and RCPT TO (RFC 5321 §4.1.2).
//!
//! The grammar is strict; clients are not, and Postfix takes names, comments and groups around an address unless
//! `strict_rfc821_envelopes` forbids them. So does this.

use crate::Address;
use crate::list::AddressList;
use crate::token::{Token, internal_text};

/// So many tokens are read of one path.
const TOKEN_LIMIT: usize = 1000;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// More than one address.
    NotOneAddress,
    /// No angle brackets, text beside the address, or a route without a mailbox, where `strict_rfc821_envelopes`
    /// wants the bare path.
    NotStrict,
}

/// Reads the path of MAIL FROM or RCPT TO; `<>` gives the null address, and so do comments alone.
///
/// Names, comments and missing brackets are forgiven unless `strict` (`strict_rfc821_envelopes`). A source route is
/// dropped (RFC 5321 Appendix C).
///
/// # Errors
/// [`PathError`] when there is more than one address, or something beside it that `strict` does not forgive.
pub fn parse_path(text: &str, strict: bool) -> Result<Address, PathError> {
    if let Some(plain) = plain_path(text) {
        return Ok(Address::internal(plain));
    }
    let inside = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text);
    let list = AddressList::parse(without_route(inside), TOKEN_LIMIT);
    let mut found = None;
    let mut beside = false;
    for token in list.tokens() {
        match token {
            Token::Address(_) if found.is_some() => return Err(PathError::NotOneAddress),
            Token::Address(tokens) => found = Some(internal_text(behind_route(tokens))),
            Token::Operator('<' | '>') => {}
            _ => beside = true,
        }
    }
    let address = found.unwrap_or_default();
    if strict && (beside || !text.starts_with('<') || address.starts_with('@')) {
        return Err(PathError::NotStrict);
    }
    Ok(Address::internal(address))
}

/// `@a,@b:user@domain` is `user@domain`.
fn without_route(text: &str) -> &str {
    match text.split_once(':') {
        Some((route, rest)) if route.starts_with('@') => rest,
        _ => text,
    }
}

/// The same of a path with a name in front: `name <@a,@b:user@domain>`.
fn behind_route(tokens: &[Token]) -> &[Token] {
    let end = tokens.iter().position(|token| token.is(':'));
    match end {
        Some(colon) if tokens[0].is('@') => &tokens[colon + 1..],
        _ => tokens,
    }
}

/// The common case: `<local@domain>` of characters without a meaning.
fn plain_path(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('<')?.strip_suffix('>')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+=.".contains(&byte);
    let (local, domain) = inside.split_once('@')?;
    (!local.is_empty() && local.bytes().all(plain) && domain.bytes().all(plain)).then_some(inside)
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
        ("<\"a b\"%c.example@d.example>", Some("a b%c.example@d.example"), true),
        ("<host!\"a\"@d.example>", Some("host!a@d.example"), true),
    ];

    #[test]
    fn addresses_come_out_as_postfix_reads_them() {
        for (text, address, strict_too) in CASES {
            let read = parse_path(text, false).ok().map(String::from);
            assert_eq!(read.as_deref(), *address, "{text}");
            assert_eq!(parse_path(text, true).is_ok(), *strict_too, "strict {text}");
        }
    }

    #[test]
    fn a_hundred_thousand_parentheses_are_one_comment() {
        assert_eq!(parse_path(&"(".repeat(100_000), false).map(String::from), Ok(String::new()));
    }
}
