//! # NAME
//! error - return or put off all mail
//!
//! # DESCRIPTION
//! Takes deliveries from qmgr(8) and delivers none. Under the service name `retry` every recipient is put off, under
//! any other it is returned to the sender. The reason is what stands behind the transport's name, as in
//! `error:5.1.2 no such domain`: an RFC 3463 status code, which may be left out, and a text.
//!
//! # SEE ALSO
//! qmgr(8), discard(8), transport(5)

use std::process::ExitCode;

use services::delivery::{DeliveryRequest, Outcome, Recipient, Verdict, split_status};
use worker::agent::{Agent, Verdicts};
use worker::{Setup, StartError};

/// The service name under which mail is put off.
const RETRY_SERVICE: &str = "retry";

/// One verdict on all mail.
struct Refusal {
    verdict: Verdict,
    default_status: &'static str,
}

impl Refusal {
    fn of_service(name: &str) -> Self {
        if name == RETRY_SERVICE {
            return Self { verdict: Verdict::Deferred, default_status: "4.0.0" };
        }
        Self { verdict: Verdict::Bounced, default_status: "5.0.0" }
    }
}

impl Verdicts for Refusal {
    const PROGRAM: &'static str = "error";

    fn open(setup: &Setup) -> Result<Self, StartError> {
        Ok(Self::of_service(&setup.service))
    }

    fn outcome(&self, request: &DeliveryRequest, _recipient: &Recipient) -> Outcome {
        let (status, text) = split_status(&request.nexthop, self.default_status);
        Outcome::new(self.verdict, &status, text, "none")
    }
}

fn main() -> ExitCode {
    worker::run::<Agent<Refusal>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(service: &str, nexthop: &str) -> (Verdict, String, String) {
        let request = DeliveryRequest { nexthop: nexthop.into(), ..DeliveryRequest::default() };
        let outcome = Refusal::of_service(service).outcome(&request, &Recipient::default());
        (outcome.verdict, outcome.status, outcome.text)
    }

    #[test]
    fn the_services_name_decides_between_now_and_never() {
        let expected = (Verdict::Bounced, "5.1.2".into(), "no such domain".into());
        assert_eq!(outcome("error", "5.1.2 no such domain"), expected);
        assert_eq!(outcome("retry", "4.7.1 later"), (Verdict::Deferred, "4.7.1".into(), "later".into()));
        assert_eq!(outcome("retry", "5.1.1 odd"), (Verdict::Deferred, "4.0.0".into(), "odd".into()));
    }
}
