//! What the learner says.

use super::{Context, Found, Function, number, text};

pub(super) fn function(name: &str) -> Option<Function> {
    (name == "check_bayes").then_some(check_bayes)
}

/// Is the probability above the first number, and not above the second?
fn check_bayes(context: &Context<'_>, arguments: &[String]) -> Found {
    let Some(probability) = context.spam_probability else { return Found::No };
    let least = number(arguments, 0).unwrap_or(0.0);
    let most = if text(arguments, 1) == "undef" { None } else { number(arguments, 1) };
    let within = (least == 0.0 || probability > least) && most.is_none_or(|most| probability <= most);
    if within { Found::Because(format!("score: {probability:.4}")) } else { Found::No }
}
