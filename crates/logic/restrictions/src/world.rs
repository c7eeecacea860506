//! What restrictions ask of the world, and what comes of them.

use std::net::IpAddr;
use std::time::Duration;

use lookup::{Lookup, Stop};
use rewriting::{Existence, Resolved};

use crate::check::Deferral;
use crate::policy::PolicyService;

/// Why DNS has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsFailure {
    /// There is no such name, or it has no such record.
    NotFound,
    /// No server answered in time, or none could.
    Unavailable,
}

/// A mail exchanger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mx {
    /// Lower is better.
    pub preference: u16,
    /// Without a trailing dot; empty for a null MX (RFC 7505).
    pub host: String,
}

/// Everything outside.
///
/// The outer `Result` of the DNS questions is the rule of [`Stop`], the inner one the answer.
pub trait World {
    /// Tables and lists.
    fn tables(&self) -> &dyn Lookup;

    /// Where mail from `sender` to `address` would go.
    ///
    /// # Errors
    /// As [`Lookup::find`].
    fn resolve(&self, sender: &str, address: &str) -> Result<Resolved, Stop>;

    /// Would the mail system take mail to `address`?
    ///
    /// # Errors
    /// As [`Lookup::find`].
    fn existence(&self, sender: &str, address: &str) -> Result<Existence, Stop>;

    /// A and AAAA records.
    ///
    /// # Errors
    /// [`Stop::Wait`]
    fn addresses(&self, name: &str) -> Result<Result<Vec<IpAddr>, DnsFailure>, Stop>;

    /// MX records.
    ///
    /// # Errors
    /// [`Stop::Wait`]
    fn mail_hosts(&self, name: &str) -> Result<Result<Vec<Mx>, DnsFailure>, Stop>;

    /// NS records.
    ///
    /// # Errors
    /// [`Stop::Wait`]
    fn name_servers(&self, name: &str) -> Result<Result<Vec<String>, DnsFailure>, Stop>;

    /// TXT records, the strings of one joined.
    ///
    /// # Errors
    /// [`Stop::Wait`]
    fn texts(&self, name: &str) -> Result<Result<Vec<String>, DnsFailure>, Stop>;

    /// Lets time go by.
    ///
    /// # Errors
    /// [`Stop::Wait`] until it has.
    fn sleep(&self, time: Duration) -> Result<(), Stop>;

    /// Asks a policy server (SMTPD_POLICY_README); the attributes are sent in order.
    /// The inner `None` when it can not be had: the log has the reason.
    ///
    /// # Errors
    /// [`Stop::Wait`]
    fn policy(
        &self,
        service: &PolicyService,
        attributes: &[(&'static str, String)],
    ) -> Result<Option<String>, Stop>;
}

/// What came of the restrictions of one stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ruling {
    /// Without one the stage is passed.
    pub refusal: Option<Refusal>,
    /// What the log has to tell, in order.
    pub log: Vec<LogLine>,
    /// What could not be found out, and may refuse the client at RCPT: without `smtpd_delay_reject` the caller hands it
    /// to the checks that follow in this session or transaction.
    pub deferral: Option<Deferral>,
    /// What access tables and policy servers want done with the message, in order.
    pub effects: Vec<Effect>,
}

impl Refusal {
    /// What the client is told, if anything.
    pub fn reply(&self) -> Option<&str> {
        match self {
            Self::Reply(reply) | Self::Unlisted(reply) => Some(reply),
            Self::HangUp => None,
        }
    }
}

/// A no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// `550 5.7.1 text`
    Reply(String),
    /// The same, where mail for the address would come back: a sender or recipient that is not there, or that an
    /// `error:` or `retry:` transport refuses.
    Unlisted(String),
    /// The connection ends without a reply (HANGUP in access(5)).
    HangUp,
}

/// One line for the log, of which the caller writes begin and end:
/// `QUEUEID: ACTION: COMMAND from CLIENT: TEXT; from=<..> to=<..>`; or a warning that stands alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogLine {
    /// "reject", "reject_warning", "hold", "permit", ... and the text.
    Action(&'static str, String),
    /// A mistake in the configuration, or an answer that did not come.
    Warning(String),
    /// Something to know.
    Note(String),
}

/// What an access table can ask for besides yes and no (access(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Put the message on hold.
    Hold,
    /// Throw it away, but say that it was accepted.
    Discard,
    /// Send it through this content filter.
    Filter(String),
    /// Deliver it to this address instead.
    Redirect(String),
    /// And a copy to this address.
    Bcc(String),
    /// Put this header in front.
    Prepend(String),
}
