//! What learning and judging need of a message: its tokens, the ids it is remembered by, and when it came.

use sha1::{Digest, Sha1};

use super::fields;
use super::received::received_at;
use super::tokens::Tokens;
use super::words::{Cutter, Region};
use crate::learned::{Change, Class, Memory};
use crate::mail::Mail;
use crate::rules::Settings;

/// Tokens of the text, of the header, and of URIs: what is beyond does not count.
const TEXT_LIMIT: usize = 50_000;
const HEADER_LIMIT: usize = 10_000;
const URI_LIMIT: usize = 10_000;
/// A message that came later than this in the future came now.
const FUTURE_LIMIT_SECONDS: i64 = 86_400;

/// A message as the learner sees it.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) tokens: Tokens,
    /// The ids by which it is remembered, the first one for new messages.
    pub(crate) ids: Vec<String>,
    /// When it came, in seconds since 1970.
    pub(crate) received: u32,
}

/// What a lesson comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Lesson {
    pub(crate) learned: bool,
    pub(crate) changes: Vec<Change>,
}

impl Sample {
    /// `scanned` says that the message is being checked, as against only learned.
    pub(crate) fn of(mail: &Mail<'_>, scanned: bool, now: i64) -> Self {
        let settings = mail.settings;
        let tokens = tokens(mail, settings, scanned);
        let received = received_at(mail, now);
        let late = if scanned { 0 } else { FUTURE_LIMIT_SECONDS };
        let received = if received - now > late { now } else { received };
        Self { tokens, ids: ids(mail), received: u32::try_from(received.max(0)).unwrap_or(u32::MAX) }
    }
}

fn tokens(mail: &Mail<'_>, settings: &Settings, scanned: bool) -> Tokens {
    let sources = &settings.bayes_token_sources;
    let stop_words = settings.stop_words();
    let mut cutter = Cutter::new(settings.bayes_max_token_length, &stop_words);
    let mut take = |lines: &mut dyn Iterator<Item = &[u8]>, prefix: &[u8], region, limit| {
        let before = cutter.tokens.added();
        for line in lines {
            cutter.line(line, prefix, region);
            if cutter.tokens.added() - before >= limit {
                break;
            }
        }
    };
    if sources.visible {
        take(&mut mail.visible().iter().map(Vec::as_slice), b"", Region::Body, TEXT_LIMIT);
    }
    if sources.uri {
        take(&mut mail.uris.list().into_iter(), b"", Region::Uri, URI_LIMIT);
    }
    if sources.invisible {
        take(&mut mail.invisible().iter().map(Vec::as_slice), b"I*:", Region::Body, TEXT_LIMIT);
    }
    if sources.mimepart {
        mime_parts(mail, &mut cutter.tokens);
    }
    if sources.header {
        let before = cutter.tokens.added();
        for (name, value) in fields::values(mail, settings, scanned) {
            cutter.line(&value, &[b"H", name.as_slice(), b":"].concat(), Region::Header);
            if cutter.tokens.added() - before >= HEADER_LIMIT {
                break;
            }
        }
    }
    cutter.tokens.finish()
}

/// Contents that many parts have, by the names that they go by.
const USUAL_PARTS: [(&str, &str); 7] = [
    ("da39a3ee5e6b4b0d3255bfef95601890afd80709:text/plain", "Empty-Plaintext"),
    ("da39a3ee5e6b4b0d3255bfef95601890afd80709:text/html", "Empty-HTML"),
    ("da39a3ee5e6b4b0d3255bfef95601890afd80709:text/xml", "Empty-XML"),
    ("adc83b19e793491b1c6ea0fd8b46cd9f32e592fc:text/plain", "OneNL-Plaintext"),
    ("adc83b19e793491b1c6ea0fd8b46cd9f32e592fc:text/html", "OneNL-HTML"),
    ("71853c6197a6a7f222db0f1978c7cb232b87c5ee:text/plain", "TwoNL-Plaintext"),
    ("71853c6197a6a7f222db0f1978c7cb232b87c5ee:text/html", "TwoNL-HTML"),
];

fn mime_parts(mail: &Mail<'_>, tokens: &mut Tokens) {
    for id in mail.tree.leaves() {
        let part = mail.tree.part(id);
        let digest = format!("{}:{}", hexadecimal::encode(&Sha1::digest(part.decoded())), part.kind);
        let usual = USUAL_PARTS.iter().find(|(known, _)| *known == digest).map(|(_, name)| *name);
        tokens.add(b"MIME:", usual.unwrap_or(&digest).as_bytes());
    }
}

/// One id is made of what does not change on the way, the other is the message's own.
fn ids(mail: &Mail<'_>) -> Vec<String> {
    let fields = &mail.tree.root().fields;
    let field = |name: &str| fields.value(name).map(|value| [value, b"\n"].concat()).unwrap_or_default();
    let body = hexadecimal::encode(&Sha1::digest(without_cr(&mail.tree.body)));
    let made = [field("to"), field("date"), body.into_bytes()].join(&b'\0');
    let mut ids = vec![format!("{}@sa_generated", hexadecimal::encode(&Sha1::digest(made)))];
    let own = fields.value("message-id").map(<[u8]>::trim_ascii);
    let own = own.and_then(|id| id.strip_prefix(b"<")?.strip_suffix(b">")).filter(|id| !id.is_empty());
    ids.extend(own.map(|id| String::from_utf8_lossy(id).into_owned()));
    ids
}

fn without_cr(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(body.len());
    for (index, byte) in body.iter().enumerate() {
        if *byte != b'\r' || body.get(index + 1) != Some(&b'\n') {
            plain.push(*byte);
        }
    }
    plain
}

/// The change of a class by so many messages, all of the sample's tokens with it.
fn counted(sample: &Sample, class: Class, by: i64, used: u32) -> [Change; 2] {
    [Change::Messages { class, by }, Change::Tokens { tokens: sample.tokens.all(), class, by, used }]
}

/// Learns a message. One that was learned as the other class is forgotten first, if `anew` allows it.
pub(crate) fn learn(sample: &Sample, class: Class, memory: &dyn Memory, anew: bool) -> Lesson {
    let before = sample.ids.iter().find_map(|id| memory.learned_as(id));
    if before == Some(class) || (before.is_some() && !anew) {
        return Lesson::default();
    }
    let mut changes = forget(sample, memory).changes;
    changes.extend(counted(sample, class, 1, sample.received));
    let id = sample.ids.first().cloned().unwrap_or_default();
    changes.push(Change::Message { id, class: Some(class) });
    Lesson { learned: true, changes }
}

/// Forgets a message that was learned.
pub(crate) fn forget(sample: &Sample, memory: &dyn Memory) -> Lesson {
    let known = sample.ids.iter().find_map(|id| memory.learned_as(id).map(|class| (id, class)));
    let Some((id, class)) = known else { return Lesson::default() };
    let mut changes = counted(sample, class, -1, 0).to_vec();
    changes.push(Change::Message { id: id.clone(), class: None });
    Lesson { learned: true, changes }
}
