//! Questions and answers.

use std::net::IpAddr;

/// What can be asked. Names have no dot at the end; no search list is used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Question {
    /// A and AAAA records.
    Addresses(String),
    /// MX records.
    MailHosts(String),
    /// NS records.
    NameServers(String),
    /// TXT records.
    Texts(String),
    /// Records of a type that has a name: `A`, `TXT`, `NS`. Nothing is added to what a server says, and a list of names that
    /// are on this host plays no part.
    Records(String, &'static str),
    /// The name of a client, and whether it is true.
    Peer(IpAddr),
}

/// The answer to the question of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Never empty.
    Addresses(Result<Vec<IpAddr>, Failure>),
    /// In no order; a null MX (RFC 7505) has an empty host.
    MailHosts(Result<Vec<MailHost>, Failure>),
    /// Names.
    NameServers(Result<Vec<String>, Failure>),
    /// The strings of a record are joined.
    Texts(Result<Vec<String>, Failure>),
    /// What a server said; `None` when none said anything in time.
    Records(Option<Records>),
    /// Who the client is.
    Peer(Peer),
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// The response code (RFC 1035 §4.1.1): 0 nothing was wrong, 2 failure, 3 no such name.
    pub code: u16,
    /// Records of the type that was asked for, as master files show them; the strings of a TXT record are joined.
    pub data: Vec<String>,
}

/// A mail exchanger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailHost {
    /// Lower is better.
    pub preference: u16,
    /// Without a dot at the end.
    pub host: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no such name, or no such record.
    #[error("Name or service not known")]
    NotFound,
    /// No server gave an answer in time.
    #[error("Temporary failure in name resolution")]
    Unavailable,
}

/// A name, or why there is none.
pub type Named = Result<String, Failure>;

/// A client by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The name, if it leads back to the address.
    pub name: Named,
    /// The name, whether or not it leads back.
    pub reverse: Named,
    /// Why a name that was found is not believed, for the log.
    pub doubt: Option<String>,
}

impl Peer {
    /// A client of this name, which is not in doubt.
    pub(crate) fn believed(name: String) -> Self {
        Self { name: Ok(name.clone()), reverse: Ok(name), doubt: None }
    }

    /// A client without a name.
    pub(crate) fn nameless(why: Failure) -> Self {
        Self { name: Err(why), reverse: Err(why), doubt: None }
    }
}
