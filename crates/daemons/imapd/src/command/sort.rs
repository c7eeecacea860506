//! SORT and THREAD (RFC 5256, RFC 5957).

use std::sync::Arc;

use imap_protocol::order::{self, SortFacts};
use imap_protocol::thread::{self, ThreadFacts};
use imap_protocol::types::{Reply, SortKey, SortRequest, ThreadRequest};
use imap_protocol::write::{Esearch, Out};
use mailbox::store::{Folder, Uid};

use crate::command::search::numbers;
use crate::headers::{Headers, Wanted};
use crate::refusal::Refused;
use crate::state::{Outcome, State};
use crate::view::News;

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
            self.keep_updated(tag, request.uid, &request.key, &request.fetch, &found, out)?;
        }
        self.tell(News { expunges: request.uid, uid: request.uid, ..News::default() }, out)?;
        Ok(Reply::ok("Sort completed."))
    }

    pub(crate) fn thread(&mut self, request: &ThreadRequest, out: &mut Out) -> Outcome {
        let found = self.find(&request.key)?;
        let folder = Arc::clone(&self.selected()?.folder);
        let facts = thread_facts(&folder, &uids(&found))?;
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
    let wanted = Wanted {
        date: asks(&[SortKey::Date]),
        subject: asks(&[SortKey::Subject]),
        addresses: asks(&ADDRESSES),
        references: false,
    };
    let headers = Headers::of(folder, &uids, wanted)?;
    let mut all = Vec::with_capacity(uids.len());
    for place in 0..uids.len() {
        let arrival = received.get(place).copied().flatten().unwrap_or(0);
        let size = sizes.get(place).copied().flatten().unwrap_or(0);
        let date = headers.date(place).unwrap_or(arrival);
        let [from, display_from, to, display_to, cc] = headers.addresses(place);
        let subject = headers.subject(place).0;
        all.push(SortFacts { arrival, date, size, cc, from, to, subject, display_from, display_to });
    }
    Ok(all)
}

const ADDRESSES: [SortKey; 5] =
    [SortKey::Cc, SortKey::From, SortKey::To, SortKey::DisplayFrom, SortKey::DisplayTo];

fn thread_facts(folder: &Folder, uids: &[Uid]) -> Result<Vec<ThreadFacts>, Refused> {
    let received = folder.received(uids)?;
    let wanted = Wanted { date: true, subject: true, references: true, addresses: false };
    let headers = Headers::of(folder, uids, wanted)?;
    let facts = received.into_iter().enumerate().map(|(place, received)| {
        let (subject, is_reply) = headers.subject(place);
        let (message_id, references) = headers.references(place);
        let date = headers.date(place).or(received).unwrap_or(0);
        ThreadFacts { date, message_id, references, subject, is_reply }
    });
    Ok(facts.collect())
}
