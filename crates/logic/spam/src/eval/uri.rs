//! Links that lead elsewhere than they say.

use super::{Context, Found, Function, contains_ignoring_case, number};
use crate::addresses_of_hosts::is_address;
use crate::html::Link;
use crate::perl::Fixed;

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "check_for_http_redirector" => Some(redirector),
        "check_https_ip_mismatch" => Some(https_to_address),
        "check_uri_truncated" => Some(|context, _| context.mail.uris.truncated.into()),
        "check_https_http_mismatch" => Some(https_to_http),
        _ => None,
    }
}

/// Redirections within one URI.
const DEPTH_LIMIT: usize = 20;

fn redirector(context: &Context<'_>, _: &[String]) -> Found {
    static REDIRECT: Fixed = Fixed::new(r"(?i)^https?://([^/:\?]+).+?(https?:/{0,2}?([^/:\?]+).*)$");
    let registry = &context.mail.settings.registry;
    let domain =
        |host: &[u8]| registry.domain_of_uri(host).map_or_else(|| host.to_vec(), |(domain, _)| domain);
    for uri in context.mail.uris.list() {
        let mut uri = uri.to_vec();
        for _ in 0..DEPTH_LIMIT {
            let Some(groups) = REDIRECT.groups(&uri) else { break };
            if domain(groups.get(1)) != domain(groups.get(3)) {
                return Found::Yes;
            }
            let rest = groups.text(2);
            uri = rest;
        }
    }
    Found::No
}

fn links<'c>(context: &'c Context<'_>) -> impl Iterator<Item = &'c (String, Link)> {
    context.mail.documents().flat_map(|html| html.links.iter())
}

fn https_to_address(context: &Context<'_>, _: &[String]) -> Found {
    static TO_ADDRESS: Fixed = Fixed::new(r"(?i)^https?:/*(?:[^\@/]+\@)?\d+\.\d+\.\d+\.\d+");
    static SAYS_SO: Fixed = Fixed::new(r"(?i)^https:/*(?:[^\@/]+\@)?\d+\.\d+\.\d+\.\d+");
    let lies = |text: &String| {
        !SAYS_SO.is_match(text.as_bytes()) && contains_ignoring_case(text.as_bytes(), b"https:")
    };
    let mut to_address = links(context).filter(|(uri, _)| TO_ADDRESS.is_match(uri.as_bytes()));
    to_address.any(|(_, link)| link.anchor_text.iter().any(lies)).into()
}

fn https_to_http(context: &Context<'_>, arguments: &[String]) -> Found {
    let least = number(arguments, 0).filter(|least| *least != 0.0).unwrap_or(1.0);
    let below = |anchors: u32| number(arguments, 1).is_none_or(|most| f64::from(anchors) < most);
    for html in context.mail.documents() {
        let (mut hit, mut anchors) = (false, 0);
        for (uri, link) in html.links.iter().filter(|(_, link)| !link.anchor_text.is_empty()) {
            let Some(domain) = valid_domain(context, uri.as_bytes()) else { continue };
            anchors += 1;
            hit |= link.anchor_text.iter().any(|text| says_other(context, text.as_bytes(), &domain));
        }
        if hit && f64::from(anchors) >= least && below(anchors) {
            return Found::Yes;
        }
    }
    Found::No
}

/// The registered domain that a link leads to, if it leads to a name.
fn valid_domain(context: &Context<'_>, uri: &[u8]) -> Option<Vec<u8>> {
    static WEB: Fixed = Fixed::new(r"(?i)^https?://([^/:?#]+)");
    let registry = &context.mail.settings.registry;
    let groups = WEB.groups(uri)?;
    if is_address(groups.get(1)) {
        return None;
    }
    let domain = registry.registered(groups.get(1));
    registry.domain_of_uri(&domain).filter(|(domain, _)| registry.is_valid(domain)).map(|_| domain)
}

fn says_other(context: &Context<'_>, text: &[u8], domain: &[u8]) -> bool {
    static SECURE: Fixed = Fixed::new(r"(?i)https://([^\s/:?#]+)");
    let registry = &context.mail.settings.registry;
    let Some(groups) = SECURE.groups(text) else { return false };
    let host = groups.get(1);
    if is_address(host) {
        return host != domain;
    }
    let said = registry.registered(host);
    registry.is_valid(&said) && said != domain
}
