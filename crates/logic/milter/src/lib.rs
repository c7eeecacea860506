//! The filter's side of Sendmail's milter protocol, version 6, as Sendmail and Postfix speak it.
//!
//! One connection carries one SMTP client's session, with any number of messages. [`Filter`] gathers each message with its
//! envelope, asks what shall become of it, and tells the mail server.
#![forbid(unsafe_code)]

mod filter;
mod options;
mod packet;
mod submission;

pub use filter::{Filter, Settings};
pub use packet::{Packet, TooLong};
pub use submission::{Change, Client, Decision, Fate, Submission};
