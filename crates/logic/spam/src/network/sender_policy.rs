//! SPF, as rules ask for it: of the envelope's sender and of the name in HELO, against the last relay that is not ours.

use spf::{Kind, Told, Verdict, Zone};

use super::claims::Outcome;
use super::question::RecordKind;
use super::walk::{Known, Walk};
use crate::addresses_of_hosts::parse;
use crate::eval::Found;
use crate::mail::Mail;
use crate::perl::Fixed;

/// Who is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// The envelope's sender.
    Envelope,
    /// The name in HELO.
    Helo,
}

impl Policies {
    /// May the relay send for the envelope's sender, as far as somebody asked?
    pub(super) fn sender_passes(&self) -> bool {
        self.envelope.as_ref().is_some_and(|policy| policy.verdict == Some(Verdict::Pass))
    }
}

/// What is known of both identities.
#[derive(Debug, Clone, Default)]
pub(super) struct Policies {
    envelope: Option<Policy>,
    helo: Option<Policy>,
}

/// A verdict; `None` when nothing could be asked, or the answers are not there.
#[derive(Debug, Clone, Default)]
struct Policy {
    verdict: Option<Verdict>,
    /// One of our own hosts asked DNS already, and has put down what came of it.
    inherited: bool,
}

/// Does SPF come to this?
pub(super) fn outcome_is(walk: &mut Walk<'_>, identity: Identity, wanted: Outcome) -> Found {
    let policy = policy(walk, identity);
    let Some(verdict) = policy.verdict.filter(|verdict| Outcome::of(verdict) == wanted) else {
        return Found::No;
    };
    match verdict {
        Verdict::Fail { explanation } if !policy.inherited => {
            let words = explanation.unwrap_or_else(|| "Rejected by SPF record".to_owned());
            Found::Because(format!("SPF failed: {}", squeezed(&words)))
        }
        _ => Found::Yes,
    }
}

/// The outcome of an identity; `None` when there is none.
pub(super) fn outcome(walk: &mut Walk<'_>, identity: Identity) -> Option<Outcome> {
    policy(walk, identity).verdict.as_ref().map(Outcome::of)
}

/// Is the sender in a list, and may the relay send for it?
pub(super) fn is_welcome(walk: &mut Walk<'_>, default: bool) -> bool {
    let Some(sender) = sender(walk.mail).filter(|sender| !sender.is_empty()) else { return false };
    let names = if default {
        ["def_welcomelist_from_spf", "def_welcomelist_auth"]
    } else {
        ["welcomelist_from_spf", "welcomelist_auth"]
    };
    names.iter().any(|name| walk.mail.settings.list_contains(name, &sender))
        && outcome(walk, Identity::Envelope) == Some(Outcome::Pass)
}

/// The envelope's sender as the last relay that is not ours gave it, in lower case. A header field is believed only when no
/// trusted relay may have changed the envelope since.
pub(super) fn sender(mail: &Mail<'_>) -> Option<Vec<u8>> {
    let told = mail.relays.external.first().and_then(|hop| hop.envelope_sender.clone());
    let trusts = mail.relays.trusted.is_empty() || mail.settings.authenticity.always_trust_envelope_sender;
    let in_header = || mail.get("EnvelopeFrom:addr").first().cloned();
    told.or_else(|| if trusts { in_header() } else { None }).map(|sender| sender.to_ascii_lowercase())
}

fn policy(walk: &mut Walk<'_>, identity: Identity) -> Policy {
    let mut policies = walk.policies.take().unwrap_or_else(|| inherited(walk.mail));
    let known = match identity {
        Identity::Envelope => &mut policies.envelope,
        Identity::Helo => &mut policies.helo,
    };
    let policy =
        known.get_or_insert_with(|| Policy { verdict: asked(walk, identity), inherited: false }).clone();
    walk.policies = Some(policies);
    policy
}

fn asked(walk: &mut Walk<'_>, identity: Identity) -> Option<Verdict> {
    static NO_NAME: Fixed = Fixed::new(r"^(?:[\[!]?\d+\.\d+\.\d+\.\d+[\]!]?|[^.]+)$");
    let mail = walk.mail;
    let hop = mail.relays.external.first()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let identity = match identity {
        Identity::Helo if NO_NAME.is_match(&hop.helo) => return None,
        Identity::Helo => text(&hop.helo),
        Identity::Envelope => text(&sender(mail)?),
    };
    if identity.is_empty() {
        return None;
    }
    let request = spf::Request {
        ip: parse(&hop.ip)?,
        identity,
        helo: if hop.helo.is_empty() { "unknown".to_owned() } else { text(&hop.helo) },
        receiver: mail.settings.report_hostname.clone(),
        now: walk.now,
    };
    spf::check(&request, &mut Asked { walk })
}

/// What one of our own hosts found, and wrote into the header.
fn inherited(mail: &Mail<'_>) -> Policies {
    static FIELD: Fixed = Fixed::new(
        r"(?i)^received-spf:\s*(pass|neutral|(?:soft)?fail|(?:temp|perm)error|none)\b(?:.*\bidentity=(\S+?);?\b)?",
    );
    static RESULTS: Fixed = Fixed::new(r"(?i)^(?:Arc\-)?Authentication-Results:.*;\s*SPF\s*=\s*([^;]*)");
    static RESULT: Fixed = Fixed::new(
        r"(?i)^(pass|neutral|(?:hard|soft)?fail|(?:temp|perm)error|none)(?:[^;]*?\bsmtp\.(\S+)\s*=[^;]+)?",
    );
    let mut policies = Policies::default();
    let settings = &mail.settings.authenticity;
    if settings.ignore_received_spf_header {
        return policies;
    }
    let mut fields = mail.get("ALL-INTERNAL").to_vec();
    if !settings.use_newest_received_spf_header {
        fields.reverse();
    }
    for field in fields {
        let is_spf = field.get(..13).is_some_and(|name| name.eq_ignore_ascii_case(b"received-spf:"));
        let groups = if is_spf {
            FIELD.groups(&field).map(|groups| (groups.text(1), groups.text(2)))
        } else {
            let results = RESULTS.groups(&field).map(|groups| groups.text(1));
            results.and_then(|text| RESULT.groups(&text).map(|groups| (groups.text(1), groups.text(2))))
        };
        let found = groups.and_then(|(result, identity)| Some((verdict_called(&result)?, identity)));
        if let Some((verdict, identity)) = found {
            policies.inherit(&identity, verdict);
        }
    }
    policies
}

impl Policies {
    /// The first that says something counts; without a name it is about the envelope's sender.
    fn inherit(&mut self, identity: &[u8], verdict: Verdict) {
        let place = match identity.to_ascii_lowercase().as_slice() {
            b"" | b"mfrom" | b"mailfrom" => &mut self.envelope,
            b"helo" => &mut self.helo,
            _ => return,
        };
        place.get_or_insert(Policy { verdict: Some(verdict), inherited: true });
    }
}

fn verdict_called(name: &[u8]) -> Option<Verdict> {
    Some(match name.to_ascii_lowercase().as_slice() {
        b"pass" => Verdict::Pass,
        b"neutral" => Verdict::Neutral,
        b"none" => Verdict::None,
        b"fail" | b"hardfail" => Verdict::Fail { explanation: None },
        b"softfail" => Verdict::SoftFail,
        b"temperror" => Verdict::TempError,
        b"permerror" => Verdict::PermError,
        _ => return None,
    })
}

/// DNS, as far as the answers reach.
struct Asked<'w, 'a> {
    walk: &'w mut Walk<'a>,
}

impl Zone for Asked<'_, '_> {
    fn ask(&mut self, name: &str, kind: Kind) -> Told {
        let kind = match kind {
            Kind::A => RecordKind::A,
            Kind::Aaaa => RecordKind::Aaaa,
            Kind::Mx => RecordKind::Mx,
            Kind::Ptr => RecordKind::Ptr,
            Kind::Txt => RecordKind::Txt,
        };
        match self.walk.told(name, kind) {
            // RFC 1035 §4.1.1: no error, or no such name.
            Known::Reply(reply) if matches!(reply.code, 0 | 3) => Told::Records(reply.records.clone()),
            Known::NoName => Told::Records(Vec::new()),
            Known::Reply(_) | Known::Nothing => Told::Failed,
            Known::NotYet => Told::NotYet,
        }
    }
}

/// Blanks become single ones.
fn squeezed(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for char in text.chars() {
        let blank = char.is_ascii_whitespace();
        if !(blank && squeezed.ends_with(' ')) {
            squeezed.push(if blank { ' ' } else { char });
        }
    }
    squeezed
}
