//! The parameters that rewriting and routing obey.

use std::net::IpAddr;

use parameters::{Config, Number, Param, Text};

/// Where a map or masquerading applies (`canonical_classes`, `sender_canonical_classes`,
/// `recipient_canonical_classes`, `masquerade_classes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AddressClasses {
    /// The sender of the envelope.
    pub envelope_sender: bool,
    /// The recipients of the envelope.
    pub envelope_recipient: bool,
    /// From, Sender, Reply-To and the like.
    pub header_sender: bool,
    /// To, Cc and the like.
    pub header_recipient: bool,
}

impl AddressClasses {
    /// Reads a list of `envelope_sender`, `envelope_recipient`, `header_sender`, `header_recipient`.
    pub fn parse(list: &str) -> Self {
        let mut classes = Self::default();
        for word in words(list) {
            match word.to_ascii_lowercase().as_str() {
                "envelope_sender" => classes.envelope_sender = true,
                "envelope_recipient" => classes.envelope_recipient = true,
                "header_sender" => classes.header_sender = true,
                "header_recipient" => classes.header_recipient = true,
                _ => {}
            }
        }
        classes
    }
}

/// The words of a list that is separated by commas and blanks.
pub(crate) fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(|character: char| character == ',' || character.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
}

/// Parameters of main.cf, under their own names where nothing else is said. [`Settings::default`] holds
/// Postfix's defaults at the highest compatibility level.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Settings {
    pub myhostname: String,
    pub mydomain: String,
    pub myorigin: String,
    pub mydestination: String,
    /// Addresses of this host (`inet_interfaces`) and of those in front of it (`proxy_interfaces`):
    /// `user@[address]` is local.
    pub own_addresses: Vec<IpAddr>,
    pub append_at_myorigin: bool,
    pub append_dot_mydomain: bool,
    pub swap_bangpath: bool,
    pub allow_percent_hack: bool,
    pub remote_header_rewrite_domain: String,
    pub recipient_delimiter: String,
    pub resolve_dequoted_address: bool,
    pub resolve_null_domain: bool,
    pub resolve_numeric_domain: bool,
    pub allow_min_user: bool,
    pub empty_address_recipient: String,
    pub show_user_unknown_table_name: bool,

    pub canonical_maps: String,
    pub canonical_classes: AddressClasses,
    pub sender_canonical_maps: String,
    pub sender_canonical_classes: AddressClasses,
    pub recipient_canonical_maps: String,
    pub recipient_canonical_classes: AddressClasses,
    pub masquerade_domains: String,
    pub masquerade_exceptions: String,
    pub masquerade_classes: AddressClasses,
    /// `propagate_unmatched_extensions` has `canonical`.
    pub propagate_canonical: bool,
    /// `propagate_unmatched_extensions` has `virtual`.
    pub propagate_virtual: bool,

    pub virtual_alias_maps: String,
    pub virtual_alias_domains: String,
    pub virtual_alias_expansion_limit: usize,
    pub virtual_alias_recursion_limit: usize,
    pub virtual_alias_address_length_limit: usize,
    pub virtual_mailbox_domains: String,
    pub virtual_mailbox_maps: String,
    pub relay_domains: String,
    /// `parent_domain_matches_subdomains` has `relay_domains`.
    pub relay_domains_match_subdomains: bool,
    pub relay_recipient_maps: String,
    pub local_recipient_maps: String,
    pub relocated_maps: String,
    pub relocated_prefix_enable: bool,
    pub double_bounce_sender: String,

    pub local_transport: String,
    pub virtual_transport: String,
    pub relay_transport: String,
    pub default_transport: String,
    pub relayhost: String,
    pub transport_maps: String,
    /// `parent_domain_matches_subdomains` has `transport_maps`.
    pub transport_maps_match_subdomains: bool,
    pub sender_dependent_default_transport_maps: String,
    pub empty_address_default_transport_maps_lookup_key: String,
    pub sender_dependent_relayhost_maps: String,
    pub empty_address_relayhost_maps_lookup_key: String,
}

impl Default for Settings {
    fn default() -> Self {
        let both = AddressClasses {
            envelope_sender: true,
            envelope_recipient: true,
            header_sender: true,
            header_recipient: true,
        };
        Self {
            myhostname: "localhost.localdomain".into(),
            mydomain: "localdomain".into(),
            myorigin: "localhost.localdomain".into(),
            mydestination: "localhost.localdomain, localhost".into(),
            own_addresses: Vec::new(),
            append_at_myorigin: true,
            append_dot_mydomain: false,
            swap_bangpath: true,
            allow_percent_hack: true,
            remote_header_rewrite_domain: String::new(),
            recipient_delimiter: String::new(),
            resolve_dequoted_address: true,
            resolve_null_domain: false,
            resolve_numeric_domain: false,
            allow_min_user: false,
            empty_address_recipient: "MAILER-DAEMON".into(),
            show_user_unknown_table_name: true,
            canonical_maps: String::new(),
            canonical_classes: both,
            sender_canonical_maps: String::new(),
            sender_canonical_classes: AddressClasses {
                envelope_recipient: false,
                header_recipient: false,
                ..both
            },
            recipient_canonical_maps: String::new(),
            recipient_canonical_classes: AddressClasses {
                envelope_sender: false,
                header_sender: false,
                ..both
            },
            masquerade_domains: String::new(),
            masquerade_exceptions: String::new(),
            masquerade_classes: AddressClasses { envelope_recipient: false, ..both },
            propagate_canonical: true,
            propagate_virtual: true,
            virtual_alias_maps: String::new(),
            virtual_alias_domains: String::new(),
            virtual_alias_expansion_limit: 1000,
            virtual_alias_recursion_limit: 1000,
            virtual_alias_address_length_limit: 1000,
            virtual_mailbox_domains: String::new(),
            virtual_mailbox_maps: String::new(),
            relay_domains: String::new(),
            relay_domains_match_subdomains: true,
            relay_recipient_maps: String::new(),
            local_recipient_maps: String::new(),
            relocated_maps: String::new(),
            relocated_prefix_enable: true,
            double_bounce_sender: "double-bounce".into(),
            local_transport: "local:localhost.localdomain".into(),
            virtual_transport: "virtual".into(),
            relay_transport: "relay".into(),
            default_transport: "smtp".into(),
            relayhost: String::new(),
            transport_maps: String::new(),
            transport_maps_match_subdomains: false,
            sender_dependent_default_transport_maps: String::new(),
            empty_address_default_transport_maps_lookup_key: "<>".into(),
            sender_dependent_relayhost_maps: String::new(),
            empty_address_relayhost_maps_lookup_key: "<>".into(),
        }
    }
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let size = |parameter: &Param<Number>| usize::try_from(config.get(parameter)).unwrap_or(0);
        let classes = |parameter: &Param<Text>| AddressClasses::parse(&config.get(parameter));
        let propagate = config.get(&parameters::PROPAGATE_UNMATCHED_EXTENSIONS);
        let parents = config.get(&parameters::PARENT_DOMAIN_MATCHES_SUBDOMAINS);
        let has = |list: &str, name: &str| words(list).any(|word| word == name);
        Self {
            myhostname: config.get(&parameters::MYHOSTNAME),
            mydomain: config.get(&parameters::MYDOMAIN),
            myorigin: config.get(&parameters::MYORIGIN),
            mydestination: config.get(&parameters::MYDESTINATION),
            own_addresses: own_addresses(config),
            append_at_myorigin: config.get(&parameters::APPEND_AT_MYORIGIN),
            append_dot_mydomain: config.get(&parameters::APPEND_DOT_MYDOMAIN),
            swap_bangpath: config.get(&parameters::SWAP_BANGPATH),
            allow_percent_hack: config.get(&parameters::ALLOW_PERCENT_HACK),
            remote_header_rewrite_domain: config.get(&parameters::REMOTE_HEADER_REWRITE_DOMAIN),
            recipient_delimiter: config.get(&parameters::RECIPIENT_DELIMITER),
            resolve_dequoted_address: config.get(&parameters::RESOLVE_DEQUOTED_ADDRESS),
            resolve_null_domain: config.get(&parameters::RESOLVE_NULL_DOMAIN),
            resolve_numeric_domain: config.get(&parameters::RESOLVE_NUMERIC_DOMAIN),
            allow_min_user: config.get(&parameters::ALLOW_MIN_USER),
            empty_address_recipient: config.get(&parameters::EMPTY_ADDRESS_RECIPIENT),
            show_user_unknown_table_name: config.get(&parameters::SHOW_USER_UNKNOWN_TABLE_NAME),
            canonical_maps: config.get(&parameters::CANONICAL_MAPS),
            canonical_classes: classes(&parameters::CANONICAL_CLASSES),
            sender_canonical_maps: config.get(&parameters::SENDER_CANONICAL_MAPS),
            sender_canonical_classes: classes(&parameters::SENDER_CANONICAL_CLASSES),
            recipient_canonical_maps: config.get(&parameters::RECIPIENT_CANONICAL_MAPS),
            recipient_canonical_classes: classes(&parameters::RECIPIENT_CANONICAL_CLASSES),
            masquerade_domains: config.get(&parameters::MASQUERADE_DOMAINS),
            masquerade_exceptions: config.get(&parameters::MASQUERADE_EXCEPTIONS),
            masquerade_classes: classes(&parameters::MASQUERADE_CLASSES),
            propagate_canonical: has(&propagate, "canonical"),
            propagate_virtual: has(&propagate, "virtual"),
            virtual_alias_maps: config.get(&parameters::VIRTUAL_ALIAS_MAPS),
            virtual_alias_domains: config.get(&parameters::VIRTUAL_ALIAS_DOMAINS),
            virtual_alias_expansion_limit: size(&parameters::VIRTUAL_ALIAS_EXPANSION_LIMIT),
            virtual_alias_recursion_limit: size(&parameters::VIRTUAL_ALIAS_RECURSION_LIMIT),
            virtual_alias_address_length_limit: size(&parameters::VIRTUAL_ALIAS_ADDRESS_LENGTH_LIMIT),
            virtual_mailbox_domains: config.get(&parameters::VIRTUAL_MAILBOX_DOMAINS),
            virtual_mailbox_maps: config.get(&parameters::VIRTUAL_MAILBOX_MAPS),
            relay_domains: config.get(&parameters::RELAY_DOMAINS),
            relay_domains_match_subdomains: has(&parents, "relay_domains"),
            relay_recipient_maps: config.get(&parameters::RELAY_RECIPIENT_MAPS),
            local_recipient_maps: config.get(&parameters::LOCAL_RECIPIENT_MAPS),
            relocated_maps: config.get(&parameters::RELOCATED_MAPS),
            relocated_prefix_enable: config.get(&parameters::RELOCATED_PREFIX_ENABLE),
            double_bounce_sender: config.get(&parameters::DOUBLE_BOUNCE_SENDER),
            local_transport: config.get(&parameters::LOCAL_TRANSPORT),
            virtual_transport: config.get(&parameters::VIRTUAL_TRANSPORT),
            relay_transport: config.get(&parameters::RELAY_TRANSPORT),
            default_transport: config.get(&parameters::DEFAULT_TRANSPORT),
            relayhost: config.get(&parameters::RELAYHOST),
            transport_maps: config.get(&parameters::TRANSPORT_MAPS),
            transport_maps_match_subdomains: has(&parents, "transport_maps"),
            sender_dependent_default_transport_maps: config
                .get(&parameters::SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS),
            empty_address_default_transport_maps_lookup_key: config
                .get(&parameters::EMPTY_ADDRESS_DEFAULT_TRANSPORT_MAPS_LOOKUP_KEY),
            sender_dependent_relayhost_maps: config.get(&parameters::SENDER_DEPENDENT_RELAYHOST_MAPS),
            empty_address_relayhost_maps_lookup_key: config
                .get(&parameters::EMPTY_ADDRESS_RELAYHOST_MAPS_LOOKUP_KEY),
        }
    }
}

impl Settings {
    /// The settings for probes of addresses: routes are those of `address_verify_*`, which default to the others.
    pub fn for_verification(config: &Config) -> Self {
        Self {
            local_transport: config.get(&parameters::ADDRESS_VERIFY_LOCAL_TRANSPORT),
            virtual_transport: config.get(&parameters::ADDRESS_VERIFY_VIRTUAL_TRANSPORT),
            relay_transport: config.get(&parameters::ADDRESS_VERIFY_RELAY_TRANSPORT),
            default_transport: config.get(&parameters::ADDRESS_VERIFY_DEFAULT_TRANSPORT),
            relayhost: config.get(&parameters::ADDRESS_VERIFY_RELAYHOST),
            transport_maps: config.get(&parameters::ADDRESS_VERIFY_TRANSPORT_MAPS),
            sender_dependent_relayhost_maps: config
                .get(&parameters::ADDRESS_VERIFY_SENDER_DEPENDENT_RELAYHOST_MAPS),
            sender_dependent_default_transport_maps: config
                .get(&parameters::ADDRESS_VERIFY_SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS),
            ..Self::from(config)
        }
    }
}

/// Interfaces and proxy addresses; none where the settings do not fit the machine, which is reported at start.
fn own_addresses(config: &Config) -> Vec<IpAddr> {
    let own = config.own_interfaces().unwrap_or_default().into_iter().map(|interface| interface.address);
    let proxies = config.get(&parameters::PROXY_INTERFACES);
    own.chain(words(&proxies).filter_map(|word| word.parse().ok())).collect()
}
