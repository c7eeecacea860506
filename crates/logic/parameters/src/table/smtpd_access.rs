//! What restrictions ask and answer: networks, reply codes, block lists.

use crate::declare::parameters;

parameters! {
    // Who is who

    /// Clients that may relay: networks in CIDR form, addresses, IPv6 in brackets, files, tables, `!` to
    /// leave one out. Too wide a list makes an open relay. If set, `mynetworks_style` is not looked at.
    MYNETWORKS: Text = "mynetworks", "127.0.0.0/8 [::1]/128", ["all"];
    /// How `mynetworks` is made when it is not set: `host` is this machine alone, `subnet` all local
    /// networks, `class` whole address classes (never on a public network).
    MYNETWORKS_STYLE: Text = "mynetworks_style", "${{$compatibility_level} <level {2} ? {subnet} : {host}}", ["all"];
    /// Networks in which the primary mail host of a domain must lie for `permit_mx_backup` to accept its
    /// mail.
    PERMIT_MX_BACKUP_NETWORKS: Text = "permit_mx_backup_networks", "", ["smtpd"];
    /// Tables of client certificate fingerprints for `permit_tls_clientcerts`; the result is not looked at.
    RELAY_CLIENTCERTS: Text = "relay_clientcerts", "", ["smtpd"];
    /// Lets strangers send to addresses with a route in the local part (`user%a@b`, `user@a@b`, `a!user`),
    /// which can turn a backup host into an open relay.
    ALLOW_UNTRUSTED_ROUTING: Flag = "allow_untrusted_routing", "no", ["smtpd"];
    /// Insists on the angle brackets, and on no comments, in MAIL FROM and RCPT TO.
    STRICT_RFC821_ENVELOPES: Flag = "strict_rfc821_envelopes", "no", ["smtpd"];
    /// Converts international domain names by the rules of 2003 (transitional) instead of those of 2008.
    ENABLE_IDNA2003_COMPATIBILITY: Flag = "enable_idna2003_compatibility", "no", ["all"];

    // Reply codes of restrictions

    /// Reply code of REJECT in an access table.
    ACCESS_MAP_REJECT_CODE: Number = "access_map_reject_code", "554", ["smtpd"];
    /// Reply code of DEFER in an access table.
    ACCESS_MAP_DEFER_CODE: Number = "access_map_defer_code", "450", ["smtpd"];
    /// Reply code of the restriction `reject`.
    REJECT_CODE: Number = "reject_code", "554", ["smtpd"];
    /// Reply code of the restriction `defer`.
    DEFER_CODE: Number = "defer_code", "450", ["smtpd"];
    /// Reply code of `reject_plaintext_session`.
    PLAINTEXT_REJECT_CODE: Number = "plaintext_reject_code", "450", ["smtpd"];
    /// Reply code of `reject_invalid_helo_hostname`.
    INVALID_HOSTNAME_REJECT_CODE: Number = "invalid_hostname_reject_code", "501", ["smtpd"];
    /// Reply code of the `reject_non_fqdn_...` restrictions.
    NON_FQDN_REJECT_CODE: Number = "non_fqdn_reject_code", "504", ["smtpd"];
    /// Reply code of `reject_unknown_client_hostname`. A lookup that failed for the moment is answered 450 in
    /// any case.
    UNKNOWN_CLIENT_REJECT_CODE: Number = "unknown_client_reject_code", "450", ["smtpd"];
    /// Reply code of `reject_unknown_helo_hostname`.
    UNKNOWN_HOSTNAME_REJECT_CODE: Number = "unknown_hostname_reject_code", "450", ["smtpd"];
    /// Reply code of `reject_unknown_sender_domain` and `reject_unknown_recipient_domain`. 550 refuses for
    /// good; a lookup that failed for the moment is 450 in any case.
    UNKNOWN_ADDRESS_REJECT_CODE: Number = "unknown_address_reject_code", "450", ["smtpd"];
    /// Reply code for clients and names found on a block list.
    MAPS_RBL_REJECT_CODE: Number = "maps_rbl_reject_code", "554", ["smtpd"];
    /// Reply code of `reject_multi_recipient_bounce`.
    MULTI_RECIPIENT_BOUNCE_REJECT_CODE: Number = "multi_recipient_bounce_reject_code", "550", ["smtpd"];
    /// Reply code for a recipient that this host does not relay to.
    RELAY_DOMAINS_REJECT_CODE: Number = "relay_domains_reject_code", "554", ["smtpd"];
    /// Reply code for a recipient in `mydestination` that `local_recipient_maps` does not know.
    UNKNOWN_LOCAL_RECIPIENT_REJECT_CODE: Number = "unknown_local_recipient_reject_code", "550", ["smtpd"];
    /// Reply code for a recipient in `relay_domains` that `relay_recipient_maps` does not know.
    UNKNOWN_RELAY_RECIPIENT_REJECT_CODE: Number = "unknown_relay_recipient_reject_code", "550", ["smtpd"];
    /// Names the table in the text of an `unknown user` reply.
    SHOW_USER_UNKNOWN_TABLE_NAME: Flag = "show_user_unknown_table_name", "yes", ["smtpd", "trivial-rewrite"];

    // When a lookup fails for the moment

    /// What a restriction does when DNS or the like gives no answer: `defer`, `defer_if_permit` (only if
    /// nothing else refuses the mail), `defer_if_reject`, or any restriction.
    REJECT_TEMPFAIL_ACTION: Text = "reject_tempfail_action", "defer_if_permit", ["smtpd"];
    /// As `reject_tempfail_action`, for `reject_unknown_sender_domain` and `reject_unknown_recipient_domain`.
    UNKNOWN_ADDRESS_TEMPFAIL_ACTION: Text = "unknown_address_tempfail_action", "$reject_tempfail_action", ["smtpd"];
    /// As `reject_tempfail_action`, for `reject_unknown_helo_hostname`.
    UNKNOWN_HELO_HOSTNAME_TEMPFAIL_ACTION: Text = "unknown_helo_hostname_tempfail_action", "$reject_tempfail_action", ["smtpd"];

    // Block lists

    /// Reply to what is found on a block list. `$rbl_code`, `$rbl_class`, `$rbl_what`, `$rbl_domain`,
    /// `$rbl_reason` and the names of the session are filled in.
    DEFAULT_RBL_REPLY: Raw = "default_rbl_reply", "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}", ["smtpd"];
    /// Tables that give a reply like `default_rbl_reply` for each block list, by its name, with `=address` if
    /// it was given.
    RBL_REPLY_MAPS: Text = "rbl_reply_maps", "", ["smtpd"];
    /// Block lists of the old restriction `reject_maps_rbl`; use `reject_rbl_client` with the name.
    MAPS_RBL_DOMAINS: Text = "maps_rbl_domains", "", ["smtpd"];
}
