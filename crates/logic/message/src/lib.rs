//! Messages: header lines, folding, the MIME structure as a stream, dates (RFC 5322, RFC 2045).
//!
//! Text of a message is bytes: nothing promises that it is UTF-8.
#![forbid(unsafe_code)]

pub mod date;
pub mod received;
pub mod header;
pub mod fold;
pub mod content_type;
pub mod scanner;
pub mod fields;
pub mod mime;
pub mod structure;
pub mod outline;
pub mod mailboxes;
pub mod sent;
pub mod words;
pub mod decode;
pub mod entities;
pub mod preview;
pub mod tree;

pub use date::Moment;
pub use header::{Known, header_name};
pub use received::{ClientCertificate, From as ReceivedFrom, Received, Tls as ReceivedTls};
pub use scanner::{Event, MimeErrors, Place, Scanner};
