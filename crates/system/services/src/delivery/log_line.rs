//! What is logged of a delivery.

use std::borrow::Cow;

use super::{DeliveryRequest, Outcome, Recipient, Verdict};

/// A second, and ten, in microseconds.
const SECOND_US: u64 = 1_000_000;
const TEN_SECONDS_US: u64 = 10 * SECOND_US;

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

/// Digits behind the point of a time span in the log, at most (0 to 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelayDecimals(pub u8);

impl Default for DelayDecimals {
    /// As `postconf -d delay_logging_resolution_limit`.
    fn default() -> Self {
        Self(2)
    }
}

/// The log line of one recipient, after the program name:
/// `QID: to=<r>, orig_to=<o>, relay=virtual, delay=0.03, delays=0.02/0/0/0.01, dsn=2.0.0, status=sent (text)`.
pub fn log_line(request: &DeliveryRequest, recipient: &Recipient, outcome: &Outcome, times: Times) -> String {
    let same = recipient.original.eq_ignore_ascii_case(&recipient.address);
    let original = if recipient.original.is_empty() || same {
        String::new()
    } else {
        format!(" orig_to=<{}>,", shown(request, &recipient.original))
    };
    let span = |from: u64, to: u64| delay(to.saturating_sub(from), request.delay_decimals);
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

/// A time span as Postfix logs it: two significant digits, no needless zeros, and from 10 s on no fraction.
pub fn delay(microseconds: u64, most: DelayDecimals) -> String {
    let decimals = match microseconds {
        TEN_SECONDS_US.. => 0,
        SECOND_US.. => most.0.min(1),
        small => two_digits(small, most.0.min(6)),
    };
    let unit = SECOND_US / 10_u64.pow(u32::from(decimals));
    let rounded = microseconds.saturating_add(unit / 2);
    let (seconds, units) = (rounded / SECOND_US, rounded % SECOND_US / unit);
    if units == 0 {
        return seconds.to_string();
    }
    let text = format!("{seconds}.{units:0width$}", width = usize::from(decimals));
    text.trim_end_matches('0').to_owned()
}

/// With how many decimals a span below a second has two significant digits; at most so many.
fn two_digits(microseconds: u64, most: u8) -> u8 {
    let unit = |decimals: u8| SECOND_US / 10_u64.pow(u32::from(decimals));
    (0..=most).rev().find(|decimals| microseconds < 100 * unit(*decimals)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(decimals: u8, microseconds: u64) -> String {
        delay(microseconds, DelayDecimals(decimals))
    }

    #[test]
    fn delays_keep_two_significant_digits() {
        let cases = [(0, "0"), (4_000, "0"), (31_000, "0.03"), (300_000, "0.3"), (1_500_000, "1.5")];
        for (microseconds, text) in cases.into_iter().chain([
            (12_300_000, "12"),
            (10_000_000, "10"),
            (995_000, "1"),
            (9_960_000, "10"),
            (5_000, "0.01"),
        ]) {
            assert_eq!(with(2, microseconds), text);
        }
    }

    #[test]
    fn the_resolution_can_be_finer_and_coarser() {
        for (decimals, microseconds, text) in [
            (6, 31_234, "0.031"),
            (6, 99_600, "0.1"),
            (6, 7, "0.000007"),
            (4, 4_321, "0.0043"),
            (4, 40, "0"),
            (3, 950_000, "0.95"),
            (1, 340_000, "0.3"),
            (0, 499_999, "0"),
            (0, 1_500_000, "2"),
            (6, 1_250_000, "1.3"),
        ] {
            assert_eq!(with(decimals, microseconds), text, "{decimals} {microseconds}");
        }
    }
}
