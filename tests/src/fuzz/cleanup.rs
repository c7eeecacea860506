//! A whole message through the editor: what comes out is a queue file.

use std::sync::Arc;

use cleanup::{Cleanup, Envelope, Recipient, Settings};
use lookup::Memory;
use queue_format::content;
use rewriting::{Context, Rewriting};

/// The records can be read back, and hold the recipient; or the message is refused.
pub(super) fn run(input: &[u8]) {
    let ([settings], message) = super::head(input);
    let rewriting = rewriting::Settings {
        myhostname: "mx.example".to_owned(),
        myorigin: "mx.example".to_owned(),
        masquerade_domains: if settings & 1 == 0 { String::new() } else { "example".to_owned() },
        ..rewriting::Settings::default()
    };
    let mut rules = Settings::new(Rewriting::new(rewriting));
    rules.header_checks = if settings & 2 == 0 { String::new() } else { "test:headers".to_owned() };
    let tables = Memory::new().table("test:headers", &[("Subject: x", "IGNORE")]);
    let rewrite_context = if settings & 4 == 0 { Context::Local } else { Context::Untouched };
    let envelope = Envelope { sender: "a@example".to_owned(), rewrite_context, ..Envelope::default() };
    let mut cleanup = Cleanup::new(Arc::new(rules), envelope);
    cleanup.recipient(Recipient { address: "b@example".to_owned(), ..Recipient::default() });
    for piece in message.chunks(usize::from(settings >> 3) * 8 + 1) {
        cleanup.content(piece);
    }
    let finished = cleanup.finish("QID", &tables).expect("no table fails");
    if finished.problem.is_some() || finished.records.is_empty() {
        return;
    }
    let read = queue_format::Envelope::decode(&finished.records).expect("the records are a queue file");
    assert_eq!(read.recipients.len(), 1);
    content::decode(&finished.records, read.content_offset).expect("its content can be read");
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let messages = super::message::seeds();
    messages
        .iter()
        .enumerate()
        .map(|(number, text)| [&[number as u8 * 9], text.as_slice()].concat())
        .collect()
}
