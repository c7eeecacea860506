//! Addresses at providers that give mailboxes away.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Context, Found, Function, text};
use crate::perl::{self, Fixed, Pattern};
use crate::rules::matches_glob;

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "check_freemail_header" => Some(in_header),
        "check_freemail_body" => Some(in_body),
        "check_freemail_from" => Some(in_from),
        "check_freemail_replyto" => Some(reply_to),
        _ => None,
    }
}

/// Addresses in a text; more are not looked at.
const BODY_LIMIT: usize = 40;
/// Addresses in links.
const LINK_LIMIT: usize = 20;

/// Is the address, in lower case, of such a provider?
fn is_freemail(context: &Context<'_>, address: &[u8]) -> bool {
    static ROLE: Fixed = Fixed::new(
        r"(?i)^(?:abuse|support|sales|info|helpdesk|contact|kontakt|(?:post|host|domain)master|undisclosed.*|request-[a-f0-9]{16}|bounced?-|[a-f0-9]{8}(?:\.[a-f0-9]{8}|-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})|.+=.+=.+)\@",
    );
    let freemail = &context.mail.settings.freemail;
    let domain = address.iter().rposition(|byte| *byte == b'@').map_or(address, |at| &address[at + 1..]);
    if address.is_empty() || freemail.welcomelist.contains(address) || freemail.welcomelist.contains(domain) {
        return false;
    }
    if ROLE.is_match(address) {
        return false;
    }
    freemail.domains.contains(domain)
        || (address.contains(&b'@')
            && freemail.wildcards.iter().any(|glob| matches_labels(glob.as_bytes(), domain)))
}

/// `*` does not go over a dot here.
fn matches_labels(glob: &[u8], domain: &[u8]) -> bool {
    fn labels(name: &[u8]) -> impl Iterator<Item = &[u8]> {
        name.split(|byte| *byte == b'.')
    }
    labels(glob).count() == labels(domain).count()
        && labels(glob).zip(labels(domain)).all(|(glob, name)| matches_glob(glob, name))
}

/// A second argument that the address must match.
fn extra_pattern(arguments: &[String], index: usize) -> Option<Option<Arc<Pattern>>> {
    let Some(pattern) = arguments.get(index) else { return Some(None) };
    perl::cached(pattern).map(Some)
}

fn lower(addresses: &[Vec<u8>]) -> Vec<Vec<u8>> {
    addresses.iter().map(|address| address.to_ascii_lowercase()).collect()
}

fn because(context: &Context<'_>, text: &[u8]) -> Found {
    if context.mail.settings.freemail.add_describe_email {
        Found::Because(String::from_utf8_lossy(text).replace('@', "(at)"))
    } else {
        Found::Yes
    }
}

fn first_hit(context: &Context<'_>, addresses: &[Vec<u8>], pattern: Option<&Pattern>) -> Found {
    let hit = |address: &&Vec<u8>| {
        is_freemail(context, address) && pattern.is_none_or(|pattern| pattern.is_match(address))
    };
    addresses.iter().find(hit).map_or(Found::No, |address| because(context, address))
}

fn in_header(context: &Context<'_>, arguments: &[String]) -> Found {
    let addresses = lower(&context.mail.get(&format!("{}:addr", text(arguments, 0))));
    extra_pattern(arguments, 1)
        .map_or(Found::No, |pattern| first_hit(context, &addresses, pattern.as_deref()))
}

fn in_from(context: &Context<'_>, arguments: &[String]) -> Found {
    let addresses = lower(context.mail.all_senders());
    extra_pattern(arguments, 0)
        .map_or(Found::No, |pattern| first_hit(context, &addresses, pattern.as_deref()))
}

fn in_body(context: &Context<'_>, arguments: &[String]) -> Found {
    let Some(addresses) = body_addresses(context) else { return Found::No };
    match extra_pattern(arguments, 0) {
        Some(Some(pattern)) => first_hit(context, addresses, Some(&pattern)),
        Some(None) if !addresses.is_empty() => because(context, &addresses.join(&b", "[..])),
        _ => Found::No,
    }
}

/// The addresses in the text that are of such providers; `None` when there are too many addresses.
fn body_addresses<'c>(context: &'c Context<'_>) -> Option<&'c [Vec<u8>]> {
    context.freemail.get_or_init(|| find_body_addresses(context)).as_deref()
}

fn find_body_addresses(context: &Context<'_>) -> Option<Vec<Vec<u8>>> {
    let settings = &context.mail.settings.freemail;
    let mut kept = Vec::new();
    for (index, address) in all_body_addresses(context).into_iter().enumerate() {
        let too_many = index + 1 == settings.max_body_emails;
        if too_many && settings.skip_when_over_max {
            return None;
        }
        if !is_freemail(context, &address) {
            continue;
        }
        kept.push(address);
        if kept.len() == settings.max_body_freemails && settings.skip_when_over_max {
            return None;
        }
    }
    Some(kept)
}

fn all_body_addresses(context: &Context<'_>) -> Vec<Vec<u8>> {
    static LINK: Fixed = Fixed::new(r"(?i)<?https?://\S{0,255}(?:\@|%40)\S{0,255}");
    let pattern = &context.mail.tlds.address;
    let mut seen = HashSet::new();
    let mut found: Vec<Vec<u8>> = Vec::new();
    for (uri, info) in context.mail.uris.iter() {
        if info.types.contains("a")
            && !info.types.contains("parsed")
            && uri.get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case(b"mailto:"))
        {
            let groups = pattern
                .all_groups(&uri[7..])
                .into_iter()
                .next()
                .filter(|groups| groups.span(1).is_some_and(|(begin, _)| begin == 0));
            found.extend(
                groups
                    .map(|groups| groups.get(1).to_ascii_lowercase())
                    .filter(|address| seen.insert(address.clone())),
            );
            if found.len() >= LINK_LIMIT {
                break;
            }
        }
    }
    let mut lines = context.mail.body.clone();
    for line in lines.iter_mut().filter(|line| line.contains(&b'@') || line.contains(&b'%')) {
        *line = without_quoted_senders(&LINK.replace_all(line, |_| b" ".to_vec()), pattern);
        for groups in pattern.all_groups(line) {
            let address = groups.get(1).to_ascii_lowercase();
            if seen.insert(address.clone()) {
                found.push(address);
            }
            if found.len() >= BODY_LIMIT {
                break;
            }
        }
        if found.len() >= BODY_LIMIT {
            break;
        }
    }
    context.changed_body.get_or_init(|| lines);
    found
}

/// Addresses in `<...>` or before "wrote:" are of those who are quoted.
fn without_quoted_senders(line: &[u8], pattern: &Pattern) -> Vec<u8> {
    static WROTE: Fixed =
        Fixed::new(r"(?i)^(?:>|\s{1,10}(?!(?:fa(?:x|csi)|tel|phone|e?-?mail))[a-z]{2,11}:)");
    let mut kept = Vec::with_capacity(line.len());
    let mut start = 0;
    for groups in pattern.all_groups(line) {
        let Some((begin, end)) = groups.span(1) else { continue };
        let linked = line[..begin].to_ascii_lowercase().ends_with(b"mailto:");
        let Some(behind) = WROTE
            .groups(&line[end..])
            .and_then(|groups| groups.span(0))
            .filter(|_| !linked && begin >= start)
        else {
            continue;
        };
        let begin = if begin > start && line[begin - 1] == b'<' { begin - 1 } else { begin };
        kept.extend_from_slice(&line[start..begin]);
        kept.push(b' ');
        start = end + behind.1;
    }
    kept.extend_from_slice(&line[start..]);
    kept
}

fn reply_to(context: &Context<'_>, arguments: &[String]) -> Found {
    static BULK: Fixed = Fixed::new(
        r"(?i)(?:^(?:post|host|domain)master|^double-bounce|^(?:sentto|owner|return|(?:gr)?bounced?)-.+|-(?:request|bounces?|admin|owner)|\b(?:do[._-t]?)?no[._-t]?repl(?:y|ies)|.+=.+)\@",
    );
    let mail = context.mail;
    if mail.settings.freemail.skip_bulk_envfrom
        && mail.envelope_from().is_some_and(|sender| BULK.is_match(sender))
    {
        return Found::No;
    }
    let (from, reply) = (lower(&mail.get("From:addr")), lower(&mail.get("Reply-To:addr")));
    let any = |addresses: &[Vec<u8>]| addresses.iter().any(|address| is_freemail(context, address));
    let (from_is, reply_is) = (any(&from), any(&reply));
    let same = from.iter().any(|address| reply.contains(address));
    if from_is && reply_is && !same {
        return because(context, &[from.join(&b','), b" -> ".to_vec(), reply.join(&b',')].concat());
    }
    let compared = match text(arguments, 0) {
        "reply" if (!reply.is_empty() && !reply_is) || !from_is => return Found::No,
        "reply" if !reply_is => from,
        "reply" => reply,
        _ if !reply_is => return Found::No,
        _ => reply,
    };
    let Some(body) = body_addresses(context) else { return Found::No };
    let pair = body
        .iter()
        .flat_map(|body| compared.iter().map(move |reply| (body, reply)))
        .find(|(body, reply)| body != reply);
    pair.map_or(Found::No, |(body, reply)| because(context, &[reply.as_slice(), b", ", body].concat()))
}
