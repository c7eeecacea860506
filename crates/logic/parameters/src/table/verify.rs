//! Address verification probes.

use crate::declare::parameters;

parameters! {
    ADDRESS_VERIFY_CACHE_CLEANUP_INTERVAL: Time = "address_verify_cache_cleanup_interval", "12h", ["verify", "smtpd"];
    ADDRESS_VERIFY_DEFAULT_TRANSPORT: Text = "address_verify_default_transport", "$default_transport", ["verify", "smtpd"];
    ADDRESS_VERIFY_LOCAL_TRANSPORT: Text = "address_verify_local_transport", "$local_transport", ["verify", "smtpd"];
    ADDRESS_VERIFY_MAP: Text = "address_verify_map", "btree:$data_directory/verify_cache", ["verify", "smtpd"];
    ADDRESS_VERIFY_NEGATIVE_CACHE: Flag = "address_verify_negative_cache", "yes", ["verify", "smtpd"];
    ADDRESS_VERIFY_NEGATIVE_EXPIRE_TIME: Time = "address_verify_negative_expire_time", "3d", ["verify", "smtpd"];
    ADDRESS_VERIFY_NEGATIVE_REFRESH_TIME: Time = "address_verify_negative_refresh_time", "3h", ["verify", "smtpd"];
    ADDRESS_VERIFY_PENDING_REQUEST_LIMIT: Number = "address_verify_pending_request_limit", "5000", ["verify", "smtpd"];
    ADDRESS_VERIFY_POLL_COUNT: Number = "address_verify_poll_count", "${stress?{1}:{3}}", ["verify", "smtpd"];
    ADDRESS_VERIFY_POLL_DELAY: Time = "address_verify_poll_delay", "3s", ["verify", "smtpd"];
    ADDRESS_VERIFY_POSITIVE_EXPIRE_TIME: Time = "address_verify_positive_expire_time", "31d", ["verify", "smtpd"];
    ADDRESS_VERIFY_POSITIVE_REFRESH_TIME: Time = "address_verify_positive_refresh_time", "7d", ["verify", "smtpd"];
    ADDRESS_VERIFY_RELAY_TRANSPORT: Text = "address_verify_relay_transport", "$relay_transport", ["verify", "smtpd"];
    ADDRESS_VERIFY_RELAYHOST: Text = "address_verify_relayhost", "$relayhost", ["verify", "smtpd"];
    ADDRESS_VERIFY_SENDER: Text = "address_verify_sender", "$double_bounce_sender", ["verify", "smtpd"];
    ADDRESS_VERIFY_SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS: Text = "address_verify_sender_dependent_default_transport_maps", "$sender_dependent_default_transport_maps", ["verify", "smtpd"];
    ADDRESS_VERIFY_SENDER_DEPENDENT_RELAYHOST_MAPS: Text = "address_verify_sender_dependent_relayhost_maps", "$sender_dependent_relayhost_maps", ["verify", "smtpd"];
    ADDRESS_VERIFY_SENDER_TTL: Time = "address_verify_sender_ttl", "0s", ["verify", "smtpd"];
    ADDRESS_VERIFY_SERVICE_NAME: Text = "address_verify_service_name", "verify", ["verify", "smtpd"];
    ADDRESS_VERIFY_TRANSPORT_MAPS: Text = "address_verify_transport_maps", "$transport_maps", ["verify", "smtpd"];
    ADDRESS_VERIFY_VIRTUAL_TRANSPORT: Text = "address_verify_virtual_transport", "$virtual_transport", ["verify", "smtpd"];
    UNVERIFIED_RECIPIENT_DEFER_CODE: Number = "unverified_recipient_defer_code", "450", ["verify", "smtpd"];
    UNVERIFIED_RECIPIENT_REJECT_CODE: Number = "unverified_recipient_reject_code", "450", ["verify", "smtpd"];
    UNVERIFIED_RECIPIENT_REJECT_REASON: Text = "unverified_recipient_reject_reason", "", ["verify", "smtpd"];
    UNVERIFIED_RECIPIENT_TEMPFAIL_ACTION: Text = "unverified_recipient_tempfail_action", "$reject_tempfail_action", ["verify", "smtpd"];
    UNVERIFIED_SENDER_DEFER_CODE: Number = "unverified_sender_defer_code", "450", ["verify", "smtpd"];
    UNVERIFIED_SENDER_REJECT_CODE: Number = "unverified_sender_reject_code", "450", ["verify", "smtpd"];
    UNVERIFIED_SENDER_REJECT_REASON: Text = "unverified_sender_reject_reason", "", ["verify", "smtpd"];
    UNVERIFIED_SENDER_TEMPFAIL_ACTION: Text = "unverified_sender_tempfail_action", "$reject_tempfail_action", ["verify", "smtpd"];
}
