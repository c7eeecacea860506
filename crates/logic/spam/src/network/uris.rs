//! Lists of what stands in bodies: `uridnsbl`, `urirhsbl` and their relatives.

use std::collections::BTreeMap;

use super::question::RecordKind;
use super::walk::Walk;
use crate::addresses_of_hosts::{is_private, is_v4, reversed};
use crate::mail::Mail;
use crate::registry::to_ascii;
use crate::rules::{UriList, UriSubject};
use crate::ruleset::RuleId;

/// Hosts and their registered domains.
pub(super) type Hosts = BTreeMap<String, String>;

/// The hosts that are looked up: those of links that a reader clicks come first, up to the limit.
pub(super) fn chosen(mail: &Mail<'_>) -> Hosts {
    let asking = &mail.settings.asking;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let mut ranks: [Hosts; 6] = Default::default();
    for (uri, info) in mail.uris.iter() {
        if asking.uridnsbl_skip_mailto
            && uri.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"mailto:"))
        {
            continue;
        }
        let has = |kind: &str| info.types.contains(kind);
        let rank = match () {
            () if has("a") && info.anchor_text.iter().any(|text| !text.is_empty()) => 0,
            () if has("a") => 5,
            () if has("form") => 1,
            () if has("img") => 2,
            () if has("parsed") && info.types.len() == 1 => 4,
            () => 3,
        };
        for (host, domain) in &info.hosts {
            let (host, domain) = (text(host), text(domain));
            let skipped = &asking.uridnsbl_skip_domains;
            if !skipped.contains(&domain) && !skipped.contains(&host) {
                ranks[rank].insert(host, domain);
            }
        }
    }
    let mut hosts = Hosts::new();
    for (host, domain) in ranks.into_iter().flatten() {
        if hosts.len() < asking.uridnsbl_max_domains {
            hosts.insert(host, domain);
        }
    }
    hosts
}

/// Asks all lists about all hosts.
pub(super) fn ask(walk: &mut Walk<'_>) {
    let active = |rule: &RuleId| walk.is_active(*rule);
    let lists: Vec<(RuleId, &UriList)> =
        walk.calls.uris.iter().filter(|(rule, _)| active(rule)).map(|(rule, list)| (*rule, list)).collect();
    if lists.is_empty() {
        return;
    }
    for (host, domain) in walk.hosts().clone() {
        let is_ip = is_v4(host.as_bytes());
        if host.starts_with('[') || (is_ip && is_private(host.as_bytes())) {
            continue;
        }
        for (rule, list) in &lists {
            let flags = walk.rules[*rule].flags;
            if list.subject != UriSubject::Domain || (if is_ip { flags.domains_only } else { flags.ips_only })
            {
                continue;
            }
            let subject = if is_ip || flags.notrim { &host } else { &domain };
            ask_list(walk, (*rule, list), subject, None);
        }
        if !is_ip {
            ask_servers(walk, &lists, &domain);
            ask_addresses(walk, &lists, &host);
        }
    }
}

/// Name servers of a domain. As in the peer, their addresses are looked up for rules with the flag `a` only.
fn ask_servers(walk: &mut Walk<'_>, lists: &[(RuleId, &UriList)], domain: &str) {
    let wanted = |subject: UriSubject| lists.iter().filter(move |(_, list)| list.subject == subject);
    let flags = |rule: RuleId| walk.rules[rule].flags;
    let about_servers = wanted(UriSubject::Addresses).any(|(rule, _)| flags(*rule).ns || !flags(*rule).a);
    let about_addresses = wanted(UriSubject::Addresses).any(|(rule, _)| flags(*rule).a);
    let about_names = wanted(UriSubject::ServerDomain).chain(wanted(UriSubject::Server)).next().is_some();
    if !(about_names || about_servers && about_addresses) {
        return;
    }
    let Some(reply) = walk.ask(domain, RecordKind::Ns) else { return };
    for server in &reply.records {
        let server = server.trim_end_matches('.').to_ascii_lowercase();
        let is_ip = is_v4(server.as_bytes());
        if server.contains(':') || (is_ip && is_private(server.as_bytes())) {
            continue;
        }
        if !is_ip {
            ask_addresses(walk, lists, &server);
        }
        let trimmed = walk.mail.settings.registry.registered(server.as_bytes());
        let trimmed = if is_ip { server.clone() } else { String::from_utf8_lossy(&trimmed).into_owned() };
        for list in wanted(UriSubject::ServerDomain) {
            ask_list(walk, *list, &trimmed, None);
        }
        for list in wanted(UriSubject::Server) {
            ask_list(walk, *list, &server, None);
        }
    }
}

/// The addresses of a host, for rules with the flag `a`.
fn ask_addresses(walk: &mut Walk<'_>, lists: &[(RuleId, &UriList)], host: &str) {
    let about = |(rule, list): &&(RuleId, &UriList)| {
        list.subject == UriSubject::Addresses && walk.rules[*rule].flags.a
    };
    let wanted: Vec<(RuleId, &UriList)> = lists.iter().filter(about).copied().collect();
    if wanted.is_empty() {
        return;
    }
    let Some(reply) = walk.ask(&ascii(host), RecordKind::A) else { return };
    for address in &reply.records {
        for list in &wanted {
            ask_list(walk, *list, address, Some(host));
        }
    }
}

fn ask_list(walk: &mut Walk<'_>, (rule, list): (RuleId, &UriList), subject: &str, of: Option<&str>) {
    let subject = ascii(subject);
    let name = if is_v4(subject.as_bytes()) { reversed(subject.as_bytes()) } else { Some(subject.clone()) };
    let Some(name) = name else { return };
    if !walk.seen.insert((rule, subject.clone())) {
        return;
    }
    let Some(reply) = walk.ask(&format!("{name}.{}", list.zone), list.kind) else { return };
    let of = of.map(|of| format!("{}/", ascii(of))).unwrap_or_default();
    for _ in reply.records.iter().filter(|record| is_listed(list, record)) {
        walk.hit(rule, format!("URI: {of}{subject}"));
    }
}

fn is_listed(list: &UriList, record: &str) -> bool {
    match (&list.subtest, list.kind) {
        (Some(subtest), _) => subtest.holds(record),
        // RFC 5782 §2.1: other answers come from whoever took the name of a list that is gone.
        (None, RecordKind::A) => record.starts_with("127."),
        (None, kind) => kind == RecordKind::Txt,
    }
}

fn ascii(name: &str) -> String {
    String::from_utf8_lossy(&to_ascii(name.as_bytes())).into_owned()
}
