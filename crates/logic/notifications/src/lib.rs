//! What the sender is told about his mail: non-delivery, delay and success reports (RFC 3464, 6522, 6533).
//!
//! The text comes from [`Templates`] (bounce(5)), the facts from the log that the `bounce` service keeps per
//! message ([`LogEntry`]), who is told from [`plan`]; [`report`] writes the message. Nothing here opens a file
//! or knows the time.
#![forbid(unsafe_code)]

pub mod template;
pub mod template_file;
pub mod expand;
pub mod notify;
pub mod log;
pub mod plan;
pub mod report;
mod session_notice;
mod wrap;

pub use expand::{ExpandError, Expanded, Facts};
pub use log::{Delay, LogEntry, delays, read_log};
pub use plan::{Classes, Letter, Plan, Postmaster, Reader, Returned, plan};
pub use report::{About, Report};
pub use session_notice::SessionNotice;
pub use template::{Class, Template, Templates};
