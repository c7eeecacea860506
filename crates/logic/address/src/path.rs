//! The address argument of MAIL FROM and RCPT TO (RFC 5321 §4.1.2).

use crate::Address;
use crate::list::AddressList;
use crate::token::{Token, internal_text};

/// So many tokens are read of one path.
const TOKEN_LIMIT: usize = 1000;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// Nothing but names and comments, or more than one address.
    NotOneAddress,
    /// No angle brackets, or text beside them, where `strict_rfc821_envelopes` wants the bare path.
    NotStrict,
}

/// Reads the path of MAIL FROM or RCPT TO; `<>` gives the null address.
///
/// Names, comments and missing brackets are forgiven unless `strict` (`strict_rfc821_envelopes`).
///
/// # Errors
/// [`PathError`] when there is not exactly one address.
pub fn parse_path(text: &str, strict: bool) -> Result<Address, PathError> {
    let trimmed = text.trim();
    if let Some(plain) = plain_path(trimmed) {
        return Ok(Address::internal(plain));
    }
    let list = AddressList::parse(trimmed, TOKEN_LIMIT);
    let mut found = None;
    let mut beside = false;
    for token in list.tokens() {
        match token {
            Token::Address(_) if found.is_some() => return Err(PathError::NotOneAddress),
            Token::Address(tokens) => found = Some(internal_text(tokens)),
            Token::Operator('<' | '>') => {}
            _ => beside = true,
        }
    }
    if strict && (beside || !trimmed.starts_with('<')) {
        return Err(PathError::NotStrict);
    }
    Ok(Address::internal(found.unwrap_or_default()))
}

/// The common case: `<local@domain>` of characters without a meaning.
fn plain_path(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('<')?.strip_suffix('>')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+=.@".contains(&byte);
    inside.bytes().all(plain).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, PathError> {
        parse_path(text, false).map(String::from)
    }

    #[test]
    fn paths_give_the_internal_form() {
        assert_eq!(read("<a@b.c>").as_deref(), Ok("a@b.c"));
        assert_eq!(read("<>").as_deref(), Ok(""));
        assert_eq!(read("<\"a b\"@c>").as_deref(), Ok("a b@c"));
        assert_eq!(read("a@b").as_deref(), Ok("a@b"));
        assert_eq!(read("<@r,@s:a@b>").as_deref(), Ok("@r, @s:a@b"));
        assert_eq!(read("Name <a@b> (comment)").as_deref(), Ok("a@b"));
    }

    #[test]
    fn two_addresses_are_refused() {
        assert_eq!(read("<a@b> <c@d>"), Err(PathError::NotOneAddress));
        assert_eq!(read("a b"), Err(PathError::NotOneAddress));
    }

    #[test]
    fn strict_paths_are_bare() {
        for text in ["a@b", "N <a@b>", "<a@b> (c)"] {
            assert_eq!(parse_path(text, true), Err(PathError::NotStrict), "{text}");
        }
        assert!(parse_path("<a@b>", true).is_ok());
    }
}
