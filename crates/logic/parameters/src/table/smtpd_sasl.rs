//! Authentication of clients of the SMTP server.

use crate::declare::parameters;

parameters! {
    /// Offers AUTH. Who is logged in gains nothing by that alone: `permit_sasl_authenticated` must stand in a
    /// list.
    SMTPD_SASL_AUTH_ENABLE: Flag = "smtpd_sasl_auth_enable", "no", ["smtpd"];
    /// Who checks passwords: `dovecot` speaks Dovecot's protocol on a socket. `postconf -a` lists what is
    /// built in.
    SMTPD_SASL_TYPE: Text = "smtpd_sasl_type", "cyrus", ["smtpd"];
    /// For `dovecot` the path of the socket, below the queue folder if relative, or `inet:host:port`. For
    /// `cyrus` the name of the application.
    SMTPD_SASL_PATH: Text = "smtpd_sasl_path", "smtpd", ["smtpd"];
    /// Kinds of mechanisms that are not offered without TLS: `noplaintext`, `noactive`, `nodictionary`,
    /// `noanonymous`, `forward_secrecy`, `mutual_auth`.
    SMTPD_SASL_SECURITY_OPTIONS: Text = "smtpd_sasl_security_options", "noanonymous", ["smtpd"];
    /// As `smtpd_sasl_security_options`, for sessions with TLS.
    SMTPD_SASL_TLS_SECURITY_OPTIONS: Text = "smtpd_sasl_tls_security_options", "$smtpd_sasl_security_options", ["smtpd"];
    /// Mechanisms that may be offered: names, `!name` to leave one out, tables.
    SMTPD_SASL_MECHANISM_FILTER: Text = "smtpd_sasl_mechanism_filter", "!external, static:rest", ["smtpd"];
    /// Realm that is added to a login without one. Empty adds none.
    SMTPD_SASL_LOCAL_DOMAIN: Text = "smtpd_sasl_local_domain", "", ["smtpd"];
    /// Service name that is passed on to the password server, `smtp` as a rule.
    SMTPD_SASL_SERVICE: Text = "smtpd_sasl_service", "smtp", ["smtpd"];
    /// Longest line in bytes that a client may answer to a challenge.
    SMTPD_SASL_RESPONSE_LIMIT: Number = "smtpd_sasl_response_limit", "12288", ["smtpd"];
    /// Clients, in the form of `mynetworks`, that are not offered AUTH, because they would trip over it.
    SMTPD_SASL_EXCEPTIONS_NETWORKS: Text = "smtpd_sasl_exceptions_networks", "", ["smtpd"];
    /// Writes the login name into the `Received:` header. Anyone who gets the message can read it.
    SMTPD_SASL_AUTHENTICATED_HEADER: Flag = "smtpd_sasl_authenticated_header", "no", ["smtpd"];
    /// Tables that give the logins which own a sender address; what `reject_sender_login_mismatch` and its
    /// kin ask.
    SMTPD_SENDER_LOGIN_MAPS: Text = "smtpd_sender_login_maps", "", ["smtpd"];
    /// Announces `AUTH=` besides `AUTH `, for clients of the last century.
    BROKEN_SASL_AUTH_CLIENTS: Flag = "broken_sasl_auth_clients", "no", ["smtpd"];
    /// Search path of Cyrus SASL's settings. There is no Cyrus SASL here: accepted, and without effect.
    CYRUS_SASL_CONFIG_PATH: Text = "cyrus_sasl_config_path", "", ["smtpd", "smtp"];
    /// Sends the login name as authorization name too, in mechanisms that have one.
    SEND_CYRUS_SASL_AUTHZID: Flag = "send_cyrus_sasl_authzid", "no", ["smtp", "lmtp"];
}
