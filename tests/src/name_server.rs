//! A name server on this host that knows a few records, for tests of who asks DNS.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bytes of a query.
const QUERY_LIMIT_BYTES: usize = 1500;
/// Types of records: RFC 1035 §3.2.2.
const KINDS: [(&str, u16); 7] =
    [("A", 1), ("NS", 2), ("SOA", 6), ("PTR", 12), ("MX", 15), ("TXT", 16), ("AAAA", 28)];
/// SOA in that list.
const SOA: u16 = 6;
/// Bytes of one string of a TXT record (RFC 1035 §3.3.14).
const STRING_LIMIT_BYTES: usize = 255;
/// Names that end like this are never answered.
pub const SILENT: &str = "silent.example";

/// Answers until the process ends.
pub struct NameServer {
    /// Where it is asked.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl NameServer {
    /// With records like `name A 127.0.0.2`, one a line; `name FAIL` fails whatever is asked.
    ///
    /// # Errors
    /// As opening a socket.
    pub fn start(zone: &str) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = socket.local_addr()?;
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (zone, log) = (zone.to_owned(), Arc::clone(&asked));
        thread::spawn(move || {
            let mut query = [0; QUERY_LIMIT_BYTES];
            while let Ok((length, from)) = socket.recv_from(&mut query) {
                let Some((name, kind, end)) = question(&query[..length]) else { continue };
                log.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
                if !name.ends_with(SILENT) {
                    // Who does not wait for the answer asks again.
                    let _ = socket.send_to(&answer(&zone, &query[..end], &name, kind), from);
                }
            }
        });
        Ok(Self { address, asked })
    }

    /// The names that it was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The name in lower case, the type, and where the question ends (RFC 1035 §4.1.2).
fn question(query: &[u8]) -> Option<(String, u16, usize)> {
    let (mut labels, mut at) = (Vec::new(), 12);
    while *query.get(at)? != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(query.get(at + 1..end)?).to_lowercase());
        at = end;
    }
    let kind = u16::from_be_bytes([*query.get(at + 1)?, *query.get(at + 2)?]);
    Some((labels.join("."), kind, at + 5))
}

fn answer(zone: &str, query: &[u8], name: &str, kind: u16) -> Vec<u8> {
    let records = zone.lines().filter_map(|line| {
        let (owner, rest) = line.split_once(' ')?;
        let (kind, value) = rest.split_once(' ').unwrap_or((rest, ""));
        let number = KINDS.iter().find(|(known, _)| *known == kind)?.1;
        (owner == name).then(|| (number, data(kind, value)))
    });
    let all: Vec<(u16, Vec<u8>)> = records.collect();
    // RFC 1035 §4.1.1: failure, no such name, no error.
    let code = match all.is_empty() {
        _ if zone.lines().any(|line| line.strip_suffix(" FAIL") == Some(name)) => 2,
        true => 3,
        false => 0,
    };
    let found: Vec<_> = all.into_iter().filter(|(is, _)| *is == kind).collect();
    let count = u8::try_from(found.len()).unwrap_or(u8::MAX);
    // RFC 2308 §2: who has no answer says whose zone it is.
    let zone = if found.is_empty() { zone_of(zone, name) } else { None };
    let head = [0x81, 0x80 | code, 0, 1, 0, count, 0, u8::from(zone.is_some()), 0, 0];
    let mut answer = [&query[..2], &head, &query[12..]].concat();
    for (kind, data) in found {
        push(&mut answer, &[0xc0, 12], kind, &data);
    }
    if let Some((owner, data)) = zone {
        push(&mut answer, &owner, SOA, &data);
    }
    answer
}

fn push(answer: &mut Vec<u8>, owner: &[u8], kind: u16, data: &[u8]) {
    answer.extend(owner);
    answer.extend(kind.to_be_bytes());
    answer.extend([0, 1, 0, 0, 0, 60]);
    answer.extend(u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
    answer.extend(data);
}

/// The SOA above a name, and its owner in the form of the wire.
fn zone_of(zone: &str, name: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let server = |owner: &str| {
        zone.lines().find_map(|line| line.strip_prefix(owner)?.strip_prefix(" SOA ").map(str::to_owned))
    };
    let mut parents = std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, rest)| rest));
    parents.find_map(|owner| Some((wire_name(owner), data("SOA", &server(owner)?))))
}

fn counted(text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap_or_default();
    [&[length], &text[..usize::from(length)]].concat()
}

fn wire_name(name: &str) -> Vec<u8> {
    name.split('.').flat_map(|label| counted(label.as_bytes())).chain([0]).collect()
}

fn data(kind: &str, value: &str) -> Vec<u8> {
    match kind {
        "A" => value.parse().map_or_else(|_| Vec::new(), |address: Ipv4Addr| address.octets().to_vec()),
        "AAAA" => value.parse().map_or_else(|_| Vec::new(), |address: Ipv6Addr| address.octets().to_vec()),
        "NS" | "PTR" => wire_name(value),
        // RFC 1035 §3.3.13: server, mailbox, and five numbers.
        "SOA" => [wire_name(value), wire_name("hostmaster.example"), [0, 0, 0, 1].repeat(5)].concat(),
        "MX" => {
            let (preference, exchange) = value.split_once(' ').unwrap_or(("0", value));
            [preference.parse::<u16>().unwrap_or_default().to_be_bytes().to_vec(), wire_name(exchange)]
                .concat()
        }
        _ => value.as_bytes().chunks(STRING_LIMIT_BYTES).flat_map(counted).collect(),
    }
}
