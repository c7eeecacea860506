//! What earlier messages of a sender say of this one: the automatic welcome list (AWL), and TxRep.
//!
//! Both pull a message's score towards the mean of the sender's earlier ones.

mod awl;
mod key;
mod txrep;
mod view;

pub(crate) use awl::weigh as weigh_by_awl;
pub(crate) use key::Masks;
pub(crate) use txrep::{Purpose, Signer, weigh as weigh_by_txrep};

use crate::learned::{Change, Reputation};
use crate::rules::Settings;

/// Points that make an address unwelcome; the negative ones make it welcome.
const POINTS: f64 = 100.0;

/// Makes an address welcome (`true`) or not (`false`), or forgets it (`None`), whatever was remembered of it.
pub fn set_address(settings: &Settings, address: &str, welcome: Option<bool>) -> Vec<Change> {
    let begin = key::cleaned(address.as_bytes());
    let mut changes = vec![Change::ForgetKeys(format!("{begin}|"))];
    let factor = if settings.txrep.active { txrep::factor(settings, address) } else { 1.0 };
    if let Some(welcome) = welcome {
        let total = if welcome { -POINTS } else { POINTS } * factor;
        let key = key::pack(address.as_bytes(), None, &Masks::of(settings));
        changes.push(Change::Score { key, more: Reputation { count: 1, total } });
    }
    changes
}

/// What was found of a sender: a score to add, and what changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Weighed {
    /// `None` when nothing is known of the sender.
    pub(crate) score: Option<f64>,
    /// Tags for templates.
    pub(crate) tags: Vec<(&'static str, String)>,
    pub(crate) changes: Vec<Change>,
}
