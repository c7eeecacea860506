//! The resolver against a name server on this host that knows a few names.
#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

use dns::{Answer, Failure, Hosts, MailHost, Question, Resolver};

/// A slow machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

const A: u16 = 1;
const NS: u16 = 2;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;

/// What the server knows: name, type, data.
fn records() -> Vec<(&'static str, u16, Vec<u8>)> {
    vec![
        ("good.example", A, vec![192, 0, 2, 10]),
        ("good.example", A, vec![192, 0, 2, 11]),
        ("good.example", MX, [vec![0, 10], name("mx.good.example")].concat()),
        ("good.example", NS, name("ns.good.example")),
        ("good.example", TXT, b"\x03one\x03two".to_vec()),
        ("null.example", MX, vec![0, 0, 0]),
        ("10.2.0.192.in-addr.arpa", PTR, name("good.example")),
        ("12.2.0.192.in-addr.arpa", PTR, name("good.example")),
        ("13.2.0.192.in-addr.arpa", PTR, name("gone.example")),
        ("14.2.0.192.in-addr.arpa", PTR, name("late.example")),
        ("15.2.0.192.in-addr.arpa", PTR, name("bad name")),
    ]
}

fn name(text: &str) -> Vec<u8> {
    let labels =
        text.split('.').flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat());
    labels.chain([0]).collect()
}

/// Answers one question: the records, NXDOMAIN, or SERVFAIL for what ends in `late.example`.
fn respond(query: &[u8]) -> Vec<u8> {
    let (mut labels, mut at) = (Vec::new(), 12);
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
        at = end;
    }
    let asked = labels.join(".");
    let question = &query[12..at + 5];
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    let found: Vec<_> = records().into_iter().filter(|(name, is, _)| *name == asked && *is == kind).collect();
    let known = records().iter().any(|(name, ..)| *name == asked);
    let code = if asked.ends_with("late.example") {
        2
    } else if known {
        0
    } else {
        3
    };
    let count = u8::try_from(found.len()).unwrap();
    let mut answer = [&query[..2], &[0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0], question].concat();
    for (_, kind, data) in found {
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        answer.extend(data);
    }
    answer
}

fn resolver() -> Resolver {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&respond(&buffer[..length]), from);
        }
    });
    let hosts = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(hosts.path(), "127.0.0.1 localhost\n").unwrap();
    Resolver::with(&[server], Hosts::read(hosts.path()), PATIENCE)
}

fn ask(resolver: &Resolver, question: Question) -> Answer {
    let (sender, receiver) = mpsc::channel();
    resolver.ask(question, move |answer| sender.send(answer).unwrap());
    receiver.recv_timeout(dns::DEADLINE * 4).unwrap()
}

#[test]
fn records_come_back_and_what_there_is_not_is_told_from_what_can_not_be_told() {
    let resolver = resolver();
    let text = str::to_owned;
    let addresses: Vec<std::net::IpAddr> = vec![[192, 0, 2, 10].into(), [192, 0, 2, 11].into()];
    let mut found = match ask(&resolver, Question::Addresses(text("good.example"))) {
        Answer::Addresses(Ok(found)) => found,
        other => panic!("{other:?}"),
    };
    found.sort();
    assert_eq!(found, addresses);
    let mx = vec![MailHost { preference: 10, host: text("mx.good.example") }];
    assert_eq!(ask(&resolver, Question::MailHosts(text("good.example"))), Answer::MailHosts(Ok(mx)));
    let null = vec![MailHost { preference: 0, host: String::new() }];
    assert_eq!(ask(&resolver, Question::MailHosts(text("null.example"))), Answer::MailHosts(Ok(null)));
    let servers = Answer::NameServers(Ok(vec![text("ns.good.example")]));
    assert_eq!(ask(&resolver, Question::NameServers(text("good.example"))), servers);
    let texts = Answer::Texts(Ok(vec![text("onetwo")]));
    assert_eq!(ask(&resolver, Question::Texts(text("good.example"))), texts);
    for name in ["gone.example", "null.example", "a..b", &"x".repeat(300)] {
        let none = Answer::Addresses(Err(Failure::NotFound));
        assert_eq!(ask(&resolver, Question::Addresses(name.to_owned())), none, "{name}");
    }
    let later = Answer::Addresses(Err(Failure::Unavailable));
    assert_eq!(ask(&resolver, Question::Addresses(text("late.example"))), later);
}

#[test]
fn records_of_any_type_come_with_the_servers_code() {
    let resolver = resolver();
    let records =
        |name: &str, kind: &'static str| match ask(&resolver, Question::Records(name.to_owned(), kind)) {
            Answer::Records(Some(found)) => (found.code, found.data),
            other => panic!("{other:?}"),
        };
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(records("good.example", "MX"), (0, texts(&["10 mx.good.example"])));
    assert_eq!(records("good.example", "NS"), (0, texts(&["ns.good.example"])));
    assert_eq!(records("good.example", "TXT"), (0, texts(&["onetwo"])));
    assert_eq!(records("good.example", "AAAA"), (0, Vec::new()));
    assert_eq!(records("gone.example", "A"), (3, Vec::new()));
    assert_eq!(records("late.example", "A"), (2, Vec::new()));
    let mut found = records("good.example", "A").1;
    found.sort();
    assert_eq!(found, ["192.0.2.10", "192.0.2.11"]);
}

#[test]
fn a_client_has_a_name_only_if_it_leads_back() {
    let resolver = resolver();
    let peer = |last: u8| match ask(&resolver, Question::Peer([192, 0, 2, last].into())) {
        Answer::Peer(peer) => (peer.name, peer.reverse, peer.doubt),
        other => panic!("{other:?}"),
    };
    let named = |name: &str| Ok(name.to_owned());
    assert_eq!(peer(10), (named("good.example"), named("good.example"), None));
    let doubt = Some("hostname good.example does not resolve to address 192.0.2.12".to_owned());
    assert_eq!(peer(12), (Err(Failure::NotFound), named("good.example"), doubt));
    let unknown = "hostname gone.example does not resolve to address 192.0.2.13: Name or service not known";
    assert_eq!(peer(13), (Err(Failure::NotFound), named("gone.example"), Some(unknown.to_owned())));
    assert_eq!(peer(14).0, Err(Failure::Unavailable));
    assert_eq!(peer(15), (Err(Failure::NotFound), Err(Failure::NotFound), None));
    assert_eq!(peer(99).0, Err(Failure::NotFound));
    assert!(resolver.at_once(&Question::Peer([127, 0, 0, 1].into())).is_some());
}

#[test]
fn a_server_that_is_not_there_is_a_temporary_failure() {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address: SocketAddr = silent.local_addr().unwrap();
    // Its port stays taken, and is closed to everybody but this one, who never asks.
    silent.connect((Ipv4Addr::LOCALHOST, 1)).unwrap();
    let resolver = Resolver::with(&[address], Hosts::default(), Duration::from_millis(50));
    let answer = ask(&resolver, Question::Texts("good.example".to_owned()));
    assert_eq!(answer, Answer::Texts(Err(Failure::Unavailable)));
}
