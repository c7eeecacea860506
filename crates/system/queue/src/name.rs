//! The folders of the spool.

use std::fmt;
use std::str::FromStr;

/// A folder below the queue directory, as far as messages and their logs lie there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum QueueName {
    Maildrop,
    Incoming,
    Active,
    Deferred,
    Hold,
    Corrupt,
    /// Logs of the service `bounce`, one a message.
    Bounce,
    /// Logs of the service `defer`.
    Defer,
    /// Logs of the service `trace`.
    Trace,
    /// Logs of the service `flush`, one a destination.
    Flush,
    /// Messages put aside.
    Saved,
}

impl QueueName {
    /// Where a message may be found, in the order in which commands look.
    pub const MESSAGES: [Self; 6] =
        [Self::Maildrop, Self::Hold, Self::Incoming, Self::Active, Self::Deferred, Self::Corrupt];
    /// Where the logs of a message may lie.
    pub const LOGS: [Self; 3] = [Self::Bounce, Self::Defer, Self::Trace];

    /// The folder's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Maildrop => "maildrop",
            Self::Incoming => "incoming",
            Self::Active => "active",
            Self::Deferred => "deferred",
            Self::Hold => "hold",
            Self::Corrupt => "corrupt",
            Self::Bounce => "bounce",
            Self::Defer => "defer",
            Self::Trace => "trace",
            Self::Flush => "flush",
            Self::Saved => "saved",
        }
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is no folder of the spool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad queue name: {0:?}")]
pub struct BadQueueName(pub String);

impl FromStr for QueueName {
    type Err = BadQueueName;

    fn from_str(text: &str) -> Result<Self, BadQueueName> {
        let names = Self::MESSAGES.into_iter().chain(Self::LOGS).chain([Self::Flush, Self::Saved]);
        names.into_iter().find(|name| name.as_str() == text).ok_or_else(|| BadQueueName(text.to_owned()))
    }
}
