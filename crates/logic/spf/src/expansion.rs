//! Macros filled in (RFC 7208 §7).

use std::net::IpAddr;

use crate::Request;
use crate::specification::is_delimiter;

/// What macros stand for.
pub(crate) struct Values<'a> {
    pub(crate) request: &'a Request,
    /// Whose record it is.
    pub(crate) domain: &'a str,
    /// RFC 7208 §7.2: `c`, `r` and `t` are for explanations only.
    pub(crate) explaining: bool,
}

/// A macro that does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadMacro;

/// Does the text need the name of the client, which DNS has to be asked for?
pub(crate) fn needs_name(text: &str) -> bool {
    text.contains("%{p") || text.contains("%{P")
}

/// The text with values for its macros; `name` is the client's.
pub(crate) fn expand(text: &str, values: &Values<'_>, name: &str) -> Result<String, BadMacro> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut chars = rest.chars();
        match chars.next() {
            Some('%') => expanded.push('%'),
            Some('_') => expanded.push(' '),
            Some('-') => expanded.push_str("%20"),
            Some('{') => {
                let (inner, behind) = rest[1..].split_once('}').ok_or(BadMacro)?;
                expanded.push_str(&value(inner, values, name)?);
                rest = behind;
                continue;
            }
            _ => return Err(BadMacro),
        }
        rest = chars.as_str();
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// `ir`, `d2`, `l1r-`
fn value(text: &str, values: &Values<'_>, name: &str) -> Result<String, BadMacro> {
    let letter = text.chars().next().filter(char::is_ascii_alphabetic).ok_or(BadMacro)?;
    let rest = &text[1..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    let (reverse, delimiters) = rest.strip_prefix('r').map_or((false, rest), |rest| (true, rest));
    if !delimiters.bytes().all(is_delimiter) {
        return Err(BadMacro);
    }
    let whole = letter_value(letter.to_ascii_lowercase(), values, name).ok_or(BadMacro)?;
    let parts = if number.is_empty() { None } else { Some(number.parse().unwrap_or(usize::MAX)) };
    let chosen = match (parts, reverse) {
        (Some(0), _) => return Err(BadMacro),
        (None, false) => whole,
        (parts, reverse) => transformed(&whole, parts, reverse, delimiters),
    };
    Ok(if letter.is_ascii_uppercase() { escaped(&chosen) } else { chosen })
}

fn letter_value(letter: char, values: &Values<'_>, name: &str) -> Option<String> {
    let request = values.request;
    Some(match letter {
        's' => request.identity.clone(),
        'l' => request.local_part().to_owned(),
        'o' => request.domain(),
        'd' => values.domain.to_owned(),
        'i' => dotted(request.ip),
        'p' => name.to_owned(),
        'v' => if request.ip.to_canonical().is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
        'h' => request.helo.clone(),
        'c' if values.explaining => request.ip.to_canonical().to_string(),
        'r' if values.explaining => request.receiver.clone(),
        't' if values.explaining => request.now.to_string(),
        _ => return None,
    })
}

/// RFC 7208 §7.3: an IPv6 address as nibbles with dots.
fn dotted(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let digits = format!("{:032x}", u128::from(ip));
            digits.chars().map(String::from).collect::<Vec<_>>().join(".")
        }
    }
}

/// The parts that are wanted, from the right, with dots between them.
fn transformed(value: &str, parts: Option<usize>, reverse: bool, delimiters: &str) -> String {
    let delimiters = if delimiters.is_empty() { "." } else { delimiters };
    let mut list: Vec<&str> = value.split(|char| delimiters.contains(char)).collect();
    while list.last().is_some_and(|part| part.is_empty()) {
        list.pop();
    }
    if reverse {
        list.reverse();
    }
    let skipped = parts.map_or(0, |parts| list.len().saturating_sub(parts));
    list[skipped..].join(".")
}

/// RFC 3986 §2.1
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let put = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(put).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7208 §7.4
    fn expanded(text: &str, ip: &str) -> Result<String, BadMacro> {
        let request = Request {
            ip: ip.parse().unwrap(),
            identity: "strong-bad@email.example.com".into(),
            helo: "mx.example.org".into(),
            receiver: "here.example".into(),
            now: 7,
        };
        let values =
            Values { request: &request, domain: "email.example.com", explaining: text.contains("%{c}") };
        expand(text, &values, "mx.example.org")
    }

    #[test]
    fn examples_of_the_standard() {
        let table = [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{o}", "email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{d1}", "com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l}", "strong-bad"),
            ("%{l-}", "strong-bad"),
            ("%{lr}", "strong-bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
            ("%{S} %%%_%-", "strong-bad%40email.example.com % %20"),
            ("%{c} %{t} %{r} %{p}", "192.0.2.3 7 here.example mx.example.org"),
        ];
        for (text, value) in table {
            assert_eq!(expanded(text, "192.0.2.3"), Ok(value.to_owned()), "{text}");
        }
        let v6 = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com";
        assert_eq!(expanded("%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01"), Ok(v6.to_owned()));
    }

    #[test]
    fn macros_that_do_not_read() {
        for bad in ["%{x}", "%{d0}", "%{d", "%", "%a", "%{}", "%{d2x}", "%{t}", "%{\u{fc}}"] {
            assert_eq!(expanded(bad, "192.0.2.3"), Err(BadMacro), "{bad}");
        }
    }
}
