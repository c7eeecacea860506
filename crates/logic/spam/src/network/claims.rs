//! What a sender claims to be, and whether that is so: rules about SPF, DKIM and DMARC.

use spf::Verdict;

use super::alignment::{self, Alignment};
use super::practices;
use super::sender_policy::{self, Identity};
use super::signatures::{Signed, State};
use super::walk::Walk;
use crate::eval::Found;

/// What a rule wants to be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claim {
    /// SPF comes to this.
    Policy(Identity, Outcome),
    /// SPF passes, and the sender is in `welcomelist_from_spf` or, of the second kind, in `def_welcomelist_from_spf`.
    WelcomePolicy { default: bool },
    /// Nobody says who sent it.
    NoEnvelopeSender,
    /// Somebody signed: anybody, or one of these domains.
    Signed(Vec<String>),
    /// It is what was signed.
    SignatureValid(Vec<String>),
    /// It is what the author's own domain signed.
    AuthorSignatureValid(Vec<String>),
    /// It is what the domain of the envelope's sender signed.
    EnvelopeSignatureValid,
    /// Signatures were looked at.
    SignaturesKnown,
    /// An author's domain that did not sign has practices with one of these letters.
    Practices { letters: String, domains: Vec<String> },
    /// An author is welcome because of who signed.
    WelcomeSignature { default: bool },
    /// Hosts on the way sealed it.
    Sealed,
    /// One of the seals is genuine.
    SealValid,
    /// The author's domain wants this done (DMARC).
    Aligned(Alignment),
    /// It never hits in the peer: what it is about is never noted, or is always true.
    Nothing,
}

/// A verdict without its reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    None,
    Neutral,
    Pass,
    Fail,
    SoftFail,
    TempError,
    PermError,
}

impl Outcome {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "neutral" => Self::Neutral,
            "pass" => Self::Pass,
            "fail" => Self::Fail,
            "softfail" => Self::SoftFail,
            "temperror" => Self::TempError,
            "permerror" => Self::PermError,
            _ => return None,
        })
    }

    pub(super) fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::None => Self::None,
            Verdict::Neutral => Self::Neutral,
            Verdict::Pass => Self::Pass,
            Verdict::Fail { .. } => Self::Fail,
            Verdict::SoftFail => Self::SoftFail,
            Verdict::TempError => Self::TempError,
            Verdict::PermError => Self::PermError,
        }
    }
}

impl Claim {
    /// Is it a function's name?
    pub(super) fn is_known(name: &str) -> bool {
        Self::new(name, &[]).is_some()
    }

    /// What a function wants; `None` when it is another one.
    pub(super) fn new(name: &str, arguments: &[String]) -> Option<Self> {
        let domains = || arguments.to_vec();
        match name.replace("whitelist", "welcomelist").as_str() {
            "check_spf_skipped_noenvfrom" => return Some(Self::NoEnvelopeSender),
            "check_for_spf_welcomelist_from" => return Some(Self::WelcomePolicy { default: false }),
            "check_for_def_spf_welcomelist_from" => return Some(Self::WelcomePolicy { default: true }),
            "check_dkim_signed" => return Some(Self::Signed(domains())),
            "check_dkim_valid" | "check_dkim_verified" => return Some(Self::SignatureValid(domains())),
            "check_dkim_valid_author_sig" => return Some(Self::AuthorSignatureValid(domains())),
            "check_dkim_valid_envelopefrom" => return Some(Self::EnvelopeSignatureValid),
            "check_dkim_dependable" => return Some(Self::SignaturesKnown),
            "check_dkim_adsp" => return Some(practices_of(arguments)),
            "check_dkim_signall" => return Some(practices_of(&["A".to_owned()])),
            "check_dkim_signsome" | "check_dkim_testing" => return Some(Self::Nothing),
            "check_for_dkim_welcomelist_from" => return Some(Self::WelcomeSignature { default: false }),
            "check_for_def_dkim_welcomelist_from" => return Some(Self::WelcomeSignature { default: true }),
            "check_dmarc_pass" => return Some(Self::Aligned(Alignment::Pass)),
            "check_dmarc_reject" => return Some(Self::Aligned(Alignment::Reject)),
            "check_dmarc_quarantine" => return Some(Self::Aligned(Alignment::Quarantine)),
            "check_dmarc_none" => return Some(Self::Aligned(Alignment::Nothing)),
            "check_dmarc_missing" => return Some(Self::Aligned(Alignment::Missing)),
            "check_arc_signed" | "check_arc_valid" if !arguments.is_empty() => return Some(Self::Nothing),
            "check_arc_signed" => return Some(Self::Sealed),
            "check_arc_valid" => return Some(Self::SealValid),
            _ => {}
        }
        let result = name.strip_prefix("check_for_spf_")?;
        let (identity, result) = match result.strip_prefix("helo_") {
            Some(result) => (Identity::Helo, result),
            None => (Identity::Envelope, result),
        };
        Some(Self::Policy(identity, Outcome::parse(result)?))
    }
}

/// `letters, domain, domain`
fn practices_of(arguments: &[String]) -> Claim {
    let (letters, domains) =
        arguments.split_first().map_or((String::new(), &[][..]), |(letters, rest)| (letters.clone(), rest));
    Claim::Practices { letters, domains: domains.to_vec() }
}

/// Is it so?
pub(super) fn holds(walk: &mut Walk<'_>, claim: &Claim) -> Found {
    match claim {
        Claim::Policy(identity, wanted) => sender_policy::outcome_is(walk, *identity, *wanted),
        Claim::WelcomePolicy { default } => sender_policy::is_welcome(walk, *default).into(),
        Claim::NoEnvelopeSender => sender_policy::sender(walk.mail).is_none().into(),
        Claim::Nothing => Found::No,
        claim => {
            let signed = walk.signed();
            let holds = holds_of_signatures(walk, claim, &signed);
            walk.keep_signed(signed);
            holds.into()
        }
    }
}

fn holds_of_signatures(walk: &mut Walk<'_>, claim: &Claim, signed: &Signed) -> bool {
    match claim {
        Claim::Signed(domains) if domains.is_empty() => !signed.signatures.is_empty(),
        Claim::Signed(domains) => signed.is_signed_by(domains, |_| true, false),
        Claim::SignatureValid(domains) if domains.is_empty() => signed.is_valid(),
        Claim::SignatureValid(domains) => signed.is_signed_by(domains, State::is_strong, false),
        Claim::AuthorSignatureValid(domains) => signed.is_signed_by(domains, State::is_strong, true),
        Claim::EnvelopeSignatureValid => {
            let sender = String::from_utf8_lossy(&walk.mail.text("EnvelopeFrom:addr")).into_owned();
            let domain =
                sender.split_once('@').map(|(_, domain)| domain.split_whitespace().next().unwrap_or(""));
            domain.is_some_and(|domain| signed.is_signed_by(&[domain.to_owned()], State::is_strong, false))
        }
        Claim::SignaturesKnown => true,
        Claim::Practices { letters, domains } => practices::hold(walk, signed, letters, domains),
        Claim::WelcomeSignature { default } => signed.is_welcome(walk.mail, *default),
        Claim::Aligned(wanted) => alignment::of(walk, signed) == Some(*wanted),
        Claim::Sealed => !signed.seals.is_empty(),
        Claim::SealValid => signed.seals.iter().any(|(_, state)| state.is_valid()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_the_plugins() {
        let of = |name: &str| Claim::new(name, &[]);
        assert_eq!(of("check_for_spf_softfail"), Some(Claim::Policy(Identity::Envelope, Outcome::SoftFail)));
        assert_eq!(of("check_for_spf_helo_none"), Some(Claim::Policy(Identity::Helo, Outcome::None)));
        assert_eq!(of("check_for_def_spf_whitelist_from"), Some(Claim::WelcomePolicy { default: true }));
        assert_eq!(of("check_for_spf_maybe"), None);
    }
}
