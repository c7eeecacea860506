//! The header, made ready for being cut into words.

use std::collections::BTreeMap;

use super::chew::chewed;
use crate::headers::relays_text;
use crate::mail::Mail;
use crate::rules::Settings;

/// Fields that say nothing of a message's kind: marks of lists, mailboxes and other filters, and what every message has.
/// A name that ends in `*` stands for all that begin so.
const IGNORED: [&str; 102] = [
    "content-class",
    "content-length",
    "date",
    "delivered-to",
    "delivery-date",
    "envelope-to",
    "forwarded",
    "lines",
    "list-admin",
    "list-archive",
    "list-comment",
    "list-help",
    "list-host",
    "list-id",
    "list-manager",
    "list-name",
    "list-owner",
    "list-post",
    "list-subscribe",
    "list-unsubscribe",
    "list-url",
    "mail-followup-to",
    "mailing-list",
    "original-date",
    "original-from",
    "original-to",
    "replied",
    "resent-date",
    "resent-from",
    "resent-to",
    "sender",
    "spam",
    "spam-apparently-to",
    "status",
    "subject",
    "thread-index",
    "thread-topic",
    "x-antispam",
    "x-ap-spam-score",
    "x-ap-spam-status",
    "x-beenthere",
    "x-bogosity",
    "x-bugzilla-*",
    "x-converted-to-plain-text",
    "x-egroups-from",
    "x-egroups-return",
    "x-envelope-to",
    "x-filtered-by",
    "x-flags",
    "x-gnus-mail-source",
    "x-imapbase",
    "x-keywords",
    "x-list",
    "x-list-admin",
    "x-list-archive",
    "x-list-comment",
    "x-list-help",
    "x-list-host",
    "x-list-id",
    "x-list-manager",
    "x-list-name",
    "x-list-owner",
    "x-list-post",
    "x-list-subscribe",
    "x-list-unsubscribe",
    "x-list-url",
    "x-loop",
    "x-mailing-list",
    "x-mailman-version",
    "x-mailscanner",
    "x-mailscanner-spamcheck",
    "x-mass-check-id",
    "x-mdaemon-deliver-to",
    "x-mdmailing-list",
    "x-mime-autoconverted",
    "x-original-date",
    "x-original-from",
    "x-original-to",
    "x-originalarrivaltime",
    "x-perlmx-spam",
    "x-pyzor",
    "x-rbl-warning",
    "x-resent-date",
    "x-resent-from",
    "x-resent-to",
    "x-ripe-spam-status",
    "x-scanned-by",
    "x-scanner",
    "x-sender",
    "x-smtpd",
    "x-spam",
    "x-spam-apparently-to",
    "x-spamcop-*",
    "x-status",
    "x-sympa-to",
    "x-uid",
    "x-uidl",
    "x-unsub",
    "x-unsubscribe",
    "x-virus-scanned",
    "x-xemacs-list",
    "xref",
];
/// The same, behind `x-spam-` and `x-vm-`.
const IGNORED_SPAM: [&str; 7] = ["checker-version", "flag", "hits", "level", "report", "score", "status"];
const IGNORED_VM: [&str; 8] = [
    "bookmark",
    "imap-retrieved",
    "labels",
    "last-modified",
    "message-order",
    "pop-retrieved",
    "summary-format",
    "vheader",
];

/// Short forms of names, by the names as they stand in the message.
const SHORT_NAMES: [(&[u8], &[u8]); 19] = [
    (b"Message-Id", b"*m"),
    (b"Message-ID", b"*M"),
    (b"Received", b"*r"),
    (b"User-Agent", b"*u"),
    (b"References", b"*f"),
    (b"In-Reply-To", b"*i"),
    (b"From", b"*F"),
    (b"Reply-To", b"*R"),
    (b"Return-Path", b"*p"),
    (b"Return-path", b"*rp"),
    (b"X-Mailer", b"*x"),
    (b"X-Authentication-Warning", b"*a"),
    (b"Organization", b"*o"),
    (b"Organisation", b"*o"),
    (b"Content-Type", b"*ct"),
    (b"Content-Disposition", b"*cd"),
    (b"Content-Transfer-Encoding", b"*ce"),
    (b"x-spam-relays-trusted", b"*RT"),
    (b"x-spam-relays-untrusted", b"*RU"),
];

fn is_ignored(lower: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(lower) else { return false };
    if let Some(rest) = name.strip_prefix("x-spam-") {
        return IGNORED_SPAM.contains(&rest) || IGNORED.contains(&name);
    }
    if let Some(rest) = name.strip_prefix("x-vm-") {
        let number = rest.strip_prefix('v').and_then(|rest| rest.strip_suffix("-data"));
        let one_digit =
            number.is_some_and(|number| number.len() == 1 && number.as_bytes()[0].is_ascii_digit());
        return IGNORED_VM.contains(&rest) || one_digit;
    }
    if let Some(rest) = name.strip_prefix("x-dcc-") {
        return rest.strip_suffix("-metrics").is_some_and(|brand| (2..=25).contains(&brand.len()));
    }
    IGNORED.iter().any(|known| match known.strip_suffix('*') {
        Some(begin) => name.len() > begin.len() && name.starts_with(begin),
        None => *known == name,
    })
}

/// The values that are cut into words, by the short names of their fields. `scanned` says that the message is being
/// checked: then its domains count as fields, too, and the marks of an earlier check are gone.
pub(super) fn values(mail: &Mail<'_>, settings: &Settings, scanned: bool) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut found = Values::default();
    let mut received: Vec<Vec<u8>> = Vec::new();
    for line in mail.tree.root().fields.text(false).0 {
        let (name, value) = split(&line);
        if name.eq_ignore_ascii_case(b"received") {
            received.push(line);
        } else if !is_ignored(&name.to_ascii_lowercase()) {
            found.add(name, value, settings);
        }
    }
    for (name, value) in facts(mail, scanned) {
        found.add(name.as_bytes(), &[b" ", value.as_slice()].concat(), settings);
    }
    // The first two hops are those of the sender's side.
    for line in received.iter().rev().take(2) {
        let (name, value) = split(line);
        found.add(name, value, settings);
    }
    found.by_name
}

fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
    let value = line.get(colon + 1..).unwrap_or_default();
    (&line[..colon], value.strip_suffix(b"\n").unwrap_or(value))
}

/// What is known of a message beside its header.
fn facts(mail: &Mail<'_>, scanned: bool) -> Vec<(&'static str, Vec<u8>)> {
    let domains = ["x-authordomain", "x-senderdomain"].into_iter().filter(|_| scanned);
    let mut facts: Vec<_> =
        domains.filter_map(|name| mail.text_if_any(name).map(|value| (name, value))).collect();
    facts.push(("x-spam-relays-external", relays_text(&mail.relays.external)));
    facts.push(("x-spam-relays-internal", relays_text(&mail.relays.internal)));
    facts.push(("x-spam-relays-trusted", relays_text(&mail.relays.trusted)));
    facts.push(("x-spam-relays-untrusted", relays_text(&mail.relays.untrusted)));
    facts
}

#[derive(Default)]
struct Values {
    by_name: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Values {
    fn add(&mut self, name: &[u8], value: &[u8], settings: &Settings) {
        let lower = name.to_ascii_lowercase();
        let chosen =
            std::str::from_utf8(&lower).is_ok_and(|name| settings.bayes_ignore_header.contains(name));
        if chosen {
            return;
        }
        let value = chewed(name, value);
        let family: Option<&[u8]> = match lower.as_slice() {
            b"in-reply-to" | b"references" | b"message-id" => Some(b"*MI"),
            b"from" | b"to" | b"cc" => Some(b"*Ad"),
            b"x-mailer" | b"user-agent" => Some(b"*UA"),
            _ => None,
        };
        if let Some(family) = family {
            self.append(family, &value);
        }
        let short = SHORT_NAMES.iter().find(|(long, _)| *long == name).map_or(name, |(_, short)| *short);
        self.append(short, &value);
    }

    fn append(&mut self, name: &[u8], value: &[u8]) {
        match self.by_name.get_mut(name) {
            Some(before) => {
                before.push(b' ');
                before.extend_from_slice(value);
            }
            None => {
                self.by_name.insert(name.to_vec(), value.to_vec());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_say_nothing() {
        for name in ["subject", "x-spam-status", "x-dcc-xyz-metrics", "x-bugzilla-product", "x-vm-v5-data"] {
            assert!(is_ignored(name.as_bytes()), "{name}");
        }
        for name in ["x-mailer", "x-spam-foo", "x-dcc-x-metrics", "x-bugzilla-", "x-vm-v55-data"] {
            assert!(!is_ignored(name.as_bytes()), "{name}");
        }
        assert!(IGNORED.is_sorted());
    }
}
