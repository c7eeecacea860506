//! Names that Postfix does not have.

use crate::declare::parameters;

parameters! {
    // The SMTP server

    /// Answers EXPN with the addresses behind a local alias or a virtual one. Off, it is refused with 502: a list of
    /// members is nobody's business.
    SMTPD_EXPN_ENABLE: Flag = "smtpd_expn_enable", "no", ["smtpd"];
    /// Answers HELP with the commands that there are. Off, it is a command that is not recognized, as in Postfix.
    SMTPD_HELP_ENABLE: Flag = "smtpd_help_enable", "yes", ["smtpd"];

    /// How long, in milliseconds, a message for mailboxes of this host may go without a queue file: smtpd keeps its
    /// client waiting while the copies are delivered, and answers as soon as all are safely on the disk. Only when
    /// that takes longer, or a recipient has to wait, is the message put into the queue before the client is answered.
    /// Either way a message that was answered with 250 survives a power cut. 0 puts every message into the queue
    /// first, as Postfix does.
    DIRECT_DELIVERY_MILLISECONDS: Number = "direct_delivery_milliseconds", "200", ["smtpd"];

    // What a process gives up before it reads what strangers have sent

    /// Takes away the right to gain rights by running set-user-id programs (no_new_privs). Not applied where a
    /// program must start others as somebody else: local, pipe, spawn.
    PROCESS_NO_NEW_PRIVS_ENABLE: Flag = "process_no_new_privs_enable", "yes", ["all"];
    /// Leaves only the files and folders within reach that a program has use for (Landlock). A table or socket in an
    /// unusual place that cannot be opened any more is a reason to switch it off, for that service alone.
    PROCESS_LANDLOCK_ENABLE: Flag = "process_landlock_enable", "yes", ["all"];
    /// Leaves only the system calls that a program has use for (seccomp); others fail as not implemented.
    PROCESS_SECCOMP_ENABLE: Flag = "process_seccomp_enable", "yes", ["all"];

    // Mailboxes

    /// Lets the path of a virtual mailbox go through symbolic links, wherever they lead, as in Postfix. Off, such mail
    /// is deferred. Links that lead out of `virtual_mailbox_base` also need this.
    VIRTUAL_MAILBOX_FOLLOW_LINKS: Flag = "virtual_mailbox_follow_links", "no", ["spawnd"];
}
