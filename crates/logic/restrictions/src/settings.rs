//! The parameters of restrictions, read once.

use parameters::{Config, Number, Param, Text};

use crate::expand::ExpansionFilter;
use crate::policy::PolicyOptions;

/// Codes, lists and texts; each field has the name of its parameter unless it says otherwise.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Settings {
    pub lists: Lists,
    pub myhostname: String,
    pub delay_reject: bool,
    pub relay_before_recipient: bool,
    pub reject_unlisted_sender: bool,
    pub reject_unlisted_recipient: bool,
    pub mynetworks: String,
    /// The addresses of this host, for `permit_inet_interfaces`.
    pub own_addresses: Vec<std::net::IpAddr>,
    pub allow_untrusted_routing: bool,
    pub recipient_delimiter: String,
    /// `parent_domain_matches_subdomains` has `smtpd_access_maps`.
    pub access_maps_match_subdomains: bool,
    /// The same for `mynetworks`.
    pub mynetworks_match_subdomains: bool,
    pub null_access_lookup_key: String,
    pub log_access_permit_actions: String,
    pub sasl_auth_enable: bool,
    pub sender_login_maps: String,
    pub relay_clientcerts: String,
    pub permit_mx_backup_networks: String,
    pub default_rbl_reply: String,
    pub rbl_reply_maps: String,
    pub maps_rbl_domains: String,
    pub expansion_filter: ExpansionFilter,
    /// What check_policy_service goes by where it says nothing else.
    pub policy: PolicyOptions,
    pub stress: String,
    pub soft_bounce: bool,
    /// `double_bounce_sender` with its domain.
    pub double_bounce_address: String,

    pub reject_code: i64,
    pub defer_code: i64,
    pub access_map_reject_code: i64,
    pub access_map_defer_code: i64,
    pub invalid_hostname_reject_code: i64,
    pub non_fqdn_reject_code: i64,
    pub unknown_client_reject_code: i64,
    pub unknown_hostname_reject_code: i64,
    pub unknown_address_reject_code: i64,
    pub relay_domains_reject_code: i64,
    pub maps_rbl_reject_code: i64,
    pub plaintext_reject_code: i64,
    pub multi_recipient_bounce_reject_code: i64,
    pub unknown_local_recipient_reject_code: i64,
    pub unknown_relay_recipient_reject_code: i64,
    pub unknown_virtual_alias_reject_code: i64,
    pub unknown_virtual_mailbox_reject_code: i64,
    /// `unknown_address_tempfail_action` is `defer_if_permit`, not `defer`.
    pub unknown_address_tempfail_waits: bool,
    /// The same of `unknown_helo_hostname_tempfail_action`.
    pub unknown_helo_tempfail_waits: bool,
}

impl From<&Config> for PolicyOptions {
    fn from(config: &Config) -> Self {
        let count = |parameter: &Param<Number>| u64::try_from(config.get(parameter)).unwrap_or(0);
        Self {
            timeout: config.get(&parameters::SMTPD_POLICY_SERVICE_TIMEOUT),
            max_idle: config.get(&parameters::SMTPD_POLICY_SERVICE_MAX_IDLE),
            max_ttl: config.get(&parameters::SMTPD_POLICY_SERVICE_MAX_TTL),
            request_limit: count(&parameters::SMTPD_POLICY_SERVICE_REQUEST_LIMIT),
            try_limit: count(&parameters::SMTPD_POLICY_SERVICE_TRY_LIMIT),
            retry_delay: config.get(&parameters::SMTPD_POLICY_SERVICE_RETRY_DELAY),
            default_action: config.get(&parameters::SMTPD_POLICY_SERVICE_DEFAULT_ACTION),
            policy_context: config.get(&parameters::SMTPD_POLICY_SERVICE_POLICY_CONTEXT),
        }
    }
}

/// The restriction lists as they stand in main.cf.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Lists {
    pub client: String,
    pub helo: String,
    pub sender: String,
    pub relay: String,
    pub recipient: String,
    pub data: String,
    pub end_of_data: String,
    pub etrn: String,
    /// `smtpd_restriction_classes`, each with its definition.
    pub classes: Vec<(String, String)>,
}

impl From<&Config> for Lists {
    fn from(config: &Config) -> Self {
        let text = |parameter: &Param<Text>| config.get(parameter);
        let names = text(&parameters::SMTPD_RESTRICTION_CLASSES);
        let words = names.split([',', ' ', '\t', '\n']).filter(|name| !name.is_empty());
        Self {
            client: text(&parameters::SMTPD_CLIENT_RESTRICTIONS),
            helo: text(&parameters::SMTPD_HELO_RESTRICTIONS),
            sender: text(&parameters::SMTPD_SENDER_RESTRICTIONS),
            relay: text(&parameters::SMTPD_RELAY_RESTRICTIONS),
            recipient: text(&parameters::SMTPD_RECIPIENT_RESTRICTIONS),
            data: text(&parameters::SMTPD_DATA_RESTRICTIONS),
            end_of_data: text(&parameters::SMTPD_END_OF_DATA_RESTRICTIONS),
            etrn: text(&parameters::SMTPD_ETRN_RESTRICTIONS),
            classes: words.map(|name| (name.to_owned(), config.text(name).unwrap_or_default())).collect(),
        }
    }
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let text = |parameter: &Param<Text>| config.get(parameter);
        let code = |parameter: &Param<Number>| config.get(parameter);
        let parents = text(&parameters::PARENT_DOMAIN_MATCHES_SUBDOMAINS);
        let matches = |name: &str| parents.split([',', ' ', '\t', '\n']).any(|word| word == name);
        let own = config.own_interfaces().unwrap_or_default();
        Self {
            lists: Lists::from(config),
            myhostname: text(&parameters::MYHOSTNAME),
            delay_reject: config.get(&parameters::SMTPD_DELAY_REJECT),
            relay_before_recipient: config.get(&parameters::SMTPD_RELAY_BEFORE_RECIPIENT_RESTRICTIONS),
            reject_unlisted_sender: config.get(&parameters::SMTPD_REJECT_UNLISTED_SENDER),
            reject_unlisted_recipient: config.get(&parameters::SMTPD_REJECT_UNLISTED_RECIPIENT),
            mynetworks: text(&parameters::MYNETWORKS),
            own_addresses: own.into_iter().map(|interface| interface.address).collect(),
            allow_untrusted_routing: config.get(&parameters::ALLOW_UNTRUSTED_ROUTING),
            recipient_delimiter: text(&parameters::RECIPIENT_DELIMITER),
            access_maps_match_subdomains: matches("smtpd_access_maps"),
            mynetworks_match_subdomains: matches("mynetworks"),
            null_access_lookup_key: text(&parameters::SMTPD_NULL_ACCESS_LOOKUP_KEY),
            log_access_permit_actions: text(&parameters::SMTPD_LOG_ACCESS_PERMIT_ACTIONS),
            sasl_auth_enable: config.get(&parameters::SMTPD_SASL_AUTH_ENABLE),
            sender_login_maps: text(&parameters::SMTPD_SENDER_LOGIN_MAPS),
            relay_clientcerts: text(&parameters::RELAY_CLIENTCERTS),
            permit_mx_backup_networks: text(&parameters::PERMIT_MX_BACKUP_NETWORKS),
            default_rbl_reply: config
                .raw("default_rbl_reply")
                .map_or_else(String::new, |raw| raw.into_owned()),
            rbl_reply_maps: text(&parameters::RBL_REPLY_MAPS),
            expansion_filter: ExpansionFilter::parse(&config.get(&parameters::SMTPD_EXPANSION_FILTER)),
            maps_rbl_domains: text(&parameters::MAPS_RBL_DOMAINS),
            policy: PolicyOptions::from(config),
            stress: text(&parameters::STRESS),
            soft_bounce: config.get(&parameters::SOFT_BOUNCE),
            double_bounce_address: with_domain(
                config.get(&parameters::DOUBLE_BOUNCE_SENDER),
                &config.get(&parameters::MYORIGIN),
            ),
            reject_code: code(&parameters::REJECT_CODE),
            defer_code: code(&parameters::DEFER_CODE),
            access_map_reject_code: code(&parameters::ACCESS_MAP_REJECT_CODE),
            access_map_defer_code: code(&parameters::ACCESS_MAP_DEFER_CODE),
            invalid_hostname_reject_code: code(&parameters::INVALID_HOSTNAME_REJECT_CODE),
            non_fqdn_reject_code: code(&parameters::NON_FQDN_REJECT_CODE),
            unknown_client_reject_code: code(&parameters::UNKNOWN_CLIENT_REJECT_CODE),
            unknown_hostname_reject_code: code(&parameters::UNKNOWN_HOSTNAME_REJECT_CODE),
            unknown_address_reject_code: code(&parameters::UNKNOWN_ADDRESS_REJECT_CODE),
            relay_domains_reject_code: code(&parameters::RELAY_DOMAINS_REJECT_CODE),
            maps_rbl_reject_code: code(&parameters::MAPS_RBL_REJECT_CODE),
            plaintext_reject_code: code(&parameters::PLAINTEXT_REJECT_CODE),
            multi_recipient_bounce_reject_code: code(&parameters::MULTI_RECIPIENT_BOUNCE_REJECT_CODE),
            unknown_local_recipient_reject_code: code(&parameters::UNKNOWN_LOCAL_RECIPIENT_REJECT_CODE),
            unknown_relay_recipient_reject_code: code(&parameters::UNKNOWN_RELAY_RECIPIENT_REJECT_CODE),
            unknown_virtual_alias_reject_code: code(&parameters::UNKNOWN_VIRTUAL_ALIAS_REJECT_CODE),
            unknown_virtual_mailbox_reject_code: code(&parameters::UNKNOWN_VIRTUAL_MAILBOX_REJECT_CODE),
            unknown_address_tempfail_waits: text(&parameters::UNKNOWN_ADDRESS_TEMPFAIL_ACTION)
                == "defer_if_permit",
            unknown_helo_tempfail_waits: text(&parameters::UNKNOWN_HELO_HOSTNAME_TEMPFAIL_ACTION)
                == "defer_if_permit",
        }
    }
}

/// A name without a domain is one of `$myorigin`.
fn with_domain(address: String, myorigin: &str) -> String {
    if address.contains('@') { address } else { format!("{address}@{myorigin}") }
}
