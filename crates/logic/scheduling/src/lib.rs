//! The queue manager's judgement: which delivery is next, how many at a time to one destination, when to try again.
//!
//! Functions of state and time; nothing here waits, reads or writes. Times are microseconds since any fixed moment, for queue files
//! seconds since 1970.
//!
//! [`Scheduler`] holds the recipients of active messages by transport and destination and gives out deliveries: transports in turn,
//! within a transport the messages in the order of their arrival, and the destinations of a message in turn. A small message may
//! overtake a large one, so that a list of thousands does not hold up a letter to one (`order`). How many deliveries a destination
//! gets at a time follows its results ([`concurrency`]). [`Memory`] tells how far the recipients of long messages are read.
#![forbid(unsafe_code)]

pub mod concurrency;
pub mod limits;
pub mod memory;
mod order;
pub mod retry;
pub mod scheduler;

pub use concurrency::Feedback;
pub use limits::{FeedbackRule, TransportLimits};
pub use memory::{Memory, MemoryLimits, TransportMemory};
pub use scheduler::{DESTINATION_SEPARATOR, Delivery, Job, MessageKey, Reason, Refused, Scheduler};

/// A time or a span in microseconds.
pub type Microseconds = u64;
