//! What tests of several crates share: a disk that fails, and a word for what is left out.

pub mod disk;
mod left_out;

pub use left_out::left_out;
