//! Addresses of servers that rules name.

use std::net::IpAddr;
use std::sync::mpsc;
use std::time::Instant;

use dns::{Answer, Question, Resolver};

/// The addresses of a host, which may be an address itself; none when it is not known in time.
pub(crate) fn addresses(resolver: &Resolver, host: &str, deadline: Instant) -> Vec<IpAddr> {
    if let Ok(address) = host.parse() {
        return vec![address];
    }
    let (sender, receiver) = mpsc::channel();
    resolver.ask(Question::Addresses(host.to_owned()), move |answer| drop(sender.send(answer)));
    match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(Answer::Addresses(Ok(found))) => found,
        _ => Vec::new(),
    }
}
