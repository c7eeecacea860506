//! Tables of databases: their settings lie in a file of their own, or in main.cf below the table's name
//! (`ldap:accounts` has `accounts_search_base` and so on).

use std::collections::BTreeSet;

use parameters::list::{inside_braces, items};
use parameters::main_cf::{logical_lines, split_assignment};

use super::files::reason;
use super::report::{Fatal, Report};
use super::space::Settings;

/// Settings that each type of database has.
const SETTINGS: [(&str, &[&str]); 5] = [
    (
        "ldap",
        &[
            "bind",
            "bind_dn",
            "bind_pw",
            "cache",
            "cache_expiry",
            "cache_size",
            "chase_referrals",
            "debuglevel",
            "dereference",
            "domain",
            "expansion_limit",
            "leaf_result_attribute",
            "query_filter",
            "recursion_limit",
            "result_attribute",
            "result_filter",
            "result_format",
            "sasl_authz_id",
            "sasl_mechs",
            "sasl_minssf",
            "sasl_realm",
            "scope",
            "search_base",
            "server_host",
            "server_port",
            "size_limit",
            "special_result_attribute",
            "start_tls",
            "terminal_result_attribute",
            "timeout",
            "tls_ca_cert_dir",
            "tls_ca_cert_file",
            "tls_cert",
            "tls_cipher_suite",
            "tls_key",
            "tls_random_file",
            "tls_require_cert",
            "version",
        ],
    ),
    (
        "mysql",
        &[
            "additional_conditions",
            "dbname",
            "domain",
            "expansion_limit",
            "hosts",
            "option_file",
            "option_group",
            "password",
            "query",
            "require_result_set",
            "result_format",
            "select_field",
            "table",
            "tls_CAfile",
            "tls_CApath",
            "tls_cert_file",
            "tls_ciphers",
            "tls_key_file",
            "tls_verify_cert",
            "user",
            "where_field",
        ],
    ),
    (
        "pgsql",
        &[
            "additional_conditions",
            "dbname",
            "domain",
            "expansion_limit",
            "hosts",
            "password",
            "query",
            "result_format",
            "select_field",
            "select_function",
            "table",
            "user",
            "where_field",
        ],
    ),
    (
        "sqlite",
        &[
            "additional_conditions",
            "dbpath",
            "domain",
            "expansion_limit",
            "query",
            "result_format",
            "select_field",
            "table",
            "where_field",
        ],
    ),
    (
        "memcache",
        &[
            "backup",
            "data_size_limit",
            "domain",
            "flags",
            "key_format",
            "line_size_limit",
            "max_try",
            "memcache",
            "retry_pause",
            "timeout",
            "ttl",
        ],
    ),
];

/// Looks for tables of databases in values.
pub(super) struct Databases {
    /// Files looked at already: each is complained about once.
    seen: BTreeSet<String>,
    quiet: bool,
}

impl Databases {
    pub(super) fn new(quiet: bool) -> Self {
        Self { seen: BTreeSet::new(), quiet }
    }

    /// The names of main.cf that the tables in `value` may have; files of tables are checked on the way.
    ///
    /// `place` is the file for messages about braces.
    pub(super) fn names_in(
        &mut self,
        value: &str,
        place: &str,
        report: &Report,
    ) -> Result<Vec<String>, Fatal> {
        let mut names = Vec::new();
        self.scan(value, place, report, &mut names)?;
        Ok(names)
    }

    /// Takes any `type:name` for a table: what is one depends on the parameter.
    fn scan(
        &mut self,
        text: &str,
        place: &str,
        report: &Report,
        names: &mut Vec<String>,
    ) -> Result<(), Fatal> {
        for item in items(text) {
            if item.starts_with('{') {
                self.scan(opened(item, place, report), place, report, names)?;
                continue;
            }
            let Some((kind, name)) = split_table(item) else { continue };
            let settings = SETTINGS.iter().find(|(known, _)| *known == kind).map(|(_, settings)| *settings);
            if name.starts_with('/') {
                if let Some(settings) = settings {
                    self.check_file(kind, name, settings, report)?;
                }
            } else if name.starts_with('{') {
                self.scan(opened(name, place, report), place, report, names)?;
            } else if !name.starts_with('.') {
                names.extend(settings.into_iter().flatten().map(|setting| format!("{name}_{setting}")));
            }
        }
        Ok(())
    }

    fn check_file(&mut self, kind: &str, path: &str, known: &[&str], report: &Report) -> Result<(), Fatal> {
        let table = [kind, ":", path].concat();
        if !self.seen.insert(table.clone()) {
            return Ok(());
        }
        let Some(text) = open(kind, path, report) else { return Ok(()) };
        let settings = settings_of(&text, path, report)?;
        for (name, value) in
            settings.iter().filter(|(name, _)| !self.quiet && !known.contains(&name.as_str()))
        {
            report.warn(format_args!("{table}: unused parameter: {name}={value}"));
        }
        Ok(())
    }
}

/// `proxy:mysql:/x` is the table `mysql:/x`.
fn split_table(item: &str) -> Option<(&str, &str)> {
    let (kind, name) = item.split_once(':')?;
    if kind == "proxy" { split_table(name) } else { Some((kind, name)) }
}

fn opened<'a>(item: &'a str, place: &str, report: &Report) -> &'a str {
    let (content, problem) = inside_braces(item);
    if let Err(problem) = problem {
        report.warn(format_args!("{place}: {problem}"));
    }
    content
}

/// A file that holds a password may well be out of reach: that is no reason to complain.
fn open(kind: &str, path: &str, report: &Report) -> Option<String> {
    let complain = |what: &str| report.warn(format_args!("open \"{kind}\" configuration \"{path}\": {what}"));
    match std::fs::metadata(path) {
        Ok(facts) if !facts.is_file() => complain("not a regular file"),
        Ok(_) => match std::fs::read(path) {
            Ok(bytes) => return Some(parameters::text::from_bytes(&bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
            Err(error) => complain(&reason(&error)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
        Err(error) => complain(&reason(&error)),
    }
    None
}

fn settings_of(text: &str, path: &str, report: &Report) -> Result<Settings, Fatal> {
    let mut settings = Settings::new();
    for line in logical_lines(text) {
        if let Some(orphan) = line.orphan() {
            report.warn(format_args!("{path}: {orphan}"));
            continue;
        }
        let (name, value) = split_assignment(&line.text)
            .map_err(|problem| Fatal(format!("{path}, line {}: {problem}: \"{}\"", line.first, line.text)))?;
        if let Some(earlier) = settings.insert(name.to_owned(), value.to_owned()) {
            report.warn(format_args!(
                "{path}, line {}: overriding earlier entry: {name}={earlier}",
                line.first
            ));
        }
    }
    Ok(settings)
}
