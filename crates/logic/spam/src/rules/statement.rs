//! What one line means: which setting or rule it changes.

// Each row of the flat matches below is one assignment.
#![allow(clippy::unit_arg)]

use std::sync::Arc;

use super::configuration::Configuration;
use super::definition::{BadTest, Definition, Kind, MetaExpression, Stage, header_test, mime_test};
use super::expression::Expression;
use super::flags::Flags;
use super::problem::Fault;
use super::settings::CHECKER_VERSION;
use super::{arguments, asking, learning, plugins};
use crate::perl::Pattern;
use crate::registry::to_ascii;

/// Bytes of a rule's name.
const NAME_LIMIT_BYTES: usize = 100;

/// A line: its key in lower case with underscores, its value, and where it stands.
pub(crate) struct Statement<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a str,
    pub(crate) file: &'a Arc<str>,
    pub(crate) line: usize,
}

pub(super) type Done = Result<(), Fault>;

/// Settings that only the administrator may set.
const ADMIN: [&str; 27] = [
    "auto_welcomelist_db_modules",
    "auto_welcomelist_factory",
    "auto_welcomelist_file_mode",
    "auto_welcomelist_path",
    "txrep_factory",
    "user_awl_dsn",
    "user_awl_sql_password",
    "user_awl_sql_username",
    "bayes_path",
    "bayes_file_mode",
    "bayes_store_module",
    "body_part_scan_size",
    "clear_util_rb",
    "dns_block_rule",
    "dns_block_time",
    "dns_local_ports_avoid",
    "dns_local_ports_none",
    "dns_local_ports_permit",
    "enable_compat",
    "loadplugin",
    "rawbody_part_scan_size",
    "rbl_timeout",
    "test",
    "tryplugin",
    "util_rb_2tld",
    "util_rb_3tld",
    "util_rb_tld",
];

/// Lines that make rules.
const RULES: [&str; 26] = [
    "allow_user_rules",
    "askdns",
    "body",
    "full",
    "header",
    "meta",
    "mimeheader",
    "priority",
    "rawbody",
    "redirector_pattern",
    "replace_inter",
    "replace_post",
    "replace_pre",
    "replace_rules",
    "replace_tag",
    "reuse",
    "tflags",
    "uri",
    "uridnsbl",
    "uridnssub",
    "urifullnsrhsbl",
    "urifullnsrhssub",
    "urinsrhsbl",
    "urinsrhssub",
    "urirhsbl",
    "urirhssub",
];

/// May a user's own file hold it?
pub(crate) fn allowed_to_user(key: &str, user_rules: bool) -> Result<(), Fault> {
    let admin = ADMIN.contains(&key)
        || ["bayes_sql_", "user_scores_", "geodb_"].iter().any(|family| key.starts_with(family));
    if admin {
        return Err(Fault::Admin(key.to_owned()));
    }
    if RULES.contains(&key) && !user_rules {
        return Err(Fault::UserRule(key.to_owned()));
    }
    Ok(())
}

/// Carries a line out.
pub(crate) fn apply(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let found = rule(configuration, statement)
        .or_else(|| about_rule(configuration, statement))
        .or_else(|| list(configuration, statement))
        .or_else(|| report(configuration, statement))
        .or_else(|| scan(configuration, statement))
        .or_else(|| learning::learn(configuration, statement))
        .or_else(|| asking::asking(configuration, statement))
        .or_else(|| world(configuration, statement));
    found.unwrap_or_else(|| Err(Fault::Unknown(statement.key.to_owned())))
}

impl<'a> Statement<'a> {
    pub(super) fn missing(&self) -> Fault {
        Fault::Missing(self.key.to_owned())
    }

    pub(super) fn invalid(&self) -> Fault {
        Fault::Invalid(self.key.to_owned())
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &'a str> {
        self.value.split_whitespace()
    }

    pub(super) fn required(&self) -> Result<&'a str, Fault> {
        if self.value.is_empty() { Err(self.missing()) } else { Ok(self.value) }
    }

    /// The first word and the rest.
    fn named(&self) -> Result<(&'a str, &'a str), Fault> {
        let (name, rest) = self.value.split_once(char::is_whitespace).ok_or_else(|| self.missing())?;
        Ok((name, rest.trim_start()))
    }

    pub(super) fn number<T: std::str::FromStr>(&self) -> Result<T, Fault> {
        self.required()?.parse().map_err(|_| self.invalid())
    }

    pub(super) fn switch(&self) -> Result<bool, Fault> {
        match self.required()?.to_ascii_lowercase().as_str() {
            "1" | "yes" => Ok(true),
            "0" | "no" => Ok(false),
            _ => Err(self.invalid()),
        }
    }

    fn nothing(&self) -> Done {
        if self.value.is_empty() { Ok(()) } else { Err(self.invalid()) }
    }

    /// Seconds, or a number with one of s, m, h, d, w.
    pub(super) fn duration(&self) -> Result<f64, Fault> {
        let text = self.required()?.to_ascii_lowercase();
        let units = [('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86_400.0), ('w', 604_800.0)];
        let unit = units.iter().find(|(letter, _)| text.ends_with(*letter));
        let number = unit.map_or(text.as_str(), |_| text[..text.len() - 1].trim_end());
        let number: f64 = number.parse().map_err(|_| self.invalid())?;
        Ok(number * unit.map_or(1.0, |(_, seconds)| *seconds))
    }

    pub(super) fn pattern(&self, text: &str) -> Result<Arc<Pattern>, Fault> {
        Pattern::delimited(text).map(Arc::new).map_err(Fault::Pattern)
    }
}

/// Lines that define a rule.
fn rule(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let kind = match statement.key {
        "header" => |s: &Statement<'_>, text: &str| {
            eval_or(s, text, Stage::Header, |s, text| test(header_test(text), s).map(Kind::Header))
        },
        "body" => |s: &Statement<'_>, text: &str| {
            eval_or(s, text, Stage::Body, |s, text| s.pattern(text).map(Kind::Body))
        },
        "rawbody" => |s: &Statement<'_>, text: &str| {
            eval_or(s, text, Stage::RawBody, |s, text| s.pattern(text).map(Kind::RawBody))
        },
        "full" => |s: &Statement<'_>, text: &str| {
            eval_or(s, text, Stage::Full, |s, text| s.pattern(text).map(Kind::Full))
        },
        "uri" => |s: &Statement<'_>, text: &str| s.pattern(text).map(Kind::Uri),
        "mimeheader" => |s: &Statement<'_>, text: &str| test(mime_test(text), s).map(Kind::MimeHeader),
        "meta" => |_: &Statement<'_>, text: &str| {
            Expression::parse(text)
                .map(|expression| Kind::Meta(MetaExpression(expression)))
                .ok_or(Fault::Expression)
        },
        "askdns" | "urirhssub" | "urirhsbl" | "uridnsbl" | "uridnssub" | "urinsrhsbl" | "urinsrhssub"
        | "urifullnsrhsbl" | "urifullnsrhssub" | "uri_detail" => {
            |_: &Statement<'_>, _: &str| Ok(Kind::Network)
        }
        "reuse" => |_: &Statement<'_>, _: &str| Ok(Kind::Empty),
        _ => return None,
    };
    let question = asking::question(configuration, statement);
    Some(question.unwrap_or(Ok(())).and_then(|()| define(configuration, statement, kind)))
}

fn test<T>(result: Result<T, BadTest>, _: &Statement<'_>) -> Result<T, Fault> {
    result.map_err(|bad| match bad {
        BadTest::Form => Fault::HeaderTest,
        BadTest::Pattern(bad) => Fault::Pattern(bad),
    })
}

fn eval_or(
    statement: &Statement<'_>,
    text: &str,
    stage: Stage,
    other: fn(&Statement<'_>, &str) -> Result<Kind, Fault>,
) -> Result<Kind, Fault> {
    let Some(call) = text.strip_prefix("eval:").or_else(|| text.strip_prefix("rbleval:")) else {
        return other(statement, text);
    };
    let (function, arguments) = arguments::parse(call).ok_or_else(|| statement.invalid())?;
    Ok(Kind::Eval { stage, function, arguments })
}

fn define(
    configuration: &mut Configuration,
    statement: &Statement<'_>,
    kind: impl Fn(&Statement<'_>, &str) -> Result<Kind, Fault>,
) -> Done {
    let (name, text) = statement.value.split_once(char::is_whitespace).unwrap_or((statement.value, ""));
    let text = text.trim_start();
    let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let good = !name.is_empty()
        && name.len() <= NAME_LIMIT_BYTES
        && name.chars().all(word)
        && !name.starts_with(|char: char| char.is_ascii_digit());
    if !good {
        return Err(Fault::RuleName);
    }
    if text.is_empty() && statement.key != "reuse" {
        return Err(statement.missing());
    }
    let kind = kind(statement, text)?;
    if matches!(kind, Kind::Network | Kind::Empty) && configuration.rules.contains_key(name) {
        // The header or body line of the same name says how it is asked; it came first.
        return Ok(());
    }
    let origin = (Arc::clone(statement.file), statement.line);
    configuration.rules.insert(name.to_owned(), Definition { kind, origin });
    Ok(())
}

/// Lines that say more of a rule.
fn about_rule(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    Some(match statement.key {
        "score" => score(configuration, statement),
        "describe" => statement.named().map(|(name, text)| {
            configuration.descriptions.insert(name.to_owned(), text.to_owned());
        }),
        "tflags" => statement.named().map(|(name, text)| {
            configuration.flags.insert(name.to_owned(), Flags::parse(text));
        }),
        "subjprefix" => statement.named().map(|(name, text)| {
            configuration.subject_prefixes.insert(name.to_owned(), text.to_owned());
        }),
        "priority" => statement.named().and_then(|(name, text)| {
            let priority = text.parse().map_err(|_| statement.invalid())?;
            configuration.priorities.insert(name.to_owned(), priority);
            Ok(())
        }),
        "replace_rules" => {
            configuration.replacements.rules.extend(statement.words().map(str::to_owned));
            statement.required().map(|_| ())
        }
        "replace_tag" | "replace_pre" | "replace_inter" | "replace_post" => {
            replacement(configuration, statement)
        }
        // The tags' brackets can not be chosen; nobody does.
        "replace_start" | "replace_end" | "test" => Ok(()),
        _ => return None,
    })
}

fn replacement(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let (name, text) = statement.named()?;
    let replacements = &mut configuration.replacements;
    let map = match statement.key {
        "replace_tag" => &mut replacements.tags,
        "replace_pre" => &mut replacements.before,
        "replace_inter" => &mut replacements.between,
        _ => &mut replacements.behind,
    };
    map.insert(name.to_owned(), text.to_owned());
    Ok(())
}

fn score(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let mut words = statement.words();
    let name = words.next().ok_or_else(|| statement.missing())?;
    let words: Vec<&str> = words.collect();
    let relative = words.iter().any(|word| word.starts_with('('));
    let number = |word: &&str| {
        word.trim_start_matches('(').trim_end_matches(')').parse::<f64>().map_err(|_| statement.invalid())
    };
    let given: Vec<f64> = words.iter().map(number).collect::<Result<_, _>>()?;
    let mut scores = match given.as_slice() {
        [one] => [*one; 4],
        [a, b, c, d] => [*a, *b, *c, *d],
        _ => return Err(statement.missing()),
    };
    if relative {
        let before = configuration.scores.get(name).ok_or(Fault::NoScore)?;
        scores.iter_mut().zip(before).for_each(|(score, before)| *score += before);
    }
    configuration.scores.insert(name.to_owned(), scores);
    Ok(())
}

/// Lists of addresses that are settings of their own.
const ADDRESS_LISTS: [&str; 12] = [
    "all_spam_to",
    "bayes_ignore_from",
    "bayes_ignore_to",
    "blocklist_from",
    "blocklist_to",
    "def_welcomelist_auth",
    "more_spam_to",
    "welcomelist_allows_relays",
    "welcomelist_auth",
    "welcomelist_bounce_relays",
    "welcomelist_from",
    "welcomelist_to",
];

fn list(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
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

fn report(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let settings = &mut configuration.settings;
    Some(match statement.key {
        "required_score" | "required_hits" => statement.number().map(|score| settings.required_score = score),
        "report_safe" => report_safe(configuration, statement),
        "rewrite_header" => rewrite_header(configuration, statement),
        "add_header" => add_header(configuration, statement),
        "remove_header" => remove_header(configuration, statement),
        "clear_headers" => statement.nothing().map(|()| {
            settings.headers_ham.retain(|(name, _)| name == CHECKER_VERSION);
            settings.headers_spam.retain(|(name, _)| name == CHECKER_VERSION);
        }),
        "report" => Ok(add_line(&mut settings.report_template, statement.value)),
        "unsafe_report" => Ok(add_line(&mut settings.unsafe_report_template, statement.value)),
        "clear_report_template" => statement.nothing().map(|()| settings.report_template.clear()),
        "clear_unsafe_report_template" => {
            statement.nothing().map(|()| settings.unsafe_report_template.clear())
        }
        "report_contact" => statement.required().map(|text| settings.report_contact = text.to_owned()),
        "report_hostname" => statement.required().map(|text| settings.report_hostname = text.to_owned()),
        "report_charset" => statement.required().map(|text| settings.report_charset = text.to_owned()),
        "report_wrap_width" => statement.number().map(|width| settings.report_wrap_width = width),
        "report_safe_copy_headers" => {
            settings.report_safe_copy_headers.extend(statement.words().map(str::to_owned));
            statement.required().map(|_| ())
        }
        "fold_headers" => statement.switch().map(|on| settings.fold_headers = on),
        _ => return None,
    })
}

fn add_line(template: &mut String, line: &str) {
    let quoted =
        line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).filter(|inner| !inner.contains('"'));
    template.push_str(quoted.unwrap_or(line));
    template.push('\n');
}

fn report_safe(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let value: u8 = statement.number()?;
    if value > 2 {
        return Err(statement.invalid());
    }
    let settings = &mut configuration.settings;
    settings.report_safe = value;
    let there = settings.headers_spam.iter().any(|(name, _)| name.eq_ignore_ascii_case("report"));
    if value == 0 && !there {
        settings.headers_spam.push(("Report".to_owned(), "_REPORT_".to_owned()));
    }
    Ok(())
}

fn rewrite_header(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let (name, text) = statement.value.split_once(char::is_whitespace).unwrap_or((statement.value, ""));
    let name = ["From", "Subject", "To"].into_iter().find(|known| known.eq_ignore_ascii_case(name));
    let name = name.ok_or_else(|| statement.invalid())?;
    let rewrite = &mut configuration.settings.rewrite_header;
    let text = text.trim();
    if text.is_empty() {
        rewrite.remove(name);
        return Ok(());
    }
    let text = if name == "Subject" { text.to_owned() } else { text.replace('(', "[").replace(')', "]") };
    rewrite.insert(name.to_owned(), text);
    Ok(())
}

/// `ham`, `spam` or `all`: which lists of headers.
fn header_lists<'a>(
    configuration: &'a mut Configuration,
    kind: &str,
) -> Option<Vec<&'a mut Vec<(String, String)>>> {
    let settings = &mut configuration.settings;
    match kind {
        "ham" => Some(vec![&mut settings.headers_ham]),
        "spam" => Some(vec![&mut settings.headers_spam]),
        "all" => Some(vec![&mut settings.headers_ham, &mut settings.headers_spam]),
        _ => None,
    }
}

fn add_header(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let (kind, rest) = statement.named()?;
    let (name, text) = rest.split_once(char::is_whitespace).ok_or_else(|| statement.invalid())?;
    let good = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    let lists = header_lists(configuration, kind)
        .filter(|_| name.chars().all(good))
        .ok_or_else(|| statement.invalid())?;
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let text = unescape(text);
    for list in lists {
        list.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        list.push((name.to_owned(), text.clone()));
    }
    Ok(())
}

/// `\n`, `\t` and `\\`; other escapes go.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match if char == '\\' {
            chars.next()
        } else {
            plain.push(char);
            continue;
        } {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('\\') => plain.push('\\'),
            _ => {}
        }
    }
    plain
}

fn remove_header(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let (kind, name) = statement.named()?;
    let lists = header_lists(configuration, kind).ok_or_else(|| statement.invalid())?;
    if name != CHECKER_VERSION {
        lists.into_iter().for_each(|list| list.retain(|(known, _)| !known.eq_ignore_ascii_case(name)));
    }
    Ok(())
}

fn scan(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let settings = &mut configuration.settings;
    let freemail = &mut settings.freemail;
    Some(match statement.key {
        "ok_locales" => statement.required().map(|text| settings.ok_locales = text.to_owned()),
        "normalize_charset" => statement.switch().map(|on| settings.normalize_charset = on),
        "trusted_networks" | "internal_networks" | "msa_networks" => networks(configuration, statement),
        "clear_trusted_networks" => Ok(settings.trusted_networks = super::Networks::loopback()),
        "clear_internal_networks" => Ok(settings.internal_networks = super::Networks::loopback()),
        "clear_msa_networks" => Ok(settings.msa_networks = super::Networks::default()),
        "originating_ip_headers" => {
            for name in statement.words() {
                if !settings.originating_ip_headers.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    settings.originating_ip_headers.push(name.to_owned());
                }
            }
            statement.required().map(|_| ())
        }
        "clear_originating_ip_headers" => {
            statement.nothing().map(|()| settings.originating_ip_headers.clear())
        }
        "envelope_sender_header" => {
            statement.required().map(|text| settings.envelope_sender_header = Some(text.to_owned()))
        }
        "time_limit" => statement.duration().map(|time| settings.time_limit = time),
        "body_part_scan_size" => statement.number().map(|size| settings.body_part_scan_size = size),
        "rawbody_part_scan_size" => statement.number().map(|size| settings.rawbody_part_scan_size = size),
        "parse_dkim_uris" => statement.switch().map(|on| settings.parse_dkim_uris = on),
        "allow_user_rules" => statement.switch().map(|on| settings.allow_user_rules = on),
        "redirector_pattern" => {
            statement.pattern(statement.value).map(|pattern| settings.redirector_patterns.push(pattern))
        }
        "util_rb_tld" => {
            Ok(settings.registry.tlds.extend(statement.words().map(|word| to_ascii(word.as_bytes()))))
        }
        "util_rb_2tld" => {
            Ok(settings.registry.two_level.extend(statement.words().map(|word| to_ascii(word.as_bytes()))))
        }
        "util_rb_3tld" => {
            Ok(settings.registry.three_level.extend(statement.words().map(|word| to_ascii(word.as_bytes()))))
        }
        "clear_util_rb" => Ok(settings.registry = crate::registry::Registry::default()),
        "freemail_max_body_emails" => statement.number().map(|number| freemail.max_body_emails = number),
        "freemail_max_body_freemails" => {
            statement.number().map(|number| freemail.max_body_freemails = number)
        }
        "freemail_skip_when_over_max" => statement.switch().map(|on| freemail.skip_when_over_max = on),
        "freemail_skip_bulk_envfrom" => statement.switch().map(|on| freemail.skip_bulk_envfrom = on),
        "freemail_add_describe_email" => statement.switch().map(|on| freemail.add_describe_email = on),
        _ => return None,
    })
}

fn networks(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    statement.required()?;
    let settings = &mut configuration.settings;
    let networks = match statement.key {
        "trusted_networks" => &mut settings.trusted_networks,
        "internal_networks" => &mut settings.internal_networks,
        _ => &mut settings.msa_networks,
    };
    networks.configured = true;
    let mut good = true;
    let mut exclude = false;
    for word in statement.words() {
        // `! 192.0.2.1` is one network.
        if word == "!" {
            exclude = true;
            continue;
        }
        let word = if std::mem::take(&mut exclude) { format!("!{word}") } else { word.to_owned() };
        good &= networks.add(&word);
    }
    if good { Ok(()) } else { Err(statement.invalid()) }
}

/// Families of settings that belong to parts which this version does not have: they are taken, and named once in the log.
const INERT: [&str; 48] = [
    "adsp_override",
    "asn_",
    "auto_welcomelist_",
    "auto_whitelist_",
    "bayes_",
    "clear_dns_",
    "dcc_",
    "def_welcomelist_from_dkim",
    "def_welcomelist_from_spf",
    "dkim_",
    "dmarc_",
    "dns_",
    "extracttext_",
    "fns_",
    "geodb_",
    "hashbl_",
    "lock_method",
    "mbox_format_from_regex",
    "ok_languages",
    "parse_dkim",
    "pyzor_",
    "razor_",
    "rbl_timeout",
    "shortcircuit",
    "skip_rbl_checks",
    "skip_uribl_checks",
    "spamcop_",
    "spf_",
    "txrep_",
    "uridnsbl_",
    "url_shortener",
    "use_auto_welcomelist",
    "use_auto_whitelist",
    "use_dcc",
    "use_pyzor",
    "use_razor2",
    "use_txrep",
    "user_scores_",
    "version_tag",
    "welcomelist_from_dkim",
    "welcomelist_from_spf",
    "unwelcomelist_from_dkim",
    "unwelcomelist_from_spf",
    "always_trust_envelope_sender",
    "clear_uridnsbl_skip_domain",
    "uricountry",
    "unwelcomelist_auth",
    "use_",
];

fn world(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    match statement.key {
        "loadplugin" | "tryplugin" => return Some(load_plugin(configuration, statement)),
        "enable_compat" => {
            configuration.compatibility.insert(statement.value.to_owned());
            return Some(statement.required().map(|_| ()));
        }
        _ => {}
    }
    let known = INERT
        .iter()
        .any(|name| statement.key == *name || (name.ends_with('_') && statement.key.starts_with(name)));
    known.then(|| {
        let inert = &mut configuration.settings.inert;
        inert.entry(statement.key.to_owned()).or_insert_with(|| statement.file.to_string());
        Ok(())
    })
}

fn load_plugin(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let name = statement.words().next().ok_or_else(|| statement.missing())?;
    let short = name.strip_prefix(plugins::NAMESPACE).map(plugins::current_name);
    match short.filter(|short| plugins::is_known(short)) {
        Some(short) => {
            configuration.plugins.insert(short.to_owned());
            Ok(())
        }
        None if statement.key == "tryplugin" => Ok(()),
        None => Err(Fault::Plugin(name.to_owned())),
    }
}
