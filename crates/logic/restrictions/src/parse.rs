//! From the text of a restriction list to restrictions.

use std::time::Duration;

use parameters::list;

use crate::policy::{PolicyOptions, PolicyService};

/// One restriction with its argument.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Restriction {
    WarnIfReject,
    Permit,
    Reject,
    Defer,
    DeferIfPermit,
    DeferIfReject,
    Sleep(Duration),
    RejectUnauthPipelining,
    RejectPlaintextSession,
    CheckPolicyService(Box<PolicyService>),

    PermitInetInterfaces,
    PermitMynetworks,
    PermitSaslAuthenticated,
    /// With fingerprints in `relay_clientcerts`; or any that a known authority has signed.
    PermitTlsClientcerts,
    PermitTlsAllClientcerts,
    RejectUnknownClientHostname,
    RejectUnknownReverseClientHostname,
    /// A DNS list of addresses: refuse those on it, or permit them.
    AddressList {
        list: String,
        permit: bool,
    },
    /// `maps_rbl_domains`
    RejectMapsRbl,
    /// A DNS list of domain names.
    DomainList {
        list: String,
        subject: Subject,
        permit: bool,
    },

    /// `check_client_access` and its kind.
    Access {
        subject: Subject,
        table: Table,
    },
    /// `check_sender_mx_access` and its kind.
    ServerAccess {
        subject: Subject,
        kind: ServerKind,
        table: Table,
    },

    RejectInvalidHelo,
    RejectNonFqdnHelo,
    RejectUnknownHelo,
    PermitNakedIpAddress,

    RejectNonFqdn(Subject),
    RejectUnknownDomain(Subject),
    /// reject_unknown_address: whatever the list is about.
    RejectUnknownAddress,
    RejectUnverified(Subject),
    RejectUnlisted(Subject),
    RejectSenderLoginMismatch(Login),

    PermitAuthDestination,
    RejectUnauthDestination,
    DeferUnauthDestination,
    CheckRelayDomains,
    PermitMxBackup,
    RejectMultiRecipientBounce,

    /// The name of a restriction class.
    Class(String),
    /// A bare `type:table`: the access check that fits the list.
    BareTable(Table),
    /// Not to be understood; the text says what is wrong. Answers 451.
    Wrong(String),
    /// A DNS list without its name: told in the log, and passed over.
    Ignored(String),
}

/// What a restriction looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Subject {
    Client,
    ReverseClient,
    Helo,
    Sender,
    Recipient,
    Etrn,
    Certificate,
    Sasl,
}

/// Whose addresses an access check of servers looks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// The mail exchangers.
    Mx,
    /// The name servers.
    Ns,
    /// The name itself.
    Host,
}

/// Which senders must belong to a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// Those of clients that are logged in.
    Authenticated,
    /// Those of clients that are not.
    Unauthenticated,
    /// Both.
    Any,
    /// Those that have an owner.
    Known,
}

/// `type:name`
pub type Table = String;

/// Restrictions with no argument. Old names stand beside the present ones.
const PLAIN: &[(&str, Restriction)] = &[
    ("warn_if_reject", Restriction::WarnIfReject),
    ("permit", Restriction::Permit),
    ("reject", Restriction::Reject),
    ("defer", Restriction::Defer),
    ("defer_if_permit", Restriction::DeferIfPermit),
    ("defer_if_reject", Restriction::DeferIfReject),
    ("reject_unauth_pipelining", Restriction::RejectUnauthPipelining),
    ("reject_plaintext_session", Restriction::RejectPlaintextSession),
    ("permit_inet_interfaces", Restriction::PermitInetInterfaces),
    ("permit_mynetworks", Restriction::PermitMynetworks),
    ("permit_sasl_authenticated", Restriction::PermitSaslAuthenticated),
    ("permit_tls_clientcerts", Restriction::PermitTlsClientcerts),
    ("permit_tls_all_clientcerts", Restriction::PermitTlsAllClientcerts),
    ("reject_unknown_client_hostname", Restriction::RejectUnknownClientHostname),
    ("reject_unknown_client", Restriction::RejectUnknownClientHostname),
    ("reject_unknown_reverse_client_hostname", Restriction::RejectUnknownReverseClientHostname),
    ("reject_maps_rbl", Restriction::RejectMapsRbl),
    ("reject_invalid_helo_hostname", Restriction::RejectInvalidHelo),
    ("reject_invalid_hostname", Restriction::RejectInvalidHelo),
    ("reject_non_fqdn_helo_hostname", Restriction::RejectNonFqdnHelo),
    ("reject_non_fqdn_hostname", Restriction::RejectNonFqdnHelo),
    ("reject_unknown_helo_hostname", Restriction::RejectUnknownHelo),
    ("reject_unknown_hostname", Restriction::RejectUnknownHelo),
    ("permit_naked_ip_address", Restriction::PermitNakedIpAddress),
    ("reject_non_fqdn_sender", Restriction::RejectNonFqdn(Subject::Sender)),
    ("reject_non_fqdn_recipient", Restriction::RejectNonFqdn(Subject::Recipient)),
    ("reject_unknown_sender_domain", Restriction::RejectUnknownDomain(Subject::Sender)),
    ("reject_unknown_recipient_domain", Restriction::RejectUnknownDomain(Subject::Recipient)),
    ("reject_unknown_address", Restriction::RejectUnknownAddress),
    ("reject_unverified_sender", Restriction::RejectUnverified(Subject::Sender)),
    ("reject_unverified_recipient", Restriction::RejectUnverified(Subject::Recipient)),
    ("reject_unlisted_sender", Restriction::RejectUnlisted(Subject::Sender)),
    ("reject_unlisted_recipient", Restriction::RejectUnlisted(Subject::Recipient)),
    ("check_recipient_maps", Restriction::RejectUnlisted(Subject::Recipient)),
    ("reject_sender_login_mismatch", Restriction::RejectSenderLoginMismatch(Login::Any)),
    ("reject_known_sender_login_mismatch", Restriction::RejectSenderLoginMismatch(Login::Known)),
    (
        "reject_authenticated_sender_login_mismatch",
        Restriction::RejectSenderLoginMismatch(Login::Authenticated),
    ),
    (
        "reject_unauthenticated_sender_login_mismatch",
        Restriction::RejectSenderLoginMismatch(Login::Unauthenticated),
    ),
    ("permit_auth_destination", Restriction::PermitAuthDestination),
    ("reject_unauth_destination", Restriction::RejectUnauthDestination),
    ("defer_unauth_destination", Restriction::DeferUnauthDestination),
    ("check_relay_domains", Restriction::CheckRelayDomains),
    ("permit_mx_backup", Restriction::PermitMxBackup),
    ("reject_multi_recipient_bounce", Restriction::RejectMultiRecipientBounce),
];

/// Reads a list. `classes` are the names of `smtpd_restriction_classes`.
pub(crate) fn parse(text: &str, classes: &[(String, String)], policy: &PolicyOptions) -> Vec<Restriction> {
    let words: Vec<&str> = list::items(text).collect();
    let mut restrictions = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let (restriction, used) = one(word, words.get(at + 1).copied(), classes, policy);
        restrictions.push(restriction);
        at += used;
    }
    restrictions
}

fn one(
    word: &str,
    argument: Option<&str>,
    classes: &[(String, String)],
    policy: &PolicyOptions,
) -> (Restriction, usize) {
    if classes.iter().any(|(name, _)| name.eq_ignore_ascii_case(word)) {
        return (Restriction::Class(word.to_owned()), 1);
    }
    let plain = PLAIN.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    if let Some((_, restriction)) = plain {
        return (restriction.clone(), 1);
    }
    let name = word.to_ascii_lowercase();
    match with_argument(&name, argument, policy) {
        Some(restriction) => (restriction, 2),
        None if is_table(word) => (Restriction::BareTable(word.to_owned()), 1),
        None => (Restriction::Wrong(format!("unknown smtpd restriction: \"{word}\"")), 1),
    }
}

fn with_argument(name: &str, argument: Option<&str>, policy: &PolicyOptions) -> Option<Restriction> {
    if let Some(rest) = name.strip_prefix("check_").and_then(|rest| rest.strip_suffix("_access")) {
        return access(name, rest, argument);
    }
    let wants = |what: &str| Restriction::Wrong(format!("restriction {name} {what}"));
    let domain = |permit: bool, subject: Option<Subject>| match (argument, subject) {
        (None, _) => Restriction::Ignored(format!("restriction {name} requires domain name argument")),
        (Some(list), None) => Restriction::AddressList { list: list.to_owned(), permit },
        (Some(list), Some(subject)) => Restriction::DomainList { list: list.to_owned(), subject, permit },
    };
    Some(match name {
        "check_policy_service" => match argument {
            Some(service) => match PolicyService::parse(service, policy) {
                Ok(service) => Restriction::CheckPolicyService(Box::new(service)),
                Err(why) => Restriction::Wrong(why),
            },
            None => wants("must be followed by transport:server"),
        },
        "sleep" => match argument.and_then(|text| text.parse().ok()) {
            Some(seconds) => Restriction::Sleep(Duration::from_secs(seconds)),
            None => wants("must be followed by number"),
        },
        "reject_rbl_client" | "reject_rbl" => domain(false, None),
        "permit_dnswl_client" => domain(true, None),
        "reject_rhsbl_client" => domain(false, Some(Subject::Client)),
        "permit_rhswl_client" => domain(true, Some(Subject::Client)),
        "reject_rhsbl_reverse_client" => domain(false, Some(Subject::ReverseClient)),
        "reject_rhsbl_helo" => domain(false, Some(Subject::Helo)),
        "reject_rhsbl_sender" => domain(false, Some(Subject::Sender)),
        "reject_rhsbl_recipient" => domain(false, Some(Subject::Recipient)),
        _ => return None,
    })
}

/// `check_SUBJECT_access`, `check_SUBJECT_mx_access`
fn access(name: &str, what: &str, argument: Option<&str>) -> Option<Restriction> {
    let (what, kind) = match what.rsplit_once('_') {
        Some((rest, "mx")) => (rest, Some(ServerKind::Mx)),
        Some((rest, "ns")) => (rest, Some(ServerKind::Ns)),
        Some((rest, "a")) => (rest, Some(ServerKind::Host)),
        _ => (what, None),
    };
    let subject = match what {
        "client" => Subject::Client,
        "reverse_client_hostname" => Subject::ReverseClient,
        "helo" => Subject::Helo,
        "sender" => Subject::Sender,
        "recipient" => Subject::Recipient,
        "etrn" if kind.is_none() => Subject::Etrn,
        "ccert" if kind.is_none() => Subject::Certificate,
        "sasl" if kind.is_none() => Subject::Sasl,
        _ => return None,
    };
    let Some(table) = argument.filter(|table| is_table(table)) else {
        let argument = argument.unwrap_or(name);
        let wrong = format!("restriction {name}: bad argument \"{argument}\": need maptype:mapname");
        return Some(Restriction::Wrong(wrong));
    };
    let table = table.to_owned();
    Some(match kind {
        None => Restriction::Access { subject, table },
        Some(kind) => Restriction::ServerAccess { subject, kind, table },
    })
}

fn is_table(word: &str) -> bool {
    word.split_once(':').is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_with_arguments_and_classes() {
        let classes = [("greylisting".to_owned(), String::new())];
        let text = "permit_mynetworks, check_client_access hash:/a  reject_rbl_client zen.example=127.0.0.[2..9]\n\
                    check_policy_service { inet:host:port, timeout=10s } greylisting hash:/b check_sender_mx_access cidr:/c";
        let expected = vec![
            Restriction::PermitMynetworks,
            Restriction::Access { subject: Subject::Client, table: "hash:/a".into() },
            Restriction::AddressList { list: "zen.example=127.0.0.[2..9]".into(), permit: false },
            Restriction::CheckPolicyService(Box::new(PolicyService {
                endpoint: "inet:host:port".to_owned(),
                options: PolicyOptions { timeout: Duration::from_secs(10), ..PolicyOptions::default() },
            })),
            Restriction::Class("greylisting".into()),
            Restriction::BareTable("hash:/b".into()),
            Restriction::ServerAccess {
                subject: Subject::Sender,
                kind: ServerKind::Mx,
                table: "cidr:/c".into(),
            },
        ];
        assert_eq!(parse(text, &classes, &PolicyOptions::default()), expected);
    }

    #[test]
    fn what_can_not_be_understood_says_why() {
        let wrong = |text: &str| match parse(text, &[], &PolicyOptions::default()).remove(0) {
            Restriction::Wrong(why) | Restriction::Ignored(why) => why,
            other => panic!("{text} is {other:?}"),
        };
        assert_eq!(wrong("reject_unkown_client"), "unknown smtpd restriction: \"reject_unkown_client\"");
        assert_eq!(wrong("reject_rbl_client"), "restriction reject_rbl_client requires domain name argument");
        let bad = "restriction check_helo_access: bad argument \"reject\": need maptype:mapname";
        assert_eq!(wrong("check_helo_access reject"), bad);
    }
}
