//! Which of SpamAssassin's plugins this program takes the place of, and which features it has.

/// Plugins whose rules and settings are understood. Those that ask the network hit nothing in local mode.
const KNOWN: [&str; 34] = [
    "AWL",
    "AskDNS",
    "AutoLearnThreshold",
    "Bayes",
    "BodyEval",
    "Check",
    "DCC",
    "DKIM",
    "DMARC",
    "DNSEval",
    "FreeMail",
    "HTMLEval",
    "HTTPSMismatch",
    "HashBL",
    "HeaderEval",
    "ImageInfo",
    "MIMEEval",
    "MIMEHeader",
    "Pyzor",
    "Razor2",
    "RelayEval",
    "ReplaceTags",
    "SPF",
    "SpamCop",
    "TxRep",
    "URIDNSBL",
    "URIDetail",
    "URIEval",
    "VBounce",
    "WLBLEval",
    "WelcomeListSubject",
    "Hashcash",
    "ResourceLimits",
    "Reuse",
];

/// Features of the program itself that a rule file may ask for with `can()` or `has()`.
const FEATURES: [&str; 27] = [
    "feature_originating_ip_headers",
    "feature_dns_local_ports_permit_avoid",
    "feature_bayes_auto_learn_on_error",
    "feature_uri_host_listed",
    "feature_yesno_takes_args",
    "feature_bug6558_free",
    "feature_edns",
    "feature_dns_query_restriction",
    "feature_registryboundaries",
    "feature_dns_block_rule",
    "feature_compile_regexp",
    "feature_meta_rules_matching",
    "feature_subjprefix",
    "feature_bayes_stopwords",
    "feature_get_host",
    "feature_blocklist_welcomelist",
    "feature_welcomelist_blocklist",
    "feature_header_address_parser",
    "feature_local_tests_only",
    "feature_header_first_last",
    "feature_header_match_many",
    "feature_capture_rules",
    "feature_geodb",
    "has_tflags_nosubject",
    "has_tflags_nolog",
    "perl_min_version_5010000",
    "new",
];

/// Features of plugins: plugin, feature.
const PLUGIN_FEATURES: [(&str, &str); 28] = [
    ("BodyEval", "has_check_body_length"),
    ("BodyEval", "has_plaintext_body_sig_ratio"),
    ("DKIM", "has_arc"),
    ("FreeMail", "has_check_freemail_header"),
    ("MIMEEval", "has_check_for_ascii_text_illegal"),
    ("MIMEEval", "has_check_abundant_unicode_ratio"),
    ("MIMEEval", "has_check_qp_ratio"),
    ("MIMEHeader", "has_all_header"),
    ("MIMEHeader", "has_tflags_range"),
    ("MIMEHeader", "has_tflags_concat"),
    ("MIMEHeader", "has_tflags_multiple"),
    ("MIMEHeader", "has_capture_rules"),
    ("SPF", "has_check_for_spf_errors"),
    ("SPF", "has_check_spf_skipped_noenvfrom"),
    ("URIDNSBL", "has_uridnsbl_for_a"),
    ("URIDNSBL", "has_tflags_domains_only"),
    ("URIDNSBL", "has_tflags_ips_only"),
    ("URIDNSBL", "has_tflags_notrim"),
    ("URIDNSBL", "has_subtest_for_ranges"),
    ("AskDNS", "has_tag_header"),
    ("AskDNS", "has_check_dns_tag_header"),
    ("HashBL", "has_hashbl_bodyre"),
    ("HashBL", "has_hashbl_bodyre_num"),
    ("HashBL", "has_hashbl_emails"),
    ("HashBL", "has_hashbl_uris"),
    ("HashBL", "has_hashbl_ignore"),
    ("HashBL", "has_hashbl_tag"),
    ("HashBL", "has_hashbl_sha256"),
];

/// Where plugins live.
pub(crate) const NAMESPACE: &str = "Mail::SpamAssassin::Plugin::";

/// Is this program able to take the plugin's place? Names are without [`NAMESPACE`].
pub(crate) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// Today's name of a plugin that was renamed.
pub(crate) fn current_name(name: &str) -> &str {
    match name {
        "Dmarc" => "DMARC",
        "WhiteListSubject" => "WelcomeListSubject",
        name => name,
    }
}

/// Has the program itself, or a loaded plugin, this feature?
pub(crate) fn has_feature(feature: &str, loaded: &dyn Fn(&str) -> bool) -> bool {
    let Some((module, name)) = feature.rsplit_once("::") else { return false };
    match module.strip_prefix(NAMESPACE) {
        Some(plugin) => loaded(plugin) && PLUGIN_FEATURES.contains(&(plugin, name)),
        None => module == "Mail::SpamAssassin::Conf" && FEATURES.contains(&name),
    }
}
