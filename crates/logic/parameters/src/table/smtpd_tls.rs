//! TLS of the SMTP server.

use crate::declare::parameters;

parameters! {
    // Whether

    /// `none`: no TLS; `may`: STARTTLS is offered; `encrypt`: no mail without it (never on a public port 25).
    /// Empty leaves the decision to `smtpd_use_tls` and `smtpd_enforce_tls`.
    SMTPD_TLS_SECURITY_LEVEL: Text = "smtpd_tls_security_level", "", ["smtpd"];
    /// Starts TLS at once, without STARTTLS: for the `submissions` service on port 465.
    SMTPD_TLS_WRAPPERMODE: Flag = "smtpd_tls_wrappermode", "no", ["smtpd"];
    /// Offers AUTH only after STARTTLS, so that no password travels in the clear.
    SMTPD_TLS_AUTH_ONLY: Flag = "smtpd_tls_auth_only", "no", ["smtpd"];
    /// Writes protocol, cipher and client certificate of the session into the `Received:` header.
    SMTPD_TLS_RECEIVED_HEADER: Flag = "smtpd_tls_received_header", "no", ["smtpd"];
    /// 0 logs nothing of TLS, 1 one line for each handshake, 2 more of it, 3 and 4 bytes; above 1 is for
    /// debugging.
    SMTPD_TLS_LOGLEVEL: Number = "smtpd_tls_loglevel", "0", ["smtpd"];

    // Certificates and keys

    /// PEM files with private key first, then certificate and intermediates; several sets may follow one
    /// another. Used instead of all separate certificate and key files.
    SMTPD_TLS_CHAIN_FILES: Text = "smtpd_tls_chain_files", "", ["smtpd"];
    /// PEM file with the RSA certificate, followed by its intermediates; `none` for no certificate.
    SMTPD_TLS_CERT_FILE: Text = "smtpd_tls_cert_file", "", ["smtpd"];
    /// PEM file with the private key of `smtpd_tls_cert_file`, without a passphrase and readable by root
    /// alone.
    SMTPD_TLS_KEY_FILE: Text = "smtpd_tls_key_file", "$smtpd_tls_cert_file", ["smtpd"];
    /// PEM file with an ECDSA certificate and its intermediates, offered besides the RSA one.
    SMTPD_TLS_ECCERT_FILE: Text = "smtpd_tls_eccert_file", "", ["smtpd"];
    /// PEM file with the private key of `smtpd_tls_eccert_file`.
    SMTPD_TLS_ECKEY_FILE: Text = "smtpd_tls_eckey_file", "$smtpd_tls_eccert_file", ["smtpd"];
    /// PEM file with a DSA certificate. DSA is dead: accepted, and without effect.
    SMTPD_TLS_DCERT_FILE: Text = "smtpd_tls_dcert_file", "", ["smtpd"];
    /// Private key of `smtpd_tls_dcert_file`: accepted, and without effect.
    SMTPD_TLS_DKEY_FILE: Text = "smtpd_tls_dkey_file", "$smtpd_tls_dcert_file", ["smtpd"];

    // Certificates of clients

    /// Asks clients for a certificate, which they need not have. Needed by `permit_tls_clientcerts` and
    /// `check_ccert_access`.
    SMTPD_TLS_ASK_CCERT: Flag = "smtpd_tls_ask_ccert", "no", ["smtpd"];
    /// Refuses clients without a certificate that a known authority has signed. Acts only where TLS itself is
    /// required.
    SMTPD_TLS_REQ_CCERT: Flag = "smtpd_tls_req_ccert", "no", ["smtpd"];
    /// Longest chain of authorities between a client's certificate and a trusted root.
    SMTPD_TLS_CCERT_VERIFYDEPTH: Number = "smtpd_tls_ccert_verifydepth", "9", ["smtpd"];
    /// PEM file of the authorities that may sign client certificates; read before the root directory changes.
    SMTPD_TLS_CAFILE: Text = "smtpd_tls_CAfile", "", ["smtpd"];
    /// Folder of such authorities, one a file, named by hash. It must be reachable in the chroot.
    SMTPD_TLS_CAPATH: Text = "smtpd_tls_CApath", "", ["smtpd"];
    /// Digest for the fingerprints of client certificates and keys, as used by `relay_clientcerts` and
    /// `check_ccert_access`. Changing it makes all stored fingerprints useless.
    SMTPD_TLS_FINGERPRINT_DIGEST: Text = "smtpd_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", ["smtpd"];

    // Protocols and ciphers

    /// TLS versions for optional TLS: `>=TLSv1.2`, `<=TLSv1.3`, or names with `!` in front to leave one out.
    /// Versions before 1.2 are not available in this build.
    SMTPD_TLS_PROTOCOLS: Text = "smtpd_tls_protocols", ">=TLSv1", ["smtpd"];
    /// As `smtpd_tls_protocols`, where TLS is required.
    SMTPD_TLS_MANDATORY_PROTOCOLS: Text = "smtpd_tls_mandatory_protocols", ">=TLSv1", ["smtpd"];
    /// Weakest grade of ciphers for optional TLS: `high`, `medium`, `null` and the historic `low` and
    /// `export`.
    SMTPD_TLS_CIPHERS: Text = "smtpd_tls_ciphers", "medium", ["smtpd"];
    /// As `smtpd_tls_ciphers`, where TLS is required.
    SMTPD_TLS_MANDATORY_CIPHERS: Text = "smtpd_tls_mandatory_ciphers", "medium", ["smtpd"];
    /// Ciphers, or properties of ciphers such as `aNULL`, that are never used.
    SMTPD_TLS_EXCLUDE_CIPHERS: Text = "smtpd_tls_exclude_ciphers", "", ["smtpd"];
    /// Further ones that are not used where TLS is required.
    SMTPD_TLS_MANDATORY_EXCLUDE_CIPHERS: Text = "smtpd_tls_mandatory_exclude_ciphers", "", ["smtpd"];
    /// Strength of the elliptic curves for the key exchange; `auto` takes `tls_eecdh_auto_curves`. Leave it
    /// alone.
    SMTPD_TLS_EECDH_GRADE: Text = "smtpd_tls_eecdh_grade", "auto", ["smtpd"];
    /// File with Diffie-Hellman parameters, or `auto`. Key exchange is by elliptic curves here: accepted, and
    /// without effect.
    SMTPD_TLS_DH1024_PARAM_FILE: Text = "smtpd_tls_dh1024_param_file", "", ["smtpd"];
    /// Parameters for export ciphers of long ago: accepted, and without effect.
    SMTPD_TLS_DH512_PARAM_FILE: Text = "smtpd_tls_dh512_param_file", "", ["smtpd"];

    // Sessions

    /// How long a client may resume a TLS session, and how long a ticket key lives. 0 turns resuming off.
    SMTPD_TLS_SESSION_CACHE_TIMEOUT: Time = "smtpd_tls_session_cache_timeout", "3600s", ["smtpd", "tlsmgr"];
    /// Table in which TLS sessions of clients without tickets are kept. Tickets do without it.
    SMTPD_TLS_SESSION_CACHE_DATABASE: Text = "smtpd_tls_session_cache_database", "", ["smtpd", "tlsmgr"];
    /// Hands out session ids even when sessions are not kept, for clients that fail without.
    SMTPD_TLS_ALWAYS_ISSUE_SESSION_IDS: Flag = "smtpd_tls_always_issue_session_ids", "yes", ["smtpd"];
}
