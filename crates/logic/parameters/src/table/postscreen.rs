//! The first look at a client before the SMTP server.

use crate::declare::parameters;

parameters! {
    DNSBLOG_REPLY_DELAY: Time = "dnsblog_reply_delay", "0s", ["postscreen"];
    DNSBLOG_SERVICE_NAME: Text = "dnsblog_service_name", "dnsblog", ["postscreen"];
    POSTSCREEN_ACCESS_LIST: Text = "postscreen_access_list", "permit_mynetworks", ["postscreen"];
    POSTSCREEN_ALLOWLIST_INTERFACES: Text = "postscreen_allowlist_interfaces", "${postscreen_whitelist_interfaces?{$postscreen_whitelist_interfaces}:{static:all}}", ["postscreen"];
    POSTSCREEN_BARE_NEWLINE_ACTION: Text = "postscreen_bare_newline_action", "ignore", ["postscreen"];
    POSTSCREEN_BARE_NEWLINE_ENABLE: Flag = "postscreen_bare_newline_enable", "no", ["postscreen"];
    POSTSCREEN_BARE_NEWLINE_TTL: Time = "postscreen_bare_newline_ttl", "30d", ["postscreen"];
    POSTSCREEN_CACHE_CLEANUP_INTERVAL: Time = "postscreen_cache_cleanup_interval", "12h", ["postscreen"];
    POSTSCREEN_CACHE_MAP: Text = "postscreen_cache_map", "btree:$data_directory/postscreen_cache", ["postscreen"];
    POSTSCREEN_CACHE_RETENTION_TIME: Time = "postscreen_cache_retention_time", "7d", ["postscreen"];
    POSTSCREEN_CLIENT_CONNECTION_COUNT_LIMIT: Number = "postscreen_client_connection_count_limit", "$smtpd_client_connection_count_limit", ["postscreen"];
    POSTSCREEN_COMMAND_COUNT_LIMIT: Number = "postscreen_command_count_limit", "20", ["postscreen"];
    POSTSCREEN_COMMAND_FILTER: Text = "postscreen_command_filter", "", ["postscreen"];
    POSTSCREEN_COMMAND_TIME_LIMIT: Time = "postscreen_command_time_limit", "${stress?{10}:{300}}s", ["postscreen"];
    POSTSCREEN_DENYLIST_ACTION: Text = "postscreen_denylist_action", "${postscreen_blacklist_action?{$postscreen_blacklist_action}:{ignore}}", ["postscreen"];
    POSTSCREEN_DISABLE_VRFY_COMMAND: Flag = "postscreen_disable_vrfy_command", "$disable_vrfy_command", ["postscreen"];
    POSTSCREEN_DISCARD_EHLO_KEYWORD_ADDRESS_MAPS: Text = "postscreen_discard_ehlo_keyword_address_maps", "$smtpd_discard_ehlo_keyword_address_maps", ["postscreen"];
    POSTSCREEN_DISCARD_EHLO_KEYWORDS: Text = "postscreen_discard_ehlo_keywords", "$smtpd_discard_ehlo_keywords", ["postscreen"];
    POSTSCREEN_DNSBL_ACTION: Text = "postscreen_dnsbl_action", "ignore", ["postscreen"];
    POSTSCREEN_DNSBL_ALLOWLIST_THRESHOLD: Number = "postscreen_dnsbl_allowlist_threshold", "${postscreen_dnsbl_whitelist_threshold?{$postscreen_dnsbl_whitelist_threshold}:{0}}", ["postscreen"];
    POSTSCREEN_DNSBL_MAX_TTL: Time = "postscreen_dnsbl_max_ttl", "${postscreen_dnsbl_ttl?{$postscreen_dnsbl_ttl}:{1}}h", ["postscreen"];
    POSTSCREEN_DNSBL_MIN_TTL: Time = "postscreen_dnsbl_min_ttl", "60s", ["postscreen"];
    POSTSCREEN_DNSBL_REPLY_MAP: Text = "postscreen_dnsbl_reply_map", "", ["postscreen"];
    POSTSCREEN_DNSBL_SITES: Text = "postscreen_dnsbl_sites", "", ["postscreen"];
    POSTSCREEN_DNSBL_THRESHOLD: Number = "postscreen_dnsbl_threshold", "1", ["postscreen"];
    POSTSCREEN_DNSBL_TIMEOUT: Time = "postscreen_dnsbl_timeout", "10s", ["postscreen"];
    POSTSCREEN_ENFORCE_TLS: Flag = "postscreen_enforce_tls", "$smtpd_enforce_tls", ["postscreen"];
    POSTSCREEN_EXPANSION_FILTER: Raw = "postscreen_expansion_filter", "$smtpd_expansion_filter", ["postscreen"];
    POSTSCREEN_FORBIDDEN_COMMANDS: Text = "postscreen_forbidden_commands", "$smtpd_forbidden_commands", ["postscreen"];
    POSTSCREEN_GREET_ACTION: Text = "postscreen_greet_action", "ignore", ["postscreen"];
    POSTSCREEN_GREET_BANNER: Text = "postscreen_greet_banner", "$smtpd_banner", ["postscreen"];
    POSTSCREEN_GREET_TTL: Time = "postscreen_greet_ttl", "1d", ["postscreen"];
    POSTSCREEN_GREET_WAIT: Time = "postscreen_greet_wait", "${stress?{2}:{6}}s", ["postscreen"];
    POSTSCREEN_HELO_REQUIRED: Flag = "postscreen_helo_required", "$smtpd_helo_required", ["postscreen"];
    POSTSCREEN_NON_SMTP_COMMAND_ACTION: Text = "postscreen_non_smtp_command_action", "drop", ["postscreen"];
    POSTSCREEN_NON_SMTP_COMMAND_ENABLE: Flag = "postscreen_non_smtp_command_enable", "no", ["postscreen"];
    POSTSCREEN_NON_SMTP_COMMAND_TTL: Time = "postscreen_non_smtp_command_ttl", "30d", ["postscreen"];
    POSTSCREEN_PIPELINING_ACTION: Text = "postscreen_pipelining_action", "enforce", ["postscreen"];
    POSTSCREEN_PIPELINING_ENABLE: Flag = "postscreen_pipelining_enable", "no", ["postscreen"];
    POSTSCREEN_PIPELINING_TTL: Time = "postscreen_pipelining_ttl", "30d", ["postscreen"];
    POSTSCREEN_POST_QUEUE_LIMIT: Number = "postscreen_post_queue_limit", "$default_process_limit", ["postscreen"];
    POSTSCREEN_PRE_QUEUE_LIMIT: Number = "postscreen_pre_queue_limit", "$default_process_limit", ["postscreen"];
    POSTSCREEN_REJECT_FOOTER: Raw = "postscreen_reject_footer", "$smtpd_reject_footer", ["postscreen"];
    POSTSCREEN_REJECT_FOOTER_MAPS: Text = "postscreen_reject_footer_maps", "$smtpd_reject_footer_maps", ["postscreen"];
    POSTSCREEN_TLS_SECURITY_LEVEL: Text = "postscreen_tls_security_level", "$smtpd_tls_security_level", ["postscreen"];
    POSTSCREEN_UPSTREAM_PROXY_PROTOCOL: Text = "postscreen_upstream_proxy_protocol", "", ["postscreen"];
    POSTSCREEN_UPSTREAM_PROXY_TIMEOUT: Time = "postscreen_upstream_proxy_timeout", "5s", ["postscreen"];
    POSTSCREEN_USE_TLS: Flag = "postscreen_use_tls", "$smtpd_use_tls", ["postscreen"];
    POSTSCREEN_WATCHDOG_TIMEOUT: Time = "postscreen_watchdog_timeout", "10s", ["postscreen"];
}
