//! URIs in text and HTML, and all the ways to write each.

mod canonical;
mod found;
mod text;

pub(crate) use canonical::spellings;
pub(crate) use found::{Source, UriInfo, Uris};
pub(crate) use text::{TldPatterns, in_text};
