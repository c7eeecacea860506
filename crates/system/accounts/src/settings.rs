//! The parameters of the user database, read once.

use parameters::Config;
use passwords::Scheme;
use rewriting::MailboxOwners;

/// What holds for the life of the process.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `virtual_password_maps`
    pub password_maps: String,
    /// `passwd_file`
    pub passwd_file: String,
    /// `passwd_file_mail_location`
    pub mail_location: String,
    /// `login_system_users`
    pub system_users: bool,
    /// `login_default_password_scheme`
    pub default_scheme: Scheme,
    /// `login_default_domain`
    pub default_domain: String,
    /// `virtual_mailbox_base`
    pub base: String,
    /// `virtual_uid_maps` and its kin.
    pub owners: MailboxOwners,
    /// `mail_spool_directory`
    pub spool: String,
    /// `home_mailbox`
    pub home_mailbox: String,
    /// `mail_folder_directory`
    pub folder_directory: String,
    /// `mbox_folders_suffix`
    pub folders_suffix: String,
    /// `virtual_mailbox_layout`, as a mail location has it.
    pub layout: String,
    /// `mailbox_quota_maps`
    pub limit_maps: String,
    /// `mailbox_acl_groups_maps`
    pub acl_groups_maps: String,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let minimum = config.get(&parameters::VIRTUAL_MINIMUM_UID);
        Self {
            password_maps: config.get(&parameters::VIRTUAL_PASSWORD_MAPS),
            passwd_file: config.get(&parameters::PASSWD_FILE),
            mail_location: config.get(&parameters::PASSWD_FILE_MAIL_LOCATION),
            system_users: config.get(&parameters::LOGIN_SYSTEM_USERS),
            default_scheme: scheme(&config.get(&parameters::LOGIN_DEFAULT_PASSWORD_SCHEME)),
            default_domain: config.get(&parameters::LOGIN_DEFAULT_DOMAIN).to_lowercase(),
            base: config.get(&parameters::VIRTUAL_MAILBOX_BASE),
            owners: MailboxOwners {
                virtual_uid_maps: config.get(&parameters::VIRTUAL_UID_MAPS),
                virtual_gid_maps: config.get(&parameters::VIRTUAL_GID_MAPS),
                virtual_minimum_uid: minimum.try_into().unwrap_or(u32::MAX),
            },
            spool: config.get(&parameters::MAIL_SPOOL_DIRECTORY),
            home_mailbox: config.get(&parameters::HOME_MAILBOX),
            folder_directory: config.get(&parameters::MAIL_FOLDER_DIRECTORY),
            folders_suffix: config.get(&parameters::MBOX_FOLDERS_SUFFIX),
            layout: layout(&config.get(&parameters::VIRTUAL_MAILBOX_LAYOUT)),
            limit_maps: config.get(&parameters::MAILBOX_QUOTA_MAPS),
            acl_groups_maps: config.get(&parameters::MAILBOX_ACL_GROUPS_MAPS),
        }
    }
}

fn layout(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "" | "maildir++" => String::new(),
        "fs" => "LAYOUT=fs".to_owned(),
        other => {
            log::warn!("virtual_mailbox_layout: unknown layout \"{other}\", using \"maildir++\"");
            String::new()
        }
    }
}

fn scheme(name: &str) -> Scheme {
    Scheme::parse(name, "").unwrap_or_else(|| {
        log::warn!("login_default_password_scheme: unknown scheme \"{name}\", using CRYPT");
        Scheme::Crypt
    })
}
