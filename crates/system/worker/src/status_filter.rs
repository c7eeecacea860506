//! `default_delivery_status_filter` and its siblings: what the administrator would rather say of a delivery.

use std::fmt;

use lookup::{Lookup, Part};
use parameters::{Config, Param};
use services::delivery::{Outcome, Verdict, is_status};
use tables::{Options, Tables};

/// The filter of one delivery agent. With no tables it changes nothing.
pub struct StatusFilter {
    maps: String,
    name: &'static str,
    tables: Tables,
}

impl fmt::Debug for StatusFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusFilter").field("maps", &self.maps).finish_non_exhaustive()
    }
}

impl StatusFilter {
    /// The filter that this parameter names; opens its tables.
    pub fn new(config: &Config, parameter: &Param<String>) -> Self {
        let maps = config.get(parameter);
        let tables = Tables::new(Options::default());
        tables.open_maps(&maps);
        Self { maps, name: parameter.name(), tables }
    }

    /// Its tables, for `Service::tables`.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The outcome as it is to be logged and reported. A success stays a success, a failure a failure.
    pub fn apply(&self, outcome: Outcome) -> Outcome {
        if self.maps.is_empty() { outcome } else { filtered(&self.tables, &self.maps, self.name, outcome) }
    }
}

fn filtered(tables: &dyn Lookup, maps: &str, name: &str, outcome: Outcome) -> Outcome {
    let said = format!("{} {}", outcome.status, outcome.text);
    let found = match tables.find(maps, &said, Part::Whole) {
        Ok(Some(found)) => found,
        Ok(None) => return outcome,
        Err(_) => {
            log::warn!("{name}: table lookup error for \"{said}\"");
            return outcome;
        }
    };
    match replaced(&outcome, &found.value) {
        Some(new) => new,
        None => {
            log::warn!("{name}: bad lookup result \"{}\" for \"{said}\"", found.value);
            outcome
        }
    }
}

/// None for a result of another form, or one that turns success into failure or the other way about.
fn replaced(outcome: &Outcome, value: &str) -> Option<Outcome> {
    let (status, text) = value.trim().split_once(|character: char| character.is_ascii_whitespace())?;
    let text = text.trim_start();
    let verdict = match status.as_bytes().first() {
        _ if !is_status(status) || text.is_empty() => return None,
        Some(b'2') => Verdict::Sent,
        Some(b'4') => Verdict::Deferred,
        _ => Verdict::Bounced,
    };
    let is_success = |verdict| verdict == Verdict::Sent;
    (is_success(verdict) == is_success(outcome.verdict)).then(|| Outcome {
        verdict,
        status: status.to_owned(),
        text: text.to_owned(),
        ..outcome.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lookup::Memory;

    fn apply(verdict: Verdict, status: &str, text: &str, value: &str) -> (Verdict, String) {
        let memory = Memory::new().table("hash:f", &[(&format!("{status} {text}"), value)]);
        let outcome = filtered(&memory, "hash:f", "x_filter", Outcome::new(verdict, status, text, "virtual"));
        (outcome.verdict, format!("{} {}", outcome.status, outcome.text))
    }

    #[test]
    fn failures_become_harder_or_softer_and_texts_others() {
        let hard = apply(Verdict::Deferred, "4.2.2", "full", "5.2.2 mailbox is full");
        assert_eq!(hard, (Verdict::Bounced, "5.2.2 mailbox is full".into()));
        let soft = apply(Verdict::Bounced, "5.1.1", "unknown", "4.1.1 not yet");
        assert_eq!(soft, (Verdict::Deferred, "4.1.1 not yet".into()));
        let sent = apply(Verdict::Sent, "2.0.0", "delivered to maildir", "2.1.5 ok");
        assert_eq!(sent, (Verdict::Sent, "2.1.5 ok".into()));
    }

    #[test]
    fn success_and_failure_stay_what_they_are() {
        for (verdict, status, value) in [
            (Verdict::Sent, "2.0.0", "5.0.0 no"),
            (Verdict::Bounced, "5.0.0", "2.0.0 yes"),
            (Verdict::Deferred, "4.0.0", "5.1.1"),
            (Verdict::Deferred, "4.0.0", "nonsense text"),
        ] {
            assert_eq!(apply(verdict, status, "x", value), (verdict, format!("{status} x")), "{value}");
        }
    }
}
