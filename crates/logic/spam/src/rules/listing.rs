//! Lists of addresses, hosts and relays.

// Each row of the flat matches below is one assignment.
#![allow(clippy::unit_arg)]

use super::configuration::Configuration;
use super::problem::Fault;
use super::statement::{Done, Statement};

/// Lists of addresses that are settings of their own.
const ADDRESS_LISTS: [&str; 14] = [
    "all_spam_to",
    "bayes_ignore_from",
    "bayes_ignore_to",
    "blocklist_from",
    "blocklist_to",
    "def_welcomelist_auth",
    "def_welcomelist_from_spf",
    "more_spam_to",
    "welcomelist_allows_relays",
    "welcomelist_auth",
    "welcomelist_bounce_relays",
    "welcomelist_from",
    "welcomelist_from_spf",
    "welcomelist_to",
];

/// Lines about lists.
pub(super) fn lists(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let settings = &mut configuration.settings;
    let key = statement.key;
    if ADDRESS_LISTS.contains(&key) {
        let list = settings.addresses.entry(key.to_owned()).or_default();
        statement.words().for_each(|address| list.add(address));
        return Some(statement.required().map(|_| ()));
    }
    if let Some(name) = key.strip_prefix("un").filter(|name| ADDRESS_LISTS.contains(name)) {
        for name in [name.to_owned(), format!("def_{name}")] {
            if let Some(list) = settings.addresses.get_mut(&name) {
                statement.words().for_each(|address| list.remove(address));
            }
        }
        return Some(statement.required().map(|_| ()));
    }
    Some(match key {
        "welcomelist_from_rcvd" | "def_welcomelist_from_rcvd" => {
            let words: Vec<&str> = statement.words().collect();
            let [address, domain] = words.as_slice() else { return Some(Err(statement.invalid())) };
            let default = key.starts_with("def_");
            let list = if default {
                &mut settings.def_welcomelist_from_rcvd
            } else {
                &mut settings.welcomelist_from_rcvd
            };
            list.add(address, domain);
            Ok(())
        }
        "unwelcomelist_from_rcvd" => {
            statement.words().for_each(|address| {
                settings.welcomelist_from_rcvd.remove(address);
                settings.def_welcomelist_from_rcvd.remove(address);
            });
            Ok(())
        }
        "welcomelist_subject" | "blocklist_subject" => {
            let welcome = key.starts_with('w');
            let list =
                if welcome { &mut settings.welcomelist_subject } else { &mut settings.blocklist_subject };
            list.push(statement.value.to_ascii_lowercase());
            statement.required().map(|_| ())
        }
        "enlist_addrlist" => in_parentheses(statement).map(|(name, rest)| {
            let list = settings.addresses.entry(name.to_owned()).or_default();
            rest.split_whitespace().for_each(|address| list.add(address));
        }),
        "enlist_uri_host" => {
            in_parentheses(statement).map(|(name, hosts)| enlist_hosts(configuration, name, hosts))
        }
        "blocklist_uri_host" => Ok(enlist_hosts(configuration, "BLOCK", statement.value)),
        "welcomelist_uri_host" => Ok(enlist_hosts(configuration, "WELCOME", statement.value)),
        "delist_uri_host" => Ok(delist_hosts(configuration, statement)),
        "freemail_domains" => Ok(freemail_domains(configuration, statement)),
        "freemail_welcomelist" => {
            settings
                .freemail
                .welcomelist
                .extend(statement.words().map(|word| word.to_ascii_lowercase().into_bytes()));
            Ok(())
        }
        _ => return None,
    })
}

/// `(NAME) rest`
fn in_parentheses<'a>(statement: &Statement<'a>) -> Result<(&'a str, &'a str), Fault> {
    let inner = statement.value.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let (name, rest) = inner.ok_or_else(|| statement.missing())?;
    Ok((name.trim(), rest.trim_start()))
}

fn enlist_hosts(configuration: &mut Configuration, list: &str, hosts: &str) {
    let list = configuration.settings.uri_hosts.entry(list.to_owned()).or_default();
    for host in hosts.to_ascii_lowercase().split_whitespace() {
        list.insert(host.trim_start_matches('!').to_owned(), !host.starts_with('!'));
    }
}

fn delist_hosts(configuration: &mut Configuration, statement: &Statement<'_>) {
    let chosen = in_parentheses(statement).ok();
    let hosts = chosen.map_or(statement.value, |(_, hosts)| hosts).to_ascii_lowercase();
    for (name, list) in &mut configuration.settings.uri_hosts {
        if chosen.is_none_or(|(wanted, _)| wanted == name) {
            list.retain(|host, _| !hosts.split_whitespace().any(|gone| gone.trim_start_matches('!') == host));
        }
    }
}

fn freemail_domains(configuration: &mut Configuration, statement: &Statement<'_>) {
    let freemail = &mut configuration.settings.freemail;
    for domain in statement.words().map(str::to_ascii_lowercase) {
        if domain.contains(['*', '?']) {
            freemail.wildcards.push(domain);
        } else {
            freemail.domains.insert(domain.into_bytes());
        }
    }
}
