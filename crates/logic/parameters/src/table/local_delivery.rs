//! Delivery to users of this system: aliases, forwarding, mailboxes, commands.

use crate::declare::parameters;

parameters! {
    // Aliases

    /// Tables of local aliases, by user name: addresses, `:include:file`, `/file`, `|command`.
    ALIAS_MAPS: Text = "alias_maps", "hash:/etc/aliases, nis:mail.aliases", ["local", "smtpd"];
    /// Those of `alias_maps` that `newaliases` builds. A table in one list only is either not used or not
    /// built.
    ALIAS_DATABASE: Text = "alias_database", "hash:/etc/aliases", ["newaliases", "sendmail", "postalias"];
    /// Mail to an alias with an `owner-` alias gets what that owner stands for as sender, in place of the
    /// owner's name.
    EXPAND_OWNER_ALIAS: Flag = "expand_owner_alias", "no", ["local"];
    /// Does not split an extension off `owner-list` and `list-request`, whatever the delimiter.
    OWNER_REQUEST_SPECIAL: Flag = "owner_request_special", "yes", ["local", "trivial-rewrite", "smtpd", "qmgr", "cleanup"];
    /// Makes an alias without owner forget the owner of the alias that led to it. `no` keeps the outer owner.
    RESET_OWNER_ALIAS: Flag = "reset_owner_alias", "no", ["local"];
    /// Where `|command` is allowed: `alias`, `forward`, `include`.
    ALLOW_MAIL_TO_COMMANDS: Text = "allow_mail_to_commands", "alias, forward", ["local"];
    /// Where `/file` is allowed: `alias`, `forward`, `include`.
    ALLOW_MAIL_TO_FILES: Text = "allow_mail_to_files", "alias, forward", ["local"];
    /// Sets `Delivered-To:` once for all aliases that one delivery passes through, which finds loops over
    /// several hosts with fewer messages.
    FROZEN_DELIVERED_TO: Flag = "frozen_delivered_to", "yes", ["local"];

    // Forwarding by users

    /// Where to look for a user's `.forward` file: paths with `$home`, `$user`, `$extension` and others. The
    /// first that exists counts.
    FORWARD_PATH: Raw = "forward_path", "$home/.forward${recipient_delimiter}${extension}, $home/.forward", ["local"];
    /// Characters allowed in what `$name` brings into `forward_path`; any other becomes `_`.
    FORWARD_EXPANSION_FILTER: Text = "forward_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", ["local"];

    // Who takes the mail: the first of these that is set

    /// Tables that give, by user, a transport for local mail; aliases come before.
    MAILBOX_TRANSPORT_MAPS: Text = "mailbox_transport_maps", "", ["local"];
    /// Transport for all local mail, after aliases and `.forward`; for users with and without an account.
    MAILBOX_TRANSPORT: Text = "mailbox_transport", "", ["local"];
    /// Tables that give, by user, a command that takes the mail.
    MAILBOX_COMMAND_MAPS: Text = "mailbox_command_maps", "", ["local"];
    /// Command that takes local mail, run as the user, as in `/usr/lib/dovecot/deliver`. For root it is run
    /// as `default_privs`.
    MAILBOX_COMMAND: Raw = "mailbox_command", "", ["local"];
    /// Mailbox below the user's home: `Maildir/` (the slash makes it one) or `Mailbox`.
    HOME_MAILBOX: Text = "home_mailbox", "", ["local"];
    /// Folder of the mbox files named by user; with a slash at the end, of Maildirs, which must exist
    /// beforehand.
    MAIL_SPOOL_DIRECTORY: Text = "mail_spool_directory", "/var/mail", ["local"];
    /// Tables that give, by user, a transport for those who have neither account nor alias.
    FALLBACK_TRANSPORT_MAPS: Text = "fallback_transport_maps", "", ["local"];
    /// Transport for those who have neither account nor alias.
    FALLBACK_TRANSPORT: Text = "fallback_transport", "", ["local"];
    /// Address, file or command for mail to unknown local users, with `$user`, `$local` and others filled in.
    /// Also set `local_recipient_maps` to empty, or they are refused at the door.
    LUSER_RELAY: Raw = "luser_relay", "", ["local"];

    // Mailboxes

    /// Largest size in bytes of an mbox file, or of one message in a Maildir; 0 means no limit. It must not
    /// be smaller than `message_size_limit`.
    MAILBOX_SIZE_LIMIT: Number = "mailbox_size_limit", "51200000", ["local"];
    /// Locks taken on an mbox file before it is written; see `virtual_mailbox_lock`. `postconf -l` lists
    /// them.
    MAILBOX_DELIVERY_LOCK: Text = "mailbox_delivery_lock", "fcntl, dotlock", ["local"];
    /// How often a lock on a mailbox is tried.
    DELIVER_LOCK_ATTEMPTS: Number = "deliver_lock_attempts", "20", ["virtual", "local"];
    /// Wait between two tries of a lock on a mailbox.
    DELIVER_LOCK_DELAY: Time = "deliver_lock_delay", "1s", ["virtual", "local"];
    /// Age at which a lock file counts as left behind and is removed.
    STALE_LOCK_TIME: Time = "stale_lock_time", "500s", ["virtual", "local"];
    /// Defers when an mbox file does not belong to the user it is written for.
    STRICT_MAILBOX_OWNERSHIP: Flag = "strict_mailbox_ownership", "yes", ["virtual", "local"];
    /// Defers mail for users whose home is missing, for homes that are mounted over the network.
    REQUIRE_HOME_DIRECTORY: Flag = "require_home_directory", "no", ["local"];
    /// Tells users who asked by the comsat service that mail has arrived.
    BIFF: Flag = "biff", "yes", ["local"];
    /// Old form of `mailbox_delivery_lock = dotlock` for the mail tool of Sun.
    SUN_MAILTOOL_COMPATIBILITY: Flag = "sun_mailtool_compatibility", "no", ["local"];

    // Commands

    /// How long a command may run. `TRANSPORT_time_limit`, with the name from master.cf, overrules it for one
    /// transport.
    COMMAND_TIME_LIMIT: Time = "command_time_limit", "1000s", ["local", "pipe"];
    /// Folder in which a command runs; empty is the queue folder. With `$home` and others; if it is not
    /// there, mail waits.
    COMMAND_EXECUTION_DIRECTORY: Raw = "command_execution_directory", "", ["local"];
    /// Characters allowed in what `$name` brings into `command_execution_directory`; any other becomes `_`.
    EXECUTION_DIRECTORY_EXPANSION_FILTER: Text = "execution_directory_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", ["local"];
    /// Characters allowed in what `$name` brings into `mailbox_command` and `mailbox_command_maps`; any other
    /// becomes `_`.
    COMMAND_EXPANSION_FILTER: Text = "command_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", ["local"];
    /// Program that runs all commands of local delivery, given the command line as its last argument: a
    /// restricted shell. Empty runs simple commands directly and others by `/bin/sh`.
    LOCAL_COMMAND_SHELL: Text = "local_command_shell", "", ["local"];
    /// User whose rights deliveries to `/file` and `|command` of system-wide alias files get. Never a
    /// privileged one, nor the owner of the mail system.
    DEFAULT_PRIVS: Text = "default_privs", "nobody", ["local"];
    /// Environment variables that programs we start may see: names, or `name=value`.
    EXPORT_ENVIRONMENT: Text = "export_environment", "TZ MAIL_CONFIG LANG", ["local", "pipe"];

    // Results

    /// Table that may change status code or text of a delivery result (`4.2.2 mailbox full`) before it is
    /// logged and acted upon, for all delivery agents. A 5 may become a 4 and back, success stays success.
    DEFAULT_DELIVERY_STATUS_FILTER: Text = "default_delivery_status_filter", "", ["all"];
    /// As `default_delivery_status_filter`, for local delivery.
    LOCAL_DELIVERY_STATUS_FILTER: Text = "local_delivery_status_filter", "$default_delivery_status_filter", ["local"];
    /// As `default_delivery_status_filter`, for delivery to commands by pipe.
    PIPE_DELIVERY_STATUS_FILTER: Text = "pipe_delivery_status_filter", "$default_delivery_status_filter", ["pipe"];
}
