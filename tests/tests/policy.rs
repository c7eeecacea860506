//! check_policy_service: what a policy server is told, and what its answers do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use tests::{Builder, Client, Port, Suite};

/// The default action as a reply.
const MISCONFIGURED: &str =
    "451 4.3.5 <user@example.com>: Recipient address rejected: Server configuration problem";

/// Attributes of one request, in the order in which they came.
type Request = Vec<(String, String)>;

/// A policy server on 127.0.0.1 that answers with what stands in the local part of the sender: the words of an action,
/// joined by "+". It notes each request, and the number of its connection.
struct PolicyServer {
    port: u16,
    seen: Arc<Mutex<Vec<(usize, Request)>>>,
}

impl PolicyServer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (stream, notes) = (stream.unwrap(), Arc::clone(&notes));
                std::thread::spawn(move || serve(&stream, number, &notes));
            }
        });
        Self { port, seen }
    }

    fn seen(&self) -> Vec<(usize, Request)> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, number: usize, notes: &Mutex<Vec<(usize, Request)>>) {
    let mut request = Request::new();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if let Some((name, value)) = line.split_once('=') {
            request.push((name.to_owned(), value.to_owned()));
            continue;
        }
        let action = of(&request, "sender").split('@').next().unwrap_or("").replace('+', " ");
        notes.lock().unwrap().push((number, std::mem::take(&mut request)));
        match action.as_str() {
            "close" => return,
            "hang" => continue,
            action => (&*stream).write_all(format!("action={action}\n\n").as_bytes()).unwrap(),
        }
    }
}

fn of(request: &Request, name: &str) -> String {
    request.iter().find(|(known, _)| known == name).map_or(String::new(), |(_, value)| value.clone())
}

/// What RCPT answers when the server says `action`.
fn answer(client: &mut Client, action: &str) -> String {
    client.expect(&format!("MAIL FROM:<{}@s.example>", action.replace(' ', "+")), 250);
    let reply = client.say("RCPT TO:<user@example.com>");
    client.expect("RSET", 250);
    format!("{} {}", reply.code, reply.text)
}

fn suite(restrictions: &str) -> Suite {
    Builder::new().example_com().main(&format!("smtpd_recipient_restrictions = {restrictions}")).start()
}

#[test]
fn a_policy_server_decides_over_one_connection() {
    let server = PolicyServer::start();
    let suite = suite(&format!("check_policy_service inet:127.0.0.1:{}, permit", server.port));
    let mut client = suite.connect();
    client.ehlo();
    let rejected = "<user@example.com>: Recipient address rejected:";
    for (action, reply) in [
        ("DUNNO", "250 2.1.5 Ok".to_owned()),
        ("OK", "250 2.1.5 Ok".to_owned()),
        ("REJECT go away", format!("554 5.7.1 {rejected} go away")),
        ("DEFER_IF_PERMIT come back", format!("450 4.7.1 {rejected} come back")),
        ("DEFER_IF_REJECT come back", "250 2.1.5 Ok".to_owned()),
        ("450 4.2.0 later", format!("450 4.2.0 {rejected} later")),
        ("WARN look", "250 2.1.5 Ok".to_owned()),
        ("NONSENSE here", "451 4.3.5 Server configuration error".to_owned()),
        ("permit_inet_interfaces reject", "250 2.1.5 Ok".to_owned()),
    ] {
        assert_eq!(answer(&mut client, action), reply, "{action}");
    }
    assert!(server.seen().iter().all(|(connection, _)| *connection == 0), "one connection is enough");
    suite.wait_log(&["NOQUEUE: warn: RCPT from ", ": look; from=<WARN+look@s.example>"]);
    suite.wait_log(&["warning: unknown smtpd restriction: \"NONSENSE\""]);
    client.send("PREPEND+X-Policy:+seen@s.example", &["user@example.com"], "Subject: x\n\nx\n");
    client.quit();
    let message = suite.wait_messages("user/", 1).remove(0);
    assert_eq!(message.header("X-Policy").as_deref(), Some("seen"));
    suite.stop();
}

#[test]
fn a_policy_server_is_told_all_there_is_to_know() {
    let server = PolicyServer::start();
    let service = format!("check_policy_service inet:127.0.0.1:{}", server.port);
    let suite = Builder::new()
        .example_com()
        .main(&format!(
            "smtpd_recipient_restrictions = {service}\nsmtpd_end_of_data_restrictions = {service}"
        ))
        .start();
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<dunno@s.example> SIZE=100", 250);
    client.expect("RCPT TO:<user@example.com>", 250);
    let id = tests::client::queue_id(&client.data("Subject: t\n\nbody\n"));
    client.quit();
    let seen = server.seen();
    let names: Vec<&str> = seen[0].1.iter().map(|(name, _)| name.as_str()).collect();
    let expected = "request protocol_state protocol_name client_address client_name client_port reverse_client_name \
        server_address server_port helo_name sender recipient recipient_count queue_id instance size etrn_domain stress \
        sasl_method sasl_username sasl_sender ccert_subject ccert_issuer ccert_fingerprint ccert_pubkey_fingerprint \
        encryption_protocol encryption_cipher encryption_keysize policy_context";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    let shown = |request: &Request| {
        ["protocol_state", "helo_name", "recipient", "recipient_count", "size"].map(|name| of(request, name))
    };
    let helo = "client.test.example";
    assert_eq!(shown(&seen[0].1), ["RCPT", helo, "user@example.com", "0", "100"]);
    assert_eq!(shown(&seen[1].1), ["END-OF-MESSAGE", helo, "user@example.com", "1", "20"]);
    assert_eq!(of(&seen[0].1, "instance"), of(&seen[1].1, "instance"));
    assert_eq!([of(&seen[0].1, "queue_id"), of(&seen[1].1, "queue_id")], [String::new(), id]);
    assert_eq!(of(&seen[0].1, "server_port"), suite.port().to_string());
    suite.stop();
}

#[test]
fn a_policy_server_that_fails_comes_to_the_default_action() {
    let (nobodys, server) = (Port::reserve(), PolicyServer::start());
    let gone = nobodys.number();
    let suite = suite(&format!(
        "check_policy_service {{ inet:127.0.0.1:{gone}, default_action=DUNNO, retry_delay=1s }}, \
         check_policy_service {{ inet:127.0.0.1:{}, try_limit=1 }}, permit",
        server.port
    ));
    let mut client = suite.connect();
    client.ehlo();
    assert_eq!(answer(&mut client, "DUNNO"), "250 2.1.5 Ok");
    suite.wait_log(&[&format!("warning: connect to 127.0.0.1:{gone}: Connection refused")]);
    suite.wait_log(&[&format!("warning: problem talking to server 127.0.0.1:{gone}: Connection refused")]);
    assert_eq!(answer(&mut client, "close"), MISCONFIGURED);
    suite.wait_log(&[&format!("problem talking to server 127.0.0.1:{}: Application error", server.port)]);
    client.quit();
    suite.stop();
}

#[test]
fn a_policy_server_that_says_nothing_comes_to_the_default_action() {
    let server = PolicyServer::start();
    let service =
        format!("check_policy_service {{ inet:127.0.0.1:{}, timeout=1s, try_limit=1 }}", server.port);
    let suite = suite(&format!("{service}, permit"));
    let mut client = suite.connect();
    client.ehlo();
    assert_eq!(answer(&mut client, "hang"), MISCONFIGURED);
    suite.wait_log(&[&format!("problem talking to server 127.0.0.1:{}: Connection timed out", server.port)]);
    client.quit();
    suite.stop();
}
