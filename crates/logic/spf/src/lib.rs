//! SPF (RFC 7208): may this address send mail for this domain?
//!
//! [`check`] is a pure function. It asks a [`Zone`] what DNS says; where that does not know yet, it stops, and is run again
//! from the start when the answers are there. On the way it raises the questions of later terms too, so that they can be
//! asked at once.
//!
//! Where the RFC leaves a choice, or its readers differ, this follows Mail::SPF, since SpamAssassin's scores were measured
//! with it: 20 terms may ask DNS ([`TERM_LIMIT`]), a record that does not read at all is an error even if its begin
//! matches, and a failing PTR query is a passing error. Sender ID (`spf2.0`, RFC 4406) is left out on purpose.
#![forbid(unsafe_code)]

mod evaluation;
mod expansion;
mod record;
mod specification;
mod terms;

use std::net::IpAddr;

pub use evaluation::check;
pub use record::{Record, Unreadable};

/// Terms of all records together that may ask DNS. RFC 7208 §4.6.4 says 10; SpamAssassin allows 20, since large senders
/// need more.
pub const TERM_LIMIT: u32 = 20;
/// Lookups that find nothing (RFC 7208 §4.6.4).
pub const VOID_LIMIT: u32 = 2;
/// Names that one `mx` or `ptr` term looks at (RFC 7208 §4.6.4).
pub const NAME_LIMIT: usize = 10;

/// Types of records that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // RFC 1035 §3.2.2, RFC 3596 §2.1
pub enum Kind {
    A,
    Aaaa,
    Mx,
    Ptr,
    Txt,
}

/// What a zone knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The records, as master files show them (`10 mx.example`), the strings of a text joined. None when there is no such
    /// name, or it has no such records.
    Records(Vec<String>),
    /// The server failed, or said nothing in time.
    Failed,
    /// Nobody has asked yet.
    NotYet,
}

/// DNS, as far as it is known.
pub trait Zone {
    /// What is known of a name; it is in lower case, without a dot at its end.
    fn ask(&mut self, name: &str, kind: Kind) -> Told;
}

/// Who claims to be whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The client's address.
    pub ip: IpAddr,
    /// The sender's address, or the name in HELO.
    pub identity: String,
    /// What it said in HELO; for macros.
    pub helo: String,
    /// The host that asks; for explanations.
    pub receiver: String,
    /// Seconds since 1970; for explanations.
    pub now: i64,
}

/// RFC 7208 §2.6
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The domain says nothing of it.
    None,
    /// It says that it does not say.
    Neutral,
    /// It may.
    Pass,
    /// It may not.
    Fail {
        /// What the domain has to say of it (`exp=`).
        explanation: Option<String>,
    },
    /// It probably may not.
    SoftFail,
    /// DNS did not answer.
    TempError,
    /// The records do not read.
    PermError,
}

impl Request {
    /// Of the identity: what stands behind the last `@`, in lower case.
    pub fn domain(&self) -> String {
        let domain = self.identity.rsplit_once('@').map_or(self.identity.as_str(), |(_, domain)| domain);
        normal(domain)
    }

    /// RFC 7208 §4.3: `postmaster` where there is none.
    fn local_part(&self) -> &str {
        let local = self.identity.rsplit_once('@').map_or("", |(local, _)| local);
        if local.is_empty() { "postmaster" } else { local }
    }
}

/// In lower case, without the dot at the end.
fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
