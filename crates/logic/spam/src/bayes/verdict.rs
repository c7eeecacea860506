//! What the tokens of a message say of it.

use super::probability::{MIN_STRENGTH, combined, probability_of};
use super::{Sample, Tokens};
use crate::learned::{Change, Memory, Tally, Token, TokenCounts};
use crate::rules::Settings;

/// So many tokens count, those that say most.
const CLUES_LIMIT: usize = 150;

/// A token that told something.
#[derive(Debug, Clone, PartialEq)]
pub struct Clue {
    /// Its word.
    pub word: Vec<u8>,
    /// The probability of spam.
    pub probability: f64,
    /// What it was computed from.
    pub counts: TokenCounts,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judgement {
    /// The probability that the message is spam; `None` when its tokens say nothing.
    pub probability: Option<f64>,
    /// How many messages were learned.
    pub tally: Tally,
    /// Tokens of the message.
    pub tokens: usize,
    /// Those that are known.
    pub known: usize,
    /// Those that told something, the strongest first.
    pub clues: Vec<Clue>,
}

impl Judgement {
    /// Clues that speak for spam, or against it.
    pub fn clues_of(&self, spam: bool) -> impl Iterator<Item = &Clue> {
        self.clues.iter().filter(move |clue| (clue.probability >= 0.5) == spam)
    }
}

/// Was enough learned for judging by it?
pub(crate) fn is_ready(settings: &Settings, tally: Tally) -> bool {
    settings.use_bayes
        && settings.use_learner
        && tally.spam >= settings.bayes_min_spam_num
        && tally.ham >= settings.bayes_min_ham_num
}

/// Judges a message, and says which tokens proved useful.
pub(crate) fn judge(
    sample: &Sample,
    settings: &Settings,
    memory: &dyn Memory,
    tally: Tally,
) -> (Judgement, Option<Change>) {
    let tokens = &sample.tokens;
    let all = tokens.all();
    let found = memory.tokens(&all);
    let mut known: Vec<(usize, TokenCounts, f64)> = Vec::new();
    for (index, counts) in found.into_iter().enumerate() {
        let Some(counts) = counts else { continue };
        if let Some(probability) = probability_of(counts, tally, settings.bayes_use_hapaxes) {
            known.push((index, counts, probability));
        }
    }
    let mut judgement = Judgement { tally, tokens: all.len(), known: known.len(), ..Judgement::default() };
    let strong = strongest(known);
    let probabilities: Vec<f64> = strong.iter().map(|(_, _, probability)| *probability).collect();
    judgement.probability = combined(tally, &probabilities);
    judgement.clues = strong.iter().map(|found| clue(tokens, *found)).collect();
    let used: Vec<Token> = strong.iter().map(|(index, ..)| all[*index]).collect();
    let change = judgement.probability.map(|_| Change::Used { tokens: used, used: sample.received });
    (judgement, change)
}

fn strongest(mut known: Vec<(usize, TokenCounts, f64)>) -> Vec<(usize, TokenCounts, f64)> {
    let strength = |probability: f64| (probability - 0.5).abs();
    known.retain(|(_, _, probability)| strength(*probability) >= MIN_STRENGTH);
    known.sort_by(|(_, _, one), (_, _, other)| strength(*other).total_cmp(&strength(*one)));
    known.truncate(CLUES_LIMIT);
    known
}

fn clue(tokens: &Tokens, (index, counts, probability): (usize, TokenCounts, f64)) -> Clue {
    Clue { word: tokens.word(index).to_vec(), probability, counts }
}
