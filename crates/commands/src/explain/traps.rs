//! Settings that do what they say and not what was meant.

use address::split_extension;
use rewriting::Class;
use tables::{OpenTable, Options, TableName, split_list};

use crate::explain::journey::Journey;
use crate::explain::page::Page;

/// So many mailboxes are named.
const NAMED_MAILBOXES: usize = 3;

/// Characters that people use to tag addresses.
const USUAL_DELIMITERS: [char; 2] = ['+', '-'];

/// Writes a warning for each trap that the address has stepped into. `full` is the address before maps and aliases.
pub(crate) fn describe(journey: &Journey<'_>, page: &mut Page<'_>, full: &str, recipients: &[String]) {
    let mut addresses: Vec<&str> = vec![full];
    addresses.extend(recipients.iter().map(String::as_str).filter(|recipient| *recipient != full));
    for address in addresses {
        domain_in_two_classes(journey, page, address);
        domain_in_no_class(journey, page, address);
        tag_without_delimiter(journey, page, address);
    }
    catch_all_before_mailbox(journey, page, full);
    journey.tables.take();
}

/// The domain is local and virtual, say: only one of them acts.
fn domain_in_two_classes(journey: &Journey<'_>, page: &mut Page<'_>, address: &str) {
    let Some((_, domain)) = address.rsplit_once('@') else { return };
    let Ok(resolved) = journey.rewriting.resolve(journey.tables, &journey.sender, address) else { return };
    for conflict in journey.rewriting.conflicts(journey.tables, domain, resolved.class).unwrap_or_default() {
        let (acting, idle) = (conflict.acting, conflict.idle);
        let lost = if idle == "virtual_mailbox_domains" { mailboxes_in(journey, domain) } else { Vec::new() };
        let consequence = if lost.is_empty() {
            String::new()
        } else {
            format!("; {} unreachable", count(&lost, "mailbox", "mailboxes"))
        };
        page.warning(&format!(
            "{domain} is in {acting} ({}) and in {idle} ({}): {acting} wins{consequence}. Take it out of one of them.",
            page.origin(acting),
            page.origin(idle),
        ));
    }
}

/// An alias for the whole domain takes the mail of mailboxes that exist.
fn catch_all_before_mailbox(journey: &Journey<'_>, page: &mut Page<'_>, address: &str) {
    let settings = journey.rewriting.settings();
    let (aliases, mailboxes) = (&settings.virtual_alias_maps, &settings.virtual_mailbox_maps);
    let Some((_, domain)) = address.rsplit_once('@') else { return };
    let alias = journey.rewriting.find_address(journey.tables, aliases, address).ok().flatten();
    let Some(alias) = alias.filter(|alias| alias.key == format!("@{domain}")) else { return };
    let swallowed = |mailbox: &String| {
        let own = journey.rewriting.find_address(journey.tables, aliases, mailbox);
        own.ok().flatten().is_some_and(|found| found.key.starts_with('@'))
    };
    let swallowed: Vec<String> = mailboxes_in(journey, domain).into_iter().filter(swallowed).collect();
    let exists = journey.rewriting.find_address(journey.tables, mailboxes, address);
    let exists = exists.ok().flatten().is_some_and(|found| !found.key.starts_with('@'));
    if !exists && swallowed.is_empty() {
        return;
    }
    let lost = if swallowed.is_empty() { vec![address.to_owned()] } else { swallowed };
    page.warning(&format!(
        "alias @{domain} in {} captures {}. Add a row such as \"{first} {first}\" there for each, or move the \
         catch-all to virtual_mailbox_maps.",
        alias.table,
        count(&lost, "mailbox", "mailboxes"),
        first = lost[0],
    ));
}

/// `user+tag` is another user as long as nothing says that `+` begins a tag.
fn tag_without_delimiter(journey: &Journey<'_>, page: &mut Page<'_>, address: &str) {
    let Some((local, domain)) = address.rsplit_once('@') else { return };
    let delimiters = journey.config.get(&parameters::RECIPIENT_DELIMITER);
    if split_extension(local, &delimiters).is_some() {
        return;
    }
    let Some((base, _)) = local.split_once(USUAL_DELIMITERS).filter(|(base, _)| !base.is_empty()) else {
        return;
    };
    let untagged = format!("{base}@{domain}");
    let exists = |address: &str| {
        let resolved = journey.rewriting.resolve(journey.tables, &journey.sender, address).ok()?;
        let existence = journey.rewriting.existence(journey.tables, address, &resolved).ok()?;
        Some(existence == rewriting::Existence::Accepted && resolved.class != Class::Default)
    };
    if exists(address) != Some(true) && exists(&untagged) == Some(true) {
        page.warning(&format!(
            "{untagged} exists, but {address} does not: {}. Set recipient_delimiter, here and in the mailbox server, \
             to let a tag follow the name.",
            page.setting("recipient_delimiter")
        ));
    }
}

/// Mail for a domain in no list of ours goes to its MX; if that is this host, it comes back.
fn domain_in_no_class(journey: &Journey<'_>, page: &mut Page<'_>, address: &str) {
    let Ok(resolved) = journey.rewriting.resolve(journey.tables, &journey.sender, address) else { return };
    if resolved.class != Class::Default || resolved.malformed || resolved.decided_by != "default_transport" {
        return;
    }
    let Some((_, domain)) = resolved.recipient.rsplit_once('@') else { return };
    page.warning(&format!(
        "{domain} is in none of mydestination, virtual_alias_domains, virtual_mailbox_domains and relay_domains. If its MX \
         is this host, mail for it is returned: \"mail for {domain} loops back to myself\"."
    ));
}

/// The addresses of a domain that have a mailbox of their own, as far as the tables can be listed.
fn mailboxes_in(journey: &Journey<'_>, domain: &str) -> Vec<String> {
    let mut found = Vec::new();
    let names = split_list(&journey.rewriting.settings().virtual_mailbox_maps);
    for name in names.filter_map(|name| TableName::parse(name).ok()) {
        let table = OpenTable::new(name, &Options::default());
        let mut note = |key: &[u8], _value: &[u8]| {
            let key = String::from_utf8_lossy(key);
            if key
                .rsplit_once('@')
                .is_some_and(|(user, of)| !user.is_empty() && of.eq_ignore_ascii_case(domain))
            {
                found.push(key.into_owned());
            }
        };
        // A table that can not be listed has nothing to tell here.
        let _ = table.entries(&mut note);
    }
    found.sort();
    found
}

/// `2 mailboxes: a@x, b@x`
fn count(addresses: &[String], one: &str, many: &str) -> String {
    let named = addresses.iter().take(NAMED_MAILBOXES).cloned().collect::<Vec<_>>().join(", ");
    let more = if addresses.len() > NAMED_MAILBOXES { ", ..." } else { "" };
    format!("{} {}: {named}{more}", addresses.len(), if addresses.len() == 1 { one } else { many })
}
