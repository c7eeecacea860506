//! The way the mail took, and whether it contradicts itself.

use super::{Context, Found, Function, text};
use crate::addresses_of_hosts::{is_private, is_v4};
use crate::headers::relays_text;
use crate::perl::Fixed;

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "check_for_numeric_helo" => Some(numeric_helo),
        "check_for_illegal_ip" => Some(|_, _| Found::No),
        "check_all_trusted" => Some(all_trusted),
        "check_no_relays" => Some(no_relays),
        "check_relays_unparseable" => Some(|context, _| (context.mail.relays.unparseable > 0).into()),
        "check_for_sender_no_reverse" => Some(sender_no_reverse),
        "check_for_from_domain_in_received_headers" => Some(from_domain_in_received),
        "check_for_forged_received_trail" => Some(|context, _| (mismatches(context).0 > 1).into()),
        "check_for_forged_received_ip_helo" => Some(|context, _| (mismatches(context).1 > 0).into()),
        "helo_ip_mismatch" => Some(helo_ip_mismatch),
        "check_for_no_rdns_dotcom_helo" => Some(no_rdns_dotcom_helo),
        _ => None,
    }
}

fn numeric_helo(context: &Context<'_>, _: &[String]) -> Found {
    static HELO: Fixed = Fixed::new(r"(?i)\bhelo=(\d+\.\d+\.\d+\.\d+)(?=[\000-\040,;\[()<>]|\z)");
    let relays = relays_text(&context.mail.relays.untrusted);
    HELO.groups(&relays).is_some_and(|groups| is_v4(groups.get(1)) && !is_private(groups.get(1))).into()
}

fn all_trusted(context: &Context<'_>, _: &[String]) -> Found {
    let relays = &context.mail.relays;
    (!relays.trusted.is_empty() && relays.untrusted.is_empty() && relays.unparseable == 0).into()
}

fn no_relays(context: &Context<'_>, _: &[String]) -> Found {
    let relays = &context.mail.relays;
    (relays.trusted.is_empty() && relays.untrusted.is_empty() && relays.unparseable == 0).into()
}

fn sender_no_reverse(context: &Context<'_>, _: &[String]) -> Found {
    let first = context.mail.relays.untrusted.last();
    first.is_some_and(|hop| hop.rdns.contains(&b'.') && !hop.is_private()).into()
}

fn from_domain_in_received(context: &Context<'_>, arguments: &[String]) -> Found {
    let (domain, desired) = (text(arguments, 0).as_bytes(), text(arguments, 1) == "true");
    let mail = context.mail;
    if !super::contains_ignoring_case(&mail.text("From:addr"), domain) {
        return Found::No;
    }
    let hops = mail.relays.trusted.iter().chain(&mail.relays.untrusted);
    let mut both = hops.filter(|hop| hop.rdns.ends_with(domain) && hop.by.ends_with(domain));
    (both.next().is_some() == desired).into()
}

fn helo_ip_mismatch(context: &Context<'_>, _: &[String]) -> Found {
    let network =
        |address: &[u8]| address.iter().rposition(|byte| *byte == b'.').map(|dot| address[..=dot].to_vec());
    let lies = |helo: &[u8], ip: &[u8]| {
        let public = |address: &[u8]| is_v4(address) && !is_private(address);
        public(helo) && public(ip) && network(helo) != network(ip)
    };
    context.mail.relays.untrusted.iter().any(|hop| lies(&hop.helo, &hop.ip)).into()
}

fn no_rdns_dotcom_helo(context: &Context<'_>, _: &[String]) -> Found {
    static DOTCOM: Fixed = Fixed::new(
        r"(?i)(?:\.|^)(?:lycos\.com|lycos\.co\.uk|hotmail\.com|localhost\.com|excite\.com|caramail\.com|cs\.com|aol\.com|msn\.com|yahoo\.com|drizzle\.com)$",
    );
    // The last one that is not private decides.
    let last = context.mail.relays.untrusted.iter().rfind(|hop| !hop.is_private());
    last.is_some_and(|hop| hop.no_reverse_dns && DOTCOM.is_match(&hop.helo)).into()
}

/// The registered part of a host's name, roughly.
fn domain_of(host: &[u8]) -> Vec<u8> {
    if !host.iter().any(u8::is_ascii_alphabetic) {
        return host.to_vec();
    }
    let labels: Vec<&[u8]> = host.split(|byte| *byte == b'.').collect();
    let last = labels.last().copied().unwrap_or_default();
    let long = last.len() >= 3 || [&b"ie"[..], b"fr", b"de"].iter().any(|name| super::contains(last, name));
    let keep = if labels.len() > 1 && long { 2 } else { 3 };
    if labels.len() < keep { host.to_vec() } else { labels[labels.len() - keep..].join(&b'.') }
}

/// How often a relay's name is not that of the one before, and how often its HELO is another address.
fn mismatches(context: &Context<'_>) -> (u32, u32) {
    static NAME: Fixed = Fixed::new(r"^\w+(?:[\w.-]+\.)+\w+$");
    let hops = &context.mail.relays.untrusted;
    let domain = |name: &[u8]| domain_of(&name.to_ascii_lowercase());
    let (mut from, mut helo) = (0, 0);
    let mut names: Vec<Option<Vec<u8>>> = hops.iter().map(|hop| Some(domain(&hop.rdns))).collect();
    for (index, hop) in hops.iter().enumerate() {
        let by = domain(&hop.by);
        if !NAME.is_match(&by) {
            continue;
        }
        let local = matches!(names[index].as_deref(), Some(b"localhost" | b"localhost.localdomain"));
        if local && hop.ip == b"127.0.0.1" {
            names[index] = None;
        }
        helo += u32::from(is_far_off(&domain(&hop.helo), &hop.ip));
        let before = index.checked_sub(1).and_then(|before| names[before].as_deref());
        from += u32::from(before.is_some_and(|before| {
            NAME.is_match(before) && by != before && !(by == b"msn.com" && before == b"hotmail.com")
        }));
    }
    (from, helo)
}

fn is_far_off(helo: &[u8], ip: &[u8]) -> bool {
    let class_b = |address: &[u8]| {
        let mut parts = address.split(|byte| *byte == b'.');
        Some([parts.next()?.to_vec(), parts.next()?.to_vec()])
    };
    is_v4(helo) && is_v4(ip) && class_b(helo) != class_b(ip) && !is_private(helo)
}
