//! The SMTP client: connecting, the dialogue, connection reuse, logging in, TLS.

use crate::declare::parameters;

parameters! {
    // Finding the host

    /// Port, by number or name, of destinations that name none.
    SMTP_TCP_PORT: Text = "smtp_tcp_port", "smtp", ["smtp"];
    /// Where addresses of hosts come from: `dns`, `native` (the system's means, /etc/hosts among them), or
    /// both in that order.
    SMTP_HOST_LOOKUP: Text = "smtp_host_lookup", "dns", ["smtp"];
    /// `disabled`: no DNS, no MX; `enabled`; `dnssec`: answers that validate are trusted more, as DANE needs.
    /// Empty leaves it to `disable_dns_lookups`.
    SMTP_DNS_SUPPORT_LEVEL: Text = "smtp_dns_support_level", "", ["smtp"];
    /// `res_defnames` and `res_dnsrch` complete short names from the search list of the system.
    SMTP_DNS_RESOLVER_OPTIONS: Text = "smtp_dns_resolver_options", "", ["smtp"];
    /// Table asked for each record of a DNS answer, written as `name ttl class type preference value`;
    /// `IGNORE` drops it.
    SMTP_DNS_REPLY_FILTER: Text = "smtp_dns_reply_filter", "", ["smtp"];
    /// Defers mail when none of a domain's MX hosts has an address, instead of returning it.
    SMTP_DEFER_IF_NO_MX_ADDRESS_FOUND: Flag = "smtp_defer_if_no_mx_address_found", "no", ["smtp"];
    /// Tries the address of the domain itself when the MX lookup fails for the moment. May send mail to the
    /// wrong host.
    IGNORE_MX_LOOKUP_ERROR: Flag = "ignore_mx_lookup_error", "no", ["smtp", "lmtp"];
    /// Most addresses of MX hosts that one delivery tries to connect to; 0 means no limit.
    SMTP_MX_ADDRESS_LIMIT: Number = "smtp_mx_address_limit", "5", ["smtp"];
    /// Most sessions, past the greeting and TLS, that one delivery tries before it is deferred; 0 means no
    /// limit.
    SMTP_MX_SESSION_LIMIT: Number = "smtp_mx_session_limit", "2", ["smtp"];
    /// Which address of equal preference is tried first: `ipv6`, `ipv4` or `any` (by chance). A fixed choice
    /// can leave mail waiting while that network is down.
    SMTP_ADDRESS_PREFERENCE: Text = "smtp_address_preference", "any", ["smtp"];
    /// Sees to it that within `smtp_mx_address_limit` both IPv4 and IPv6 are tried, where a destination has
    /// both.
    SMTP_BALANCE_INET_PROTOCOLS: Flag = "smtp_balance_inet_protocols", "yes", ["smtp"];
    /// Shuffles hosts of equal preference.
    SMTP_RANDOMIZE_ADDRESSES: Flag = "smtp_randomize_addresses", "yes", ["smtp"];
    /// IPv4 address that connections come from.
    SMTP_BIND_ADDRESS: Text = "smtp_bind_address", "", ["smtp"];
    /// IPv6 address that connections come from.
    SMTP_BIND_ADDRESS6: Text = "smtp_bind_address6", "", ["smtp"];
    /// Defers when that address cannot be used, instead of a warning and going on with another.
    SMTP_BIND_ADDRESS_ENFORCE: Flag = "smtp_bind_address_enforce", "no", ["smtp"];
    /// Hosts that get the mail for destinations that cannot be found or reached, tried in this order.
    SMTP_FALLBACK_RELAY: Text = "smtp_fallback_relay", "$fallback_relay", ["smtp"];
    /// Goes on to the next host when one greets with 5xx; `no` returns the mail at once.
    SMTP_SKIP_5XX_GREETING: Flag = "smtp_skip_5xx_greeting", "yes", ["smtp"];
    /// Uses the name a CNAME leads to for logins and TLS policies, not the name that was asked. `no` is
    /// safer, as DNS may lie.
    SMTP_CNAME_OVERRIDES_SERVERNAME: Flag = "smtp_cname_overrides_servername", "no", ["smtp"];

    // Time

    /// Limit for connecting; 0 leaves it to the system.
    SMTP_CONNECT_TIMEOUT: Time = "smtp_connect_timeout", "30s", ["smtp"];
    /// Limit for the greeting, and for HELO or EHLO with its reply.
    SMTP_HELO_TIMEOUT: Time = "smtp_helo_timeout", "300s", ["smtp"];
    /// Limit for XFORWARD and its reply.
    SMTP_XFORWARD_TIMEOUT: Time = "smtp_xforward_timeout", "300s", ["smtp"];
    /// Limit for MAIL and its reply.
    SMTP_MAIL_TIMEOUT: Time = "smtp_mail_timeout", "300s", ["smtp"];
    /// Limit for RCPT and its reply.
    SMTP_RCPT_TIMEOUT: Time = "smtp_rcpt_timeout", "300s", ["smtp"];
    /// Limit for DATA and its reply.
    SMTP_DATA_INIT_TIMEOUT: Time = "smtp_data_init_timeout", "120s", ["smtp"];
    /// Limit for each write of the message; it counts anew when the server takes some.
    SMTP_DATA_XFER_TIMEOUT: Time = "smtp_data_xfer_timeout", "180s", ["smtp"];
    /// Limit for the final dot and its reply. Mail that was accepted may be sent twice when this is too
    /// short.
    SMTP_DATA_DONE_TIMEOUT: Time = "smtp_data_done_timeout", "600s", ["smtp"];
    /// Limit for RSET and its reply, as used after probes and to see whether a kept connection is alive.
    SMTP_RSET_TIMEOUT: Time = "smtp_rset_timeout", "20s", ["smtp"];
    /// Limit for QUIT and its reply.
    SMTP_QUIT_TIMEOUT: Time = "smtp_quit_timeout", "300s", ["smtp"];
    /// Makes these limits hold for a whole request or reply, not for each read and write.
    SMTP_PER_REQUEST_DEADLINE: Flag = "smtp_per_request_deadline", "${smtp_per_record_deadline?{$smtp_per_record_deadline}:{no}}", ["smtp"];
    /// Bytes a second that a server must take under `smtp_per_request_deadline`: every N bytes extend the
    /// deadline by N divided by this many seconds.
    SMTP_MIN_DATA_RATE: Number = "smtp_min_data_rate", "500", ["smtp"];

    // The dialogue

    /// Name in HELO and EHLO.
    SMTP_HELO_NAME: Text = "smtp_helo_name", "$myhostname", ["smtp"];
    /// Says EHLO whatever the greeting looks like. `no` does so only when it says ESMTP.
    SMTP_ALWAYS_SEND_EHLO: Flag = "smtp_always_send_ehlo", "yes", ["smtp"];
    /// Says HELO always, so there are no extensions.
    SMTP_NEVER_SEND_EHLO: Flag = "smtp_never_send_ehlo", "no", ["smtp"];
    /// EHLO keywords of the server that are overlooked; see `smtpd_discard_ehlo_keywords`.
    SMTP_DISCARD_EHLO_KEYWORDS: Text = "smtp_discard_ehlo_keywords", "", ["smtp"];
    /// Tables that give, by the server's address, a list like `smtp_discard_ehlo_keywords`, in its place.
    SMTP_DISCARD_EHLO_KEYWORD_ADDRESS_MAPS: Text = "smtp_discard_ehlo_keyword_address_maps", "", ["smtp"];
    /// Longest line that is sent; longer ones are broken by a line end and a blank. 0 means no limit, which
    /// many servers do not accept.
    SMTP_LINE_LENGTH_LIMIT: Number = "smtp_line_length_limit", "998", ["smtp"];
    /// Quotes addresses in MAIL and RCPT where the RFC asks for it.
    SMTP_QUOTE_RFC821_ENVELOPE: Flag = "smtp_quote_rfc821_envelope", "yes", ["smtp"];
    /// Tells a server that offers XFORWARD whom the message came from; for filters of our own.
    SMTP_SEND_XFORWARD_COMMAND: Flag = "smtp_send_xforward_command", "no", ["smtp"];
    /// Closes after QUIT without waiting for the reply.
    SMTP_SKIP_QUIT_RESPONSE: Flag = "smtp_skip_quit_response", "yes", ["smtp"];
    /// How far an address probe goes: `rcpt`, or `data` for servers that refuse unknown recipients only then.
    SMTP_ADDRESS_VERIFY_TARGET: Text = "smtp_address_verify_target", "rcpt", ["smtp"];
    /// Table that rewrites each line of a server's reply before it is understood; the last resort for servers
    /// that cannot be repaired.
    SMTP_REPLY_FILTER: Text = "smtp_reply_filter", "", ["smtp"];
    /// As `default_delivery_status_filter`, for this client.
    SMTP_DELIVERY_STATUS_FILTER: Text = "smtp_delivery_status_filter", "$default_delivery_status_filter", ["smtp"];
    /// Remedies for an old firewall that garbles SMTP: `disable_esmtp`, `delay_dotcrlf`. It is known by its
    /// greeting of stars.
    SMTP_PIX_WORKAROUNDS: Text = "smtp_pix_workarounds", "disable_esmtp,delay_dotcrlf", ["smtp"];
    /// Tables that give, by the server's address, a list to use in place of `smtp_pix_workarounds`.
    SMTP_PIX_WORKAROUND_MAPS: Text = "smtp_pix_workaround_maps", "", ["smtp"];
    /// How old a message must be before those remedies are tried.
    SMTP_PIX_WORKAROUND_THRESHOLD_TIME: Time = "smtp_pix_workaround_threshold_time", "500s", ["smtp"];
    /// How long `delay_dotcrlf` waits before the final dot.
    SMTP_PIX_WORKAROUND_DELAY_TIME: Time = "smtp_pix_workaround_delay_time", "10s", ["smtp"];

    // The message

    /// Tables that replace addresses of this host by ones that the world can answer, in envelope and headers,
    /// as mail leaves.
    SMTP_GENERIC_MAPS: Text = "smtp_generic_maps", "", ["smtp"];
    /// As `header_checks`, while mail is sent: only actions that change headers, warn or ignore.
    SMTP_HEADER_CHECKS: Text = "smtp_header_checks", "", ["smtp"];
    /// As `mime_header_checks`, while mail is sent.
    SMTP_MIME_HEADER_CHECKS: Text = "smtp_mime_header_checks", "", ["smtp"];
    /// As `nested_header_checks`, while mail is sent.
    SMTP_NESTED_HEADER_CHECKS: Text = "smtp_nested_header_checks", "", ["smtp"];
    /// As `body_checks`, while mail is sent.
    SMTP_BODY_CHECKS: Text = "smtp_body_checks", "", ["smtp"];

    // Keeping connections

    /// Keeps connections open for reuse while much mail waits for a destination.
    SMTP_CONNECTION_CACHE_ON_DEMAND: Flag = "smtp_connection_cache_on_demand", "yes", ["smtp"];
    /// Destinations whose connections are always kept open for reuse.
    SMTP_CONNECTION_CACHE_DESTINATIONS: Text = "smtp_connection_cache_destinations", "", ["smtp"];
    /// How long an unused connection is kept. Longer is impolite unless you have agreed on it.
    SMTP_CONNECTION_CACHE_TIME_LIMIT: Time = "smtp_connection_cache_time_limit", "2s", ["smtp"];
    /// Age at which a connection is not used again.
    SMTP_CONNECTION_REUSE_TIME_LIMIT: Time = "smtp_connection_reuse_time_limit", "300s", ["smtp"];
    /// How often a connection is used again; 0 means no limit. The time limit is the better one: a count
    /// favours the slowest host.
    SMTP_CONNECTION_REUSE_COUNT_LIMIT: Number = "smtp_connection_reuse_count_limit", "0", ["smtp"];
    /// Longest time that any connection is kept for reuse, whatever a client of the cache asks for.
    CONNECTION_CACHE_TTL_LIMIT: Time = "connection_cache_ttl_limit", "2s", ["scache"];
    /// How often hits and misses of the connection cache are logged.
    CONNECTION_CACHE_STATUS_UPDATE_TIME: Time = "connection_cache_status_update_time", "600s", ["scache"];
    /// Limit for asking the connection cache.
    CONNECTION_CACHE_PROTOCOL_TIMEOUT: Time = "connection_cache_protocol_timeout", "5s", ["smtp", "lmtp"];
    /// Service in master.cf that keeps connections.
    CONNECTION_CACHE_SERVICE_NAME: Text = "connection_cache_service_name", "scache", ["smtp", "lmtp"];

    // Logging in

    /// Logs in where `smtp_sasl_password_maps` has a password.
    SMTP_SASL_AUTH_ENABLE: Flag = "smtp_sasl_auth_enable", "no", ["smtp"];
    /// Tables that give `user:password` by next hop as it is configured (`[mail.isp.example]:587`), host
    /// name, or sender. Keep the file readable by root alone.
    SMTP_SASL_PASSWORD_MAPS: Text = "smtp_sasl_password_maps", "", ["smtp"];
    /// Looks passwords up by sender first; connections are not reused then.
    SMTP_SENDER_DEPENDENT_AUTHENTICATION: Flag = "smtp_sender_dependent_authentication", "no", ["smtp"];
    /// Implementation of the client's side of login.
    SMTP_SASL_TYPE: Text = "smtp_sasl_type", "cyrus", ["smtp"];
    /// What the implementation in `smtp_sasl_type` needs to know. `postconf -A` lists them.
    SMTP_SASL_PATH: Text = "smtp_sasl_path", "", ["smtp"];
    /// Kinds of mechanisms that are not used without TLS. The default lets no password pass in the clear.
    SMTP_SASL_SECURITY_OPTIONS: Text = "smtp_sasl_security_options", "noplaintext, noanonymous", ["smtp"];
    /// As `smtp_sasl_security_options`, for sessions with TLS.
    SMTP_SASL_TLS_SECURITY_OPTIONS: Text = "smtp_sasl_tls_security_options", "$smtp_sasl_security_options", ["smtp"];
    /// As `smtp_sasl_security_options`, for sessions with TLS whose server has proved its name.
    SMTP_SASL_TLS_VERIFIED_SECURITY_OPTIONS: Text = "smtp_sasl_tls_verified_security_options", "$smtp_sasl_tls_security_options", ["smtp"];
    /// Mechanisms of the server that may be used: names, `!name` to leave one out, tables.
    SMTP_SASL_MECHANISM_FILTER: Text = "smtp_sasl_mechanism_filter", "", ["smtp"];
    /// Table that remembers which logins were refused with 535, so that they are not tried again and again;
    /// by way of `proxy:`.
    SMTP_SASL_AUTH_CACHE_NAME: Text = "smtp_sasl_auth_cache_name", "", ["smtp"];
    /// How long a refused login is remembered.
    SMTP_SASL_AUTH_CACHE_TIME: Time = "smtp_sasl_auth_cache_time", "90d", ["smtp"];
    /// Defers mail after a refused login; `no` returns it.
    SMTP_SASL_AUTH_SOFT_BOUNCE: Flag = "smtp_sasl_auth_soft_bounce", "yes", ["smtp"];
    /// Adds `AUTH=<>` to MAIL after a login.
    SMTP_SEND_DUMMY_MAIL_AUTH: Flag = "smtp_send_dummy_mail_auth", "no", ["smtp"];

    // TLS: whether, and whom to believe

    /// `none`, `may` (if offered), `encrypt`, `dane`, `dane-only`, `fingerprint`, `verify`, `secure`. Empty
    /// leaves it to the old `smtp_use_tls` and `smtp_enforce_tls`.
    SMTP_TLS_SECURITY_LEVEL: Text = "smtp_tls_security_level", "", ["smtp"];
    /// Tables that give, by next hop as it is configured or by domain, a level and its options, in place of
    /// `smtp_tls_security_level`.
    SMTP_TLS_POLICY_MAPS: Text = "smtp_tls_policy_maps", "", ["smtp"];
    /// Starts TLS at once, for servers on port 465. Needs a level of `encrypt` or more.
    SMTP_TLS_WRAPPERMODE: Flag = "smtp_tls_wrappermode", "no", ["smtp"];
    /// Old form of `smtp_tls_policy_maps`. Works by host name from DNS, hence not safe.
    SMTP_TLS_PER_SITE: Text = "smtp_tls_per_site", "", ["smtp"];
    /// Old form of `smtp_tls_security_level = may`.
    SMTP_USE_TLS: Flag = "smtp_use_tls", "no", ["smtp"];
    /// Old form of `smtp_tls_security_level = encrypt`, or `verify` with `smtp_tls_enforce_peername`.
    SMTP_ENFORCE_TLS: Flag = "smtp_enforce_tls", "no", ["smtp"];
    /// Wants the server's certificate to bear its name, for the old way with `smtp_enforce_tls`.
    SMTP_TLS_ENFORCE_PEERNAME: Flag = "smtp_tls_enforce_peername", "yes", ["smtp"];
    /// What the name in a certificate must be at level `verify`: `hostname`, `nexthop`, `dot-nexthop` or
    /// names.
    SMTP_TLS_VERIFY_CERT_MATCH: Text = "smtp_tls_verify_cert_match", "hostname", ["smtp"];
    /// As `smtp_tls_verify_cert_match`, at level `secure`: nothing that comes from DNS.
    SMTP_TLS_SECURE_CERT_MATCH: Text = "smtp_tls_secure_cert_match", "nexthop, dot-nexthop", ["smtp"];
    /// Fingerprints of certificates or keys that are accepted at level `fingerprint`.
    SMTP_TLS_FINGERPRINT_CERT_MATCH: Text = "smtp_tls_fingerprint_cert_match", "", ["smtp"];
    /// Digest of those fingerprints. Changing it makes all stored fingerprints useless.
    SMTP_TLS_FINGERPRINT_DIGEST: Text = "smtp_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", ["smtp"];
    /// Longest chain of authorities between a server's certificate and a trusted root.
    SMTP_TLS_SCERT_VERIFYDEPTH: Number = "smtp_tls_scert_verifydepth", "9", ["smtp"];
    /// PEM file of the authorities that may sign server certificates; read before the root directory changes.
    SMTP_TLS_CAFILE: Text = "smtp_tls_CAfile", "", ["smtp"];
    /// Folder of such authorities, one a file, named by hash. It must be reachable in the chroot.
    SMTP_TLS_CAPATH: Text = "smtp_tls_CApath", "", ["smtp"];
    /// PEM files of certificates or keys that alone count as roots, in place of the authorities.
    SMTP_TLS_TRUST_ANCHOR_FILE: Text = "smtp_tls_trust_anchor_file", "", ["smtp"];
    /// Name sent to the server in the handshake (SNI): `hostname`, `nexthop` or a name. Empty sends none;
    /// DANE always does.
    SMTP_TLS_SERVERNAME: Text = "smtp_tls_servername", "", ["smtp"];
    /// Level for a host with proper TLSA records whose MX record is not signed: `may`, `encrypt` or `dane`.
    SMTP_TLS_DANE_INSECURE_MX_POLICY: Text = "smtp_tls_dane_insecure_mx_policy", "${{$smtp_tls_security_level} == {dane} ? {dane} : {may}}", ["smtp"];
    /// Asks for TLSA records even below an unsigned host.
    SMTP_TLS_FORCE_INSECURE_HOST_TLSA_LOOKUP: Flag = "smtp_tls_force_insecure_host_tlsa_lookup", "no", ["smtp"];
    /// Defers when a server answers MAIL before it was asked, which a hole in old TLS (CVE-2009-3555) can
    /// bring about.
    SMTP_TLS_BLOCK_EARLY_MAIL_REPLY: Flag = "smtp_tls_block_early_mail_reply", "no", ["smtp"];
    /// Logs servers that offer STARTTLS where we do not use it.
    SMTP_TLS_NOTE_STARTTLS_OFFER: Flag = "smtp_tls_note_starttls_offer", "no", ["smtp"];

    // TLS: certificates, protocols, ciphers, sessions

    /// PEM files with private key first, then certificate and intermediates. Used instead of the separate
    /// files.
    SMTP_TLS_CHAIN_FILES: Text = "smtp_tls_chain_files", "", ["smtp"];
    /// PEM file with our RSA certificate. Clients seldom need one.
    SMTP_TLS_CERT_FILE: Text = "smtp_tls_cert_file", "", ["smtp"];
    /// PEM file with the private key of `smtp_tls_cert_file`.
    SMTP_TLS_KEY_FILE: Text = "smtp_tls_key_file", "$smtp_tls_cert_file", ["smtp"];
    /// PEM file with our ECDSA certificate.
    SMTP_TLS_ECCERT_FILE: Text = "smtp_tls_eccert_file", "", ["smtp"];
    /// PEM file with the private key of `smtp_tls_eccert_file`.
    SMTP_TLS_ECKEY_FILE: Text = "smtp_tls_eckey_file", "$smtp_tls_eccert_file", ["smtp"];
    /// PEM file with a DSA certificate. DSA is dead: accepted, and without effect.
    SMTP_TLS_DCERT_FILE: Text = "smtp_tls_dcert_file", "", ["smtp"];
    /// Private key of `smtp_tls_dcert_file`: accepted, and without effect.
    SMTP_TLS_DKEY_FILE: Text = "smtp_tls_dkey_file", "$smtp_tls_dcert_file", ["smtp"];
    /// TLS versions for optional TLS; written as `smtpd_tls_protocols` is.
    SMTP_TLS_PROTOCOLS: Text = "smtp_tls_protocols", ">=TLSv1", ["smtp"];
    /// As `smtp_tls_protocols`, where TLS is required.
    SMTP_TLS_MANDATORY_PROTOCOLS: Text = "smtp_tls_mandatory_protocols", ">=TLSv1", ["smtp"];
    /// Weakest grade of ciphers for optional TLS; see `smtpd_tls_ciphers`.
    SMTP_TLS_CIPHERS: Text = "smtp_tls_ciphers", "medium", ["smtp"];
    /// As `smtp_tls_ciphers`, where TLS is required.
    SMTP_TLS_MANDATORY_CIPHERS: Text = "smtp_tls_mandatory_ciphers", "medium", ["smtp"];
    /// Ciphers, or properties of ciphers, that are never used.
    SMTP_TLS_EXCLUDE_CIPHERS: Text = "smtp_tls_exclude_ciphers", "", ["smtp"];
    /// Further ones that are not used where TLS is required.
    SMTP_TLS_MANDATORY_EXCLUDE_CIPHERS: Text = "smtp_tls_mandatory_exclude_ciphers", "", ["smtp"];
    /// Keeps TLS connections for reuse too.
    SMTP_TLS_CONNECTION_REUSE: Flag = "smtp_tls_connection_reuse", "no", ["smtp"];
    /// Table in which TLS sessions are kept, to be resumed with the same server.
    SMTP_TLS_SESSION_CACHE_DATABASE: Text = "smtp_tls_session_cache_database", "", ["smtp", "tlsmgr"];
    /// How long a TLS session is kept to be resumed.
    SMTP_TLS_SESSION_CACHE_TIMEOUT: Time = "smtp_tls_session_cache_timeout", "3600s", ["smtp", "tlsmgr"];
    /// Limit for each read or write of the TLS handshake.
    SMTP_STARTTLS_TIMEOUT: Time = "smtp_starttls_timeout", "300s", ["smtp"];
    /// 0 logs nothing of TLS, 1 one line for each handshake, 2 more of it, 3 and 4 bytes; above 1 is for
    /// debugging.
    SMTP_TLS_LOGLEVEL: Number = "smtp_tls_loglevel", "0", ["smtp"];
}
