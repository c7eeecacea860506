//! The parameters of the queue manager, read once.

use std::time::Duration;

use parameters::{Config, Number, Param, Time, family};
use scheduling::retry::RetrySettings;
use scheduling::{FeedbackRule, MemoryLimits, TransportLimits, TransportMemory};
use services::delivery::DelayDecimals;

use crate::message::Message;

/// What main.cf says, in the units that are used here.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) active_limit: usize,
    pub(crate) memory: MemoryLimits,
    pub(crate) retry: RetrySettings,
    pub(crate) queue_run_delay: Duration,
    pub(crate) transport_retry_us: u64,
    pub(crate) minimal_backoff_us: u64,
    /// Between two warnings that a destination fills the active queue; 0 for none.
    pub(crate) clog_warn_us: u64,
    pub(crate) delivery_timeout: Duration,
    pub(crate) soft_bounce: bool,
    pub(crate) defer_transports: String,
    pub(crate) default_filter_nexthop: String,
    pub(crate) double_bounce_sender: String,
    pub(crate) bounce_service: String,
    pub(crate) defer_service: String,
    pub(crate) trace_service: String,
    pub(crate) error_service: String,
    pub(crate) retry_service: String,
    pub(crate) flush_service: String,
    pub(crate) fast_flush_domains: String,
    /// A domain in `fast_flush_domains` stands for its subdomains too.
    pub(crate) fast_flush_parents: bool,
    /// Reports of mail with VERP go to the sender's own address, in one.
    pub(crate) verp_bounces_disabled: bool,
    /// The sender who was told of a delay is told of its end.
    pub(crate) confirm_delay_cleared: bool,
    /// `info_log_address_format`: log lines show addresses as they are inside, without quotes.
    pub(crate) log_internal_form: bool,
    /// `delay_logging_resolution_limit`: digits behind the point of delays in log lines.
    pub(crate) delay_decimals: DelayDecimals,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let seconds = |parameter: &Param<Time>| config.get(parameter).as_secs();
        let count = |parameter: &Param<Number>| usize::try_from(config.get(parameter)).unwrap_or(0).max(1);
        Self {
            active_limit: count(&parameters::QMGR_MESSAGE_ACTIVE_LIMIT),
            memory: MemoryLimits {
                recipients: count(&parameters::QMGR_MESSAGE_RECIPIENT_LIMIT),
                minimum: count(&parameters::QMGR_MESSAGE_RECIPIENT_MINIMUM),
            },
            retry: RetrySettings {
                minimal_backoff: seconds(&parameters::MINIMAL_BACKOFF_TIME),
                maximal_backoff: seconds(&parameters::MAXIMAL_BACKOFF_TIME),
                lifetime: seconds(&parameters::MAXIMAL_QUEUE_LIFETIME),
                bounce_lifetime: seconds(&parameters::BOUNCE_QUEUE_LIFETIME),
            },
            queue_run_delay: config.get(&parameters::QUEUE_RUN_DELAY).max(Duration::from_secs(1)),
            transport_retry_us: microseconds(config.get(&parameters::TRANSPORT_RETRY_TIME)),
            minimal_backoff_us: microseconds(config.get(&parameters::MINIMAL_BACKOFF_TIME)),
            clog_warn_us: match config.get(&parameters::HELPFUL_WARNINGS) {
                true => microseconds(config.get(&parameters::QMGR_CLOG_WARN_TIME)),
                false => 0,
            },
            delivery_timeout: config.get(&parameters::IPC_TIMEOUT),
            soft_bounce: config.get(&parameters::SOFT_BOUNCE),
            defer_transports: config.get(&parameters::DEFER_TRANSPORTS),
            default_filter_nexthop: config.get(&parameters::DEFAULT_FILTER_NEXTHOP),
            double_bounce_sender: config.get(&parameters::DOUBLE_BOUNCE_SENDER),
            bounce_service: config.get(&parameters::BOUNCE_SERVICE_NAME),
            defer_service: config.get(&parameters::DEFER_SERVICE_NAME),
            trace_service: config.get(&parameters::TRACE_SERVICE_NAME),
            error_service: config.get(&parameters::ERROR_SERVICE_NAME),
            retry_service: "retry".to_owned(),
            flush_service: config.get(&parameters::FLUSH_SERVICE_NAME),
            fast_flush_domains: config.get(&parameters::FAST_FLUSH_DOMAINS),
            fast_flush_parents: words(&config.get(&parameters::PARENT_DOMAIN_MATCHES_SUBDOMAINS))
                .any(|word| word == "fast_flush_domains"),
            verp_bounces_disabled: config.get(&parameters::DISABLE_VERP_BOUNCES),
            confirm_delay_cleared: config.get(&parameters::CONFIRM_DELAY_CLEARED),
            log_internal_form: config.get(&parameters::INFO_LOG_ADDRESS_FORMAT) == "internal",
            delay_decimals: DelayDecimals(
                u8::try_from(config.get(&parameters::DELAY_LOGGING_RESOLUTION_LIMIT)).unwrap_or(2).min(6),
            ),
        }
    }
}

impl Settings {
    /// An address as log lines show it.
    pub(crate) fn shown(&self, address: &str) -> String {
        if self.log_internal_form || address.is_empty() {
            address.to_owned()
        } else {
            address::quote(address)
        }
    }

    /// Tells a message what its deliveries have to know.
    pub(crate) fn apply_to(&self, message: &mut Message) {
        message.log_internal_form = self.log_internal_form;
        message.delay_decimals = self.delay_decimals;
        message.soft_bounce = self.soft_bounce && !message.trace.only_verifies();
    }

    /// Is this transport in `defer_transports`?
    pub(crate) fn is_deferred(&self, transport: &str) -> bool {
        words(&self.defer_transports).any(|word| word == transport)
    }
}

/// The limits of one transport.
pub(crate) fn transport_limits(config: &Config, transport: &str) -> TransportLimits {
    let number = |family: &family::Family<Number>| u32::try_from(config.of(family, transport)).unwrap_or(0);
    let rule = |family: &family::Family<parameters::Text>| {
        let text = config.of(family, transport);
        FeedbackRule::parse(&text).unwrap_or_else(|_| {
            let name = format!("{transport}{}", family.suffix);
            log::warn!("{name}: bad value {text:?}: use a number from 0 to 1, which may be divided by concurrency or sqrt_concurrency");
            FeedbackRule::ONE
        })
    };
    TransportLimits {
        destination_concurrency: number(&family::DESTINATION_CONCURRENCY_LIMIT),
        initial_concurrency: number(&family::INITIAL_DESTINATION_CONCURRENCY),
        recipients: number(&family::DESTINATION_RECIPIENT_LIMIT),
        positive: rule(&family::DESTINATION_CONCURRENCY_POSITIVE_FEEDBACK),
        negative: rule(&family::DESTINATION_CONCURRENCY_NEGATIVE_FEEDBACK),
        failed_cohorts: number(&family::DESTINATION_CONCURRENCY_FAILED_COHORT_LIMIT),
        destination_rate_delay: microseconds(config.of(&family::DESTINATION_RATE_DELAY, transport)),
        transport_rate_delay: microseconds(config.of(&family::TRANSPORT_RATE_DELAY, transport)),
        slot_cost: number(&family::DELIVERY_SLOT_COST),
        slot_loan: number(&family::DELIVERY_SLOT_LOAN),
        slot_discount: number(&family::DELIVERY_SLOT_DISCOUNT).min(100),
        minimum_slots: number(&family::MINIMUM_DELIVERY_SLOTS),
        deliveries: deliveries(config),
    }
}

/// How many recipients of one transport are in memory.
pub(crate) fn transport_memory(config: &Config, transport: &str) -> TransportMemory {
    let number = |family: &family::Family<Number>| usize::try_from(config.of(family, transport)).unwrap_or(0);
    TransportMemory {
        recipients: number(&family::RECIPIENT_LIMIT),
        extra: number(&family::EXTRA_RECIPIENT_LIMIT),
        refill: number(&family::RECIPIENT_REFILL_LIMIT),
        refill_delay: microseconds(config.of(&family::RECIPIENT_REFILL_DELAY, transport)),
    }
}

/// As many deliveries of one transport at a time as Postfix would start processes; 0 is no limit.
fn deliveries(config: &Config) -> u32 {
    match u32::try_from(config.get(&parameters::DEFAULT_PROCESS_LIMIT)) {
        Ok(limit) if limit > 0 => limit,
        _ => u32::MAX,
    }
}

/// The words of a list that is separated by commas or blanks.
pub(crate) fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty())
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
