//! The parameters of pop3d, read once by the login server; what the other half needs goes with each client.

use std::time::Duration;

use attributes::{Attributes, Missing};
use parameters::Config;
use pop3_protocol::LoginSettings;
use worker::login::TlsLevel;

/// RFC 1939 §3: a client may be silent for so long.
const LEAST_TIMEOUT: Duration = Duration::from_secs(600);

/// What holds for a session after its login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionSettings {
    pub(crate) timeout: Duration,
    pub(crate) uidl_format: String,
    pub(crate) no_flag_updates: bool,
    pub(crate) has_last: bool,
    pub(crate) locks: bool,
    pub(crate) expire_days: u32,
    /// Who has this keyword is not shown.
    pub(crate) deleted_flag: String,
    /// Deleted messages get the keyword and stay.
    pub(crate) keeps_deleted: bool,
}

impl SessionSettings {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            timeout: config.get(&parameters::POP3D_TIMEOUT).max(LEAST_TIMEOUT),
            uidl_format: config.get(&parameters::POP3D_UIDL_FORMAT),
            no_flag_updates: config.get(&parameters::POP3D_NO_FLAG_UPDATES),
            has_last: config.get(&parameters::POP3D_ENABLE_LAST),
            locks: config.get(&parameters::POP3D_LOCK_SESSION),
            expire_days: u32::try_from(config.get(&parameters::POP3D_EXPIRE_DAYS)).unwrap_or(0),
            keeps_deleted: keeps_deleted(config),
            deleted_flag: config.get(&parameters::POP3D_DELETED_FLAG),
        }
    }

    /// The words that go with a client.
    pub(crate) fn to_words(&self) -> Attributes {
        Attributes::new()
            .with("timeout", self.timeout.as_secs())
            .with("uidl_format", &self.uidl_format)
            .with("no_flag_updates", u8::from(self.no_flag_updates))
            .with("last", u8::from(self.has_last))
            .with("locks", u8::from(self.locks))
            .with("expire_days", self.expire_days)
            .with("deleted_flag", &self.deleted_flag)
            .with("keeps_deleted", u8::from(self.keeps_deleted))
    }

    /// Reads what [`SessionSettings::to_words`] wrote.
    pub(crate) fn from_words(words: &Attributes) -> Result<Self, Missing> {
        let flag = |name| words.parse::<u8>(name).map(|number| number != 0);
        Ok(Self {
            timeout: Duration::from_secs(words.parse("timeout")?),
            uidl_format: words.text("uidl_format")?.to_owned(),
            no_flag_updates: flag("no_flag_updates")?,
            has_last: flag("last")?,
            locks: flag("locks")?,
            expire_days: words.parse("expire_days")?,
            deleted_flag: words.text("deleted_flag")?.to_owned(),
            keeps_deleted: flag("keeps_deleted")?,
        })
    }
}

/// Without a keyword there is no other way than to remove them.
fn keeps_deleted(config: &Config) -> bool {
    let has_flag = !config.get(&parameters::POP3D_DELETED_FLAG).is_empty();
    match config.get(&parameters::POP3D_DELETE_TYPE).as_str() {
        "expunge" => false,
        "flag" if !has_flag => {
            log::warn!("pop3d_delete_type = flag needs pop3d_deleted_flag: deleted messages are removed");
            false
        }
        "default" | "flag" => has_flag,
        other => {
            log::warn!("pop3d_delete_type: unknown type \"{other}\", using \"default\"");
            has_flag
        }
    }
}

/// `offers_tls`: certificates are there.
pub(crate) fn login_settings(config: &Config, level: TlsLevel, offers_tls: bool) -> LoginSettings {
    let host = config.get(&parameters::MYHOSTNAME);
    let banner = config.get(&parameters::POP3D_BANNER);
    LoginSettings {
        greeting: format!("{host} {banner} ready."),
        offers_tls,
        wrapper: config.get(&parameters::POP3D_TLS_WRAPPERMODE),
        requires_tls: level == TlsLevel::Encrypt,
        plaintext_needs_tls: config.get(&parameters::POP3D_TLS_AUTH_ONLY),
        timeout: config.get(&parameters::POP3D_LOGIN_TIMEOUT),
        failures_limit: u32::try_from(config.get(&parameters::POP3D_LOGIN_LIMIT)).unwrap_or(1).max(1),
        expire_days: u32::try_from(config.get(&parameters::POP3D_EXPIRE_DAYS)).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_go_with_a_client_unchanged() {
        let settings = SessionSettings {
            timeout: LEAST_TIMEOUT,
            uidl_format: "%08Xu%08Xv".into(),
            no_flag_updates: true,
            has_last: false,
            locks: true,
            expire_days: 7,
            deleted_flag: "$POP3Deleted".into(),
            keeps_deleted: true,
        };
        assert_eq!(SessionSettings::from_words(&settings.to_words()), Ok(settings));
    }
}
