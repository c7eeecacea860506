//! Host names: what is one, and where the registered domain begins (`util_rb_tld`, `util_rb_2tld`, `util_rb_3tld`).

use std::collections::HashSet;

use crate::addresses_of_hosts;
use crate::perl::Fixed;

/// Bytes of a host name (RFC 1035 §2.3.4).
const NAME_LIMIT_BYTES: usize = 253;
/// Bytes between two dots.
const LABEL_LIMIT_BYTES: usize = 63;

/// States of the USA, under which names are given out by place.
const US_STATES: &str = "ak al ar az ca co ct dc de fl ga gu hi ia id il in ks ky la ma md me mi mn mo ms mt nc nd ne nh \
                         nj nm nv ny oh ok or pa pr ri sc sd tn tx ut va vi vt wa wi wv wy";

/// Top-level domains, and domains below which names are given out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// Top-level domains.
    pub tlds: HashSet<Vec<u8>>,
    /// `co.uk`
    pub two_level: HashSet<Vec<u8>>,
    /// `demon.co.uk`
    pub three_level: HashSet<Vec<u8>>,
}

/// The name in ASCII and lower case (RFC 5891); what is no name comes back in lower case.
pub(crate) fn to_ascii(name: &[u8]) -> Vec<u8> {
    let usual =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'[' | b']' | b'-');
    if name.iter().all(usual) {
        return name.to_ascii_lowercase();
    }
    let text = match std::str::from_utf8(name) {
        Ok(text) => text.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}', '\u{fe52}', '\u{2024}'], "."),
        Err(_) if name.iter().all(|byte| usual(byte) || *byte >= 0xc0) => {
            name.iter().map(|byte| char::from(*byte)).collect()
        }
        Err(_) => return name.to_ascii_lowercase(),
    };
    idna::domain_to_ascii(&text).map_or_else(|_| text.into_bytes(), String::into_bytes)
}

/// Is it a name of at least two labels that a host may have? It is in ASCII.
pub(crate) fn is_host_name(name: &[u8]) -> bool {
    let end = name.iter().rposition(|byte| *byte != b'.').map_or(0, |at| at + 1);
    let name = name[..end].to_ascii_lowercase();
    let labels: Vec<&[u8]> = name.split(|byte| *byte == b'.').collect();
    let count = labels.len();
    name.len() <= NAME_LIMIT_BYTES
        && count > 1
        && labels.iter().enumerate().all(|(index, label)| is_label(label, index + 2 >= count))
}

fn is_label(label: &[u8], near_top: bool) -> bool {
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let edges = [label.first(), label.last()];
    (1..=LABEL_LIMIT_BYTES).contains(&label.len())
        && label.iter().all(inner)
        && !edges.contains(&Some(&b'-'))
        && (!near_top || !label.contains(&b'_'))
}

impl Registry {
    /// Is its last label a top-level domain?
    pub(crate) fn is_valid(&self, name: &[u8]) -> bool {
        let name = to_ascii(name);
        if name.iter().any(|byte| byte.is_ascii_whitespace()) {
            return false;
        }
        let dot = name.iter().rposition(|byte| *byte == b'.');
        dot.is_some_and(|dot| self.tlds.contains(&name[dot + 1..]))
    }

    /// The registered domain of a name: `example.co.uk` of `www.example.co.uk`.
    pub(crate) fn registered(&self, name: &[u8]) -> Vec<u8> {
        let name = to_ascii(name);
        let labels: Vec<&[u8]> = name.split(|byte| *byte == b'.').filter(|label| !label.is_empty()).collect();
        let mut first = 0;
        while labels.len() - first > 1 && !self.gives_out(&labels[first..]) {
            first += 1;
        }
        let first = if labels.is_empty() { 0 } else { first.saturating_sub(1) };
        labels[first..].join(&b'.')
    }

    /// Are names given out below this one?
    fn gives_out(&self, labels: &[&[u8]]) -> bool {
        let name = || labels.join(&b'.');
        let is_state = |label: &[u8]| US_STATES.split(' ').any(|state| state.as_bytes() == label);
        match labels {
            [_, _] => self.two_level.contains(&name()),
            [_, state, b"us"] => is_state(state),
            [_, _, _] => self.three_level.contains(&name()),
            [first, second, state, b"us"] => {
                let by_place = (*first == b"pvt" && *second == b"k12") || matches!(*first, b"ci" | b"co");
                by_place && is_state(state)
            }
            _ => false,
        }
    }

    /// The registered domain and the host of a URI or an address; `None` when there is no valid one.
    pub(crate) fn domain_of_uri(&self, uri: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let host = to_ascii(&host_of_uri(uri)?);
        if addresses_of_hosts::is_address(&host) {
            return Some((host.clone(), host));
        }
        (is_host_name(&host) && self.is_valid(&host)).then(|| (self.registered(&host), host))
    }
}

fn host_of_uri(uri: &[u8]) -> Option<Vec<u8>> {
    static NO_HOST: Fixed = Fixed::new(r"^(?:javascript|cid|file):");
    static SCHEME: Fixed = Fixed::new(r"^[a-z]+:/{0,2}");
    static ESCAPED: Fixed = Fixed::new(r"%(?:2[1-9a-f]|[3-6][0-9a-f]|7[0-9a-e])");
    let uri = uri.to_ascii_lowercase();
    if NO_HOST.is_match(&uri) {
        return None;
    }
    let host = if let Some(address) = uri.strip_prefix(b"mailto:") {
        let address = address.split(|byte| *byte == b'?').next().unwrap_or_default();
        let mut halves = address.split(|byte| *byte == b'@');
        halves.next();
        let host = halves.next()?.to_vec();
        if halves.next().is_some() {
            return None;
        }
        host
    } else {
        let rest = SCHEME.replace_first(&uri, |_| Vec::new()).unwrap_or(uri);
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let authority = &rest[..end];
        let host =
            authority.iter().rposition(|byte| *byte == b'@').map_or(authority, |at| &authority[at + 1..]);
        let port = host.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let end = host.len() - port;
        if end > 0 && host[end - 1] == b':' { host[..end - 1].to_vec() } else { host.to_vec() }
    };
    (!ESCAPED.is_match(&host)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        let set = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect();
        Registry {
            tlds: set(&["com", "uk", "us"]),
            two_level: set(&["co.uk"]),
            three_level: set(&["demon.co.uk"]),
        }
    }

    #[test]
    fn registered_domains() {
        let registry = registry();
        let of = |name: &str| String::from_utf8(registry.registered(name.as_bytes())).unwrap();
        assert_eq!(of("www.Example.com"), "example.com");
        assert_eq!(of("a.b.example.co.uk"), "example.co.uk");
        assert_eq!(of("x.y.demon.co.uk"), "y.demon.co.uk");
        assert_eq!(of("com"), "com");
        assert_eq!(of("a.b.c.ca.us"), "b.c.ca.us");
    }

    #[test]
    fn hosts_of_uris() {
        let registry = registry();
        let of = |uri: &str| {
            registry.domain_of_uri(uri.as_bytes()).map(|(_, host)| String::from_utf8(host).unwrap())
        };
        assert_eq!(of("http://u:p@WWW.example.com:80/x?y"), Some("www.example.com".into()));
        assert_eq!(of("mailto:joe@example.com?subject=x"), Some("example.com".into()));
        assert_eq!(of("http://1.2.3.4/"), Some("1.2.3.4".into()));
        assert_eq!(of("http://example.nonsense/"), None);
        assert_eq!(of("javascript:x"), None);
    }
}
