//! Bounces of mail that this host sent.

use super::{Context, Found, Function};
use crate::perl::Fixed;

const LIST: &str = "welcomelist_bounce_relays";

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "have_any_bounce_relays" => Some(|context, _| have_relays(context).into()),
        "check_welcomelist_bounce_relays" | "check_whitelist_bounce_relays" => Some(from_own_relay),
        _ => None,
    }
}

fn have_relays(context: &Context<'_>) -> bool {
    context.mail.settings.addresses.get(LIST).is_some_and(|list| !list.is_empty())
}

fn from_own_relay(context: &Context<'_>, _: &[String]) -> Found {
    static RECEIVED: Fixed = Fixed::new(r"(?i)^[> ]*Received:");
    static WORD: Fixed = Fixed::new(r"\s(\S+\.\S+)(?=\s)");
    if !have_relays(context) {
        return Found::No;
    }
    let names_relay = |line: &[u8]| {
        let words = WORD.all(line);
        words.iter().any(|groups| context.mail.settings.list_contains(LIST, groups.get(1)))
    };
    if context.body().iter().any(|line| RECEIVED.is_match(line) && names_relay(line)) {
        return Found::Yes;
    }
    let mut field: Vec<u8> = Vec::new();
    for line in context.mail.tree.body.split(|byte| *byte == b'\n') {
        match line.first() {
            Some(b' ' | b'\t') => field.extend_from_slice(line),
            _ => field = line.to_vec(),
        }
        field.push(b' ');
        if RECEIVED.is_match(&field) && names_relay(&field) {
            return Found::Yes;
        }
    }
    Found::No
}
