//! TLS of all programs: ciphers, curves, trust, randomness.

use crate::declare::parameters;

parameters! {
    /// Tables that give, by the name a client asks for (SNI) or `.domain`, the PEM files with key and
    /// certificates to use. Build them with `postmap -F`, which puts the files into the table.
    TLS_SERVER_SNI_MAPS: Text = "tls_server_sni_maps", "", ["smtpd"];
    /// Trusts the authorities of the system besides those that are configured. Beware with restrictions that
    /// let in whoever has any certificate.
    TLS_APPEND_DEFAULT_CA: Flag = "tls_append_default_CA", "no", ["all"];
    /// Ciphers of grade `high`, in OpenSSL's language. Leave it alone.
    TLS_HIGH_CIPHERLIST: Text = "tls_high_cipherlist", "aNULL:-aNULL:HIGH:@STRENGTH", ["all"];
    /// Ciphers of grade `medium` and better. Leave it alone.
    TLS_MEDIUM_CIPHERLIST: Text = "tls_medium_cipherlist", "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH", ["all"];
    /// Ciphers of the historic grade `low`; such ciphers do not exist here.
    TLS_LOW_CIPHERLIST: Text = "tls_low_cipherlist", "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH", ["all"];
    /// Ciphers of the historic grade `export`; such ciphers do not exist here.
    TLS_EXPORT_CIPHERLIST: Text = "tls_export_cipherlist", "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH", ["all"];
    /// Ciphers that do not encrypt; such ciphers do not exist here.
    TLS_NULL_CIPHERLIST: Text = "tls_null_cipherlist", "eNULL:!aNULL", ["all"];
    /// Takes the server's order of ciphers instead of the client's.
    TLS_PREEMPT_CIPHERLIST: Flag = "tls_preempt_cipherlist", "no", ["smtpd"];
    /// Elliptic curves for the key exchange, best first.
    TLS_EECDH_AUTO_CURVES: Text = "tls_eecdh_auto_curves", "X25519 X448 prime256v1 secp521r1 secp384r1", ["all"];
    /// Curve of `smtpd_tls_eecdh_grade = strong`.
    TLS_EECDH_STRONG_CURVE: Text = "tls_eecdh_strong_curve", "prime256v1", ["all"];
    /// Curve of `smtpd_tls_eecdh_grade = ultra`.
    TLS_EECDH_ULTRA_CURVE: Text = "tls_eecdh_ultra_curve", "secp384r1", ["all"];
    /// Digests accepted in TLSA records, best first; `name=number` for one that we do not know the number of.
    TLS_DANE_DIGESTS: Text = "tls_dane_digests", "sha512 sha256", ["smtp", "lmtp"];
    /// Lets `*.example.com` in a certificate stand for `a.b.example.com` too.
    TLS_WILDCARD_MATCHES_MULTIPLE_LABELS: Flag = "tls_wildcard_matches_multiple_labels", "yes", ["smtp", "lmtp"];
    /// Computes fingerprints of public keys the wrong way of before 2.9.6.
    TLS_LEGACY_PUBLIC_KEY_FINGERPRINTS: Flag = "tls_legacy_public_key_fingerprints", "no", ["all"];
    /// Does not wait for the other side's farewell when a TLS session ends.
    TLS_FAST_SHUTDOWN_ENABLE: Flag = "tls_fast_shutdown_enable", "yes", ["all"];
    /// Cipher that protects session tickets; empty turns tickets off. Ours are protected by the TLS library's
    /// own.
    TLS_SESSION_TICKET_CIPHER: Text = "tls_session_ticket_cipher", "aes-256-cbc", ["smtpd", "tlsmgr"];
    /// Options of OpenSSL to switch on. We do not use OpenSSL: accepted, and without effect.
    TLS_SSL_OPTIONS: Text = "tls_ssl_options", "", ["all"];
    /// Remedies of OpenSSL to switch off. We do not use OpenSSL: accepted, and without effect.
    TLS_DISABLE_WORKAROUNDS: Text = "tls_disable_workarounds", "", ["all"];
    /// Settings file of OpenSSL. We do not use OpenSSL: accepted, and without effect.
    TLS_CONFIG_FILE: Text = "tls_config_file", "default", ["all"];
    /// Section of the settings file of OpenSSL: accepted, and without effect.
    TLS_CONFIG_NAME: Text = "tls_config_name", "", ["all"];
    /// The program `openssl`, as used by `postfix tls`.
    OPENSSL_PATH: Text = "openssl_path", "openssl", ["postfix"];
    /// Service in master.cf that keeps TLS sessions and ticket keys.
    TLSMGR_SERVICE_NAME: Text = "tlsmgr_service_name", "tlsmgr", ["all"];

    // Randomness

    /// Where fresh randomness comes from: `dev:` and a device, `egd:` and a socket, or a file. The system's
    /// generator is always used here.
    TLS_RANDOM_SOURCE: Text = "tls_random_source", "dev:/dev/urandom", ["tlsmgr"];
    /// Bytes that are taken from `tls_random_source` at a time. Accepted, and without effect.
    TLS_RANDOM_BYTES: Number = "tls_random_bytes", "32", ["tlsmgr"];
    /// Bytes that a program asks of tlsmgr to seed its generator. Accepted, and without effect.
    TLS_DAEMON_RANDOM_BYTES: Number = "tls_daemon_random_bytes", "32", ["all"];
    /// File that keeps the state of the generator over a restart. Accepted, and without effect.
    TLS_RANDOM_EXCHANGE_NAME: Text = "tls_random_exchange_name", "${data_directory}/prng_exch", ["tlsmgr"];
    /// How often that file is written. Accepted, and without effect.
    TLS_RANDOM_PRNG_UPDATE_PERIOD: Time = "tls_random_prng_update_period", "3600s", ["tlsmgr"];
    /// How often the generator is seeded anew. Accepted, and without effect.
    TLS_RANDOM_RESEED_PERIOD: Time = "tls_random_reseed_period", "3600s", ["tlsmgr"];
}
