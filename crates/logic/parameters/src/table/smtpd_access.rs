//! Who may send what to whom, reply codes, and shared limits of the SMTP server.

use crate::declare::parameters;

parameters! {
    ACCESS_MAP_DEFER_CODE: Number = "access_map_defer_code", "450", ["smtpd"];
    ACCESS_MAP_REJECT_CODE: Number = "access_map_reject_code", "554", ["smtpd"];
    ANVIL_RATE_TIME_UNIT: Time = "anvil_rate_time_unit", "60s", ["smtpd"];
    ANVIL_STATUS_UPDATE_TIME: Time = "anvil_status_update_time", "600s", ["smtpd"];
    AUTHORIZED_FLUSH_USERS: Text = "authorized_flush_users", "static:anyone", ["smtpd"];
    AUTHORIZED_MAILQ_USERS: Text = "authorized_mailq_users", "static:anyone", ["smtpd"];
    AUTHORIZED_SUBMIT_USERS: Text = "authorized_submit_users", "static:anyone", ["smtpd"];
    BROKEN_SASL_AUTH_CLIENTS: Flag = "broken_sasl_auth_clients", "no", ["smtpd"];
    CYRUS_SASL_CONFIG_PATH: Text = "cyrus_sasl_config_path", "", ["smtpd"];
    DEFAULT_RBL_REPLY: Raw = "default_rbl_reply", "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}", ["smtpd"];
    DEFER_CODE: Number = "defer_code", "450", ["smtpd"];
    DISABLE_VRFY_COMMAND: Flag = "disable_vrfy_command", "no", ["smtpd"];
    ENABLE_IDNA2003_COMPATIBILITY: Flag = "enable_idna2003_compatibility", "no", ["smtpd"];
    FAULT_INJECTION_CODE: Number = "fault_injection_code", "0", ["smtpd"];
    INVALID_HOSTNAME_REJECT_CODE: Number = "invalid_hostname_reject_code", "501", ["smtpd"];
    MAPS_RBL_DOMAINS: Text = "maps_rbl_domains", "", ["smtpd"];
    MAPS_RBL_REJECT_CODE: Number = "maps_rbl_reject_code", "554", ["smtpd"];
    MESSAGE_REJECT_CHARACTERS: Text = "message_reject_characters", "", ["smtpd"];
    MESSAGE_STRIP_CHARACTERS: Text = "message_strip_characters", "", ["smtpd"];
    MULTI_RECIPIENT_BOUNCE_REJECT_CODE: Number = "multi_recipient_bounce_reject_code", "550", ["smtpd"];
    MYNETWORKS: Text = "mynetworks", "127.0.0.0/8 [::1]/128", ["smtpd"];
    MYNETWORKS_STYLE: Text = "mynetworks_style", "${{$compatibility_level} <level {2} ? {subnet} : {host}}", ["smtpd"];
    NON_FQDN_REJECT_CODE: Number = "non_fqdn_reject_code", "504", ["smtpd"];
    PARENT_DOMAIN_MATCHES_SUBDOMAINS: Text = "parent_domain_matches_subdomains", "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps", ["smtpd"];
    PERMIT_MX_BACKUP_NETWORKS: Text = "permit_mx_backup_networks", "", ["smtpd"];
    PLAINTEXT_REJECT_CODE: Number = "plaintext_reject_code", "450", ["smtpd"];
    RBL_REPLY_MAPS: Text = "rbl_reply_maps", "", ["smtpd"];
    REJECT_CODE: Number = "reject_code", "554", ["smtpd"];
    REJECT_TEMPFAIL_ACTION: Text = "reject_tempfail_action", "defer_if_permit", ["smtpd"];
    SEND_CYRUS_SASL_AUTHZID: Flag = "send_cyrus_sasl_authzid", "no", ["smtpd"];
    SHOW_USER_UNKNOWN_TABLE_NAME: Flag = "show_user_unknown_table_name", "yes", ["smtpd"];
    SMTPUTF8_ENABLE: Flag = "smtputf8_enable", "${{$compatibility_level} <level {1} ? {no} : {yes}}", ["smtpd"];
    STRESS: Text = "stress", "", ["smtpd"];
    STRICT_8BITMIME: Flag = "strict_8bitmime", "no", ["smtpd"];
    STRICT_RFC821_ENVELOPES: Flag = "strict_rfc821_envelopes", "no", ["smtpd"];
    STRICT_SMTPUTF8: Flag = "strict_smtputf8", "no", ["smtpd"];
    UNKNOWN_ADDRESS_REJECT_CODE: Number = "unknown_address_reject_code", "450", ["smtpd"];
    UNKNOWN_ADDRESS_TEMPFAIL_ACTION: Text = "unknown_address_tempfail_action", "$reject_tempfail_action", ["smtpd"];
    UNKNOWN_CLIENT_REJECT_CODE: Number = "unknown_client_reject_code", "450", ["smtpd"];
    UNKNOWN_HELO_HOSTNAME_TEMPFAIL_ACTION: Text = "unknown_helo_hostname_tempfail_action", "$reject_tempfail_action", ["smtpd"];
    UNKNOWN_HOSTNAME_REJECT_CODE: Number = "unknown_hostname_reject_code", "450", ["smtpd"];
}
