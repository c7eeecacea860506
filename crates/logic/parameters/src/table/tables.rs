//! Lookup tables.

use crate::declare::parameters;

parameters! {
    /// Type of the tables that `postmap` and `postalias` build when none is named. `hash` and `btree` are
    /// kept as LMDB.
    DEFAULT_DATABASE_TYPE: Text = "default_database_type", "hash", ["all"];
    /// Ends a program that cannot open a table. `no` goes on: what needs the table is refused for now, the
    /// rest works.
    DAEMON_TABLE_OPEN_ERROR_IS_FATAL: Flag = "daemon_table_open_error_is_fatal", "no", ["all"];
    /// Lists in which `example.com` stands for its subdomains too. In all others they are written
    /// `.example.com`.
    PARENT_DOMAIN_MATCHES_SUBDOMAINS: Text = "parent_domain_matches_subdomains", "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps", ["all"];
    /// Size in bytes that a new LMDB table may grow to at first; it is doubled whenever it is full.
    LMDB_MAP_SIZE: Number = "lmdb_map_size", "16777216", ["all"];
    /// Buffer for building Berkeley DB tables. There are none here: accepted, and without effect.
    BERKELEY_DB_CREATE_BUFFER_SIZE: Number = "berkeley_db_create_buffer_size", "16777216", ["all"];
    /// Buffer for reading Berkeley DB tables. There are none here: accepted, and without effect.
    BERKELEY_DB_READ_BUFFER_SIZE: Number = "berkeley_db_read_buffer_size", "131072", ["all"];
    /// Tables that may be read through `proxy:`; any other is refused. `$name` stands for the tables of a
    /// parameter.
    PROXY_READ_MAPS: Text = "proxy_read_maps", "$local_recipient_maps $mydestination $virtual_alias_maps $virtual_alias_domains $virtual_mailbox_maps $virtual_mailbox_domains $relay_recipient_maps $relay_domains $canonical_maps $sender_canonical_maps $recipient_canonical_maps $relocated_maps $transport_maps $mynetworks $smtpd_sender_login_maps $sender_bcc_maps $recipient_bcc_maps $smtp_generic_maps $lmtp_generic_maps $alias_maps $smtpd_client_restrictions $smtpd_helo_restrictions $smtpd_sender_restrictions $smtpd_relay_restrictions $smtpd_recipient_restrictions $address_verify_sender_dependent_default_transport_maps $address_verify_sender_dependent_relayhost_maps $address_verify_transport_maps $fallback_transport_maps $lmtp_discard_lhlo_keyword_address_maps $lmtp_pix_workaround_maps $lmtp_sasl_password_maps $lmtp_tls_policy_maps $mailbox_command_maps $mailbox_transport_maps $postscreen_discard_ehlo_keyword_address_maps $rbl_reply_maps $sender_dependent_default_transport_maps $sender_dependent_relayhost_maps $smtp_discard_ehlo_keyword_address_maps $smtp_pix_workaround_maps $smtp_sasl_password_maps $smtp_tls_policy_maps $smtpd_discard_ehlo_keyword_address_maps $smtpd_milter_maps $virtual_gid_maps $virtual_uid_maps $local_login_sender_maps $postscreen_reject_footer_maps $smtpd_reject_footer_maps $tls_server_sni_maps $tlsproxy_client_policy_maps $default_delivery_status_filter $lmtp_delivery_status_filter $lmtp_dns_reply_filter $lmtp_reply_filter $local_delivery_status_filter $pipe_delivery_status_filter $postscreen_command_filter $smtp_delivery_status_filter $smtp_dns_reply_filter $smtp_reply_filter $smtpd_command_filter $smtpd_dns_reply_filter $virtual_delivery_status_filter $body_checks $header_checks $lmtp_body_checks $lmtp_header_checks $lmtp_mime_header_checks $lmtp_nested_header_checks $milter_header_checks $mime_header_checks $nested_header_checks $smtp_body_checks $smtp_header_checks $smtp_mime_header_checks $smtp_nested_header_checks", ["proxymap"];
    /// Tables that may be changed through `proxywrite`.
    PROXY_WRITE_MAPS: Text = "proxy_write_maps", "$smtp_sasl_auth_cache_name $lmtp_sasl_auth_cache_name $address_verify_map $postscreen_cache_map", ["proxymap"];
    /// Service in master.cf that reads tables for others.
    PROXYMAP_SERVICE_NAME: Text = "proxymap_service_name", "proxymap", ["all"];
    /// Service in master.cf that reads and changes tables for others; it has one process only.
    PROXYWRITE_SERVICE_NAME: Text = "proxywrite_service_name", "proxywrite", ["all"];
}
