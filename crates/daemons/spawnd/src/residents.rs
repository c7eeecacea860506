//! Clients on their way to a mailbox, and the residents that serve them.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use attributes::Attributes;
use dovecot_auth::{ClientLine, MAJOR_VERSION, ServerLine};
use mailbox::job::Hello;
use reactor::channel::{Channel, Line, Send, Talk, TextLine};
use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use services::residents::{
    NewSession, PARKED_LIMIT, PARKING_LIMIT_BYTES, Parking, Program, Report, STAY, SessionRequest, Setup,
    refuse,
};
use sys::descriptors;
use sys::ids::Identity;
use sys::sockets::Socket;

use crate::ZYGOTE;
use crate::front::Spawnd;
use crate::order::Order;
use crate::parked::ParkedHomes;

/// Clients that may wait for authd, or for one resident to start.
const WAITING_LIMIT: usize = 20_000;
/// A client whose residents die before they take it is given to so many of them.
const TRIES_LIMIT: u8 = 3;
/// So many guests that were sent to a resident are kept until it takes them; it may be somebody's who means ill.
const ON_THE_WAY_LIMIT: usize = 1000;
/// One that has lived for less does not park its clients: to start processes over and over must not be in an owner's hands.
const LIFE_FLOOR: Duration = Duration::from_millis(500);
/// So many guests are on their way to a resident before it is ready: it finds them when it is.
const EARLY_LIMIT: usize = PARKED_LIMIT;
/// So often the log says that clients that wait can not be taken.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(60);
/// How long a resident may take to report for work.
const START_LIMIT: Duration = Duration::from_secs(30);

/// What decides which resident a client goes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Household {
    program: Program,
    identity: Identity,
    base: PathBuf,
    /// Where folders lie outside of the base.
    folders: Option<PathBuf>,
}

/// A client with what it wants.
struct Client {
    socket: OwnedFd,
    request: SessionRequest,
}

/// A client that is known.
pub(crate) struct Guest {
    pub(crate) socket: OwnedFd,
    pub(crate) refusal: String,
    pub(crate) message: Vec<u8>,
    /// Where its mailbox is.
    pub(crate) order: Order,
    /// Where its folders are, outside of the base.
    pub(crate) folders: Option<PathBuf>,
    /// It has been given to so many residents.
    pub(crate) tries: u8,
}

impl Household {
    /// The order for its resident.
    pub(crate) fn order(&self) -> Order {
        let (identity, base) = (self.identity.clone(), self.base.clone());
        Order { identity, base, program: Some(self.program) }
    }

    pub(crate) fn folders(&self) -> Option<PathBuf> {
        self.folders.clone()
    }
}

impl Guest {
    fn refuse(self) {
        refuse(&self.socket, &self.refusal);
    }
}

struct Resident {
    line: Rc<Socket>,
    household: Household,
    /// Sessions that were sent to it.
    sent: u64,
    /// Guests that wait for it to be ready, beyond the first; none once it is.
    waiting: Option<Vec<Guest>>,
    /// Guests that were sent to it, which it has not taken yet: should it die, they go to another.
    on_the_way: VecDeque<Guest>,
    /// It was started then.
    started: Instant,
}

/// All residents, and the clients on their way.
pub(crate) struct Residents {
    authd_path: PathBuf,
    authd: Option<HandlerId>,
    asked: HashMap<u32, Client>,
    last_id: u32,
    residents: HashMap<HandlerId, Resident>,
    /// The one of each household that takes sessions.
    current: HashMap<Household, HandlerId>,
    setup: Setup,
    /// Clients that wait without a resident.
    pub(crate) parked: ParkedHomes,
    /// The suite stops.
    pub(crate) is_stopping: bool,
    /// It was said then that clients could not be taken.
    complained: Option<Instant>,
}

impl Residents {
    pub(crate) fn new(authd_path: PathBuf, setup: Setup) -> Self {
        Self {
            authd_path,
            authd: None,
            asked: HashMap::new(),
            last_id: 0,
            residents: HashMap::new(),
            current: HashMap::new(),
            setup,
            parked: ParkedHomes::default(),
            is_stopping: false,
            complained: None,
        }
    }

    /// Those that live, and owners of mailboxes whose clients wait without one.
    pub(crate) fn population(&self) -> usize {
        self.residents.len() + self.parked.len()
    }

    /// No more sessions come: each ends with its last.
    pub(crate) fn dismiss_all(&mut self) {
        self.current.clear();
        self.residents.values().for_each(|resident| resident.line.finish_writing());
    }

    /// The suite stops.
    pub(crate) fn stop_all(&mut self) {
        let order = Attributes::new().with("order", "stop").to_bytes();
        for resident in self.residents.values() {
            // One that can not hear it ends with spawnd.
            let _ = descriptors::send(resident.line.as_fd(), &order, &[]);
        }
        self.dismiss_all();
    }

    /// Clients that wait could not be taken; they stay with their process, which tries again. Said once in a while.
    fn complain(&mut self, come: usize, wanted: usize) {
        if self.complained.is_none_or(|before| before.elapsed() >= COMPLAINT_INTERVAL) {
            self.complained = Some(Instant::now());
            log::warn!(
                "take clients that wait: {come} of {wanted} connections came: the limit of open files (ulimit -n) is too low"
            );
        }
    }

    /// Makes sure that authd can be asked.
    fn connect(&mut self, events: &mut EventLoop<Spawnd>) -> io::Result<HandlerId> {
        if let Some(authd) = self.authd {
            return Ok(authd);
        }
        let socket = sys::sockets::connect_unix(&self.authd_path)?;
        socket.write(&ClientLine::Version { major: MAJOR_VERSION }.to_bytes())?;
        let authd = Channel::start(socket, AuthLine, events)?;
        self.authd = Some(authd);
        Ok(authd)
    }
}

impl Spawnd {
    /// A login server passes a client on: whose ticket has it?
    pub(crate) fn admit(&mut self, request: SessionRequest, socket: OwnedFd, events: &mut EventLoop<Self>) {
        let authd = match self.residents.connect(events) {
            Ok(authd) if self.residents.asked.len() < WAITING_LIMIT => authd,
            Ok(_) => return refuse(&socket, &request.refusal),
            Err(error) => {
                log::warn!("connect to {}: {error}", self.residents.authd_path.display());
                return refuse(&socket, &request.refusal);
            }
        };
        self.residents.last_id = self.residents.last_id.wrapping_add(1);
        let id = self.residents.last_id;
        let question = ClientLine::Redeem { id, ticket: request.ticket.clone() };
        self.residents.asked.insert(id, Client { socket, request });
        let text = String::from_utf8_lossy(&question.to_bytes()).trim_end_matches('\n').to_owned();
        events.post_box().send(authd, Box::new(Send(TextLine(text))));
    }

    fn authd_says(&mut self, answer: ServerLine, events: &mut EventLoop<Self>) {
        match answer {
            ServerLine::User { id, name, uid, gid, home, mail, quota_rule, acl_groups, path } => {
                let Some(client) = self.residents.asked.remove(&id) else { return };
                let (folders, options) = folders_and_options(&mail);
                let session = NewSession {
                    user: name,
                    path,
                    folders,
                    options,
                    quota: quota_rule.unwrap_or_default(),
                    acl_groups: acl_groups.unwrap_or_default(),
                    words: Attributes::new(),
                    early: Vec::new(),
                };
                self.seat(client, session, ((uid, gid), PathBuf::from(home)), events);
            }
            ServerLine::NotFound { id } => {
                self.turn_away(id, "authd does not know the ticket, or the mailbox")
            }
            ServerLine::Failure(failure) => self.turn_away(failure.id, "authd can not tell"),
            _ => {}
        }
    }

    fn turn_away(&mut self, id: u32, why: &str) {
        if let Some(client) = self.residents.asked.remove(&id) {
            log::warn!("a client of {} gets no mailbox: {why}", client.request.program.name());
            refuse(&client.socket, &client.request.refusal);
        }
    }

    /// Gives a client whose user is known to its resident.
    fn seat(
        &mut self,
        client: Client,
        session: NewSession,
        (ids, base): ((u32, u32), PathBuf),
        events: &mut EventLoop<Self>,
    ) {
        let Client { socket, request } = client;
        let order = match self.owners.resident(request.program, ids, base) {
            Ok(order) => order,
            Err(error) => {
                log::warn!("mailbox of {}: {error}", session.user);
                return refuse(&socket, &request.refusal);
            }
        };
        let SessionRequest { words, early, refusal, .. } = request;
        let folders = Some(PathBuf::from(&session.folders));
        let folders = folders.filter(|folders| folders.is_absolute() && !folders.starts_with(&order.base));
        let session = NewSession { words, early, ..session };
        let message = session.to_attributes().to_bytes();
        self.give(Guest { socket, refusal, message, order, folders, tries: 0 }, events);
    }

    /// Gives a guest to the resident of its mailbox, which is started if there is none.
    pub(crate) fn give(&mut self, mut guest: Guest, events: &mut EventLoop<Self>) {
        if guest.tries >= TRIES_LIMIT {
            log::warn!("a client gets no mailbox: {TRIES_LIMIT} residents died before they took it");
            return guest.refuse();
        }
        guest.tries += 1;
        match self.resident_of(&guest.order, guest.folders.clone(), events) {
            Ok(id) => self.send_in(id, guest, events),
            Err(error) => {
                log::warn!("start {}: {error}", guest.order.program.map_or("", Program::name));
                guest.refuse();
            }
        }
    }

    fn resident_of(
        &mut self,
        order: &Order,
        folders: Option<PathBuf>,
        events: &mut EventLoop<Self>,
    ) -> io::Result<HandlerId> {
        let program = order.program.ok_or(io::ErrorKind::InvalidInput)?;
        let (identity, base) = (order.identity.clone(), order.base.clone());
        let household = Household { program, identity, base, folders: folders.clone() };
        if let Some(id) = self.residents.current.get(&household) {
            return Ok(*id);
        }
        let (ours, theirs) = descriptors::message_pair()?;
        let line = Rc::new(Socket::from_descriptor(ours)?);
        let setup = Setup { base: order.base.clone(), folders, ..self.residents.setup.clone() };
        send_with_log(&line, &setup.to_attributes().to_bytes(), None)?;
        let zygote = ZYGOTE.get().ok_or(io::ErrorKind::NotConnected)?;
        descriptors::send(&zygote.orders, &order.to_bytes(), &[theirs.as_fd()])?;
        let id = events.add(Box::new(ResidentLine(Rc::clone(&line))))?;
        events.set_deadline(id, Some(events.now() + START_LIMIT));
        let resident = Resident {
            line,
            household: household.clone(),
            sent: 0,
            waiting: Some(Vec::new()),
            on_the_way: VecDeque::new(),
            started: events.now(),
        };
        self.residents.residents.insert(id, resident);
        self.residents.current.insert(household.clone(), id);
        // Whoever waits there meets the others.
        self.wake_household(&household, events);
        Ok(id)
    }

    fn send_in(&mut self, id: HandlerId, guest: Guest, events: &mut EventLoop<Self>) {
        let Some(resident) = self.residents.residents.get_mut(&id) else { return guest.refuse() };
        let is_early = resident.on_the_way.len() < EARLY_LIMIT;
        if let Some(waiting) = resident.waiting.as_mut().filter(|waiting| !(is_early && waiting.is_empty())) {
            return if waiting.len() < WAITING_LIMIT { waiting.push(guest) } else { guest.refuse() };
        }
        match send_with_log(&resident.line, &guest.message, Some(&guest.socket)) {
            Ok(()) => {
                resident.sent += 1;
                resident.on_the_way.push_back(guest);
                if resident.on_the_way.len() > ON_THE_WAY_LIMIT {
                    resident.on_the_way.pop_front();
                }
            }
            Err(error) if is_dead(&error) => {
                resident.on_the_way.push_back(guest);
                self.resident_is_gone(id, events);
            }
            Err(error) => {
                log::warn!("pass a client on: {error}");
                guest.refuse();
            }
        }
    }

    fn resident_says(&mut self, report: Report, id: HandlerId, events: &mut EventLoop<Self>) {
        let Some(resident) = self.residents.residents.get_mut(&id) else { return };
        match report {
            Report::Ready => {
                events.set_deadline(id, None);
                let waiting = resident.waiting.take().unwrap_or_default();
                waiting.into_iter().for_each(|guest| self.send_in(id, guest, events));
            }
            Report::Came { come } => {
                let on_the_way = resident.sent.saturating_sub(come);
                let taken = resident.on_the_way.len().saturating_sub(on_the_way as usize);
                resident.on_the_way.drain(..taken);
            }
            Report::Idle { come } if come == resident.sent => {
                resident.line.finish_writing();
                let household = resident.household.clone();
                self.forget_current(&household, id);
            }
            // A session is on the way to it.
            Report::Idle { .. } => {}
        }
    }

    fn forget_current(&mut self, household: &Household, id: HandlerId) {
        if self.residents.current.get(household) == Some(&id) {
            self.residents.current.remove(household);
        }
    }

    /// All clients of a resident only wait: they do so here, unless one more is on the way to it.
    fn park(&mut self, parking: Parking, files: Vec<OwnedFd>, id: HandlerId, events: &mut EventLoop<Self>) {
        let Some(resident) = self.residents.residents.get(&id) else { return };
        let is_young = events.now().duration_since(resident.started) < LIFE_FLOOR;
        let is_awaited = !is_young && parking.come == resident.sent;
        let (line, household) = (Rc::clone(&resident.line), resident.household.clone());
        let mut sockets = files;
        let watch = if sockets.len() > parking.clients.len() { sockets.pop() } else { None };
        let is_whole = !sockets.is_empty() && sockets.len() == parking.clients.len();
        if !is_whole {
            self.residents.complain(sockets.len(), parking.clients.len());
        }
        if !is_whole || !is_awaited {
            let order = Attributes::new().with("order", STAY).to_bytes();
            // One that can not hear it has ended, and its clients with it.
            let _ = descriptors::send(line.as_fd(), &order, &[]);
            return;
        }
        line.finish_writing();
        self.forget_current(&household, id);
        self.settle(household, parking, (sockets, watch), events);
    }

    /// A resident has ended, or never began. Whom it has not taken goes to another.
    fn resident_is_gone(&mut self, id: HandlerId, events: &mut EventLoop<Self>) {
        let Some(resident) = self.residents.residents.remove(&id) else { return };
        self.forget_current(&resident.household, id);
        let left_behind = resident.on_the_way.into_iter().chain(resident.waiting.into_iter().flatten());
        left_behind.for_each(|guest| self.give(guest, events));
    }
}

/// Nobody is at the other end any more.
fn is_dead(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected
    )
}

/// The directory of the folders beside an mbox file, and what else a mail location says after its path.
fn folders_and_options(mail: &str) -> (String, String) {
    let mut parts = mail.split(':');
    let (kind, root) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (inbox, options): (Vec<_>, Vec<_>) = parts.partition(|part| part.starts_with("INBOX="));
    let has_folders = kind == "mbox" && !inbox.is_empty();
    (if has_folders { root.to_owned() } else { String::new() }, options.join(":"))
}

/// Sends a message with a client, if there is one, and a handle of the log file, if there is one.
fn send_with_log(line: &Socket, message: &[u8], client: Option<&OwnedFd>) -> io::Result<()> {
    let log = maillog::file_handle()?;
    let files: Vec<_> = client.map(AsFd::as_fd).into_iter().chain(log.as_ref().map(AsFd::as_fd)).collect();
    let sent = descriptors::send(line.as_fd(), message, &files)?;
    if sent == message.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// The connection to authd.
struct AuthLine;

impl Talk<Spawnd, TextLine> for AuthLine {
    fn message(&mut self, message: TextLine, spawnd: &mut Spawnd, line: &mut Line<'_, Spawnd>) -> Fate {
        match ServerLine::parse(&message.0) {
            Ok(answer) => {
                spawnd.authd_says(answer, line.events);
                Fate::Keep
            }
            Err(error) => {
                log::warn!("authd: {error}");
                Fate::Close
            }
        }
    }

    fn ended(&mut self, spawnd: &mut Spawnd, _events: &mut EventLoop<Spawnd>) {
        spawnd.residents.authd = None;
        let asked: Vec<u32> = spawnd.residents.asked.keys().copied().collect();
        asked.into_iter().for_each(|id| spawnd.turn_away(id, "authd has gone"));
    }
}

/// The line to one resident, in the loop.
struct ResidentLine(Rc<Socket>);

impl Handler<Spawnd> for ResidentLine {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.0.as_raw_fd())
    }

    fn waits_to_write(&self) -> bool {
        false
    }

    fn ready(
        &mut self,
        _: Readiness,
        spawnd: &mut Spawnd,
        events: &mut EventLoop<Spawnd>,
        me: HandlerId,
    ) -> Fate {
        let mut buffer = [0; PARKING_LIMIT_BYTES];
        loop {
            let (length, files) = match descriptors::receive(self.0.as_fd(), &mut buffer) {
                Ok(received) => (received.length, received.files),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Fate::Keep,
                Err(_) => (0, Vec::new()),
            };
            let words = Attributes::decode(&buffer[..length]).ok().flatten().map(|(words, _)| words);
            let Some(words) = words else {
                spawnd.resident_is_gone(me, events);
                return Fate::Close;
            };
            match (Report::from_attributes(&words), Hello::from_attributes(&words)) {
                (Ok(report), _) => spawnd.resident_says(report, me, events),
                (_, Ok(Hello::Refused { text, .. })) => log::warn!("{text}"),
                _ => {
                    if let Ok(parking) = Parking::from_attributes(&words) {
                        spawnd.park(parking, files, me, events);
                    }
                }
            }
        }
    }

    /// It does not report for work.
    fn elapsed(&mut self, spawnd: &mut Spawnd, events: &mut EventLoop<Spawnd>, me: HandlerId) -> Fate {
        log::warn!("a resident does not report for work");
        if let Some(resident) = spawnd.residents.residents.get_mut(&me) {
            // It may still take them.
            resident.on_the_way.clear();
        }
        spawnd.resident_is_gone(me, events);
        Fate::Close
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_location_names_folders_and_options() {
        let read = |mail: &str| folders_and_options(mail);
        assert_eq!(read("maildir:/var/mail/u"), (String::new(), String::new()));
        assert_eq!(read("maildir:/var/mail/u:LAYOUT=fs:UTF-8"), (String::new(), "LAYOUT=fs:UTF-8".into()));
        assert_eq!(read("mbox:/home/u/mail:INBOX=/var/mail/u"), ("/home/u/mail".into(), String::new()));
        assert_eq!(read("mbox:/var/mail/u"), (String::new(), String::new()));
    }
}
