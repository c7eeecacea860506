//! Settings of rules that ask DNS, and the lines that say what is asked.

// Each row of the flat matches below is one assignment.
#![allow(clippy::unit_arg)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::configuration::Configuration;
use super::problem::Fault;
use super::statement::{Done, Statement};
use crate::network::{RecordKind, Subtest};
use crate::perl::Pattern;

/// The port of name servers (RFC 1035 §4.2).
const DNS_PORT: u16 = 53;

/// Settings of rules that ask DNS: see `man Mail::SpamAssassin::Conf`.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Asking {
    /// `dns_available`
    pub available: bool,
    /// `dns_server`: these instead of the system's.
    pub servers: Vec<SocketAddr>,
    /// `rbl_timeout`, seconds.
    pub timeout_seconds: f64,
    pub skip_rbl_checks: bool,
    pub skip_uribl_checks: bool,
    /// `num_check_received`: relays that are looked up.
    pub num_check_received: usize,
    pub rbl_headers: Vec<String>,
    /// `dns_block_rule`: when the rule hits, nothing below these domains is asked for a while.
    pub block_rules: BTreeMap<String, BTreeSet<String>>,
    /// `dns_block_time`, seconds.
    pub block_seconds: u64,
    /// `dns_query_restriction`: domains, and whether what is below them may be asked.
    pub restrictions: BTreeMap<String, bool>,
    pub uridnsbl_skip_domains: BTreeSet<String>,
    pub uridnsbl_max_domains: usize,
    pub uridnsbl_skip_mailto: bool,
    pub(crate) hashbl: HashBl,
    pub(crate) uri_lists: BTreeMap<String, UriList>,
    pub(crate) askdns: BTreeMap<String, AskDns>,
}

impl Default for Asking {
    fn default() -> Self {
        let headers =
            ["EnvelopeFrom", "Reply-To", "Disposition-Notification-To", "X-WebmailclientIP", "X-Source-IP"];
        Self {
            available: true,
            servers: Vec::new(),
            timeout_seconds: 15.0,
            skip_rbl_checks: false,
            skip_uribl_checks: false,
            num_check_received: 9,
            rbl_headers: headers.map(str::to_owned).to_vec(),
            block_rules: BTreeMap::new(),
            block_seconds: 300,
            restrictions: BTreeMap::new(),
            uridnsbl_skip_domains: BTreeSet::new(),
            uridnsbl_max_domains: 20,
            uridnsbl_skip_mailto: true,
            hashbl: HashBl::default(),
            uri_lists: BTreeMap::new(),
            askdns: BTreeMap::new(),
        }
    }
}

/// Settings of the plugin HashBL.
#[derive(Debug, Clone, Default)]
pub(crate) struct HashBl {
    /// `hashbl_ignore`: texts, or their hashes.
    pub(crate) ignored: BTreeSet<String>,
    /// `hashbl_email_domain_alias`: domains, and what stands for them.
    pub(crate) aliases: BTreeMap<String, String>,
    /// `hashbl_acl_NAME`: lists of domains; false takes one out.
    pub(crate) domains: BTreeMap<String, BTreeMap<String, bool>>,
    /// `hashbl_email_regex`, with `_TLDS_` in it for all top-level domains.
    pub(crate) email_regex: Option<String>,
    /// `hashbl_email_welcomelist`
    pub(crate) email_welcomelist: Option<String>,
}

/// What of a URI is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UriSubject {
    /// Addresses (`uridnsbl`, `uridnssub`).
    Addresses,
    /// The domain, or the host (`urirhsbl`, `urirhssub`).
    Domain,
    /// The domain of each name server (`urinsrhsbl`, `urinsrhssub`).
    ServerDomain,
    /// Each name server (`urifullnsrhsbl`, `urifullnsrhssub`).
    Server,
}

/// A list of what stands in bodies.
#[derive(Debug, Clone)]
pub(crate) struct UriList {
    pub(crate) subject: UriSubject,
    pub(crate) zone: String,
    pub(crate) kind: RecordKind,
    pub(crate) subtest: Option<Subtest>,
}

/// `askdns NAME template type subtest`
#[derive(Debug, Clone)]
pub(crate) struct AskDns {
    /// A name with tags in it: `_SENDERDOMAIN_.list.example`.
    pub(crate) template: String,
    pub(crate) kinds: Vec<RecordKind>,
    pub(crate) subtest: Option<Subtest>,
}

impl Asking {
    /// May the name be asked for? The longest domain that is named in `dns_query_restriction` decides.
    pub(crate) fn allows(&self, name: &str) -> bool {
        if self.restrictions.is_empty() {
            return true;
        }
        let parents = std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, rest)| rest));
        let decided = parents.filter(|parent| !parent.is_empty()).chain(["*"]);
        decided.filter_map(|parent| self.restrictions.get(parent)).next().copied().unwrap_or(true)
    }
}

/// Lines about asking DNS.
pub(super) fn asking(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let asking = &mut configuration.settings.asking;
    Some(match statement.key {
        "dns_available" => available(asking, statement),
        "dns_server" => server(statement.value)
            .map(|server| asking.servers.push(server))
            .ok_or_else(|| statement.invalid()),
        "clear_dns_servers" => Ok(asking.servers.clear()),
        "rbl_timeout" => timeout(asking, statement),
        "skip_rbl_checks" => statement.switch().map(|on| asking.skip_rbl_checks = on),
        "skip_uribl_checks" => statement.switch().map(|on| asking.skip_uribl_checks = on),
        "num_check_received" => statement.number().map(|number| asking.num_check_received = number),
        "rbl_headers" => statement.required().map(|text| {
            asking.rbl_headers = text.split(',').map(|name| name.trim().to_owned()).collect();
        }),
        "dns_block_rule" => statement.required().map(|text| {
            let mut words = text.split_whitespace();
            let rule = words.next().unwrap_or_default().to_owned();
            asking.block_rules.entry(rule).or_default().extend(words.map(domain));
        }),
        "dns_block_time" => statement.number().map(|seconds| asking.block_seconds = seconds),
        "dns_query_restriction" => restriction(asking, statement),
        "clear_dns_query_restriction" => Ok(asking.restrictions.clear()),
        "uridnsbl_skip_domain" => statement.required().map(|text| {
            asking.uridnsbl_skip_domains.extend(text.split_whitespace().map(str::to_ascii_lowercase));
        }),
        "clear_uridnsbl_skip_domain" if statement.value.is_empty() => {
            Ok(asking.uridnsbl_skip_domains.clear())
        }
        "clear_uridnsbl_skip_domain" => Ok(statement.words().for_each(|word| {
            asking.uridnsbl_skip_domains.remove(&word.to_ascii_lowercase());
        })),
        "hashbl_ignore" => statement.required().map(|text| {
            asking.hashbl.ignored.extend(text.split_whitespace().map(str::to_ascii_lowercase));
        }),
        "hashbl_email_regex" => {
            pattern_source(statement).map(|source| asking.hashbl.email_regex = Some(source))
        }
        "hashbl_email_welcomelist" | "hashbl_email_whitelist" => {
            pattern_source(statement).map(|source| asking.hashbl.email_welcomelist = Some(source))
        }
        "hashbl_email_domain_alias" => aliases(&mut asking.hashbl, statement),
        key if key.starts_with("hashbl_acl_") => {
            let list = asking.hashbl.domains.entry(key["hashbl_acl_".len()..].to_owned()).or_default();
            for word in statement.words().map(str::to_ascii_lowercase) {
                match word.strip_prefix('!') {
                    Some(domain) => drop(list.insert(domain.to_owned(), false)),
                    None => drop(list.entry(word).or_insert(true)),
                }
            }
            Ok(())
        }
        "uridnsbl_max_domains" => statement.number().map(|number| asking.uridnsbl_max_domains = number),
        "uridnsbl_skip_mailto" => statement.switch().map(|on| asking.uridnsbl_skip_mailto = on),
        _ => return None,
    })
}

/// The rule that a line says the question of; `None` for other lines.
pub(super) fn question(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let (subject, has_subtest) = match statement.key {
        "askdns" => return Some(ask_dns(configuration, statement)),
        "uridnsbl" => (UriSubject::Addresses, false),
        "uridnssub" => (UriSubject::Addresses, true),
        "urirhsbl" => (UriSubject::Domain, false),
        "urirhssub" => (UriSubject::Domain, true),
        "urinsrhsbl" => (UriSubject::ServerDomain, false),
        "urinsrhssub" => (UriSubject::ServerDomain, true),
        "urifullnsrhsbl" => (UriSubject::Server, false),
        "urifullnsrhssub" => (UriSubject::Server, true),
        _ => return None,
    };
    Some(uri_list(configuration, statement, subject, has_subtest))
}

fn uri_list(
    configuration: &mut Configuration,
    statement: &Statement<'_>,
    subject: UriSubject,
    has_subtest: bool,
) -> Done {
    let words: Vec<&str> = statement.words().collect();
    let (name, zone, kind, subtest) = match words.as_slice() {
        [name, zone, kind] if !has_subtest => (name, zone, kind, None),
        [name, zone, kind, subtest] if has_subtest => {
            (name, zone, kind, Some(Subtest::number(subtest).ok_or_else(|| statement.invalid())?))
        }
        _ => return Err(statement.invalid()),
    };
    let kind = RecordKind::parse(kind).ok_or_else(|| statement.invalid())?;
    let list = UriList { subject, zone: domain(zone), kind, subtest };
    configuration.settings.asking.uri_lists.insert((*name).to_owned(), list);
    Ok(())
}

fn ask_dns(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let mut rest = statement.value;
    let mut word = || {
        let (word, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = behind.trim_start();
        word
    };
    let (name, template, types) = (word(), word(), word());
    if template.is_empty() {
        return Err(statement.missing());
    }
    let types = if types.is_empty() { "A" } else { types };
    let kinds: Option<Vec<RecordKind>> = types.split(',').map(RecordKind::parse).collect();
    let Some(kinds) = kinds else {
        let note = format!("askdns for records of type {types}");
        configuration.settings.inert.entry(note).or_insert_with(|| statement.file.to_string());
        return Ok(());
    };
    let subtest = (!rest.is_empty()).then(|| subtest(rest, statement)).transpose()?;
    let question = AskDns { template: template.to_owned(), kinds, subtest };
    configuration.settings.asking.askdns.insert(name.to_owned(), question);
    Ok(())
}

fn subtest(text: &str, statement: &Statement<'_>) -> Result<Subtest, Fault> {
    let quoted = |mark: char| text.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    if text.starts_with('/') || (text.starts_with('m') && text.len() > 2 && !text.contains('.')) {
        return Pattern::delimited(text)
            .map(|pattern| Subtest::Pattern(Arc::new(pattern)))
            .map_err(Fault::Pattern);
    }
    if let Some(text) = quoted('"').or_else(|| quoted('\'')) {
        return Ok(Subtest::Text(text.to_owned()));
    }
    let codes = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let found = match codes {
        Some(codes) => {
            codes.split(',').map(|code| code_of(code.trim())).collect::<Option<Vec<_>>>().map(Subtest::Codes)
        }
        None => Subtest::number(text),
    };
    found.ok_or_else(|| statement.invalid())
}

/// The number of a response code (RFC 1035 §4.1.1, RFC 2136 §2.2).
fn code_of(name: &str) -> Option<u16> {
    let names = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
        "NOTAUTH", "NOTZONE",
    ];
    let known = names.iter().position(|known| known.eq_ignore_ascii_case(name));
    known.and_then(|code| u16::try_from(code).ok()).or_else(|| name.parse().ok())
}

/// A pattern without delimiters.
fn pattern_source(statement: &Statement<'_>) -> Result<String, Fault> {
    let text = statement.required()?;
    Pattern::plain(text).map_err(Fault::Pattern)?;
    Ok(text.to_owned())
}

/// `domain alias alias`
fn aliases(hashbl: &mut HashBl, statement: &Statement<'_>) -> Done {
    let text = statement.required()?.to_ascii_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let [domain, aliases @ ..] = words.as_slice() else { return Err(statement.missing()) };
    if aliases.is_empty() || text.contains('@') {
        return Err(statement.invalid());
    }
    hashbl.aliases.extend(aliases.iter().map(|alias| ((*alias).to_owned(), (*domain).to_owned())));
    Ok(())
}

fn available(asking: &mut Asking, statement: &Statement<'_>) -> Done {
    match statement.required()? {
        "yes" | "1" => asking.available = true,
        "no" | "0" => asking.available = false,
        // Nothing is asked to find out: a server that is not there answers nothing.
        text if text.starts_with("test") => asking.available = true,
        _ => return Err(statement.invalid()),
    }
    Ok(())
}

/// `rbl_timeout t [t_min] [zone]`: the first counts.
fn timeout(asking: &mut Asking, statement: &Statement<'_>) -> Done {
    let words: Vec<&str> = statement.required()?.split_whitespace().collect();
    let zone =
        words.last().filter(|word| words.len() > 1 && !word.starts_with(|char: char| char.is_ascii_digit()));
    if zone.is_some() {
        return Ok(());
    }
    let first = Statement { value: words[0], ..*statement };
    let seconds = first.duration()?;
    if !(0.0..=3600.0).contains(&seconds) {
        return Err(statement.invalid());
    }
    asking.timeout_seconds = seconds;
    Ok(())
}

fn restriction(asking: &mut Asking, statement: &Statement<'_>) -> Done {
    let mut words = statement.required()?.split_whitespace();
    let allowed = match words.next().map(str::to_ascii_lowercase).as_deref() {
        Some("allow") => true,
        Some("deny") => false,
        _ => return Err(statement.invalid()),
    };
    asking.restrictions.extend(words.map(|word| (domain(word), allowed)));
    Ok(())
}

/// In lower case, without dots around it.
fn domain(text: &str) -> String {
    text.trim_matches('.').to_ascii_lowercase()
}

/// `127.0.0.1`, `127.0.0.1:5353`, `[::1]:5353`, `::1`
fn server(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().map(|address| SocketAddr::new(address, DNS_PORT));
    address.or_else(|_| text.parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Loader, Problem, Surroundings};

    fn load(text: &str) -> (Configuration, Vec<Problem>) {
        let mut loader = Loader::new(Surroundings::default());
        loader.push("/etc/test.cf", text.as_bytes());
        loader.run();
        loader.finish()
    }

    #[test]
    fn settings_read() {
        let (configuration, problems) = load(
            "dns_server 127.0.0.1:5353\ndns_server [::1]\ndns_available no\nrbl_timeout 5 2\nrbl_timeout 3 zone.example\n\
             dns_block_rule R .Example.com. b.example\ndns_query_restriction deny * a.example\n\
             dns_query_restriction allow b.a.example\n",
        );
        assert!(problems.is_empty(), "{problems:?}");
        let asking = &configuration.settings.asking;
        let servers = ["127.0.0.1:5353".parse().unwrap(), "[::1]:53".parse().unwrap()];
        assert_eq!(asking.servers, servers);
        assert!(!asking.available && (asking.timeout_seconds - 5.0).abs() < 1e-9);
        assert!(asking.block_rules["R"].contains("example.com"));
        assert!(asking.allows("x.b.a.example") && !asking.allows("c.a.example") && !asking.allows("org"));
    }

    #[test]
    fn questions_read() {
        let (configuration, problems) = load(
            "urirhssub U multi.example. A 0x10\nuridnsbl V sbl.example TXT\n\
             askdns D _SENDERDOMAIN_ TXT /^v=spf1 \\+all$/\naskdns E _X_.y [NXDOMAIN]\naskdns F _X_.y A [NXDOMAIN, 5]\n\
             askdns G x.y A,TXT \"two words\"\naskdns H x.y SRV\nurirhsbl W a.example\n",
        );
        let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [8], "{problems:?}");
        let asking = &configuration.settings.asking;
        assert_eq!(asking.uri_lists["U"].zone, "multi.example");
        assert_eq!(asking.askdns["G"].kinds.len(), 2);
        assert!(matches!(&asking.askdns["F"].subtest, Some(Subtest::Codes(codes)) if *codes == [3, 5]));
        assert!(configuration.settings.inert.keys().any(|key| key.contains("SRV")));
    }
}
