//! What a delivery came to, in the words of the log and of reports.

use std::io;

use mailbox::Form;
use mailbox::job::{Answer, Hint};
use services::couriers::NoDelivery;
use services::delivery::{Outcome, Verdict};
use sys::error_text::reason;

use crate::recipient::Destination;

const RELAY: &str = "virtual";

/// Somebody has to mend the configuration; mail waits. What it is stands in the log only.
pub(crate) fn misconfigured(warning: &str) -> Box<Outcome> {
    log::warn!("{warning}");
    Box::new(Outcome::new(Verdict::Deferred, "4.3.5", "mail system configuration error", RELAY))
}

/// The queue file can not be opened.
pub(crate) fn unreadable(error: &io::Error) -> Box<Outcome> {
    let text = format!("error reading message: {}", reason(error));
    Box::new(Outcome::new(Verdict::Deferred, "4.3.0", text, RELAY))
}

/// What `sendmail -bv` hears.
pub(crate) fn would_deliver(destination: &Destination) -> Outcome {
    let text = format!("delivers to {}", destination.place.form.word());
    Outcome::new(Verdict::Sent, "2.0.0", text, RELAY)
}

/// What came of sending a courier to `destination`.
pub(crate) fn of(outcome: Result<Answer, NoDelivery>, destination: &Destination, address: &str) -> Outcome {
    match outcome {
        Ok(Answer::Delivered { crossed_off }) => {
            let text = format!("delivered to {}", destination.place.form.word());
            Outcome { crossed_off, ..Outcome::new(Verdict::Sent, "2.0.0", text, RELAY) }
        }
        Ok(Answer::Failed { status, text, hint }) => {
            advise(hint, destination, &text);
            let verdict = if status.0 == 5 { Verdict::Bounced } else { Verdict::Deferred };
            let text = match destination.place.form {
                Form::Maildir => format!("maildir delivery failed: {text}"),
                Form::Mbox => format!("delivery failed to mailbox {}: {text}", destination.full_path),
            };
            Outcome::new(verdict, &status.to_string(), text, RELAY)
        }
        Ok(Answer::Moved) => {
            Outcome::new(Verdict::Deferred, "4.3.0", "the message has moved to the queue", RELAY)
        }
        Ok(Answer::Withheld { path }) => {
            Outcome::new(Verdict::Deferred, "4.3.0", format!("{path} is in the way"), RELAY)
        }
        Err(NoDelivery::Refused { text, misconfigured: true }) => {
            *misconfigured(&format!("recipient {address}: no courier: {text}"))
        }
        Err(why) => Outcome::new(Verdict::Deferred, "4.3.0", why.to_string(), RELAY),
    }
}

fn advise(hint: Hint, destination: &Destination, text: &str) {
    let owner = &destination.owner;
    match hint {
        Hint::None => {}
        Hint::Ownership => {
            log::warn!("specify \"strict_mailbox_ownership = no\" to ignore mailbox ownership mismatch");
        }
        Hint::Access if destination.place.form == Form::Maildir => {
            log::warn!("maildir access problem for UID/GID={}/{}: {text}", owner.uid, owner.gid);
            log::warn!("perhaps you need to create the maildirs in advance");
        }
        Hint::Access => {
            log::warn!("mailbox access problem for UID/GID={}/{}: {text}", owner.uid, owner.gid);
        }
    }
}
