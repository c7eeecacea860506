//! The records of Postfix's queue file: encode, decode, check.
//!
//! A queue file is a row of records ([`record`]): a type byte, a length in base 128, data. It has three parts:
//!
//! | part | begins with | holds |
//! |---|---|---|
//! | envelope | `C` ([`size::SizeRecord`], fixed width, written again in place when all is known) | arrival time, sender, attributes, recipients |
//! | content | `M` | `N` a line, `L` a piece of a line that goes on in the next record |
//! | extracted | `X` | what was found in the content (`sendmail -t`), more recipients, `E` the end |
//!
//! A file without an `E`, or without the owner's execute bit, is not a message. A delivered recipient is marked by
//! one byte in place: `R` becomes `D`. Milters edit by `p` records that lead to a piece at the end of the file
//! and from there back.
//!
//! Compatible both ways with the files of Postfix 2.3 to 3.11.
#![forbid(unsafe_code)]

pub mod record;
pub mod size;
pub mod id;
pub mod envelope;
pub mod content;

pub use envelope::{Envelope, EnvelopeReader, Recipient, Step};
pub use id::QueueId;
pub use record::{DecodeError, Kind, Record};
pub use size::SizeRecord;
