//! When a message came, as its header tells.

use crate::dates;
use crate::mail::Mail;
use crate::perl::Fixed;

/// Seconds since 1970 at which the message was received; `now` when its header does not tell.
pub(super) fn received_at(mail: &Mail<'_>, now: i64) -> i64 {
    let fields = &mail.tree.root().fields;
    let hops: Vec<&[u8]> = fields.named(b"received").map(|field| field.value.as_slice()).collect();
    let (hops, local) = without_local(&hops);
    let date = |value: &[u8]| dates::parse(value).filter(|time| *time != 0);
    let first = |values: &[&[u8]]| values.iter().find_map(|value| date(value));
    first(&hops[..hops.len().min(1)])
        .or_else(|| first(&local))
        .or_else(|| mailbox_line(mail).and_then(|line| date(&line)))
        .or_else(|| first(hops.get(1..).unwrap_or_default()))
        .or_else(|| {
            first(&fields.named(b"resent-date").map(|field| field.value.as_slice()).collect::<Vec<_>>())
        })
        .or_else(|| fields.named(b"date").next().and_then(|field| date(&field.value)))
        .unwrap_or(now)
}

/// The hops that were not made within this host, and those that were.
fn without_local<'a>(hops: &[&'a [u8]]) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
    static LOCAL: Fixed =
        Fixed::new(r"qmail \d+ invoked by uid \d+|\bfrom (?:localhost\s|(?:\S+ ){1,2}\S*\b127\.0\.0\.1\b)");
    static FETCHED: Fixed = Fixed::new(r"\bby localhost with \w+ \(fetchmail-[\d.]+");
    let mut rest = hops.to_vec();
    let mut local = Vec::new();
    if rest.first().is_some_and(|hop| LOCAL.is_match(hop)) {
        local.push(rest.remove(0));
    }
    if rest.first().is_some_and(|hop| FETCHED.is_match(hop)) {
        local.push(rest.remove(0));
    } else if let Some(hop) = local.pop() {
        rest.insert(0, hop);
    }
    (rest, local)
}

/// What the mailbox file says of when it came.
fn mailbox_line(mail: &Mail<'_>) -> Option<Vec<u8>> {
    static ZONE: Fixed = Fixed::new(r"[-+]\d{4}|\b[A-Z]{2,4}\b");
    let line = mail.tree.mbox_separator.as_deref()?;
    let line = line.strip_prefix(b"From ").or_else(|| line.strip_prefix(b"X-From-Line:"))?.trim_ascii();
    let zone: &[u8] = if ZONE.is_match(line) { b"" } else { b" +0000" };
    Some([line, zone].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Settings;
    use crate::uri::TldPatterns;

    fn at(message: &str) -> i64 {
        let settings = Settings::default();
        let tlds = TldPatterns::new(&settings.registry, &[], &settings.asking.hashbl);
        received_at(&Mail::new(message.as_bytes(), &settings, &tlds), 7)
    }

    #[test]
    fn the_last_hop_that_is_not_this_host_tells() {
        let hop =
            |from: &str, hour| format!("Received: from {from} by x; Wed, 23 Jul 2003 {hour}:30:00 +0200\n");
        assert_eq!(at(&format!("{}{}Date: x\n\n", hop("a", 23), hop("b", 22))), 1_058_995_800);
        let fetched =
            "Received: from a by localhost with IMAP (fetchmail-5.9.0); Wed, 23 Jul 2003 10:00:00 +0000\n";
        assert_eq!(at(&format!("{fetched}{}\n", hop("b", 23))), 1_058_995_800);
        assert_eq!(at("Date: Wed, 23 Jul 2003 23:30:00 +0200\n\n"), 1_058_995_800);
        assert_eq!(at("Subject: x\n\n"), 7);
    }
}
