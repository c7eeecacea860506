//! Whole messages through the editor, as records of the queue file. What is expected is what Postfix 3.7.11 wrote for the
//! same input.

use std::sync::Arc;

use cleanup::{Cleanup, Client, Envelope, Finished, LogClient, Recipient, Settings, Verdict};
use lookup::Memory;
use message::{Moment, Received, received};
use queue_format::record;
use rewriting::{Context, Rewriting};

fn rewriting_settings() -> rewriting::Settings {
    rewriting::Settings {
        myhostname: "mx.lab.example".into(),
        mydomain: "lab.example".into(),
        myorigin: "mx.lab.example".into(),
        mydestination: "mx.lab.example".into(),
        recipient_delimiter: "+".into(),
        ..rewriting::Settings::default()
    }
}

struct Lab {
    rewriting: rewriting::Settings,
    change: fn(&mut Settings),
    tables: Memory,
    envelope: Envelope,
    recipients: Vec<Recipient>,
}

impl Lab {
    fn new() -> Self {
        let arrival =
            Moment { seconds: 1_795_315_393, microseconds: 410_227, zone: "UTC".into(), ..Moment::default() };
        let envelope = Envelope {
            arrival,
            sender: "a@client.example".into(),
            rewrite_context: Context::Local,
            ..Envelope::default()
        };
        Self {
            rewriting: rewriting_settings(),
            change: |_| {},
            tables: Memory::new(),
            envelope,
            recipients: vec![to("u@example.com")],
        }
    }

    fn remote() -> Self {
        let mut lab = Self::new();
        lab.envelope.rewrite_context = Context::Untouched;
        lab
    }

    fn run(self, content: &str) -> Finished {
        self.run_bytes(content.replace('\n', "\r\n").as_bytes())
    }

    fn run_bytes(self, content: &[u8]) -> Finished {
        let mut settings = Settings::new(Rewriting::new(self.rewriting));
        (self.change)(&mut settings);
        let mut cleanup = Cleanup::new(Arc::new(settings), self.envelope);
        self.recipients.into_iter().for_each(|recipient| cleanup.recipient(recipient));
        cleanup.content(content);
        cleanup.finish("QID", &self.tables).unwrap()
    }
}

fn to(address: &str) -> Recipient {
    Recipient { address: address.into(), ..Recipient::default() }
}

/// All records as `T data`.
fn records(finished: &Finished) -> Vec<String> {
    let show = |item: Result<(u64, record::Record<'_>), _>| {
        let (_, record) = item.unwrap();
        format!("{} {}", char::from(record.kind.0), String::from_utf8_lossy(record.data))
    };
    record::walk(&finished.records).map(show).collect()
}

/// The lines of the content.
fn content(finished: &Finished) -> Vec<String> {
    let all = records(finished);
    let begin = all.iter().position(|line| line == "M ").unwrap() + 1;
    let end = all.iter().position(|line| line == "X ").unwrap();
    all[begin..end].iter().map(|line| line[2..].to_owned()).collect()
}

fn recipients(finished: &Finished) -> Vec<String> {
    records(finished).iter().filter_map(|line| line.strip_prefix("R ")).map(str::to_owned).collect()
}

fn log(finished: &Finished) -> Vec<&str> {
    finished.log.iter().map(|line| line.text.as_str()).collect()
}

#[test]
fn an_smtp_message_becomes_the_records_that_postfix_writes() {
    let mut lab = Lab::new();
    let envelope = &mut lab.envelope;
    envelope.envelope_id = "abc".into();
    envelope.return_flags = 2;
    envelope.encoding = "8bit".into();
    envelope.client = Some(Client {
        name: "localhost".into(),
        reverse_name: "localhost".into(),
        address: "127.0.0.1".into(),
        port: "40523".into(),
        helo: "client.lab.example".into(),
        protocol: "ESMTP".into(),
    });
    envelope.server = Some(cleanup::Server { address: "127.0.0.1".into(), port: "24225".into() });
    envelope.log_client = Some(LogClient {
        name: "localhost".into(),
        address: "127.0.0.1".into(),
        port: "40523".into(),
        helo: "client.lab.example".into(),
        protocol: "ESMTP".into(),
        origin: "localhost[127.0.0.1]".into(),
    });
    envelope.received = Some(Received {
        from: Some(received::From {
            helo: "client.lab.example".into(),
            name: "localhost".into(),
            address: "127.0.0.1".into(),
            ..received::From::default()
        }),
        host: "mx.lab.example".into(),
        mail_name: "Postfix".into(),
        protocol: "ESMTP".into(),
        date: envelope.arrival.clone(),
        ..Received::default()
    });
    lab.rewriting.virtual_alias_maps = "v".into();
    lab.tables = Memory::new().table("v", &[("both@alias.example", "user0@example.com, user1@example.com")]);
    lab.recipients = vec![to("user1@example.com"), to("both@alias.example"), to("USER1@example.com")];
    let finished = lab.run("From: a\nSubject: x\n\nbody\n");
    let expected = "\
C             293             915               3               0             293               0
T 1795315393 410227
A create_time=1795315393
A log_ident=QID
A rewrite_context=local
A envelope_id=abc
A ret_flags=2
S a@client.example
A encoding=8bit
A log_client_name=localhost
A log_client_address=127.0.0.1
A log_client_port=40523
A log_message_origin=localhost[127.0.0.1]
A log_helo_name=client.lab.example
A log_protocol_name=ESMTP
A client_name=localhost
A reverse_client_name=localhost
A client_address=127.0.0.1
A client_port=40523
A server_address=127.0.0.1
A server_port=24225
A helo_name=client.lab.example
A protocol_name=ESMTP
A client_address_type=2
A dsn_orig_rcpt=rfc822;user1@example.com
O user1@example.com
R user1@example.com
A dsn_orig_rcpt=rfc822;both@alias.example
O both@alias.example
R user0@example.com
A dsn_orig_rcpt=rfc822;both@alias.example
O both@alias.example
R user1@example.com
M \n\
N Received: from client.lab.example (localhost [127.0.0.1])
N \tby mx.lab.example (Postfix) with ESMTP id QID;
N \tSun, 22 Nov 2026 02:43:13 +0000 (UTC)
N From: a@mx.lab.example
N Subject: x
N Message-Id: <20261122024313.QID@mx.lab.example>
N Date: Sun, 22 Nov 2026 02:43:13 +0000 (UTC)
N \n\
N body
X \n\
A encoding=8bit
E ";
    let shown = records(&finished);
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    assert_eq!(shown[1..], expected.split('\n').collect::<Vec<_>>()[1..]);
    assert_eq!(finished.verdict, Verdict::Queue);
    assert_eq!(log(&finished), ["QID: message-id=<20261122024313.QID@mx.lab.example>"]);
}
