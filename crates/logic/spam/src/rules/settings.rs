//! Everything in the files that is no rule.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::asking::Asking;
use super::authenticity::Authenticity;
use super::bayes_store::BayesStore;
use super::clearinghouses::Clearinghouses;
use super::lists::{AddressList, RelayList};
use super::networks::Networks;
use super::preferences::Preferences;
use crate::perl::Pattern;
use crate::registry::Registry;

/// Settings with their defaults.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // Each is the setting of its name: see `man Mail::SpamAssassin::Conf`.
pub struct Settings {
    pub required_score: f64,
    /// 0: headers only, 1: the message is attached to a report, 2: attached as text.
    pub report_safe: u8,
    pub rewrite_header: BTreeMap<String, String>,
    /// Headers added to mail that is no spam: name behind `X-Spam-`, template.
    pub headers_ham: Vec<(String, String)>,
    pub headers_spam: Vec<(String, String)>,
    pub report_template: String,
    pub unsafe_report_template: String,
    pub report_contact: String,
    pub report_hostname: String,
    pub report_charset: String,
    pub report_wrap_width: usize,
    pub report_safe_copy_headers: Vec<String>,
    pub fold_headers: bool,
    pub ok_locales: String,
    pub normalize_charset: bool,
    pub trusted_networks: Networks,
    pub internal_networks: Networks,
    pub msa_networks: Networks,
    pub originating_ip_headers: Vec<String>,
    pub envelope_sender_header: Option<String>,
    /// Seconds that one message may take.
    pub time_limit: f64,
    pub body_part_scan_size: usize,
    pub rawbody_part_scan_size: usize,
    pub parse_dkim_uris: bool,
    pub allow_user_rules: bool,
    /// Lists of addresses by the setting's name, or by the name of `enlist_addrlist`.
    pub addresses: HashMap<String, AddressList>,
    pub welcomelist_from_rcvd: RelayList,
    pub def_welcomelist_from_rcvd: RelayList,
    /// Lists of hosts: list, host, whether it is in it.
    pub uri_hosts: BTreeMap<String, HashMap<String, bool>>,
    pub redirector_patterns: Vec<Arc<Pattern>>,
    pub registry: Registry,
    pub freemail: FreeMail,
    pub welcomelist_subject: Vec<String>,
    pub blocklist_subject: Vec<String>,
    pub use_bayes: bool,
    pub bayes_learn_during_report: bool,
    pub use_bayes_rules: bool,
    pub use_learner: bool,
    pub bayes_auto_learn: bool,
    pub bayes_auto_learn_threshold_nonspam: f64,
    pub bayes_auto_learn_threshold_spam: f64,
    pub bayes_min_ham_num: u64,
    pub bayes_min_spam_num: u64,
    pub bayes_use_hapaxes: bool,
    pub bayes_ignore_header: HashSet<String>,
    pub bayes_expiry_max_db_size: u64,
    pub bayes_auto_expire: bool,
    pub bayes_auto_learn_on_error: bool,
    pub bayes_path: Option<String>,
    pub bayes_store: BayesStore,
    pub bayes_token_sources: TokenSources,
    /// Bytes.
    pub bayes_max_token_length: usize,
    pub bayes_stopword_languages: Vec<String>,
    /// Words that do not count, by language.
    pub bayes_stopwords: BTreeMap<String, Arc<Pattern>>,
    pub awl: Awl,
    pub preferences: Preferences,
    pub txrep: TxRep,
    /// Of rules that ask DNS.
    pub asking: Asking,
    /// Of networks that count messages.
    pub clearinghouses: Clearinghouses,
    /// Of SPF, DKIM and DMARC.
    pub authenticity: Authenticity,
    /// Where reputations of senders are kept (AWL or TxRep).
    pub auto_welcomelist_path: Option<String>,
    /// Settings that are understood and do nothing in this version, with the file that has them first.
    pub inert: BTreeMap<String, String>,
    /// Of `subject_tag` of long ago, until `rewrite_subject` asks for it.
    pub(crate) old_subject_tag: Option<String>,
}

/// Who gives away mailboxes (the plugin FreeMail).
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct FreeMail {
    pub domains: HashSet<Vec<u8>>,
    /// Domains with `*` and `?`, where `*` does not go over a dot.
    pub wildcards: Vec<String>,
    pub welcomelist: HashSet<Vec<u8>>,
    pub max_body_emails: usize,
    pub max_body_freemails: usize,
    pub skip_when_over_max: bool,
    pub skip_bulk_envfrom: bool,
    pub add_describe_email: bool,
}

/// What of a message is cut into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct TokenSources {
    pub header: bool,
    pub visible: bool,
    pub invisible: bool,
    pub uri: bool,
    pub mimepart: bool,
}

impl Default for TokenSources {
    fn default() -> Self {
        Self { header: true, visible: true, invisible: true, uri: true, mimepart: false }
    }
}

/// Settings of the plugin AWL: `auto_welcomelist_...`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub struct Awl {
    /// `use_auto_welcomelist`
    pub active: bool,
    pub factor: f64,
    pub ipv4_mask_len: u8,
    pub ipv6_mask_len: u8,
}

impl Default for Awl {
    fn default() -> Self {
        Self { active: true, factor: 0.5, ipv4_mask_len: 16, ipv6_mask_len: 48 }
    }
}

/// Settings of the plugin TxRep: `txrep_...`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub struct TxRep {
    /// `use_txrep`
    pub active: bool,
    pub factor: f64,
    pub learn_penalty: f64,
    pub learn_bonus: f64,
    pub autolearn: f64,
    pub track_messages: bool,
    pub welcomelist_out: f64,
    pub ipv4_mask_len: u8,
    pub ipv6_mask_len: u8,
    /// `auto_welcomelist_distinguish_signed`
    pub distinguish_signed: bool,
    pub spf: bool,
    pub weight_email: f64,
    pub weight_email_ip: f64,
    pub weight_domain: f64,
    pub weight_ip: f64,
    pub weight_helo: f64,
}

impl Default for TxRep {
    fn default() -> Self {
        Self {
            active: false,
            factor: 0.5,
            learn_penalty: 20.0,
            learn_bonus: 20.0,
            autolearn: 0.0,
            track_messages: true,
            welcomelist_out: 10.0,
            ipv4_mask_len: 16,
            ipv6_mask_len: 48,
            distinguish_signed: true,
            spf: true,
            weight_email: 3.0,
            weight_email_ip: 10.0,
            weight_domain: 2.0,
            weight_ip: 4.0,
            weight_helo: 0.5,
        }
    }
}

impl Default for FreeMail {
    fn default() -> Self {
        Self {
            domains: HashSet::new(),
            wildcards: Vec::new(),
            welcomelist: HashSet::new(),
            max_body_emails: 5,
            max_body_freemails: 3,
            skip_when_over_max: true,
            skip_bulk_envfrom: true,
            add_describe_email: true,
        }
    }
}

/// The header that is always added.
pub(crate) const CHECKER_VERSION: &str = "Checker-Version";

fn checker_version() -> Vec<(String, String)> {
    vec![(CHECKER_VERSION.to_owned(), "SpamAssassin _VERSION_ (_SUBVERSION_) on _HOSTNAME_".to_owned())]
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            required_score: 5.0,
            report_safe: 1,
            rewrite_header: BTreeMap::new(),
            headers_ham: checker_version(),
            headers_spam: checker_version(),
            report_template: String::new(),
            unsafe_report_template: String::new(),
            report_contact: "the administrator of that system".to_owned(),
            report_hostname: String::new(),
            report_charset: "UTF-8".to_owned(),
            report_wrap_width: 75,
            report_safe_copy_headers: Vec::new(),
            fold_headers: true,
            ok_locales: "all".to_owned(),
            normalize_charset: true,
            trusted_networks: Networks::loopback(),
            internal_networks: Networks::loopback(),
            msa_networks: Networks::default(),
            originating_ip_headers: Vec::new(),
            envelope_sender_header: None,
            time_limit: 300.0,
            body_part_scan_size: 50_000,
            rawbody_part_scan_size: 500_000,
            parse_dkim_uris: true,
            allow_user_rules: false,
            addresses: HashMap::new(),
            welcomelist_from_rcvd: RelayList::default(),
            def_welcomelist_from_rcvd: RelayList::default(),
            uri_hosts: BTreeMap::new(),
            redirector_patterns: Vec::new(),
            registry: Registry::default(),
            freemail: FreeMail::default(),
            welcomelist_subject: Vec::new(),
            blocklist_subject: Vec::new(),
            use_bayes: true,
            bayes_learn_during_report: true,
            use_bayes_rules: true,
            use_learner: true,
            bayes_auto_learn: true,
            bayes_auto_learn_threshold_nonspam: 0.1,
            bayes_auto_learn_threshold_spam: 12.0,
            bayes_min_ham_num: 200,
            bayes_min_spam_num: 200,
            bayes_use_hapaxes: true,
            bayes_ignore_header: HashSet::new(),
            bayes_expiry_max_db_size: 150_000,
            bayes_auto_expire: true,
            bayes_auto_learn_on_error: false,
            bayes_path: None,
            bayes_store: BayesStore::default(),
            bayes_token_sources: TokenSources::default(),
            bayes_max_token_length: 15,
            bayes_stopword_languages: vec!["en".to_owned()],
            bayes_stopwords: BTreeMap::new(),
            awl: Awl::default(),
            preferences: Preferences::default(),
            txrep: TxRep::default(),
            asking: Asking::default(),
            clearinghouses: Clearinghouses::default(),
            authenticity: Authenticity::default(),
            auto_welcomelist_path: None,
            inert: BTreeMap::new(),
            old_subject_tag: None,
        }
    }
}

impl Settings {
    /// Is there anything that is kept from one message to the next?
    pub fn remembers(&self) -> bool {
        self.use_bayes || self.awl.active || self.txrep.active
    }

    /// The stop words of the languages that were chosen.
    pub(crate) fn stop_words(&self) -> Vec<Arc<Pattern>> {
        let languages = self.bayes_stopword_languages.iter();
        languages.filter_map(|language| self.bayes_stopwords.get(language).cloned()).collect()
    }

    /// The list of that name; an empty one if there is none.
    pub(crate) fn list_contains(&self, list: &str, address: &[u8]) -> bool {
        self.addresses.get(list).is_some_and(|list| list.contains(address))
    }
}
