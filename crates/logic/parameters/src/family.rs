//! Settings that exist once for every delivery transport or service: `smtp_destination_recipient_limit`.

use crate::declare::{Number, Param, Text, Time};
use crate::table;

/// A setting whose name is that of a service of master.cf and a suffix.
#[derive(Debug)]
pub struct Family<T: 'static> {
    /// `_destination_recipient_limit`
    pub suffix: &'static str,
    /// What holds for services without a setting of their own.
    pub default: &'static Param<T>,
}

const fn family<T>(suffix: &'static str, default: &'static Param<T>) -> Family<T> {
    Family { suffix, default }
}

impl<T> Family<T> {
    const fn names(&self) -> (&'static str, &'static str) {
        (self.suffix, self.default.name())
    }
}

/// Deliveries to one destination at the same time.
pub static DESTINATION_CONCURRENCY_LIMIT: Family<Number> =
    family("_destination_concurrency_limit", &table::DEFAULT_DESTINATION_CONCURRENCY_LIMIT);
/// Deliveries to a destination of which nothing is known yet.
pub static INITIAL_DESTINATION_CONCURRENCY: Family<Number> =
    family("_initial_destination_concurrency", &table::INITIAL_DESTINATION_CONCURRENCY);
/// Recipients in one delivery.
pub static DESTINATION_RECIPIENT_LIMIT: Family<Number> =
    family("_destination_recipient_limit", &table::DEFAULT_DESTINATION_RECIPIENT_LIMIT);
/// How much a success adds to a destination's concurrency.
pub static DESTINATION_CONCURRENCY_POSITIVE_FEEDBACK: Family<Text> = family(
    "_destination_concurrency_positive_feedback",
    &table::DEFAULT_DESTINATION_CONCURRENCY_POSITIVE_FEEDBACK,
);
/// How much a failure takes from a destination's concurrency.
pub static DESTINATION_CONCURRENCY_NEGATIVE_FEEDBACK: Family<Text> = family(
    "_destination_concurrency_negative_feedback",
    &table::DEFAULT_DESTINATION_CONCURRENCY_NEGATIVE_FEEDBACK,
);
/// Failures in a row after which a destination counts as dead.
pub static DESTINATION_CONCURRENCY_FAILED_COHORT_LIMIT: Family<Number> = family(
    "_destination_concurrency_failed_cohort_limit",
    &table::DEFAULT_DESTINATION_CONCURRENCY_FAILED_COHORT_LIMIT,
);
/// Pause between deliveries to one destination.
pub static DESTINATION_RATE_DELAY: Family<Time> =
    family("_destination_rate_delay", &table::DEFAULT_DESTINATION_RATE_DELAY);
/// Pause between deliveries of one transport.
pub static TRANSPORT_RATE_DELAY: Family<Time> =
    family("_transport_rate_delay", &table::DEFAULT_TRANSPORT_RATE_DELAY);
/// Recipients of one transport in memory.
pub static RECIPIENT_LIMIT: Family<Number> = family("_recipient_limit", &table::DEFAULT_RECIPIENT_LIMIT);
/// Further recipients in memory for messages that overtake others.
pub static EXTRA_RECIPIENT_LIMIT: Family<Number> =
    family("_extra_recipient_limit", &table::DEFAULT_EXTRA_RECIPIENT_LIMIT);
/// Free places after which more recipients of a message are read.
pub static RECIPIENT_REFILL_LIMIT: Family<Number> =
    family("_recipient_refill_limit", &table::DEFAULT_RECIPIENT_REFILL_LIMIT);
/// Time after which more recipients of a message are read.
pub static RECIPIENT_REFILL_DELAY: Family<Time> =
    family("_recipient_refill_delay", &table::DEFAULT_RECIPIENT_REFILL_DELAY);
/// Deliveries that earn a message one place ahead of others.
pub static DELIVERY_SLOT_COST: Family<Number> =
    family("_delivery_slot_cost", &table::DEFAULT_DELIVERY_SLOT_COST);
/// Places that a message may use before it has earned them.
pub static DELIVERY_SLOT_LOAN: Family<Number> =
    family("_delivery_slot_loan", &table::DEFAULT_DELIVERY_SLOT_LOAN);
/// Percentage of places that a message need not have earned.
pub static DELIVERY_SLOT_DISCOUNT: Family<Number> =
    family("_delivery_slot_discount", &table::DEFAULT_DELIVERY_SLOT_DISCOUNT);
/// Messages that can earn fewer places than this never overtake.
pub static MINIMUM_DELIVERY_SLOTS: Family<Number> =
    family("_minimum_delivery_slots", &table::DEFAULT_MINIMUM_DELIVERY_SLOTS);
/// How long an external command of spawn or pipe may run.
pub static TIME_LIMIT: Family<Time> = family("_time_limit", &table::COMMAND_TIME_LIMIT);

/// Suffix of each family, and the name of the parameter that is its default.
pub static SUFFIXES: &[(&str, &str)] = &[
    DESTINATION_CONCURRENCY_LIMIT.names(),
    INITIAL_DESTINATION_CONCURRENCY.names(),
    DESTINATION_RECIPIENT_LIMIT.names(),
    DESTINATION_CONCURRENCY_POSITIVE_FEEDBACK.names(),
    DESTINATION_CONCURRENCY_NEGATIVE_FEEDBACK.names(),
    DESTINATION_CONCURRENCY_FAILED_COHORT_LIMIT.names(),
    DESTINATION_RATE_DELAY.names(),
    TRANSPORT_RATE_DELAY.names(),
    RECIPIENT_LIMIT.names(),
    EXTRA_RECIPIENT_LIMIT.names(),
    RECIPIENT_REFILL_LIMIT.names(),
    RECIPIENT_REFILL_DELAY.names(),
    DELIVERY_SLOT_COST.names(),
    DELIVERY_SLOT_LOAN.names(),
    DELIVERY_SLOT_DISCOUNT.names(),
    MINIMUM_DELIVERY_SLOTS.names(),
    TIME_LIMIT.names(),
];

/// The parameter that is the default of a name such as `dovecot_destination_recipient_limit`.
pub(crate) fn default_of(name: &str) -> Option<&'static str> {
    SUFFIXES
        .iter()
        .find(|(suffix, _)| name.len() > suffix.len() && name.ends_with(suffix))
        .map(|(_, default)| *default)
}
