//! Address verification: probes, their cache, and what smtpd makes of them.

use crate::declare::parameters;

parameters! {
    // Cache

    /// Table that keeps the results of probes, over restarts if it is a file. Empty keeps them in memory.
    ADDRESS_VERIFY_MAP: Text = "address_verify_map", "btree:$data_directory/verify_cache", ["verify"];
    /// How long a good address is remembered at most.
    ADDRESS_VERIFY_POSITIVE_EXPIRE_TIME: Time = "address_verify_positive_expire_time", "31d", ["verify"];
    /// Age at which a good address is probed again, while the old result still serves.
    ADDRESS_VERIFY_POSITIVE_REFRESH_TIME: Time = "address_verify_positive_refresh_time", "7d", ["verify"];
    /// Remembers bad addresses too. `no` probes them at every request, which strains the hosts that are
    /// asked.
    ADDRESS_VERIFY_NEGATIVE_CACHE: Flag = "address_verify_negative_cache", "yes", ["verify"];
    /// How long a bad address is remembered at most.
    ADDRESS_VERIFY_NEGATIVE_EXPIRE_TIME: Time = "address_verify_negative_expire_time", "3d", ["verify"];
    /// Age at which a bad address is probed again.
    ADDRESS_VERIFY_NEGATIVE_REFRESH_TIME: Time = "address_verify_negative_refresh_time", "3h", ["verify"];
    /// How often entries that are past their time are removed; 0 means never.
    ADDRESS_VERIFY_CACHE_CLEANUP_INTERVAL: Time = "address_verify_cache_cleanup_interval", "12h", ["verify"];

    // Probes

    /// How often smtpd asks for the result of a probe that is on its way, before the client is told to come
    /// back.
    ADDRESS_VERIFY_POLL_COUNT: Number = "address_verify_poll_count", "${stress?{1}:{3}}", ["smtpd"];
    /// Wait between two such questions.
    ADDRESS_VERIFY_POLL_DELAY: Time = "address_verify_poll_delay", "3s", ["smtpd"];
    /// Most probes under way at a time.
    ADDRESS_VERIFY_PENDING_REQUEST_LIMIT: Number = "address_verify_pending_request_limit", "5000", ["verify", "qmgr"];
    /// Sender of probes. `<>` is refused by some; a name of our own must be able to receive the replies,
    /// which are thrown away.
    ADDRESS_VERIFY_SENDER: Text = "address_verify_sender", "$double_bounce_sender", ["verify", "smtpd"];
    /// How long the sender of probes stays the same before its last part changes, so that nobody can make use
    /// of it; 0 keeps it for ever.
    ADDRESS_VERIFY_SENDER_TTL: Time = "address_verify_sender_ttl", "0s", ["verify", "smtpd"];
    /// Service in master.cf that verifies addresses.
    ADDRESS_VERIFY_SERVICE_NAME: Text = "address_verify_service_name", "verify", ["all"];

    // Routing of probes: by default as the mail itself would go

    /// As `transport_maps`, for probes.
    ADDRESS_VERIFY_TRANSPORT_MAPS: Text = "address_verify_transport_maps", "$transport_maps", ["trivial-rewrite", "smtpd", "qmgr"];
    /// As `local_transport`, for probes.
    ADDRESS_VERIFY_LOCAL_TRANSPORT: Text = "address_verify_local_transport", "$local_transport", ["trivial-rewrite", "smtpd", "qmgr"];
    /// As `virtual_transport`, for probes.
    ADDRESS_VERIFY_VIRTUAL_TRANSPORT: Text = "address_verify_virtual_transport", "$virtual_transport", ["trivial-rewrite", "smtpd", "qmgr"];
    /// As `relay_transport`, for probes.
    ADDRESS_VERIFY_RELAY_TRANSPORT: Text = "address_verify_relay_transport", "$relay_transport", ["trivial-rewrite", "smtpd", "qmgr"];
    /// As `default_transport`, for probes.
    ADDRESS_VERIFY_DEFAULT_TRANSPORT: Text = "address_verify_default_transport", "$default_transport", ["trivial-rewrite", "smtpd", "qmgr"];
    /// As `relayhost`, for probes. A relay that accepts everything proves nothing.
    ADDRESS_VERIFY_RELAYHOST: Text = "address_verify_relayhost", "$relayhost", ["trivial-rewrite", "smtpd", "qmgr"];
    /// As `sender_dependent_relayhost_maps`, for probes.
    ADDRESS_VERIFY_SENDER_DEPENDENT_RELAYHOST_MAPS: Text = "address_verify_sender_dependent_relayhost_maps", "$sender_dependent_relayhost_maps", ["trivial-rewrite", "smtpd", "qmgr"];
    /// As `sender_dependent_default_transport_maps`, for probes.
    ADDRESS_VERIFY_SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS: Text = "address_verify_sender_dependent_default_transport_maps", "$sender_dependent_default_transport_maps", ["trivial-rewrite", "smtpd", "qmgr"];

    // What smtpd answers

    /// Reply code of `reject_unverified_recipient` for an address known to be bad. 550 once you trust the
    /// results.
    UNVERIFIED_RECIPIENT_REJECT_CODE: Number = "unverified_recipient_reject_code", "450", ["smtpd"];
    /// Reply code of `reject_unverified_recipient` while nothing is known yet. 250 lets such mail pass.
    UNVERIFIED_RECIPIENT_DEFER_CODE: Number = "unverified_recipient_defer_code", "450", ["smtpd"];
    /// Text in place of what the probed host has said.
    UNVERIFIED_RECIPIENT_REJECT_REASON: Text = "unverified_recipient_reject_reason", "", ["smtpd"];
    /// As `reject_tempfail_action`, for `reject_unverified_recipient`.
    UNVERIFIED_RECIPIENT_TEMPFAIL_ACTION: Text = "unverified_recipient_tempfail_action", "$reject_tempfail_action", ["smtpd"];
    /// Reply code of `reject_unverified_sender` for an address known to be bad.
    UNVERIFIED_SENDER_REJECT_CODE: Number = "unverified_sender_reject_code", "450", ["smtpd"];
    /// Reply code of `reject_unverified_sender` while nothing is known yet.
    UNVERIFIED_SENDER_DEFER_CODE: Number = "unverified_sender_defer_code", "450", ["smtpd"];
    /// Text in place of what the probed host has said.
    UNVERIFIED_SENDER_REJECT_REASON: Text = "unverified_sender_reject_reason", "", ["smtpd"];
    /// As `reject_tempfail_action`, for `reject_unverified_sender`.
    UNVERIFIED_SENDER_TEMPFAIL_ACTION: Text = "unverified_sender_tempfail_action", "$reject_tempfail_action", ["smtpd"];
}
