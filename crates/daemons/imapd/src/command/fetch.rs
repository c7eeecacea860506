//! FETCH (RFC 3501 §6.4.5), a piece at a time, so that a client that reads slowly costs little.

use std::sync::Arc;

use acl::Right;
use imap_protocol::types::{Code, DateTime, FetchItem, FetchModifiers, Messages, Partial, Reply, Section};
use imap_protocol::write::{FetchResponse, Out, Rfc822};
use mailbox::store::{
    Computed, FlagChange, FlagScope, Flags, Folder, How, MailError, Message, Uid, Vanished,
};
use sys::clock;

use crate::binary::Binary;
use crate::computed::{BODY, BODY_STRUCTURE, ENVELOPE, Fresh, PREVIEW};
use crate::preview;
use crate::refusal::{Refused, refused};
use crate::state::State;
use crate::text::Text;
use crate::view::{News, View, flag_names};

/// So much is written before the client gets it, bytes.
const PIECE_BYTES: usize = 256 * 1024;
/// Room for a piece: most texts fit behind one that is nearly full.
const PIECE_ROOM_BYTES: usize = PIECE_BYTES * 3 / 2;
/// So many messages are looked up at once at the most.
const BATCH: usize = 256;
/// And so many of those whose texts are wanted, at first: then twice as many as the last piece took.
const TEXT_BATCH: usize = 8;

/// A FETCH that is going on.
#[derive(Debug)]
pub(crate) struct Fetching {
    targets: Vec<(u32, Uid)>,
    at: usize,
    /// So many messages are looked up at once.
    batch: usize,
    /// Up to here messages have been seen.
    seen_to: usize,
    items: Vec<FetchItem>,
    uid: bool,
    /// Messages that got `\Seen` by it: their flags are told with their text.
    seen: Vec<Uid>,
    expunged: bool,
    /// Nobody has asked: a message that has gone is passed over.
    unasked: bool,
}

/// What is known of a batch of messages, in its order.
struct Facts {
    messages: Vec<Option<Message>>,
    keywords: Vec<String>,
    sizes: Vec<Option<u64>>,
    received: Vec<Option<i64>>,
    saved: Vec<Option<i64>>,
    envelopes: Computed,
    bodies: Computed,
    structures: Computed,
    previews: Computed,
}

impl Fetching {
    pub(crate) fn begin(
        state: &mut State,
        messages: Messages,
        mut items: Vec<FetchItem>,
        modifiers: FetchModifiers,
        out: &mut Out,
    ) -> Result<Self, Refused> {
        if modifiers.vanished && !(state.features.qresync && messages.uid) {
            return Err(refused(Reply::bad("Error in IMAP command FETCH: QRESYNC not enabled")));
        }
        let saved = state.saved.clone();
        let mut targets = state.selected()?.resolve("FETCH", &messages, &saved)?;
        if items.contains(&FetchItem::ModSeq) || modifiers.changed_since.is_some() {
            state.enable_condstore(out);
        }
        let view = state.selected()?;
        if let Some(since) = modifiers.changed_since {
            if modifiers.vanished {
                write_vanished(view, &messages, since, out);
            }
            targets = changed_since(view, targets, since);
            push(&mut items, FetchItem::ModSeq);
        }
        if messages.uid {
            items.retain(|item| *item != FetchItem::Uid);
            items.insert(0, FetchItem::Uid);
        }
        // As with Dovecot, what is short comes first.
        items.sort_by_key(FetchItem::is_text);
        Ok(Self { uid: messages.uid, ..Self::of(targets, items) })
    }

    fn of(targets: Vec<(u32, Uid)>, items: Vec<FetchItem>) -> Self {
        let batch = if items.iter().any(FetchItem::is_text) { TEXT_BATCH } else { BATCH };
        Self {
            targets,
            at: 0,
            batch,
            seen_to: 0,
            items,
            uid: false,
            seen: Vec::new(),
            expunged: false,
            unasked: false,
        }
    }

    /// New messages that the client wants to have a look at without asking.
    pub(crate) fn of_fresh(view: &View, uids: &[Uid], mut items: Vec<FetchItem>) -> Self {
        let targets = uids.iter().filter_map(|uid| Some((view.number(*uid)?, *uid))).collect();
        items.sort_by_key(FetchItem::is_text);
        Self { unasked: true, ..Self::of(targets, items) }
    }

    /// Writes the next piece; the reply when it was the last.
    pub(crate) fn go_on(&mut self, state: &mut State, out: &mut Out) -> Result<Option<Reply>, Refused> {
        if self.write_piece(state, out)? { self.finish(state, out).map(Some) } else { Ok(None) }
    }

    /// Writes the next piece; true when it was the last.
    pub(crate) fn write_piece(&mut self, state: &mut State, out: &mut Out) -> Result<bool, Refused> {
        if self.targets.len() - self.at > 1 && self.items.iter().any(FetchItem::is_text) {
            out.reserve(PIECE_ROOM_BYTES);
        }
        while self.at < self.targets.len() {
            let (begin, end) = (self.at, (self.at + self.batch).min(self.targets.len()));
            let view = state.selected()?;
            let folder = Arc::clone(&view.folder);
            self.mark_seen(view)?;
            let batch: Vec<(u32, Uid)> = self.targets[begin..end].to_vec();
            let facts = self.facts(&folder, &batch)?;
            let (mut fresh, mut outcome) = (Fresh::default(), Ok(()));
            for (place, (number, uid)) in batch.iter().enumerate() {
                if self.unasked && facts.messages[place].is_none() {
                    self.at += 1;
                    continue;
                }
                let marked = self.seen.binary_search(uid).is_ok();
                outcome = self.write(view, &facts, place, (*number, *uid, marked), &mut fresh, out);
                self.at += 1;
                if outcome.is_err() || out.len() >= PIECE_BYTES {
                    break;
                }
            }
            fresh.keep(&folder);
            self.batch = ((self.at - begin) * 2).clamp(1, BATCH);
            outcome?;
            if out.len() >= PIECE_BYTES {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn finish(&mut self, state: &mut State, out: &mut Out) -> Result<Reply, Refused> {
        let told = std::mem::take(&mut self.seen);
        let own = told.clone();
        state.tell(News { expunges: self.uid, told, own, ..News::default() }, out)?;
        Ok(if self.expunged {
            Reply::ok("Some messages were already expunged").with(Code::ExpungeIssued)
        } else {
            Reply::ok("Fetch completed.")
        })
    }

    /// RFC 3501 §6.4.5: who fetches a text without PEEK has seen it. Those that follow are marked with it, as each change of a
    /// mailbox costs.
    fn mark_seen(&mut self, view: &View) -> Result<(), Refused> {
        let may_mark = !view.read_only && view.rights.has(Right::WriteSeen);
        if self.at < self.seen_to || !may_mark || !self.items.iter().any(FetchItem::marks_seen) {
            return Ok(());
        }
        self.seen_to = (self.at + BATCH).min(self.targets.len());
        let batch = &self.targets[self.at..self.seen_to];
        let unseen: Vec<Uid> = view.folder.read(|contents| {
            let unseen =
                |uid: &Uid| contents.message(*uid).is_some_and(|message| !message.flags.has(Flags::SEEN));
            batch.iter().map(|(_, uid)| *uid).filter(unseen).collect()
        });
        if !unseen.is_empty() {
            let (flags, keywords, scope) = (Flags::SEEN, Vec::new(), FlagScope::ALL);
            let change = FlagChange { how: How::Add, flags, keywords, scope };
            view.folder.store(&unseen, &change, None, clock::now_us())?;
            self.seen.extend_from_slice(&unseen);
            self.seen.sort_unstable();
        }
        Ok(())
    }

    fn facts(&self, folder: &Folder, batch: &[(u32, Uid)]) -> Result<Facts, Refused> {
        let uids: Vec<Uid> = batch.iter().map(|(_, uid)| *uid).collect();
        let has = |item: FetchItem| self.items.contains(&item);
        let (messages, keywords) = folder.read(|contents| {
            let message = |uid: &Uid| contents.message(*uid).or_else(|| contents.grave(*uid)).copied();
            let messages = uids.iter().map(message).collect();
            (messages, contents.keywords().to_vec())
        });
        let cached =
            |wanted: bool, kind| if wanted { folder.cached(&uids, kind) } else { Computed::default() };
        let wants_preview = self
            .items
            .iter()
            .any(|item| matches!(item, FetchItem::Preview { .. } | FetchItem::Snippet { .. }));
        Ok(Facts {
            messages,
            keywords,
            sizes: if has(FetchItem::Size) { folder.wire_sizes(&uids)? } else { Vec::new() },
            received: if has(FetchItem::InternalDate) { folder.received(&uids)? } else { Vec::new() },
            saved: if has(FetchItem::SaveDate) { folder.saved(&uids)? } else { Vec::new() },
            envelopes: cached(has(FetchItem::Envelope), ENVELOPE),
            bodies: cached(has(FetchItem::Body), BODY),
            structures: cached(has(FetchItem::BodyStructure), BODY_STRUCTURE),
            previews: cached(wants_preview, PREVIEW),
        })
    }

    fn write(
        &mut self,
        view: &View,
        facts: &Facts,
        place: usize,
        (number, uid, marked): (u32, Uid, bool),
        fresh: &mut Fresh,
        out: &mut Out,
    ) -> Result<(), Refused> {
        let one = One { folder: &view.folder, facts, place, uid, recent: view.recent.contains(&uid) };
        let mut text = Text::new(&view.folder, uid);
        let mut fetch = out.fetch(number);
        // RFC 3501 §7.4.2: flags that FETCH itself has changed are told with the text.
        let mut tells_flags = marked && !self.items.contains(&FetchItem::Flags);
        let mut outcome = Ok(());
        for item in &self.items {
            if item.is_text() && std::mem::take(&mut tells_flags) {
                one.write_flags(&mut fetch);
            }
            match one.write(item, &mut text, fresh, &mut fetch) {
                Ok(()) => {}
                Err(Trouble::Gone) => {
                    self.expunged = true;
                    write_gone(item, &mut fetch);
                }
                Err(Trouble::Mail(error)) => {
                    outcome = Err(error.into());
                    break;
                }
                Err(Trouble::UnknownEncoding) => {
                    let text = "Unknown Content-Transfer-Encoding.";
                    outcome = Err(refused(Reply::no(text).with(Code::UnknownCte)));
                    break;
                }
            }
        }
        if fetch.is_empty() {
            fetch.uid(uid);
        }
        fetch.end();
        outcome
    }
}

/// Why an item can not be told.
enum Trouble {
    /// The message has gone.
    Gone,
    /// Its transfer encoding is unknown (RFC 3516 §4.3).
    UnknownEncoding,
    Mail(MailError),
}

impl From<MailError> for Trouble {
    fn from(error: MailError) -> Self {
        match error {
            MailError::Gone(_) => Self::Gone,
            error => Self::Mail(error),
        }
    }
}

/// What is told of a message that has gone.
fn write_gone(item: &FetchItem, fetch: &mut FetchResponse<'_>) {
    match item {
        FetchItem::Section { section, partial, .. } => fetch.section(section, *partial, None),
        FetchItem::Envelope => fetch.envelope(b""),
        _ => {}
    }
}

/// One message of a batch.
struct One<'a> {
    folder: &'a Folder,
    facts: &'a Facts,
    place: usize,
    uid: Uid,
    recent: bool,
}

impl One<'_> {
    fn write(
        &self,
        item: &FetchItem,
        text: &mut Text<'_>,
        fresh: &mut Fresh,
        fetch: &mut FetchResponse<'_>,
    ) -> Result<(), Trouble> {
        match item {
            FetchItem::Uid => fetch.uid(self.uid),
            FetchItem::Flags => self.write_flags(fetch),
            FetchItem::ModSeq => {
                fetch.modseq(self.facts.messages[self.place].map_or(1, |message| message.modseq))
            }
            FetchItem::InternalDate => fetch.internal_date(date(self.known(&self.facts.received)?)),
            FetchItem::Size => fetch.size(self.known(&self.facts.sizes)?),
            FetchItem::SaveDate => {
                fetch.save_date(self.facts.saved.get(self.place).copied().flatten().map(date));
            }
            FetchItem::Envelope => self.write_envelope(text, fresh, fetch)?,
            FetchItem::Body => self.write_structure(false, text, fresh, fetch)?,
            FetchItem::BodyStructure => self.write_structure(true, text, fresh, fetch)?,
            FetchItem::Rfc822 => fetch.rfc822_by(text.size_bytes()?, |out| text.copy(None, out))?,
            FetchItem::Rfc822Header => fetch.rfc822(Rfc822::Header, text.header()?),
            FetchItem::Rfc822Text => fetch.rfc822(Rfc822::Text, text.without_header()?),
            FetchItem::Section { section, partial, .. } => write_section(section, *partial, text, fetch)?,
            FetchItem::Binary { section, partial, .. } => {
                let binary = known_binary(text, section)?;
                fetch.binary(section, *partial, part_of(&binary.content, *partial), binary.decoded);
            }
            FetchItem::BinarySize(section) => {
                fetch.binary_size(section, known_binary(text, section)?.content.len() as u64);
            }
            FetchItem::Preview { .. } => fetch.preview(Some(&self.preview(text, fresh)?)),
            FetchItem::Snippet { .. } => fetch.snippet(Some(&self.preview(text, fresh)?)),
            FetchItem::EmailId => fetch.email_id(&email_id(self.folder, self.uid)),
            FetchItem::ThreadId => fetch.no_thread_id(),
        }
        Ok(())
    }

    fn known<T: Copy>(&self, facts: &[Option<T>]) -> Result<T, MailError> {
        facts.get(self.place).copied().flatten().ok_or(MailError::Gone(self.uid))
    }

    fn write_flags(&self, fetch: &mut FetchResponse<'_>) {
        match &self.facts.messages[self.place] {
            Some(message) => {
                fetch.flag_names(flag_names(message, &self.facts.keywords, self.recent).into_iter());
            }
            None => fetch.flag_names(std::iter::empty()),
        }
    }

    fn write_envelope(
        &self,
        text: &mut Text<'_>,
        fresh: &mut Fresh,
        fetch: &mut FetchResponse<'_>,
    ) -> Result<(), MailError> {
        if let Some(ready) = self.facts.envelopes.get(self.place) {
            fetch.ready("ENVELOPE", ready);
            return Ok(());
        }
        let mut out = Out::default();
        out.envelope_of(text.header()?);
        let bytes = out.into_bytes();
        fetch.ready("ENVELOPE", &bytes);
        fresh.add(self.uid, ENVELOPE, bytes);
        Ok(())
    }

    fn write_structure(
        &self,
        extended: bool,
        text: &mut Text<'_>,
        fresh: &mut Fresh,
        fetch: &mut FetchResponse<'_>,
    ) -> Result<(), MailError> {
        let (kind, known, name) = if extended {
            (BODY_STRUCTURE, &self.facts.structures, "BODYSTRUCTURE")
        } else {
            (BODY, &self.facts.bodies, "BODY")
        };
        if let Some(ready) = known.get(self.place) {
            fetch.ready(name, ready);
            return Ok(());
        }
        let parts = text.parts()?;
        let mut out = Out::default();
        out.body_structure(&parts, parts.root, extended);
        let bytes = out.into_bytes();
        fetch.ready(name, &bytes);
        fresh.add(self.uid, kind, bytes);
        Ok(())
    }

    fn preview(&self, text: &mut Text<'_>, fresh: &mut Fresh) -> Result<String, MailError> {
        if let Some(ready) = self.facts.previews.get(self.place) {
            return Ok(String::from_utf8_lossy(ready).into_owned());
        }
        let preview = preview::preview(&text.parts()?)?;
        fresh.add(self.uid, PREVIEW, preview.clone().into_bytes());
        Ok(preview)
    }
}

fn known_binary(text: &mut Text<'_>, section: &Section) -> Result<Binary, Trouble> {
    let binary = text.binary(section)?;
    if binary.unknown { Err(Trouble::UnknownEncoding) } else { Ok(binary) }
}

fn write_section(
    section: &Section,
    partial: Option<Partial>,
    text: &mut Text<'_>,
    fetch: &mut FetchResponse<'_>,
) -> Result<(), MailError> {
    if *section == Section::default() {
        let size = text.size_bytes()?;
        let range = partial.map_or(0..size, |partial| partial.of(size));
        return fetch.section_by(section, partial, range.end - range.start, |out| text.copy(partial, out));
    }
    let content = text.section(section)?;
    fetch.section(section, partial, Some(part_of(&content, partial)));
    Ok(())
}

fn part_of(content: &[u8], partial: Option<Partial>) -> &[u8] {
    match partial {
        None => content,
        Some(partial) => {
            let range = partial.of(content.len() as u64);
            &content[range.start as usize..range.end as usize]
        }
    }
}

/// Dates are shown in UTC: a file has no zone.
fn date(seconds: i64) -> DateTime {
    DateTime { seconds, offset_seconds: 0 }
}

fn push(items: &mut Vec<FetchItem>, item: FetchItem) {
    if !items.contains(&item) {
        items.push(item);
    }
}

fn changed_since(view: &View, targets: Vec<(u32, Uid)>, since: u64) -> Vec<(u32, Uid)> {
    view.folder.read(|contents| {
        let changed = |uid: Uid| contents.message(uid).is_some_and(|message| message.modseq > since);
        targets.into_iter().filter(|(_, uid)| changed(*uid)).collect()
    })
}

/// RFC 7162 §3.2.6: UIDs of the set that vanished since.
fn write_vanished(view: &View, messages: &Messages, since: u64, out: &mut Out) {
    let wanted = view.uid_set(&messages.set, &imap_protocol::types::Numbers::default());
    let vanished = view.folder.read(|contents| contents.changes_since(since).vanished);
    let uids: imap_protocol::types::Numbers = match vanished {
        Vanished::These(uids) => uids.into_iter().filter(|uid| wanted.contains(*uid)).collect(),
        Vanished::AllMissing => {
            let here = view.with_uids(&wanted);
            let mut gaps = Vec::new();
            for (first, last) in wanted.ranges() {
                let last = (*last).min(view.uids.last().copied().unwrap_or(0));
                let mut from = *first;
                for (_, uid) in here.iter().filter(|(_, uid)| (*first..=last).contains(uid)) {
                    if from < *uid {
                        gaps.push((from, uid - 1));
                    }
                    from = uid.saturating_add(1);
                }
                if from <= last {
                    gaps.push((from, last));
                }
            }
            imap_protocol::types::Numbers::from_ranges(gaps)
        }
    };
    if !uids.is_empty() {
        out.vanished(true, &uids);
    }
}

/// RFC 8474 §5.1: what is the same for copies; in letters and digits.
pub(crate) fn email_id(folder: &Folder, uid: Uid) -> String {
    hexadecimal::encode(&folder.message_guid(uid).unwrap_or_default())
}
