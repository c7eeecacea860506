//! Indexes that are older than the text they were made from.

use crate::postfix::Site;
use parameters::master_cf::MasterFile;
use parameters::text;
use std::collections::BTreeSet;
use tables::{Compile, rebuild_stale};

/// The parameters whose tables have files as values (`postmap -F`).
const FILE_VALUES: &[&str] = &["tls_server_sni_maps"];

/// Builds anew what is stale, and says so, a line each.
pub(crate) fn rebuild(site: &Site) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    let host: String = site.config.get(&parameters::MYHOSTNAME);
    for (name, value) in settings(site) {
        let mut compile = Compile::default();
        compile.options.utf8 = site.config.get(&parameters::SMTPUTF8_ENABLE);
        compile.options.values_are_files = FILE_VALUES.contains(&name.as_str());
        for rebuilt in rebuild_stale(&value, &compile, &host) {
            // What can not be made anew is told once, however many parameters name it.
            if seen.insert(rebuilt.index.clone()) {
                lines.push(rebuilt.to_string());
            }
        }
    }
    lines
}

/// Names and values that may name tables: those of main.cf, the defaults for aliases, and the overrides of master.cf.
fn settings(site: &Site) -> Vec<(String, String)> {
    let defaults = [parameters::ALIAS_MAPS.name(), parameters::ALIAS_DATABASE.name()];
    let names = site.config.names_set().chain(defaults).map(str::to_owned);
    let mut settings: Vec<_> =
        names.filter_map(|name| site.config.text(&name).map(|value| (name, value))).collect();
    let path = site.config_directory.join("master.cf");
    let Ok(bytes) = std::fs::read(&path) else { return settings };
    let file = MasterFile::read(&text::from_bytes(&bytes), &path.to_string_lossy());
    for (name, value) in file.services.into_iter().flat_map(|service| service.overrides) {
        let value = site.config.expand(&value).unwrap_or(value);
        settings.push((name, value));
    }
    settings
}
