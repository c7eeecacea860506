//! What a delivery came to, in the words of the log and of reports.

use std::io;

use lookup::Stop;
use mailbox::Form;
use mailbox::error::Status;
use mailbox::job::{Answer, Hint};
use posting::PostError;
use rewriting::Refusal;
use services::couriers::NoDelivery;
use services::delivery::{Outcome, Verdict};
use sys::error_text::reason;

use crate::part::Destination;

pub(crate) const RELAY: &str = "local";
const ALIASES_UNAVAILABLE: &str = "alias database unavailable";

fn deferred(status: &str, text: impl Into<String>) -> Outcome {
    Outcome::new(Verdict::Deferred, status, text, RELAY)
}

/// Somebody has to mend the configuration; mail waits. What it is stands in the log only.
pub(crate) fn misconfigured(warning: &str) -> Outcome {
    log::warn!("{warning}");
    deferred("4.3.5", "mail system configuration error")
}

/// The queue file can not be opened.
pub(crate) fn unreadable(error: &io::Error) -> Outcome {
    deferred("4.3.0", format!("error reading message: {}", reason(error)))
}

pub(crate) fn lookup_failed(stop: &Stop) -> Outcome {
    if let Stop::Failed { table } = stop {
        log::warn!("table {table} did not answer");
    }
    deferred("4.3.0", ALIASES_UNAVAILABLE)
}

pub(crate) fn user_lookup() -> Outcome {
    deferred("4.3.0", "user lookup error")
}

/// A setting asks for what this version can not do.
pub(crate) fn not_available(parameter: &str) -> Outcome {
    deferred("4.3.5", format!("{parameter} is not available in this version"))
}

pub(crate) fn is_root(name: &str) -> Outcome {
    deferred("4.3.5", format!("mail for {name} is not delivered as root: give it an alias in alias_maps"))
}

pub(crate) fn too_busy() -> Outcome {
    deferred("4.3.0", "too many messages are being forwarded")
}

pub(crate) fn forwarded(queue_id: &str) -> Outcome {
    Outcome {
        relayed: true,
        ..Outcome::new(Verdict::Sent, "2.0.0", format!("forwarded as {queue_id}"), RELAY)
    }
}

/// What `sendmail -bv` hears of an address that an alias leads to.
pub(crate) fn would_forward(address: &str) -> Outcome {
    Outcome::new(Verdict::Sent, "2.0.0", format!("forwards to {address}"), RELAY)
}

/// What `sendmail -bv` hears of a mailbox.
pub(crate) fn would_deliver(destination: &Destination) -> Outcome {
    let text = format!("delivers to {}", destination.place.form.word());
    Outcome::new(Verdict::Sent, "2.0.0", text, RELAY)
}

pub(crate) fn discarded() -> Outcome {
    Outcome::new(Verdict::Sent, "2.0.0", "discarded", RELAY)
}

/// `/dev/null` takes everything.
pub(crate) fn thrown_away(only_verifies: bool) -> Outcome {
    let verb = if only_verifies { "delivers" } else { "delivered" };
    Outcome::new(Verdict::Sent, "2.0.0", format!("{verb} to file: /dev/null"), RELAY)
}

pub(crate) fn not_posted(error: &PostError) -> Outcome {
    deferred("4.3.0", format!("unable to forward message: {error}"))
}

/// Where an alias leads to nothing.
pub(crate) fn refused(why: &Refusal) -> Outcome {
    let bounced = |status: &str| Outcome::new(Verdict::Bounced, status, why.to_string(), RELAY);
    match why {
        Refusal::UnknownUser(_) => bounced("5.1.1"),
        Refusal::Required(name) => {
            log::warn!("required alias not found: {name}");
            discarded()
        }
        Refusal::ForwardingLoop(_) => bounced("5.4.6"),
        Refusal::NoRecipient(_) => {
            log::warn!("{why}");
            deferred("4.3.0", ALIASES_UNAVAILABLE)
        }
        Refusal::Loop(_) => {
            log::warn!("{why}");
            bounced("5.4.6")
        }
        Refusal::Include(warning) => {
            log::warn!("{warning}");
            bounced("5.3.5")
        }
        Refusal::RestrictedCommand | Refusal::RestrictedFile => bounced("5.7.1"),
        Refusal::Command | Refusal::File => deferred("4.3.5", why.to_string()),
        Refusal::UserLookup => user_lookup(),
    }
}

/// What came of sending a courier to `destination`.
pub(crate) fn of(outcome: Result<Answer, NoDelivery>, destination: &Destination) -> Outcome {
    match outcome {
        Ok(Answer::Delivered { crossed_off }) => {
            let text = format!("delivered to {}", destination.place.form.word());
            Outcome { crossed_off, ..Outcome::new(Verdict::Sent, "2.0.0", text, RELAY) }
        }
        Ok(Answer::Moved) => deferred("4.3.0", "the message has moved to the queue".to_owned()),
        Ok(Answer::Withheld { path }) => {
            deferred("4.3.5", format!("{path} exists, and .forward files are not available in this version"))
        }
        Ok(Answer::Failed { status, text, hint }) => failed(status, &text, hint, destination),
        Err(NoDelivery::Refused { text, misconfigured: true }) => {
            misconfigured(&format!("user {}: no courier: {text}", destination.user))
        }
        Err(why) => deferred("4.3.0", why.to_string()),
    }
}

fn failed(status: Status, text: &str, hint: Hint, destination: &Destination) -> Outcome {
    advise(hint, destination, text);
    let verdict = if status.0 == 5 { Verdict::Bounced } else { Verdict::Deferred };
    let text = match destination.place.form {
        Form::Maildir => format!("maildir delivery failed: {text}"),
        Form::Mbox => {
            format!("cannot update mailbox {} for user {}. {text}", destination.full_path, destination.user)
        }
    };
    Outcome::new(verdict, &status.to_string(), text, RELAY)
}

fn advise(hint: Hint, destination: &Destination, text: &str) {
    let owner = &destination.owner;
    match hint {
        Hint::Ownership => {
            log::warn!("specify \"strict_mailbox_ownership = no\" to ignore mailbox ownership mismatch");
        }
        Hint::Access if destination.place.form == Form::Maildir => {
            log::warn!("maildir access problem for UID/GID={}/{}: {text}", owner.uid, owner.gid);
            log::warn!("perhaps you need to create the maildirs in advance");
        }
        Hint::Access | Hint::None => {}
    }
}
