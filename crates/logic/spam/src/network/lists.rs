//! Lists of relays and senders: `check_rbl` and its relatives.

use super::addresses::Addresses;
use super::question::{RecordKind, Reply};
use super::subtest::Subtest;
use super::walk::Walk;
use crate::addresses_of_hosts::{is_address, reversed};
use crate::mail::Mail;
use crate::perl::Fixed;
use crate::registry::{is_host_name, to_ascii};
use crate::ruleset::RuleId;

/// What a function looks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// The addresses of relays; the record says which are listed.
    Relays(RecordKind),
    /// The hosts of all senders.
    SenderHosts,
    /// The domains of all senders.
    SenderDomains,
    EnvelopeSender,
    /// The hosts in some fields.
    Fields,
    /// What is known of the first relay.
    FirstRelay,
    /// The addresses of relays, where the sender names somebody who vouches for it.
    Vouched,
    /// The first name server of the envelope's sender.
    SenderServer,
}

impl Subject {
    /// Which records say that it is listed.
    fn kind(self) -> RecordKind {
        if let Self::Relays(kind) = self { kind } else { RecordKind::A }
    }
}

/// The subject of a function; `None` when it is another one.
pub(super) fn subject(function: &str) -> Option<Subject> {
    Some(match function {
        "check_rbl" => Subject::Relays(RecordKind::A),
        "check_rbl_txt" => Subject::Relays(RecordKind::Txt),
        "check_rbl_from_host" => Subject::SenderHosts,
        "check_rbl_from_domain" => Subject::SenderDomains,
        "check_rbl_envfrom" => Subject::EnvelopeSender,
        "check_rbl_headers" => Subject::Fields,
        "check_rbl_rcvd" => Subject::FirstRelay,
        "check_rbl_accreditor" => Subject::Vouched,
        "check_rbl_ns_from" => Subject::SenderServer,
        _ => return None,
    })
}

/// A list that is asked, once the rule's arguments are understood.
pub(crate) struct List {
    pub(super) subject: Subject,
    set: String,
    zone: String,
    subtest: Option<Subtest>,
    /// The fields that [`Subject::Fields`] is about, when not those of `rbl_headers`.
    fields: Option<Vec<String>>,
}

impl List {
    /// `set, zone, subtest, fields`; `None` when the subtest does not read.
    pub(super) fn new(subject: Subject, arguments: &[String]) -> Option<Self> {
        let argument =
            |index: usize| arguments.get(index).filter(|text| !text.is_empty() && *text != "undef");
        let subtest = match argument(2) {
            Some(text) => Some(Subtest::of_list(text)?),
            None => None,
        };
        Some(Self {
            subject,
            set: argument(0)?.clone(),
            zone: argument(1)?.trim_end_matches('.').to_owned(),
            subtest,
            fields: argument(3).map(|text| text.split(',').map(|name| name.trim().to_owned()).collect()),
        })
    }
}

/// `check_rbl_sub`: what else an answer of a set may mean.
pub(crate) struct Sub {
    pub(super) set: String,
    pub(super) subtest: Subtest,
}

impl Sub {
    /// `set, subtest`
    pub(super) fn new(arguments: &[String]) -> Option<Self> {
        let [set, subtest, ..] = arguments else { return None };
        Some(Self { set: set.clone(), subtest: Subtest::of_list(subtest)? })
    }
}

/// Asks a list about a message.
pub(super) fn ask(walk: &mut Walk<'_>, rule: RuleId, list: &List) {
    let kind = list.subject.kind();
    let names = match list.subject {
        Subject::SenderServer => server_of_sender(walk).into_iter().collect(),
        _ => names(walk, rule, list),
    };
    for name in names {
        let name = format!("{name}.{}", list.zone);
        if let Some(reply) = walk.ask(&name, kind) {
            judge(walk, rule, list, &name, reply);
        }
    }
}

fn judge(walk: &mut Walk<'_>, rule: RuleId, list: &List, name: &str, reply: &Reply) {
    let kind = list.subject.kind();
    for record in &reply.records {
        // RFC 5782 §2.1: other answers come from whoever took the name of a list that is gone.
        if kind == RecordKind::A && !record.starts_with("127.") {
            continue;
        }
        let note = if kind == RecordKind::Txt { text_note(record) } else { address_note(name) };
        if list.subtest.as_ref().is_none_or(|subtest| subtest.holds(record)) {
            walk.hit(rule, note.clone());
        }
        for (other, sub) in &walk.calls.subs {
            if sub.set == list.set && sub.subtest.holds(record) && walk.is_active(*other) {
                walk.hit(*other, note.clone());
            }
        }
    }
}

/// `192.0.2.1 listed in list.example`
fn address_note(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let labels: Vec<&str> = name.split('.').collect();
    let octet = |label: &&str| label.parse::<u8>().is_ok();
    let nibble = |label: &&str| label.len() == 1 && label.bytes().all(|byte| byte.is_ascii_hexdigit());
    if labels.len() > 32 && labels[..32].iter().all(nibble) {
        let digits: String = labels[..32].iter().rev().copied().collect();
        let groups: Vec<&str> = (0..8).map(|group| &digits[group * 4..group * 4 + 4]).collect();
        let short = groups.iter().enumerate().map(|(index, group)| match index {
            0 => group,
            _ => {
                let rest = group.trim_start_matches('0');
                if rest.is_empty() { "0" } else { rest }
            }
        });
        return format!("{} listed in {}", short.collect::<Vec<_>>().join(":"), labels[32..].join("."));
    }
    if labels.len() > 4 && labels[..4].iter().all(octet) {
        let ip: Vec<&str> = labels[..4].iter().rev().copied().collect();
        return format!("{} listed in {}", ip.join("."), labels[4..].join("."));
    }
    format!("listed in {name}")
}

/// The list's own words, its links in angles.
fn text_note(text: &str) -> String {
    static LINK: Fixed = Fixed::new(r"(?i)(?<![<(\[])(https?://\S+)");
    let marked = LINK.replace_all(text.as_bytes(), |groups| [b"<", groups.get(1), b">"].concat());
    String::from_utf8_lossy(&marked).into_owned()
}

/// What is put before the zone.
fn names(walk: &Walk<'_>, rule: RuleId, list: &List) -> Vec<String> {
    let mail = walk.mail;
    match list.subject {
        Subject::Vouched if !is_vouched(mail, list) => Vec::new(),
        Subject::SenderServer => Vec::new(),
        Subject::Relays(_) | Subject::Vouched => {
            let nice = walk.rules[rule].flags.nice;
            let chosen =
                walk.addresses().map(|known| known.chosen(&list.set, mail, nice)).unwrap_or_default();
            chosen.iter().filter_map(|ip| reversed(ip)).collect()
        }
        Subject::SenderHosts => hosts_of(walk, rule, mail.all_senders()),
        Subject::SenderDomains => hosts_of(walk, rule, &sender_domains(mail)),
        Subject::EnvelopeSender => hosts_of(walk, rule, &mail.get("EnvelopeFrom:addr")),
        Subject::Fields => {
            in_fields(walk, rule, list.fields.as_ref().unwrap_or(&mail.settings.asking.rbl_headers))
        }
        Subject::FirstRelay => {
            let relay = mail.relays.untrusted.last();
            let known = relay.map(|hop| [&hop.ip, &hop.by, &hop.helo, &hop.rdns]);
            known.into_iter().flatten().filter_map(|host| host_name(walk, rule, host)).collect()
        }
    }
}

/// Does the sender name this one as who vouches for it: in the envelope, `list@a--accreditor.example.com`, or in a field?
fn is_vouched(mail: &Mail<'_>, list: &List) -> bool {
    static IN_ADDRESS: Fixed = Fixed::new(r"(?i)[@.]a--([a-z0-9]{3,})\.");
    let Some(wanted) = list.fields.as_deref().and_then(<[String]>::first) else { return false };
    let is_wanted = |name: &[u8]| name.to_ascii_lowercase() == wanted.as_bytes();
    let sender = mail.text("EnvelopeFrom:addr");
    let field = mail.text("Accreditor");
    let mut in_field = field
        .split(|byte| *byte == b',')
        .filter_map(|part| part.split(u8::is_ascii_whitespace).find(|word| !word.is_empty()));
    IN_ADDRESS.groups(&sender).is_some_and(|groups| is_wanted(groups.get(1))) || in_field.any(is_wanted)
}

/// The first name server that the zone of the envelope's sender names in its SOA. As in the peer a domain with servers of its
/// own has none.
fn server_of_sender(walk: &mut Walk<'_>) -> Option<String> {
    static HOST: Fixed = Fixed::new(r"\@([^\@\s]+\.[^\@\s]+)");
    static DOTS: Fixed = Fixed::new(r"\.+");
    let sender = walk.mail.text("EnvelopeFrom:addr").to_ascii_lowercase();
    let sender = DOTS.replace_all(&sender, |_| b".".to_vec());
    let domain = HOST.groups(&sender).map(|groups| String::from_utf8_lossy(groups.get(1)).into_owned())?;
    // Nothing is known where no server answered.
    let reply = walk.ask(&domain, RecordKind::Ns).filter(|reply| matches!(reply.code, 0 | 3))?;
    if !reply.records.is_empty() {
        return None;
    }
    let mut zone = Some(domain.as_str());
    while let Some(name) = zone.filter(|name| name.contains('.')) {
        if let Some(record) = walk.ask(name, RecordKind::Soa)?.records.first() {
            let server = record.split(' ').next().unwrap_or_default().trim_end_matches('.');
            return is_host_name(server.as_bytes()).then(|| server.to_ascii_lowercase());
        }
        zone = name.split_once('.').map(|(_, parent)| parent);
    }
    None
}

fn sender_domains(mail: &Mail<'_>) -> Vec<Vec<u8>> {
    let registry = &mail.settings.registry;
    let domain = |address: &Vec<u8>| {
        let (domain, _) = registry.domain_of_uri(&[b"mailto:", address.as_slice()].concat())?;
        Some([b"x@", domain.as_slice()].concat())
    };
    mail.all_senders().iter().filter_map(domain).collect()
}

/// The hosts of addresses, each once.
fn hosts_of(walk: &Walk<'_>, rule: RuleId, addresses: &[Vec<u8>]) -> Vec<String> {
    static HOST: Fixed = Fixed::new(r"\@([^\@\s]+)");
    static DOTS: Fixed = Fixed::new(r"\.+");
    let mut hosts: Vec<String> = Vec::new();
    for address in addresses {
        let Some(groups) = HOST.groups(address) else { continue };
        let host = DOTS.replace_all(groups.get(1), |_| b".".to_vec());
        let host = host.strip_prefix(b".").unwrap_or(&host);
        let host = host.strip_suffix(b".").unwrap_or(host);
        let found = if host.contains(&b'.') { host_name(walk, rule, host) } else { None };
        hosts.extend(found.filter(|host| !hosts.contains(host)));
    }
    hosts
}

/// As it is put before the zone; `None` when the rule is not about such, or it is no name in the world.
fn host_name(walk: &Walk<'_>, rule: RuleId, host: &[u8]) -> Option<String> {
    let flags = walk.rules[rule].flags;
    let host = host.trim_ascii();
    if is_address(host) {
        return if flags.domains_only { None } else { reversed(host) };
    }
    let name = to_ascii(host.strip_suffix(b".").unwrap_or(host));
    let good = !flags.ips_only && is_host_name(&name) && walk.mail.settings.registry.is_valid(&name);
    good.then(|| String::from_utf8_lossy(&name).into_owned())
}

fn in_fields(walk: &Walk<'_>, rule: RuleId, fields: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for field in fields {
        let addresses = walk.mail.get(&format!("{field}:addr"));
        if addresses.first().is_some_and(|address| address.contains(&b'@')) {
            names.extend(hosts_of(walk, rule, &addresses[..1]));
        } else {
            let text = walk.mail.text(field);
            names.extend(text.split(|byte| *byte == b'\n').filter_map(|line| host_name(walk, rule, line)));
        }
    }
    names
}

impl Walk<'_> {
    /// The addresses of relays; `None` when all of them are trusted.
    fn addresses(&self) -> Option<&Addresses> {
        self.relays.get_or_init(|| Addresses::of(self.mail)).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_name_the_address() {
        assert_eq!(address_note("2.0.0.192.zen.Example"), "192.0.0.2 listed in zen.example");
        assert_eq!(address_note("host.example.list.example"), "listed in host.example.list.example");
        let v6 = reversed(b"2001:db8::1").unwrap();
        assert_eq!(address_note(&format!("{v6}.l.example")), "2001:db8:0:0:0:0:0:1 listed in l.example");
        assert_eq!(text_note("see https://x.example/?q"), "see <https://x.example/?q>");
    }
}
