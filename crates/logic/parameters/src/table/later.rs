//! Names that Postfix has added since 3.7, by the version that brought them. `postconf -d` does not list them,
//! as it shows the defaults of 3.7; set in main.cf, they are known and act.

use crate::declare::Declared;

pub use since_3_8::*;
pub use since_3_9::*;
pub use since_3_10::*;
pub use since_3_11::*;
pub use since_3_12::*;

/// Version of Postfix, and the names it has added.
pub static LATER: &[(&str, &[&Declared])] = &[
    ("3.8", since_3_8::TABLE),
    ("3.9", since_3_9::TABLE),
    ("3.10", since_3_10::TABLE),
    ("3.11", since_3_11::TABLE),
    ("3.12", since_3_12::TABLE),
];

mod since_3_8 {
    use crate::declare::parameters;

    parameters! {
        /// Bits of a client's IPv4 address that count in the limits for each client: 24 takes a whole network of 256
        /// as one client.
        SMTPD_CLIENT_IPV4_PREFIX_LENGTH: Number = "smtpd_client_ipv4_prefix_length", "32", ["smtpd"];
        /// Bits of a client's IPv6 address that count in the limits for each client; one customer often has 64 bits
        /// of addresses to choose from.
        SMTPD_CLIENT_IPV6_PREFIX_LENGTH: Number = "smtpd_client_ipv6_prefix_length", "84", ["smtpd"];
        /// Services, such as `submission`, for which SRV records tell the host and port of a destination.
        USE_SRV_LOOKUP: Text = "use_srv_lookup", "", ["smtp", "lmtp"];
        /// Goes on with MX or address lookup when an SRV record does not exist.
        ALLOW_SRV_LOOKUP_FALLBACK: Flag = "allow_srv_lookup_fallback", "no", ["smtp", "lmtp"];
        /// Goes on with MX or address lookup when SRV lookup fails for the moment.
        IGNORE_SRV_LOOKUP_ERROR: Flag = "ignore_srv_lookup_error", "no", ["smtp", "lmtp"];
        /// Finite-field groups for the key exchange of TLS 1.3, best first; empty for none.
        TLS_FFDHE_AUTO_GROUPS: Text = "tls_ffdhe_auto_groups", "ffdhe2048 ffdhe3072", ["all"];
    }
}

mod since_3_9 {
    use crate::declare::parameters;

    parameters! {
        /// Encodes 8-bit text in messages as 7-bit on arrival, so that signatures made here survive relays without
        /// 8BITMIME.
        FORCE_MIME_INPUT_CONVERSION: Flag = "force_mime_input_conversion", "no", ["cleanup", "smtpd"];
        /// Asks clients for a bare public key in place of a certificate, where their fingerprints are used.
        SMTPD_TLS_ENABLE_RPK: Flag = "smtpd_tls_enable_rpk", "no", ["smtpd"];
        /// Accepts a bare public key of a server in place of a certificate, where the level permits.
        SMTP_TLS_ENABLE_RPK: Flag = "smtp_tls_enable_rpk", "no", ["smtp"];
        /// As `smtp_tls_enable_rpk`, for LMTP.
        LMTP_TLS_ENABLE_RPK: Flag = "lmtp_tls_enable_rpk", "no", ["lmtp"];
        /// As `smtpd_tls_enable_rpk`, for sessions that tlsproxy decrypts.
        TLSPROXY_TLS_ENABLE_RPK: Flag = "tlsproxy_tls_enable_rpk", "$smtpd_tls_enable_rpk", ["postscreen"];
        /// Mode of `maillog_file`, in octal digits; groups and others may at most read.
        MAILLOG_FILE_PERMISSIONS: Text = "maillog_file_permissions", "0600", ["postlogd"];
    }
}

mod since_3_10 {
    use crate::declare::parameters;

    parameters! {
        /// Leaves the client's name, address, login and TLS session out of `Received:`; for services where users
        /// submit mail.
        SMTPD_HIDE_CLIENT_SESSION: Flag = "smtpd_hide_client_session", "no", ["smtpd"];
        /// Heeds `TLS-Required: no` in a message, whose sender prefers delivery without proof of the server's name to
        /// none (RFC 8689).
        TLS_REQUIRED_ENABLE: Flag = "tls_required_enable", "yes", ["smtp", "lmtp", "cleanup", "smtpd"];
        /// Reports the outcome of TLS handshakes to a collector that makes the daily reports of RFC 8460.
        SMTP_TLSRPT_ENABLE: Flag = "smtp_tlsrpt_enable", "no", ["smtp"];
        /// As `smtp_tlsrpt_enable`, for LMTP.
        LMTP_TLSRPT_ENABLE: Flag = "lmtp_tlsrpt_enable", "no", ["lmtp"];
        /// Socket of that collector; below the queue folder if relative.
        SMTP_TLSRPT_SOCKET_NAME: Text = "smtp_tlsrpt_socket_name", "", ["smtp"];
        /// As `smtp_tlsrpt_socket_name`, for LMTP.
        LMTP_TLSRPT_SOCKET_NAME: Text = "lmtp_tlsrpt_socket_name", "", ["lmtp"];
        /// Reports new TLS sessions only, not those that were resumed.
        SMTP_TLSRPT_SKIP_REUSED_HANDSHAKES: Flag = "smtp_tlsrpt_skip_reused_handshakes", "no", ["smtp"];
        /// As `smtp_tlsrpt_skip_reused_handshakes`, for LMTP.
        LMTP_TLSRPT_SKIP_REUSED_HANDSHAKES: Flag = "lmtp_tlsrpt_skip_reused_handshakes", "no", ["lmtp"];
        /// Character set in which the full names of local users are encoded in a `From:` that is added; empty sends
        /// them as they are.
        FULL_NAME_ENCODING_CHARSET: Text = "full_name_encoding_charset", "utf-8", ["cleanup", "smtpd"];
        /// Longest answer in bytes that is read from a socketmap server.
        SOCKETMAP_MAX_REPLY_SIZE: Number = "socketmap_max_reply_size", "100000", ["all"];
        /// Goes only to MX hosts that the destination's MTA-STS policy names, when a policy plug-in has passed it on.
        SMTP_TLS_ENFORCE_STS_MX_PATTERNS: Flag = "smtp_tls_enforce_sts_mx_patterns", "yes", ["smtp"];
        /// As `smtp_tls_enforce_sts_mx_patterns`, for LMTP.
        LMTP_TLS_ENFORCE_STS_MX_PATTERNS: Flag = "lmtp_tls_enforce_sts_mx_patterns", "yes", ["lmtp"];
    }
}

mod since_3_11 {
    use crate::declare::parameters;

    parameters! {
        /// Type of the tables in which programs keep what they have learned (`address_verify_map`,
        /// `postscreen_cache_map`). `btree` is kept as LMDB.
        DEFAULT_CACHE_DB_TYPE: Text = "default_cache_db_type", "${{$default_database_type} == {lmdb} ? {lmdb} : {btree}}", ["all"];
        /// How far `hash:` and `btree:` tables are redirected to other types. They are LMDB here at any level.
        NON_BDB_MIGRATION_LEVEL: Text = "non_bdb_migration_level", "disable", ["all"];
        /// Types, as `hash=lmdb`, that Berkeley DB types are redirected to. They are LMDB here whatever it says.
        NON_BDB_CUSTOM_MAPPING: Text = "non_bdb_custom_mapping", "", ["all"];
        /// Service in master.cf that rebuilds tables for the new type. Here each table is rebuilt where it is opened,
        /// or by `postfix reload`.
        NON_BDB_SERVICE_NAME: Text = "non_bdb_service_name", "nbdb_reindex", ["all"];
        /// Folders below which tables of root may be rebuilt by that service.
        NON_BDB_MIGRATION_ALLOW_ROOT_PREFIXES: Text = "non_bdb_migration_allow_root_prefixes", "/etc /usr/local/etc", ["all"];
        /// Folders below which tables of other users may be rebuilt by that service.
        NON_BDB_MIGRATION_ALLOW_USER_PREFIXES: Text = "non_bdb_migration_allow_user_prefixes", "$data_directory /var/lib/mailman /var/lib/mailman3", ["all"];
        /// What to do with a message whose header ends in a line that is neither header nor empty: `fix_quietly` adds
        /// the empty line, `add_header` notes it in the header, `reject` refuses the message.
        NON_EMPTY_END_OF_HEADER_ACTION: Text = "non_empty_end_of_header_action", "fix_quietly", ["cleanup", "smtpd"];
        /// Puts `5.1.6 User has moved to` before the results of `relocated_maps`. With `no` the results bring status
        /// and text of their own.
        RELOCATED_PREFIX_ENABLE: Flag = "relocated_prefix_enable", "yes", ["trivial-rewrite", "smtpd", "qmgr"];
        /// Announces and heeds REQUIRETLS, by which a sender rules out every way without proven TLS (RFC 8689).
        REQUIRETLS_ENABLE: Flag = "requiretls_enable", "yes", ["smtpd", "smtp", "lmtp"];
        /// How strictly REQUIRETLS is taken, by destination: tables and lists of `enforce`, `opportunistic` and more.
        SMTP_REQUIRETLS_POLICY: Text = "smtp_requiretls_policy", "inline:{{${domain_to_ascii{$mydomain}}=opportunistic}, {.${domain_to_ascii{$mydomain}}=opportunistic}, {localhost=opportunistic}}, cidr:{{0.0.0.0/0 opportunistic}, {::/0 opportunistic}}, enforce", ["smtp"];
        /// As `smtp_requiretls_policy`, for LMTP.
        LMTP_REQUIRETLS_POLICY: Text = "lmtp_requiretls_policy", "opportunistic", ["lmtp"];
        /// Leaves the text of a message out of reports when it asked for REQUIRETLS, so that they need no such way
        /// back.
        REQUIRETLS_REDACT_DSN: Flag = "requiretls_redact_dsn", "yes", ["bounce"];
        /// Carries REQUIRETLS through content filters in a header, `Require-TLS-ESMTP: yes`.
        REQUIRETLS_ESMTP_HEADER: Flag = "requiretls_esmtp_header", "yes", ["cleanup", "smtpd"];
        /// Adds to each delivery in the log which level of TLS was wanted and which was had.
        SMTP_LOG_TLS_FEATURE_STATUS: Flag = "smtp_log_tls_feature_status", "yes", ["smtp"];
        /// As `smtp_log_tls_feature_status`, for LMTP.
        LMTP_LOG_TLS_FEATURE_STATUS: Flag = "lmtp_log_tls_feature_status", "yes", ["lmtp"];
        /// Tables that give, by a complete reply that refuses something, another to send in its place.
        SMTPD_REJECT_FILTER_MAPS: Text = "smtpd_reject_filter_maps", "", ["smtpd"];
    }
}

mod since_3_12 {
    use crate::declare::parameters;

    parameters! {
        /// Largest trace of one TLS session in bytes, as written when `smtpd_tls_loglevel` asks for it.
        SMTPD_TLS_TRACE_SIZE_LIMIT: Number = "smtpd_tls_trace_size_limit", "102400", ["smtpd"];
        /// As `smtpd_tls_trace_size_limit`, for postscreen.
        POSTSCREEN_TLS_TRACE_SIZE_LIMIT: Number = "postscreen_tls_trace_size_limit", "102400", ["postscreen"];
        /// As `smtpd_tls_trace_size_limit`, for the SMTP client.
        SMTP_TLS_TRACE_SIZE_LIMIT: Number = "smtp_tls_trace_size_limit", "102400", ["smtp"];
        /// As `smtpd_tls_trace_size_limit`, for the LMTP client.
        LMTP_TLS_TRACE_SIZE_LIMIT: Number = "lmtp_tls_trace_size_limit", "102400", ["lmtp"];
    }
}
