//! Lists that know addresses, links and other texts by their hashes: the plugin HashBL.

use std::sync::Arc;

use sha1::{Digest, Sha1};

use super::question::RecordKind;
use super::walk::Walk;
use crate::addresses_of_hosts::{is_address, is_v4, reversed};
use crate::mail::Mail;
use crate::perl::{Fixed, Pattern};
use crate::registry::is_host_name;
use crate::rules::Stage;
use crate::ruleset::RuleId;

/// Texts that one rule asks about where it does not say how many.
const TEXT_LIMIT: usize = 10;

/// A list that is asked, once the rule's arguments are understood.
pub(crate) struct HashList {
    subject: Subject,
    zone: String,
    kind: RecordKind,
    options: Options,
    /// What an address must look like to be a hit.
    subtest: Pattern,
}

/// What is looked up.
enum Subject {
    /// Addresses of mailboxes in these places, of the domains of a list (`hashbl_acl_...`).
    Emails {
        places: Vec<String>,
        domains: Option<String>,
    },
    Uris,
    /// What the first group of a pattern finds.
    Matches(Arc<Pattern>, Stage),
    /// The values of a tag.
    Tag(String),
    /// Parts of the message, decoded.
    Attachments,
}

/// `sha1/max=10/shuffle`
struct Options(Vec<(String, String)>);

impl Options {
    fn parse(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let one = |option: &str| {
            let (name, value) = option.split_once('=').unwrap_or((option, "1"));
            (name.trim().to_owned(), value.trim().to_owned())
        };
        Self(text.split('/').map(str::trim).map(one).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !value.is_empty() && value != "0")
    }

    /// The text in the form in which the list has it.
    fn hashed(&self, text: &[u8]) -> String {
        match () {
            () if self.has("sha256") => base32(&sha2::Sha256::digest(text)),
            () if self.has("sha1") => hexadecimal::encode(&Sha1::digest(text)),
            () if self.has("md5") => hexadecimal::encode(&md5::Md5::digest(text)),
            () => String::from_utf8_lossy(text).into_owned(),
        }
    }
}

/// RFC 4648 §6, in lower case and without padding.
fn base32(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0);
    let digit = |start: usize| (start..start + 5).fold(0, |sum, at| sum * 2 + usize::from(bit(at)));
    (0..bytes.len() * 8).step_by(5).map(|start| char::from(DIGITS[digit(start)])).collect()
}

impl HashList {
    /// Is it a function's name?
    pub(super) fn is_known(name: &str) -> bool {
        let functions = ["emails", "uris", "bodyre", "tag", "attachments"];
        name.strip_prefix("check_hashbl_").is_some_and(|what| functions.contains(&what))
    }

    /// `zone, options, ...`; `None` when an argument is missing or does not read.
    pub(super) fn new(name: &str, stage: Stage, arguments: &[String]) -> Option<Self> {
        let argument = |index: usize| {
            arguments.get(index).map(String::as_str).filter(|text| !text.is_empty() && *text != "undef")
        };
        let (subject, subtest) = match name {
            "check_hashbl_emails" => {
                let places = argument(2).unwrap_or("ALLFROM/Reply-To/body");
                let places = places.split('/').map(|place| place.trim().to_owned()).collect();
                (Subject::Emails { places, domains: argument(4).map(str::to_owned) }, 3)
            }
            "check_hashbl_uris" => (Subject::Uris, 2),
            "check_hashbl_attachments" => (Subject::Attachments, 2),
            "check_hashbl_bodyre" => {
                (Subject::Matches(Arc::new(Pattern::plain(argument(2)?).ok()?), stage), 3)
            }
            _ => (Subject::Tag(argument(2)?.trim_matches('_').to_ascii_uppercase()), 3),
        };
        let usual = if name == "check_hashbl_emails" { "sha1/notag/noquote/max=10/shuffle" } else { "sha1" };
        let (zone, kind) = zone(argument(0)?);
        let options = Options::parse(argument(1).unwrap_or(usual));
        if matches!(subject, Subject::Attachments) && options.has("raw") {
            return None;
        }
        let subtest = Pattern::plain(argument(subtest).unwrap_or(r"^127\.")).ok()?;
        Some(Self { subject, zone, kind, options, subtest })
    }
}

/// `list.example/TXT`
fn zone(text: &str) -> (String, RecordKind) {
    let (zone, kind) = text.rsplit_once('/').unwrap_or((text, "A"));
    let kind = if kind.eq_ignore_ascii_case("txt") { RecordKind::Txt } else { RecordKind::A };
    (zone.trim_end_matches('.').to_owned(), kind)
}

/// Asks a list about a message. Where there are too many texts the first are asked: which these are does not change from
/// one check to the next.
pub(super) fn ask(walk: &mut Walk<'_>, rule: RuleId, list: &HashList) {
    let mut texts: Vec<Vec<u8>> = Vec::new();
    for text in texts_of(walk, list) {
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    let limit = list.options.get("max").and_then(|max| max.parse().ok()).filter(|max| *max > 0);
    texts.truncate(limit.unwrap_or(TEXT_LIMIT));
    let is_hashed = matches!(list.subject, Subject::Attachments);
    let ignored = &walk.mail.settings.asking.hashbl.ignored;
    let is_ignored = |text: &str| ignored.contains(&text.to_ascii_lowercase());
    for text in texts {
        let hash =
            if is_hashed { String::from_utf8_lossy(&text).into_owned() } else { list.options.hashed(&text) };
        let shown = String::from_utf8_lossy(&text).into_owned();
        if is_ignored(&shown) || is_ignored(&hash) {
            continue;
        }
        let Some(reply) = walk.ask(&format!("{hash}.{}", list.zone), list.kind) else { continue };
        if reply.records.iter().any(|record| list.subtest.is_match(record.as_bytes())) {
            walk.hit(rule, shown.replace('@', "[at]"));
        }
    }
}

fn texts_of(walk: &Walk<'_>, list: &HashList) -> Vec<Vec<u8>> {
    let fold = |text: Vec<u8>| if list.options.has("case") { text } else { text.to_ascii_lowercase() };
    match &list.subject {
        Subject::Emails { places, domains } => emails(walk.mail, &list.options, places, domains.as_deref()),
        Subject::Uris => uris(walk.mail).into_iter().map(fold).collect(),
        Subject::Matches(pattern, stage) => {
            let number = |text: Vec<u8>| -> Vec<u8> {
                let keeps = |byte: &u8| !list.options.has("num") || byte.is_ascii_digit();
                text.into_iter().filter(keeps).collect()
            };
            matches(walk.mail, pattern, *stage).into_iter().map(fold).map(number).collect()
        }
        Subject::Attachments => attachments(walk.mail, &list.options),
        Subject::Tag(tag) => {
            let values = walk.tag(tag).into_iter().map(fold);
            values.filter_map(|value| tag_value(walk.mail, &list.options, value)).collect()
        }
    }
}

fn matches(mail: &Mail<'_>, pattern: &Pattern, stage: Stage) -> Vec<Vec<u8>> {
    let whole;
    let lines: Vec<&[u8]> = match stage {
        Stage::Body | Stage::Header => mail.body.iter().map(Vec::as_slice).collect(),
        Stage::RawBody => mail.raw_body.iter().map(Vec::as_slice).collect(),
        Stage::Full => {
            whole = mail.tree.pristine();
            vec![&whole]
        }
    };
    lines.iter().flat_map(|line| pattern.all_groups(line)).map(|groups| groups.text(1)).collect()
}

/// The hashes of all parts of the message that have something in them.
fn attachments(mail: &Mail<'_>, options: &Options) -> Vec<Vec<u8>> {
    let ignored = &mail.settings.asking.hashbl.ignored;
    let is_ignored = |text: &[u8]| ignored.contains(&String::from_utf8_lossy(text).to_ascii_lowercase());
    let number = |name: &str| options.get(name).and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    let (least, most) = (number("minsize"), number("maxsize"));
    let mut found = Vec::new();
    for id in mail.tree.leaves() {
        let part = mail.tree.part(id);
        let body = part.decoded();
        // With maxsize the peer holds the size against minsize.
        let fits = body.len() >= least && (most == 0 || body.len() <= least);
        let name = part.name.as_deref().unwrap_or_default();
        if !body.is_empty() && fits && !is_ignored(part.kind.as_bytes()) && !is_ignored(name) {
            found.push(options.hashed(&body).into_bytes());
        }
    }
    found
}

/// Links that a reader sees or follows, in all their forms.
fn uris(mail: &Mail<'_>) -> Vec<Vec<u8>> {
    let skipped = &mail.settings.asking.uridnsbl_skip_domains;
    let is_skipped = |name: &Vec<u8>| skipped.contains(&*String::from_utf8_lossy(name));
    let mut found = Vec::new();
    for (uri, info) in mail.uris.iter() {
        let is_mail = uri.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"mailto:"));
        let is_seen = info.types.contains("a") || info.types.contains("parsed");
        let known = info.hosts.iter().any(|(host, domain)| is_skipped(host) || is_skipped(domain));
        if !is_mail && is_seen && !info.hosts.is_empty() && !known {
            found.extend(info.cleaned.iter().cloned());
        }
    }
    found
}

fn emails(mail: &Mail<'_>, options: &Options, places: &[String], domains: Option<&str>) -> Vec<Vec<u8>> {
    let settings = &mail.settings.asking.hashbl;
    let own: Vec<Vec<u8>> = ["X-Original-To", "Apparently-To", "Delivered-To", "Envelope-To"]
        .iter()
        .flat_map(|name| mail.get(&format!("{name}:addr")).to_vec())
        .map(|address| address.to_ascii_lowercase())
        .collect();
    let mut found = Vec::new();
    for address in places.iter().flat_map(|place| addresses_in(mail, options, place)) {
        let text = String::from_utf8_lossy(&address).into_owned();
        let Some((user, domain)) = text.rsplit_once('@') else { continue };
        let domain = settings.aliases.get(&domain.to_ascii_lowercase()).map_or(domain, String::as_str);
        let wanted = match domains {
            None => !is_skipped_domain(mail, domain),
            Some("all") => true,
            Some(list) => settings.domains.get(list).and_then(|list| list.get(domain)).is_some_and(|on| *on),
        };
        let address = format!("{user}@{domain}");
        let is_welcome = match &mail.tlds.welcome_address {
            Some(pattern) => pattern.is_match(address.as_bytes()),
            None => is_role(address.as_bytes()),
        };
        if wanted && !own.contains(&address.clone().into_bytes()) && !is_welcome {
            found.push(asked_form(mail, options, user, domain));
        }
    }
    found
}

fn is_skipped_domain(mail: &Mail<'_>, domain: &str) -> bool {
    let skipped = &mail.settings.asking.uridnsbl_skip_domains;
    let registered = mail.settings.registry.registered(domain.as_bytes());
    skipped.contains(&domain.to_ascii_lowercase()) || skipped.contains(&*String::from_utf8_lossy(&registered))
}

/// Mailboxes that somebody has to have, and those of machines: they say nothing.
fn is_role(address: &[u8]) -> bool {
    static ROLE: Fixed = Fixed::new(
        r"(?i)^(?:abuse|support|sales|info|helpdesk|contact|kontakt|(?:post|host|domain)master|undisclosed.*|request-[a-f0-9]{16}|bounced?-|[a-f0-9]{8}(?:\.[a-f0-9]{8}|-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})|.+=.+=.+)\@",
    );
    ROLE.is_match(address)
}

fn asked_form(mail: &Mail<'_>, options: &Options, user: &str, domain: &str) -> Vec<u8> {
    let dotless = if options.has("nodot") { user.replace('.', "") } else { user.to_owned() };
    let user = match dotless.split_once('+').filter(|_| options.has("notag")) {
        Some((user, _)) => user,
        None => &dotless,
    };
    let form = match () {
        () if options.has("domain") => mail.settings.registry.registered(domain.as_bytes()),
        () if options.has("host") => domain.as_bytes().to_vec(),
        () if options.has("user") => user.as_bytes().to_vec(),
        () => format!("{user}@{domain}").into_bytes(),
    };
    if options.has("case") { form } else { form.to_ascii_lowercase() }
}

fn addresses_in(mail: &Mail<'_>, options: &Options, place: &str) -> Vec<Vec<u8>> {
    static LINK: Fixed = Fixed::new(r"(?i)<?https?://\S{0,255}(?:\@|%40)\S{0,255}");
    static QUOTED: Fixed =
        Fixed::new(r"(?i)^(?:>|\s{1,10}(?!(?:fa(?:x|csi)|tel|phone|e?-?mail))[a-z]{2,11}:)");
    let pattern = mail.tlds.hashed_address.as_ref().unwrap_or(&mail.tlds.address);
    let text = match place {
        "ALLFROM" => return mail.all_senders().to_vec(),
        "body" => {
            let linked = mail
                .uris
                .iter()
                .filter(|(_, info)| info.types.contains("a") && !info.types.contains("parsed"));
            let linked = linked.filter_map(|(uri, _)| {
                uri.get(..7)
                    .filter(|start| start.eq_ignore_ascii_case(b"mailto:"))
                    .map(|_| [&uri[7..], b"\n"].concat())
            });
            let body = mail.body.concat();
            let body = if options.has("nouri") { LINK.replace_all(&body, |_| b" ".to_vec()) } else { body };
            linked.chain([body]).collect::<Vec<_>>().concat()
        }
        field => mail.get(field).join(&b'\n'),
    };
    let mut found = Vec::new();
    for groups in pattern.all_groups(&text) {
        let Some((start, end)) = groups.span(1) else { continue };
        let is_link = text[..start].ends_with(b"mailto:") || text[..start].ends_with(b"mailto:<");
        // Who wrote what is quoted, and is not asked for.
        let quoted = place == "body" && options.has("noquote") && !is_link && QUOTED.is_match(&text[end..]);
        if !quoted {
            found.push(groups.text(1));
        }
    }
    found
}

/// The value as the options want it; `None` when they do not want it.
fn tag_value(mail: &Mail<'_>, options: &Options, value: Vec<u8>) -> Option<Vec<u8>> {
    let (is_ip, is_v4) = (is_address(&value), is_v4(&value));
    let trims = options.has("trim");
    if (options.has("ip") && !is_ip)
        || (options.has("ipv4") && !is_v4)
        || (options.has("ipv6") && (!is_ip || is_v4))
    {
        return None;
    }
    if is_ip {
        return if options.has("revip") { reversed(&value).map(String::into_bytes) } else { Some(value) };
    }
    let is_name = is_host_name(&value);
    if is_name && is_skipped_domain(mail, &String::from_utf8_lossy(&value)) {
        return None;
    }
    let needs_name = options.has("fqdn") || trims;
    let needs_tld = options.has("tld") || trims;
    if (needs_name && !is_name) || (needs_tld && !mail.settings.registry.is_valid(&value)) {
        return None;
    }
    Some(if trims { mail.settings.registry.registered(&value) } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_hashes() {
        let form = |options: &str| Options::parse(options).hashed(b"joe@example.com");
        assert_eq!(form("raw"), "joe@example.com");
        assert_eq!(form("MD5 / max=10"), "f5b8fb60c6116331da07c65b96a8a1d1");
        assert_eq!(base32(b"foobar"), "mzxw6ytboi");
        assert_eq!(form("sha256").len(), 52);
        let options = Options::parse("sha1/max=3/shuffle");
        assert!(options.get("max") == Some("3") && options.has("shuffle") && !options.has("case"));
        assert_eq!(zone("l.example./TXT"), ("l.example".into(), RecordKind::Txt));
        assert_eq!(zone("l.example"), ("l.example".into(), RecordKind::A));
    }

    #[test]
    fn roles_say_nothing() {
        assert!(
            is_role(b"Postmaster@x.example") && is_role(b"undisclosed-recipients@x") && is_role(b"a=b=c@x")
        );
        assert!(!is_role(b"joe@x.example") && !is_role(b"informal@x.example"));
    }
}
