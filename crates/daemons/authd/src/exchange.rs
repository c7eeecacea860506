//! One client that logs in.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dovecot_auth::{Failure, Request, ServerLine, Success};
use reactor::channel::Line;
use sasl::{Mechanism, Server, Start};

use crate::attempt::{self, Findings, Outcome, Why};
use crate::connection::{Connection, Later};
use crate::service::Authd;

/// An exchange, between two words of the client.
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) server: Server,
    /// When the last word of the client came.
    heard: Instant,
    /// The success, when only the client's last empty word is missing.
    accepted: Option<String>,
    /// What has been found out so far.
    pub(crate) findings: Option<Findings>,
}

impl Connection {
    /// A client wants to log in.
    pub(crate) fn begin(&mut self, request: Request, authd: &mut Authd, line: &mut Line<'_, Authd>) {
        let offered = |mechanism: &Mechanism| authd.settings.mechanisms.contains(mechanism);
        let Some(mechanism) = Mechanism::parse(&request.mechanism).filter(offered) else {
            let failure = Failure { id: request.id, ..Failure::default() };
            return line.send_bytes(&ServerLine::Failure(failure).to_bytes());
        };
        let Some(start) = start(&request, authd) else { return refuse_for_now(request.id, line) };
        let response = request.response.as_deref().map(sasl::initial_response);
        let server = Server::new(mechanism, start);
        let exchange = Exchange { server, request, heard: line.events.now(), accepted: None, findings: None };
        match response {
            None => self.step(exchange, None, authd, line),
            Some(Some(bytes)) => self.step(exchange, Some(bytes), authd, line),
            Some(None) => {
                self.goes_out();
                self.judge(exchange, Outcome::Failed { user: None, why: Why::Malformed }, authd, line);
            }
        }
    }

    /// A client has answered a challenge.
    pub(crate) fn go_on(&mut self, id: u32, response: &str, authd: &mut Authd, line: &mut Line<'_, Authd>) {
        let Some(mut exchange) = self.exchanges.remove(&id) else { return };
        exchange.heard = line.events.now();
        if let Some(user) = exchange.accepted.take() {
            return succeed(&exchange.request, user, None, authd, line);
        }
        match sasl::initial_response(response) {
            Some(bytes) => self.step(exchange, Some(bytes), authd, line),
            None => {
                self.goes_out();
                self.judge(exchange, Outcome::Failed { user: None, why: Why::Malformed }, authd, line);
            }
        }
    }

    /// Has a thread work out what the client's word means.
    fn step(
        &mut self,
        exchange: Exchange,
        response: Option<Vec<u8>>,
        authd: &mut Authd,
        line: &mut Line<'_, Authd>,
    ) {
        let knowledge = Arc::clone(&authd.knowledge);
        let id = exchange.request.id;
        let job = move || attempt::run(&knowledge, exchange, response);
        match line.events.offload(line.me, job) {
            Ok(()) => self.goes_out(),
            Err(error) => {
                log::warn!("check a password: {error}");
                refuse_for_now(id, line);
            }
        }
    }

    /// The thread is back.
    pub(crate) fn judge(
        &mut self,
        mut exchange: Exchange,
        outcome: Outcome,
        authd: &mut Authd,
        line: &mut Line<'_, Authd>,
    ) {
        let id = exchange.request.id;
        if !self.came_back(id) {
            return;
        }
        match outcome {
            Outcome::Challenge(bytes) => {
                self.exchanges.insert(id, exchange);
                let challenge = STANDARD.encode(bytes);
                line.send_bytes(&ServerLine::Challenge { id, challenge }.to_bytes());
            }
            Outcome::Accepted { user, last_words: Some(words) } if !exchange.request.final_response_ok => {
                exchange.accepted = Some(user);
                self.exchanges.insert(id, exchange);
                let challenge = STANDARD.encode(words);
                line.send_bytes(&ServerLine::Challenge { id, challenge }.to_bytes());
            }
            Outcome::Accepted { user, last_words } => {
                succeed(&exchange.request, user, last_words, authd, line);
            }
            Outcome::Failed { user, why } => self.fail(&exchange, user, &why, authd, line),
        }
    }

    /// The answer is held back, whatever was wrong, so that it tells nothing by its time.
    fn fail(
        &mut self,
        exchange: &Exchange,
        user: Option<String>,
        why: &Why,
        authd: &mut Authd,
        line: &mut Line<'_, Authd>,
    ) {
        let request = &exchange.request;
        log::info!("login failed: {}, {why}", shown(request, user.as_deref().unwrap_or_default()));
        let failure = Failure {
            id: request.id,
            user: user.clone(),
            temporary: why.is_temporary(),
            authorization: matches!(why, Why::Authorization(_)),
            ..Failure::default()
        };
        let now = line.events.now();
        let words = ServerLine::Failure(failure);
        if why.is_temporary() {
            return line.send_bytes(&words.to_bytes());
        }
        let more = authd.penalties.note_failure(&request.remote, user.as_deref(), now);
        let delay = authd.settings.failure_delay * more;
        let waited = now.saturating_duration_since(exchange.heard);
        self.postpone(delay.saturating_sub(waited), Later::Say(words), line);
    }
}

fn succeed(
    request: &Request,
    user: String,
    last_words: Option<Vec<u8>>,
    authd: &mut Authd,
    line: &mut Line<'_, Authd>,
) {
    log::info!("login: {}", shown(request, &user));
    let ticket = request.wants_ticket.then(|| authd.random_hex(16)).flatten();
    if let Some(ticket) = &ticket {
        authd.tickets.sell(ticket.clone(), user.clone(), line.events.now());
    }
    let response = last_words.map(|words| STANDARD.encode(words));
    let success = Success { id: request.id, user, response, ticket };
    line.send_bytes(&ServerLine::Success(success).to_bytes());
}

fn refuse_for_now(id: u32, line: &mut Line<'_, Authd>) {
    let failure = Failure { id, temporary: true, ..Failure::default() };
    line.send_bytes(&ServerLine::Failure(failure).to_bytes());
}

/// Who logs in, how and from where; what a client has sent is shown without control characters.
fn shown(request: &Request, user: &str) -> String {
    let clean = |text: &str| -> String {
        let limited = text.chars().take(255);
        limited.map(|character| if character.is_control() { '?' } else { character }).collect()
    };
    let address = if request.remote.is_empty() { "unknown" } else { &request.remote };
    format!(
        "user=<{}>, method={}, service={}, rip={}{}",
        clean(user),
        clean(&request.mechanism.to_ascii_uppercase()),
        clean(&request.service),
        clean(address),
        if request.secured { ", secured" } else { "" },
    )
}

fn start(request: &Request, authd: &Authd) -> Option<Start> {
    let now = sys::clock::now_us() / 1_000_000;
    Some(Start {
        challenge: format!("<{}.{now}@{}>", authd.random_hex(8)?, authd.settings.host_name),
        nonce: authd.random_hex(18)?,
        external: request.certificate_name.clone(),
        decoy_key: authd.knowledge.decoy_key,
    })
}
