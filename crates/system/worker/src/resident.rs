//! The other life of a login server's program: a process that runs as the owner of mailboxes and serves those who have
//! logged in.
//!
//! pop3d and imapd are two programs in one file. Started by master they are login servers, and can reach no mailbox.
//! Started by spawnd(8) with the one argument [`ARGUMENT`] they are residents: uid and gid are the owner's for good,
//! files are out of reach but those below the mailbox base, and clients come over a line from spawnd, each with what
//! its login server has said of it. So a `main` is:
//!
//! ```text
//! if resident::is_wanted() { resident::run::<Mailboxes>() } else { worker::run::<LoginServer>() }
//! ```
//!
//! A login server gets a client there by `machine::Output::HandOver` and `services::residents::Residents`.

use std::cell::RefCell;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use attributes::Attributes;
use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use services::residents::{
    Calling, MESSAGE_LIMIT_BYTES, NewSession, PARKING_LIMIT_BYTES, ParkedClient, ParkedWords, Parking,
    Report, Setup,
};
use sys::descriptors::{self, Received};
use sys::sandbox::{Access, Calls, Reach, Sandbox};
use sys::sockets::Socket;
use sys::{fork, ids};

use crate::{protocol, watchdog};

/// The argument by which a program knows that it is a resident.
pub const ARGUMENT: &str = "resident";
/// The line to spawnd has this number at the start.
pub const LINE_DESCRIPTOR: RawFd = 3;
/// What a resident is named that was started before anybody needed it, while it waits.
const SPARE_NAME: &str = "resident-spare";
/// How long a resident stays without a session.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// How long one look for spawnd's word takes, in milliseconds.
const WORD_WAIT_MS: u16 = 10_000;
const FOLDERS_MODE: u32 = 0o700;
/// What a resident may read besides mailboxes: time zones, and whether a process lives.
const READABLE: [&str; 4] = ["/etc", "/usr/share/zoneinfo", "/proc", "/dev/urandom"];

/// What a resident does.
pub trait Resident: Sized + 'static {
    /// The program's name: `pop3d`.
    const PROGRAM: &'static str;

    /// How many threads its disk work may use.
    const POOL_THREADS: usize = 8;

    /// Makes the service. It runs as the owner already, and is not confined yet.
    ///
    /// # Errors
    /// What the system said; the resident ends.
    fn open(setup: &Setup) -> io::Result<Self>;

    /// A client has come that has logged in.
    fn session(&mut self, session: NewSession, client: Socket, events: &mut EventLoop<Self>);

    /// Clients that are here.
    fn sessions(&self) -> usize;

    /// When the process may end although it has clients, for they only wait; none while it may not.
    fn parks_at(&self) -> Option<Instant> {
        None
    }

    /// Lets all clients go, to be taken up by [`Resident::session`] again, here or elsewhere; none where that can not be.
    fn park(&mut self, _events: &mut EventLoop<Self>) -> Option<ParkedClients> {
        None
    }

    /// Everything that was ready has been seen to: the place for work that is better done once a turn.
    fn turn_ends(&mut self, _events: &mut EventLoop<Self>) {}
}

/// Clients that wait, without a process of their own.
#[derive(Debug)]
pub struct ParkedClients {
    /// Each of them.
    pub clients: Vec<Parked>,
    /// Readable when something has changed that one of them waits for; none where none does.
    pub watch: Option<OwnedFd>,
    /// What they hear.
    pub words: ParkedWords,
}

/// A client that waits.
#[derive(Debug)]
pub struct Parked {
    /// What [`Resident::session`] needs to take it up.
    pub session: NewSession,
    /// Its connection.
    pub client: Socket,
    /// As in [`ParkedClient`].
    pub idles: bool,
    /// How often it hears that the server is there, or how long it may be silent.
    pub patience: Duration,
}

/// Has spawnd started this process?
pub fn is_wanted() -> bool {
    std::env::args().nth(1).as_deref() == Some(ARGUMENT)
}

/// Runs until spawnd has no more sessions for it and the last one is over. The whole `main` of a resident.
pub fn run<R: Resident>() -> ExitCode {
    let outcome = begin::<R>();
    if let Err(error) = &outcome {
        log::error!(target: maillog::FATAL, "serve mailboxes: {error}");
    }
    maillog::flush();
    if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn begin<R: Resident>() -> io::Result<()> {
    let line = sys::process::inherited(LINE_DESCRIPTOR)
        .ok_or_else(|| io::Error::other("residents are started by spawnd, not by hand"))?;
    sys::allocator::give_back();
    sys::signals::ignore_broken_pipes();
    sys::process::raise_descriptor_limit();
    let Some((line, setup)) = receive_setup(line, R::PROGRAM)? else { return Ok(()) };
    let resident = R::open(&setup)?;
    if let Some(folders) = &setup.folders {
        // What does not exist can not be left within reach. Whoever can not make it has no folders, and is told then.
        let _ = DirBuilder::new().recursive(true).mode(FOLDERS_MODE).create(folders);
    }
    confine(&setup)?;
    Run::new(resident, line)?.until_the_end()
}

/// Waits for spawnd's first word. Who was started before anybody needed it, while it was still root, waits for its calling first:
/// whom it becomes, and the line to spawnd. None when it is not needed any more.
fn receive_setup(mut line: OwnedFd, program: &str) -> io::Result<Option<(OwnedFd, Setup)>> {
    let zygote = fork::parent_id();
    if !sys::sockets::wait_readable(line.as_fd(), 0) {
        sys::process::set_name(SPARE_NAME);
    }
    let mut buffer = vec![0; MESSAGE_LIMIT_BYTES];
    loop {
        let received = descriptors::receive(&line, &mut buffer)?;
        if received.length == 0 {
            return Ok(None);
        }
        let words = decode(&buffer[..received.length]).ok_or(io::ErrorKind::InvalidData)?;
        let file = received.files.into_iter().next();
        let Some(calling) = Calling::from_attributes(&words) else {
            open_log(program, file);
            return Ok(Some((line, Setup::from_attributes(&words).map_err(io::Error::other)?)));
        };
        // Nothing that the new line brings can change it again: root is gone.
        ids::become_for_good(&calling.identity)?;
        line = file.ok_or(io::ErrorKind::InvalidData)?;
        sys::process::set_name(program);
        if !fork::die_with_parent(zygote)? {
            return Ok(None);
        }
    }
}

fn decode(bytes: &[u8]) -> Option<Attributes> {
    Attributes::decode(bytes).ok().flatten().map(|(message, _)| message)
}

/// The names of tag and host are in the environment, as master gave them to spawnd.
fn open_log(program: &str, file: Option<OwnedFd>) {
    let tag = std::env::var(protocol::ENV_LOG_TAG).unwrap_or_else(|_| "postfix".to_owned());
    let host = std::env::var(protocol::ENV_LOG_HOST).unwrap_or_else(|_| sys::process::host_name());
    maillog::open(maillog::Settings {
        tag: format!("{tag}/{program}"),
        host: host.split('.').next().unwrap_or_default().to_owned(),
        sink: file.map_or_else(maillog::Sink::syslog, |file| maillog::Sink::File(File::from(file))),
        buffered: true,
        verbose: false,
    });
}

fn confine(setup: &Setup) -> io::Result<()> {
    let reach = || {
        let mut paths: Vec<_> = READABLE.iter().map(|path| (PathBuf::from(path), Access::Read)).collect();
        // The directory it lies in: who changes a file often puts another in its place.
        let global = setup.global_acl.iter().filter_map(|path| path.parent());
        paths.extend(global.map(|directory| (directory.to_owned(), Access::Read)));
        let writable = [Some(&setup.base), setup.folders.as_ref(), setup.index_directory.as_ref()];
        paths.extend(writable.into_iter().flatten().map(|path| (path.clone(), Access::Write)));
        Reach { paths, ..Reach::default() }
    };
    let sandbox = Sandbox {
        no_new_privileges: setup.no_new_privileges,
        // Where links may lead anywhere, no directory can be the limit.
        landlock: (setup.landlock && !setup.follow_links).then(reach),
        seccomp: setup.seccomp.then_some(Calls::Daemon),
    };
    sandbox.apply().map(drop)
}

/// What the line has brought and the loop has to know.
#[derive(Default)]
struct Inbox {
    /// Sessions that have come.
    come: u64,
    /// No more will.
    is_closed: bool,
    /// The suite stops.
    stop: bool,
}

struct Run<R: Resident> {
    resident: R,
    events: EventLoop<R>,
    line: Rc<Socket>,
    inbox: Rc<RefCell<Inbox>>,
    idle_since: Option<Instant>,
}

impl<R: Resident> Run<R> {
    fn new(resident: R, line: OwnedFd) -> io::Result<Self> {
        let line = Rc::new(Socket::from_descriptor(line)?);
        let inbox = Rc::default();
        let mut events = EventLoop::new(R::POOL_THREADS)?;
        let handler = SessionLine { line: Rc::clone(&line), inbox: Rc::clone(&inbox), buffer: Vec::new() };
        events.add(Box::new(handler))?;
        descriptors::send(line.as_fd(), &Report::Ready.to_attributes().to_bytes(), &[])?;
        Ok(Self { resident, events, line, inbox, idle_since: None })
    }

    fn until_the_end(mut self) -> io::Result<()> {
        watchdog::start(self.events.beat());
        loop {
            let limit = self.rest();
            self.events.turn(&mut self.resident, limit)?;
            if std::mem::take(&mut self.inbox.borrow_mut().stop) {
                self.events.stop_all(&mut self.resident);
            }
            self.resident.turn_ends(&mut self.events);
            self.events.turn_is_over();
            maillog::flush();
            if self.inbox.borrow().is_closed && self.resident.sessions() == 0 {
                return Ok(());
            }
            if self.resident.parks_at().is_some_and(|at| at <= Instant::now()) && self.park() {
                return Ok(());
            }
        }
    }

    /// Gives all clients to spawnd. True when it has them: this process is not wanted any more.
    fn park(&mut self) -> bool {
        if self.inbox.borrow().is_closed {
            return false;
        }
        let Some(parked) = self.resident.park(&mut self.events) else { return false };
        if parked.clients.is_empty() {
            return false;
        }
        let is_sent = self.send_parked(&parked);
        if is_sent && !self.is_to_stay() {
            return true;
        }
        for Parked { session, client, .. } in parked.clients {
            self.resident.session(session, client, &mut self.events);
        }
        false
    }

    fn send_parked(&self, parked: &ParkedClients) -> bool {
        let clients = parked.clients.iter().map(|parked| ParkedClient {
            session: parked.session.to_attributes().to_bytes(),
            idles: parked.idles,
            patience_seconds: parked.patience.as_secs(),
        });
        let (come, words) = (self.inbox.borrow().come, parked.words.clone());
        let message = Parking { come, clients: clients.collect(), words }.to_attributes().to_bytes();
        let sockets = parked.clients.iter().map(|parked| parked.client.as_fd());
        let files: Vec<_> = sockets.chain(parked.watch.as_ref().map(AsFd::as_fd)).collect();
        message.len() <= PARKING_LIMIT_BYTES && descriptors::send(self.line.as_fd(), &message, &files).is_ok()
    }

    /// Waits for spawnd's word. Nobody is served meanwhile, for it may be that spawnd has them all already.
    fn is_to_stay(&mut self) -> bool {
        let come = self.inbox.borrow().come;
        let mut session_line =
            SessionLine { line: Rc::clone(&self.line), inbox: Rc::clone(&self.inbox), buffer: Vec::new() };
        loop {
            while !sys::sockets::wait_readable(self.line.as_fd(), WORD_WAIT_MS) {}
            session_line.buffer.resize(MESSAGE_LIMIT_BYTES, 0);
            match descriptors::receive(self.line.as_fd(), &mut session_line.buffer) {
                Ok(received) if received.length > 0 => {
                    let words = decode(&session_line.buffer[..received.length]);
                    if words.is_some_and(|words| words.get("order") == Some(services::residents::STAY)) {
                        return true;
                    }
                    session_line.take(received, &mut self.resident, &mut self.events);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => {
                    self.inbox.borrow_mut().is_closed = true;
                    // The line may have been closed before; then spawnd has them only if nobody was on the way.
                    return self.inbox.borrow().come != come;
                }
            }
        }
    }

    /// How long the next turn may wait. One who has been idle for long asks to be let go; spawnd closes the line when
    /// no session is on the way.
    fn rest(&mut self) -> Option<Duration> {
        let now = Instant::now();
        if self.resident.sessions() > 0 {
            self.idle_since = None;
            return self.resident.parks_at().map(|at| at.saturating_duration_since(now));
        }
        let since = *self.idle_since.get_or_insert(now);
        let left = (since + IDLE_LIMIT).saturating_duration_since(now);
        if !left.is_zero() {
            return Some(left);
        }
        self.idle_since = Some(now);
        let report = Report::Idle { come: self.inbox.borrow().come };
        // When spawnd is gone, the line says so.
        let _ = descriptors::send(self.line.as_fd(), &report.to_attributes().to_bytes(), &[]);
        Some(IDLE_LIMIT)
    }
}

/// The line to spawnd, in the loop.
struct SessionLine {
    line: Rc<Socket>,
    inbox: Rc<RefCell<Inbox>>,
    buffer: Vec<u8>,
}

impl<R: Resident> Handler<R> for SessionLine {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.line.as_raw_fd())
    }

    fn waits_to_write(&self) -> bool {
        false
    }

    fn ready(&mut self, _: Readiness, resident: &mut R, events: &mut EventLoop<R>, _: HandlerId) -> Fate {
        loop {
            self.buffer.resize(MESSAGE_LIMIT_BYTES, 0);
            match descriptors::receive(self.line.as_fd(), &mut self.buffer) {
                Ok(received) if received.length > 0 && !received.truncated => {
                    self.take(received, resident, events);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.buffer = Vec::new();
                    return Fate::Keep;
                }
                _ => {
                    self.inbox.borrow_mut().is_closed = true;
                    return Fate::Close;
                }
            }
        }
    }
}

impl SessionLine {
    fn take<R: Resident>(&mut self, received: Received, resident: &mut R, events: &mut EventLoop<R>) {
        let mut files = received.files.into_iter();
        let Some(words) = decode(&self.buffer[..received.length]) else { return };
        if words.get("order") == Some("stop") {
            self.inbox.borrow_mut().stop = true;
            return;
        }
        let client = files.next().and_then(|client| Socket::from_descriptor(client).ok());
        if let Some(file) = files.next() {
            maillog::change_sink(|| maillog::Sink::File(File::from(file)));
        }
        self.inbox.borrow_mut().come += 1;
        // Before the client hears a word: from now on nobody else may serve it.
        let report = Report::Came { come: self.inbox.borrow().come };
        // When spawnd is gone, the line says so.
        let _ = descriptors::send(self.line.as_fd(), &report.to_attributes().to_bytes(), &[]);
        match (NewSession::from_attributes(&words), client) {
            (Ok(session), Some(client)) => resident.session(session, client, events),
            (Err(error), _) => log::warn!("a session that is not understood: {error}"),
            (_, None) => log::warn!("a session without a client"),
        }
    }
}
