//! The half that reads mail: what its sessions share.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use mailbox::store::{Maildrop, Stores, UidlFormat};
use reactor::drive::Driver;
use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use services::residents::{NewSession, Setup};
use sys::sockets::Socket;
use worker::Clients;
use worker::resident::Resident;

use crate::session::MailSession;
use crate::settings::SessionSettings;

/// How often other programs are shown that a session lives.
const TOUCH_INTERVAL: Duration = Duration::from_secs(60);

/// The resident.
pub(crate) struct Mailboxes {
    base: PathBuf,
    pub(crate) stores: Arc<Stores>,
    pub(crate) clients: Clients,
    /// Maildrops that are open.
    pub(crate) open: Vec<Weak<Maildrop>>,
    touches: bool,
}

impl Resident for Mailboxes {
    const PROGRAM: &'static str = "pop3d";

    fn open(setup: &Setup) -> io::Result<Self> {
        Ok(Self {
            base: setup.base.clone(),
            stores: Arc::new(Stores::new(setup.store_settings())),
            clients: Clients::default(),
            open: Vec::new(),
            touches: false,
        })
    }

    fn session(&mut self, session: NewSession, client: Socket, events: &mut EventLoop<Self>) {
        if let Err(why) = self.begin(&session, client, events) {
            log::warn!("user=<{}>: {why}", session.user);
        }
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }
}

impl Mailboxes {
    fn begin(
        &mut self,
        new: &NewSession,
        client: Socket,
        events: &mut EventLoop<Self>,
    ) -> Result<(), String> {
        let settings = SessionSettings::from_words(&new.words).map_err(|error| error.to_string())?;
        let format = UidlFormat::parse(&settings.uidl_format).unwrap_or_else(|error| {
            log::warn!("pop3d_uidl_format: {error}");
            UidlFormat::default()
        });
        let location = new.location(&self.base).map_err(|error| error.to_string())?;
        let session = MailSession::new(new, settings, format, location);
        client.send_at_once();
        self.clients.welcome(Driver::start(client, session, events));
        Ok(())
    }

    /// From now on the maildrop's lock is kept fresh.
    pub(crate) fn keep_fresh(&mut self, maildrop: &Arc<Maildrop>, events: &mut EventLoop<Self>) {
        self.open.retain(|open| open.strong_count() > 0);
        self.open.push(Arc::downgrade(maildrop));
        if !std::mem::replace(&mut self.touches, true)
            && let Ok(id) = events.add(Box::new(Toucher))
        {
            events.set_deadline(id, Some(events.now() + TOUCH_INTERVAL));
        }
    }
}

/// Touches the locks of all maildrops from time to time.
struct Toucher;

impl Handler<Mailboxes> for Toucher {
    fn descriptor(&self) -> Option<std::os::fd::RawFd> {
        None
    }

    fn ready(&mut self, _: Readiness, _: &mut Mailboxes, _: &mut EventLoop<Mailboxes>, _: HandlerId) -> Fate {
        Fate::Keep
    }

    fn elapsed(
        &mut self,
        mailboxes: &mut Mailboxes,
        events: &mut EventLoop<Mailboxes>,
        me: HandlerId,
    ) -> Fate {
        let open: Vec<_> = mailboxes.open.iter().filter_map(Weak::upgrade).collect();
        if open.is_empty() {
            mailboxes.touches = false;
            return Fate::Close;
        }
        let now_us = sys::clock::now_us();
        let touched = events.offload(me, move || open.iter().for_each(|maildrop| maildrop.touch(now_us)));
        if let Err(error) = touched {
            log::warn!("touch session locks: {error}");
        }
        events.set_deadline(me, Some(events.now() + TOUCH_INTERVAL));
        Fate::Keep
    }
}
