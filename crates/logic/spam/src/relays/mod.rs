//! The way a message took: its `Received` fields, and how far they can be trusted.

mod forms;
mod line;
mod trust;

pub(crate) use line::Hop;
pub(crate) use trust::Relays;
