//! TLS in the SMTP server.

use crate::declare::parameters;

parameters! {
    SMTPD_TLS_CAFILE: Text = "smtpd_tls_CAfile", "", ["smtpd"];
    SMTPD_TLS_CAPATH: Text = "smtpd_tls_CApath", "", ["smtpd"];
    SMTPD_TLS_ALWAYS_ISSUE_SESSION_IDS: Flag = "smtpd_tls_always_issue_session_ids", "yes", ["smtpd"];
    SMTPD_TLS_ASK_CCERT: Flag = "smtpd_tls_ask_ccert", "no", ["smtpd"];
    SMTPD_TLS_AUTH_ONLY: Flag = "smtpd_tls_auth_only", "no", ["smtpd"];
    SMTPD_TLS_CCERT_VERIFYDEPTH: Number = "smtpd_tls_ccert_verifydepth", "9", ["smtpd"];
    SMTPD_TLS_CERT_FILE: Text = "smtpd_tls_cert_file", "", ["smtpd"];
    SMTPD_TLS_CHAIN_FILES: Text = "smtpd_tls_chain_files", "", ["smtpd"];
    SMTPD_TLS_CIPHERS: Text = "smtpd_tls_ciphers", "medium", ["smtpd"];
    SMTPD_TLS_DCERT_FILE: Text = "smtpd_tls_dcert_file", "", ["smtpd"];
    SMTPD_TLS_DH1024_PARAM_FILE: Text = "smtpd_tls_dh1024_param_file", "", ["smtpd"];
    SMTPD_TLS_DH512_PARAM_FILE: Text = "smtpd_tls_dh512_param_file", "", ["smtpd"];
    SMTPD_TLS_DKEY_FILE: Text = "smtpd_tls_dkey_file", "$smtpd_tls_dcert_file", ["smtpd"];
    SMTPD_TLS_ECCERT_FILE: Text = "smtpd_tls_eccert_file", "", ["smtpd"];
    SMTPD_TLS_ECKEY_FILE: Text = "smtpd_tls_eckey_file", "$smtpd_tls_eccert_file", ["smtpd"];
    SMTPD_TLS_EECDH_GRADE: Text = "smtpd_tls_eecdh_grade", "auto", ["smtpd"];
    SMTPD_TLS_EXCLUDE_CIPHERS: Text = "smtpd_tls_exclude_ciphers", "", ["smtpd"];
    SMTPD_TLS_FINGERPRINT_DIGEST: Text = "smtpd_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", ["smtpd"];
    SMTPD_TLS_KEY_FILE: Text = "smtpd_tls_key_file", "$smtpd_tls_cert_file", ["smtpd"];
    SMTPD_TLS_LOGLEVEL: Number = "smtpd_tls_loglevel", "0", ["smtpd"];
    SMTPD_TLS_MANDATORY_CIPHERS: Text = "smtpd_tls_mandatory_ciphers", "medium", ["smtpd"];
    SMTPD_TLS_MANDATORY_EXCLUDE_CIPHERS: Text = "smtpd_tls_mandatory_exclude_ciphers", "", ["smtpd"];
    SMTPD_TLS_MANDATORY_PROTOCOLS: Text = "smtpd_tls_mandatory_protocols", ">=TLSv1", ["smtpd"];
    SMTPD_TLS_PROTOCOLS: Text = "smtpd_tls_protocols", ">=TLSv1", ["smtpd"];
    SMTPD_TLS_RECEIVED_HEADER: Flag = "smtpd_tls_received_header", "no", ["smtpd"];
    SMTPD_TLS_REQ_CCERT: Flag = "smtpd_tls_req_ccert", "no", ["smtpd"];
    SMTPD_TLS_SECURITY_LEVEL: Text = "smtpd_tls_security_level", "", ["smtpd"];
    SMTPD_TLS_SESSION_CACHE_DATABASE: Text = "smtpd_tls_session_cache_database", "", ["smtpd"];
    SMTPD_TLS_SESSION_CACHE_TIMEOUT: Time = "smtpd_tls_session_cache_timeout", "3600s", ["smtpd"];
    SMTPD_TLS_WRAPPERMODE: Flag = "smtpd_tls_wrappermode", "no", ["smtpd"];
}
