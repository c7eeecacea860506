//! One client that has not logged in: answers what its machine asks, and passes it on.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use dovecot_auth::Request;
use pop3_protocol::{Login, LoginAnswer, LoginQuestion};
use reactor::drive::{Connection, Session};
use reactor::{EventLoop, HandlerId, Letter, relay};
use services::login::{OffersKnown, Verdict};
use services::residents::{Program, SessionRequest, refuse};
use sys::sockets::Peer;

use crate::login_server::LoginServer;

/// What a client is told whose mailbox can not be reached.
const NO_MAILBOX: &str = "-ERR [SYS/TEMP] The mailbox is not available, try again later.\r\n";

/// A client and what is known of it.
pub(crate) struct LoginSession {
    machine: Login,
    remote: String,
    local: String,
    is_local: bool,
    /// The exchange with authd that goes on.
    exchange: Option<u32>,
    timestamp: Option<String>,
    /// What opens the mailbox.
    ticket: String,
}

impl LoginSession {
    pub(crate) fn new(server: &LoginServer, peer: &Peer, local_end: Option<SocketAddr>) -> Self {
        let remote = match peer {
            Peer::Inet(address) => Some(address.ip().to_canonical()),
            Peer::Local => None,
        };
        let local = local_end.map(|address| address.ip().to_canonical());
        let is_local = remote.is_none_or(|remote| remote.is_loopback() || Some(remote) == local);
        Self {
            machine: Login::new(Arc::clone(&server.dialogue), is_local),
            remote: remote.map_or_else(String::new, |address| address.to_string()),
            local: local.map_or_else(String::new, |address| address.to_string()),
            is_local,
            exchange: None,
            timestamp: None,
            ticket: String::new(),
        }
    }

    fn offers(
        &mut self,
        server: &mut LoginServer,
        events: &mut EventLoop<LoginServer>,
        me: HandlerId,
    ) -> Option<LoginAnswer> {
        let offers = server.logins.offers(me, events)?;
        let names = |plaintext_only: bool| {
            let public = offers.iter().filter(|mechanism| !mechanism.private);
            // There are no client certificates that say who somebody is.
            let usable = public.filter(|mechanism| mechanism.name != "EXTERNAL");
            let wanted = usable.filter(|mechanism| mechanism.plaintext || !plaintext_only);
            wanted.map(|mechanism| mechanism.name.clone()).collect()
        };
        let (mechanisms, plaintext) = (names(false), names(true));
        let has_apop = offers.iter().any(|mechanism| mechanism.name == "APOP");
        server.greeted += 1;
        self.timestamp = has_apop.then(|| {
            let (pid, now) = (std::process::id(), sys::clock::now_us());
            format!("<{pid:x}.{:x}.{now:x}@{}>", server.greeted, server.host_name)
        });
        Some(LoginAnswer::Offers { mechanisms, plaintext, timestamp: self.timestamp.clone() })
    }

    fn begin(
        &mut self,
        (mechanism, response, secured): (String, Option<Vec<u8>>, bool),
        server: &mut LoginServer,
        events: &mut EventLoop<LoginServer>,
        me: HandlerId,
    ) -> Option<LoginAnswer> {
        let request = Request {
            mechanism,
            service: "pop3".to_owned(),
            remote: self.remote.clone(),
            local: self.local.clone(),
            secured: secured || self.is_local,
            wants_ticket: true,
            response: response.map(|bytes| services::login::encode(&bytes)),
            ..Request::default()
        };
        match server.logins.begin(request, me, events) {
            Ok(id) => {
                self.exchange = Some(id);
                None
            }
            Err(error) => {
                log::warn!("ask authd: {error}");
                Some(LoginAnswer::Unavailable)
            }
        }
    }

    fn judged(&mut self, verdict: Verdict) -> LoginAnswer {
        if !matches!(verdict, Verdict::Challenge(_)) {
            self.exchange = None;
        }
        match verdict {
            Verdict::Challenge(words) => LoginAnswer::Challenge(words),
            Verdict::Accepted { ticket, .. } => {
                self.ticket = ticket;
                LoginAnswer::Accepted
            }
            Verdict::Refused => LoginAnswer::Refused,
            Verdict::Unavailable => LoginAnswer::Unavailable,
        }
    }
}

impl Session<LoginServer> for LoginSession {
    type Machine = Login;

    fn machine(&mut self) -> &mut Login {
        &mut self.machine
    }

    fn answer(
        &mut self,
        question: LoginQuestion,
        server: &mut LoginServer,
        events: &mut EventLoop<LoginServer>,
        me: HandlerId,
    ) -> Option<LoginAnswer> {
        match question {
            LoginQuestion::Offers => self.offers(server, events, me),
            LoginQuestion::Begin { mechanism, response, secured } => {
                self.begin((mechanism, response, secured), server, events, me)
            }
            LoginQuestion::Respond(response) => {
                let Some(id) = self.exchange else { return Some(LoginAnswer::Unavailable) };
                server.logins.respond(id, &response, events);
                None
            }
            LoginQuestion::Cancel => {
                if let Some(id) = self.exchange.take() {
                    server.logins.cancel(id, events);
                }
                Some(LoginAnswer::Noted)
            }
        }
    }

    fn letter(
        &mut self,
        letter: Letter,
        server: &mut LoginServer,
        events: &mut EventLoop<LoginServer>,
        me: HandlerId,
    ) -> Option<LoginAnswer> {
        match letter.downcast::<Verdict>() {
            Ok(verdict) => Some(self.judged(*verdict)),
            Err(letter) => {
                letter.downcast::<OffersKnown>().ok().and_then(|_| self.offers(server, events, me))
            }
        }
    }

    fn begin_tls(&mut self, server: &mut LoginServer) -> Option<(tls::Server, Duration)> {
        Some((server.tls.as_ref()?.begin()?, server.handshake_limit))
    }

    /// The client goes to its mailbox; what is secured by TLS stays here, and its bytes go there.
    fn hand_over(
        &mut self,
        connection: Connection,
        server: &mut LoginServer,
        events: &mut EventLoop<LoginServer>,
    ) {
        let request = SessionRequest {
            program: Program::Pop3d,
            ticket: std::mem::take(&mut self.ticket),
            words: server.words.clone().with("rip", &self.remote),
            early: self.machine.take_early(),
            refusal: NO_MAILBOX.to_owned(),
        };
        let handed = match connection.into_socket() {
            Ok(client) => {
                let handed = server.residents.hand_over(&request, client.as_fd());
                if handed.is_err() {
                    refuse(&client, NO_MAILBOX);
                }
                handed
            }
            Err(secured) => server.residents.hand_over_pair(&request).and_then(|inner| {
                relay::start(secured, inner, |server: &mut LoginServer| server.relays -= 1, events)?;
                server.relays += 1;
                Ok(())
            }),
        };
        if let Err(error) = handed {
            log::warn!("pass a client on to spawnd: {error}");
        }
    }

    fn ended(&mut self, server: &mut LoginServer, events: &mut EventLoop<LoginServer>) {
        if let Some(id) = self.exchange.take() {
            server.logins.cancel(id, events);
        }
        server.clients.gone();
    }
}
