//! What a sender claims to be, and whether that is so: rules about SPF, DKIM and DMARC.

use spf::Verdict;

use super::sender_policy::{self, Identity};
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
    pub(super) fn new(name: &str, _arguments: &[String]) -> Option<Self> {
        match name.replace("whitelist", "welcomelist").as_str() {
            "check_spf_skipped_noenvfrom" => return Some(Self::NoEnvelopeSender),
            "check_for_spf_welcomelist_from" => return Some(Self::WelcomePolicy { default: false }),
            "check_for_def_spf_welcomelist_from" => return Some(Self::WelcomePolicy { default: true }),
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

/// Is it so?
pub(super) fn holds(walk: &mut Walk<'_>, claim: &Claim) -> Found {
    match claim {
        Claim::Policy(identity, wanted) => sender_policy::outcome_is(walk, *identity, *wanted),
        Claim::WelcomePolicy { default } => sender_policy::is_welcome(walk, *default).into(),
        Claim::NoEnvelopeSender => sender_policy::sender(walk.mail).is_none().into(),
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
