//! What tests of several crates share: dialogues with protocol machines, a disk that fails, and a word for what is left out.

pub mod dialogue;
pub mod disk;
mod left_out;
pub mod transcript;

pub use left_out::left_out;
