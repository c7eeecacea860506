//! Does a message meet a search? Cheap conditions are looked at first, and a file is opened only where they leave it open.

use imap_protocol::casemap::{Needle, fold};
use imap_protocol::types::{Comparator, Date, Flag, Numbers, SearchKey};
use mailbox::store::{Contents, Flags, Folder, MailError, Message, Uid};
use message::decode;
use message::fields::{fields, lines};
use message::sent;
use message::structure::{Headers, Inner, Part};
use message::words::decode_header;
use sys::clock;

use crate::signature::{Probe, signature};
use crate::text::{Parts, Text};
use crate::view::{View, split_flags};

/// A condition, ready to be looked at many times.
#[derive(Debug)]
pub(crate) enum Criterion {
    Always(bool),
    And(Vec<Criterion>),
    Or(Box<Criterion>, Box<Criterion>),
    Not(Box<Criterion>),
    System(Flags),
    Keyword(usize),
    Recent,
    Numbers(Numbers),
    Uids(Numbers),
    ModSeq(u64),
    Received(Comparator, Date),
    /// INTERNALDATE not before this second (`true`), or before it.
    Age(i64, bool),
    Saved(Comparator, Date),
    Larger(u64),
    Smaller(u64),
    Sent(Comparator, Date),
    Header(String, Sought),
    Body(Sought),
    Text(Sought),
    EmailId(String),
}

/// A text that is looked for.
#[derive(Debug)]
pub(crate) struct Sought {
    needle: Needle,
    probe: Option<Probe>,
}

impl Sought {
    fn new(text: &str) -> Self {
        let needle = Needle::new(text);
        Self { probe: Probe::new(needle.folded()), needle }
    }

    /// Its signature says that the message does not have it.
    fn is_denied_by(&self, signature: Option<&[u8]>) -> bool {
        matches!((&self.probe, signature), (Some(probe), Some(signature)) if !probe.may_be_in(signature))
    }
}

/// What is looked at of a message.
pub(crate) struct Candidate<'a> {
    pub(crate) number: u32,
    pub(crate) message: Message,
    pub(crate) recent: bool,
    pub(crate) size: Option<u64>,
    pub(crate) received: Option<i64>,
    pub(crate) saved: Option<i64>,
    pub(crate) text: Text<'a>,
    /// Its signature, where it is known.
    pub(crate) signature: Option<&'a [u8]>,
    /// Its signature, where it was not known and has been made.
    pub(crate) made: Option<Vec<u8>>,
    folded: Option<String>,
    /// As `folded`, with all headers.
    folded_with_headers: Option<String>,
}

/// What a condition needs beside flags and numbers.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Needs {
    pub(crate) sizes: bool,
    pub(crate) received: bool,
    pub(crate) saved: bool,
    pub(crate) signatures: bool,
}

impl Criterion {
    /// Prepares a search in this mailbox; `saved` is what `$` stands for.
    pub(crate) fn new(key: &SearchKey, view: &View, contents: &Contents, saved: &Numbers) -> Self {
        let inner = |key: &SearchKey| Self::new(key, view, contents, saved);
        match key {
            SearchKey::All | SearchKey::SaveDateSupported => Self::Always(true),
            SearchKey::And(keys) => {
                let mut all: Vec<Self> = keys.iter().map(inner).collect();
                all.sort_by_key(Self::cost);
                Self::And(all)
            }
            SearchKey::Or(one, two) => {
                let (one, two) = (inner(one), inner(two));
                let (first, second) = if two.cost() < one.cost() { (two, one) } else { (one, two) };
                Self::Or(Box::new(first), Box::new(second))
            }
            SearchKey::Not(key) => Self::Not(Box::new(inner(key))),
            SearchKey::Flag(flag) => Self::flag(flag, contents),
            SearchKey::Recent => Self::Recent,
            SearchKey::Sequence(imap_protocol::types::SequenceSet::Saved) => Self::Uids(saved.clone()),
            SearchKey::Sequence(set) => Self::Numbers(set.resolve(view.len(), saved)),
            SearchKey::Uid(set) => Self::Uids(view.uid_set(set, saved)),
            SearchKey::ModSeq(modseq) => Self::ModSeq(*modseq),
            SearchKey::Internal(comparator, date) => Self::Received(*comparator, *date),
            SearchKey::Sent(comparator, date) => Self::Sent(*comparator, *date),
            SearchKey::Saved(comparator, date) => Self::Saved(*comparator, *date),
            SearchKey::Younger(seconds) => Self::Age(now() - i64::from(*seconds), true),
            SearchKey::Older(seconds) => Self::Age(now() - i64::from(*seconds), false),
            SearchKey::Larger(bytes) => Self::Larger(*bytes),
            SearchKey::Smaller(bytes) => Self::Smaller(*bytes),
            SearchKey::Header { name, text } => Self::Header(name.clone(), Sought::new(text)),
            SearchKey::Body(text) => Self::Body(Sought::new(text)),
            SearchKey::Text(text) => Self::Text(Sought::new(text)),
            SearchKey::EmailId(id) => Self::EmailId(id.clone()),
        }
    }

    fn flag(flag: &Flag, contents: &Contents) -> Self {
        if let Flag::Keyword(keyword) = flag {
            let same = |name: &String| name.eq_ignore_ascii_case(keyword.as_str());
            return contents.keywords().iter().position(same).map_or(Self::Always(false), Self::Keyword);
        }
        Self::System(split_flags(&[flag.clone()].into_iter().collect()).0)
    }

    /// 0 costs nothing, 3 reads the whole message.
    fn cost(&self) -> u8 {
        match self {
            Self::Larger(_) | Self::Smaller(_) | Self::Received(..) | Self::Age(..) | Self::Saved(..) => 1,
            Self::Sent(..) | Self::Header(..) | Self::EmailId(_) => 2,
            Self::Body(_) | Self::Text(_) => 3,
            Self::And(all) => all.iter().map(Self::cost).max().unwrap_or(0),
            Self::Or(one, two) => one.cost().max(two.cost()),
            Self::Not(inner) => inner.cost(),
            _ => 0,
        }
    }

    pub(crate) fn needs(&self, needs: &mut Needs) {
        match self {
            Self::And(all) => all.iter().for_each(|inner| inner.needs(needs)),
            Self::Or(one, two) => {
                one.needs(needs);
                two.needs(needs);
            }
            Self::Not(inner) => inner.needs(needs),
            Self::Larger(_) | Self::Smaller(_) => needs.sizes = true,
            Self::Received(..) | Self::Age(..) => needs.received = true,
            Self::Saved(..) => needs.saved = true,
            Self::Header(..) | Self::Body(_) | Self::Text(_) => needs.signatures = true,
            _ => {}
        }
    }

    /// Does the message meet it?
    pub(crate) fn meets(&self, candidate: &mut Candidate<'_>, folder: &Folder) -> Result<bool, MailError> {
        let day = |seconds: Option<i64>| seconds.map(|seconds| Date::of(seconds, 0));
        Ok(match self {
            Self::Always(always) => *always,
            Self::And(all) => {
                for one in all {
                    if !one.meets(candidate, folder)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Or(one, two) => one.meets(candidate, folder)? || two.meets(candidate, folder)?,
            Self::Not(inner) => !inner.meets(candidate, folder)?,
            Self::System(flags) => candidate.message.flags.has(*flags),
            Self::Keyword(place) => candidate.message.keywords.has(*place),
            Self::Recent => candidate.recent,
            Self::Numbers(numbers) => numbers.contains(candidate.number),
            Self::Uids(uids) => uids.contains(candidate.message.uid),
            Self::ModSeq(modseq) => candidate.message.modseq >= *modseq,
            Self::Received(comparator, date) => compare(*comparator, day(candidate.received), *date),
            Self::Age(second, younger) => candidate.received.is_some_and(|at| (at >= *second) == *younger),
            Self::Saved(comparator, date) => compare(*comparator, day(candidate.saved), *date),
            Self::Larger(bytes) => candidate.size.is_some_and(|size| size > *bytes),
            Self::Smaller(bytes) => candidate.size.is_some_and(|size| size < *bytes),
            Self::Sent(comparator, date) => compare(*comparator, sent_day(candidate.text.header()?), *date),
            Self::Header(_, sought) | Self::Body(sought) | Self::Text(sought)
                if sought.is_denied_by(candidate.signature) =>
            {
                false
            }
            Self::Header(name, sought) => header_has(candidate.text.header()?, name, &sought.needle),
            Self::Body(sought) => body_has(candidate, sought)?,
            Self::Text(sought) => text_has(candidate, sought)?,
            Self::EmailId(id) => crate::command::fetch::email_id(folder, candidate.message.uid) == *id,
        })
    }
}

impl<'a> Candidate<'a> {
    pub(crate) fn new(number: u32, message: Message, recent: bool, folder: &'a Folder) -> Self {
        let text = Text::new(folder, message.uid);
        Self {
            number,
            message,
            recent,
            size: None,
            received: None,
            saved: None,
            text,
            signature: None,
            made: None,
            folded: None,
            folded_with_headers: None,
        }
    }
}

fn now() -> i64 {
    i64::try_from(clock::now_us() / 1_000_000).unwrap_or(i64::MAX)
}

fn compare(comparator: Comparator, day: Option<Date>, date: Date) -> bool {
    day.is_some_and(|day| match comparator {
        Comparator::Before => day < date,
        Comparator::On => day == date,
        Comparator::Since => day >= date,
    })
}

/// RFC 3501 §6.4.4: the day as it stands in the field, whatever its zone. A message that does not say when it was sent
/// counts as older than all, as with Dovecot.
fn sent_day(header: &[u8]) -> Option<Date> {
    let field = fields(header).find(|field| field.name.eq_ignore_ascii_case(b"Date"));
    let sent = field.and_then(|field| sent::read(field.value));
    Some(sent.map_or_else(|| Date::of(0, 0), |sent| Date::of(sent.seconds, sent.offset_seconds)))
}

fn header_has(header: &[u8], name: &str, needle: &Needle) -> bool {
    let named = |field: &message::fields::Field<'_>| field.name.eq_ignore_ascii_case(name.as_bytes());
    fields(header).filter(named).any(|field| needle.is_in(&decode_header(field.value)))
}

/// What is in the body is in the text with all headers, too, as long as it does not reach from part to part.
fn body_has(candidate: &mut Candidate<'_>, sought: &Sought) -> Result<bool, MailError> {
    if sought.probe.is_some() && !text_has(candidate, sought)? {
        return Ok(false);
    }
    if candidate.folded.is_none() {
        let parts = candidate.text.parts()?;
        let mut gathered = String::new();
        gather(&parts, parts.root, false, &mut gathered)?;
        candidate.folded = Some(fold(&gathered));
    }
    Ok(candidate.folded.as_deref().is_some_and(|folded| sought.needle.is_in_folded(folded)))
}

/// TEXT is the header and the body (RFC 3501 §6.4.4), here with the headers of parts and of messages in it.
fn text_has(candidate: &mut Candidate<'_>, sought: &Sought) -> Result<bool, MailError> {
    if candidate.folded_with_headers.is_none() {
        let parts = candidate.text.parts()?;
        let mut gathered = String::new();
        gather(&parts, parts.root, true, &mut gathered)?;
        let folded = fold(&gathered);
        if candidate.signature.is_none() {
            candidate.made = Some(signature(&folded));
        }
        candidate.folded_with_headers = Some(folded);
    }
    Ok(candidate.folded_with_headers.as_deref().is_some_and(|folded| sought.needle.is_in_folded(folded)))
}

/// The fields, and lines that are none.
fn headers(header: &[u8], out: &mut String) {
    for (whole, field) in lines(header) {
        match field {
            Some(field) => {
                out.push_str(&String::from_utf8_lossy(field.name));
                out.push_str(": ");
                out.push_str(&decode_header(field.value));
            }
            None => out.push_str(&decode_header(whole)),
        }
        out.push('\n');
    }
}

/// The texts of a message and of the messages in it. Depth is bounded, as [`Part`] bounds it.
fn gather(parts: &Parts<'_>, part: &Part, with_headers: bool, out: &mut String) -> Result<(), MailError> {
    if with_headers {
        headers(parts.header_of(part), out);
    }
    match &part.inner {
        Inner::Parts(inner) => inner.iter().try_for_each(|part| gather(parts, part, with_headers, out))?,
        Inner::Message(inner) => gather(parts, inner, with_headers, out)?,
        // What is of no type that can be read is taken for text.
        Inner::Leaf if part.media.is_kind("text") || part.media.kind.is_empty() => {
            let charset = part.media.parameter("charset").unwrap_or(b"utf-8");
            out.push_str(&decode::text(charset, &parts.decoded(part, usize::MAX)?));
            out.push('\n');
        }
        Inner::Leaf => {}
    }
    Ok(())
}

/// The UIDs of a list of sequence numbers.
pub(crate) fn uids_of(found: &[(u32, Uid)]) -> Numbers {
    found.iter().map(|(_, uid)| *uid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_field_are_found_too() {
        let text = b"A: b\r\nno field\r\n =?utf-8?q?=C3=A9?=\r\nSubject: =?utf-8?q?=C3=A8?=\r\n\r\n";
        let mut out = String::new();
        headers(text, &mut out);
        assert!(
            out.contains("no field") && out.contains('\u{e9}') && out.contains("Subject: \u{e8}"),
            "{out}"
        );
    }

    #[test]
    fn text_of_no_type_is_text() {
        let text = b"Content-Type: foo bar\r\n\r\nbody\r\n";
        let root = Part::read(text.as_slice());
        let mut out = String::new();
        gather(&Parts::of(text, &root), &root, false, &mut out).unwrap();
        assert_eq!(out, "body\r\n\n");
    }
}
