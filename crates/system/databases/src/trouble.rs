//! Why a database gave no answer.

use std::time::Duration;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It can not be reached, or lets nobody in.
    #[error("{name}: connect: {problem}")]
    Connect {
        /// Which database.
        name: String,
        /// What it, or the system, says.
        problem: String,
    },
    /// The connection broke.
    #[error("{name}: the connection is lost: {problem}")]
    Lost {
        /// Which database.
        name: String,
        /// What the system says.
        problem: String,
    },
    /// It did not answer in time.
    #[error("{name}: no answer within {} seconds", limit.as_secs())]
    Late {
        /// Which database.
        name: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// It refuses what it was asked.
    #[error("{name}: {problem}")]
    Refused {
        /// Which database.
        name: String,
        /// What it says.
        problem: String,
        /// SQLSTATE, the class of the refusal, where the database has it: `23505`.
        state: Option<String>,
    },
    /// More rows than are taken.
    #[error("{name}: more than {limit} rows")]
    TooMany {
        /// Which database.
        name: String,
        /// How many are taken.
        limit: usize,
    },
    /// All connections are busy.
    #[error("{name}: all {limit} connections are busy")]
    Busy {
        /// Which database.
        name: String,
        /// How many there may be.
        limit: usize,
    },
}

impl Trouble {
    /// The connection is of no more use.
    pub fn is_end(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::TooMany { .. })
    }

    /// A row that must be there once is there already: class 23 of SQLSTATE.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Refused { state: Some(state), .. } if state.starts_with("23"))
    }
}
