//! What a program with a client asks of authd(8): may it log in?
//!
//! [`Logins`] holds the connection; each exchange belongs to a handler of the program's loop, which gets a [`Verdict`]
//! as a letter.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dovecot_auth::{ClientLine, MAJOR_VERSION, Mechanism, Request, ServerLine};
use reactor::channel::{Channel, Line, Send, Talk, TextLine};
use reactor::{EventLoop, Fate, HandlerId};

/// What authd says to a client's word; a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The client has to answer this; then [`Logins::respond`].
    Challenge(Vec<u8>),
    /// It is who it says.
    Accepted {
        /// The whole name.
        user: String,
        /// For [`crate::residents::SessionRequest`], if one was wanted.
        ticket: String,
        /// Last words for the client (SCRAM), where it wants them with the success.
        last_words: Option<Vec<u8>>,
    },
    /// It is not, or authd does not say why.
    Refused,
    /// Nobody can tell now.
    Unavailable,
}

/// What authd offers is known now, or it can not be reached: ask [`Logins::offers`] again. A letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffersKnown;

/// A program that has clients who log in.
pub trait HasLogins: Sized + 'static {
    /// Its side of authd.
    fn logins(&mut self) -> &mut Logins;
}

/// The connection to authd, and who waits for what.
#[derive(Debug)]
pub struct Logins {
    path: PathBuf,
    line: Option<HandlerId>,
    waiting: HashMap<u32, HandlerId>,
    last_id: u32,
    mechanisms: Vec<Mechanism>,
    /// Who wants to know them.
    curious: Vec<HandlerId>,
}

impl Logins {
    /// Not connected yet; `path` is authd's socket.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            line: None,
            waiting: HashMap::new(),
            last_id: 0,
            mechanisms: Vec::new(),
            curious: Vec::new(),
        }
    }

    /// What authd offers, those that are private among it; nothing when it can not be reached. None when it has not
    /// said yet: then the handler `client` gets [`OffersKnown`].
    pub fn offers<D: HasLogins>(
        &mut self,
        client: HandlerId,
        events: &mut EventLoop<D>,
    ) -> Option<&[Mechanism]> {
        if self.mechanisms.is_empty() {
            match self.connect(events) {
                Ok(_) => {
                    self.curious.push(client);
                    return None;
                }
                Err(error) => log::warn!("connect to {}: {error}", self.path.display()),
            }
        }
        Some(&self.mechanisms)
    }

    /// Connects, if need be.
    fn connect<D: HasLogins>(&mut self, events: &mut EventLoop<D>) -> io::Result<HandlerId> {
        if let Some(line) = self.line {
            return Ok(line);
        }
        let socket = sys::sockets::connect_unix(&self.path)?;
        let greeting =
            [ClientLine::Version { major: MAJOR_VERSION }, ClientLine::ProcessId(std::process::id())];
        let bytes: Vec<u8> = greeting.iter().flat_map(ClientLine::to_bytes).collect();
        socket.write(&bytes)?;
        let line = Channel::start(socket, AuthLine { mechanisms: Vec::new() }, events)?;
        self.line = Some(line);
        Ok(line)
    }

    /// Begins an exchange for the handler `client`, and names it. `request.id` is filled in here.
    ///
    /// # Errors
    /// When authd can not be reached.
    pub fn begin<D: HasLogins>(
        &mut self,
        request: Request,
        client: HandlerId,
        events: &mut EventLoop<D>,
    ) -> io::Result<u32> {
        let line = self.connect(events)?;
        self.last_id = self.last_id.wrapping_add(1).max(1);
        let id = self.last_id;
        self.waiting.insert(id, client);
        say(line, ClientLine::Begin(Request { id, ..request }), events);
        Ok(id)
    }

    /// The client's answer to a challenge; without a connection to authd the exchange is over already.
    pub fn respond<D: HasLogins>(&mut self, id: u32, response: &[u8], events: &mut EventLoop<D>) {
        if let Some(line) = self.line {
            say(line, ClientLine::Continue { id, response: STANDARD.encode(response) }, events);
        }
    }

    /// The client has gone, or given up.
    pub fn cancel<D: HasLogins>(&mut self, id: u32, events: &mut EventLoop<D>) {
        if self.waiting.remove(&id).is_some()
            && let Some(line) = self.line
        {
            say(line, ClientLine::Cancel { id }, events);
        }
    }
}

/// The Base64 of a client's initial response, as [`Request`] wants it.
pub fn encode(response: &[u8]) -> String {
    STANDARD.encode(response)
}

fn say<D: 'static>(line: HandlerId, words: ClientLine, events: &mut EventLoop<D>) {
    let text = String::from_utf8_lossy(&words.to_bytes()).trim_end_matches('\n').to_owned();
    events.post_box().send(line, Box::new(Send(TextLine(text))));
}

/// The connection, in the loop.
struct AuthLine {
    /// As they are announced.
    mechanisms: Vec<Mechanism>,
}

impl<D: HasLogins> Talk<D, TextLine> for AuthLine {
    fn message(&mut self, message: TextLine, daemon: &mut D, line: &mut Line<'_, D>) -> Fate {
        match ServerLine::parse(&message.0) {
            Ok(ServerLine::Version { major }) if major != MAJOR_VERSION => {
                log::warn!("authd speaks version {major} of the protocol, we speak {MAJOR_VERSION}");
                return Fate::Close;
            }
            Ok(ServerLine::Mechanism(mechanism)) => self.mechanisms.push(mechanism),
            Ok(ServerLine::Done) => {
                daemon.logins().mechanisms = std::mem::take(&mut self.mechanisms);
                tell_curious(daemon, line.events);
            }
            Ok(answer) => {
                if let Some((id, verdict)) = verdict(answer) {
                    tell(id, verdict, daemon, line.events);
                }
            }
            Err(error) => {
                log::warn!("authd: {error}");
                return Fate::Close;
            }
        }
        Fate::Keep
    }

    fn ended(&mut self, daemon: &mut D, events: &mut EventLoop<D>) {
        daemon.logins().line = None;
        tell_curious(daemon, events);
        let waiting = std::mem::take(&mut daemon.logins().waiting);
        let post_box = events.post_box();
        waiting.values().for_each(|client| post_box.send(*client, Box::new(Verdict::Unavailable)));
    }
}

fn tell_curious<D: HasLogins>(daemon: &mut D, events: &mut EventLoop<D>) {
    let post_box = events.post_box();
    daemon.logins().curious.drain(..).for_each(|client| post_box.send(client, Box::new(OffersKnown)));
}

fn tell<D: HasLogins>(id: u32, verdict: Verdict, daemon: &mut D, events: &mut EventLoop<D>) {
    let waiting = &mut daemon.logins().waiting;
    let client = match verdict {
        Verdict::Challenge(_) => waiting.get(&id).copied(),
        _ => waiting.remove(&id),
    };
    if let Some(client) = client {
        events.post_box().send(client, Box::new(verdict));
    }
}

fn verdict(answer: ServerLine) -> Option<(u32, Verdict)> {
    match answer {
        ServerLine::Challenge { id, challenge } => {
            let words = STANDARD.decode(challenge);
            Some((id, words.map_or(Verdict::Unavailable, Verdict::Challenge)))
        }
        ServerLine::Success(success) => {
            let last_words = success.response.and_then(|words| STANDARD.decode(words).ok());
            let ticket = success.ticket.unwrap_or_default();
            Some((success.id, Verdict::Accepted { user: success.user, ticket, last_words }))
        }
        ServerLine::Failure(failure) if failure.temporary => Some((failure.id, Verdict::Unavailable)),
        ServerLine::Failure(failure) => Some((failure.id, Verdict::Refused)),
        _ => None,
    }
}
