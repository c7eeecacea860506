//! What of a session whose client says nothing goes elsewhere and comes back: the words beside those it came with.

use std::io::Read;

use acl::Right;
use attributes::Attributes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use imap_protocol::session::{Answer, Parked};
use imap_protocol::types::Numbers;
use mailbox::store::MailError;
use services::residents::NewSession;
use sys::clock;

use crate::refusal::Refused;
use crate::state::{Features, State};
use crate::view::{ParkedView, View};

/// The word that holds all of it.
const WORD: &str = "parked";
/// A session that takes more, with thousands of holes in its mailbox, keeps its process, in bytes.
const LIMIT_BYTES: usize = 8 * 1024;
/// What [`LIMIT_BYTES`] may hold once it is inflated.
const INFLATED_LIMIT_BYTES: u64 = 1024 * 1024;

/// A session that has been parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParkedSession {
    pub(crate) dialogue: Parked,
    pub(crate) features: Features,
    /// None where no mailbox is selected.
    pub(crate) view: Option<ParkedView>,
    /// The client was heard then.
    pub(crate) heard_us: u64,
}

impl ParkedSession {
    /// What another resident is given for it; none when it is too much.
    pub(crate) fn into_session(self, origin: &NewSession) -> Option<NewSession> {
        let Features { condstore, qresync, utf8, rev2 } = self.features;
        let flags = [self.dialogue.utf8, self.dialogue.idles, condstore, qresync, utf8, rev2].map(u8::from);
        let mut words = Attributes::new().with("tag", &self.dialogue.tag).with("heard", self.heard_us);
        words.push("flags", flags.map(|flag| flag.to_string()).join(""));
        if let Some(view) = &self.view {
            view.write(&mut words);
        }
        let mut deflated = Vec::new();
        DeflateEncoder::new(&*words.to_bytes(), Compression::fast()).read_to_end(&mut deflated).ok()?;
        let text = STANDARD.encode(deflated);
        let origin = NewSession { words: origin.words.clone().with(WORD, &text), ..origin.clone() };
        (text.len() <= LIMIT_BYTES).then_some(origin)
    }

    /// What a session brings that was parked; it comes without it, as it came the first time.
    pub(crate) fn take(session: &mut NewSession) -> Option<Self> {
        let text = session.words.get(WORD)?.to_owned();
        let others = session.words.iter().filter(|(name, _)| *name != WORD);
        session.words = others.fold(Attributes::new(), |words, (name, value)| words.with(name, value));
        let (deflated, mut bytes) = (STANDARD.decode(text).ok()?, Vec::new());
        DeflateDecoder::new(&*deflated).take(INFLATED_LIMIT_BYTES).read_to_end(&mut bytes).ok()?;
        let (words, _) = Attributes::decode(&bytes).ok()??;
        let flags: Vec<bool> = words.get("flags")?.bytes().map(|flag| flag == b'1').collect();
        let [dialogue_utf8, idles, condstore, qresync, utf8, rev2] = flags.try_into().ok()?;
        let selected = words.get("mailbox").is_some();
        let view = ParkedView::read(&words);
        (selected == view.is_some()).then_some(())?;
        Some(Self {
            dialogue: Parked { tag: words.get("tag")?.to_owned(), utf8: dialogue_utf8, idles, selected },
            features: Features { condstore, qresync, utf8, rev2 },
            view,
            heard_us: words.parse("heard").ok()?,
        })
    }
}

impl State {
    /// What is left of it while the client says nothing; none where there is more than can be kept.
    pub(crate) fn parked(&self) -> Option<(Features, Option<ParkedView>)> {
        let has_more = self.has_unfinished()
            || self.notify.is_some()
            || !(self.saved.is_empty() && self.updates.is_empty() && self.fresh.is_empty());
        if has_more {
            return None;
        }
        let view = match &self.view {
            Some(view) => Some(view.parked()?),
            None => None,
        };
        Some((self.features, view))
    }

    /// Opens the mailbox that a parked session had selected, on a pool thread. A client that idles hears at once what is new.
    pub(crate) fn resume(&mut self, idles: bool) -> Answer {
        let Some(parked) = self.resumes.take() else { return Answer::Proceed };
        match self.reopen(*parked) {
            Ok(Some(view)) => {
                self.view = Some(view);
                return if idles { self.first_changes() } else { Answer::Proceed };
            }
            // What the owner has done himself is nothing for the log.
            Ok(None) | Err(Refused::Mail(MailError::NoFolder(_)) | Refused::Reply(_) | Refused::Deleted) => {}
            Err(Refused::Mail(error)) => log::warn!("{error}"),
        }
        Answer::Gone("Selected mailbox can not be found as it was.".to_owned())
    }

    /// As SELECT does it: what the client may do is asked again, for others may have changed it meanwhile.
    fn reopen(&self, parked: ParkedView) -> Result<Option<View>, Refused> {
        let name = self.folder_name(&parked.name)?;
        let now_us = clock::now_us();
        let folder = self.store.folder(&name, now_us)?;
        let rights = self.permit(&name, Right::Read)?;
        folder.sync(now_us)?;
        Ok(parked.reopen(folder, rights))
    }
}

/// How far from one range to the next, and how long that one is where it is longer than one: `1:2,4` is 1 to 3 and 7.
pub(crate) fn numbers_to_text(numbers: &Numbers) -> String {
    let mut end = 0;
    let range = |(first, last): &(u32, u32)| {
        let (step, more) = (first - end, last - first);
        end = *last;
        if more == 0 { step.to_string() } else { format!("{step}:{more}") }
    };
    numbers.ranges().iter().map(range).collect::<Vec<_>>().join(",")
}

/// What [`numbers_to_text`] wrote.
pub(crate) fn numbers_of_text(text: &str) -> Option<Numbers> {
    let mut end = 0_u32;
    let range = |part: &str| {
        let (step, more) = part.split_once(':').unwrap_or((part, "0"));
        let first = end.checked_add(step.parse().ok()?)?;
        end = first.checked_add(more.parse().ok()?)?;
        Some((first, end))
    };
    let ranges = text.split(',').filter(|part| !part.is_empty()).map(range);
    ranges.collect::<Option<Vec<(u32, u32)>>>().map(Numbers::from_ranges)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use acl::Rights;
    use imap_protocol::types::{Command, MailboxName, SelectOptions};
    use mailbox::store::{Settings, Stores};

    use super::*;
    use crate::state::Site;

    fn session(root: &Path) -> State {
        let site = Site {
            separator: '.',
            special_uses: Vec::new(),
            notified_mailboxes: 10,
            counts_rights: true,
            permits_anyone: false,
        };
        let store = Stores::new(Settings::new("vm", 1)).open(root).unwrap();
        State::new(Arc::new(site), "me".to_owned(), store)
    }

    /// What a session may do that had selected a mailbox with these rights, when they are others as it comes back: rights, and
    /// whether it is read-only; none when it ends.
    fn comes_back(before: &str, after: &str, read_only: bool) -> Option<(Rights, bool)> {
        let root = tempfile::tempdir().unwrap();
        let mailbox = MailboxName::new("m").unwrap();
        let mut state = session(root.path());
        state.run("a", Command::Create { mailbox: mailbox.clone(), uses: Vec::new() });
        let may = |rights: &str| {
            std::fs::write(root.path().join(".m/dovecot-acl"), format!("owner {rights}\n")).unwrap();
        };
        may(before);
        state.run("b", Command::Select { mailbox, options: SelectOptions::default(), read_only });
        let view = state.parked().unwrap().1.unwrap();
        may(after);
        let mut state = session(root.path());
        state.resumes = Some(Box::new(view));
        let answer = state.resume(true);
        assert_eq!(matches!(answer, Answer::Changes(_)), state.view.is_some());
        assert_eq!(matches!(answer, Answer::Gone(_)), state.view.is_none());
        state.view.map(|view| (view.rights, view.read_only))
    }

    #[test]
    fn who_comes_back_has_the_rights_of_now() {
        let rights = |text| Rights::from_imap(text).unwrap();
        assert_eq!(comes_back("lrws", "lrws", false), Some((rights("lrws"), false)));
        assert_eq!(comes_back("lrwstipekxa", "lr", false), Some((rights("lr"), true)));
        assert_eq!(comes_back("lrws", "lrwst", true), Some((rights("lrwst"), true)));
        assert_eq!(comes_back("lrws", "lws", false), None);
        assert_eq!(comes_back("lrws", "", false), None);
    }

    fn origin() -> NewSession {
        NewSession {
            user: "u@x".into(),
            path: "u/".into(),
            folders: String::new(),
            options: String::new(),
            quota: String::new(),
            acl_groups: "staff".into(),
            words: Attributes::new().with("timeout", 1800),
            early: Vec::new(),
        }
    }

    fn parked(uids: impl Iterator<Item = u32>) -> ParkedSession {
        ParkedSession {
            dialogue: Parked { tag: "a1".into(), utf8: true, idles: true, selected: true },
            features: Features { condstore: true, qresync: false, utf8: true, rev2: false },
            heard_us: 1 << 50,
            view: Some(ParkedView {
                name: MailboxName::new("Ä=b").unwrap(),
                read_only: false,
                uid_validity: 7,
                uids: uids.collect(),
                seen: 1 << 40,
                recent: [3, 9].into_iter().collect(),
                keywords: 2,
                modseq_told: 5,
                rev2: false,
                gone: [1].into_iter().collect(),
            }),
        }
    }

    #[test]
    fn what_is_parked_comes_back_and_the_words_of_the_login_stay() {
        let selected = parked([1, 2, 3, 7, 9].into_iter());
        let dialogue = Parked { idles: false, selected: false, ..selected.dialogue.clone() };
        for parked in [ParkedSession { dialogue, view: None, ..selected.clone() }, selected] {
            let mut session = parked.clone().into_session(&origin()).unwrap();
            assert_ne!(session, origin());
            assert_eq!(ParkedSession::take(&mut session), Some(parked));
            assert_eq!(session, origin());
            assert_eq!(ParkedSession::take(&mut session), None);
        }
    }

    #[test]
    fn a_mailbox_with_thousands_of_holes_is_parked() {
        // Holes that lie in no pattern: about every fifth message is gone.
        let lies = |uid: &u32| !(uid.wrapping_mul(*uid).wrapping_mul(2_654_435_761) >> 16).is_multiple_of(5);
        let few = parked((1..20_000).filter(lies));
        let mut session = few.clone().into_session(&origin()).unwrap();
        assert_eq!(ParkedSession::take(&mut session), Some(few));
        assert!(parked(1..100_000).into_session(&origin()).is_some());
        assert_eq!(parked((1..200_000).filter(lies)).into_session(&origin()), None);
    }
}
