//! URIs in text and HTML, and all the ways to write each.

mod canonical;
mod found;
mod text;

pub(crate) use found::{Source, Uris};
pub(crate) use text::{TldPatterns, in_text};
