//! `--dump`: what was learned, one line each, as scripts read it.

use std::io::{self, Write};

use learned::{Bayes, Trouble};
use spam::perl::Pattern;
use spam::probability_of;

/// The form of the database that these lines describe.
const FORM: u64 = 3;
/// What a token counts as of which too little is known.
const UNKNOWN: f64 = 0.5;

/// Which tokens are shown (`--regexp`): those whose digests match.
pub(super) struct TokenPattern(Pattern);

impl TokenPattern {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        Pattern::plain(text).map(Self).map_err(|fault| format!("--regexp {text}: {fault}"))
    }

    fn shows(&self, token: &str) -> bool {
        self.0.is_match(token.as_bytes())
    }
}

/// Shows numbers (`magic`) and tokens (`data`).
pub(super) fn show(
    store: &Bayes,
    use_hapaxes: bool,
    (magic, data): (bool, bool),
    pattern: Option<&TokenPattern>,
) -> Result<(), Trouble> {
    let facts = store.facts()?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    if magic {
        let numbers = [
            (FORM, "bayes db version"),
            (facts.tally.spam, "nspam"),
            (facts.tally.ham, "nham"),
            (facts.tokens, "ntokens"),
            (u64::from(facts.oldest), "oldest atime"),
            (u64::from(facts.newest), "newest atime"),
            (0, "last journal sync atime"),
            (u64::from(facts.last_expiry), "last expiry atime"),
            (u64::from(facts.last_expiry_age), "last expire atime delta"),
            (facts.last_expiry_count, "last expire reduction count"),
        ];
        for (number, name) in numbers {
            write!(out, "{}", line(0.0, [0, number, 0], &format!("non-token data: {name}")))?;
        }
    }
    let mut written = Ok(());
    if data {
        store.each_token(|token, counts| {
            let shown = hexadecimal::encode(&token);
            if written.is_err() || pattern.is_some_and(|pattern| !pattern.shows(&shown)) {
                return;
            }
            let probability = probability_of(counts, facts.tally, use_hapaxes).unwrap_or(UNKNOWN);
            let numbers = [u64::from(counts.spam), u64::from(counts.ham), u64::from(counts.used)];
            written = write!(out, "{}", line(probability, numbers, &shown));
        })?;
    }
    written?;
    out.flush()?;
    Ok(())
}

fn line(probability: f64, [spam, ham, used]: [u64; 3], text: &str) -> String {
    format!("{probability:3.3} {spam:10} {ham:10} {used:10}  {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_columns_that_scripts_count() {
        let magic = line(0.0, [0, 987_802_486, 0], "non-token data: oldest atime");
        assert_eq!(magic, "0.000          0  987802486          0  non-token data: oldest atime\n");
        let token = line(0.5, [0, 1, 987_802_486], &hexadecimal::encode(&[0, 0x1b, 0x9d, 0x7e, 0x42]));
        assert_eq!(token, "0.500          0          1  987802486  001b9d7e42\n");
    }
}
