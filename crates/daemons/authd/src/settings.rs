//! The parameters of authd, read once.

use std::time::Duration;

use accounts::Accounts;
use parameters::Config;
use sasl::Mechanism;

/// What holds for the life of the process.
pub(crate) struct Settings {
    pub(crate) mechanisms: Vec<Mechanism>,
    pub(crate) failure_delay: Duration,
    pub(crate) penalty_limit: Duration,
    pub(crate) host_name: String,
}

impl Settings {
    pub(crate) fn new(config: &Config, accounts: &Accounts) -> Self {
        Self {
            mechanisms: mechanisms(&config.get(&parameters::LOGIN_MECHANISMS), accounts),
            failure_delay: config.get(&parameters::LOGIN_FAILURE_DELAY),
            penalty_limit: config.get(&parameters::LOGIN_PENALTY_LIMIT),
            host_name: config.get(&parameters::MYHOSTNAME),
        }
    }
}

fn mechanisms(text: &str, accounts: &Accounts) -> Vec<Mechanism> {
    let mut chosen = Vec::new();
    for word in text.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        match Mechanism::parse(word) {
            Some(mechanism) => chosen.push(mechanism),
            None if word.eq_ignore_ascii_case("auto") => chosen.extend(accounts.usable_mechanisms()),
            None => log::warn!("login_mechanisms: {word} is not known here"),
        }
    }
    Mechanism::ALL.into_iter().filter(|mechanism| chosen.contains(mechanism)).collect()
}
