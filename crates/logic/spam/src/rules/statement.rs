//! What one line means: which setting or rule it changes.

use std::sync::Arc;

use super::configuration::Configuration;
use super::problem::Fault;
use super::{
    asking, authenticity, clearinghouses, defining, learning, listing, plugins, preferences, reporting,
    scanning,
};
use crate::perl::Pattern;

/// A line: its key in lower case with underscores, its value, and where it stands.
pub(crate) struct Statement<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a str,
    pub(crate) file: &'a Arc<str>,
    pub(crate) line: usize,
}

pub(super) type Done = Result<(), Fault>;

/// Settings that only the administrator may set.
const ADMIN: [&str; 40] = [
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
    "dcc_dccifd_path",
    "dcc_home",
    "dcc_learn_score",
    "dcc_options",
    "dcc_path",
    "dcc_timeout",
    "dccifd_options",
    "dns_block_rule",
    "dns_block_time",
    "dns_local_ports_avoid",
    "dns_local_ports_none",
    "dns_local_ports_permit",
    "enable_compat",
    "loadplugin",
    "pyzor_fork",
    "pyzor_options",
    "pyzor_path",
    "pyzor_perl",
    "pyzor_server_file",
    "pyzor_timeout",
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
    let found = defining::rules(configuration, statement)
        .or_else(|| listing::lists(configuration, statement))
        .or_else(|| reporting::report(configuration, statement))
        .or_else(|| scanning::scan(configuration, statement))
        .or_else(|| learning::learn(configuration, statement))
        .or_else(|| asking::asking(configuration, statement))
        .or_else(|| clearinghouses::clearinghouses(configuration, statement))
        .or_else(|| authenticity::authenticity(configuration, statement))
        .or_else(|| preferences::preferences(configuration, statement))
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
    pub(super) fn named(&self) -> Result<(&'a str, &'a str), Fault> {
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

    pub(super) fn nothing(&self) -> Done {
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

/// Families of settings that belong to parts which this version does not have: they are taken, and named once in the log.
const INERT: [&str; 38] = [
    "asn_",
    "auto_welcomelist_",
    "auto_whitelist_",
    "bayes_",
    "clear_dns_",
    "dcc_",
    "dkim_",
    "dmarc_",
    "dns_",
    "do_not_use_mail_spf",
    "do_not_use_mail_spf_query",
    "extracttext_",
    "fns_",
    "geodb_",
    "hashbl_",
    "lock_method",
    "mbox_format_from_regex",
    "ok_languages",
    "parse_dkim",
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
    "use_razor2",
    "use_txrep",
    "user_scores_",
    "version_tag",
    "clear_uridnsbl_skip_domain",
    "uricountry",
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
