//! The PROXY protocol of HAProxy, versions 1 and 2: what stands before the first SMTP byte behind a balancer.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Who talks to whom, as the balancer saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// The client.
    pub client: SocketAddr,
    /// The address it connected to.
    pub server: SocketAddr,
}

/// What the first bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// Not all there yet.
    Incomplete,
    /// A header of this many bytes. Without endpoints the balancer speaks for itself (a health check).
    Whole { bytes: usize, endpoints: Option<Endpoints> },
    /// No header, or a wrong one; the reason for the log.
    Wrong(&'static str),
}

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest version 1 header, with its line end.
const V1_LIMIT_BYTES: usize = 107;
/// Version 2: more than any address and the usual extras need.
const V2_LIMIT_BYTES: usize = 1024;

/// Reads the header at the start of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Header {
    let shared = bytes.len().min(SIGNATURE.len());
    if bytes[..shared] == SIGNATURE[..shared] {
        return if shared < SIGNATURE.len() { Header::Incomplete } else { version_2(bytes) };
    }
    let shared = bytes.len().min(6);
    if bytes[..shared] != b"PROXY "[..shared] {
        return Header::Wrong("missing protocol header");
    }
    match bytes.iter().take(V1_LIMIT_BYTES).position(|byte| *byte == b'\n') {
        Some(end) => version_1(&bytes[..end], end + 1),
        None if bytes.len() >= V1_LIMIT_BYTES => Header::Wrong("missing protocol header terminator"),
        None => Header::Incomplete,
    }
}

fn version_1(line: &[u8], bytes: usize) -> Header {
    let Ok(line) = core::str::from_utf8(line) else { return Header::Wrong("bad protocol header") };
    let words: Vec<_> = line.trim_end_matches('\r').split(' ').skip(1).collect();
    if words.first() == Some(&"UNKNOWN") {
        return Header::Whole { bytes, endpoints: None };
    }
    let [family, client, server, client_port, server_port] = words[..] else {
        return Header::Wrong("bad protocol header");
    };
    let end = |address: &str, port: &str| {
        let address: IpAddr = address.parse().ok()?;
        let fits = (family == "TCP4" && address.is_ipv4()) || (family == "TCP6" && address.is_ipv6());
        fits.then_some(SocketAddr::new(address, port.parse().ok()?))
    };
    match (end(client, client_port), end(server, server_port)) {
        (Some(client), Some(server)) => {
            Header::Whole { bytes, endpoints: Some(Endpoints { client, server }) }
        }
        _ => Header::Wrong("bad or missing client or server endpoint"),
    }
}

fn version_2(bytes: &[u8]) -> Header {
    let [version, family, high, low] = match bytes.get(12..16) {
        Some(fixed) => [fixed[0], fixed[1], fixed[2], fixed[3]],
        None => return Header::Incomplete,
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if version >> 4 != 2 || length > V2_LIMIT_BYTES {
        return Header::Wrong("bad or unsupported version 2 header");
    }
    let Some(payload) = bytes.get(16..16 + length) else { return Header::Incomplete };
    let bytes = 16 + length;
    match (version & 15, family) {
        (0, _) => Header::Whole { bytes, endpoints: None },
        (1, 0x11) => addresses(bytes, ipv4_pair(payload)),
        (1, 0x21) => addresses(bytes, ipv6_pair(payload)),
        _ => Header::Wrong("unsupported version 2 command or address family"),
    }
}

fn addresses(bytes: usize, endpoints: Option<Endpoints>) -> Header {
    match endpoints {
        Some(_) => Header::Whole { bytes, endpoints },
        None => Header::Wrong("short address field"),
    }
}

fn ipv4_pair(payload: &[u8]) -> Option<Endpoints> {
    let address = |at: usize| {
        let octets: [u8; 4] = payload.get(at..at + 4)?.try_into().ok()?;
        Some(IpAddr::V4(Ipv4Addr::from(octets)))
    };
    pair(address(0)?, address(4)?, payload.get(8..12)?)
}

fn ipv6_pair(payload: &[u8]) -> Option<Endpoints> {
    let address = |at: usize| {
        let octets: [u8; 16] = payload.get(at..at + 16)?.try_into().ok()?;
        Some(IpAddr::V6(Ipv6Addr::from(octets)))
    };
    pair(address(0)?, address(16)?, payload.get(32..36)?)
}

fn pair(client: IpAddr, server: IpAddr, ports: &[u8]) -> Option<Endpoints> {
    let port = |at: usize| Some(u16::from_be_bytes([*ports.get(at)?, *ports.get(at + 1)?]));
    Some(Endpoints { client: SocketAddr::new(client, port(0)?), server: SocketAddr::new(server, port(2)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(client: &str, server: &str) -> Option<Endpoints> {
        Some(Endpoints { client: client.parse().unwrap(), server: server.parse().unwrap() })
    }

    #[test]
    fn version_1_is_a_line() {
        let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 25\r\nEHLO x\r\n";
        let expected = Header::Whole { bytes: 40, endpoints: endpoints("192.0.2.1:1234", "192.0.2.2:25") };
        assert_eq!(parse(line), expected);
        for end in 0..40 {
            assert_eq!(parse(&line[..end]), Header::Incomplete, "cut at {end}");
        }
        assert_eq!(parse(b"PROXY UNKNOWN\r\n"), Header::Whole { bytes: 15, endpoints: None });
        for bad in ["EHLO x\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 70000\r\n"] {
            assert!(matches!(parse(bad.as_bytes()), Header::Wrong(_)), "{bad}");
        }
        assert!(matches!(parse(&[b"PROXY ".as_slice(), &[b'x'; 200]].concat()), Header::Wrong(_)));
    }

    #[test]
    fn version_2_is_binary() {
        let mut header = [SIGNATURE.as_slice(), &[0x21, 0x11, 0, 12]].concat();
        header.extend([192, 0, 2, 1, 192, 0, 2, 2, 0x04, 0xd2, 0, 25]);
        let expected = Header::Whole { bytes: 28, endpoints: endpoints("192.0.2.1:1234", "192.0.2.2:25") };
        assert_eq!(parse(&header), expected);
        for end in 0..header.len() {
            assert_eq!(parse(&header[..end]), Header::Incomplete, "cut at {end}");
        }
        header[12] = 0x20;
        assert_eq!(parse(&header), Header::Whole { bytes: 28, endpoints: None });
        header[12] = 0x21;
        header[13] = 0x12;
        assert!(matches!(parse(&header), Header::Wrong(_)));
    }
}
