//! What is known of a session when a stage is checked.

use std::fmt;
use std::net::IpAddr;

use machine::TlsFacts;

use crate::check::Deferral;

/// How a name was found (or not) for the client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameStatus {
    /// It is good.
    #[default]
    Found,
    /// It could not be looked up now.
    Unavailable,
    /// There is none, or it does not lead back to the address.
    NotFound,
}

/// The client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The verified name, or "unknown".
    pub name: String,
    /// How the name was found.
    pub name_status: NameStatus,
    /// The name of the address, whether or not it leads back, or "unknown".
    pub reverse_name: String,
    /// How that was found.
    pub reverse_status: NameStatus,
    /// The address; `None` behind XCLIENT without one.
    pub address: Option<IpAddr>,
    /// The port, where it is known.
    pub port: Option<u16>,
}

impl Client {
    /// The address as text, or "unknown".
    pub fn address_text(&self) -> String {
        self.address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
    }

    /// `NAME[IP]`
    pub fn shown(&self) -> String {
        format!("{}[{}]", self.name, self.address_text())
    }
}

/// The envelope so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// After MAIL; empty for the null sender.
    pub sender: Option<String>,
    /// The recipient that is being checked, or the only one.
    pub recipient: Option<String>,
    /// Recipients accepted so far.
    pub recipients: usize,
    /// The size that MAIL announced, or in the end the real one.
    pub size_bytes: u64,
    /// The message's id in the queue, once it has one.
    pub queue_id: String,
    /// A table has answered HOLD, which is told once.
    pub held: bool,
    /// A table has answered DISCARD: whatever follows is taken, and thrown away.
    pub discarded: bool,
    /// The domain of ETRN.
    pub etrn_domain: Option<String>,
    /// AUTH of MAIL: who wrote the message, as the client has it. Empty for nobody.
    pub author: String,
}

/// The envelope before MAIL.
pub static NO_ENVELOPE: Envelope = Envelope {
    sender: None,
    recipient: None,
    recipients: 0,
    size_bytes: 0,
    queue_id: String::new(),
    held: false,
    discarded: false,
    etrn_domain: None,
    author: String::new(),
};

/// All of it.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// Who.
    pub client: &'a Client,
    /// What it calls itself.
    pub helo: Option<&'a str>,
    /// "SMTP" or "ESMTP".
    pub protocol: &'a str,
    /// The command that is being checked, "RCPT".
    pub command: &'a str,
    /// The envelope.
    pub envelope: &'a Envelope,
    /// TLS is on.
    pub tls: Option<&'a TlsFacts>,
    /// The client did not wait where it must.
    pub pipelining: bool,
    /// Our own address and port.
    pub server: Option<(IpAddr, u16)>,
    /// What an earlier stage could not find out ([`crate::Ruling::deferral`]).
    pub deferral: Option<&'a Deferral>,
    /// The transaction, once MAIL is accepted.
    pub instance: Option<Instance>,
}

/// Names a transaction for policy servers (`instance`): the same for all its recipients, and for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance {
    /// The process that serves it.
    pub process: u32,
    /// When it began, in microseconds since 1970.
    pub began_us: u64,
    /// Counts those of the process.
    pub number: u64,
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rest_us) = (self.began_us / 1_000_000, self.began_us % 1_000_000);
        write!(f, "{:x}.{seconds:x}.{rest_us:x}.{:x}", self.process, self.number)
    }
}
