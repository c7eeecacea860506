//! Which domains are ours, and which transport takes an address where.

use crate::declare::parameters;

parameters! {
    // Our own domains

    /// Domains whose users are those of this system and its alias files. Hosted domains do not belong here
    /// but in `virtual_alias_domains` or `virtual_mailbox_domains`.
    MYDESTINATION: Text = "mydestination", "$myhostname, localhost.$mydomain, localhost", ["all"];
    /// Tables of all known local recipients, without domain or with; the result is not looked at. Empty
    /// accepts everyone and bounces later.
    LOCAL_RECIPIENT_MAPS: Text = "local_recipient_maps", "proxy:unix:passwd.byname $alias_maps", ["smtpd"];
    /// Transport, and next hop after a colon, for `mydestination` and for addresses at our own IP addresses.
    LOCAL_TRANSPORT: Text = "local_transport", "local:$myhostname", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Domains, not ours, that we accept mail for and pass on. By default their subdomains too; see
    /// `parent_domain_matches_subdomains`.
    RELAY_DOMAINS: Text = "relay_domains", "${{$compatibility_level} <level {2} ? {$mydestination} : {}}", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Tables of all known recipients in `relay_domains`; empty accepts everyone there.
    RELAY_RECIPIENT_MAPS: Text = "relay_recipient_maps", "", ["smtpd"];
    /// Transport, and next hop after a colon, for `relay_domains`.
    RELAY_TRANSPORT: Text = "relay_transport", "relay", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Accepts recipients that begin with a minus sign, which careless programs could take for an option.
    ALLOW_MIN_USER: Flag = "allow_min_user", "no", ["trivial-rewrite", "smtpd", "qmgr"];

    // Everybody else

    /// Transport, and next hop after a colon, for all other domains.
    DEFAULT_TRANSPORT: Text = "default_transport", "smtp", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Next hop for all mail to other domains: `domain` is looked up as MX, `[host]` is not, `:port` may
    /// follow.
    RELAYHOST: Text = "relayhost", "", ["trivial-rewrite", "smtpd", "qmgr", "smtp"];
    /// Tables that give, by sender, a next hop to use in place of `relayhost`; `DUNNO` stays with it.
    SENDER_DEPENDENT_RELAYHOST_MAPS: Text = "sender_dependent_relayhost_maps", "", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Tables that give, by sender, a transport to use in place of `default_transport`; `DUNNO` stays with
    /// it.
    SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS: Text = "sender_dependent_default_transport_maps", "", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Key by which `sender_dependent_relayhost_maps` finds the empty sender.
    EMPTY_ADDRESS_RELAYHOST_MAPS_LOOKUP_KEY: Text = "empty_address_relayhost_maps_lookup_key", "<>", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Key by which `sender_dependent_default_transport_maps` finds the empty sender.
    EMPTY_ADDRESS_DEFAULT_TRANSPORT_MAPS_LOOKUP_KEY: Text = "empty_address_default_transport_maps_lookup_key", "<>", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Transport for a domain that names this host as its best MX but is not ours. Empty returns such mail as
    /// looping.
    BEST_MX_TRANSPORT: Text = "best_mx_transport", "", ["smtp"];

    // Special routes

    /// Tables that give `transport:nexthop` by `user+ext@domain`, `user@domain`, `domain`, `.parent` or `*`;
    /// they overrule all of the above. An empty half keeps what it would have been.
    TRANSPORT_MAPS: Text = "transport_maps", "", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Tables of users who have moved; mail to them is returned with the result as new address in the text.
    RELOCATED_MAPS: Text = "relocated_maps", "", ["trivial-rewrite", "smtpd", "qmgr"];

    // How odd addresses are read

    /// Looks for `@`, `%` and `!` inside a quoted local part too, as programs behind us may do. `no` is right
    /// by the RFC but opens relays on such hosts.
    RESOLVE_DEQUOTED_ADDRESS: Flag = "resolve_dequoted_address", "yes", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Reads `user@` as a local address instead of refusing it.
    RESOLVE_NULL_DOMAIN: Flag = "resolve_null_domain", "no", ["trivial-rewrite", "smtpd", "qmgr"];
    /// Reads `user@1.2.3.4` as `user@[1.2.3.4]` instead of refusing it.
    RESOLVE_NUMERIC_DOMAIN: Flag = "resolve_numeric_domain", "no", ["trivial-rewrite", "smtpd", "qmgr"];
}
