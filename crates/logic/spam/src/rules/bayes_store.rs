//! Settings of where tokens and messages are kept.

// Each row of the flat match below is one assignment.
#![allow(clippy::unit_arg)]

use super::configuration::Configuration;
use super::problem::Fault;
use super::statement::{Done, Statement};

/// How the names of modules begin.
const FAMILY: &str = "Mail::SpamAssassin::BayesStore::";
/// Modules that keep files of this host.
const OF_FILES: [&str; 3] = ["DBM", "BDB", "SDBM"];

/// Where tokens and messages are kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BayesStore {
    /// `bayes_store_module`, without what all of them begin with: `DBM`, `Redis`, `SQL`.
    pub module: String,
    /// `bayes_sql_dsn`
    pub dsn: String,
    /// `bayes_sql_username`
    pub username: String,
    /// `bayes_sql_password`
    pub password: String,
    /// `bayes_sql_override_username`: whose data it is; empty for each user's own.
    pub override_username: String,
    /// `bayes_sql_username_authorized`: a plugin says whose data is kept.
    pub username_authorized: bool,
    /// `bayes_token_ttl`, in seconds; below zero for ever.
    pub token_ttl: i64,
    /// `bayes_seen_ttl`, in seconds; below zero for ever.
    pub seen_ttl: i64,
}

impl Default for BayesStore {
    fn default() -> Self {
        Self {
            module: "DBM".to_owned(),
            dsn: String::new(),
            username: String::new(),
            password: String::new(),
            override_username: String::new(),
            username_authorized: false,
            token_ttl: 21 * 86_400,
            seen_ttl: 8 * 86_400,
        }
    }
}

impl BayesStore {
    /// Is it files of this host, as against a server that others ask as well?
    pub fn is_of_files(&self) -> bool {
        OF_FILES.contains(&self.module.as_str())
    }
}

/// Passwords are not for logs.
impl std::fmt::Debug for BayesStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("BayesStore").field("module", &self.module).finish_non_exhaustive()
    }
}

/// Lines about it.
pub(super) fn bayes_store(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let store = &mut configuration.settings.bayes_store;
    let text = || statement.value.to_owned();
    Some(match statement.key {
        "bayes_store_module" => module(statement).map(|module| store.module = module),
        "bayes_sql_dsn" => Ok(store.dsn = text()),
        "bayes_sql_username" => Ok(store.username = text()),
        "bayes_sql_password" => Ok(store.password = text()),
        "bayes_sql_override_username" => Ok(store.override_username = text()),
        "bayes_sql_username_authorized" => statement.switch().map(|on| store.username_authorized = on),
        "bayes_token_ttl" => seconds(statement).map(|seconds| store.token_ttl = seconds),
        "bayes_seen_ttl" => seconds(statement).map(|seconds| store.seen_ttl = seconds),
        _ => return None,
    })
}

/// A module of another family is kept with its whole name: nobody here has it, and who opens the data says so.
fn module(statement: &Statement<'_>) -> Result<String, Fault> {
    let name = statement.required()?;
    let word = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == ':';
    if !name.chars().all(word) {
        return Err(statement.invalid());
    }
    Ok(name.strip_prefix(FAMILY).unwrap_or(name).to_owned())
}

#[allow(clippy::cast_possible_truncation)] // It saturates.
fn seconds(statement: &Statement<'_>) -> Result<i64, Fault> {
    Ok(statement.duration()? as i64)
}

#[cfg(test)]
mod tests {
    use super::BayesStore;
    use crate::rules::{Configuration, Loader, Surroundings};

    fn store_of(text: &str) -> BayesStore {
        let mut loader = Loader::new(Surroundings::default());
        loader.push("local.cf", text.as_bytes());
        loader.run();
        let (configuration, problems): (Configuration, _) = loader.finish();
        assert!(problems.is_empty(), "{problems:?}");
        configuration.settings.bayes_store
    }

    #[test]
    fn settings_of_a_shared_store() {
        let store = store_of(
            "bayes_store_module Mail::SpamAssassin::BayesStore::Redis\nbayes_token_ttl 2d\n\
              bayes_seen_ttl -1\nbayes_sql_dsn server=127.0.0.1:6379;database=2\n",
        );
        assert_eq!((store.module.as_str(), store.token_ttl, store.seen_ttl), ("Redis", 172_800, -1));
        assert_eq!(store.dsn, "server=127.0.0.1:6379;database=2");
        let store = store_of(
            "bayes_store_module Mail::SpamAssassin::BayesStore::PgSQL\nbayes_sql_dsn DBI:Pg:dbname=x\n\
             bayes_sql_username joe\nbayes_sql_password a b\nbayes_sql_override_username all\n\
             bayes_sql_username_authorized 1\n",
        );
        assert_eq!(
            (store.module.as_str(), store.username.as_str(), store.password.as_str()),
            ("PgSQL", "joe", "a b")
        );
        assert!(store.username_authorized && store.override_username == "all" && !store.is_of_files());
    }
}
