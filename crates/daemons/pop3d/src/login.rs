//! One client that has not logged in: answers what its machine asks, and passes it on.

use std::sync::Arc;
use std::time::Duration;

use attributes::Attributes;
use parameters::{Config, Param};
use pop3_protocol::{Login, LoginAnswer, LoginQuestion, LoginSettings};
use reactor::drive::{Connection, Session};
use reactor::{EventLoop, HandlerId, Letter};
use services::login::{OffersKnown, Verdict};
use services::residents::Program;
use worker::login::{Departure, LoginClient, LoginProtocol, LoginServer, TlsLevel};

use crate::settings::{self, SessionSettings};

/// What a client is told whose mailbox can not be reached.
const NO_MAILBOX: &str = "-ERR [SYS/TEMP] The mailbox is not available, try again later.\r\n";

/// What the login server knows of POP3.
pub(crate) struct Pop3 {
    dialogue: Arc<LoginSettings>,
    host_name: String,
    /// Makes time stamps different.
    greeted: u64,
}

impl LoginProtocol for Pop3 {
    const PROGRAM: Program = Program::Pop3d;
    const SERVICE: &'static str = "pop3";
    type Session = LoginSession;

    fn tls_parameters() -> (&'static Param<String>, &'static Param<bool>) {
        (&parameters::POP3D_TLS_SECURITY_LEVEL, &parameters::POP3D_TLS_WRAPPERMODE)
    }

    fn open(config: &Config, level: TlsLevel, offers_tls: bool) -> Self {
        Self {
            dialogue: Arc::new(settings::login_settings(config, level, offers_tls)),
            host_name: config.get(&parameters::MYHOSTNAME),
            greeted: 0,
        }
    }

    fn words(config: &Config) -> Attributes {
        SessionSettings::new(config).to_words()
    }

    fn session(&mut self, client: LoginClient) -> LoginSession {
        LoginSession { machine: Login::new(Arc::clone(&self.dialogue), client.is_near()), client }
    }
}

impl Pop3 {
    /// RFC 1939 §7: what APOP's digest is made from, another for each client.
    fn timestamp(&mut self) -> String {
        self.greeted += 1;
        let (pid, now) = (std::process::id(), sys::clock::now_us());
        format!("<{pid:x}.{:x}.{now:x}@{}>", self.greeted, self.host_name)
    }
}

type Server = LoginServer<Pop3>;

/// A client and what is known of it.
pub(crate) struct LoginSession {
    machine: Login,
    client: LoginClient,
}

fn offers(server: &mut Server, events: &mut EventLoop<Server>, me: HandlerId) -> Option<LoginAnswer> {
    let offers = server.offers(events, me)?;
    Some(LoginAnswer::Offers {
        mechanisms: offers.names(|_| true),
        plaintext: offers.names(|mechanism| mechanism.plaintext),
        timestamp: offers.has("APOP").then(|| server.protocol.timestamp()),
    })
}

impl Session<Server> for LoginSession {
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
            LoginQuestion::Offers => offers(server, events, me),
            LoginQuestion::Begin { mechanism, response, secured } => {
                let response = response.map(|bytes| services::login::encode(&bytes));
                let begun = self.client.begin((mechanism, response, secured), server, events, me);
                (!begun).then_some(LoginAnswer::Unavailable)
            }
            LoginQuestion::Respond(response) => {
                (!self.client.respond(&response, server, events)).then_some(LoginAnswer::Unavailable)
            }
            LoginQuestion::Cancel => {
                self.client.cancel(server, events);
                Some(LoginAnswer::Noted)
            }
        }
    }

    fn letter(
        &mut self,
        letter: Letter,
        server: &mut Server,
        events: &mut EventLoop<Server>,
        me: HandlerId,
    ) -> Option<LoginAnswer> {
        let verdict = match letter.downcast::<Verdict>() {
            Ok(verdict) => *verdict,
            Err(letter) => {
                return letter.downcast::<OffersKnown>().ok().and_then(|_| offers(server, events, me));
            }
        };
        self.client.heard(&verdict);
        Some(match verdict {
            Verdict::Challenge(words) => LoginAnswer::Challenge(words),
            Verdict::Accepted { .. } => LoginAnswer::Accepted,
            Verdict::Refused => LoginAnswer::Refused,
            Verdict::Unavailable => LoginAnswer::Unavailable,
        })
    }

    fn begin_tls(&mut self, server: &mut Server) -> Option<(tls::Server, Duration)> {
        server.begin_tls()
    }

    fn hand_over(&mut self, connection: Connection, server: &mut Server, events: &mut EventLoop<Server>) {
        let departure = Departure {
            words: vec![("rip", self.client.address())],
            early: self.machine.take_early(),
            refusal: NO_MAILBOX.to_owned(),
        };
        self.client.hand_over(connection, departure, server, events);
    }

    fn ended(&mut self, server: &mut Server, events: &mut EventLoop<Server>) {
        self.client.ended(server, events);
    }
}
