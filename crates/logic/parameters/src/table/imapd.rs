//! The IMAP server.

use crate::declare::parameters;

parameters! {
    // Before the log-in

    /// What the IMAP server says of itself in its greeting. Dovecot: `login_greeting`.
    IMAPD_GREETING: Text = "imapd_greeting", "Pillarbox ready.", ["imapd"];
    /// Takes passwords without TLS from this host alone. Dovecot: `disable_plaintext_auth`.
    IMAPD_TLS_AUTH_ONLY: Flag = "imapd_tls_auth_only", "yes", ["imapd"];
    /// How long a client may take for a command before it has logged in.
    IMAPD_LOGIN_TIMEOUT: Time = "imapd_login_timeout", "3m", ["imapd"];

    // TLS

    /// `none`: no TLS; `may`: STARTTLS is offered; `encrypt`: no login without it; empty: STARTTLS is offered when the
    /// SMTP server has a certificate. Certificates, protocols and ciphers
    /// are those of the SMTP server. Dovecot: `ssl`.
    IMAPD_TLS_SECURITY_LEVEL: Text = "imapd_tls_security_level", "$smtpd_tls_security_level", ["imapd"];
    /// Starts TLS at once: for the service on port 993.
    IMAPD_TLS_WRAPPERMODE: Flag = "imapd_tls_wrappermode", "no", ["imapd"];

    // Behind the log-in

    /// How long a client may be silent; RFC 3501 asks for 30 minutes at least.
    IMAPD_TIMEOUT: Time = "imapd_timeout", "30m", ["imapd"];
    /// How often a client that idles hears that the server is still there. Dovecot: `imap_idle_notify_interval`.
    IMAPD_IDLE_NOTIFY_INTERVAL: Time = "imapd_idle_notify_interval", "2m", ["imapd"];
    /// When all clients of an owner of mailboxes have said nothing for so long, in IDLE or between two commands, their process
    /// ends, and a process that serves all owners and can read no mail waits in its place; as soon as a client speaks or a mailbox
    /// changes that it idles in, another process of the owner takes them up again. 0: never. Dovecot: `imap_hibernate_timeout`,
    /// which is for clients that idle.
    IMAPD_HIBERNATE_TIME: Time = "imapd_hibernate_time", "10s", ["imapd"];
    /// How often a client hears that a command which takes long goes on (RFC 9585). No less than a second.
    IMAPD_PROGRESS_NOTIFY_INTERVAL: Time = "imapd_progress_notify_interval", "15s", ["imapd"];
    /// Bytes of a command with its literals, but for messages. Dovecot: `imap_max_line_length`.
    IMAPD_COMMAND_SIZE_LIMIT: Number = "imapd_command_size_limit", "65536", ["imapd"];
    /// Lists of rights (RFC 4314) that lie in mailboxes bind their owner, who can see and change them by IMAP; `no` is as
    /// Dovecot without its plugins `acl` and `imap_acl`: nobody looks at the files `dovecot-acl`, and the commands are unknown.
    IMAPD_ACL: Flag = "imapd_acl", "yes", ["imapd"];
    /// A list of rights that holds for the mailboxes of all users and is stronger than theirs; they see it by IMAP and can not
    /// change it. Either a file, each line of which begins with the mailboxes it is about (`Shared* group=staff lr`; `*` is
    /// anything, `?` one byte), or a directory with a file for each mailbox and one named `.DEFAULT` for all that have no list.
    /// The owners of mailboxes must be able to read it; without it nothing can be done with any mailbox. It is read again
    /// when it has changed. Dovecot: `acl = vfile:PATH`.
    IMAPD_ACL_GLOBAL: Text = "imapd_acl_global", "", ["spawnd"];
    /// Users may give rights to `anyone` and `authenticated`. Dovecot: `acl_anyone = allow`.
    IMAPD_ACL_ANYONE: Flag = "imapd_acl_anyone", "no", ["imapd"];
    /// What folders of these names are for (RFC 6154), `name=use` where the use is `\Sent`, `\Drafts`, `\Trash`,
    /// `\Junk`, `\Archive`, `\All` or `\Flagged`. Dovecot: `special_use`.
    IMAPD_SPECIAL_USE: Text = "imapd_special_use",
        "Drafts=\\Drafts, Sent=\\Sent, Junk=\\Junk, Trash=\\Trash, Archive=\\Archive", ["imapd"];
}
