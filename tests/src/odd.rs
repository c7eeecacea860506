//! Odd mail, made from a seed: what is sent to two suites, so that what becomes of it can be compared.

pub mod letters;
pub mod masks;
pub mod sessions;
pub mod traces;
