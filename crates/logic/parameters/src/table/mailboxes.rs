//! Mailboxes, as pop3d and imapd find them.

use crate::declare::parameters;

parameters! {
    // Where folders lie

    /// How folders lie in a Maildir of `virtual_mailbox_maps`: `maildir++` (`.A.B`) or `fs` (`A/B`). Dovecot:
    /// `LAYOUT=` in `mail_location`.
    VIRTUAL_MAILBOX_LAYOUT: Text = "virtual_mailbox_layout", "maildir++", ["authd", "virtual"];
    /// Where the other folders lie of a user whose mailbox is an mbox file of `virtual_mailbox_maps`: in the directory
    /// that has the file's name with this behind it. Each is an mbox file, too. For Dovecot the same is
    /// `mail_location = mbox:FILE.folders:INBOX=FILE`.
    MBOX_FOLDERS_SUFFIX: Text = "mbox_folders_suffix", ".folders", ["authd"];
    /// Where the other folders lie of a user of this system whose mailbox is an mbox file: in this directory below the
    /// home folder. For Dovecot the same is `mail_location = mbox:~/mail:INBOX=/var/mail/%u`.
    MAIL_FOLDER_DIRECTORY: Text = "mail_folder_directory", "mail", ["authd"];
    /// Where indexes lie instead of in each mailbox, which may then be on a file system that several hosts share. The
    /// directory must exist, and the owners of mailboxes must be able to make directories in it. Indexes can be
    /// removed at any time. Dovecot: `INDEX=` in `mail_location`.
    MAILBOX_INDEX_DIRECTORY: Text = "mailbox_index_directory", "", ["spawnd"];

    // How large they may grow

    /// Tables that give each address the largest size of all its mail: bytes, or a number with `K`, `M`, `G` or `T`,
    /// and the largest number of messages as `5000C`, parted by a comma. Looked up as `user@domain`, `@domain`. An
    /// address that is not found has no such limit. What is used is counted in the Maildir's file `maildirsize`, as
    /// Dovecot does. For readers, an entry of `passwd_file` may say `userdb_quota_rule=` instead. Dovecot: `quota_rule`.
    MAILBOX_QUOTA_MAPS: Text = "mailbox_quota_maps", "", ["authd", "virtual"];
    /// Tables that give the groups of each address, with commas between them (`staff, crew`), which lists of rights may name:
    /// `group=staff`, `group-override=staff`. An entry of `passwd_file` may say `userdb_acl_groups=` instead. Dovecot:
    /// `acl_groups`.
    MAILBOX_ACL_GROUPS_MAPS: Text = "mailbox_acl_groups_maps", "", ["authd"];
    /// What a service `quota-status` of virtual(8) answers when a recipient has no room for a message. Dovecot has the
    /// same name.
    QUOTA_STATUS_OVERQUOTA: Text = "quota_status_overquota", "552 5.2.2 Mailbox is full", ["virtual"];
}
