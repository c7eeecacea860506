//! The loop of spamd by hand: clients, and signals.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use rulefiles::Places;
use spam::rules::Networks;
use sys::signals::{SignalKind, Signals};
use sys::sockets::Peer;

use super::background;
use super::listening::Listener;
use crate::calling::Calling;
use crate::encryption::Encryption;
use crate::options::Options;
use crate::service::{NETWORK_THREADS, SESSION_LIMIT, load};
use crate::session::{Entrance, Office, Shared};

/// Nothing is waited for longer than this.
const TURN: Duration = Duration::from_secs(3600);
/// When all places are taken, the door is looked at again after this.
const FULL: Duration = Duration::from_millis(20);

/// The daemon by hand.
pub(super) struct Alone {
    pub(super) shared: Arc<Shared>,
    pub(super) calling: Calling,
    /// For the sockets that are secured.
    pub(super) encryption: Option<Arc<Encryption>>,
    pub(super) places: Places,
    /// Who may connect by TCP; `None` for all.
    pub(super) allowed: Option<Networks>,
    pub(super) sessions: usize,
    /// The signal that ends it.
    pub(super) stop: Option<SignalKind>,
}

impl Office for Alone {
    fn session_ended(&mut self) {
        self.sessions = self.sessions.saturating_sub(1);
    }
}

/// Serves until a signal ends it.
pub(super) fn serve(
    mut alone: Alone,
    listeners: Vec<Listener>,
    signals: Signals,
    options: &Options,
) -> Result<(), String> {
    let step = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
    // Threads that wait for DNS or databases do not work.
    let least = if alone.shared.rules.asks() { NETWORK_THREADS } else { 2 };
    let threads = options.threads.unwrap_or_else(|| sys::process::processors().max(least));
    let mut events = EventLoop::new(threads).map_err(step("make the event loop"))?;
    let names: Vec<String> = listeners.iter().map(|listener| listener.name.clone()).collect();
    let mut left: Vec<PathBuf> = listeners.iter().filter_map(|listener| listener.path.clone()).collect();
    for listener in listeners {
        let id = events.add(Box::new(Door { listener })).map_err(step("watch a socket"))?;
        events.again(id);
    }
    events.add(Box::new(Bell { signals })).map_err(step("watch for signals"))?;
    let version = spam::report::VERSION;
    log::info!("spamd: server started on {} (running version {version})", names.join(", "));
    log::info!("spamd: server pid: {}", std::process::id());
    if background::is_waited_for() {
        background::tell_parent().map_err(step("tell the parent"))?;
    }
    while alone.stop.is_none() {
        events.turn(&mut alone, Some(TURN)).map_err(step("wait for clients"))?;
        events.turn_is_over();
    }
    let signal = alone.stop.unwrap_or(SignalKind::SIGTERM);
    log::info!("spamd: server killed by {signal}, shutting down");
    alone.shared.notes.flush();
    left.extend(options.pid_file.clone());
    for path in left {
        if let Err(error) = std::fs::remove_file(&path) {
            log::warn!("spamd: cannot unlink {}: {error}", path.display());
        }
    }
    Ok(())
}

/// A socket on which clients come.
struct Door {
    listener: Listener,
}

impl Handler<Alone> for Door {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.listener.socket.as_raw_fd())
    }

    fn ready(
        &mut self,
        _: Readiness,
        alone: &mut Alone,
        events: &mut EventLoop<Alone>,
        me: HandlerId,
    ) -> Fate {
        while alone.sessions < SESSION_LIMIT {
            let Ok((socket, peer)) = self.listener.socket.accept() else { return Fate::Keep };
            let Some(told) = self.admits(&peer, alone.allowed.as_ref(), socket.as_raw_fd()) else { continue };
            let encryption = alone.encryption.clone().filter(|_| self.listener.secured);
            if encryption.is_none() {
                log::info!("spamd: {told}");
            }
            let entrance = Entrance { encryption, told: Some(told) };
            match alone.calling.welcome(socket, &peer, &alone.shared, entrance, events) {
                Ok(_) => alone.sessions += 1,
                Err(error) => log::warn!("spamd: watch a client: {error}"),
            }
        }
        events.set_deadline(me, Some(events.now() + FULL));
        Fate::Keep
    }

    fn elapsed(&mut self, _: &mut Alone, events: &mut EventLoop<Alone>, me: HandlerId) -> Fate {
        events.again(me);
        Fate::Keep
    }
}

impl Door {
    /// What the log says of this client, if it may come in.
    fn admits(&self, peer: &Peer, allowed: Option<&Networks>, descriptor: RawFd) -> Option<String> {
        let Peer::Inet(address) = peer else {
            let path = self.listener.path.clone().unwrap_or_default();
            return Some(format!("got connection over {}", path.display()));
        };
        let ip = address.ip();
        let name = if ip.is_loopback() { "localhost".to_owned() } else { ip.to_string() };
        let (from, to) = (address.port(), self.listener.port);
        let connection = format!("connection from {name} [{ip}]:{from} to port {to}, fd {descriptor}");
        if allowed.is_none_or(|allowed| allowed.contains(ip)) {
            return Some(connection);
        }
        log::warn!("spamd: unauthorized {connection}");
        None
    }
}

/// Signals: HUP reads the rules anew, TERM and INT end.
struct Bell {
    signals: Signals,
}

impl Handler<Alone> for Bell {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.signals.as_raw_fd())
    }

    fn ready(
        &mut self,
        _: Readiness,
        alone: &mut Alone,
        events: &mut EventLoop<Alone>,
        me: HandlerId,
    ) -> Fate {
        while let Ok(Some(signal)) = self.signals.take() {
            if signal != SignalKind::SIGHUP {
                alone.stop = Some(signal);
                continue;
            }
            log::info!("spamd: server hit by SIGHUP, reading its rules anew");
            let (places, rules) = (alone.places.clone(), Arc::clone(&alone.shared.rules));
            let encryption = alone.encryption.clone();
            let reload = move || {
                if let Some(encryption) = encryption {
                    encryption.renew();
                }
                if let Err(text) = load(&places).and_then(|site| rules.replace(site)) {
                    log::warn!("spamd: {text}: the rules stay as they are");
                }
            };
            if events.offload(me, reload).is_err() {
                log::warn!("spamd: too busy to read the rules anew: send HUP again");
            }
        }
        Fate::Keep
    }
}
