//! The parameters of virtual, read once.

use mailbox::job::CourierSettings;
use mailbox::mbox::LockSettings;
use parameters::Config;
use rewriting::MailboxOwners;
use worker::StartError;

/// What holds for the life of the process.
pub(crate) struct Settings {
    pub(crate) owners: MailboxOwners,
    /// `virtual_mailbox_base`, for messages; couriers get theirs from spawnd.
    pub(crate) base: String,
    /// `virtual_mailbox_limit`, 0 for none.
    pub(crate) limit_bytes: u64,
    pub(crate) couriers: CourierSettings,
}

impl Settings {
    /// # Errors
    /// [`StartError::Refused`] for settings that contradict each other.
    pub(crate) fn new(config: &Config) -> Result<Self, StartError> {
        let limit = config.get(&parameters::VIRTUAL_MAILBOX_LIMIT);
        let message_limit = config.get(&parameters::MESSAGE_SIZE_LIMIT);
        if limit > 0 && (message_limit == 0 || limit < message_limit) {
            let text =
                "main.cf configuration error: virtual_mailbox_limit is smaller than message_size_limit";
            return Err(StartError::Refused(text.to_owned()));
        }
        Ok(Self {
            owners: MailboxOwners {
                virtual_uid_maps: config.get(&parameters::VIRTUAL_UID_MAPS),
                virtual_gid_maps: config.get(&parameters::VIRTUAL_GID_MAPS),
                virtual_minimum_uid: config
                    .get(&parameters::VIRTUAL_MINIMUM_UID)
                    .try_into()
                    .unwrap_or(u32::MAX),
            },
            base: config.get(&parameters::VIRTUAL_MAILBOX_BASE),
            limit_bytes: u64::try_from(limit).unwrap_or(0),
            couriers: CourierSettings {
                locks: locks(config)?,
                strict_ownership: config.get(&parameters::STRICT_MAILBOX_OWNERSHIP),
            },
        })
    }
}

fn locks(config: &Config) -> Result<LockSettings, StartError> {
    let settings = LockSettings {
        fcntl: false,
        flock: false,
        dotlock: false,
        attempts: config.get(&parameters::DELIVER_LOCK_ATTEMPTS).try_into().unwrap_or(1),
        delay: config.get(&parameters::DELIVER_LOCK_DELAY),
        stale_after: config.get(&parameters::STALE_LOCK_TIME),
    };
    let methods = settings.with_methods(&config.get(&parameters::VIRTUAL_MAILBOX_LOCK));
    methods.map_err(|error| StartError::Refused(format!("virtual_mailbox_lock: {error}")))
}
