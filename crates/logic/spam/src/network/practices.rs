//! What an author's domain says of its signatures: ADSP (RFC 5617), and what the administrator knows better.

use dkim::Tags;

use super::question::RecordKind;
use super::signatures::{Signed, is_or_is_below};
use super::walk::{Known, Walk};
use crate::registry::to_ascii;

/// Do the practices of an author's domain, which did not sign, have one of these letters?
pub(super) fn hold(walk: &mut Walk<'_>, signed: &Signed, letters: &str, domains: &[String]) -> bool {
    if signed.waits {
        return false;
    }
    let letters = if letters == "*" { "NAD123" } else { letters };
    let mut any = false;
    for author in signed.authors.iter().filter(|author| is_qualified(author)) {
        if !signed.has_author(author) && !signed.is_unknown(author) {
            any |= of(walk, author).is_some_and(|letter| letters.contains(letter));
        }
    }
    let is_wanted = |domain: &String| signed.authors.iter().any(|author| is_or_is_below(author, domain));
    any && (domains.is_empty() || domains.iter().any(is_wanted))
}

/// Does the name end with something like a top-level domain?
fn is_qualified(name: &str) -> bool {
    let Some((before, top)) = name.rsplit_once('.') else { return false };
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'-';
    !before.is_empty() && top.len() > 1 && top.bytes().all(letter)
}

/// The practices of a domain; `None` when they are not known yet.
fn of(walk: &mut Walk<'_>, domain: &str) -> Option<char> {
    let known = &walk.mail.settings.authenticity.adsp_override;
    if let Some(letter) = parents(domain).iter().find_map(|name| known.get(name)) {
        return Some(*letter);
    }
    let ascii = String::from_utf8_lossy(&to_ascii(domain.as_bytes())).into_owned();
    let told = match walk.told(&format!("_adsp._domainkey.{ascii}"), RecordKind::Txt) {
        Known::Reply(reply) if matches!(reply.code, 0 | 3) => reply.records.last().cloned(),
        Known::NoName => None,
        Known::Reply(_) | Known::Nothing => return Some('U'),
        Known::NotYet => return None,
    };
    if let Some(tags) = told.filter(|text| !text.is_empty()).and_then(|text| Tags::parse(&text)) {
        return Some(letter(tags.get("dkim").unwrap_or("unknown")));
    }
    // RFC 5617 §4.3: who uses a name that is not there?
    match walk.told(&ascii, RecordKind::Mx) {
        Known::Reply(reply) if reply.code == 3 => Some('N'),
        Known::NoName => Some('N'),
        Known::NotYet => None,
        Known::Reply(_) | Known::Nothing => Some('U'),
    }
}

/// `a.b.c`, `*.b.c`, `*.c`, `*`
fn parents(domain: &str) -> Vec<String> {
    let labels: Vec<&str> = domain.split('.').collect();
    let wild = (1..=labels.len()).map(|skipped| [&["*"], &labels[skipped..]].concat().join("."));
    std::iter::once(domain.to_owned()).chain(wild).collect()
}

fn letter(practices: &str) -> char {
    match practices {
        "all" => 'A',
        "discardable" | "strict" => 'D',
        other if other.eq_ignore_ascii_case("nxdomain") => 'N',
        _ => 'U',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_letters() {
        assert_eq!(parents("a.b.c"), ["a.b.c", "*.b.c", "*.c", "*"]);
        assert!(is_qualified("a.example") && !is_qualified("example") && !is_qualified("a.b1"));
        assert_eq!(["all", "strict", "NXDomain", "other"].map(letter), ['A', 'D', 'N', 'U']);
    }
}
