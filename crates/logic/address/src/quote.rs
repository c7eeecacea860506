//! Quoting of the local part (RFC 5322 §3.4.1).

use std::borrow::Cow;

/// Puts an address into external form: the local part (all before the last `@`) gets quotes unless it is a dot-atom.
///
/// Characters above 127 need none (RFC 6531); an empty local part becomes `""`; a source route in front stays. The
/// null address is empty in both forms.
pub fn quote(internal: &str) -> String {
    quoted(internal).into_owned()
}

/// As [`quote`]; borrowed where no quotes are wanted, as mostly.
pub fn quoted(internal: &str) -> Cow<'_, str> {
    let (route, address) = internal.split_at(route_length(internal));
    let (local, rest) = address.split_at(address.rfind('@').unwrap_or(address.len()));
    if internal.is_empty() || is_dot_atom(local) {
        return Cow::Borrowed(internal);
    }
    let mut external = String::with_capacity(internal.len() + 4);
    external.push_str(route);
    external.push('"');
    for character in local.chars() {
        if matches!(character, '"' | '\\' | '\r') {
            external.push('\\');
        }
        external.push(character);
    }
    external.push('"');
    external.push_str(rest);
    Cow::Owned(external)
}

/// Bytes of the source route `@host,@host:` at the begin (RFC 5321 appendix C).
fn route_length(internal: &str) -> usize {
    let route_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"@.,-_ ".contains(&byte);
    if !internal.starts_with('@') {
        return 0;
    }
    match internal.find(':') {
        Some(at) if internal[..at].bytes().all(route_byte) => at + 1,
        _ => 0,
    }
}

/// Puts an address into internal form: quotes and backslashes before the last `@` go; a source route in front stays.
pub fn unquote(external: &str) -> String {
    if !external.contains(['"', '\\']) {
        return external.to_owned();
    }
    let (route, address) = external.split_at(route_length(external));
    let (local, rest) = address.split_at(domain_at(address).unwrap_or(address.len()));
    let mut internal = String::with_capacity(external.len());
    internal.push_str(route);
    let mut characters = local.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {}
            '\\' => internal.extend(characters.next()),
            other => internal.push(other),
        }
    }
    internal.push_str(rest);
    internal
}

/// Where the `@` before the domain stands: the last one outside quotes.
fn domain_at(external: &str) -> Option<usize> {
    let (mut quoted, mut escaped, mut found) = (false, false, None);
    for (at, byte) in external.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'@' if !quoted => found = Some(at),
            _ => {}
        }
    }
    found
}

/// RFC 5322 §3.2.3 dot-atom, with 8-bit text let through.
fn is_dot_atom(local: &str) -> bool {
    let mut previous = b'.';
    local
        .bytes()
        .all(|byte| is_of_atom(byte) && (std::mem::replace(&mut previous, byte), byte) != (b'.', b'.'))
        && previous != b'.'
}

fn is_of_atom(byte: u8) -> bool {
    !matches!(
        byte,
        0..=b' ' | 127 | b'(' | b')' | b'<' | b'>' | b'@' | b',' | b';' | b':' | b'\\' | b'"' | b'[' | b']'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_is_no_dot_atom_gets_quotes() {
        for (internal, external) in [
            ("a.b@c", "a.b@c"),
            ("a b@c", "\"a b\"@c"),
            ("a@b@c", "\"a@b\"@c"),
            ("a..b@c", "\"a..b\"@c"),
            (".a", "\".a\""),
            ("a\"b\\c@d", "\"a\\\"b\\\\c\"@d"),
            ("j\u{f6}@x", "j\u{f6}@x"),
            ("a|b!c%d@e", "a|b!c%d@e"),
            ("", ""),
            ("@c", "\"\"@c"),
            ("@r,@s:a b@c", "@r,@s:\"a b\"@c"),
            ("@r,@s:a b", "@r,@s:\"a b\""),
        ] {
            assert_eq!(quote(internal), external);
            assert_eq!(unquote(external), internal);
        }
    }

    #[test]
    fn half_quoted_local_parts_lose_their_quotes() {
        assert_eq!(unquote("a.\"b c\".d@e"), "a.b c.d@e");
        assert_eq!(unquote("a\\ b@c"), "a b@c");
    }

    proptest! {
        #[test]
        fn every_address_survives_the_round_trip(local in "\\PC{0,12}", domain in "[a-z.]{0,8}") {
            let internal = format!("{local}@{domain}");
            prop_assert_eq!(unquote(&quote(&internal)), internal);
        }

        #[test]
        fn whatever_is_quoted_comes_back(internal in "[-@:,. \"\\\\a]{0,12}") {
            prop_assert_eq!(unquote(&quote(&internal)), internal);
        }
    }
}
