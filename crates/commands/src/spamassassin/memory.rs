//! What was learned, of the user who runs the program: the same files as those of `sa-learn` and of spamd.

use std::cell::RefCell;

use learned::{Learned, Shelf, Trouble};
use rulefiles::{Site, stamp};
use spam::Ruleset;
use spam::learned::{Change, Class, Memory};
use spam::set_address;

use super::debug::Debug;
use super::options::Standing;
use crate::sa_learn::Folders;
use crate::site::EX_SOFTWARE;

/// The user's learned data, if there is any to keep.
pub(crate) struct Recollection<'a> {
    rules: &'a Ruleset,
    learned: Option<Learned>,
    lost: RefCell<Option<Trouble>>,
}

impl<'a> Recollection<'a> {
    /// Opens it. Where that does not work the rules count all the same, and nothing is learned.
    pub(crate) fn open(site: &'a Site, user: Option<&str>, debug: &Debug) -> Self {
        let rules = &site.rules;
        if !rules.settings.remembers() {
            return Self { rules, learned: None, lost: RefCell::default() };
        }
        let folders = Folders::of_user();
        let learned = match Shelf::default().learned(&rules.settings, &folders.owner(user)) {
            Ok(learned) => Some(learned),
            Err(trouble) => {
                debug.warn(&format!("bayes: {trouble}: nothing is learned, and BAYES rules do not count"));
                None
            }
        };
        if let Some(learned) = &learned {
            // Nobody has asked a server of other hosts yet.
            if let Err(trouble) = learned.bayes.reach() {
                debug.warn(&format!("bayes: {trouble}: nothing is learned, and BAYES rules do not count"));
            }
            debug.say("bayes", &format!("data in {}", learned.bayes.name()));
        }
        Self { rules, learned, lost: RefCell::default() }
    }

    /// For a check.
    pub(crate) fn known(&self) -> Option<&dyn Memory> {
        self.learned.as_ref().map(|learned| -> &dyn Memory { learned })
    }

    /// Keeps what a check came to.
    pub(crate) fn apply(&self, changes: &[Change]) {
        if let Some(learned) = &self.learned {
            self.keep(learned, changes);
        }
    }

    /// Learns a message as somebody says.
    pub(crate) fn learn(&self, message: &[u8], class: Class) {
        if let Some(learned) = &self.learned {
            let (now, _) = stamp("");
            self.keep(learned, &self.rules.learn(message, class, learned, now).changes);
        }
    }

    /// What does not come through counts when the program ends.
    fn keep(&self, learned: &Learned, changes: &[Change]) {
        if let Err(trouble) = learned.apply(changes) {
            self.lost.replace(Some(trouble));
        }
    }

    /// Makes an address welcome or not, and says so as the plugins of the original do.
    pub(crate) fn set(&self, standing: Standing, address: &str) {
        let settings = &self.rules.settings;
        let Some(learned) = self.learned.as_ref().filter(|_| settings.awl.active || settings.txrep.active)
        else {
            return;
        };
        let welcome = match standing {
            Standing::Welcome => Some(true),
            Standing::Blocked => Some(false),
            Standing::Forgotten => None,
        };
        // TxRep lets the signer stand behind a comma; like the original's files ours do not tell signers apart.
        let name =
            if settings.txrep.active { address.split(',').next().unwrap_or_default() } else { address };
        self.keep(learned, &set_address(settings, name, welcome));
        println!("{}", said(settings.txrep.active, standing, name));
    }

    /// Writes down what is not written yet; the exit status.
    pub(crate) fn close(&self, debug: &Debug) -> u8 {
        let lost = self.lost.take().map_or(Ok(()), Err);
        match lost.and_then(|()| self.learned.as_ref().map_or(Ok(()), Learned::flush)) {
            Ok(()) => 0,
            Err(trouble) => {
                debug.warn(&format!("bayes: {trouble}: what was learned is lost"));
                EX_SOFTWARE
            }
        }
    }
}

fn said(txrep: bool, standing: Standing, address: &str) -> String {
    let (plugin, doing) = match (txrep, standing) {
        (true, Standing::Welcome) => ("TxRep", "welcomelisting address"),
        (true, Standing::Blocked) => ("TxRep", "blocklisting address"),
        (true, Standing::Forgotten) => ("TxRep", "removing address"),
        (false, Standing::Welcome) => ("auto-welcomelist", "adding address to welcomelist"),
        (false, Standing::Blocked) => ("auto-welcomelist", "adding address to blocklist"),
        (false, Standing::Forgotten) => ("auto-welcomelist", "removing address"),
    };
    format!("SpamAssassin {plugin}: {doing}: {address}")
}
