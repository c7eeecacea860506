//! The editor between what a client sent and what the queue file holds.
//!
//! [`Cleanup`] takes the envelope, the recipients and the content as they come, and gives queue-file records, log
//! lines and a verdict. Headers are completed and rewritten, recipients expanded, content checked. It is pure: tables
//! answer through [`lookup::Lookup`], and the queue id is handed in when the first byte is wanted.
//!
//! The order of one message, as cleanup(8) keeps it:
//!
//! 1. envelope: sender rewritten and mapped, its bcc; each recipient rewritten, mapped, expanded, its bcc (`envelope`, `recipients`)
//! 2. headers: checks, then known headers are rewritten, dropped, counted (`headers`, `checks`)
//! 3. end of headers: what is missing is added (`missing`)
//! 4. body: checks (`body`)
//! 5. extracted segment: `always_bcc`, filter, redirection, recipients found on the way (`finish`)
#![forbid(unsafe_code)]

mod settings;
mod characters;
mod envelope;
mod editor;
mod log;
mod intake;
mod recipients;
mod headers;
mod checks;
mod missing;
mod body;
mod refusal;
mod finish;

pub use characters::ByteSet;
pub use editor::{Cleanup, Finished, Verdict};
pub use envelope::{Client, Envelope, LogClient, Options, Recipient, Server};
pub use log::{Level, LogLine};
pub use recipients::Expanded;
pub use refusal::{Problem, Refusal};
pub use settings::{FromFormat, Settings};
