//! Virtual aliases and virtual mailboxes.

use crate::declare::parameters;

parameters! {
    VIRTUAL_ALIAS_ADDRESS_LENGTH_LIMIT: Number = "virtual_alias_address_length_limit", "1000", ["virtual"];
    VIRTUAL_ALIAS_DOMAINS: Text = "virtual_alias_domains", "$virtual_alias_maps", ["virtual"];
    VIRTUAL_ALIAS_EXPANSION_LIMIT: Number = "virtual_alias_expansion_limit", "1000", ["virtual"];
    VIRTUAL_ALIAS_MAPS: Text = "virtual_alias_maps", "$virtual_maps", ["virtual"];
    VIRTUAL_ALIAS_RECURSION_LIMIT: Number = "virtual_alias_recursion_limit", "1000", ["virtual"];
    VIRTUAL_DELIVERY_STATUS_FILTER: Text = "virtual_delivery_status_filter", "$default_delivery_status_filter", ["virtual"];
    VIRTUAL_GID_MAPS: Text = "virtual_gid_maps", "", ["virtual"];
    VIRTUAL_MAILBOX_BASE: Text = "virtual_mailbox_base", "", ["virtual"];
    VIRTUAL_MAILBOX_DOMAINS: Text = "virtual_mailbox_domains", "$virtual_mailbox_maps", ["virtual"];
    VIRTUAL_MAILBOX_LIMIT: Number = "virtual_mailbox_limit", "51200000", ["virtual"];
    VIRTUAL_MAILBOX_LOCK: Text = "virtual_mailbox_lock", "fcntl, dotlock", ["virtual"];
    VIRTUAL_MAILBOX_MAPS: Text = "virtual_mailbox_maps", "", ["virtual"];
    VIRTUAL_MINIMUM_UID: Number = "virtual_minimum_uid", "100", ["virtual"];
    VIRTUAL_TRANSPORT: Text = "virtual_transport", "virtual", ["virtual"];
    VIRTUAL_UID_MAPS: Text = "virtual_uid_maps", "", ["virtual"];
}
