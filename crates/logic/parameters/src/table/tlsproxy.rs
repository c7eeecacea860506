//! TLS on behalf of other programs: what postscreen and kept connections use in place of the parameters of
//! server and client.

use crate::declare::parameters;

parameters! {
    // Service

    /// Service in master.cf that does TLS for postscreen and for kept connections of the SMTP client.
    TLSPROXY_SERVICE_NAME: Text = "tlsproxy_service_name", "tlsproxy", ["postscreen", "smtp", "lmtp"];
    /// How long tlsproxy may be stuck before it is ended.
    TLSPROXY_WATCHDOG_TIMEOUT: Time = "tlsproxy_watchdog_timeout", "10s", ["postscreen", "smtp", "lmtp"];

    // As a server

    /// As `smtpd_enforce_tls`, for sessions that tlsproxy decrypts.
    TLSPROXY_ENFORCE_TLS: Flag = "tlsproxy_enforce_tls", "$smtpd_enforce_tls", ["postscreen"];
    /// As `smtpd_tls_CAfile`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_CAFILE: Text = "tlsproxy_tls_CAfile", "$smtpd_tls_CAfile", ["postscreen"];
    /// As `smtpd_tls_CApath`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_CAPATH: Text = "tlsproxy_tls_CApath", "$smtpd_tls_CApath", ["postscreen"];
    /// As `smtpd_tls_always_issue_session_ids`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_ALWAYS_ISSUE_SESSION_IDS: Flag = "tlsproxy_tls_always_issue_session_ids", "$smtpd_tls_always_issue_session_ids", ["postscreen"];
    /// As `smtpd_tls_ask_ccert`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_ASK_CCERT: Flag = "tlsproxy_tls_ask_ccert", "$smtpd_tls_ask_ccert", ["postscreen"];
    /// As `smtpd_tls_ccert_verifydepth`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_CCERT_VERIFYDEPTH: Number = "tlsproxy_tls_ccert_verifydepth", "$smtpd_tls_ccert_verifydepth", ["postscreen"];
    /// As `smtpd_tls_cert_file`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_CERT_FILE: Text = "tlsproxy_tls_cert_file", "$smtpd_tls_cert_file", ["postscreen"];
    /// As `smtpd_tls_chain_files`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_CHAIN_FILES: Text = "tlsproxy_tls_chain_files", "$smtpd_tls_chain_files", ["postscreen"];
    /// As `smtpd_tls_ciphers`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_CIPHERS: Text = "tlsproxy_tls_ciphers", "$smtpd_tls_ciphers", ["postscreen"];
    /// As `smtpd_tls_dcert_file`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_DCERT_FILE: Text = "tlsproxy_tls_dcert_file", "$smtpd_tls_dcert_file", ["postscreen"];
    /// As `smtpd_tls_dh1024_param_file`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_DH1024_PARAM_FILE: Text = "tlsproxy_tls_dh1024_param_file", "$smtpd_tls_dh1024_param_file", ["postscreen"];
    /// As `smtpd_tls_dh512_param_file`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_DH512_PARAM_FILE: Text = "tlsproxy_tls_dh512_param_file", "$smtpd_tls_dh512_param_file", ["postscreen"];
    /// As `smtpd_tls_dkey_file`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_DKEY_FILE: Text = "tlsproxy_tls_dkey_file", "$smtpd_tls_dkey_file", ["postscreen"];
    /// As `smtpd_tls_eccert_file`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_ECCERT_FILE: Text = "tlsproxy_tls_eccert_file", "$smtpd_tls_eccert_file", ["postscreen"];
    /// As `smtpd_tls_eckey_file`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_ECKEY_FILE: Text = "tlsproxy_tls_eckey_file", "$smtpd_tls_eckey_file", ["postscreen"];
    /// As `smtpd_tls_eecdh_grade`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_EECDH_GRADE: Text = "tlsproxy_tls_eecdh_grade", "$smtpd_tls_eecdh_grade", ["postscreen"];
    /// As `smtpd_tls_exclude_ciphers`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_EXCLUDE_CIPHERS: Text = "tlsproxy_tls_exclude_ciphers", "$smtpd_tls_exclude_ciphers", ["postscreen"];
    /// As `smtpd_tls_fingerprint_digest`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_FINGERPRINT_DIGEST: Text = "tlsproxy_tls_fingerprint_digest", "$smtpd_tls_fingerprint_digest", ["postscreen"];
    /// As `smtpd_tls_key_file`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_KEY_FILE: Text = "tlsproxy_tls_key_file", "$smtpd_tls_key_file", ["postscreen"];
    /// As `smtpd_tls_loglevel`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_LOGLEVEL: Number = "tlsproxy_tls_loglevel", "$smtpd_tls_loglevel", ["postscreen"];
    /// As `smtpd_tls_mandatory_ciphers`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_MANDATORY_CIPHERS: Text = "tlsproxy_tls_mandatory_ciphers", "$smtpd_tls_mandatory_ciphers", ["postscreen"];
    /// As `smtpd_tls_mandatory_exclude_ciphers`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_MANDATORY_EXCLUDE_CIPHERS: Text = "tlsproxy_tls_mandatory_exclude_ciphers", "$smtpd_tls_mandatory_exclude_ciphers", ["postscreen"];
    /// As `smtpd_tls_mandatory_protocols`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_MANDATORY_PROTOCOLS: Text = "tlsproxy_tls_mandatory_protocols", "$smtpd_tls_mandatory_protocols", ["postscreen"];
    /// As `smtpd_tls_protocols`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_PROTOCOLS: Text = "tlsproxy_tls_protocols", "$smtpd_tls_protocols", ["postscreen"];
    /// As `smtpd_tls_req_ccert`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_REQ_CCERT: Flag = "tlsproxy_tls_req_ccert", "$smtpd_tls_req_ccert", ["postscreen"];
    /// As `smtpd_tls_security_level`, for sessions that tlsproxy decrypts.
    TLSPROXY_TLS_SECURITY_LEVEL: Text = "tlsproxy_tls_security_level", "$smtpd_tls_security_level", ["postscreen"];
    /// As `smtpd_use_tls`, for sessions that tlsproxy decrypts.
    TLSPROXY_USE_TLS: Flag = "tlsproxy_use_tls", "$smtpd_use_tls", ["postscreen"];

    // As a client

    /// As `smtp_tls_CAfile`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_CAFILE: Text = "tlsproxy_client_CAfile", "$smtp_tls_CAfile", ["smtp", "lmtp"];
    /// As `smtp_tls_CApath`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_CAPATH: Text = "tlsproxy_client_CApath", "$smtp_tls_CApath", ["smtp", "lmtp"];
    /// As `smtp_tls_cert_file`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_CERT_FILE: Text = "tlsproxy_client_cert_file", "$smtp_tls_cert_file", ["smtp", "lmtp"];
    /// As `smtp_tls_chain_files`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_CHAIN_FILES: Text = "tlsproxy_client_chain_files", "$smtp_tls_chain_files", ["smtp", "lmtp"];
    /// As `smtp_tls_dcert_file`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_DCERT_FILE: Text = "tlsproxy_client_dcert_file", "$smtp_tls_dcert_file", ["smtp", "lmtp"];
    /// As `smtp_tls_dkey_file`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_DKEY_FILE: Text = "tlsproxy_client_dkey_file", "$smtp_tls_dkey_file", ["smtp", "lmtp"];
    /// As `smtp_tls_eccert_file`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_ECCERT_FILE: Text = "tlsproxy_client_eccert_file", "$smtp_tls_eccert_file", ["smtp", "lmtp"];
    /// As `smtp_tls_eckey_file`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_ECKEY_FILE: Text = "tlsproxy_client_eckey_file", "$smtp_tls_eckey_file", ["smtp", "lmtp"];
    /// As `smtp_enforce_tls`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_ENFORCE_TLS: Flag = "tlsproxy_client_enforce_tls", "$smtp_enforce_tls", ["smtp", "lmtp"];
    /// As `smtp_tls_fingerprint_digest`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_FINGERPRINT_DIGEST: Text = "tlsproxy_client_fingerprint_digest", "$smtp_tls_fingerprint_digest", ["smtp", "lmtp"];
    /// As `smtp_tls_key_file`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_KEY_FILE: Text = "tlsproxy_client_key_file", "$smtp_tls_key_file", ["smtp", "lmtp"];
    /// As `smtp_tls_loglevel`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_LOGLEVEL: Number = "tlsproxy_client_loglevel", "$smtp_tls_loglevel", ["smtp", "lmtp"];
    /// Name of the parameter that the client's level of logging comes from, for messages.
    TLSPROXY_CLIENT_LOGLEVEL_PARAMETER: Text = "tlsproxy_client_loglevel_parameter", "smtp_tls_loglevel", ["smtp", "lmtp"];
    /// As `smtp_tls_per_site`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_PER_SITE: Text = "tlsproxy_client_per_site", "$smtp_tls_per_site", ["smtp", "lmtp"];
    /// As `smtp_tls_policy_maps`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_POLICY_MAPS: Text = "tlsproxy_client_policy_maps", "${tlsproxy_client_policy:$smtp_tls_policy_maps}", ["smtp", "lmtp"];
    /// As `smtp_tls_scert_verifydepth`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_SCERT_VERIFYDEPTH: Number = "tlsproxy_client_scert_verifydepth", "$smtp_tls_scert_verifydepth", ["smtp", "lmtp"];
    /// As `smtp_tls_security_level`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_SECURITY_LEVEL: Text = "tlsproxy_client_security_level", "${tlsproxy_client_level:$smtp_tls_security_level}", ["smtp", "lmtp"];
    /// As `smtp_use_tls`, for connections made through tlsproxy.
    TLSPROXY_CLIENT_USE_TLS: Flag = "tlsproxy_client_use_tls", "$smtp_use_tls", ["smtp", "lmtp"];
}
