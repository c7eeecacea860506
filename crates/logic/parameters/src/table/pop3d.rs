//! The POP3 server.

use crate::declare::parameters;

parameters! {
    // Sessions

    /// First words of the server, after the host name. Dovecot: `login_greeting`.
    POP3D_BANNER: Text = "pop3d_banner", "$mail_name", ["pop3d"];
    /// How long a client may be silent before the session ends without its deletions; less than 10 minutes are
    /// lengthened to these (RFC 1939).
    POP3D_TIMEOUT: Time = "pop3d_timeout", "600s", ["pop3d"];
    /// How long a client may take to log in. Dovecot: three minutes, fixed.
    POP3D_LOGIN_TIMEOUT: Time = "pop3d_login_timeout", "180s", ["pop3d"];
    /// How many failed logins end a session.
    POP3D_LOGIN_LIMIT: Number = "pop3d_login_limit", "10", ["pop3d"];

    // TLS

    /// `none`: no TLS; `may`: STLS is offered; `encrypt`: no login without it; empty: STLS is offered when the SMTP
    /// server has a certificate. Certificates, protocols and ciphers are those of the SMTP server. Dovecot: `ssl`.
    POP3D_TLS_SECURITY_LEVEL: Text = "pop3d_tls_security_level", "$smtpd_tls_security_level", ["pop3d"];
    /// Starts TLS at once: for the service on port 995.
    POP3D_TLS_WRAPPERMODE: Flag = "pop3d_tls_wrappermode", "no", ["pop3d"];
    /// Takes no password in the clear but from this host. Dovecot: `disable_plaintext_auth`.
    POP3D_TLS_AUTH_ONLY: Flag = "pop3d_tls_auth_only", "yes", ["pop3d"];

    // Mailboxes

    /// Form of the unique ids: `%u` UID, `%v` UIDVALIDITY, `%f` file name, `%g` GUID; in front of `u` and `v` may stand
    /// a width, and `X` for hexadecimal digits. Ids that a mailbox records win. Dovecot: `pop3_uidl_format`, which also
    /// has `%m`.
    POP3D_UIDL_FORMAT: Raw = "pop3d_uidl_format", "%08Xu%08Xv", ["pop3d"];
    /// What happens to deleted messages: `expunge` removes them; `flag` sets `pop3d_deleted_flag` and leaves them for
    /// IMAP; `default` is `flag` where that is set. Dovecot: `pop3_delete_type`.
    POP3D_DELETE_TYPE: Text = "pop3d_delete_type", "default", ["pop3d"];
    /// Keyword that hides a message from POP3, as `$POP3Deleted`. Empty: none does. Dovecot: `pop3_deleted_flag`.
    POP3D_DELETED_FLAG: Raw = "pop3d_deleted_flag", "", ["pop3d"];
    /// Leaves messages that were fetched unseen. Dovecot: `pop3_no_flag_updates`.
    POP3D_NO_FLAG_UPDATES: Flag = "pop3d_no_flag_updates", "no", ["pop3d"];
    /// Answers LAST with the highest message that was fetched, as RFC 1460 had it; RSET forgets what was fetched.
    /// Dovecot: `pop3_enable_last`.
    POP3D_ENABLE_LAST: Flag = "pop3d_enable_last", "no", ["pop3d"];
    /// One session at a time for each mailbox; a second is told `[IN-USE]`. Dovecot: `pop3_lock_session`, off there.
    POP3D_LOCK_SESSION: Flag = "pop3d_lock_session", "yes", ["pop3d"];
    /// Days after which messages are removed by whom it may be, for CAPA alone; 0 is NEVER.
    POP3D_EXPIRE_DAYS: Number = "pop3d_expire_days", "0", ["pop3d"];
}
