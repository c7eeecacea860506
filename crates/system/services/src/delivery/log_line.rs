//! What is logged of a delivery.

use std::borrow::Cow;

use super::{DeliveryRequest, Outcome, Recipient, Verdict};

/// The times of one delivery, for `delay=` and `delays=a/b/c/d` (postconf(5) `delay_logging_resolution_limit`).
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// When the agent took the request: microseconds since 1970.
    pub taken_us: u64,
    /// When the connection to the next hop stood; the same as `taken_us` where there is none.
    pub connected_us: u64,
    /// When the delivery was over.
    pub done_us: u64,
}

/// The log line of one recipient, after the program name:
/// `QID: to=<r>, orig_to=<o>, relay=virtual, delay=0.03, delays=0.02/0/0/0.01, dsn=2.0.0, status=sent (text)`.
pub fn log_line(request: &DeliveryRequest, recipient: &Recipient, outcome: &Outcome, times: Times) -> String {
    let original = if recipient.original.is_empty() || recipient.original == recipient.address {
        String::new()
    } else {
        format!(" orig_to=<{}>,", shown(request, &recipient.original))
    };
    let span = |from: u64, to: u64| delay(to.saturating_sub(from));
    format!(
        "{id}: to=<{to}>,{original} relay={relay}, delay={total}, delays={a}/{b}/{c}/{d}, dsn={dsn}, status={status} ({text})",
        id = request.queue_id,
        to = shown(request, &recipient.address),
        relay = outcome.relay,
        total = span(request.arrived_us, times.done_us),
        a = span(request.arrived_us, request.active_us),
        b = span(request.active_us, times.taken_us),
        c = span(times.taken_us, times.connected_us),
        d = span(times.connected_us, times.done_us),
        dsn = shown_status(request, outcome),
        status = status_word(request, outcome.verdict),
        text = outcome.text,
    )
}

/// An address with quotes where it needs them, unless `info_log_address_format` says otherwise.
fn shown<'a>(request: &DeliveryRequest, address: &'a str) -> Cow<'a, str> {
    if request.log_internal_form || address.is_empty() {
        Cow::Borrowed(address)
    } else {
        address::quoted(address)
    }
}

/// What is tried again under `soft_bounce` has a temporary status.
fn shown_status<'a>(request: &DeliveryRequest, outcome: &'a Outcome) -> Cow<'a, str> {
    match outcome.status.strip_prefix('5') {
        Some(rest) if is_softened(request, outcome.verdict) => Cow::Owned(format!("4{rest}")),
        _ => Cow::Borrowed(&outcome.status),
    }
}

fn is_softened(request: &DeliveryRequest, verdict: Verdict) -> bool {
    request.soft_bounce && verdict == Verdict::Bounced
}

/// The word behind `status=`.
fn status_word(request: &DeliveryRequest, verdict: Verdict) -> &'static str {
    match verdict {
        _ if is_softened(request, verdict) => "SOFTBOUNCE",
        _ if !request.trace.only_verifies() => verdict.word(),
        Verdict::Sent => "deliverable",
        Verdict::Deferred | Verdict::Bounced => "undeliverable",
    }
}

/// A time span as Postfix logs it: two significant digits, at most two decimals, no needless zeros.
pub fn delay(microseconds: u64) -> String {
    let seconds = microseconds as f64 / 1e6;
    let decimals = match seconds {
        s if s >= 9.95 => 0,
        s if s >= 0.995 => 1,
        _ => 2,
    };
    let mut text = format!("{seconds:.decimals$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_keep_two_significant_digits() {
        let cases = [(0, "0"), (4_000, "0"), (31_000, "0.03"), (300_000, "0.3"), (1_500_000, "1.5")];
        for (microseconds, text) in cases.into_iter().chain([(12_300_000, "12"), (10_000_000, "10")]) {
            assert_eq!(delay(microseconds), text);
        }
    }
}
