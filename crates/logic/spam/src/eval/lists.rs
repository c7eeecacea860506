//! Addresses and hosts that the administrator or the user named.

use super::{Context, Found, Function, text};
use crate::addresses_of_hosts;
use crate::perl::Fixed;
use crate::relays::Hop;
use crate::rules::{Networks, RelayList};

pub(super) fn function(name: &str) -> Option<Function> {
    match name.replace("whitelist", "welcomelist").replace("blacklist", "blocklist").as_str() {
        "check_from_in_blocklist" => Some(|context, _| from_in(context, "blocklist_from").into()),
        "check_to_in_blocklist" => Some(|context, _| to_in(context, "blocklist_to").into()),
        "check_to_in_welcomelist" => Some(|context, _| to_in(context, "welcomelist_to").into()),
        "check_to_in_more_spam" => Some(|context, _| to_in(context, "more_spam_to").into()),
        "check_to_in_all_spam" => Some(|context, _| to_in(context, "all_spam_to").into()),
        "check_from_in_list" => Some(|context, arguments| from_in(context, text(arguments, 0)).into()),
        "check_to_in_list" => Some(|context, arguments| to_in(context, text(arguments, 0)).into()),
        "check_replyto_in_list" => Some(reply_to_in),
        "check_from_in_welcomelist" => Some(|context, _| (welcome(context) == Standing::Welcome).into()),
        "check_forged_in_welcomelist" => Some(|context, _| {
            (welcome(context) == Standing::Forged && default_welcome(context) == Standing::Unknown).into()
        }),
        "check_from_in_default_welcomelist" => {
            Some(|context, _| (default_welcome(context) == Standing::Welcome).into())
        }
        "check_forged_in_default_welcomelist" => Some(|context, _| {
            (default_welcome(context) == Standing::Forged && welcome(context) == Standing::Unknown).into()
        }),
        "check_mailfrom_matches_rcvd" => Some(sender_matches_relay),
        "check_uri_host_listed" => Some(|context, arguments| host_listed(context, text(arguments, 0))),
        "check_uri_host_in_blocklist" => Some(|context, _| host_listed(context, "BLOCK")),
        "check_uri_host_in_welcomelist" => Some(|context, _| host_listed(context, "WELCOME")),
        _ => None,
    }
}

fn from_in(context: &Context<'_>, list: &str) -> bool {
    context.mail.all_senders().iter().any(|address| context.mail.settings.list_contains(list, address))
}

fn to_in(context: &Context<'_>, list: &str) -> bool {
    context.mail.all_recipients().iter().any(|address| context.mail.settings.list_contains(list, address))
}

fn reply_to_in(context: &Context<'_>, arguments: &[String]) -> Found {
    let address = context.mail.text("Reply-To:addr");
    (!address.is_empty() && context.mail.settings.list_contains(text(arguments, 0), &address)).into()
}

/// What a welcome list says of the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unknown,
    Welcome,
    /// The address is in it, but the relay is another.
    Forged,
}

fn welcome(context: &Context<'_>) -> Standing {
    if from_in(context, "welcomelist_from") {
        return Standing::Welcome;
    }
    by_relay(context, &context.mail.settings.welcomelist_from_rcvd)
}

fn default_welcome(context: &Context<'_>) -> Standing {
    by_relay(context, &context.mail.settings.def_welcomelist_from_rcvd)
}

fn last_relays<'c>(context: &'c Context<'_>) -> &'c [Hop] {
    let relays = &context.mail.relays;
    if relays.untrusted.is_empty() { &relays.trusted } else { &relays.untrusted[..1] }
}

fn by_relay(context: &Context<'_>, list: &RelayList) -> Standing {
    let relays = last_relays(context);
    let mut standing = Standing::Unknown;
    if relays.is_empty() {
        return standing;
    }
    for address in context.mail.all_senders() {
        let domains = list.domains_for(address);
        if domains.iter().any(|domain| relays.iter().any(|hop| is_relay(hop, domain))) {
            return Standing::Welcome;
        }
        if !domains.is_empty() && !context.mail.settings.list_contains("welcomelist_allows_relays", address) {
            standing = Standing::Forged;
        }
    }
    standing
}

/// Is the relay of this domain, or of this network in brackets?
fn is_relay(hop: &Hop, domain: &[u8]) -> bool {
    static NETWORK: Fixed = Fixed::new(r"^\[(.*)\](/\d{1,3})?$");
    if let Some(groups) = NETWORK.groups(domain) {
        let mut networks = Networks::default();
        networks.add(&String::from_utf8_lossy(&[groups.get(1), groups.get(2)].concat()));
        return addresses_of_hosts::parse(&hop.ip).is_some_and(|address| networks.contains(address));
    }
    let rdns = hop.rdns.to_ascii_lowercase();
    rdns.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with(b"."))
}

fn sender_matches_relay(context: &Context<'_>, _: &[String]) -> Found {
    static DOMAIN: Fixed = Fixed::new(r"\@([^\@]+\.[^\@]+)\z");
    let sender = context.mail.text("EnvelopeFrom:addr");
    let Some(groups) = DOMAIN.groups(&sender) else { return Found::No };
    let registry = &context.mail.settings.registry;
    let domain = registry.registered(&groups.get(1).to_ascii_lowercase());
    let named = last_relays(context).iter().filter(|hop| !hop.rdns.is_empty());
    named.into_iter().any(|hop| registry.registered(&hop.rdns.to_ascii_lowercase()) == domain).into()
}

/// Labels of a host that are looked up.
const LABELS_LIMIT: usize = 11;

fn host_listed(context: &Context<'_>, list: &str) -> Found {
    let Some(hosts) = context.mail.settings.uri_hosts.get(list) else { return Found::No };
    let mut seen = std::collections::HashSet::new();
    let mut matched = None;
    for (uri, info) in context.mail.uris.iter() {
        if uri.get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case(b"mailto:")) {
            continue;
        }
        for host in info.hosts.keys().filter(|host| seen.insert((*host).clone())) {
            let host = String::from_utf8_lossy(host).into_owned();
            let found =
                names_of(&host).into_iter().find_map(|name| hosts.get(name).map(|listed| (name, *listed)));
            if let Some((name, true)) = found {
                matched = Some(if name == host { host.clone() } else { format!("{host} ({name})") });
            }
        }
    }
    matched.map_or(Found::No, |host| Found::Because(format!("URI: {host}")))
}

/// `a.example.com`, `example.com`, `com`; an address only as a whole.
fn names_of(host: &str) -> Vec<&str> {
    if addresses_of_hosts::is_address(host.as_bytes()) {
        return vec![host];
    }
    let mut names = vec![host];
    names.extend(host.match_indices('.').map(|(at, _)| &host[at + 1..]));
    let skip = names.len().saturating_sub(LABELS_LIMIT);
    names.split_off(skip)
}
