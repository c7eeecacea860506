//! Stand-ins for the world in tests: a disk that fails.

pub mod disk;
