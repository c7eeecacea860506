//! What the daemon reads from main.cf, once.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parameters::{Config, Number, Param};
use smtp_protocol::{BareNewline, TlsLevel, Verp};

/// Settings of the daemon that are not those of a logic crate.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) myhostname: String,
    pub(crate) mail_name: String,
    pub(crate) peername_lookup: bool,
    pub(crate) log_port: bool,
    pub(crate) delay_reject: bool,
    pub(crate) message_limit_bytes: u64,
    /// `queue_minfree` and one and a half times the largest message must fit.
    pub(crate) free_bytes_wanted: u64,
    pub(crate) xclient_hosts: String,
    pub(crate) xforward_hosts: String,
    pub(crate) verp_clients: String,
    pub(crate) bare_newline_exclusions: String,
    pub(crate) discard_keyword_maps: String,
    pub(crate) discard_keywords: String,
    pub(crate) noop_commands: String,
    pub(crate) forbidden_commands: String,
    pub(crate) command_filter: String,
    pub(crate) reject_footer: String,
    pub(crate) reject_footer_maps: String,
    pub(crate) local_rewrite_clients: String,
    /// Where flush(8) listens.
    pub(crate) flush_socket: PathBuf,
    pub(crate) ipc_timeout: Duration,
    pub(crate) flush_domains: String,
    pub(crate) flush_domains_match_subdomains: bool,
    /// `debug_peer_list`; empty too where `debug_peer_level` allows nothing.
    pub(crate) debug_peers: String,
    pub(crate) debug_peers_match_subdomains: bool,
    pub(crate) mynetworks: String,
    pub(crate) mynetworks_match_subdomains: bool,
    /// The addresses of this host.
    pub(crate) own_addresses: Vec<IpAddr>,
    pub(crate) alias_maps: String,
    pub(crate) content_filter: String,
    pub(crate) no_address_mappings: bool,
    pub(crate) no_header_body_checks: bool,
    pub(crate) no_unknown_recipient_checks: bool,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let message_limit_bytes = count(config, &parameters::MESSAGE_SIZE_LIMIT);
        let minimum = count(config, &parameters::QUEUE_MINFREE);
        let parents = config.get(&parameters::PARENT_DOMAIN_MATCHES_SUBDOMAINS);
        let own = config.own_interfaces().unwrap_or_default();
        let overrides = config.get(&parameters::RECEIVE_OVERRIDE_OPTIONS);
        Self {
            myhostname: config.get(&parameters::MYHOSTNAME),
            mail_name: config.get(&parameters::MAIL_NAME),
            peername_lookup: config.get(&parameters::SMTPD_PEERNAME_LOOKUP),
            delay_reject: config.get(&parameters::SMTPD_DELAY_REJECT),
            log_port: config.get(&parameters::SMTPD_CLIENT_PORT_LOGGING),
            message_limit_bytes,
            free_bytes_wanted: minimum.max(message_limit_bytes.saturating_mul(3) / 2),
            xclient_hosts: config.get(&parameters::SMTPD_AUTHORIZED_XCLIENT_HOSTS),
            xforward_hosts: config.get(&parameters::SMTPD_AUTHORIZED_XFORWARD_HOSTS),
            verp_clients: config.get(&parameters::SMTPD_AUTHORIZED_VERP_CLIENTS),
            bare_newline_exclusions: config.get(&parameters::SMTPD_FORBID_BARE_NEWLINE_EXCLUSIONS),
            discard_keyword_maps: config.get(&parameters::SMTPD_DISCARD_EHLO_KEYWORD_ADDRESS_MAPS),
            discard_keywords: config.get(&parameters::SMTPD_DISCARD_EHLO_KEYWORDS),
            noop_commands: config.get(&parameters::SMTPD_NOOP_COMMANDS),
            forbidden_commands: config.get(&parameters::SMTPD_FORBIDDEN_COMMANDS),
            command_filter: config.get(&parameters::SMTPD_COMMAND_FILTER),
            reject_footer: config.get(&parameters::SMTPD_REJECT_FOOTER),
            reject_footer_maps: config.get(&parameters::SMTPD_REJECT_FOOTER_MAPS),
            local_rewrite_clients: config.get(&parameters::LOCAL_HEADER_REWRITE_CLIENTS),
            flush_socket: Path::new("public").join(config.get(&parameters::FLUSH_SERVICE_NAME)),
            ipc_timeout: config.get(&parameters::IPC_TIMEOUT),
            flush_domains: config.get(&parameters::FAST_FLUSH_DOMAINS),
            flush_domains_match_subdomains: has(&parents, "fast_flush_domains"),
            debug_peers: match config.get(&parameters::DEBUG_PEER_LEVEL) {
                1.. => config.get(&parameters::DEBUG_PEER_LIST),
                _ => String::new(),
            },
            debug_peers_match_subdomains: has(&parents, "debug_peer_list"),
            mynetworks: config.get(&parameters::MYNETWORKS),
            own_addresses: own.into_iter().map(|interface| interface.address).collect(),
            mynetworks_match_subdomains: has(&parents, "mynetworks"),
            alias_maps: config.get(&parameters::ALIAS_MAPS),
            content_filter: config.get(&parameters::CONTENT_FILTER),
            no_address_mappings: has(&overrides, "no_address_mappings"),
            no_header_body_checks: has(&overrides, "no_header_body_checks"),
            no_unknown_recipient_checks: has(&overrides, "no_unknown_recipient_checks"),
        }
    }
}

/// The dialogue's settings.
pub(crate) fn dialogue(config: &Config, tls: TlsLevel) -> smtp_protocol::Settings {
    let size = |parameter: &Param<Number>| usize::try_from(config.get(parameter)).unwrap_or(0);
    let small = |parameter: &Param<Number>| u32::try_from(config.get(parameter)).unwrap_or(0);
    smtp_protocol::Settings {
        hostname: config.get(&parameters::MYHOSTNAME),
        banner: config.get(&parameters::SMTPD_BANNER),
        timeout: at_least_a_second(config.get(&parameters::SMTPD_TIMEOUT)),
        request_deadline: config.get(&parameters::SMTPD_PER_REQUEST_DEADLINE),
        min_data_rate: count(config, &parameters::SMTPD_MIN_DATA_RATE),
        line_limit_bytes: size(&parameters::LINE_LENGTH_LIMIT).max(512),
        message_limit_bytes: count(config, &parameters::MESSAGE_SIZE_LIMIT),
        recipient_limit: size(&parameters::SMTPD_RECIPIENT_LIMIT),
        recipient_overshoot_limit: size(&parameters::SMTPD_RECIPIENT_OVERSHOOT_LIMIT),
        soft_error_limit: small(&parameters::SMTPD_SOFT_ERROR_LIMIT),
        hard_error_limit: small(&parameters::SMTPD_HARD_ERROR_LIMIT),
        error_pause: config.get(&parameters::SMTPD_ERROR_SLEEP_TIME),
        junk_limit: small(&parameters::SMTPD_JUNK_COMMAND_LIMIT),
        helo_required: config.get(&parameters::SMTPD_HELO_REQUIRED),
        strict_envelopes: config.get(&parameters::STRICT_RFC821_ENVELOPES),
        vrfy_disabled: config.get(&parameters::DISABLE_VRFY_COMMAND),
        expn: config.get(&parameters::SMTPD_EXPN_ENABLE),
        help: config.get(&parameters::SMTPD_HELP_ENABLE),
        smtputf8: config.get(&parameters::SMTPUTF8_ENABLE),
        strict_smtputf8: config.get(&parameters::STRICT_SMTPUTF8),
        bare_newline: bare_newline(&config.get(&parameters::SMTPD_FORBID_BARE_NEWLINE)),
        bare_newline_code: u16::try_from(config.get(&parameters::SMTPD_FORBID_BARE_NEWLINE_REJECT_CODE))
            .unwrap_or(550),
        forbid_pipelining: config.get(&parameters::SMTPD_FORBID_UNAUTH_PIPELINING),
        tls,
        tls_wrapper: config.get(&parameters::SMTPD_TLS_WRAPPERMODE),
        proxy_protocol: !config.get(&parameters::SMTPD_UPSTREAM_PROXY_PROTOCOL).is_empty(),
        proxy_timeout: at_least_a_second(config.get(&parameters::SMTPD_UPSTREAM_PROXY_TIMEOUT)),
        noop_commands: !config.get(&parameters::SMTPD_NOOP_COMMANDS).is_empty(),
        command_filter: !config.get(&parameters::SMTPD_COMMAND_FILTER).is_empty(),
        soft_bounce: config.get(&parameters::SOFT_BOUNCE),
        reject_footer: !config.get(&parameters::SMTPD_REJECT_FOOTER).is_empty()
            || !config.get(&parameters::SMTPD_REJECT_FOOTER_MAPS).is_empty(),
        notify: crate::notices::wanted(config),
        history_threshold: size(&parameters::SMTPD_HISTORY_FLUSH_THRESHOLD),
        verp: Verp {
            default_delimiters: config.get(&parameters::DEFAULT_VERP_DELIMITERS),
            allowed: config.get(&parameters::VERP_DELIMITER_FILTER),
        },
    }
}

/// `yes` is what `normalize` was called first.
fn bare_newline(text: &str) -> BareNewline {
    match text.to_ascii_lowercase().as_str() {
        "no" => BareNewline::Accept,
        "normalize" | "yes" => BareNewline::Normalize,
        "note" => BareNewline::Note,
        "reject" => BareNewline::Reject,
        other => {
            log::warn!(
                "smtpd_forbid_bare_newline = {other}: need yes, no, normalize, note or reject; using normalize"
            );
            BareNewline::Normalize
        }
    }
}

fn at_least_a_second(time: Duration) -> Duration {
    time.max(Duration::from_secs(1))
}

fn count(config: &Config, parameter: &Param<Number>) -> u64 {
    u64::try_from(config.get(parameter)).unwrap_or(0)
}

fn has(list: &str, word: &str) -> bool {
    list.split([',', ' ', '\t', '\n']).any(|known| known == word)
}
