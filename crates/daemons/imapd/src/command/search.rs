//! SEARCH (RFC 3501 §6.4.4, RFC 4731, RFC 5182).

use std::sync::Arc;

use imap_protocol::types::{Reply, SearchKey, SearchRequest, SearchResult};
use imap_protocol::write::{Esearch, Out};
use mailbox::store::{Computed, Folder, MailError, Uid};

use crate::computed::{Fresh, SIGNATURE};
use crate::criteria::{Candidate, Criterion, Needs, uids_of};
use crate::refusal::{Refused, refused};
use crate::state::{Outcome, State};
use crate::view::{News, View};

/// So many messages are looked up at once.
const BATCH: usize = 1024;

impl State {
    pub(crate) fn search(&mut self, tag: &str, request: &SearchRequest, out: &mut Out) -> Outcome {
        let asks_modseq = request.key.asks_modseq();
        if asks_modseq {
            self.enable_condstore(out);
        }
        let found = self.find(&request.key)?;
        let modseq = if asks_modseq { self.highest_of(&found)? } else { None };
        self.save(request.result.as_ref(), &found);
        let numbers = numbers(&found, request.uid);
        match &request.result {
            None if self.features.rev2 => {
                // RFC 9051 §6.4.4: as if RETURN () stood there.
                let asked = SearchResult { all: true, ..SearchResult::default() };
                out.esearch(&Esearch { tag, uid: request.uid, asked, found: &numbers, modseq });
            }
            None => out.search(&numbers, modseq),
            Some(asked) if asked.shows() => {
                out.esearch(&Esearch { tag, uid: request.uid, asked: *asked, found: &numbers, modseq });
            }
            Some(_) => {}
        }
        if request.result.is_some_and(|asked| asked.update) {
            self.keep_updated(tag, request.uid, &request.key, &request.fetch, &found, out)?;
        }
        self.tell(News { expunges: request.uid, uid: request.uid, ..News::default() }, out)?;
        Ok(Reply::ok("Search completed."))
    }

    /// RFC 5182 §2.1: what `$` stands for from now on.
    pub(crate) fn save(&mut self, asked: Option<&SearchResult>, found: &[(u32, Uid)]) {
        let Some(asked) = asked.filter(|asked| asked.save) else { return };
        let ends = (asked.min || asked.max) && !asked.all && !asked.count;
        self.saved = if ends {
            let min = found.first().filter(|_| asked.min);
            let max = found.last().filter(|_| asked.max);
            min.into_iter().chain(max).map(|(_, uid)| *uid).collect()
        } else {
            uids_of(found)
        };
    }

    pub(crate) fn highest_of(&mut self, found: &[(u32, Uid)]) -> Result<Option<u64>, Refused> {
        let view = self.selected()?;
        Ok(view.folder.read(|contents| {
            found.iter().filter_map(|(_, uid)| contents.message(*uid)).map(|message| message.modseq).max()
        }))
    }

    /// The messages that meet a condition, rising.
    pub(crate) fn find(&mut self, key: &SearchKey) -> Result<Vec<(u32, Uid)>, Refused> {
        let all = self.selected()?.all();
        self.find_among(key, &all)
    }

    /// Those of these messages that meet a condition.
    pub(crate) fn find_among(
        &self,
        key: &SearchKey,
        targets: &[(u32, Uid)],
    ) -> Result<Vec<(u32, Uid)>, Refused> {
        let view = self.view.as_ref().ok_or_else(|| refused(Reply::bad("No mailbox selected")))?;
        let folder = Arc::clone(&view.folder);
        let criterion = folder.read(|contents| Criterion::new(key, view, contents, &self.saved));
        let mut needs = Needs::default();
        criterion.needs(&mut needs);
        let mut found = Vec::new();
        for batch in targets.chunks(BATCH) {
            let uids: Vec<Uid> = batch.iter().map(|(_, uid)| *uid).collect();
            let signatures =
                if needs.signatures { folder.cached(&uids, SIGNATURE) } else { Computed::default() };
            let mut fresh = Fresh::default();
            for (place, mut candidate) in candidates(view, &folder, needs, batch, &uids)? {
                candidate.signature = signatures.get(place);
                match criterion.meets(&mut candidate, &folder) {
                    Ok(true) => found.push((candidate.number, candidate.message.uid)),
                    Ok(false) | Err(MailError::Gone(_)) => {}
                    Err(error) => return Err(error.into()),
                }
                if let Some(signature) = candidate.made.take() {
                    fresh.add(candidate.message.uid, SIGNATURE, signature);
                }
            }
            fresh.keep(&folder);
        }
        Ok(found)
    }
}

/// Messages with what a condition needs of them, and their places in `batch`.
fn candidates<'f>(
    view: &View,
    folder: &'f Folder,
    needs: Needs,
    batch: &[(u32, Uid)],
    uids: &[Uid],
) -> Result<Vec<(usize, Candidate<'f>)>, Refused> {
    let messages: Vec<_> = folder.read(|contents| {
        let message = |uid: &Uid| contents.message(*uid).or_else(|| contents.grave(*uid)).copied();
        uids.iter().map(message).collect()
    });
    let sizes = if needs.sizes { folder.wire_sizes(uids)? } else { Vec::new() };
    let received = if needs.received { folder.received(uids)? } else { Vec::new() };
    let saved = if needs.saved { folder.saved(uids)? } else { Vec::new() };
    let mut all = Vec::with_capacity(batch.len());
    for (place, message) in messages.into_iter().enumerate() {
        let Some(message) = message else { continue };
        let recent = view.recent.contains(&message.uid);
        let mut candidate = Candidate::new(batch[place].0, message, recent, folder);
        candidate.size = sizes.get(place).copied().flatten();
        candidate.received = received.get(place).copied().flatten();
        candidate.saved = saved.get(place).copied().flatten();
        all.push((place, candidate));
    }
    Ok(all)
}

/// Sequence numbers or UIDs.
pub(crate) fn numbers(found: &[(u32, Uid)], uid: bool) -> Vec<u32> {
    found.iter().map(|(number, own)| if uid { *own } else { *number }).collect()
}
