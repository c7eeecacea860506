//! Who is at an address: its name, and whether the name leads back.

use std::future::Future;
use std::net::IpAddr;

use crate::answer::{Failure, Named, Peer};
use crate::hosts::Hosts;

/// Finds the name in the system's file, without DNS: `None` where the file does not know the address.
pub(crate) fn from_hosts(hosts: &Hosts, address: IpAddr) -> Option<Peer> {
    let name = hosts.name(address)?;
    Some(if is_host_name(name) { Peer::believed(name.to_owned()) } else { Peer::nameless(Failure::NotFound) })
}

/// Puts together what DNS says: `reverse` is the PTR record, `forward` gives the addresses of a name.
pub(crate) async fn confirm<F>(
    address: IpAddr,
    hosts: &Hosts,
    reverse: Named,
    forward: impl Fn(String) -> F,
) -> Peer
where
    F: Future<Output = Result<Vec<IpAddr>, Failure>>,
{
    let name = match reverse {
        Ok(name) if is_host_name(&name) => name,
        Ok(_) => return Peer::nameless(Failure::NotFound),
        Err(why) => return Peer::nameless(why),
    };
    let mut addresses = hosts.addresses(&name);
    if addresses.is_empty() {
        match forward(name.clone()).await {
            Ok(found) => addresses = found,
            Err(why) => {
                let doubt = Some(format!("hostname {name} does not resolve to address {address}: {why}"));
                return Peer { name: Err(why), reverse: Ok(name), doubt };
            }
        }
    }
    if addresses.contains(&address) {
        return Peer::believed(name);
    }
    let doubt = Some(format!("hostname {name} does not resolve to address {address}"));
    Peer { name: Err(Failure::NotFound), reverse: Ok(name), doubt }
}

/// A name may go into headers and logs: nothing but letters, digits, `-`, `_` and dots, and no address.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 255
        && name.split('.').all(label)
        && !name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}
