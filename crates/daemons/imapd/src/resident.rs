//! The resident: serves those who have logged in, as the owner of their mailboxes.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use attributes::Attributes;
use imap_protocol::session::{self, SessionSettings};
use imap_protocol::types::SpecialUse;
use mailbox::store::{Layout, Store, Stores, WatchKey, WatchPlace, Watcher};
use reactor::drive::Driver;
use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use services::residents::{NewSession, PARKED_LIMIT, ParkedWords, Setup};
use sys::sockets::Socket;
use worker::Clients;
use worker::resident::{Parked, ParkedClients, Resident};

use crate::capabilities;
use crate::notify::MAILBOXES_LIMIT;
use crate::parking::ParkedSession;
use crate::session::{Changed, Leave, Rest, Session};
use crate::state::{Site, State};

/// So many commands in a row may be wrong.
const BAD_COMMANDS: u32 = 20;

/// The mailboxes of one owner.
pub(crate) struct Mailboxes {
    stores: Stores,
    base: PathBuf,
    pub(crate) clients: Clients,
    /// What the last session was told; mostly all are told the same.
    site: Option<Arc<Site>>,
    settings: Option<Arc<SessionSettings>>,
    /// None until the first session idles, or where there is no inotify.
    watcher: Option<Watcher>,
    watching: bool,
    /// The log says already that something can not be watched.
    is_unwatched_told: bool,
    /// Who waits for changes of what.
    waiting: HashMap<WatchKey, Vec<HandlerId>>,
    pub(crate) members: BTreeSet<HandlerId>,
    /// All clients have to be silent for so long before they are parked; zero: they never are.
    hibernate: Duration,
    /// Something has happened then, and nothing since; none: it did not help to park.
    stirred: Option<Instant>,
    /// Sessions that have said that they can be parked.
    pub(crate) resting: usize,
    /// Sessions that are being parked; none while nobody is.
    left: Option<Vec<Parked>>,
}

impl Resident for Mailboxes {
    const PROGRAM: &'static str = "imapd";

    fn open(setup: &Setup) -> io::Result<Self> {
        Ok(Self {
            stores: Stores::new(setup.store_settings()),
            base: setup.base.clone(),
            clients: Clients::default(),
            site: None,
            settings: None,
            watcher: None,
            watching: false,
            is_unwatched_told: false,
            waiting: HashMap::new(),
            members: BTreeSet::new(),
            hibernate: Duration::ZERO,
            stirred: None,
            resting: 0,
            left: None,
        })
    }

    fn session(&mut self, mut session: NewSession, client: Socket, events: &mut EventLoop<Self>) {
        let (store, layout) = match self.store(&session) {
            Ok(opened) => opened,
            Err(error) => {
                log::error!("open the mailbox of {}: {error}", session.user);
                let tag = session.words.get("tag").unwrap_or("*");
                let refusal =
                    format!("{tag} NO [SERVERBUG] The mailbox can not be opened.\r\n* BYE See the log.\r\n");
                return services::residents::refuse(&client, &refusal);
            }
        };
        client.send_at_once();
        self.stirs(events);
        let parked = ParkedSession::take(&mut session);
        let words = &session.words;
        self.hibernate = Duration::from_secs(number(words, "hibernate", 0));
        let site = Site {
            separator: separator(layout),
            special_uses: special_uses(words),
            notified_mailboxes: MAILBOXES_LIMIT,
            counts_rights: counts_rights(words),
            permits_anyone: number(words, "acl_anyone", 0_u8) != 0,
        };
        let site = shared(&mut self.site, site);
        let settings = shared(&mut self.settings, dialogue(words));
        let tag = words.get("tag").unwrap_or("*").to_owned();
        let state = State::new(site, session.user.clone(), store).in_groups(&session.acl_groups);
        let begun = match parked {
            Some(parked) => Session::resumed(settings, parked, state),
            None => Session::new(settings, &tag, &session.early, state),
        };
        let may_park = !self.hibernate.is_zero() && self.clients.here() < PARKED_LIMIT;
        let begun =
            begun.with_origin(may_park.then(|| Box::new(NewSession { early: Vec::new(), ..session })));
        let welcome = self.clients.welcome(Driver::start(client, begun, events));
        self.members.extend(welcome);
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }

    fn parks_at(&self) -> Option<Instant> {
        let few = (1..=PARKED_LIMIT).contains(&self.clients.here());
        self.stirred.filter(|_| few && !self.hibernate.is_zero()).map(|since| since + self.hibernate)
    }

    fn park(&mut self, events: &mut EventLoop<Self>) -> Option<ParkedClients> {
        self.stirred = None;
        let members: Vec<HandlerId> = self.members.iter().copied().collect();
        self.resting = 0;
        members.iter().for_each(|member| events.hand(*member, Box::new(Rest), self));
        if self.resting != self.clients.here() {
            return None;
        }
        self.left = Some(Vec::new());
        members.iter().for_each(|member| events.hand(*member, Box::new(Leave), self));
        let clients = self.left.take().unwrap_or_default();
        // What nobody waits for any more is not watched any more.
        let watch = self.watcher.as_ref().filter(|_| clients.iter().any(|parked| parked.idles));
        let watch = watch.map(|watcher| watcher.as_fd().try_clone_to_owned()).transpose();
        if clients.len() != self.resting || watch.is_err() {
            // One has not read yet what was sent to it.
            clients.into_iter().for_each(|parked| self.session(parked.session, parked.client, events));
            return None;
        }
        let words = ParkedWords {
            notice: session::Parked::notice(),
            late: session::Parked::late(),
            farewell: session::Parked::farewell("Server shutting down."),
        };
        Some(ParkedClients { clients, watch: watch.ok()?, words })
    }
}

impl Mailboxes {
    /// A session has come to an end that is to go on elsewhere. One that is late, since its client reads slowly, goes on here.
    pub(crate) fn has_left(&mut self, parked: Parked, events: &mut EventLoop<Self>) {
        match &mut self.left {
            Some(left) => left.push(parked),
            None => self.session(parked.session, parked.client, events),
        }
    }

    /// A session does something.
    pub(crate) fn stirs(&mut self, events: &EventLoop<Self>) {
        self.stirred = Some(events.now());
    }

    fn store(&self, session: &NewSession) -> Result<(Arc<Store>, Layout), String> {
        let location = session.location(&self.base).map_err(|error| error.to_string())?;
        let store = self.stores.open_at(&location).map_err(|error| error.to_string())?;
        Ok((store, location.layout))
    }

    /// Tells `who` when something changes there. `None` where it can not be watched.
    pub(crate) fn watch(
        &mut self,
        place: &WatchPlace,
        who: HandlerId,
        events: &mut EventLoop<Self>,
    ) -> Option<WatchKey> {
        if !std::mem::replace(&mut self.watching, true) {
            self.begin_watching(events);
        }
        let key = match self.watcher.as_mut()?.watch(place) {
            Ok(key) => key,
            Err(error) => {
                if !std::mem::replace(&mut self.is_unwatched_told, true) {
                    log::warn!(
                        "watch a mailbox: {error}: clients that idle hear of changes later, and are not parked \
                         (is fs.inotify.max_user_watches too low?)"
                    );
                }
                return None;
            }
        };
        self.waiting.entry(key).or_default().push(who);
        Some(key)
    }

    /// `who` does not wait any more.
    pub(crate) fn unwatch(&mut self, key: WatchKey, who: HandlerId) {
        if let Some(watcher) = &mut self.watcher {
            watcher.unwatch(key);
        }
        if let Some(waiting) = self.waiting.get_mut(&key) {
            if let Some(place) = waiting.iter().position(|other| *other == who) {
                waiting.swap_remove(place);
            }
            if waiting.is_empty() {
                self.waiting.remove(&key);
            }
        }
    }

    fn begin_watching(&mut self, events: &mut EventLoop<Self>) {
        match Watcher::new() {
            Ok(watcher) => {
                let descriptor = watcher.as_raw_fd();
                self.watcher = Some(watcher);
                if let Err(error) = events.add(Box::new(Watch { descriptor })) {
                    log::warn!("watch mailboxes: {error}");
                }
            }
            Err(error) => log::warn!(
                "watch mailboxes: {error}: clients that idle hear of changes later, and are not parked \
                 (is fs.inotify.max_user_instances too low?)"
            ),
        }
    }
}

/// The one watcher, in the loop.
struct Watch {
    descriptor: RawFd,
}

impl Handler<Mailboxes> for Watch {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.descriptor)
    }

    fn waits_to_write(&self) -> bool {
        false
    }

    fn descriptor_outlives(&self) -> bool {
        true
    }

    fn ready(
        &mut self,
        _: Readiness,
        mailboxes: &mut Mailboxes,
        events: &mut EventLoop<Mailboxes>,
        _: HandlerId,
    ) -> Fate {
        let Some(watcher) = &mut mailboxes.watcher else { return Fate::Keep };
        let changed = watcher.changed().unwrap_or_else(|error| {
            log::warn!("watch mailboxes: {error}");
            Vec::new()
        });
        let post_box = events.post_box();
        for key in changed {
            for who in mailboxes.waiting.get(&key).into_iter().flatten() {
                post_box.send(*who, Box::new(Changed(key)));
            }
        }
        Fate::Keep
    }
}

/// The value that is there already where it is the same: thousands of sessions hold it.
fn shared<T: PartialEq>(last: &mut Option<Arc<T>>, fresh: T) -> Arc<T> {
    match last {
        Some(last) if **last == fresh => Arc::clone(last),
        _ => Arc::clone(last.insert(Arc::new(fresh))),
    }
}

fn separator(layout: Layout) -> char {
    match layout {
        Layout::MaildirPlusPlus => '.',
        Layout::MaildirTree | Layout::Mbox => '/',
    }
}

fn dialogue(words: &Attributes) -> SessionSettings {
    SessionSettings {
        capabilities: capabilities::session(counts_rights(words)),
        timeout: Duration::from_secs(number(words, "timeout", 1800)),
        idle_notice: Duration::from_secs(number(words, "idle_notice", 120)),
        progress_notice: Duration::from_secs(number(words, "progress_notice", 15).max(1)),
        command_limit_bytes: number(words, "command_limit", 65536),
        bad_command_limit: BAD_COMMANDS,
        id: vec![("name".to_owned(), "Pillarbox".to_owned())],
    }
}

/// `imapd_acl`
fn counts_rights(words: &Attributes) -> bool {
    number(words, "acl", 1_u8) != 0
}

fn number<T: FromStr>(words: &Attributes, name: &str, default: T) -> T {
    words.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// `Sent=\Sent, Junk=\Junk`
fn special_uses(words: &Attributes) -> Vec<(String, SpecialUse)> {
    let text = words.get("special_use").unwrap_or_default();
    let pairs = text.split(',').filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter_map(|(name, special)| Some((name.to_owned(), SpecialUse::parse(special.as_bytes())?)))
        .collect()
}
