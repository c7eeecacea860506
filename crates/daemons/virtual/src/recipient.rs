//! Whose mailbox, where, and what is written above the message.

use std::rc::Rc;

use mailbox::{Form, Place};
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
    /// For messages, and to know the mbox file.
    pub(crate) full_path: String,
}

impl Virtual {
    /// Asks the tables.
    ///
    /// # Errors
    /// The outcome, when there is no mailbox to deliver to.
    pub(crate) fn find_destination(&self, address: &str) -> Result<Destination, Outcome> {
        let base = &self.settings.base;
        if base.is_empty() {
            return Err(misconfigured(
                "virtual_mailbox_base is empty: name the directory of all mailboxes in main.cf",
            ));
        }
        let found = self.rewriting.virtual_mailbox(&self.tables, &self.settings.owners, address);
        let mailbox = found.map_err(|why| match why {
            NoMailbox::Unknown(_) => Outcome::new(Verdict::Bounced, "5.1.1", why.to_string(), "virtual"),
            NoMailbox::Stop(stop) => misconfigured(&format!("recipient {address}: {stop:?}")),
            NoMailbox::NoOwner { .. } | NoMailbox::BadOwner { .. } => misconfigured(&why.to_string()),
        })?;
        let place = Place::parse(&mailbox.path).map_err(|why| {
            misconfigured(&format!("recipient {address}: bad path in virtual_mailbox_maps: {why}"))
        })?;
        let owner = Owner { uid: mailbox.uid, gid: mailbox.gid, base: Rc::from(base.as_str()) };
        Ok(Destination { owner, place, full_path: format!("{base}/{}", mailbox.path) })
    }
}

impl Destination {
    /// The lines above the message (RFC 5321 §4.4 Return-Path; the others as Postfix adds them).
    pub(crate) fn head(&self, request: &DeliveryRequest, recipient: usize, now_us: u64) -> String {
        let recipient = &request.recipients[recipient];
        let original = if recipient.original.is_empty() { &recipient.address } else { &recipient.original };
        let sender = on_one_line(&request.sender);
        let mut head = match self.place.form {
            Form::Maildir => String::new(),
            Form::Mbox => separator(&sender, now_us),
        };
        head.push_str(&format!(
            "Return-Path: <{sender}>\nX-Original-To: {}\nDelivered-To: {}\n",
            on_one_line(original),
            on_one_line(&recipient.address),
        ));
        head
    }
}

/// RFC 4155, with the two blanks that Postfix puts before the local time of delivery.
fn separator(sender: &str, now_us: u64) -> String {
    let sender = if sender.is_empty() { "MAILER-DAEMON" } else { sender };
    let time = clock::local_time((now_us / 1_000_000) as i64);
    format!("From {sender}  {}\n", time.to_asctime())
}

/// The address as it stands in a header, nothing for the null sender; nothing in it ends the line.
fn on_one_line(address: &str) -> String {
    if address.is_empty() {
        return String::new();
    }
    address::quote(address).replace(['\n', '\r', '\0'], "?")
}
