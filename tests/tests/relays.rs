//! Clients that speak for others: XCLIENT, XFORWARD, and the PROXY protocol of load balancers.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use tests::{Builder, Client};

const LETTER: &str = "Subject: x\n\nx\n";

#[test]
fn xclient_makes_the_client_another_one() {
    let main = "smtpd_authorized_xclient_hosts = 127.0.0.1\n\
                smtpd_client_restrictions = check_client_access inline:{ 192.0.2.66=REJECT }";
    let suite = Builder::new().example_com().main(main).start();
    let mut client = suite.connect();
    let offers = client.ehlo().text;
    let keyword = "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT";
    assert!(offers.lines().any(|line| line == keyword), "{offers}");
    client.expect("XCLIENT NONSENSE=1", 501);
    client.expect("XCLIENT NAME=spike.example ADDR=192.0.2.7 PORT=4711 HELO=spike PROTO=ESMTP", 220);
    client.expect("EHLO other.example", 250);
    let id = client.send("a@b.example", &["user@example.com"], LETTER);
    suite.wait_log(&["connect from unknown[127.0.0.1]"]);
    suite.wait_log(&[&id, "client=spike.example[192.0.2.7]"]);
    let received = suite.wait_messages("user/", 1)[0].header("Received").unwrap();
    assert!(received.starts_with("from other.example (spike.example [192.0.2.7])"), "{received}");
    // That one has no right to be another.
    client.expect("XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.66", 550);
    client.quit();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.66", 220);
    client.ehlo();
    client.expect("MAIL FROM:<a@b.example>", 250);
    client.expect("RCPT TO:<user@example.com>", 554);
    client.quit();
    suite.wait_log(&["disconnect from ", "xclient=0/3"]);
    suite.stop();
}

#[test]
fn nobody_else_may() {
    let suite = Builder::new().example_com().start();
    let mut client = suite.connect();
    assert!(!client.ehlo().text.contains("XCLIENT"));
    assert_eq!(client.expect("XCLIENT NAME=x", 550).text, "5.7.0 Error: insufficient authorization");
    assert_eq!(client.expect("XFORWARD NAME=x", 550).text, "5.7.0 Error: insufficient authorization");
    client.quit();
    suite.stop();
}

#[test]
fn xforward_is_for_the_log() {
    let suite = Builder::new().example_com().main("smtpd_authorized_xforward_hosts = 127.0.0.1").start();
    let mut client = suite.connect();
    let offers = client.ehlo().text;
    assert!(offers.lines().any(|line| line == "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT"), "{offers}");
    client.expect("XFORWARD NAME=first.example ADDR=192.0.2.9 IDENT=ABCD", 250);
    client.expect("XFORWARD PROTO=SMTP HELO=first SOURCE=REMOTE", 250);
    let id = client.send("a@b.example", &["user@example.com"], LETTER);
    suite.wait_log(&[
        &id,
        "client=unknown[127.0.0.1], orig_queue_id=ABCD, orig_client=first.example[192.0.2.9]",
    ]);
    let received = suite.wait_messages("user/", 1)[0].header("Received").unwrap();
    assert!(received.starts_with("from client.test.example (unknown [127.0.0.1])"), "{received}");
    client.quit();
    suite.stop();
}

/// Version 2: a TCP connection from 192.0.2.8:4000 to 192.0.2.1:25.
const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x08\xc0\0\x02\x01\x0f\xa0\0\x19";

/// What a server behind a balancer says to these bytes first; empty when it hangs up.
fn first_line(port: u16, header: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(tests::suite::PATIENCE)).unwrap();
    stream.write_all(header).unwrap();
    let mut line = String::new();
    // A server that hangs up on unread bytes resets the connection.
    let _ = BufReader::new(&stream).read_line(&mut line);
    line.trim_end().to_owned()
}

#[test]
fn a_load_balancer_tells_who_the_client_is() {
    let suite = Builder::new().example_com().main("smtpd_upstream_proxy_protocol = haproxy").start();
    let port = suite.port();
    let banner = "220 mx.test.example ESMTP Postfix";
    assert_eq!(first_line(port, b"PROXY TCP4 192.0.2.7 192.0.2.1 1234 25\r\n"), banner);
    suite.wait_log(&["connect from unknown[192.0.2.7]"]);
    assert_eq!(first_line(port, BINARY), banner);
    suite.wait_log(&["connect from unknown[192.0.2.8]"]);
    for bad in [&b"EHLO x\r\n"[..], b"PROXY TCP4 nonsense\r\n", b"PROXY UDP4 192.0.2.7 192.0.2.1 1 2\r\n"] {
        assert_ne!(first_line(port, bad), banner);
    }
    suite.wait_log(&["haproxy read: "]);
    let mut client = Client::connect_behind(port, b"PROXY TCP4 192.0.2.7 192.0.2.1 1234 25\r\n");
    client.ehlo();
    let id = client.send("a@b.example", &["user@example.com"], LETTER);
    suite.wait_log(&[&id, "client=unknown[192.0.2.7]"]);
    let received = suite.wait_messages("user/", 1)[0].header("Received").unwrap();
    assert!(received.contains("[192.0.2.7]"), "{received}");
    client.quit();
    suite.stop();
}
