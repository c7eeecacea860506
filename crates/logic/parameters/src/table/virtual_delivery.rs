//! Hosted domains: virtual aliases and virtual mailboxes.

use crate::declare::parameters;

parameters! {
    // Virtual aliases

    /// Tables that replace a recipient by one or more addresses, for every domain, again and again until
    /// nothing changes. Tried in turn: `user+ext@domain`, `user@domain`, `user+ext` and `user` (own domains
    /// only), `@domain`.
    VIRTUAL_ALIAS_MAPS: Text = "virtual_alias_maps", "$virtual_maps", ["cleanup", "smtpd"];
    /// Domains whose addresses are all aliases: what `virtual_alias_maps` does not know is an unknown user.
    /// Never list a domain here that is also in `mydestination`, `relay_domains` or
    /// `virtual_mailbox_domains`.
    VIRTUAL_ALIAS_DOMAINS: Text = "virtual_alias_domains", "$virtual_alias_maps", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Most recipients that alias expansion may make out of one; with more the message is refused for now.
    VIRTUAL_ALIAS_EXPANSION_LIMIT: Number = "virtual_alias_expansion_limit", "1000", ["cleanup", "smtpd"];
    /// Most aliases that may lead to one another in a chain; with more the message is refused for now.
    VIRTUAL_ALIAS_RECURSION_LIMIT: Number = "virtual_alias_recursion_limit", "1000", ["cleanup", "smtpd"];
    /// Longest address in characters that an alias may produce. It ends loops that add an extension at each
    /// turn.
    VIRTUAL_ALIAS_ADDRESS_LENGTH_LIMIT: Number = "virtual_alias_address_length_limit", "1000", ["cleanup", "smtpd"];
    /// Reply code for a recipient in `virtual_alias_domains` that no alias table knows. 4xx while you are
    /// still moving in.
    UNKNOWN_VIRTUAL_ALIAS_REJECT_CODE: Number = "unknown_virtual_alias_reject_code", "550", ["smtpd"];

    // Virtual mailboxes

    /// Domains delivered through `virtual_transport`, each address into a mailbox of its own. A domain stands
    /// in this list or in `mydestination`, never in both.
    VIRTUAL_MAILBOX_DOMAINS: Text = "virtual_mailbox_domains", "$virtual_mailbox_maps", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Tables that give each address its mailbox below `virtual_mailbox_base`: a Maildir when the result ends
    /// in `/`, else an mbox file. Looked up as `user+ext@domain`, `user@domain`, `@domain`. Regular
    /// expressions may not use `$1`.
    VIRTUAL_MAILBOX_MAPS: Text = "virtual_mailbox_maps", "", ["virtual", "spawnd", "smtpd"];
    /// Folder put before every result of `virtual_mailbox_maps`. A result that would lead out of it (`..`) is
    /// refused. While it is empty, all virtual delivery waits.
    VIRTUAL_MAILBOX_BASE: Text = "virtual_mailbox_base", "", ["virtual", "spawnd"];
    /// Tables that give each address the numeric user id its mailbox is written with; `static:5000` for one
    /// owner of all. An address that is not found defers.
    VIRTUAL_UID_MAPS: Text = "virtual_uid_maps", "", ["virtual", "spawnd"];
    /// Tables that give each address the numeric group id its mailbox is written with.
    VIRTUAL_GID_MAPS: Text = "virtual_gid_maps", "", ["virtual", "spawnd"];
    /// Smallest user id that `virtual_uid_maps` may give; mail for a smaller one is deferred. Guards system
    /// accounts against a slip in a table.
    VIRTUAL_MINIMUM_UID: Number = "virtual_minimum_uid", "100", ["virtual", "spawnd"];
    /// Largest size in bytes of an mbox file, or of one message in a Maildir; 0 means no limit. It must not
    /// be smaller than `message_size_limit`.
    VIRTUAL_MAILBOX_LIMIT: Number = "virtual_mailbox_limit", "51200000", ["virtual"];
    /// Locks taken on an mbox file before it is written: any of `fcntl`, `flock`, `dotlock`. The program that
    /// reads the file must take the same ones. Maildirs need none.
    VIRTUAL_MAILBOX_LOCK: Text = "virtual_mailbox_lock", "fcntl, dotlock", ["virtual"];
    /// Transport, and next hop after a colon, for `virtual_mailbox_domains` that `transport_maps` does not
    /// send elsewhere; as in `lmtp:unix:private/dovecot-lmtp`.
    VIRTUAL_TRANSPORT: Text = "virtual_transport", "virtual", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Table that may change the status code or text of a delivery result before it is logged and acted upon.
    /// See `default_delivery_status_filter`.
    VIRTUAL_DELIVERY_STATUS_FILTER: Text = "virtual_delivery_status_filter", "$default_delivery_status_filter", ["virtual"];
    /// Reply code for a recipient in `virtual_mailbox_domains` that `virtual_mailbox_maps` does not know.
    UNKNOWN_VIRTUAL_MAILBOX_REJECT_CODE: Number = "unknown_virtual_mailbox_reject_code", "550", ["smtpd"];
}
