//! Who may log in: the user database of authd, pop3d and imapd.

use crate::declare::parameters;

parameters! {
    // Who there is

    /// Tables that give the stored password of each login, `{SCHEME}secret`; the key is the whole address in lower
    /// case. The mailbox comes from `virtual_mailbox_maps`, its owner from `virtual_uid_maps` and
    /// `virtual_gid_maps`. Schemes are those of Dovecot 2.3: see authd(8).
    VIRTUAL_PASSWORD_MAPS: Text = "virtual_password_maps", "", ["authd"];
    /// A password file in Dovecot's form, `user:{SCHEME}secret:uid:gid::home::extra fields`. Asked for logins that
    /// `virtual_password_maps` does not have.
    PASSWD_FILE: Text = "passwd_file", "", ["authd"];
    /// Where the mail of a user of `passwd_file` lies whose entry names no mailbox and whom `virtual_mailbox_maps`
    /// does not know: `maildir:PATH` or `mbox:PATH`, `~` is the home folder, `%u`, `%n` and `%d` are the login, its
    /// user part and its domain. Dovecot: `mail_location`.
    PASSWD_FILE_MAIL_LOCATION: Text = "passwd_file_mail_location", "maildir:~/Maildir", ["authd"];
    /// Lets users of this system log in with their system password (from the shadow file). Their mail lies where
    /// local(8) puts it.
    LOGIN_SYSTEM_USERS: Flag = "login_system_users", "no", ["authd"];
    /// Scheme of stored passwords that name none. Dovecot: `default_pass_scheme`.
    LOGIN_DEFAULT_PASSWORD_SCHEME: Text = "login_default_password_scheme", "CRYPT", ["authd"];
    /// Domain that is added to a login without one. Empty adds none. Dovecot: `auth_default_realm`.
    LOGIN_DEFAULT_DOMAIN: Text = "login_default_domain", "$mydomain", ["authd"];

    // How they prove it

    /// Ways to log in that are offered: names, or `auto` for PLAIN and LOGIN and those that every stored password
    /// allows: CRAM-MD5 and APOP need plain text (or `{CRAM-MD5}`), SCRAM plain text or `{SCRAM-...}`. Dovecot:
    /// `auth_mechanisms`.
    LOGIN_MECHANISMS: Text = "login_mechanisms", "auto", ["authd"];
    /// How long the answer to a failed login is held back, whatever was wrong. Dovecot: `auth_failure_delay`.
    LOGIN_FAILURE_DELAY: Time = "login_failure_delay", "2s", ["authd"];
    /// Longest time by which a login is held back before its password is looked at, when the ones before it from the
    /// same address have failed. 0 holds nobody back. Loopback addresses never are.
    LOGIN_PENALTY_LIMIT: Time = "login_penalty_limit", "15s", ["authd"];
    /// How many correct passwords are remembered, so that their slow hash is computed once only. A change of the
    /// stored password takes effect at once. Dovecot: `auth_cache_size`.
    LOGIN_CACHE_SIZE: Number = "login_cache_size", "10000", ["authd"];
    /// Name of the service that checks passwords, in master.cf.
    AUTHD_SERVICE_NAME: Text = "authd_service_name", "auth", ["imapd", "pop3d", "spawnd"];
}
