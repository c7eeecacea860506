//! How much a client may do: anvil(8) counts, the limits of main.cf decide.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use attributes::Attributes;
use parameters::{Config, Number, Param};
use reactor::channel::{Channel, Line, Send, Talk};
use reactor::{EventLoop, Fate, HandlerId};
use restrictions::Client;
use services::anvil::{Count, Event, Request};

use crate::facts::{Fact, Found, Wanted};
use crate::service::Smtpd;

/// The connection to anvil(8) is closed when this worker has had no client for so long.
const IDLE: Duration = Duration::from_secs(100);

/// The limits for each client, and the connection to whom they are asked by. A limit of 0 is none.
pub(crate) struct Rates {
    pub(crate) connections: u64,
    pub(crate) connection_rate: u64,
    pub(crate) message_rate: u64,
    pub(crate) recipient_rate: u64,
    pub(crate) new_tls_rate: u64,
    /// Clients that no limit is for.
    pub(crate) exceptions: String,
    ipv4_prefix: u32,
    ipv6_prefix: u32,
    pub(crate) service: String,
    socket: PathBuf,
    channel: Option<HandlerId>,
    /// Who waits for the next answers, in the order of the requests.
    waiting: VecDeque<(Wanted, HandlerId)>,
    /// That anvil(8) is not there has been told.
    told: bool,
}

impl Rates {
    pub(crate) fn new(config: &Config, service: &str, socket: PathBuf) -> Self {
        let limit = |parameter: &Param<Number>| u64::try_from(config.get(parameter)).unwrap_or(0);
        let bits = |parameter: &Param<Number>| u32::try_from(config.get(parameter)).unwrap_or(128);
        Self {
            connections: limit(&parameters::SMTPD_CLIENT_CONNECTION_COUNT_LIMIT),
            connection_rate: limit(&parameters::SMTPD_CLIENT_CONNECTION_RATE_LIMIT),
            message_rate: limit(&parameters::SMTPD_CLIENT_MESSAGE_RATE_LIMIT),
            recipient_rate: limit(&parameters::SMTPD_CLIENT_RECIPIENT_RATE_LIMIT),
            new_tls_rate: limit(&parameters::SMTPD_CLIENT_NEW_TLS_SESSION_RATE_LIMIT),
            exceptions: config.get(&parameters::SMTPD_CLIENT_EVENT_LIMIT_EXCEPTIONS),
            ipv4_prefix: bits(&parameters::SMTPD_CLIENT_IPV4_PREFIX_LENGTH),
            ipv6_prefix: bits(&parameters::SMTPD_CLIENT_IPV6_PREFIX_LENGTH),
            service: service.to_owned(),
            socket,
            channel: None,
            waiting: VecDeque::new(),
            told: false,
        }
    }

    /// Is there any limit?
    pub(crate) fn are_limited(&self) -> bool {
        let limits = [
            self.connections,
            self.connection_rate,
            self.message_rate,
            self.recipient_rate,
            self.new_tls_rate,
        ];
        limits.iter().any(|limit| *limit > 0)
    }

    /// The name under which a client is counted.
    pub(crate) fn name_of(&self, client: &Client) -> Option<String> {
        let address = client.address?;
        let network = network(address, self.ipv4_prefix, self.ipv6_prefix);
        Some(format!("{}:{network}", self.service))
    }
}

/// The address, or the network that counts as one client: `2001:db8::/84`.
fn network(address: IpAddr, ipv4_prefix: u32, ipv6_prefix: u32) -> String {
    match address {
        IpAddr::V4(v4) if ipv4_prefix < 32 => {
            let mask = u32::MAX.checked_shl(32 - ipv4_prefix).unwrap_or(0);
            format!("{}/{ipv4_prefix}", Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) if ipv6_prefix < 128 => {
            let mask = u128::MAX.checked_shl(128 - ipv6_prefix).unwrap_or(0);
            format!("{}/{ipv6_prefix}", Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
        _ => address.to_string(),
    }
}

/// Tells of an event; the session gets a letter with the count, or with none where nobody counts.
pub(crate) fn count(wanted: Wanted, asker: HandlerId, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
    let Wanted::Count(request) = &wanted else { return };
    let message = request.to_attributes();
    match connection(daemon, events) {
        Some(channel) => {
            daemon.rates.waiting.push_back((wanted, asker));
            events.set_deadline(channel, Some(events.now() + IDLE));
            events.hand(channel, Box::new(Send(message)), daemon);
        }
        None => events.post_box().send(asker, Box::new(Fact(wanted, Found::Count(None)))),
    }
}

/// A client that was counted has gone.
pub(crate) fn disconnected(client: String, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
    if let Some(channel) = daemon.rates.channel {
        let request = Request { event: Event::Disconnect, client };
        events.hand(channel, Box::new(Send(request.to_attributes())), daemon);
    }
}

/// A fresh worker takes this one's place, and a fresh anvil(8) that of the one that counted: it starts when the old one has
/// no clients left. Who is still here is counted there, from the next event on.
pub(crate) fn let_go(daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
    if let Some(channel) = daemon.rates.channel {
        events.remove(channel, daemon);
    }
}

/// The connection to anvil(8), made when it is first needed.
fn connection(daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) -> Option<HandlerId> {
    if daemon.rates.channel.is_none() {
        let socket = sys::sockets::connect_unix(&daemon.rates.socket);
        match socket.and_then(|socket| Channel::start(socket, Counting, events)) {
            Ok(channel) => {
                daemon.rates.channel = Some(channel);
                daemon.rates.told = false;
            }
            Err(error) => daemon.rates.tell(&sys::error_text::reason(&error)),
        }
    }
    daemon.rates.channel
}

impl Rates {
    fn tell(&mut self, why: &str) {
        if !std::mem::replace(&mut self.told, true) {
            let path = self.socket.display();
            log::warn!("connect to {path}: {why}: the limits for each client do not act until it is there");
        }
    }
}

struct Counting;

impl Talk<Smtpd> for Counting {
    fn message(&mut self, message: Attributes, daemon: &mut Smtpd, line: &mut Line<'_, Smtpd>) -> Fate {
        let Some((wanted, asker)) = daemon.rates.waiting.pop_front() else { return Fate::Close };
        let count = Count::from_attributes(&message).ok();
        line.events.post_box().send(asker, Box::new(Fact(wanted, Found::Count(count))));
        if count.is_some() { Fate::Keep } else { Fate::Close }
    }

    fn elapsed(&mut self, daemon: &mut Smtpd, line: &mut Line<'_, Smtpd>) -> Fate {
        if daemon.clients.here() == 0 && daemon.rates.waiting.is_empty() {
            return Fate::Close;
        }
        if !daemon.rates.waiting.is_empty() {
            daemon.rates.tell("no answer");
            return Fate::Close;
        }
        line.events.set_deadline(line.me, Some(line.events.now() + IDLE));
        Fate::Keep
    }

    fn ended(&mut self, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
        daemon.rates.channel = None;
        for (wanted, asker) in std::mem::take(&mut daemon.rates.waiting) {
            events.post_box().send(asker, Box::new(Fact(wanted, Found::Count(None))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_may_count_as_one_client() {
        let shown = |address: &str, v4, v6| network(address.parse().unwrap(), v4, v6);
        assert_eq!(shown("192.0.2.77", 32, 84), "192.0.2.77");
        assert_eq!(shown("192.0.2.77", 24, 84), "192.0.2.0/24");
        assert_eq!(shown("192.0.2.77", 0, 84), "0.0.0.0/0");
        assert_eq!(shown("2001:db8::ffff:1", 32, 64), "2001:db8::/64");
        assert_eq!(shown("2001:db8::1", 32, 128), "2001:db8::1");
    }
}
