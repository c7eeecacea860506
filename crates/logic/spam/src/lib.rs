//! SpamAssassin's rules: their language, what a message looks like to them, and the verdict.
#![forbid(unsafe_code)]

mod addresses_of_hosts;
pub mod perl;
mod registry;
pub mod rules;
