//! The parameters of local, read once.

use mailbox::job::CourierSettings;
use parameters::Config;
use rewriting::AliasSettings;
use worker::{Setup, StartError, mailbox_settings};

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
    /// `enable_original_recipient`
    pub(crate) tells_original: bool,
    /// `prepend_delivered_header` has `forward`.
    pub(crate) delivered_to_in_forward: bool,
    pub(crate) couriers: CourierSettings,
    /// A parameter that is set, and asks for what this version can not do.
    pub(crate) not_available: Option<&'static str>,
    /// The same, for names that are no users.
    pub(crate) not_available_to_strangers: Option<&'static str>,
}

impl Settings {
    /// # Errors
    /// [`StartError::Refused`] for settings that contradict each other.
    pub(crate) fn new(setup: &Setup) -> Result<Self, StartError> {
        let config = &setup.config;
        let delivered = config.get(&parameters::PREPEND_DELIVERED_HEADER).to_ascii_lowercase();
        let has = |word: &str| delivered.split(parameters::text::is_list_separator).any(|own| own == word);
        let propagated = config.get(&parameters::PROPAGATE_UNMATCHED_EXTENSIONS);
        let propagates =
            |word: &str| propagated.split(parameters::text::is_list_separator).any(|own| own == word);
        Ok(Self {
            aliases: AliasSettings {
                alias_maps: config.get(&parameters::ALIAS_MAPS),
                transport: setup.service.clone(),
                owner_request_special: config.get(&parameters::OWNER_REQUEST_SPECIAL),
                expand_owner_alias: config.get(&parameters::EXPAND_OWNER_ALIAS),
                // What fallback_transport would take does not come as far as that.
                luser_relay: match set(config, TRANSPORTS) {
                    None => config.get(&parameters::LUSER_RELAY),
                    Some(_) => String::new(),
                },
                duplicate_filter_limit: config
                    .get(&parameters::DUPLICATE_FILTER_LIMIT)
                    .try_into()
                    .unwrap_or(0),
                propagate_alias: propagates("alias"),
                propagate_include: propagates("include"),
            },
            spool: config.get(&parameters::MAIL_SPOOL_DIRECTORY),
            home_mailbox: config.get(&parameters::HOME_MAILBOX),
            forward_path: config.get(&parameters::FORWARD_PATH),
            recipient_delimiter: config.get(&parameters::RECIPIENT_DELIMITER),
            limit_bytes: mailbox_settings::limit_bytes(config, &parameters::MAILBOX_SIZE_LIMIT)?,
            delivered_to_in_mailbox: has("file"),
            tells_original: config.get(&parameters::ENABLE_ORIGINAL_RECIPIENT),
            delivered_to_in_forward: has("forward"),
            couriers: mailbox_settings::couriers(config, &parameters::MAILBOX_DELIVERY_LOCK)?,
            not_available: set(config, TRANSPORTS).or_else(|| set(config, COMMANDS)),
            not_available_to_strangers: set(config, TRANSPORTS),
        })
    }
}

/// Other ways to deliver mail, which come before the mailbox of a user and before a name is unknown.
const TRANSPORTS: [&str; 4] =
    ["mailbox_transport_maps", "mailbox_transport", "fallback_transport_maps", "fallback_transport"];
/// Other ways to deliver a user's mail.
const COMMANDS: [&str; 2] = ["mailbox_command_maps", "mailbox_command"];

/// The first of these parameters that has a value.
fn set<const COUNT: usize>(config: &Config, names: [&'static str; COUNT]) -> Option<&'static str> {
    names.into_iter().find(|name| config.text(name).is_some_and(|value| !value.is_empty()))
}
