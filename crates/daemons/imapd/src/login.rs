//! A client that has not logged in: answers what its machine asks.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imap_protocol::session::{Denial, LoggedIn, Login, LoginAnswer, LoginQuestion, LoginSettings};
use reactor::drive::{self, Connection};
use reactor::{EventLoop, HandlerId, Letter};
use services::login::{OffersKnown, Verdict};
use worker::login::{Departure, LoginClient, LoginServer};

use crate::service::Imap;

type Server = LoginServer<Imap>;

/// A client on its way in.
pub(crate) struct Session {
    machine: Login,
    client: LoginClient,
    secured: bool,
}

impl Session {
    pub(crate) fn new(settings: Arc<LoginSettings>, client: LoginClient) -> Self {
        Self { machine: Login::new(settings, false), client, secured: false }
    }

    fn shown(&self) -> String {
        let address = self.client.address();
        if address.is_empty() { "local".to_owned() } else { address }
    }

    fn begin(
        &mut self,
        mechanism: &str,
        response: Option<String>,
        server: &mut Server,
        events: &mut EventLoop<Server>,
        me: HandlerId,
    ) -> Option<LoginAnswer> {
        let opening = (mechanism.to_owned(), response, self.secured);
        let begun = self.client.begin(opening, server, events, me);
        (!begun).then_some(LoginAnswer::Denied(Denial::Unavailable))
    }

    fn verdict(&mut self, verdict: Verdict) -> LoginAnswer {
        self.client.heard(&verdict);
        match verdict {
            Verdict::Challenge(words) => LoginAnswer::Challenge(STANDARD.encode(words).into_bytes()),
            Verdict::Accepted { user, .. } => {
                log::info!("login: user={user}, client={}", self.shown());
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

impl drive::Session<Server> for Session {
    type Machine = Login;

    fn machine(&mut self) -> &mut Login {
        &mut self.machine
    }

    fn answer(
        &mut self,
        question: LoginQuestion,
        server: &mut Server,
        events: &mut EventLoop<Server>,
        me: HandlerId,
    ) -> Option<LoginAnswer> {
        match question {
            LoginQuestion::Login { user, password } => {
                let response = STANDARD.encode([b"\0", user.as_slice(), b"\0", &password].concat());
                self.begin("PLAIN", Some(response), server, events, me)
            }
            LoginQuestion::Begin { mechanism, initial } => {
                let response = initial.map(|initial| match initial.as_slice() {
                    b"=" => String::new(),
                    text => String::from_utf8_lossy(text).into_owned(),
                });
                self.begin(&mechanism, response, server, events, me)
            }
            LoginQuestion::Continue(text) => {
                let words = STANDARD.decode(text);
                let goes_on = words.is_ok_and(|words| self.client.respond(&words, server, events));
                (!goes_on).then_some(LoginAnswer::Denied(Denial::Credentials))
            }
            LoginQuestion::Cancel | LoginQuestion::Ended => {
                self.client.cancel(server, events);
                Some(LoginAnswer::Proceed)
            }
            LoginQuestion::Secured(_) => {
                self.secured = true;
                Some(LoginAnswer::Proceed)
            }
            LoginQuestion::Connected => offers(server, events, me),
        }
    }

    fn letter(
        &mut self,
        letter: Letter,
        server: &mut Server,
        events: &mut EventLoop<Server>,
        me: HandlerId,
    ) -> Option<LoginAnswer> {
        match letter.downcast::<Verdict>() {
            Ok(verdict) => Some(self.verdict(*verdict)),
            Err(letter) => letter.downcast::<OffersKnown>().ok().and_then(|_| offers(server, events, me)),
        }
    }

    fn begin_tls(&mut self, server: &mut Server) -> Option<(tls::Server, Duration)> {
        server.begin_tls()
    }

    fn hand_over(&mut self, connection: Connection, server: &mut Server, events: &mut EventLoop<Server>) {
        let LoggedIn { tag, rest } = self.machine.logged_in();
        let refusal = format!(
            "{tag} NO [UNAVAILABLE] The mailbox can not be reached now, try again later.\r\n* BYE Try again later.\r\n"
        );
        let words = vec![("tag", tag), ("client", self.shown())];
        self.client.hand_over(connection, Departure { words, early: rest, refusal }, server, events);
    }

    fn ended(&mut self, server: &mut Server, events: &mut EventLoop<Server>) {
        self.client.ended(server, events);
    }
}

/// The ways to log in that authd knows; where it can not be reached, those of the settings. None: it is asked.
fn offers(server: &mut Server, events: &mut EventLoop<Server>, me: HandlerId) -> Option<LoginAnswer> {
    let offers = server.offers(events, me)?;
    if offers.is_empty() {
        return Some(LoginAnswer::Proceed);
    }
    Some(LoginAnswer::Offers {
        mechanisms: offers.names(|mechanism| !mechanism.plaintext),
        plaintext_mechanisms: offers.names(|mechanism| mechanism.plaintext),
    })
}
