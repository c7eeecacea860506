//! DNS, on a thread of its own.
//!
//! A daemon asks with [`Resolver::ask`] and goes on; the answer comes to the function it handed in, on the resolver's
//! thread, in at most [`DEADLINE`]. The thread starts with the first question: whoever asks nothing has none.

mod answer;
mod hosts;
mod peer;
mod resolver;

pub use answer::{Answer, Failure, MailHost, Named, Peer, Question, Records};
pub use hosts::Hosts;
pub use resolver::{DEADLINE, Resolver};
