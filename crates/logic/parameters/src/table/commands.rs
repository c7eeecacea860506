//! Commands, mail that local users submit, and several instances on one machine.

use crate::declare::parameters;

parameters! {
    // Who may do what

    /// Local users who may send mail: login names, files, tables, `!name` to leave one out. Root may always.
    AUTHORIZED_SUBMIT_USERS: Text = "authorized_submit_users", "static:anyone", ["postdrop", "sendmail"];
    /// Local users who may flush the queue. Root and the mail owner always may.
    AUTHORIZED_FLUSH_USERS: Text = "authorized_flush_users", "static:anyone", ["postqueue"];
    /// Local users who may list the queue. Root and the mail owner always may.
    AUTHORIZED_MAILQ_USERS: Text = "authorized_mailq_users", "static:anyone", ["postqueue"];
    /// Tables that give, by login name (or `uid:` and number), the envelope senders a local user may use:
    /// addresses, `@domain`, `<>` for the empty one, `*` for any.
    LOCAL_LOGIN_SENDER_MAPS: Text = "local_login_sender_maps", "static:*", ["postdrop"];
    /// How the empty sender is written in results of `local_login_sender_maps`.
    EMPTY_ADDRESS_LOCAL_LOGIN_SENDER_MAPS_LOOKUP_KEY: Text = "empty_address_local_login_sender_maps_lookup_key", "<>", ["postdrop"];

    // Submission

    /// Turns CR LF into LF in mail from standard input: `always`, `strict` (only if the first line ends so)
    /// or `never`.
    SENDMAIL_FIX_LINE_ENDINGS: Text = "sendmail_fix_line_endings", "always", ["sendmail"];
    /// How long `postkick` waits until the program it calls has read its request.
    APPLICATION_EVENT_DRAIN_TIME: Time = "application_event_drain_time", "100s", ["postkick"];
    /// Service in master.cf that takes in mail of local users from `maildrop`.
    PICKUP_SERVICE_NAME: Text = "pickup_service_name", "pickup", ["all"];

    // Paths for Sendmail's sake

    /// Where `sendmail` is installed. `postfix set-permissions` checks it.
    SENDMAIL_PATH: Text = "sendmail_path", "/usr/sbin/sendmail", ["postfix"];
    /// Where `mailq` is installed.
    MAILQ_PATH: Text = "mailq_path", "/usr/bin/mailq", ["postfix"];
    /// Where `newaliases` is installed.
    NEWALIASES_PATH: Text = "newaliases_path", "/usr/bin/newaliases", ["postfix"];

    // Several instances

    /// Configuration folders of the other instances, in the order in which they start. If set, `postfix`
    /// hands its command to `multi_instance_wrapper`.
    MULTI_INSTANCE_DIRECTORIES: Text = "multi_instance_directories", "", ["postfix"];
    /// Lets the instance manager start this instance.
    MULTI_INSTANCE_ENABLE: Flag = "multi_instance_enable", "no", ["postfix"];
    /// Group of instances that the manager treats as one.
    MULTI_INSTANCE_GROUP: Text = "multi_instance_group", "", ["postfix"];
    /// Name of this instance; also its name in the log, unless `syslog_name` says otherwise.
    MULTI_INSTANCE_NAME: Text = "multi_instance_name", "", ["all"];
    /// Instance manager that `postfix` runs, with arguments but without a shell.
    MULTI_INSTANCE_WRAPPER: Text = "multi_instance_wrapper", "", ["postfix"];
    /// Configuration folders besides the default one that commands with set-group rights accept from `-c` or
    /// MAIL_CONFIG. Must stand in the default main.cf.
    ALTERNATE_CONFIG_DIRECTORIES: Text = "alternate_config_directories", "", ["sendmail", "postdrop", "postqueue"];
    /// Commands of `postfix` that start an instance; instances that are not enabled are only checked.
    POSTMULTI_START_COMMANDS: Text = "postmulti_start_commands", "start", ["postfix"];
    /// Commands of `postfix` that stop an instance; the instances are taken in reverse order.
    POSTMULTI_STOP_COMMANDS: Text = "postmulti_stop_commands", "stop abort drain quick-stop", ["postfix"];
    /// Commands of `postfix` for instances that are running.
    POSTMULTI_CONTROL_COMMANDS: Text = "postmulti_control_commands", "reload flush", ["postfix"];
}
