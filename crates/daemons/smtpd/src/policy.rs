//! Policy servers (SMTPD_POLICY_README): who is asked over which connection, and how often it is tried.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;
use std::path::PathBuf;

use reactor::{EventLoop, Fate, Handler, HandlerId, Letter, Readiness};
use restrictions::{PolicyOptions, PolicyService};
use sys::sockets;

use crate::facts::{Fact, Found, Wanted};
use crate::policy_connection::{Connection, Trouble};
use crate::service::Smtpd;

/// Connections of one worker to one server.
const CONNECTION_LIMIT: usize = 100;
/// Inquiries that wait for one of them; further ones come to the default action.
const WAITING_LIMIT: usize = 10_000;

/// The servers that this worker has asked so far.
#[derive(Default)]
pub(crate) struct Policies {
    servers: Vec<Server>,
}

/// Connections to one server.
struct Server {
    service: PolicyService,
    /// Without "inet:" or "unix:", for the log.
    name: String,
    idle: Vec<HandlerId>,
    open: usize,
    waiting: VecDeque<Inquiry>,
}

/// A question to a policy server.
#[derive(Debug)]
pub(crate) struct Inquiry {
    wanted: Wanted,
    asker: HandlerId,
    failures: u64,
}

impl Inquiry {
    pub(crate) fn new(wanted: Wanted, asker: HandlerId) -> Self {
        Self { wanted, asker, failures: 0 }
    }

    /// The attributes as they are sent.
    pub(crate) fn request(&self) -> &str {
        if let Wanted::Policy(_, request) = &self.wanted { request } else { "" }
    }

    /// Tells who asked.
    pub(crate) fn answer(self, action: Option<String>, events: &EventLoop<Smtpd>) {
        events.post_box().send(self.asker, Box::new(Fact(self.wanted, Found::Policy(action))));
    }
}

/// Asks; the session gets a letter with the fact.
pub(crate) fn ask(inquiry: Inquiry, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
    let Wanted::Policy(service, _) = &inquiry.wanted else { return };
    let server = daemon.policies.number_of(service);
    begin(server, inquiry, daemon, events);
}

fn begin(number: usize, inquiry: Inquiry, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
    let server = &mut daemon.policies.servers[number];
    if let Some(idle) = server.idle.pop() {
        events.hand(idle, Box::new(inquiry), daemon);
    } else if server.open < CONNECTION_LIMIT {
        connect(number, inquiry, daemon, events);
    } else if server.waiting.len() < WAITING_LIMIT {
        server.waiting.push_back(inquiry);
    } else {
        log::warn!("policy server {}: {WAITING_LIMIT} requests wait for it", server.name);
        inquiry.answer(None, events);
    }
}

fn connect(number: usize, inquiry: Inquiry, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
    let server = &daemon.policies.servers[number];
    let endpoint = server.service.endpoint.as_str();
    if let Some(path) = endpoint.strip_prefix("unix:") {
        let socket = sockets::connect_unix(&PathBuf::from(path));
        return Connection::start(number, socket, Vec::new(), inquiry, daemon, events);
    }
    match host_and_port(&server.name) {
        None => give_up_on(number, inquiry, daemon, events),
        Some((host, port)) => match host.parse::<IpAddr>() {
            Ok(address) => connect_to(number, vec![(address, port).into()], inquiry, daemon, events),
            Err(_) => resolve(number, host.to_owned(), port, inquiry, daemon, events),
        },
    }
}

/// Connects to the first of `addresses`; the others are for when that fails.
pub(crate) fn connect_to(
    number: usize,
    mut addresses: Vec<SocketAddr>,
    inquiry: Inquiry,
    daemon: &mut Smtpd,
    events: &mut EventLoop<Smtpd>,
) {
    let first = addresses.remove(0);
    Connection::start(number, sockets::connect_tcp(first), addresses, inquiry, daemon, events);
}

fn give_up_on(number: usize, inquiry: Inquiry, daemon: &Smtpd, events: &EventLoop<Smtpd>) {
    let name = &daemon.policies.servers[number].name;
    log::warn!("policy server {name}: need inet:host:port with a port number");
    inquiry.answer(None, events);
}

/// `host:port`, `[address]:port`, `port` of this host.
fn host_and_port(name: &str) -> Option<(&str, u16)> {
    let (host, port) = name.rsplit_once(':').unwrap_or(("localhost", name));
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some((if host.is_empty() { "localhost" } else { host }, port.parse().ok()?))
}

impl Policies {
    fn number_of(&mut self, service: &PolicyService) -> usize {
        if let Some(known) = self.servers.iter().position(|server| server.service == *service) {
            return known;
        }
        let name = service.endpoint.get(5..).unwrap_or_default().to_owned();
        let service = service.clone();
        self.servers.push(Server { service, name, idle: Vec::new(), open: 0, waiting: VecDeque::new() });
        self.servers.len() - 1
    }

    pub(crate) fn options(&self, number: usize) -> &PolicyOptions {
        &self.servers[number].service.options
    }

    pub(crate) fn name(&self, number: usize) -> &str {
        &self.servers[number].name
    }

    pub(crate) fn opened(&mut self, number: usize) {
        self.servers[number].open += 1;
    }

    /// A connection has answered: the next inquiry for it, or it is idle from now on.
    pub(crate) fn next_or_idle(&mut self, number: usize, me: HandlerId) -> Option<Inquiry> {
        let server = &mut self.servers[number];
        let next = server.waiting.pop_front();
        if next.is_none() {
            server.idle.push(me);
        }
        next
    }

    pub(crate) fn no_longer_idle(&mut self, number: usize, me: HandlerId) {
        self.servers[number].idle.retain(|idle| *idle != me);
    }
}

/// A connection is gone: who waits for one may have a new one.
pub(crate) fn closed(number: usize, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
    let server = &mut daemon.policies.servers[number];
    server.open -= 1;
    if let Some(inquiry) = server.waiting.pop_front() {
        begin(number, inquiry, daemon, events);
    }
}

/// A try has failed: after a pause there is another one, until the limit is reached.
pub(crate) fn failed(
    number: usize,
    mut inquiry: Inquiry,
    trouble: &Trouble,
    daemon: &mut Smtpd,
    events: &mut EventLoop<Smtpd>,
) {
    inquiry.failures += 1;
    let options = daemon.policies.options(number);
    let last = inquiry.failures >= options.try_limit;
    let pause = options.retry_delay;
    if last || !trouble.is_common() {
        log::warn!("problem talking to server {}: {trouble}", daemon.policies.name(number));
    }
    if last {
        return inquiry.answer(None, events);
    }
    match events.add(Box::new(Errand { number, port: 0, inquiry: Some(inquiry) })) {
        Ok(errand) => events.set_deadline(errand, Some(events.now() + pause)),
        Err(error) => log::warn!("wait for a policy server: {error}"),
    }
}

fn resolve(
    number: usize,
    host: String,
    port: u16,
    inquiry: Inquiry,
    daemon: &Smtpd,
    events: &mut EventLoop<Smtpd>,
) {
    match events.add(Box::new(Errand { number, port, inquiry: Some(inquiry) })) {
        Ok(errand) => {
            let post_box = events.post_box();
            let question = dns::Question::Addresses(host);
            daemon.resolver.ask(question, move |answer| post_box.send(errand, Box::new(answer)));
        }
        Err(error) => log::warn!("ask for the address of a policy server: {error}"),
    }
}

/// An inquiry that waits for the server's address, or for the time of its next try.
struct Errand {
    number: usize,
    port: u16,
    inquiry: Option<Inquiry>,
}

impl Handler<Smtpd> for Errand {
    fn descriptor(&self) -> Option<RawFd> {
        None
    }

    fn ready(&mut self, _: Readiness, _: &mut Smtpd, _: &mut EventLoop<Smtpd>, _: HandlerId) -> Fate {
        Fate::Keep
    }

    fn elapsed(&mut self, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>, _: HandlerId) -> Fate {
        if let Some(inquiry) = self.inquiry.take() {
            begin(self.number, inquiry, daemon, events);
        }
        Fate::Close
    }

    fn letter(
        &mut self,
        letter: Letter,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        _: HandlerId,
    ) -> Fate {
        let (Ok(answer), Some(inquiry)) = (letter.downcast::<dns::Answer>(), self.inquiry.take()) else {
            return Fate::Close;
        };
        match *answer {
            dns::Answer::Addresses(Ok(addresses)) => {
                let addresses = addresses.into_iter().map(|address| (address, self.port).into()).collect();
                connect_to(self.number, addresses, inquiry, daemon, events);
            }
            dns::Answer::Addresses(Err(why)) => {
                let trouble = Trouble::System(io::Error::other(why.to_string()));
                log::warn!("connect to {}: {trouble}", daemon.policies.name(self.number));
                failed(self.number, inquiry, &trouble, daemon, events);
            }
            _ => inquiry.answer(None, events),
        }
        Fate::Close
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_a_host_and_a_port() {
        assert_eq!(host_and_port("127.0.0.1:10031"), Some(("127.0.0.1", 10031)));
        assert_eq!(host_and_port("[::1]:10031"), Some(("::1", 10031)));
        assert_eq!(host_and_port("policy.example:7"), Some(("policy.example", 7)));
        assert_eq!(host_and_port("10031"), Some(("localhost", 10031)));
        assert_eq!(host_and_port("host:"), None);
    }
}
