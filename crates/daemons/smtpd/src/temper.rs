//! What depends on `stress`: how patient the server is, and whatever else main.cf makes depend on it.

use std::sync::Arc;
use std::time::Duration;

use parameters::Config;
use restrictions::Restrictions;

use crate::service::Smtpd;
use crate::settings::{self, Settings};

/// The settings of one temper. New sessions get those in force; a dialogue that has begun keeps its own.
pub(crate) struct Temper {
    settings: Settings,
    dialogue: Arc<smtp_protocol::Settings>,
    restrictions: Restrictions,
    handshake_limit: Duration,
}

impl Temper {
    /// Those in force when `stress` has its other value.
    pub(crate) fn other(config: &Config, tls: smtp_protocol::TlsLevel) -> Self {
        let config = other(config);
        Self {
            settings: Settings::from(&config),
            dialogue: Arc::new(settings::dialogue(&config, tls)),
            restrictions: Restrictions::new(restrictions::Settings::from(&config)),
            handshake_limit: config.get(&parameters::SMTPD_STARTTLS_TIMEOUT),
        }
    }
}

/// `config` with the other value of `stress`.
pub(crate) fn other(config: &Config) -> Config {
    config.with(parameters::STRESS.name(), if is_stressed(config) { "" } else { "yes" })
}

/// Was the worker started while there was stress?
pub(crate) fn is_stressed(config: &Config) -> bool {
    !config.get(&parameters::STRESS).is_empty()
}

impl Smtpd {
    /// Changes between the two tempers.
    pub(crate) fn turn_temper(&mut self, stress: bool) {
        if self.stress == stress {
            return;
        }
        self.stress = stress;
        let other = &mut self.other_temper;
        std::mem::swap(&mut self.settings, &mut other.settings);
        std::mem::swap(&mut self.dialogue, &mut other.dialogue);
        std::mem::swap(&mut self.restrictions, &mut other.restrictions);
        std::mem::swap(&mut self.encryption.handshake_limit, &mut other.handshake_limit);
    }
}
