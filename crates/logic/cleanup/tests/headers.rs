//! Headers: rewritten, dropped, added. What is expected is what Postfix 3.7.11 made of the same input.

mod lab;

use lab::{Lab, content, edited, log};
use lookup::Memory;

/// Stands at the end of headers to which nothing is missing.
const COMPLETE: &str = "Message-Id: <i@h>\nDate: d\nFrom: a@b";

/// The header lines of a local client's message, without those of [`COMPLETE`].
fn rewritten(headers: &str) -> Vec<String> {
    let mut lines = edited(Lab::new(), &format!("{headers}\n{COMPLETE}"));
    lines.truncate(lines.len() - 5);
    lines
}

#[test]
fn addresses_of_local_clients_are_completed() {
    assert_eq!(rewritten("To: b, c@host"), ["To: b@mx.lab.example, c@host"]);
    assert_eq!(
        rewritten("Cc:x!y, <d@example.com>, Undisclosed: ;"),
        ["Cc: y@x, <d@example.com>, Undisclosed: ;"]
    );
    assert_eq!(rewritten("Reply-To :  z (comment)"), ["Reply-To: z@mx.lab.example (comment)"]);
    assert_eq!(rewritten("Sender: \"q x\"@c.d"), ["Sender: \"q x\"@c.d"]);
    assert_eq!(rewritten("Cc: \"a\"@b"), ["Cc: a@b"]);
    assert_eq!(rewritten("To: J\u{f6} <j>"), ["To: J\u{f6} <j@mx.lab.example>"]);
    assert_eq!(rewritten("X-Foo: a b"), ["X-Foo: a b"]);
}

#[test]
fn a_header_without_a_change_keeps_its_lines() {
    assert_eq!(rewritten("To: a@b,\n\tc@d,\n  e@f"), ["To: a@b,", "\tc@d,", "  e@f"]);
    assert_eq!(rewritten("To: a, b@c,\n\td@e"), ["To: a@mx.lab.example, b@c, d@e"]);
}

#[test]
fn a_long_list_is_folded_again() {
    let names = "one two three four five";
    let expected = [
        "To: one@mx.lab.example, two@mx.lab.example, three@mx.lab.example,",
        "\tfour@mx.lab.example, five@mx.lab.example",
    ];
    assert_eq!(rewritten(&format!("To: {names}")), expected);
}

#[test]
fn bytes_that_are_no_utf8_survive() {
    let finished = Lab::new().run_bytes(b"To: J\xf6 <j>\r\n\r\n");
    assert!(
        finished.records.windows(24).any(|bytes| bytes == b"To: J\xf6 <j@mx.lab.example>".get(..24).unwrap())
    );
}

#[test]
fn headers_of_remote_clients_stay() {
    let headers = "From: a\nTo: b, x!y";
    assert_eq!(edited(Lab::remote(), headers), ["From: a", "To: b, x!y", "", "body"]);
}

#[test]
fn remote_headers_are_completed_where_configured() {
    let mut lab = Lab::new();
    lab.rewriting.remote_header_rewrite_domain = "dom.invalid".into();
    lab.envelope.rewrite_context = rewriting::Context::Remote;
    assert_eq!(edited(lab, "From: a\nTo: b@c")[..2], ["From: a@dom.invalid", "To: b@c"]);
}

#[test]
fn some_headers_go() {
    let headers = "Bcc: s@x\nReturn-Path: <a@b>\nContent-Length: 3\nResent-Bcc: q@x\nStatus: RO";
    assert_eq!(edited(Lab::remote(), headers), ["Status: RO", "", "body"]);
    let mut lab = Lab::remote();
    lab.change = |settings| settings.message_drop_headers = vec!["x-drop".into()];
    assert_eq!(edited(lab, "X-Drop: 1\nBcc: b@x"), ["Bcc: b@x", "", "body"]);
}

const MESSAGE_ID: &str = "Message-Id: <20261122024313.QID@mx.lab.example>";
const DATE: &str = "Date: Sun, 22 Nov 2026 02:43:13 +0000 (UTC)";

#[test]
fn what_is_missing_is_added_for_local_clients() {
    let expected = ["Subject: s", MESSAGE_ID, DATE, "From: a@client.example", "", "body"];
    assert_eq!(edited(Lab::new(), "Subject: s"), expected);
    assert_eq!(edited(Lab::remote(), "Subject: s"), ["Subject: s", "", "body"]);
}

#[test]
fn what_is_missing_is_added_for_all_where_configured() {
    let mut lab = Lab::remote();
    lab.change = |settings| {
        settings.always_add_missing_headers = true;
        settings.undisclosed_recipients_header = "To: undisclosed-recipients:;".into();
    };
    let expected = ["From: a", MESSAGE_ID, DATE, "To: undisclosed-recipients:;", "", "body"];
    assert_eq!(edited(lab, "From: a"), expected);
}

#[test]
fn a_resent_message_gets_resent_headers() {
    let lines = edited(Lab::new(), "Subject: s\nResent-To: x");
    let expected = [
        "Subject: s",
        "Resent-To: x@mx.lab.example",
        "Resent-Message-Id: <20261122024313.QID@mx.lab.example>",
        "Resent-Date: Sun, 22 Nov 2026 02:43:13 +0000 (UTC)",
        "Resent-From: a@client.example",
    ];
    assert_eq!(lines[..5], expected);
}

fn from_line(sender: &str, name: &str, obsolete: bool) -> String {
    let mut lab = Lab::new();
    lab.envelope.sender = sender.into();
    lab.envelope.full_name = name.into();
    if obsolete {
        lab.change = |settings| settings.header_from_format = cleanup::FromFormat::Obsolete;
    }
    edited(lab, "Message-Id: <x@y>\nDate: d")[2].clone()
}

#[test]
fn from_names_the_sender() {
    assert_eq!(from_line("", "", false), "From: MAILER-DAEMON");
    assert_eq!(from_line("", "X Y", false), "From: MAILER-DAEMON");
    assert_eq!(from_line("a b@c", "", false), "From: \"a b\"@c");
    assert_eq!(from_line("me@c", "Full Name", false), "From: Full Name <me@c>");
    assert_eq!(from_line("me@c", "J. \"Q\" (x) P", false), "From: \"J. \\\"Q\\\" (x) P\" <me@c>");
    assert_eq!(from_line("me@c", "J. \"Q\" (x) P", true), "From: me@c (J. \"Q\" (x) P)");
    assert_eq!(from_line("me@c", "a)b", true), "From: me@c (a\\)b)");
}

#[test]
fn content_that_begins_oddly_is_put_right() {
    let lines = |text: &str| content(&Lab::remote().run(text));
    assert_eq!(lines("just body\nmore\n"), ["", "just body", "more"]);
    assert_eq!(lines("A: 1\nno colon here\n"), ["A: 1", "", "no colon here"]);
    assert_eq!(lines(" x\nA: 1\n"), ["", " x", "A: 1"]);
    assert_eq!(lines("\nA: 1\n"), ["", "A: 1"]);
    assert_eq!(lines("A: 1\n"), ["A: 1"]);
    assert!(lines("").is_empty());
    assert_eq!(
        lines("From x\n>From y\nA: 1\n\n"),
        ["X-Mailbox-Line: From x", "X-Mailbox-Line: >From y", "A: 1", ""]
    );
}

#[test]
fn message_ids_are_logged() {
    let logged = |headers: &str| {
        let finished = Lab::remote().run(&format!("{headers}\n\n"));
        log(&finished).iter().map(|line| line.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(logged("Message-Id:\n <a@b>"), ["QID: message-id=<a@b>"]);
    assert_eq!(logged("Subject: x"), ["QID: message-id=<>"]);
    assert_eq!(logged("Resent-Message-Id: <r@x>"), ["QID: resent-message-id=<r@x>", "QID: message-id=<>"]);
}

#[test]
fn canonical_maps_and_masquerading_reach_headers() {
    let mut lab = Lab::new();
    lab.rewriting.sender_canonical_maps = "s".into();
    lab.rewriting.recipient_canonical_maps = "r".into();
    lab.rewriting.masquerade_domains = "lab.example".into();
    lab.tables = Memory::new()
        .table("s", &[("p@mx.lab.example", "q@r")])
        .table("r", &[("t@x", "u@x"), ("u@x", "v@x")]);
    let lines = edited(lab, "From: p\nReply-To: z\nTo: t@x, N <t+e@x>");
    assert_eq!(lines[..3], ["From: q@r", "Reply-To: z@lab.example", "To: v@x, N <v+e@x>"]);
}

#[test]
fn no_address_mappings_leaves_the_maps_out() {
    let mut lab = Lab::new();
    lab.rewriting.canonical_maps = "s".into();
    lab.tables = Memory::new().table("s", &[("p@mx.lab.example", "q@r")]);
    lab.envelope.options.mappings = false;
    assert_eq!(edited(lab, "From: p")[0], "From: p@mx.lab.example");
}

#[test]
fn eight_bit_parts_are_told_to_the_delivery_agent() {
    let encoding = |text: &str| {
        let finished = Lab::remote().run(text);
        lab::records(&finished)
            .iter()
            .filter(|line| line.starts_with("A encoding"))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(encoding("Content-Transfer-Encoding: 8BIT\n\n"), ["A encoding=8bit"]);
    assert_eq!(encoding("Content-Transfer-Encoding: binary\n\n"), ["A encoding=8bit"]);
    assert!(encoding("Content-Transfer-Encoding: 7bit\n\n").is_empty());
    let part =
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: 8bit\n\nx\n--b--\n";
    assert_eq!(encoding(part), ["A encoding=8bit"]);
}
