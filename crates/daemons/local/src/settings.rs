//! The parameters of local, read once.

use mailbox::job::CourierSettings;
use mailbox::mbox::LockSettings;
use parameters::Config;
use rewriting::AliasSettings;
use worker::{Setup, StartError};

/// What holds for the life of the process.
pub(crate) struct Settings {
    pub(crate) aliases: AliasSettings,
    /// `mail_spool_directory`
    pub(crate) spool: String,
    /// `home_mailbox`, empty for the spool.
    pub(crate) home_mailbox: String,
    /// `forward_path`, with its `$name`s.
    pub(crate) forward_path: String,
    /// `recipient_delimiter`
    pub(crate) recipient_delimiter: String,
    /// `mailbox_size_limit`, 0 for none.
    pub(crate) limit_bytes: u64,
    /// `prepend_delivered_header` has `file`.
    pub(crate) delivered_to_in_mailbox: bool,
    /// `prepend_delivered_header` has `forward`.
    pub(crate) delivered_to_in_forward: bool,
    pub(crate) couriers: CourierSettings,
    /// A parameter that is set, and asks for what this version can not do.
    pub(crate) not_available: Option<&'static str>,
}

impl Settings {
    /// # Errors
    /// [`StartError::Refused`] for settings that contradict each other.
    pub(crate) fn new(setup: &Setup) -> Result<Self, Box<StartError>> {
        let config = &setup.config;
        let limit = config.get(&parameters::MAILBOX_SIZE_LIMIT);
        let message_limit = config.get(&parameters::MESSAGE_SIZE_LIMIT);
        if limit > 0 && (message_limit == 0 || limit < message_limit) {
            let text = "main.cf configuration error: mailbox_size_limit is smaller than message_size_limit";
            return Err(Box::new(StartError::Refused(text.to_owned())));
        }
        let delivered = config.get(&parameters::PREPEND_DELIVERED_HEADER).to_ascii_lowercase();
        let has = |word: &str| delivered.split(parameters::text::is_list_separator).any(|own| own == word);
        Ok(Self {
            aliases: AliasSettings {
                alias_maps: config.get(&parameters::ALIAS_MAPS),
                transport: setup.service.clone(),
                owner_request_special: config.get(&parameters::OWNER_REQUEST_SPECIAL),
                expand_owner_alias: config.get(&parameters::EXPAND_OWNER_ALIAS),
                luser_relay: config.get(&parameters::LUSER_RELAY),
                duplicate_filter_limit: config
                    .get(&parameters::DUPLICATE_FILTER_LIMIT)
                    .try_into()
                    .unwrap_or(0),
            },
            spool: config.get(&parameters::MAIL_SPOOL_DIRECTORY),
            home_mailbox: config.get(&parameters::HOME_MAILBOX),
            forward_path: config.get(&parameters::FORWARD_PATH),
            recipient_delimiter: config.get(&parameters::RECIPIENT_DELIMITER),
            limit_bytes: u64::try_from(limit).unwrap_or(0),
            delivered_to_in_mailbox: has("file"),
            delivered_to_in_forward: has("forward"),
            couriers: CourierSettings {
                locks: locks(config)?,
                strict_ownership: config.get(&parameters::STRICT_MAILBOX_OWNERSHIP),
            },
            not_available: not_available(config),
        })
    }
}

fn locks(config: &Config) -> Result<LockSettings, Box<StartError>> {
    let settings = LockSettings {
        fcntl: false,
        flock: false,
        dotlock: false,
        attempts: config.get(&parameters::DELIVER_LOCK_ATTEMPTS).try_into().unwrap_or(1),
        delay: config.get(&parameters::DELIVER_LOCK_DELAY),
        stale_after: config.get(&parameters::STALE_LOCK_TIME),
    };
    let methods = settings.with_methods(&config.get(&parameters::MAILBOX_DELIVERY_LOCK));
    methods.map_err(|error| Box::new(StartError::Refused(format!("mailbox_delivery_lock: {error}"))))
}

/// Other ways to deliver a user's mail, which come before the mailbox.
fn not_available(config: &Config) -> Option<&'static str> {
    let asked = [
        "mailbox_transport_maps",
        "mailbox_transport",
        "mailbox_command_maps",
        "mailbox_command",
        "fallback_transport_maps",
        "fallback_transport",
    ];
    asked.into_iter().find(|name| config.text(name).is_some_and(|value| !value.is_empty()))
}
