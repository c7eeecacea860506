//! SORT and THREAD (RFC 5256, RFC 5957).

use std::collections::HashSet;
use std::sync::Arc;

use imap_protocol::casemap::fold;
use imap_protocol::order::{self, SortFacts};
use imap_protocol::subject::base_subject;
use imap_protocol::thread::{self, ThreadFacts, message_ids};
use imap_protocol::types::{Reply, SortKey, SortRequest, ThreadRequest};
use imap_protocol::write::{Esearch, Out};
use mailbox::store::{Folder, MailError, Uid};
use message::fields::fields;
use message::mailboxes::{self, Entry};
use message::sent;
use message::words::decode_header;

use crate::command::search::numbers;
use crate::refusal::Refused;
use crate::state::{Outcome, State};
use crate::text::Text;
use crate::view::News;

/// References of one message that count.
const REFERENCES_LIMIT: usize = 1000;

impl State {
    pub(crate) fn sort(&mut self, tag: &str, request: &SortRequest, out: &mut Out) -> Outcome {
        let asks_modseq = request.key.asks_modseq();
        if asks_modseq {
            self.enable_condstore(out);
        }
        let found = self.find(&request.key)?;
        let modseq = if asks_modseq { self.highest_of(&found)? } else { None };
        let folder = Arc::clone(&self.selected()?.folder);
        let facts = sort_facts(&folder, &found, request)?;
        let sorted: Vec<(u32, Uid)> =
            order::sort(&request.criteria, &facts).into_iter().map(|place| found[place]).collect();
        self.save(request.result.as_ref(), &found);
        let numbers = numbers(&sorted, request.uid);
        match &request.result {
            None => out.sort(&numbers, modseq),
            Some(asked) if asked.shows() => {
                out.esearch(&Esearch { tag, uid: request.uid, asked: *asked, found: &numbers, modseq });
            }
            Some(_) => {}
        }
        if request.result.is_some_and(|asked| asked.update) {
            self.keep_updated(tag, request.uid, &request.key, &found, out)?;
        }
        self.tell(News { expunges: request.uid, uid: request.uid, ..News::default() }, out)?;
        Ok(Reply::ok("Sort completed."))
    }

    pub(crate) fn thread(&mut self, request: &ThreadRequest, out: &mut Out) -> Outcome {
        let found = self.find(&request.key)?;
        let folder = Arc::clone(&self.selected()?.folder);
        let received = folder.received(&uids(&found))?;
        let mut facts = Vec::with_capacity(found.len());
        for ((_, uid), received) in found.iter().zip(received) {
            facts.push(thread_facts(&folder, *uid, received.unwrap_or(0))?);
        }
        let threads = thread::thread(request.algorithm, &facts);
        let numbers = numbers(&found, request.uid);
        out.thread(&threads, |place| numbers.get(place).copied().unwrap_or(0));
        self.tell(News { expunges: request.uid, uid: request.uid, ..News::default() }, out)?;
        Ok(Reply::ok("Thread completed."))
    }
}

fn uids(found: &[(u32, Uid)]) -> Vec<Uid> {
    found.iter().map(|(_, uid)| *uid).collect()
}

fn sort_facts(
    folder: &Folder,
    found: &[(u32, Uid)],
    request: &SortRequest,
) -> Result<Vec<SortFacts>, Refused> {
    let uids = uids(found);
    let asks = |keys: &[SortKey]| request.criteria.iter().any(|criterion| keys.contains(&criterion.key));
    let received =
        if asks(&[SortKey::Arrival, SortKey::Date]) { folder.received(&uids)? } else { Vec::new() };
    let sizes = if asks(&[SortKey::Size]) { folder.wire_sizes(&uids)? } else { Vec::new() };
    let needs_header = request.criteria.iter().any(|by| !matches!(by.key, SortKey::Arrival | SortKey::Size));
    let mut all = Vec::with_capacity(uids.len());
    for (place, uid) in uids.iter().enumerate() {
        let arrival = received.get(place).copied().flatten().unwrap_or(0);
        let size = sizes.get(place).copied().flatten().unwrap_or(0);
        let mut facts = SortFacts { arrival, date: arrival, size, ..SortFacts::default() };
        if needs_header {
            let mut text = Text::new(folder, *uid);
            match text.header() {
                Ok(header) => read_sort_header(header, &mut facts),
                Err(MailError::Gone(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        all.push(facts);
    }
    Ok(all)
}

fn read_sort_header(header: &[u8], facts: &mut SortFacts) {
    for (name, value) in first_of_each(header) {
        match name.as_slice() {
            b"date" => facts.date = sent::read(value).map_or(facts.date, |sent| sent.seconds),
            b"subject" => facts.subject = fold(&base_subject(&decode_header(value)).text),
            b"from" => (facts.from, facts.display_from) = first_address(value),
            b"to" => (facts.to, facts.display_to) = first_address(value),
            b"cc" => facts.cc = first_address(value).0,
            _ => {}
        }
    }
}

/// Lower-case name and value of the fields; of fields that stand there twice, the first.
fn first_of_each(header: &[u8]) -> impl Iterator<Item = (Vec<u8>, &[u8])> {
    let mut seen = HashSet::new();
    fields(header).filter_map(move |field| {
        let name = field.name.to_ascii_lowercase();
        seen.insert(name.clone()).then_some((name, field.value))
    })
}

/// The local part of the first address, and the name it is shown by (RFC 5957 §2); folded.
fn first_address(value: &[u8]) -> (String, String) {
    let first = mailboxes::read(value).into_iter().find_map(|entry| match entry {
        Entry::Mailbox(mailbox) => {
            let local = String::from_utf8_lossy(mailbox.local_shown()).into_owned();
            let display = match &mailbox.name {
                Some(name) => decode_header(name),
                None => format!("{local}@{}", String::from_utf8_lossy(mailbox.domain_shown())),
            };
            Some((fold(&local), fold(&display)))
        }
        Entry::GroupBegin(name) => {
            let name = fold(&decode_header(&name));
            Some((name.clone(), name))
        }
        Entry::GroupEnd => None,
    });
    first.unwrap_or_default()
}

fn thread_facts(folder: &Folder, uid: Uid, received: i64) -> Result<ThreadFacts, Refused> {
    let mut facts = ThreadFacts { date: received, ..ThreadFacts::default() };
    let mut text = Text::new(folder, uid);
    let header = match text.header() {
        Ok(header) => header,
        Err(MailError::Gone(_)) => return Ok(facts),
        Err(error) => return Err(error.into()),
    };
    let mut answered = Vec::new();
    for (name, value) in first_of_each(header) {
        match name.as_slice() {
            b"date" => facts.date = sent::read(value).map_or(facts.date, |sent| sent.seconds),
            b"message-id" => facts.message_id = message_ids(value, 1).pop(),
            b"references" => facts.references = message_ids(value, REFERENCES_LIMIT),
            b"in-reply-to" => answered = message_ids(value, 1),
            b"subject" => {
                let base = base_subject(&decode_header(value));
                (facts.subject, facts.is_reply) = (fold(&base.text), base.is_reply);
            }
            _ => {}
        }
    }
    if facts.references.is_empty() {
        facts.references = answered;
    }
    Ok(facts)
}
