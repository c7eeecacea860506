//! Rules that ask networks of checksums how often a message was seen: Pyzor and DCC.

use checksums::dcc::{self, Client, Counts, Purpose};
use checksums::pyzor::Digest;

use super::walk::Walk;
use crate::mail::Mail;
use crate::rules::Clearinghouses;
use crate::ruleset::RuleId;

/// So many reports mean nothing: empty messages have them.
const REPORTS_LIMIT: u64 = 1_000_000;
/// The same of those who said that it is welcome.
const WELCOMES_LIMIT: u64 = 10_000;

/// What a rule wants to know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Query {
    /// `check_pyzor()`
    Pyzor,
    /// `check_dcc()`
    Dcc,
    /// `check_dcc_reputation_range(least, most)`: percent.
    Reputation(f64, f64),
}

impl Query {
    pub(crate) fn is_known(name: &str) -> bool {
        matches!(name, "check_pyzor" | "check_dcc" | "check_dcc_reputation_range")
    }

    pub(crate) fn new(name: &str, arguments: &[String]) -> Option<Self> {
        let number = |index: usize, usual: f64| match arguments.get(index) {
            Some(text) if !text.is_empty() => text.parse().ok(),
            _ => Some(usual),
        };
        Some(match name {
            "check_pyzor" => Self::Pyzor,
            "check_dcc" => Self::Dcc,
            _ => Self::Reputation(number(0, 0.0)?, number(1, 100.0)?),
        })
    }

    /// Does it ask Pyzor, and is that on?
    fn wants_pyzor(&self, settings: &Clearinghouses) -> bool {
        *self == Self::Pyzor && settings.pyzor.active
    }

    fn wants_dcc(&self, settings: &Clearinghouses) -> bool {
        *self != Self::Pyzor && settings.dcc.active
    }
}

/// What has to be said to the networks about a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errands {
    /// What Pyzor's servers know the message by.
    pub pyzor: Option<Digest>,
    /// What DCC's interface daemon is sent.
    pub dcc: Option<Vec<u8>>,
}

impl Errands {
    /// Nobody has to be told or asked anything.
    pub fn is_empty(&self) -> bool {
        self.pyzor.is_none() && self.dcc.is_none()
    }

    /// What active rules want to know.
    pub(crate) fn of_check(
        mail: &Mail<'_>,
        queries: &[(RuleId, Query)],
        asks_pyzor: bool,
        active: &dyn Fn(RuleId) -> bool,
    ) -> Self {
        let (pyzor, dcc) = wanted(queries, &mail.settings.clearinghouses, active);
        Self::new(mail, Purpose::Check, pyzor && asks_pyzor, dcc)
    }

    /// That it is spam, to all networks that are on.
    pub(crate) fn of_report(mail: &Mail<'_>) -> Self {
        let settings = &mail.settings.clearinghouses;
        Self::new(mail, Purpose::Report, settings.pyzor.active, settings.dcc.active)
    }

    fn new(mail: &Mail<'_>, purpose: Purpose, pyzor: bool, dcc: bool) -> Self {
        if !pyzor && !dcc {
            return Self::default();
        }
        let message = mail.tree.pristine();
        let options = &mail.settings.clearinghouses.dcc.options;
        let request = || dcc::request(purpose, options, client(mail).as_ref(), &message);
        Self {
            pyzor: if pyzor { Digest::of(&message) } else { None },
            dcc: (dcc && !message.is_empty()).then(request),
        }
    }
}

/// Who handed the message in from outside.
fn client(mail: &Mail<'_>) -> Option<Client> {
    let relay = mail.relays.external.first()?;
    Some(Client { ip: relay.ip.clone(), name: relay.rdns.clone(), helo: relay.helo.clone() })
}

/// What the networks said, as rules that hit, and as tags.
pub(super) fn judge(walk: &mut Walk<'_>) {
    let settings = &walk.mail.settings.clearinghouses;
    let queries = &walk.calls.checksums;
    if settings.pyzor.active && walk.answers.pyzor.is_some() {
        let first = queries.iter().find(|(rule, query)| *query == Query::Pyzor && walk.is_active(*rule));
        if let Some((rule, _)) = first {
            pyzor(walk, *rule);
        }
    }
    if settings.dcc.active
        && queries.iter().any(|(rule, query)| *query != Query::Pyzor && walk.is_active(*rule))
    {
        dcc(walk);
    }
}

fn pyzor(walk: &mut Walk<'_>, rule: RuleId) {
    let settings = &walk.mail.settings.clearinghouses.pyzor;
    let Some(found) = walk.answers.pyzor else { return };
    let (reported, welcomed) = (found.reported, found.welcomelisted);
    let text = format!("Reported {reported} times, welcomelisted {welcomed} times.");
    walk.tags.push(("PYZOR", vec![text.into_bytes()]));
    if reported >= REPORTS_LIMIT || welcomed >= WELCOMES_LIMIT {
        return;
    }
    let (reported, welcomed) = (number(reported), number(welcomed));
    let limit =
        if welcomed >= settings.welcomelist_min { reported * settings.welcomelist_factor } else { 0.0 };
    let is_welcome = limit != 0.0 && welcomed >= limit;
    if !is_welcome && reported >= settings.count_min {
        walk.found(rule);
    }
}

fn dcc(walk: &mut Walk<'_>) {
    let settings = &walk.mail.settings.clearinghouses.dcc;
    let Some(metrics) = &walk.answers.dcc else { return };
    let mut counts = metrics.counts();
    counts.reputation = counts.reputation.filter(|_| settings.reputation);
    let (brand, value) = metrics.brand_and_value().unwrap_or_default();
    let percent = counts.reputation.map(|percent| percent.to_string()).unwrap_or_default();
    let tags = [("DCCB", brand), ("DCCR", value), ("DCCREP", percent.as_str())];
    walk.tags.extend(tags.map(|(tag, text)| (tag, vec![text.as_bytes().to_vec()])));
    let calls = walk.calls;
    for (rule, query) in &calls.checksums {
        let holds = match query {
            Query::Pyzor => false,
            Query::Dcc => is_bulk(&counts, settings),
            Query::Reputation(least, most) => {
                counts.reputation.is_some_and(|percent| (*least..=*most).contains(&number(percent)))
            }
        };
        if holds && walk.is_active(*rule) {
            walk.found(*rule);
        }
    }
}

fn is_bulk(counts: &Counts, settings: &crate::rules::Dcc) -> bool {
    number(counts.body) >= settings.body_max
        || number(counts.fuz1) >= settings.fuz1_max
        || number(counts.fuz2) >= settings.fuz2_max
        || number(counts.reputation.unwrap_or_default()) >= settings.rep_percent
}

#[allow(clippy::cast_precision_loss)] // Such counts are not that exact.
fn number(count: u64) -> f64 {
    count as f64
}

/// Do active rules ask Pyzor? Do they ask DCC?
pub(super) fn wanted(
    queries: &[(RuleId, Query)],
    settings: &Clearinghouses,
    active: &dyn Fn(RuleId) -> bool,
) -> (bool, bool) {
    let any = |wants: fn(&Query, &Clearinghouses) -> bool| {
        queries.iter().any(|(rule, query)| wants(query, settings) && active(*rule))
    };
    (any(Query::wants_pyzor), any(Query::wants_dcc))
}
