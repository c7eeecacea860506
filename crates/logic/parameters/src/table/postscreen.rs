//! The doorkeeper in front of the SMTP server: quick tests that most spam senders fail.

use crate::declare::parameters;

parameters! {
    // Who is tested

    /// Clients that are let through or turned away untested, by address only: `permit_mynetworks`, `cidr:`
    /// tables with `permit`, `reject` or `dunno`. The first that fits counts.
    POSTSCREEN_ACCESS_LIST: Text = "postscreen_access_list", "permit_mynetworks", ["postscreen"];
    /// What happens to clients that the access list rejects: `ignore` (only log), `enforce` (refuse the mail,
    /// log sender and recipient), `drop` (521 at once).
    POSTSCREEN_DENYLIST_ACTION: Text = "postscreen_denylist_action", "${postscreen_blacklist_action?{$postscreen_blacklist_action}:{ignore}}", ["postscreen"];
    /// Our own addresses at which a client may pass the tests. Clients that try a backup address first never
    /// pass there.
    POSTSCREEN_ALLOWLIST_INTERFACES: Text = "postscreen_allowlist_interfaces", "${postscreen_whitelist_interfaces?{$postscreen_whitelist_interfaces}:{static:all}}", ["postscreen"];
    /// Table of the clients that have passed, not shared with another postscreen unless by `proxy:`.
    POSTSCREEN_CACHE_MAP: Text = "postscreen_cache_map", "btree:$data_directory/postscreen_cache", ["postscreen"];
    /// How long the results of a client are kept after they have ceased to count.
    POSTSCREEN_CACHE_RETENTION_TIME: Time = "postscreen_cache_retention_time", "7d", ["postscreen"];
    /// How often old results are removed; 0 means never.
    POSTSCREEN_CACHE_CLEANUP_INTERVAL: Time = "postscreen_cache_cleanup_interval", "12h", ["postscreen"];

    // Before the greeting

    /// How long the client is watched, and block lists are asked, before the greeting is complete. Shorter
    /// under stress.
    POSTSCREEN_GREET_WAIT: Time = "postscreen_greet_wait", "${stress?{2}:{6}}s", ["postscreen"];
    /// First half of the greeting, sent as `220-text` for clients to fall for. Empty sends none.
    POSTSCREEN_GREET_BANNER: Text = "postscreen_greet_banner", "$smtpd_banner", ["postscreen"];
    /// What happens to clients that talk before they are greeted: `ignore`, `enforce` or `drop`; see
    /// `postscreen_denylist_action`.
    POSTSCREEN_GREET_ACTION: Text = "postscreen_greet_action", "ignore", ["postscreen"];
    /// How long a client that waited for the greeting is not tested again.
    POSTSCREEN_GREET_TTL: Time = "postscreen_greet_ttl", "1d", ["postscreen"];

    // Block lists

    /// Lists to ask, each with the answers that count and a weight: `list.example=127.0.0.[2..9]*3`. A
    /// negative weight is for lists of good hosts.
    POSTSCREEN_DNSBL_SITES: Text = "postscreen_dnsbl_sites", "", ["postscreen"];
    /// Sum of weights from which a client is listed.
    POSTSCREEN_DNSBL_THRESHOLD: Number = "postscreen_dnsbl_threshold", "1", ["postscreen"];
    /// Sum of weights, negative, down to which a client passes all other tests; 0 turns this off.
    POSTSCREEN_DNSBL_ALLOWLIST_THRESHOLD: Number = "postscreen_dnsbl_allowlist_threshold", "${postscreen_dnsbl_whitelist_threshold?{$postscreen_dnsbl_whitelist_threshold}:{0}}", ["postscreen"];
    /// What happens to listed clients: `ignore`, `enforce` or `drop`.
    POSTSCREEN_DNSBL_ACTION: Text = "postscreen_dnsbl_action", "ignore", ["postscreen"];
    /// Table that gives a name to show in replies, by the name of a list that contains a password.
    POSTSCREEN_DNSBL_REPLY_MAP: Text = "postscreen_dnsbl_reply_map", "", ["postscreen"];
    /// Shortest time for which the result of the lists counts, whatever DNS says.
    POSTSCREEN_DNSBL_MIN_TTL: Time = "postscreen_dnsbl_min_ttl", "60s", ["postscreen"];
    /// Longest time for which the result of the lists counts.
    POSTSCREEN_DNSBL_MAX_TTL: Time = "postscreen_dnsbl_max_ttl", "${postscreen_dnsbl_ttl?{$postscreen_dnsbl_ttl}:{1}}h", ["postscreen"];
    /// How long the lists may take to answer.
    POSTSCREEN_DNSBL_TIMEOUT: Time = "postscreen_dnsbl_timeout", "10s", ["postscreen"];
    /// Service in master.cf that asks block lists.
    DNSBLOG_SERVICE_NAME: Text = "dnsblog_service_name", "dnsblog", ["postscreen"];
    /// Delays the answers of block lists, for tests.
    DNSBLOG_REPLY_DELAY: Time = "dnsblog_reply_delay", "0s", ["postscreen"];

    // After the greeting: who fails or passes these must come again

    /// Tests whether a client sends several commands at once though it was not told that it may.
    POSTSCREEN_PIPELINING_ENABLE: Flag = "postscreen_pipelining_enable", "no", ["postscreen"];
    /// What happens to clients that fail: `ignore`, `enforce` or `drop`.
    POSTSCREEN_PIPELINING_ACTION: Text = "postscreen_pipelining_action", "enforce", ["postscreen"];
    /// How long a client that passed is not tested again.
    POSTSCREEN_PIPELINING_TTL: Time = "postscreen_pipelining_ttl", "30d", ["postscreen"];
    /// Tests whether a client sends what is no SMTP: commands of `postscreen_forbidden_commands`, or header
    /// lines.
    POSTSCREEN_NON_SMTP_COMMAND_ENABLE: Flag = "postscreen_non_smtp_command_enable", "no", ["postscreen"];
    /// What happens to clients that fail: `ignore`, `enforce` or `drop`.
    POSTSCREEN_NON_SMTP_COMMAND_ACTION: Text = "postscreen_non_smtp_command_action", "drop", ["postscreen"];
    /// How long a client that passed is not tested again.
    POSTSCREEN_NON_SMTP_COMMAND_TTL: Time = "postscreen_non_smtp_command_ttl", "30d", ["postscreen"];
    /// Tests whether a client ends lines with LF alone.
    POSTSCREEN_BARE_NEWLINE_ENABLE: Flag = "postscreen_bare_newline_enable", "no", ["postscreen"];
    /// What happens to clients that fail: `ignore`, `enforce` or `drop`.
    POSTSCREEN_BARE_NEWLINE_ACTION: Text = "postscreen_bare_newline_action", "ignore", ["postscreen"];
    /// How long a client that passed is not tested again.
    POSTSCREEN_BARE_NEWLINE_TTL: Time = "postscreen_bare_newline_ttl", "30d", ["postscreen"];

    // The small SMTP server of these tests

    /// How long a client may take for a command. Shorter under stress.
    POSTSCREEN_COMMAND_TIME_LIMIT: Time = "postscreen_command_time_limit", "${stress?{10}:{300}}s", ["postscreen"];
    /// Commands of one session before it is ended.
    POSTSCREEN_COMMAND_COUNT_LIMIT: Number = "postscreen_command_count_limit", "20", ["postscreen"];
    /// As `smtpd_command_filter`, here.
    POSTSCREEN_COMMAND_FILTER: Text = "postscreen_command_filter", "", ["postscreen"];
    /// As `disable_vrfy_command`, here.
    POSTSCREEN_DISABLE_VRFY_COMMAND: Flag = "postscreen_disable_vrfy_command", "$disable_vrfy_command", ["postscreen"];
    /// As `smtpd_helo_required`, here.
    POSTSCREEN_HELO_REQUIRED: Flag = "postscreen_helo_required", "$smtpd_helo_required", ["postscreen"];
    /// As `smtpd_forbidden_commands`, here.
    POSTSCREEN_FORBIDDEN_COMMANDS: Text = "postscreen_forbidden_commands", "$smtpd_forbidden_commands", ["postscreen"];
    /// As `smtpd_discard_ehlo_keywords`, here.
    POSTSCREEN_DISCARD_EHLO_KEYWORDS: Text = "postscreen_discard_ehlo_keywords", "$smtpd_discard_ehlo_keywords", ["postscreen"];
    /// As `smtpd_discard_ehlo_keyword_address_maps`, here.
    POSTSCREEN_DISCARD_EHLO_KEYWORD_ADDRESS_MAPS: Text = "postscreen_discard_ehlo_keyword_address_maps", "$smtpd_discard_ehlo_keyword_address_maps", ["postscreen"];
    /// As `smtpd_expansion_filter`, for `postscreen_reject_footer`.
    POSTSCREEN_EXPANSION_FILTER: Raw = "postscreen_expansion_filter", "$smtpd_expansion_filter", ["postscreen"];
    /// As `smtpd_reject_footer`, here.
    POSTSCREEN_REJECT_FOOTER: Raw = "postscreen_reject_footer", "$smtpd_reject_footer", ["postscreen"];
    /// As `smtpd_reject_footer_maps`, here.
    POSTSCREEN_REJECT_FOOTER_MAPS: Text = "postscreen_reject_footer_maps", "$smtpd_reject_footer_maps", ["postscreen"];
    /// As `smtpd_tls_security_level`, here.
    POSTSCREEN_TLS_SECURITY_LEVEL: Text = "postscreen_tls_security_level", "$smtpd_tls_security_level", ["postscreen"];
    /// Old form of `postscreen_tls_security_level = may`.
    POSTSCREEN_USE_TLS: Flag = "postscreen_use_tls", "$smtpd_use_tls", ["postscreen"];
    /// Old form of `postscreen_tls_security_level = encrypt`.
    POSTSCREEN_ENFORCE_TLS: Flag = "postscreen_enforce_tls", "$smtpd_enforce_tls", ["postscreen"];

    // Limits

    /// Most simultaneous connections of one client.
    POSTSCREEN_CLIENT_CONNECTION_COUNT_LIMIT: Number = "postscreen_client_connection_count_limit", "$smtpd_client_connection_count_limit", ["postscreen"];
    /// Most clients that may wait for the result of the tests.
    POSTSCREEN_PRE_QUEUE_LIMIT: Number = "postscreen_pre_queue_limit", "$default_process_limit", ["postscreen"];
    /// Most clients that may wait for an SMTP server process.
    POSTSCREEN_POST_QUEUE_LIMIT: Number = "postscreen_post_queue_limit", "$default_process_limit", ["postscreen"];
    /// How long postscreen may be stuck before it is ended.
    POSTSCREEN_WATCHDOG_TIMEOUT: Time = "postscreen_watchdog_timeout", "10s", ["postscreen"];
    /// As `smtpd_upstream_proxy_protocol`, here.
    POSTSCREEN_UPSTREAM_PROXY_PROTOCOL: Text = "postscreen_upstream_proxy_protocol", "", ["postscreen"];
    /// As `smtpd_upstream_proxy_timeout`, here.
    POSTSCREEN_UPSTREAM_PROXY_TIMEOUT: Time = "postscreen_upstream_proxy_timeout", "5s", ["postscreen"];
}
