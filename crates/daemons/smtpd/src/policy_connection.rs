//! One connection to a policy server: lines of `name=value` there, a line `action=` back.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Instant;

use reactor::{EventLoop, Fate, Handler, HandlerId, Letter, Readiness};
use sys::sockets::Socket;

use crate::policy::{self, Inquiry};
use crate::service::Smtpd;

/// The longest answer that is read.
const ANSWER_LIMIT_BYTES: usize = 64 * 1024;
/// How much is read at a time.
const READ_BYTES: usize = 4096;

/// A connection, and what it is busy with.
pub(crate) struct Connection {
    server: usize,
    socket: Socket,
    /// Addresses to try when this one does not let us in.
    others: Vec<SocketAddr>,
    inquiry: Option<Inquiry>,
    output: Vec<u8>,
    input: Vec<u8>,
    connected: bool,
    since: Instant,
    requests: u64,
    /// Its name among the idle ones.
    idle: Option<HandlerId>,
}

/// Why a try has failed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The system says so.
    System(io::Error),
    /// The server closed the connection, or its answer has no action.
    NoAnswer,
}

impl Trouble {
    /// Is it what happens in the ordinary run of things, so that only the last try tells of it?
    pub(crate) fn is_common(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, NotFound};
        match self {
            Self::System(error) => matches!(error.kind(), BrokenPipe | ConnectionReset | NotFound),
            Self::NoAnswer => true,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => f.write_str(&sys::error_text::reason(error)),
            // Postfix's words, which people search for.
            Self::NoAnswer => f.write_str("Application error"),
        }
    }
}

/// How far an answer has come.
#[derive(Debug, PartialEq, Eq)]
enum Progress {
    Incomplete,
    Action(String),
    /// Complete, without an action.
    Nothing,
}

impl Connection {
    /// Takes a connection that is being made into the loop, with the first inquiry for it.
    pub(crate) fn start(
        server: usize,
        socket: io::Result<Socket>,
        others: Vec<SocketAddr>,
        inquiry: Inquiry,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
    ) {
        let socket = match socket {
            Ok(socket) => socket,
            Err(error) => return refused(server, error, others, inquiry, daemon, events),
        };
        let mut connection = Self {
            server,
            socket,
            others,
            inquiry: None,
            output: Vec::new(),
            input: Vec::new(),
            connected: false,
            since: events.now(),
            requests: 0,
            idle: None,
        };
        connection.take(inquiry);
        let deadline = events.now() + daemon.policies.options(server).timeout;
        match events.add(Box::new(connection)) {
            Ok(me) => {
                daemon.policies.opened(server);
                events.set_deadline(me, Some(deadline));
            }
            Err(error) => log::warn!("watch a policy server: {error}"),
        }
    }

    fn take(&mut self, inquiry: Inquiry) {
        self.output.extend_from_slice(inquiry.request().as_bytes());
        self.output.push(b'\n');
        self.inquiry = Some(inquiry);
    }

    fn fail(&mut self, trouble: Trouble, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) -> Fate {
        if let Some(inquiry) = self.inquiry.take() {
            policy::failed(self.server, inquiry, &trouble, daemon, events);
        }
        Fate::Close
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            match self.socket.write(&self.output) {
                Ok(count) => drop(self.output.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what has come; false at the end of the connection.
    fn receive(&mut self) -> io::Result<bool> {
        let mut buffer = [0; READ_BYTES];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(count) => self.input.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
            if self.input.len() > ANSWER_LIMIT_BYTES {
                return Ok(false);
            }
        }
    }

    fn converse(&mut self, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>, me: HandlerId) -> Fate {
        if let Err(error) = self.flush() {
            return self.fail(Trouble::System(error), daemon, events);
        }
        let open = match self.receive() {
            Ok(open) => open,
            Err(error) => return self.fail(Trouble::System(error), daemon, events),
        };
        match progress(&self.input) {
            // What a server says without being asked is not waited for.
            _ if self.inquiry.is_none() => {
                return if open && self.input.is_empty() { Fate::Keep } else { Fate::Close };
            }
            Progress::Incomplete if open => return Fate::Keep,
            Progress::Incomplete => return self.fail(Trouble::NoAnswer, daemon, events),
            Progress::Nothing => {
                log::warn!("missing attribute action in input from {}", daemon.policies.name(self.server));
                return self.fail(Trouble::NoAnswer, daemon, events);
            }
            Progress::Action(action) => {
                if let Some(inquiry) = self.inquiry.take() {
                    inquiry.answer(Some(action), events);
                }
            }
        }
        self.input = Vec::new();
        self.requests += 1;
        if open { self.rest(daemon, events, me) } else { Fate::Close }
    }

    /// Between two inquiries.
    fn rest(&mut self, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>, me: HandlerId) -> Fate {
        let options = daemon.policies.options(self.server);
        let end = self.since + options.max_ttl;
        let worn_out = options.request_limit > 0 && self.requests >= options.request_limit;
        if worn_out || events.now() >= end {
            return Fate::Close;
        }
        let (idle_until, answer_until) = (events.now() + options.max_idle, events.now() + options.timeout);
        if let Some(inquiry) = daemon.policies.next_or_idle(self.server, me) {
            self.take(inquiry);
            events.set_deadline(me, Some(answer_until));
            events.again(me);
        } else {
            self.idle = Some(me);
            events.set_deadline(me, Some(idle_until.min(end)));
        }
        Fate::Keep
    }
}

/// The connection could not be made.
fn refused(
    server: usize,
    error: io::Error,
    others: Vec<SocketAddr>,
    inquiry: Inquiry,
    daemon: &mut Smtpd,
    events: &mut EventLoop<Smtpd>,
) {
    if !others.is_empty() {
        return policy::connect_to(server, others, inquiry, daemon, events);
    }
    let trouble = Trouble::System(error);
    log::warn!("connect to {}: {trouble}", daemon.policies.name(server));
    policy::failed(server, inquiry, &trouble, daemon, events);
}

impl Handler<Smtpd> for Connection {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(
        &mut self,
        how: Readiness,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Fate {
        if !self.connected {
            if let Err(error) = self.socket.connection_result() {
                if let Some(inquiry) = self.inquiry.take() {
                    refused(self.server, error, std::mem::take(&mut self.others), inquiry, daemon, events);
                }
                return Fate::Close;
            }
            self.connected = how.writable;
        }
        if self.connected { self.converse(daemon, events, me) } else { Fate::Keep }
    }

    fn elapsed(&mut self, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>, _: HandlerId) -> Fate {
        self.fail(Trouble::System(sys::error_text::timed_out()), daemon, events)
    }

    /// The next inquiry, for a connection that was idle.
    fn letter(
        &mut self,
        letter: Letter,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Fate {
        if let Ok(inquiry) = letter.downcast::<Inquiry>() {
            self.idle = None;
            self.take(*inquiry);
            let deadline = events.now() + daemon.policies.options(self.server).timeout;
            events.set_deadline(me, Some(deadline));
            if let Err(error) = self.flush() {
                return self.fail(Trouble::System(error), daemon, events);
            }
        }
        Fate::Keep
    }

    fn ended(&mut self, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
        if let Some(inquiry) = self.inquiry.take() {
            inquiry.answer(None, events);
        }
        if let Some(me) = self.idle {
            daemon.policies.no_longer_idle(self.server, me);
        }
        policy::closed(self.server, daemon, events);
    }
}

/// The first action of an answer, which an empty line ends.
fn progress(input: &[u8]) -> Progress {
    let text = String::from_utf8_lossy(input);
    let mut action = None;
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else { break };
        let line = line.strip_suffix('\r').unwrap_or(line);
        match line.split_once('=') {
            _ if line.is_empty() => return action.map_or(Progress::Nothing, Progress::Action),
            Some(("action", value)) if action.is_none() => action = Some(value.to_owned()),
            _ => {}
        }
    }
    Progress::Incomplete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_with_an_empty_line_and_has_an_action() {
        assert_eq!(progress(b"action=DUNNO\n"), Progress::Incomplete);
        assert_eq!(progress(b"action=DUNNO\n\n"), Progress::Action("DUNNO".to_owned()));
        assert_eq!(progress(b"x=y\naction=450 a=b\naction=OK\n\n"), Progress::Action("450 a=b".to_owned()));
        assert_eq!(progress(b"garbage\n\n"), Progress::Nothing);
        assert_eq!(progress(b"action=REJECT"), Progress::Incomplete);
    }
}
