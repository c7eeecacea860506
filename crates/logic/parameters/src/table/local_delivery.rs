//! Delivery to users of this system and alias files.

use crate::declare::parameters;

parameters! {
    ALIAS_DATABASE: Text = "alias_database", "hash:/etc/aliases", ["local"];
    ALIAS_MAPS: Text = "alias_maps", "hash:/etc/aliases, nis:mail.aliases", ["local"];
    BIFF: Flag = "biff", "yes", ["local"];
    COMMAND_EXPANSION_FILTER: Text = "command_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", ["local"];
    COMMAND_TIME_LIMIT: Time = "command_time_limit", "1000s", ["local"];
    DEFAULT_DELIVERY_STATUS_FILTER: Text = "default_delivery_status_filter", "", ["local"];
    DELIVER_LOCK_ATTEMPTS: Number = "deliver_lock_attempts", "20", ["local"];
    DELIVER_LOCK_DELAY: Time = "deliver_lock_delay", "1s", ["local"];
    EXPAND_OWNER_ALIAS: Flag = "expand_owner_alias", "no", ["local"];
    EXPORT_ENVIRONMENT: Text = "export_environment", "TZ MAIL_CONFIG LANG", ["local"];
    FORWARD_EXPANSION_FILTER: Text = "forward_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", ["local"];
    FORWARD_PATH: Raw = "forward_path", "$home/.forward${recipient_delimiter}${extension}, $home/.forward", ["local"];
    FROZEN_DELIVERED_TO: Flag = "frozen_delivered_to", "yes", ["local"];
    HOME_MAILBOX: Text = "home_mailbox", "", ["local"];
    LOCAL_COMMAND_SHELL: Text = "local_command_shell", "", ["local"];
    LOCAL_DELIVERY_STATUS_FILTER: Text = "local_delivery_status_filter", "$default_delivery_status_filter", ["local"];
    LOCAL_LOGIN_SENDER_MAPS: Text = "local_login_sender_maps", "static:*", ["local"];
    LOCAL_RECIPIENT_MAPS: Text = "local_recipient_maps", "proxy:unix:passwd.byname $alias_maps", ["local"];
    MAIL_SPOOL_DIRECTORY: Text = "mail_spool_directory", "/var/mail", ["local"];
    MAILBOX_COMMAND: Raw = "mailbox_command", "", ["local"];
    MAILBOX_COMMAND_MAPS: Text = "mailbox_command_maps", "", ["local"];
    MAILBOX_DELIVERY_LOCK: Text = "mailbox_delivery_lock", "fcntl, dotlock", ["local"];
    MAILBOX_SIZE_LIMIT: Number = "mailbox_size_limit", "51200000", ["local"];
    NEWALIASES_PATH: Text = "newaliases_path", "/usr/bin/newaliases", ["local"];
    OWNER_REQUEST_SPECIAL: Flag = "owner_request_special", "yes", ["local"];
    PIPE_DELIVERY_STATUS_FILTER: Text = "pipe_delivery_status_filter", "$default_delivery_status_filter", ["local"];
    REQUIRE_HOME_DIRECTORY: Flag = "require_home_directory", "no", ["local"];
    RESET_OWNER_ALIAS: Flag = "reset_owner_alias", "no", ["local"];
    STALE_LOCK_TIME: Time = "stale_lock_time", "500s", ["local"];
    STRICT_MAILBOX_OWNERSHIP: Flag = "strict_mailbox_ownership", "yes", ["local"];
    SUN_MAILTOOL_COMPATIBILITY: Flag = "sun_mailtool_compatibility", "no", ["local"];
    UNKNOWN_LOCAL_RECIPIENT_REJECT_CODE: Number = "unknown_local_recipient_reject_code", "550", ["local"];
}
