//! How logic asks about tables and lists without touching one.
//!
//! A function of logic that needs a table takes `&dyn Lookup`. The daemon answers from its tables at once.
//! Where an answer has to come from elsewhere (SQL, LDAP, another daemon), the daemon starts the search and
//! answers [`Stop::Wait`]: the function gives up with that error, and the daemon calls it again, from the
//! start and with the same arguments, once the answer is there. So logic reads as a straight line, must not
//! change anything before its last question is answered, and never blocks.
#![forbid(unsafe_code)]

mod memory;

pub use memory::Memory;

/// Tables and lists, as far as logic sees them.
pub trait Lookup {
    /// Looks `key` up in each table of `maps` in turn, the first that has it answers.
    ///
    /// `maps` is the value of a parameter such as `virtual_alias_maps`: table names `type:name`, separated
    /// by commas or blanks. An empty `maps` finds nothing. Keys are folded to lower case by the tables that
    /// want it.
    ///
    /// # Errors
    /// [`Stop::Failed`] when a table could not be read: a temporary error for whoever asks, never "not found".
    fn find(&self, maps: &str, key: &str, part: Part) -> Result<Option<Found>, Stop>;

    /// Does the match list `list` (postconf(5): patterns, `/file`, `type:table`, `!pattern`) have `subject`?
    ///
    /// # Errors
    /// As [`Lookup::find`].
    fn listed(&self, list: &str, subject: &Subject<'_>) -> Result<bool, Stop>;
}

/// What a table answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The right-hand side.
    pub value: String,
    /// The table that had it, `hash:/etc/postfix/virtual`; for messages only.
    pub table: String,
}

/// Is the key what the user wrote, or a piece of it? Tables of patterns (regexp, pcre, cidr) see whole keys only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A whole address, name or line.
    Whole,
    /// A domain, a parent domain, `user@`, an address without its extension.
    Partial,
}

/// What a match list is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A literal string, compared without regard to case (`smtpd_discard_ehlo_keywords`-like lists).
    Text(&'a str),
    /// A domain name; `parents` says whether `example.com` in the list also matches `a.example.com`
    /// (`parent_domain_matches_subdomains`), else `.example.com` is needed for that.
    Domain {
        /// The name, without a trailing dot.
        name: &'a str,
        /// A plain domain in the list matches its subdomains too.
        parents: bool,
    },
    /// A client: its name and its address, against names, addresses and networks (`mynetworks`).
    Client {
        /// The verified name, or "unknown".
        name: &'a str,
        /// "192.0.2.1" or "2001:db8::1", without brackets.
        address: &'a str,
        /// As for `Domain`.
        parents: bool,
    },
}

/// Why a function of logic could not finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The answer is on its way: call again when it has arrived.
    Wait,
    /// This table could not be read; the reason has been logged by whoever opened it.
    Failed {
        /// `type:name`
        table: String,
    },
}
