//! One program that asks: its lines in, our lines out, some of them later.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use dovecot_auth::{ClientLine, Failure, MAJOR_VERSION, Mechanism, Request, ServerLine};
use reactor::channel::{Line, Talk, TextLine};
use reactor::{EventLoop, Fate, Letter};

use crate::attempt::Outcome;
use crate::exchange::Exchange;
use crate::service::Authd;

/// Exchanges that one connection may have at a time.
const EXCHANGES_LIMIT: usize = 10_000;

/// A program's connection.
#[derive(Default)]
pub(crate) struct Connection {
    /// Exchanges that wait for the client.
    pub(crate) exchanges: HashMap<u32, Exchange>,
    /// What is done later; the number tells apart what comes at the same time.
    later: BTreeMap<(Instant, u64), Later>,
    next_later: u64,
    /// Exchanges that were given up while something went on for them.
    cancelled: Vec<u32>,
    under_way: usize,
}

/// What waits for its time.
pub(crate) enum Later {
    /// Begin with this.
    Begin(Box<Request>),
    /// Say this.
    Say(ServerLine),
}

impl Connection {
    /// What is said first, as bytes.
    pub(crate) fn greeting(authd: &Authd) -> Vec<u8> {
        let mut lines = vec![ServerLine::Version { major: MAJOR_VERSION }];
        if !authd.is_user_database {
            lines.extend(authd.settings.mechanisms.iter().map(|mechanism| {
                let worth = mechanism.properties();
                ServerLine::Mechanism(Mechanism {
                    name: mechanism.name().to_owned(),
                    plaintext: worth.plaintext,
                    dictionary: worth.dictionary,
                    active: worth.active,
                    mutual: worth.mutual,
                    private: worth.private,
                })
            }));
        }
        lines.push(ServerLine::ProcessId(std::process::id()));
        if !authd.is_user_database {
            lines.push(ServerLine::ConnectionId(u32::try_from(authd.clients.come() + 1).unwrap_or(1)));
            lines.push(ServerLine::Cookie(authd.random_hex(16).unwrap_or_default()));
            lines.push(ServerLine::Done);
        }
        lines.iter().flat_map(ServerLine::to_bytes).collect()
    }

    /// Does `later` when `delay` is over.
    pub(crate) fn postpone(&mut self, delay: Duration, later: Later, line: &mut Line<'_, Authd>) {
        let number = self.next_later;
        self.next_later += 1;
        self.later.insert((line.events.now() + delay, number), later);
        self.set_deadline(line);
    }

    fn set_deadline(&self, line: &mut Line<'_, Authd>) {
        let next = self.later.keys().next().map(|(time, _)| *time);
        line.events.set_deadline(line.me, next);
    }

    fn obey(&mut self, word: ClientLine, authd: &mut Authd, line: &mut Line<'_, Authd>) -> Fate {
        match word {
            ClientLine::Version { major } if major != MAJOR_VERSION => {
                log::warn!("a client speaks version {major} of the protocol, we speak {MAJOR_VERSION}");
                return Fate::Close;
            }
            ClientLine::Begin(request) if self.is_taken(request.id) => {
                log::warn!("a client has used the id {} twice", request.id);
                return Fate::Close;
            }
            ClientLine::Begin(request) => self.take_request(request, authd, line),
            ClientLine::Continue { id, response } => self.go_on(id, &response, authd, line),
            ClientLine::Cancel { id } => self.cancel(id),
            ClientLine::User { id, name } => self.look_up(id, name, authd, line),
            ClientLine::Redeem { id, ticket } => {
                let user = authd.tickets.redeem(&ticket, line.events.now());
                match user {
                    Some(user) => self.look_up(id, user, authd, line),
                    None => line.send_bytes(&ServerLine::NotFound { id }.to_bytes()),
                }
            }
            ClientLine::Version { .. } | ClientLine::ProcessId(_) | ClientLine::Unknown(_) => {}
        }
        Fate::Keep
    }

    fn is_taken(&self, id: u32) -> bool {
        self.exchanges.contains_key(&id)
    }

    fn take_request(&mut self, request: Request, authd: &mut Authd, line: &mut Line<'_, Authd>) {
        if self.exchanges.len() + self.later.len() + self.under_way >= EXCHANGES_LIMIT {
            let failure = Failure { id: request.id, temporary: true, ..Failure::default() };
            return line.send_bytes(&ServerLine::Failure(failure).to_bytes());
        }
        let delay = authd.penalties.delay(&request.remote, line.events.now());
        if delay.is_zero() {
            return self.begin(request, authd, line);
        }
        self.postpone(delay, Later::Begin(Box::new(request)), line);
    }

    /// An exchange is given up; what goes on for it comes to nothing.
    fn cancel(&mut self, id: u32) {
        let waits = self.exchanges.remove(&id).is_some();
        let before = self.later.len();
        self.later.retain(|_, later| !matches!(later, Later::Begin(request) if request.id == id));
        if !waits && before == self.later.len() && self.cancelled.len() < EXCHANGES_LIMIT {
            self.cancelled.push(id);
        }
    }

    /// Something went on for `id` and is over; false when nobody wants to know any more.
    pub(crate) fn came_back(&mut self, id: u32) -> bool {
        self.under_way -= 1;
        let place = self.cancelled.iter().position(|cancelled| *cancelled == id);
        place.map(|place| self.cancelled.swap_remove(place)).is_none()
    }

    /// The last process of its kind closes what nothing goes on in.
    fn fate(&self, authd: &Authd) -> Fate {
        let is_idle = self.under_way == 0 && self.later.is_empty() && self.exchanges.is_empty();
        if authd.is_leaving && is_idle { Fate::Close } else { Fate::Keep }
    }

    /// Something goes on; [`Connection::came_back`] ends it.
    pub(crate) fn goes_out(&mut self) {
        self.under_way += 1;
    }
}

impl Talk<Authd, TextLine> for Connection {
    fn message(&mut self, message: TextLine, authd: &mut Authd, line: &mut Line<'_, Authd>) -> Fate {
        match ClientLine::parse(&message.0) {
            Ok(word) => self.obey(word, authd, line),
            Err(error) => {
                log::warn!("{error}");
                Fate::Close
            }
        }
    }

    fn letter(&mut self, letter: Letter, authd: &mut Authd, line: &mut Line<'_, Authd>) -> Fate {
        let letter = match letter.downcast::<Vec<u8>>() {
            Ok(greeting) => {
                line.send_bytes(&greeting);
                return Fate::Keep;
            }
            Err(letter) => letter,
        };
        match letter.downcast::<(Exchange, Outcome)>() {
            Ok(pair) => self.judge(pair.0, pair.1, authd, line),
            Err(letter) => {
                if let Ok(answer) = letter.downcast::<ServerLine>() {
                    self.under_way -= 1;
                    line.send_bytes(&answer.to_bytes());
                }
            }
        }
        self.fate(authd)
    }

    fn elapsed(&mut self, authd: &mut Authd, line: &mut Line<'_, Authd>) -> Fate {
        let now = line.events.now();
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                Later::Begin(request) => self.begin(*request, authd, line),
                Later::Say(words) => line.send_bytes(&words.to_bytes()),
            }
        }
        self.set_deadline(line);
        self.fate(authd)
    }

    /// Whoever holds a connection asks the next process then; logins under way are finished first.
    fn stopping(&mut self, authd: &mut Authd, _line: &mut Line<'_, Authd>) -> Fate {
        authd.is_leaving = true;
        self.fate(authd)
    }

    fn ended(&mut self, authd: &mut Authd, _events: &mut EventLoop<Authd>) {
        authd.clients.gone();
    }
}
