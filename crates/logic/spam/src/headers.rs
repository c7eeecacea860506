//! Header fields as rules ask for them: `From:addr`, `ALL`, `EnvelopeFrom`, `X-Spam-Relays-External`.

use message::tree::decode_value;

use crate::addresses;
use crate::addresses_of_hosts::reversed;
use crate::mail::Mail;
use crate::perl::{Fixed, Pattern};
use crate::registry::{is_host_name, to_ascii};
use crate::relays::Hop;

/// What a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    All,
    /// All fields between two `Received` fields.
    Range(Range),
    EnvelopeFrom,
    Relays(Which),
    ToCc,
    MessageId,
    Field(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    Trusted,
    Internal,
    Untrusted,
    External,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Untrusted,
    Trusted,
    External,
    Internal,
}

/// A name with its modifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    name: Name,
    modifiers: Modifiers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Modifiers {
    raw: bool,
    addr: bool,
    name: bool,
    host: bool,
    domain: bool,
    ip: bool,
    revip: bool,
    first: bool,
    last: bool,
}

impl Request {
    pub(crate) fn parse(text: &str) -> Self {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let mut modifiers = Modifiers::default();
        parts.for_each(|modifier| modifiers.set(modifier));
        let name = match name {
            "ALL" => Name::All,
            "ALL-TRUSTED" => Name::Range(Range::Trusted),
            "ALL-INTERNAL" => Name::Range(Range::Internal),
            "ALL-UNTRUSTED" => Name::Range(Range::Untrusted),
            "ALL-EXTERNAL" => Name::Range(Range::External),
            "MESSAGEID" => Name::MessageId,
            other => match other.to_ascii_lowercase().as_str() {
                "envelopefrom" => Name::EnvelopeFrom,
                "tocc" => Name::ToCc,
                "x-spam-relays-untrusted" => Name::Relays(Which::Untrusted),
                "x-spam-relays-trusted" => Name::Relays(Which::Trusted),
                "x-spam-relays-external" => Name::Relays(Which::External),
                "x-spam-relays-internal" => Name::Relays(Which::Internal),
                lower => Name::Field(lower.to_owned()),
            },
        };
        Self { name, modifiers }
    }

    /// The field that it asks for, in lower case; `None` when it asks for anything else too, or for what is made of several.
    pub(crate) fn field_name(&self) -> Option<&str> {
        match &self.name {
            Name::Field(name) if !METADATA.contains(&name.as_str()) => Some(name),
            _ => None,
        }
    }

    /// Is only the first value wanted when one text is asked for?
    pub(crate) fn is_single(&self) -> bool {
        let modifiers = self.modifiers;
        let picks = modifiers.addr || modifiers.name || modifiers.host || modifiers.ip;
        picks || (self.name == Name::EnvelopeFrom && modifiers == Modifiers::default())
    }

    /// The values in a message.
    pub(crate) fn values(&self, mail: &Mail<'_>) -> Vec<Vec<u8>> {
        match self.name {
            Name::All => return all(mail, self.modifiers.raw),
            Name::Range(range) => return in_range(mail, range, self.modifiers.raw),
            _ => {}
        }
        let values = self.modifiers.pick(self.plain_values(mail));
        let values = self.modifiers.mailboxes(values);
        self.modifiers.hosts(values, mail)
    }

    fn plain_values(&self, mail: &Mail<'_>) -> Vec<Vec<u8>> {
        let modifiers = self.modifiers;
        match &self.name {
            Name::All | Name::Range(_) => Vec::new(),
            Name::EnvelopeFrom => mail.envelope_from().map(<[u8]>::to_vec).into_iter().collect(),
            Name::Relays(which) => vec![relays(mail, *which)],
            Name::ToCc => ["to", "cc"].iter().flat_map(|name| fields(mail, name, modifiers.raw)).collect(),
            Name::MessageId => {
                let names = ["x-message-id", "resent-message-id", "x-original-message-id", "message-id"];
                let all = names.iter().flat_map(|name| fields(mail, name, modifiers.raw));
                all.filter(|value| !value.is_empty()).collect()
            }
            Name::Field(name) => {
                let found: Vec<Vec<u8>> = if modifiers.raw || modifiers.addr || modifiers.name {
                    mail.tree.root().fields.named(name.as_bytes()).map(|field| field.raw.clone()).collect()
                } else {
                    fields(mail, name, false)
                };
                if found.is_empty() { metadata(mail, name) } else { found }
            }
        }
    }
}

impl Modifiers {
    fn set(&mut self, modifier: &str) {
        match modifier {
            "raw" => self.raw = true,
            "addr" => self.addr = true,
            "name" => self.name = true,
            "host" => self.host = true,
            "domain" => (self.host, self.domain) = (true, true),
            "ip" => self.ip = true,
            "revip" => (self.ip, self.revip) = (true, true),
            "first" => self.first = true,
            "last" => self.last = true,
            _ => {}
        }
    }

    fn pick(self, mut values: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        if self.first {
            values.truncate(1);
        } else if self.last {
            values.drain(..values.len().saturating_sub(1));
        }
        values
    }

    fn mailboxes(self, values: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        if !self.addr && !self.name {
            return values;
        }
        let found = values.iter().flat_map(|value| addresses::parse(value));
        if self.addr {
            return found.filter_map(|found| found.address).collect();
        }
        found
            .filter_map(|found| found.phrase)
            .map(|phrase| if self.raw { phrase } else { shown_name(&phrase) })
            .collect()
    }

    fn hosts(self, values: Vec<Vec<u8>>, mail: &Mail<'_>) -> Vec<Vec<u8>> {
        if !self.host && !self.ip {
            return values;
        }
        if !self.host {
            return values.iter().filter_map(|value| address_in(value, self.revip)).collect();
        }
        let hosts = values
            .iter()
            .filter_map(|value| if self.addr { host_behind_at(value) } else { host_in(value, mail) });
        hosts.map(|host| if self.domain { mail.settings.registry.registered(&host) } else { host }).collect()
    }
}

/// A name without quotes and needless blanks, decoded.
fn shown_name(phrase: &[u8]) -> Vec<u8> {
    let decoded = decode_value(phrase, b"pms:get:");
    if decoded.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b) {
        return decoded;
    }
    let words: Vec<&[u8]> = decoded
        .split(|byte| byte.is_ascii_whitespace() || *byte == 0x0b)
        .filter(|word| !word.is_empty())
        .collect();
    let text = words.join(&b' ');
    let inner = text.strip_prefix(b"'").and_then(|rest| rest.strip_suffix(b"'"));
    inner.map_or_else(|| text.clone(), <[u8]>::to_vec)
}

fn host_behind_at(value: &[u8]) -> Option<Vec<u8>> {
    static HOST: Fixed = Fixed::new(r".*\@(\S+)");
    HOST.groups(value).map(|groups| groups.text(1))
}

fn host_in(value: &[u8], mail: &Mail<'_>) -> Option<Vec<u8>> {
    let valid = |host: &Vec<u8>| is_host_name(&to_ascii(host));
    let first =
        |pattern: &Pattern| pattern.all_groups(value).into_iter().map(|groups| groups.text(1)).find(valid);
    mail.tlds.host_of_address.first_group(value).filter(valid).or_else(|| first(&mail.tlds.host))
}

fn address_in(value: &[u8], reverse: bool) -> Option<Vec<u8>> {
    static ADDRESS: Fixed = Fixed::new(r"(?<!\.)\b(<IP>)\b(?!\.)");
    let address = ADDRESS.groups(value)?.text(1);
    if reverse { reversed(&address).map(String::into_bytes) } else { Some(address) }
}

fn fields(mail: &Mail<'_>, name: &str, raw: bool) -> Vec<Vec<u8>> {
    let named = mail.tree.root().fields.named(name.as_bytes());
    named.map(|field| if raw { field.raw_line() } else { [field.value.as_slice(), b"\n"].concat() }).collect()
}

fn relays(mail: &Mail<'_>, which: Which) -> Vec<u8> {
    let hops: &[Hop] = match which {
        Which::Untrusted => &mail.relays.untrusted,
        Which::Trusted => &mail.relays.trusted,
        Which::External => &mail.relays.external,
        Which::Internal => &mail.relays.internal,
    };
    relays_text(hops)
}

/// The relays as rules see them.
pub(crate) fn relays_text(hops: &[Hop]) -> Vec<u8> {
    hops.iter().map(Hop::to_text).collect::<Vec<_>>().join(&b' ')
}

const SENDER_DOMAIN: &str = "x-senderdomain";
const AUTHOR_DOMAIN: &str = "x-authordomain";
/// Names under which rules find what is known beside the header.
const METADATA: [&str; 2] = [SENDER_DOMAIN, AUTHOR_DOMAIN];

/// What is known beside the header.
fn metadata(mail: &Mail<'_>, name: &str) -> Vec<Vec<u8>> {
    let domains = match name {
        SENDER_DOMAIN => mail.get("EnvelopeFrom:first:addr:host").first().map(|host| to_ascii(host)),
        AUTHOR_DOMAIN => {
            let mut seen: Vec<Vec<u8>> = Vec::new();
            for host in mail.get("From:addr:host").iter().map(|host| to_ascii(host)) {
                if !seen.contains(&host) {
                    seen.push(host);
                }
            }
            (!seen.is_empty()).then(|| seen.join(&b' '))
        }
        _ => None,
    };
    domains.into_iter().collect()
}

fn all(mail: &Mail<'_>, raw: bool) -> Vec<Vec<u8>> {
    if raw {
        return pristine_fields(mail);
    }
    let (lines, truncated) = mail.tree.root().fields.text(false);
    if truncated {
        mail.headers_truncated.get_or_init(|| ());
    }
    lines
}

/// Whole fields with their folds, as they came.
fn pristine_fields(mail: &Mail<'_>) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for line in mail.tree.head.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let Some(last) = found.last_mut() {
                last.extend_from_slice(line);
            }
        } else if line != b"\n" {
            found.push(line.to_vec());
        }
    }
    found
}

fn in_range(mail: &Mail<'_>, range: Range, raw: bool) -> Vec<Vec<u8>> {
    let relays = &mail.relays;
    let (start, end) = match range {
        Range::Trusted => (None, Some(relays.last_trusted + 1)),
        Range::Internal => (None, Some(relays.last_internal + 1)),
        Range::Untrusted => (Some(relays.last_trusted + 1), None),
        Range::External => (Some(relays.last_internal + 1), None),
    };
    let mut found = Vec::new();
    let mut current = -1;
    for line in all(mail, raw) {
        let is_received = line.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"received:"));
        current += i64::from(is_received);
        let behind_start = start.is_none_or(|start| start <= current);
        if behind_start && end.is_none_or(|end| current < end) {
            found.push(line);
        } else if end == Some(current) {
            found.push(line);
            break;
        }
    }
    found
}

impl Mail<'_> {
    /// The envelope's sender, as far as header fields tell.
    pub(crate) fn envelope_from(&self) -> Option<&[u8]> {
        self.envelope_from.get_or_init(|| self.find_envelope_from()).as_deref()
    }

    fn find_envelope_from(&self) -> Option<Vec<u8>> {
        let first = |name: &str| self.get(&format!("{name}:first:addr")).first().cloned();
        let plausible = |sender: &Vec<u8>| {
            sender.is_empty() || sender.iter().position(|byte| *byte == b'@').is_some_and(|at| at > 0)
        };
        if let Some(header) = &self.settings.envelope_sender_header {
            return first(header).filter(plausible);
        }
        let hop = self.relays.untrusted.first().or_else(|| self.relays.trusted.last());
        if let Some(sender) = hop.and_then(|hop| hop.envelope_sender.clone()).filter(plausible) {
            return Some(sender);
        }
        let fetched =
            || self.get("Received").iter().any(|line| line.windows(10).any(|window| window == b"(fetchmail"));
        if first("X-Sender").is_some_and(|sender| sender.contains(&b'@')) && fetched() {
            return None;
        }
        if let Some(sender) = first("X-Envelope-From") {
            return (!self.stands_below_received(b"x-envelope-from")).then_some(sender);
        }
        let others = ["Envelope-Sender", "Return-Path"];
        others.iter().find_map(|name| {
            first(name).filter(|_| !self.stands_below_received(name.to_ascii_lowercase().as_bytes()))
        })
    }

    /// A field that a relay below us may have written is not to be believed.
    fn stands_below_received(&self, name: &[u8]) -> bool {
        let mut received = false;
        self.tree.root().fields.iter().any(|field| {
            received |= field.key == b"received";
            received && field.key == name
        })
    }

    /// All addresses that the mail may come from.
    pub(crate) fn all_senders(&self) -> &[Vec<u8>] {
        self.senders.get_or_init(|| {
            let resent = self.get("Resent-From:first:addr");
            let mut found: Vec<Vec<u8>> = Vec::new();
            if !resent.is_empty() {
                found.extend(resent.iter().cloned());
                return found;
            }
            let names = ["From", "Envelope-Sender", "Resent-Sender", "X-Envelope-From", "EnvelopeFrom"];
            for address in names.iter().flat_map(|name| self.get(&format!("{name}:addr")).to_vec()) {
                let address = without_double_dots(&address);
                if !address.is_empty() && !found.contains(&address) {
                    found.push(address);
                }
            }
            found
        })
    }

    /// All addresses that the mail may go to.
    pub(crate) fn all_recipients(&self) -> &[Vec<u8>] {
        self.recipients.get_or_init(|| {
            let mut found: Vec<Vec<u8>> = self.get("Resent-To:first:addr").to_vec();
            found.extend(self.get("Resent-Cc:first:addr").iter().cloned());
            if found.is_empty() {
                found = self.find_recipients();
            }
            let mut seen = std::collections::HashSet::new();
            found.retain(|address| seen.insert(address.clone()));
            found
        })
    }

    fn find_recipients(&self) -> Vec<Vec<u8>> {
        static FOR: Fixed = Fixed::new(r" for <?(\S+\@(\S+?))>?;");
        let received = self.get("Received");
        let named = received
            .iter()
            .take(3)
            .filter_map(|line| FOR.groups(line).map(|groups| (groups.text(1), groups.text(2))));
        let mut found: Vec<Vec<u8>> =
            named.filter(|(_, host)| is_host_name(&to_ascii(host))).map(|(address, _)| address).collect();
        let names = [
            "To",
            "Apparently-To",
            "Delivered-To",
            "Envelope-Recipients",
            "Apparently-Resent-To",
            "X-Envelope-To",
            "Envelope-To",
            "X-Delivered-To",
            "X-Original-To",
            "X-Rcpt-To",
            "X-Real-To",
            "Cc",
        ];
        found.extend(names.iter().flat_map(|name| self.get(&format!("{name}:addr")).to_vec()));
        found
    }
}

fn without_double_dots(address: &[u8]) -> Vec<u8> {
    let mut single = address.to_vec();
    single.dedup_by(|one, other| *one == b'.' && *other == b'.');
    single
}
