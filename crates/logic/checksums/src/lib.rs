//! Networks that count how often a message was seen elsewhere: what is said to Pyzor's servers and to DCC's interface
//! daemon, and what their replies mean.
#![forbid(unsafe_code)]

pub mod dcc;
pub mod pyzor;
