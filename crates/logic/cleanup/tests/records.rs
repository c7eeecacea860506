//! The records of the queue file. What is expected is what Postfix 3.7.11 wrote for the same input.

mod lab;

use cleanup::{Client, LogClient, Verdict};
use lab::{Lab, log, records, to};
use lookup::Memory;
use message::{Received, received};

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

#[test]
fn a_local_submission_has_other_records() {
    let mut lab = Lab::new();
    lab.envelope.raw_content = true;
    lab.envelope.sender = "me".into();
    lab.envelope.full_name = "Full Name".into();
    lab.envelope.envelope_id = "envi".into();
    lab.recipients = vec![to("user1")];
    let finished = lab.run_bytes(b"To: x\nSubject: y\n\nhi\n");
    let expected = [
        "T 1795315393 410227",
        "A create_time=1795315393",
        "A envelope_id=envi",
        "A rewrite_context=local",
        "F Full Name",
        "S me@mx.lab.example",
        "A dsn_orig_rcpt=rfc822;user1@mx.lab.example",
        "O user1",
        "R user1@mx.lab.example",
        "M ",
        "N To: x@mx.lab.example",
        "N Subject: y",
        "N Message-Id: <20261122024313.QID@mx.lab.example>",
        "N Date: Sun, 22 Nov 2026 02:43:13 +0000 (UTC)",
        "N From: Full Name <me@mx.lab.example>",
        "N ",
        "N hi",
        "X ",
        "E ",
    ];
    assert_eq!(records(&finished)[1..], expected);
}

#[test]
fn long_lines_are_cut_into_records() {
    let mut lab = Lab::remote();
    lab.change = |settings| settings.line_length_limit = 10;
    let finished = lab.run("X: 89abcdefghijklmnopqr\n\n0123456789\n01234567\n");
    let shown = records(&finished);
    let begin = shown.iter().position(|line| line == "M ").unwrap() + 1;
    let expected = ["L X: 89abcde", "L fghijklmno", "N pqr", "N ", "L 0123456789", "N ", "N 01234567", "X "];
    assert_eq!(shown[begin..begin + expected.len()], expected);
}

#[test]
fn the_size_record_counts_recipients_content_and_options() {
    let mut lab = Lab::remote();
    lab.recipients = vec![to("a@x.y"), cleanup::Recipient { notify: 2, ..to("b@x.y") }];
    let finished = lab.run("Subject: \u{e9}\n\nb\n");
    let size = queue_format::SizeRecord::decode(&finished.size_record[2..]).unwrap();
    assert_eq!((size.recipients, size.manager_flags, size.send_options), (2, 4, 2));
    let content: u64 = (2 + 11) + 2 + 3;
    assert_eq!((size.content_bytes, finished.content_bytes), (content, content));
    assert_eq!(finished.records[..finished.size_record.len()], finished.size_record[..]);
}

#[test]
fn a_large_message_streams_and_comes_out_the_same() {
    let body = "line of text\n".repeat(2000);
    let whole = Lab::new().run(&format!("From: a\n\n{body}"));
    let mut cleanup = Lab::new().begin();
    let mut file = Vec::new();
    for chunk in format!("From: a\r\n\r\n{}", body.replace('\n', "\r\n")).as_bytes().chunks(1000) {
        cleanup.content(chunk);
        cleanup.advance("QID", &Memory::new()).unwrap();
        assert!(cleanup.pending_bytes() < 1000);
        file.extend(cleanup.take());
    }
    let finished = cleanup.finish("QID", &Memory::new()).unwrap();
    file.extend(&finished.records);
    file[..finished.size_record.len()].copy_from_slice(&finished.size_record);
    assert!(file == whole.records);
}

#[test]
fn a_sender_who_is_to_be_warned_of_delay_has_the_time_in_the_file() {
    let written = |sender: &str| {
        let mut lab = Lab::new();
        lab.envelope.sender = sender.to_owned();
        lab.change = |settings| settings.delay_warning_seconds = 3600;
        records(&lab.run("Subject: x\n\nbody\n"))
    };
    let records = written("a@client.example");
    let warn = records.iter().position(|record| record == "W      1795318993").expect("a warning time");
    let recipient = records.iter().position(|record| record == "R u@example.com").expect("a recipient");
    assert!(warn < recipient, "{records:?}");
    assert!(!written("").iter().any(|record| record.starts_with("W ")), "the null sender is told nothing");
}
