//! `_BAYES_`, `_SPAMMYTOKENS(N)_` and their like: what the learner said.

use crate::bayes::{Clue, Judgement, distance_to_neutral};
use crate::check::Check;

/// Tokens that are shown when nobody says how many.
const SHOWN: usize = 5;
/// What the original shows for a message that the learner did not judge.
const EVEN: &str = "0.5";

impl Check<'_> {
    pub(super) fn bayes_tag(&self, name: &str, argument: Option<&str>) -> Option<String> {
        let judgement = self.findings.bayes.as_ref();
        let count = |count: fn(&Judgement) -> usize| {
            judgement.map_or(String::new(), |found| count(found).to_string())
        };
        Some(match name {
            "BAYES" => judgement
                .and_then(|found| found.probability)
                .map_or_else(|| EVEN.to_owned(), |probability| format!("{probability:.4}")),
            "BAYESTC" => count(|found| found.tokens),
            "BAYESTCLEARNED" => count(|found| found.known),
            "BAYESTCSPAMMY" => count(|found| found.clues_of(true).count()),
            "BAYESTCHAMMY" => count(|found| found.clues_of(false).count()),
            "SPAMMYTOKENS" => shown(judgement, true, argument),
            "HAMMYTOKENS" => shown(judgement, false, argument),
            "TOKENSUMMARY" => judgement.map_or_else(|| "Bayes not run.".to_owned(), summary),
            _ => return None,
        })
    }
}

fn summary(found: &Judgement) -> String {
    let (spammy, hammy) = (found.clues_of(true).count(), found.clues_of(false).count());
    let (new, neutral) = (found.tokens - found.known, found.known - spammy - hammy);
    format!("Tokens: new, {new}; hammy, {hammy}; neutral, {neutral}; spammy, {spammy}.")
}

/// The strongest tokens: `0.987-+--word`, which is the probability, the distance to neutral and the token.
fn shown(judgement: Option<&Judgement>, spam: bool, argument: Option<&str>) -> String {
    let Some(found) = judgement else { return "Tokens not available.".to_owned() };
    let mut words = argument.unwrap_or_default().split(',');
    let limit = words.next().and_then(|word| word.trim().parse().ok()).unwrap_or(SHOWN);
    let form = words.next().unwrap_or_default().trim();
    let clues = found.clues_of(spam).take(limit);
    clues.map(|clue| one(found, clue, form)).collect::<Vec<_>>().join(", ")
}

fn one(found: &Judgement, clue: &Clue, form: &str) -> String {
    let word = String::from_utf8_lossy(&clue.word);
    let (probability, counts) = (clue.probability, clue.counts);
    let distance = distance_to_neutral(counts, found.tally, probability);
    let digit = |number: i64| if number > 9 { "+".to_owned() } else { number.to_string() };
    let short = digit(distance);
    match form {
        "short" => word.into_owned(),
        "medium" => {
            let seen = digit(i64::from(counts.spam) + i64::from(counts.ham));
            format!("{probability:.3}-{short}-{seen}--{word}")
        }
        "long" => format!("{probability:.3}-{distance}--{}h-{}s--{word}", counts.ham, counts.spam),
        _ => format!("{probability:.3}-{short}--{word}"),
    }
}
