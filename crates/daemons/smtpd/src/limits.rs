//! What a client hears when it does too much (TUNING_README, "measures against clients").

use lookup::Stop;
use services::anvil::{Count, Event, Request};
use smtp_protocol::{Answer, Command, Reply};

use crate::facts::{Found, Wanted};
use crate::service::Smtpd;
use crate::session::{Attempt, Session};

impl Session {
    /// Is anything of this client counted? Not of those in the exceptions, nor of those that speak for others.
    pub(crate) fn is_limited(&self, daemon: &Smtpd) -> bool {
        daemon.rates.are_limited()
            && !self.is_listed(&daemon.settings.xclient_hosts, daemon)
            && !self.is_listed(&daemon.rates.exceptions, daemon)
    }

    /// Tells anvil(8) of an event. The inner `None` where nobody counts.
    fn count(&mut self, event: Event, daemon: &Smtpd) -> Result<Option<Count>, Stop> {
        let Some(client) = daemon.rates.name_of(&self.client) else { return Ok(None) };
        match self.facts.get(Wanted::Count(Request { event, client })) {
            Some(Found::Count(count)) => Ok(count),
            _ => Err(Stop::Wait),
        }
    }

    /// One more connection: the refusal, if that is too many.
    pub(crate) fn count_connection(&mut self, daemon: &Smtpd) -> Result<Option<Reply>, Stop> {
        if !self.is_limited(daemon) {
            return Ok(None);
        }
        let Some(count) = self.count(Event::Connect, daemon)? else { return Ok(None) };
        self.counted = true;
        let (connections, rate) = (daemon.rates.connections, daemon.rates.connection_rate);
        if connections > 0 && count.connections > connections {
            self.log_excess("Connection concurrency limit", count.connections, daemon);
        } else if rate > 0 && count.rate > rate {
            self.log_excess("Connection rate limit", count.rate, daemon);
        } else {
            return Ok(None);
        }
        let (host, address) = (&daemon.settings.myhostname, self.client.address_text());
        Ok(Some(Reply::from(format!("421 4.7.0 {host} Error: too many connections from {address}"))))
    }

    fn log_excess(&self, what: &str, number: u64, daemon: &Smtpd) {
        let service = &daemon.rates.service;
        log::warn!("{what} exceeded: {number} from {} for service {service}", self.shown);
    }

    /// One more message or recipient.
    pub(crate) fn rate(&mut self, command: Command, daemon: &Smtpd) -> Attempt {
        let (event, limit, what, words) = match command {
            Command::Mail => {
                let limit = daemon.rates.message_rate;
                (Event::Message, limit, "Message delivery request rate limit", "too much mail")
            }
            _ => {
                let limit = daemon.rates.recipient_rate;
                (Event::Recipient, limit, "Recipient address rate limit", "too many recipients")
            }
        };
        if limit == 0 {
            return Answer::Proceed.into();
        }
        match self.count(event, daemon) {
            Err(_) => Attempt::Wait,
            Ok(Some(count)) if count.rate > limit => {
                self.log_excess(what, count.rate, daemon);
                let address = self.client.address_text();
                Answer::Refuse(Reply::from(format!("450 4.7.1 Error: {words} from {address}"))).into()
            }
            Ok(_) => Answer::Proceed.into(),
        }
    }

    /// Before a handshake, which costs us more than it costs the client.
    pub(crate) fn may_begin_tls(&mut self, daemon: &Smtpd) -> Result<bool, Stop> {
        let limit = daemon.rates.new_tls_rate;
        if limit == 0 || !self.counted {
            return Ok(true);
        }
        let count = self.count(Event::NewTlsStatus, daemon)?;
        Ok(count.is_none_or(|count| count.rate <= limit))
    }

    pub(crate) fn starttls(&mut self, daemon: &Smtpd) -> Attempt {
        match self.may_begin_tls(daemon) {
            Err(_) => Attempt::Wait,
            Ok(true) => Answer::Proceed.into(),
            Ok(false) => {
                let service = &daemon.rates.service;
                log::warn!("Refusing STARTTLS request from {} for service {service}", self.shown);
                let text = format!("454 4.7.0 Error: too many new TLS sessions from {}", self.shown);
                Answer::Refuse(Reply::from(text)).into()
            }
        }
    }

    /// After a handshake that resumed no session.
    pub(crate) fn count_tls(&mut self, daemon: &Smtpd) -> Attempt {
        let limit = daemon.rates.new_tls_rate;
        if limit == 0 || !self.counted || self.tls.as_ref().is_none_or(|facts| facts.resumed) {
            return Answer::Proceed.into();
        }
        match self.count(Event::NewTls, daemon) {
            Err(_) => Attempt::Wait,
            Ok(Some(count)) if count.rate > limit => {
                self.log_excess("New TLS session rate limit", count.rate, daemon);
                let host = &daemon.settings.myhostname;
                let text = format!("421 4.7.0 {host} Error: too many new TLS sessions from {}", self.shown);
                Answer::Refuse(Reply::from(text)).into()
            }
            Ok(_) => Answer::Proceed.into(),
        }
    }
}
