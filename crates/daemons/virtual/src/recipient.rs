//! Whose mailbox, where, and what is written above the message.

use std::rc::Rc;

use lookup::Stop;
use mailbox::store::Limits;
use mailbox::{Envelope, Place, QuotaRule};
use rewriting::NoMailbox;
use services::couriers::Owner;
use services::delivery::{DeliveryRequest, Outcome, Verdict};
use sys::clock;

use crate::outcome::misconfigured;
use crate::service::Virtual;

/// Where one recipient's mail goes.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) owner: Owner,
    pub(crate) place: Place,
    /// What all the mail there may grow to.
    pub(crate) quota: QuotaRule,
    /// For messages, and to know the mbox file.
    pub(crate) full_path: String,
}

impl Virtual {
    /// Asks the tables.
    ///
    /// # Errors
    /// The outcome, when there is no mailbox to deliver to.
    pub(crate) fn find_destination(&self, address: &str) -> Result<Destination, Box<Outcome>> {
        let base = &self.settings.base;
        if base.is_empty() {
            return Err(misconfigured(
                "virtual_mailbox_base is empty: name the directory of all mailboxes in main.cf",
            ));
        }
        if !base.starts_with('/') {
            return Err(misconfigured(&format!(
                "virtual_mailbox_base = {base} is no absolute path: begin it with / in main.cf"
            )));
        }
        let found = self.rewriting.virtual_mailbox(&self.tables, &self.settings.owners, address);
        let mailbox = found.map_err(|why| match why {
            NoMailbox::Unknown(recipient) => {
                let why = NoMailbox::Unknown(recipient.to_lowercase()).to_string();
                Box::new(Outcome::new(Verdict::Bounced, "5.1.1", why, "virtual"))
            }
            NoMailbox::Stop(stop) => misconfigured(&lookup_error(&stop, address)),
            NoMailbox::NoOwner { .. } | NoMailbox::BadOwner { .. } => misconfigured(&why.to_string()),
        })?;
        let place = Place::parse(&mailbox.path).map_err(|why| {
            misconfigured(&format!("recipient {address}: bad path in virtual_mailbox_maps: {why}"))
        })?;
        let owner = Owner { uid: mailbox.uid, gid: mailbox.gid, base: Rc::from(base.as_str()) };
        let quota = QuotaRule { limits: self.limits(address)?, layout: self.settings.layout };
        Ok(Destination { owner, place, quota, full_path: format!("{base}/{}", mailbox.path) })
    }

    fn limits(&self, address: &str) -> Result<Limits, Box<Outcome>> {
        let maps = &self.settings.limit_maps;
        let found = self.rewriting.find_address(&self.tables, maps, address);
        let text = found.map_err(|stop| misconfigured(&lookup_error(&stop, address)))?;
        let limits = text.map_or(Ok(Limits::default()), |found| Limits::parse(&found.value));
        limits.map_err(|error| misconfigured(&format!("recipient {address}: {error}")))
    }
}

/// As Postfix says it; why the table fails was told when it was opened.
fn lookup_error(stop: &Stop, address: &str) -> String {
    match stop {
        Stop::Failed { table } => format!("{table} lookup error for \"{address}\""),
        Stop::Wait => format!("a table has not answered for \"{address}\""),
    }
}

impl Destination {
    /// The lines above the message.
    pub(crate) fn head(
        &self,
        request: &DeliveryRequest,
        recipient: usize,
        now_us: u64,
        tells_original: bool,
    ) -> String {
        let recipient = &request.recipients[recipient];
        let envelope = Envelope {
            sender: &request.sender,
            original: tells_original.then(|| recipient.before_aliases()),
            delivered: Some(&recipient.address),
            time: &clock::local_time((now_us / 1_000_000) as i64).to_asctime(),
        };
        envelope.lines(self.place.form)
    }
}
