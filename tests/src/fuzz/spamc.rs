//! Whole connections to spamd.
//!
//! The first byte chooses settings and the answer; the rest is the client's (see [`super::dialogue`]).

use std::time::Duration;

use spamc_protocol::{Class, Command, Fault, Learn, Reply, Server, Settings, Verdict};

use super::dialogue;
use testkit::dialogue::End;

const MESSAGE_LIMIT_BYTES: usize = 500;

/// One question at the most, with the message as it was sent; one reply at the most; the cut between reads changes nothing.
pub(super) fn run(input: &[u8]) {
    let ([choice], wire) = super::head(input);
    let played = connection(choice, wire);
    if dialogue::is_bytes_alone(wire) {
        assert!(connection(choice, &dialogue::joined(wire)) == played, "the cut between reads shows");
    }
}

/// What was said, and asked: command, and the message.
fn connection(choice: u8, wire: &[u8]) -> (Vec<u8>, Option<(Command, Vec<u8>)>) {
    let settings = Settings {
        patience: Duration::from_secs(30),
        check_time: Duration::from_secs(300),
        message_limit_bytes: MESSAGE_LIMIT_BYTES,
        allow_tell: choice & 1 != 0,
    };
    let mut asked = None;
    let sent = dialogue::joined(wire);
    let played = dialogue::play(Server::new(settings), wire, false, &mut |(request, message)| {
        assert!(message.len() <= MESSAGE_LIMIT_BYTES, "a message of {} bytes", message.len());
        assert!(message.is_empty() || contains(&sent, &message), "the message is not what was sent");
        assert!(request.content_length.is_none_or(|length| length == message.len()), "{request:?}");
        assert!(choice & 1 != 0 || request.command != Command::Tell, "TELL is not allowed");
        let user = request.user.as_deref().unwrap_or("user");
        assert!(!user.contains(['/', '\0', '\n']) && !user.starts_with('.'), "{user:?} leads elsewhere");
        assert!(asked.is_none(), "one connection, one question");
        asked = Some((request.command, message));
        answer(choice)
    });
    assert_eq!(played.end, End::Closed);
    let head = played.said.split(|byte| *byte == b'\n').next().unwrap_or_default();
    assert!(played.said.is_empty() || head.starts_with(b"SPAMD/1.") && head.ends_with(b"\r"), "{head:?}");
    assert!(played.said.is_empty() || !head[..head.len() - 1].contains(&b'\r'), "{head:?}");
    (played.said, asked)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn answer(choice: u8) -> Reply {
    match choice >> 1 & 3 {
        0 => Reply::Verdict(Verdict {
            spam: choice & 8 != 0,
            score: "1002.0".into(),
            required: "5.0".into(),
            text: b"Subject: x\n\ny\n".to_vec(),
        }),
        1 => Reply::Told(Learn { class: Some(Class::Spam), set_local: true, ..Learn::default() }),
        2 => Reply::Fault(Fault::Unavailable("no rules".into())),
        _ => Reply::Verdict(Verdict::default()),
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for command in
        ["CHECK", "SYMBOLS", "REPORT", "REPORT_IFSPAM", "PROCESS", "HEADERS", "PING", "SKIP", "TELL"]
    {
        for (choice, head) in [
            (0_u8, "1.5\r\nUser: joe\r\nContent-length: 15\r\n\r\n"),
            (8, "1.2\r\n\r\n"),
            (3, "1.5\nMessage-class: spam\nSet: local, remote\nRemove: local\nContent-length: 15\n\n"),
            (1, "1.0\r\n"),
            (4, "1.5\r\nCompress: zlib\r\nContent-length: 15\r\n\r\n"),
        ] {
            let text = format!("{command} SPAMC/{head}");
            seeds.push([&[choice], text.as_bytes(), &[dialogue::NEW_READ], b"Subject: x\n\nhi\n"].concat());
        }
    }
    seeds
}
