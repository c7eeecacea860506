//! The parameters of virtual, read once.

use mailbox::job::CourierSettings;
use mailbox::store::Layout;
use parameters::Config;
use rewriting::MailboxOwners;
use worker::{StartError, mailbox_settings};

/// What holds for the life of the process.
pub(crate) struct Settings {
    pub(crate) owners: MailboxOwners,
    /// `virtual_mailbox_base`, for messages; couriers get theirs from spawnd.
    pub(crate) base: String,
    /// `virtual_mailbox_limit`, 0 for none.
    pub(crate) limit_bytes: u64,
    /// `mailbox_quota_maps`
    pub(crate) limit_maps: String,
    /// `virtual_mailbox_layout`
    pub(crate) layout: Layout,
    /// `quota_status_overquota`
    pub(crate) over_quota: String,
    /// `enable_original_recipient`
    pub(crate) tells_original: bool,
    pub(crate) couriers: CourierSettings,
}

impl Settings {
    /// # Errors
    /// [`StartError::Refused`] for settings that contradict each other.
    pub(crate) fn new(config: &Config) -> Result<Self, StartError> {
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
            limit_bytes: mailbox_settings::limit_bytes(config, &parameters::VIRTUAL_MAILBOX_LIMIT)?,
            limit_maps: config.get(&parameters::MAILBOX_QUOTA_MAPS),
            layout: match config.get(&parameters::VIRTUAL_MAILBOX_LAYOUT).eq_ignore_ascii_case("fs") {
                true => Layout::MaildirTree,
                false => Layout::MaildirPlusPlus,
            },
            over_quota: config.get(&parameters::QUOTA_STATUS_OVERQUOTA),
            tells_original: config.get(&parameters::ENABLE_ORIGINAL_RECIPIENT),
            couriers: mailbox_settings::couriers(config, &parameters::VIRTUAL_MAILBOX_LOCK)?,
        })
    }
}
