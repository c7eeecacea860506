//! The machines: [`Login`] up to the log-in, [`Session`] behind it (RFC 3501 §3).
//!
//! Two machines, for they run in two processes: what faces the network without rights can not name a mailbox, and what reads
//! mail knows no password.

mod input;
mod gather;
mod login;
mod mailbox;
mod append;
mod compression;
mod settings;

pub use append::AppendStep;
pub use login::{Denial, LoggedIn, Login, LoginAnswer, LoginQuestion};
pub use mailbox::{Answer, Done, Parked, Question, Session};
pub use settings::{LoginSettings, SessionSettings};
