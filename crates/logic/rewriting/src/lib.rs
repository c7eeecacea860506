//! What becomes of an address: rewriting to full form, the maps that replace it, and the way to its mailbox.
//!
//! | file | question | in Postfix |
//! |---|---|---|
//! | `rewrite` | what is the full form of `user`, `user@host`, `host!user`? | trivial-rewrite(8) rewrite |
//! | `find` | which entry of a table is meant for `user+ext@domain`? | address lookups of canonical(5), virtual(5) |
//! | `canonical` | which address replaces it, everywhere or in one place? | canonical(5), masquerading |
//! | `expand` | which recipients stand behind an alias? | virtual(5) |
//! | `resolve`, `route`, `transport` | which class, transport, next hop? | trivial-rewrite(8) resolve, transport(5) |
//! | `existence` | would the mail system accept the address? | smtpd(8) |
//! | `mailbox` | where does the mail of a virtual mailbox go, and as whom is it written? | virtual(8) |
//! | `alias`, `destination` | which mailboxes and addresses stand behind a name of this host? | local(8), aliases(5) |
//! | `conflicts` | is a domain in two classes? | warnings of trivial-rewrite(8) |
//!
//! All functions are pure: tables answer through [`lookup::Lookup`], addresses are in internal form.
#![forbid(unsafe_code)]

mod settings;
mod rewrite;
mod find;
mod canonical;
mod expand;
mod domains;
mod resolve;
mod route;
mod transport;
mod existence;
mod mailbox;
mod destination;
mod alias;
mod fill_in;
mod conflicts;

pub use alias::leaf::{Leaf, Refusal};
pub use alias::{AliasSettings, Surroundings};
pub use canonical::{Canonical, MapFailure, Mapping};
pub use conflicts::Conflict;
pub use destination::Destination;
pub use existence::Existence;
pub use expand::{ExpandError, Expansion};
pub use fill_in::fill_in;
pub use find::Match;
pub use mailbox::{MailboxOwners, NoMailbox, VirtualMailbox, exact_id};
pub use resolve::{Class, Resolved};
pub use rewrite::Context;
pub use settings::{AddressClasses, Settings};

/// The rewriting and routing of one configuration.
#[derive(Debug, Clone)]
pub struct Rewriting {
    settings: Settings,
}

impl Rewriting {
    /// Takes the settings, fixed from here on.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
