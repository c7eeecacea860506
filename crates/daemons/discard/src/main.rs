//! # NAME
//! discard - take mail and forget it
//!
//! # DESCRIPTION
//! Takes deliveries from qmgr(8) and reports success for each without keeping anything. What stands behind the
//! transport's name, as in `discard:quietly`, is the text of the log.
//!
//! # SEE ALSO
//! qmgr(8), error(8), transport(5)

use std::process::ExitCode;

use services::delivery::{DeliveryRequest, Outcome, Recipient, Verdict, split_status};
use worker::agent::{Agent, Verdicts};
use worker::{Setup, StartError};

/// Success for everyone.
struct Forget;

impl Verdicts for Forget {
    const PROGRAM: &'static str = "discard";

    fn open(_setup: &Setup) -> Result<Self, StartError> {
        Ok(Self)
    }

    fn outcome(&self, request: &DeliveryRequest, _recipient: &Recipient) -> Outcome {
        let (status, text) = split_status(&request.nexthop, "2.0.0");
        Outcome::new(Verdict::Sent, &status, text, "none")
    }
}

fn main() -> ExitCode {
    worker::run::<Agent<Forget>>()
}
