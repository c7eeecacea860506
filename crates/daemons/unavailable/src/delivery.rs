//! A delivery agent that defers everything it is asked to deliver.

use std::marker::PhantomData;

use services::delivery::{DeliveryRequest, Outcome, Recipient, Verdict};
use worker::agent::Verdicts;
use worker::{Setup, StartError};

use crate::{Missing, say_what_is_missing};

/// RFC 3463 §3.4: other or undefined mail system status; it may be different another time.
const STATUS: &str = "4.3.0";

/// The agent for the program `M`.
pub type Agent<M> = worker::agent::Agent<Deferred<M>>;

/// The verdict on all mail for the program `M`.
#[derive(Debug)]
pub struct Deferred<M> {
    program: PhantomData<M>,
}

impl<M: Missing> Verdicts for Deferred<M> {
    const PROGRAM: &'static str = M::PROGRAM;

    fn open(_setup: &Setup) -> Result<Self, StartError> {
        say_what_is_missing::<M>("mail for it stays in the queue");
        Ok(Self { program: PhantomData })
    }

    fn outcome(&self, _request: &DeliveryRequest, _recipient: &Recipient) -> Outcome {
        let text = format!("mail transport unavailable in this version: {}", M::WHAT);
        Outcome::new(Verdict::Deferred, STATUS, text, "none")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Smtp;
    impl Missing for Smtp {
        const PROGRAM: &'static str = "smtp";
        const WHAT: &'static str = "outgoing SMTP";
    }

    #[test]
    fn every_recipient_is_deferred_and_none_is_lost() {
        let recipients = vec![Recipient { address: "a@b".into(), ..Recipient::default() }; 3];
        let request = DeliveryRequest { serial: 9, recipients, ..DeliveryRequest::default() };
        let report = worker::agent::report(&Deferred::<Smtp> { program: PhantomData }, &request);
        assert_eq!((report.serial, report.outcomes.len()), (9, 3));
        for outcome in report.outcomes {
            assert_eq!((outcome.verdict, outcome.status.as_str()), (Verdict::Deferred, "4.3.0"));
            assert_eq!(outcome.text, "mail transport unavailable in this version: outgoing SMTP");
        }
    }
}
