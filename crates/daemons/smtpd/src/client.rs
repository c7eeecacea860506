//! Who is at the other end.

use std::net::{IpAddr, SocketAddr};

use dns::{Failure, Named};
use restrictions::{Client, NameStatus};
use smtp_protocol::{Attribute, Attributes};
use sys::sockets::Peer;

/// A client before its name is known.
pub(crate) fn at(peer: &Peer) -> Client {
    match peer {
        Peer::Inet(address) => unnamed(Some(address.ip()), Some(address.port())),
        // A program of this host that speaks to a unix socket.
        Peer::Local => Client {
            name: "localhost".to_owned(),
            name_status: NameStatus::Found,
            reverse_name: "localhost".to_owned(),
            reverse_status: NameStatus::Found,
            ..unnamed(Some(IpAddr::from([127, 0, 0, 1])), None)
        },
    }
}

/// A client behind a balancer.
pub(crate) fn proxied(address: SocketAddr) -> Client {
    unnamed(Some(address.ip()), Some(address.port()))
}

fn unnamed(address: Option<IpAddr>, port: Option<u16>) -> Client {
    Client {
        name: "unknown".to_owned(),
        name_status: NameStatus::NotFound,
        reverse_name: "unknown".to_owned(),
        reverse_status: NameStatus::NotFound,
        address,
        port,
    }
}

/// Enters what DNS says, and logs why a name is not believed.
pub(crate) fn name(client: &mut Client, peer: &dns::Peer) {
    if let Some(doubt) = &peer.doubt {
        log::warn!("{doubt}");
    }
    (client.name, client.name_status) = named(&peer.name);
    (client.reverse_name, client.reverse_status) = named(&peer.reverse);
}

fn named(name: &Named) -> (String, NameStatus) {
    match name {
        Ok(name) => (name.clone(), NameStatus::Found),
        Err(Failure::Unavailable) => ("unknown".to_owned(), NameStatus::Unavailable),
        Err(Failure::NotFound) => ("unknown".to_owned(), NameStatus::NotFound),
    }
}

/// What XCLIENT and XFORWARD told of another client beyond its name and address.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) helo: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) identity: Option<String>,
    pub(crate) local: bool,
}

/// Overwrites `client`, and what was told before, with the attributes; what is not among them stays, what is unknown
/// becomes "unknown".
pub(crate) fn overwrite(client: &mut Client, told: &mut Told, attributes: &Attributes) {
    for (attribute, value) in attributes {
        let status = if value.is_some() { NameStatus::Found } else { NameStatus::NotFound };
        let name = || value.clone().unwrap_or_else(|| "unknown".to_owned());
        match attribute {
            Attribute::Name => (client.name, client.name_status) = (name(), status),
            Attribute::ReverseName => (client.reverse_name, client.reverse_status) = (name(), status),
            Attribute::Address => client.address = value.as_ref().and_then(|text| text.parse().ok()),
            Attribute::Port => client.port = value.as_ref().and_then(|text| text.parse().ok()),
            Attribute::Helo => told.helo.clone_from(value),
            Attribute::Protocol => told.protocol.clone_from(value),
            Attribute::Identity => told.identity.clone_from(value),
            Attribute::Source => told.local = value.as_deref() == Some("LOCAL"),
            Attribute::Login | Attribute::ServerAddress | Attribute::ServerPort => {}
        }
    }
}
