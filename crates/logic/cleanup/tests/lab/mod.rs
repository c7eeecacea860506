//! A configuration, a message and its way through the editor.
#![allow(clippy::unwrap_used)]
#![allow(dead_code)]

use std::sync::Arc;

use cleanup::{Cleanup, Envelope, Finished, Recipient, Settings};
use lookup::Memory;
use message::Moment;
use queue_format::record;
use rewriting::{Context, Rewriting};

pub(crate) fn rewriting_settings() -> rewriting::Settings {
    rewriting::Settings {
        myhostname: "mx.lab.example".into(),
        mydomain: "lab.example".into(),
        myorigin: "mx.lab.example".into(),
        mydestination: "mx.lab.example".into(),
        recipient_delimiter: "+".into(),
        ..rewriting::Settings::default()
    }
}

pub(crate) struct Lab {
    pub(crate) rewriting: rewriting::Settings,
    pub(crate) change: fn(&mut Settings),
    pub(crate) tables: Memory,
    pub(crate) envelope: Envelope,
    pub(crate) recipients: Vec<Recipient>,
}

impl Lab {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn remote() -> Self {
        let mut lab = Self::new();
        lab.envelope.rewrite_context = Context::Untouched;
        lab
    }

    pub(crate) fn run(self, content: &str) -> Finished {
        self.run_bytes(content.replace('\n', "\r\n").as_bytes())
    }

    pub(crate) fn run_bytes(self, content: &[u8]) -> Finished {
        let tables = self.tables.clone();
        let mut cleanup = self.begin();
        cleanup.content(content);
        cleanup.finish("QID", &tables).unwrap()
    }

    pub(crate) fn begin(self) -> Cleanup {
        let mut settings = Settings::new(Rewriting::new(self.rewriting));
        (self.change)(&mut settings);
        let mut cleanup = Cleanup::new(Arc::new(settings), self.envelope);
        self.recipients.into_iter().for_each(|recipient| cleanup.recipient(recipient));
        cleanup
    }
}

pub(crate) fn to(address: &str) -> Recipient {
    Recipient { address: address.into(), ..Recipient::default() }
}

/// All records as `T data`.
pub(crate) fn records(finished: &Finished) -> Vec<String> {
    let show = |item: Result<(u64, record::Record<'_>), _>| {
        let (_, record) = item.unwrap();
        format!("{} {}", char::from(record.kind.0), String::from_utf8_lossy(record.data))
    };
    record::walk(&finished.records).map(show).collect()
}

/// The lines of the content.
pub(crate) fn content(finished: &Finished) -> Vec<String> {
    let all = records(finished);
    let begin = all.iter().position(|line| line == "M ").unwrap() + 1;
    let end = all.iter().position(|line| line == "X ").unwrap();
    all[begin..end].iter().map(|line| line[2..].to_owned()).collect()
}

pub(crate) fn recipients(finished: &Finished) -> Vec<String> {
    records(finished).iter().filter_map(|line| line.strip_prefix("R ")).map(str::to_owned).collect()
}

pub(crate) fn log(finished: &Finished) -> Vec<&str> {
    finished.log.iter().map(|line| line.text.as_str()).collect()
}

/// Content of a message whose headers are these and whose body is one line, as the lines of the file.
pub(crate) fn edited(lab: Lab, headers: &str) -> Vec<String> {
    content(&lab.run(&format!("{headers}\n\nbody\n")))
}
