//! The LMTP client: as the SMTP client, with parameters of its own.

use crate::declare::parameters;

parameters! {
    // Finding the host

    /// Port, by number or name, of destinations that name none. RFC 2033 forbids 25.
    LMTP_TCP_PORT: Text = "lmtp_tcp_port", "24", ["lmtp"];
    /// As `smtp_host_lookup`, for LMTP.
    LMTP_HOST_LOOKUP: Text = "lmtp_host_lookup", "dns", ["lmtp"];
    /// As `smtp_dns_support_level`, for LMTP.
    LMTP_DNS_SUPPORT_LEVEL: Text = "lmtp_dns_support_level", "", ["lmtp"];
    /// As `smtp_dns_resolver_options`, for LMTP.
    LMTP_DNS_RESOLVER_OPTIONS: Text = "lmtp_dns_resolver_options", "", ["lmtp"];
    /// As `smtp_dns_reply_filter`, for LMTP.
    LMTP_DNS_REPLY_FILTER: Text = "lmtp_dns_reply_filter", "", ["lmtp"];
    /// As `smtp_defer_if_no_mx_address_found`, for LMTP.
    LMTP_DEFER_IF_NO_MX_ADDRESS_FOUND: Flag = "lmtp_defer_if_no_mx_address_found", "no", ["lmtp"];
    /// As `smtp_mx_address_limit`, for LMTP.
    LMTP_MX_ADDRESS_LIMIT: Number = "lmtp_mx_address_limit", "5", ["lmtp"];
    /// As `smtp_mx_session_limit`, for LMTP.
    LMTP_MX_SESSION_LIMIT: Number = "lmtp_mx_session_limit", "2", ["lmtp"];
    /// As `smtp_address_preference`, for LMTP.
    LMTP_ADDRESS_PREFERENCE: Text = "lmtp_address_preference", "any", ["lmtp"];
    /// As `smtp_balance_inet_protocols`, for LMTP.
    LMTP_BALANCE_INET_PROTOCOLS: Flag = "lmtp_balance_inet_protocols", "yes", ["lmtp"];
    /// As `smtp_randomize_addresses`, for LMTP.
    LMTP_RANDOMIZE_ADDRESSES: Flag = "lmtp_randomize_addresses", "yes", ["lmtp"];
    /// As `smtp_bind_address`, for LMTP.
    LMTP_BIND_ADDRESS: Text = "lmtp_bind_address", "", ["lmtp"];
    /// As `smtp_bind_address6`, for LMTP.
    LMTP_BIND_ADDRESS6: Text = "lmtp_bind_address6", "", ["lmtp"];
    /// As `smtp_bind_address_enforce`, for LMTP.
    LMTP_BIND_ADDRESS_ENFORCE: Flag = "lmtp_bind_address_enforce", "no", ["lmtp"];
    /// As `smtp_fallback_relay`, for LMTP.
    LMTP_FALLBACK_RELAY: Text = "lmtp_fallback_relay", "", ["lmtp"];
    /// As `smtp_skip_5xx_greeting`, for LMTP.
    LMTP_SKIP_5XX_GREETING: Flag = "lmtp_skip_5xx_greeting", "yes", ["lmtp"];
    /// As `smtp_cname_overrides_servername`, for LMTP.
    LMTP_CNAME_OVERRIDES_SERVERNAME: Flag = "lmtp_cname_overrides_servername", "no", ["lmtp"];

    // Time

    /// As `smtp_connect_timeout`, for LMTP.
    LMTP_CONNECT_TIMEOUT: Time = "lmtp_connect_timeout", "0s", ["lmtp"];
    /// Limit for the greeting, and for LHLO with its reply.
    LMTP_LHLO_TIMEOUT: Time = "lmtp_lhlo_timeout", "300s", ["lmtp"];
    /// As `smtp_xforward_timeout`, for LMTP.
    LMTP_XFORWARD_TIMEOUT: Time = "lmtp_xforward_timeout", "300s", ["lmtp"];
    /// As `smtp_mail_timeout`, for LMTP.
    LMTP_MAIL_TIMEOUT: Time = "lmtp_mail_timeout", "300s", ["lmtp"];
    /// As `smtp_rcpt_timeout`, for LMTP.
    LMTP_RCPT_TIMEOUT: Time = "lmtp_rcpt_timeout", "300s", ["lmtp"];
    /// As `smtp_data_init_timeout`, for LMTP.
    LMTP_DATA_INIT_TIMEOUT: Time = "lmtp_data_init_timeout", "120s", ["lmtp"];
    /// As `smtp_data_xfer_timeout`, for LMTP.
    LMTP_DATA_XFER_TIMEOUT: Time = "lmtp_data_xfer_timeout", "180s", ["lmtp"];
    /// Limit for the final dot and each reply to it, one for every recipient.
    LMTP_DATA_DONE_TIMEOUT: Time = "lmtp_data_done_timeout", "600s", ["lmtp"];
    /// As `smtp_rset_timeout`, for LMTP.
    LMTP_RSET_TIMEOUT: Time = "lmtp_rset_timeout", "20s", ["lmtp"];
    /// As `smtp_quit_timeout`, for LMTP.
    LMTP_QUIT_TIMEOUT: Time = "lmtp_quit_timeout", "300s", ["lmtp"];
    /// As `smtp_per_request_deadline`, for LMTP.
    LMTP_PER_REQUEST_DEADLINE: Flag = "lmtp_per_request_deadline", "${lmtp_per_record_deadline?{$lmtp_per_record_deadline}:{no}}", ["lmtp"];
    /// As `smtp_min_data_rate`, for LMTP.
    LMTP_MIN_DATA_RATE: Number = "lmtp_min_data_rate", "500", ["lmtp"];

    // The dialogue

    /// Name in LHLO.
    LMTP_LHLO_NAME: Text = "lmtp_lhlo_name", "$myhostname", ["lmtp"];
    /// Reports a recipient that the server accepted as delivered, not as relayed: the server's store is where
    /// the mail ends.
    LMTP_ASSUME_FINAL: Flag = "lmtp_assume_final", "no", ["lmtp"];
    /// LHLO keywords of the server that are overlooked; see `smtpd_discard_ehlo_keywords`.
    LMTP_DISCARD_LHLO_KEYWORDS: Text = "lmtp_discard_lhlo_keywords", "", ["lmtp"];
    /// Tables that give, by the server's address, a list like `lmtp_discard_lhlo_keywords`, in its place.
    LMTP_DISCARD_LHLO_KEYWORD_ADDRESS_MAPS: Text = "lmtp_discard_lhlo_keyword_address_maps", "", ["lmtp"];
    /// As `smtp_line_length_limit`, for LMTP.
    LMTP_LINE_LENGTH_LIMIT: Number = "lmtp_line_length_limit", "998", ["lmtp"];
    /// As `smtp_quote_rfc821_envelope`, for LMTP.
    LMTP_QUOTE_RFC821_ENVELOPE: Flag = "lmtp_quote_rfc821_envelope", "yes", ["lmtp"];
    /// As `smtp_send_xforward_command`, for LMTP.
    LMTP_SEND_XFORWARD_COMMAND: Flag = "lmtp_send_xforward_command", "no", ["lmtp"];
    /// As `smtp_skip_quit_response`, for LMTP.
    LMTP_SKIP_QUIT_RESPONSE: Flag = "lmtp_skip_quit_response", "no", ["lmtp"];
    /// As `smtp_address_verify_target`, for LMTP.
    LMTP_ADDRESS_VERIFY_TARGET: Text = "lmtp_address_verify_target", "rcpt", ["lmtp"];
    /// As `smtp_reply_filter`, for LMTP.
    LMTP_REPLY_FILTER: Text = "lmtp_reply_filter", "", ["lmtp"];
    /// As `smtp_delivery_status_filter`, for LMTP.
    LMTP_DELIVERY_STATUS_FILTER: Text = "lmtp_delivery_status_filter", "$default_delivery_status_filter", ["lmtp"];
    /// As `smtp_pix_workarounds`, for LMTP.
    LMTP_PIX_WORKAROUNDS: Text = "lmtp_pix_workarounds", "disable_esmtp,delay_dotcrlf", ["lmtp"];
    /// As `smtp_pix_workaround_maps`, for LMTP.
    LMTP_PIX_WORKAROUND_MAPS: Text = "lmtp_pix_workaround_maps", "", ["lmtp"];
    /// As `smtp_pix_workaround_threshold_time`, for LMTP.
    LMTP_PIX_WORKAROUND_THRESHOLD_TIME: Time = "lmtp_pix_workaround_threshold_time", "500s", ["lmtp"];
    /// As `smtp_pix_workaround_delay_time`, for LMTP.
    LMTP_PIX_WORKAROUND_DELAY_TIME: Time = "lmtp_pix_workaround_delay_time", "10s", ["lmtp"];

    // The message

    /// As `smtp_generic_maps`, for LMTP.
    LMTP_GENERIC_MAPS: Text = "lmtp_generic_maps", "", ["lmtp"];
    /// As `smtp_header_checks`, for LMTP.
    LMTP_HEADER_CHECKS: Text = "lmtp_header_checks", "", ["lmtp"];
    /// As `smtp_mime_header_checks`, for LMTP.
    LMTP_MIME_HEADER_CHECKS: Text = "lmtp_mime_header_checks", "", ["lmtp"];
    /// As `smtp_nested_header_checks`, for LMTP.
    LMTP_NESTED_HEADER_CHECKS: Text = "lmtp_nested_header_checks", "", ["lmtp"];
    /// As `smtp_body_checks`, for LMTP.
    LMTP_BODY_CHECKS: Text = "lmtp_body_checks", "", ["lmtp"];

    // Keeping connections

    /// As `smtp_connection_cache_on_demand`, for LMTP.
    LMTP_CONNECTION_CACHE_ON_DEMAND: Flag = "lmtp_connection_cache_on_demand", "yes", ["lmtp"];
    /// As `smtp_connection_cache_destinations`, for LMTP.
    LMTP_CONNECTION_CACHE_DESTINATIONS: Text = "lmtp_connection_cache_destinations", "", ["lmtp"];
    /// As `smtp_connection_cache_time_limit`, for LMTP.
    LMTP_CONNECTION_CACHE_TIME_LIMIT: Time = "lmtp_connection_cache_time_limit", "2s", ["lmtp"];
    /// As `smtp_connection_reuse_time_limit`, for LMTP.
    LMTP_CONNECTION_REUSE_TIME_LIMIT: Time = "lmtp_connection_reuse_time_limit", "300s", ["lmtp"];
    /// As `smtp_connection_reuse_count_limit`, for LMTP.
    LMTP_CONNECTION_REUSE_COUNT_LIMIT: Number = "lmtp_connection_reuse_count_limit", "0", ["lmtp"];

    // Logging in

    /// As `smtp_sasl_auth_enable`, for LMTP.
    LMTP_SASL_AUTH_ENABLE: Flag = "lmtp_sasl_auth_enable", "no", ["lmtp"];
    /// As `smtp_sasl_password_maps`, for LMTP.
    LMTP_SASL_PASSWORD_MAPS: Text = "lmtp_sasl_password_maps", "", ["lmtp"];
    /// As `smtp_sender_dependent_authentication`, for LMTP.
    LMTP_SENDER_DEPENDENT_AUTHENTICATION: Flag = "lmtp_sender_dependent_authentication", "no", ["lmtp"];
    /// As `smtp_sasl_type`, for LMTP.
    LMTP_SASL_TYPE: Text = "lmtp_sasl_type", "cyrus", ["lmtp"];
    /// As `smtp_sasl_path`, for LMTP.
    LMTP_SASL_PATH: Text = "lmtp_sasl_path", "", ["lmtp"];
    /// As `smtp_sasl_security_options`, for LMTP.
    LMTP_SASL_SECURITY_OPTIONS: Text = "lmtp_sasl_security_options", "noplaintext, noanonymous", ["lmtp"];
    /// As `smtp_sasl_tls_security_options`, for LMTP.
    LMTP_SASL_TLS_SECURITY_OPTIONS: Text = "lmtp_sasl_tls_security_options", "$lmtp_sasl_security_options", ["lmtp"];
    /// As `smtp_sasl_tls_verified_security_options`, for LMTP.
    LMTP_SASL_TLS_VERIFIED_SECURITY_OPTIONS: Text = "lmtp_sasl_tls_verified_security_options", "$lmtp_sasl_tls_security_options", ["lmtp"];
    /// As `smtp_sasl_mechanism_filter`, for LMTP.
    LMTP_SASL_MECHANISM_FILTER: Text = "lmtp_sasl_mechanism_filter", "", ["lmtp"];
    /// As `smtp_sasl_auth_cache_name`, for LMTP.
    LMTP_SASL_AUTH_CACHE_NAME: Text = "lmtp_sasl_auth_cache_name", "", ["lmtp"];
    /// As `smtp_sasl_auth_cache_time`, for LMTP.
    LMTP_SASL_AUTH_CACHE_TIME: Time = "lmtp_sasl_auth_cache_time", "90d", ["lmtp"];
    /// As `smtp_sasl_auth_soft_bounce`, for LMTP.
    LMTP_SASL_AUTH_SOFT_BOUNCE: Flag = "lmtp_sasl_auth_soft_bounce", "yes", ["lmtp"];
    /// As `smtp_send_dummy_mail_auth`, for LMTP.
    LMTP_SEND_DUMMY_MAIL_AUTH: Flag = "lmtp_send_dummy_mail_auth", "no", ["lmtp"];

    // TLS: whether, and whom to believe

    /// As `smtp_tls_security_level`, for LMTP.
    LMTP_TLS_SECURITY_LEVEL: Text = "lmtp_tls_security_level", "", ["lmtp"];
    /// As `smtp_tls_policy_maps`, for LMTP.
    LMTP_TLS_POLICY_MAPS: Text = "lmtp_tls_policy_maps", "", ["lmtp"];
    /// As `smtp_tls_wrappermode`, for LMTP.
    LMTP_TLS_WRAPPERMODE: Flag = "lmtp_tls_wrappermode", "no", ["lmtp"];
    /// As `smtp_tls_per_site`, for LMTP.
    LMTP_TLS_PER_SITE: Text = "lmtp_tls_per_site", "", ["lmtp"];
    /// As `smtp_use_tls`, for LMTP.
    LMTP_USE_TLS: Flag = "lmtp_use_tls", "no", ["lmtp"];
    /// As `smtp_enforce_tls`, for LMTP.
    LMTP_ENFORCE_TLS: Flag = "lmtp_enforce_tls", "no", ["lmtp"];
    /// As `smtp_tls_enforce_peername`, for LMTP.
    LMTP_TLS_ENFORCE_PEERNAME: Flag = "lmtp_tls_enforce_peername", "yes", ["lmtp"];
    /// As `smtp_tls_verify_cert_match`, for LMTP.
    LMTP_TLS_VERIFY_CERT_MATCH: Text = "lmtp_tls_verify_cert_match", "hostname", ["lmtp"];
    /// As `smtp_tls_secure_cert_match`, for LMTP.
    LMTP_TLS_SECURE_CERT_MATCH: Text = "lmtp_tls_secure_cert_match", "nexthop", ["lmtp"];
    /// As `smtp_tls_fingerprint_cert_match`, for LMTP.
    LMTP_TLS_FINGERPRINT_CERT_MATCH: Text = "lmtp_tls_fingerprint_cert_match", "", ["lmtp"];
    /// As `smtp_tls_fingerprint_digest`, for LMTP.
    LMTP_TLS_FINGERPRINT_DIGEST: Text = "lmtp_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", ["lmtp"];
    /// As `smtp_tls_scert_verifydepth`, for LMTP.
    LMTP_TLS_SCERT_VERIFYDEPTH: Number = "lmtp_tls_scert_verifydepth", "9", ["lmtp"];
    /// As `smtp_tls_CAfile`, for LMTP.
    LMTP_TLS_CAFILE: Text = "lmtp_tls_CAfile", "", ["lmtp"];
    /// As `smtp_tls_CApath`, for LMTP.
    LMTP_TLS_CAPATH: Text = "lmtp_tls_CApath", "", ["lmtp"];
    /// As `smtp_tls_trust_anchor_file`, for LMTP.
    LMTP_TLS_TRUST_ANCHOR_FILE: Text = "lmtp_tls_trust_anchor_file", "", ["lmtp"];
    /// As `smtp_tls_servername`, for LMTP.
    LMTP_TLS_SERVERNAME: Text = "lmtp_tls_servername", "", ["lmtp"];
    /// As `smtp_tls_force_insecure_host_tlsa_lookup`, for LMTP.
    LMTP_TLS_FORCE_INSECURE_HOST_TLSA_LOOKUP: Flag = "lmtp_tls_force_insecure_host_tlsa_lookup", "no", ["lmtp"];
    /// As `smtp_tls_block_early_mail_reply`, for LMTP.
    LMTP_TLS_BLOCK_EARLY_MAIL_REPLY: Flag = "lmtp_tls_block_early_mail_reply", "no", ["lmtp"];
    /// As `smtp_tls_note_starttls_offer`, for LMTP.
    LMTP_TLS_NOTE_STARTTLS_OFFER: Flag = "lmtp_tls_note_starttls_offer", "no", ["lmtp"];

    // TLS: certificates, protocols, ciphers, sessions

    /// As `smtp_tls_chain_files`, for LMTP.
    LMTP_TLS_CHAIN_FILES: Text = "lmtp_tls_chain_files", "", ["lmtp"];
    /// As `smtp_tls_cert_file`, for LMTP.
    LMTP_TLS_CERT_FILE: Text = "lmtp_tls_cert_file", "", ["lmtp"];
    /// As `smtp_tls_key_file`, for LMTP.
    LMTP_TLS_KEY_FILE: Text = "lmtp_tls_key_file", "$lmtp_tls_cert_file", ["lmtp"];
    /// As `smtp_tls_eccert_file`, for LMTP.
    LMTP_TLS_ECCERT_FILE: Text = "lmtp_tls_eccert_file", "", ["lmtp"];
    /// As `smtp_tls_eckey_file`, for LMTP.
    LMTP_TLS_ECKEY_FILE: Text = "lmtp_tls_eckey_file", "$lmtp_tls_eccert_file", ["lmtp"];
    /// As `smtp_tls_dcert_file`, for LMTP.
    LMTP_TLS_DCERT_FILE: Text = "lmtp_tls_dcert_file", "", ["lmtp"];
    /// As `smtp_tls_dkey_file`, for LMTP.
    LMTP_TLS_DKEY_FILE: Text = "lmtp_tls_dkey_file", "$lmtp_tls_dcert_file", ["lmtp"];
    /// As `smtp_tls_protocols`, for LMTP.
    LMTP_TLS_PROTOCOLS: Text = "lmtp_tls_protocols", ">=TLSv1", ["lmtp"];
    /// As `smtp_tls_mandatory_protocols`, for LMTP.
    LMTP_TLS_MANDATORY_PROTOCOLS: Text = "lmtp_tls_mandatory_protocols", ">=TLSv1", ["lmtp"];
    /// As `smtp_tls_ciphers`, for LMTP.
    LMTP_TLS_CIPHERS: Text = "lmtp_tls_ciphers", "medium", ["lmtp"];
    /// As `smtp_tls_mandatory_ciphers`, for LMTP.
    LMTP_TLS_MANDATORY_CIPHERS: Text = "lmtp_tls_mandatory_ciphers", "medium", ["lmtp"];
    /// As `smtp_tls_exclude_ciphers`, for LMTP.
    LMTP_TLS_EXCLUDE_CIPHERS: Text = "lmtp_tls_exclude_ciphers", "", ["lmtp"];
    /// As `smtp_tls_mandatory_exclude_ciphers`, for LMTP.
    LMTP_TLS_MANDATORY_EXCLUDE_CIPHERS: Text = "lmtp_tls_mandatory_exclude_ciphers", "", ["lmtp"];
    /// As `smtp_tls_connection_reuse`, for LMTP.
    LMTP_TLS_CONNECTION_REUSE: Flag = "lmtp_tls_connection_reuse", "no", ["lmtp"];
    /// As `smtp_tls_session_cache_database`, for LMTP.
    LMTP_TLS_SESSION_CACHE_DATABASE: Text = "lmtp_tls_session_cache_database", "", ["lmtp", "tlsmgr"];
    /// As `smtp_tls_session_cache_timeout`, for LMTP.
    LMTP_TLS_SESSION_CACHE_TIMEOUT: Time = "lmtp_tls_session_cache_timeout", "3600s", ["lmtp", "tlsmgr"];
    /// As `smtp_starttls_timeout`, for LMTP.
    LMTP_STARTTLS_TIMEOUT: Time = "lmtp_starttls_timeout", "300s", ["lmtp"];
    /// As `smtp_tls_loglevel`, for LMTP.
    LMTP_TLS_LOGLEVEL: Number = "lmtp_tls_loglevel", "0", ["lmtp"];
}
