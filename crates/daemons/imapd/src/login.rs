//! A client that has not logged in: answers what its machine asks.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dovecot_auth::Request;
use imap_protocol::session::{Denial, LoggedIn, Login, LoginAnswer, LoginQuestion, LoginSettings};
use reactor::drive::{self, Connection};
use reactor::{EventLoop, HandlerId, Letter, relay};
use services::login::{OffersKnown, Verdict};
use services::residents::{Program, SessionRequest};

use crate::service::Imapd;

/// A client on its way in.
pub(crate) struct Session {
    machine: Login,
    remote: Option<SocketAddr>,
    local: Option<SocketAddr>,
    secured: bool,
    /// The exchange with authd that is going on.
    exchange: Option<u32>,
    /// Who has logged in, and the ticket to the mailbox.
    accepted: Option<(String, String)>,
}

impl Session {
    pub(crate) fn new(
        settings: Arc<LoginSettings>,
        remote: Option<SocketAddr>,
        local: Option<SocketAddr>,
    ) -> Self {
        let machine = Login::new(settings, false);
        Self { machine, remote, local, secured: false, exchange: None, accepted: None }
    }

    fn shown(&self) -> String {
        self.remote.map_or_else(|| "local".to_owned(), |remote| remote.ip().to_string())
    }

    fn begin(
        &mut self,
        mechanism: &str,
        response: Option<String>,
        daemon: &mut Imapd,
        events: &mut EventLoop<Imapd>,
        me: HandlerId,
    ) -> Option<LoginAnswer> {
        let address = |end: Option<SocketAddr>| end.map(|end| end.ip().to_string()).unwrap_or_default();
        let near = self.remote.is_none_or(|remote| remote.ip().is_loopback());
        let request = Request {
            id: 0,
            mechanism: mechanism.to_owned(),
            service: "imap".to_owned(),
            remote: address(self.remote),
            local: address(self.local),
            secured: self.secured || near,
            no_login: false,
            final_response_ok: false,
            wants_ticket: true,
            certificate_name: None,
            response,
        };
        match daemon.logins.begin(request, me, events) {
            Ok(id) => {
                self.exchange = Some(id);
                None
            }
            Err(error) => {
                log::warn!("connect to authd: {error}");
                Some(LoginAnswer::Denied(Denial::Unavailable))
            }
        }
    }

    fn verdict(&mut self, verdict: Verdict) -> LoginAnswer {
        if !matches!(verdict, Verdict::Challenge(_)) {
            self.exchange = None;
        }
        match verdict {
            Verdict::Challenge(words) => LoginAnswer::Challenge(STANDARD.encode(words).into_bytes()),
            Verdict::Accepted { user, ticket, .. } => {
                log::info!("login: user={user}, client={}", self.shown());
                self.accepted = Some((user, ticket));
                LoginAnswer::Accepted
            }
            Verdict::Refused => {
                log::info!("login failed: client={}", self.shown());
                LoginAnswer::Denied(Denial::Credentials)
            }
            Verdict::Unavailable => LoginAnswer::Denied(Denial::Unavailable),
        }
    }
}

impl drive::Session<Imapd> for Session {
    type Machine = Login;

    fn machine(&mut self) -> &mut Login {
        &mut self.machine
    }

    fn answer(
        &mut self,
        question: LoginQuestion,
        daemon: &mut Imapd,
        events: &mut EventLoop<Imapd>,
        me: HandlerId,
    ) -> Option<LoginAnswer> {
        match question {
            LoginQuestion::Login { user, password } => {
                let response = STANDARD.encode([b"\0", user.as_slice(), b"\0", &password].concat());
                self.begin("PLAIN", Some(response), daemon, events, me)
            }
            LoginQuestion::Begin { mechanism, initial } => {
                let response = initial.map(|initial| match initial.as_slice() {
                    b"=" => String::new(),
                    text => String::from_utf8_lossy(text).into_owned(),
                });
                self.begin(&mechanism, response, daemon, events, me)
            }
            LoginQuestion::Continue(text) => {
                let (Some(id), Ok(words)) = (self.exchange, STANDARD.decode(text)) else {
                    return Some(LoginAnswer::Denied(Denial::Credentials));
                };
                daemon.logins.respond(id, &words, events);
                None
            }
            LoginQuestion::Cancel | LoginQuestion::Ended => {
                if let Some(id) = self.exchange.take() {
                    daemon.logins.cancel(id, events);
                }
                Some(LoginAnswer::Proceed)
            }
            LoginQuestion::Secured(_) => {
                self.secured = true;
                Some(LoginAnswer::Proceed)
            }
            LoginQuestion::Connected => offers(daemon, events, me),
        }
    }

    fn letter(
        &mut self,
        letter: Letter,
        daemon: &mut Imapd,
        events: &mut EventLoop<Imapd>,
        me: HandlerId,
    ) -> Option<LoginAnswer> {
        match letter.downcast::<Verdict>() {
            Ok(verdict) => Some(self.verdict(*verdict)),
            Err(letter) => letter.downcast::<OffersKnown>().ok().and_then(|_| offers(daemon, events, me)),
        }
    }

    fn begin_tls(&mut self, daemon: &mut Imapd) -> Option<(tls::Server, Duration)> {
        Some((daemon.tls.as_ref()?.begin()?, daemon.handshake_limit))
    }

    fn hand_over(&mut self, connection: Connection, daemon: &mut Imapd, events: &mut EventLoop<Imapd>) {
        let LoggedIn { tag, rest } = self.machine.logged_in();
        let Some((user, ticket)) = self.accepted.take() else { return };
        let request = SessionRequest {
            program: Program::Imapd,
            ticket,
            words: daemon.words.clone().with("tag", &tag).with("client", self.shown()),
            early: rest,
            refusal: format!(
                "{tag} NO [UNAVAILABLE] The mailbox can not be reached now, try again later.\r\n* BYE Try again later.\r\n"
            ),
        };
        let sent = match connection.into_socket() {
            Ok(socket) => daemon.residents.hand_over(&request, socket.as_fd()),
            Err(secured) => daemon.residents.hand_over_pair(&request).and_then(|inner| {
                relay::start(secured, inner, |daemon: &mut Imapd| daemon.relays -= 1, events)?;
                daemon.relays += 1;
                Ok(())
            }),
        };
        if let Err(error) = sent {
            log::warn!("hand over {user}: {error}");
        }
    }

    fn ended(&mut self, daemon: &mut Imapd, events: &mut EventLoop<Imapd>) {
        if let Some(id) = self.exchange.take() {
            daemon.logins.cancel(id, events);
        }
        daemon.clients.gone();
    }
}

/// The ways to log in that authd knows; where it can not be reached, those of the settings. None: it is asked.
fn offers(daemon: &mut Imapd, events: &mut EventLoop<Imapd>, me: HandlerId) -> Option<LoginAnswer> {
    let offered = daemon.logins.offers(me, events)?;
    if offered.is_empty() {
        return Some(LoginAnswer::Proceed);
    }
    let names = |plaintext: bool| {
        let public = offered.iter().filter(|mechanism| !mechanism.private);
        // There are no client certificates that say who somebody is.
        let usable = public.filter(|mechanism| mechanism.name != "EXTERNAL");
        let wanted = usable.filter(|mechanism| mechanism.plaintext == plaintext);
        wanted.map(|mechanism| mechanism.name.clone()).collect()
    };
    Some(LoginAnswer::Offers { mechanisms: names(false), plaintext_mechanisms: names(true) })
}
