//! The queue manager and the queue.

use crate::declare::parameters;

parameters! {
    CONFIRM_DELAY_CLEARED: Flag = "confirm_delay_cleared", "no", ["qmgr"];
    DEFAULT_DELIVERY_SLOT_COST: Number = "default_delivery_slot_cost", "5", ["qmgr"];
    DEFAULT_DELIVERY_SLOT_DISCOUNT: Number = "default_delivery_slot_discount", "50", ["qmgr"];
    DEFAULT_DELIVERY_SLOT_LOAN: Number = "default_delivery_slot_loan", "3", ["qmgr"];
    DEFAULT_DESTINATION_CONCURRENCY_FAILED_COHORT_LIMIT: Number = "default_destination_concurrency_failed_cohort_limit", "1", ["qmgr"];
    DEFAULT_DESTINATION_CONCURRENCY_LIMIT: Number = "default_destination_concurrency_limit", "20", ["qmgr"];
    DEFAULT_DESTINATION_CONCURRENCY_NEGATIVE_FEEDBACK: Number = "default_destination_concurrency_negative_feedback", "1", ["qmgr"];
    DEFAULT_DESTINATION_CONCURRENCY_POSITIVE_FEEDBACK: Number = "default_destination_concurrency_positive_feedback", "1", ["qmgr"];
    DEFAULT_DESTINATION_RATE_DELAY: Time = "default_destination_rate_delay", "0s", ["qmgr"];
    DEFAULT_DESTINATION_RECIPIENT_LIMIT: Number = "default_destination_recipient_limit", "50", ["qmgr"];
    DEFAULT_EXTRA_RECIPIENT_LIMIT: Number = "default_extra_recipient_limit", "1000", ["qmgr"];
    DEFAULT_MINIMUM_DELIVERY_SLOTS: Number = "default_minimum_delivery_slots", "3", ["qmgr"];
    DEFAULT_RECIPIENT_LIMIT: Number = "default_recipient_limit", "20000", ["qmgr"];
    DEFAULT_RECIPIENT_REFILL_DELAY: Time = "default_recipient_refill_delay", "5s", ["qmgr"];
    DEFAULT_RECIPIENT_REFILL_LIMIT: Number = "default_recipient_refill_limit", "100", ["qmgr"];
    DEFAULT_TRANSPORT_RATE_DELAY: Time = "default_transport_rate_delay", "0s", ["qmgr"];
    DESTINATION_CONCURRENCY_FEEDBACK_DEBUG: Flag = "destination_concurrency_feedback_debug", "no", ["qmgr"];
    ENABLE_LONG_QUEUE_IDS: Flag = "enable_long_queue_ids", "no", ["qmgr"];
    HASH_QUEUE_DEPTH: Number = "hash_queue_depth", "1", ["qmgr"];
    HASH_QUEUE_NAMES: Text = "hash_queue_names", "deferred, defer", ["qmgr"];
    HELPFUL_WARNINGS: Flag = "helpful_warnings", "yes", ["qmgr"];
    IN_FLOW_DELAY: Time = "in_flow_delay", "1s", ["qmgr"];
    INITIAL_DESTINATION_CONCURRENCY: Number = "initial_destination_concurrency", "5", ["qmgr"];
    LOCAL_DESTINATION_CONCURRENCY_LIMIT: Number = "local_destination_concurrency_limit", "2", ["qmgr"];
    LOCAL_DESTINATION_RECIPIENT_LIMIT: Number = "local_destination_recipient_limit", "1", ["qmgr"];
    MAXIMAL_BACKOFF_TIME: Time = "maximal_backoff_time", "4000s", ["qmgr"];
    MAXIMAL_QUEUE_LIFETIME: Time = "maximal_queue_lifetime", "5d", ["qmgr"];
    MINIMAL_BACKOFF_TIME: Time = "minimal_backoff_time", "300s", ["qmgr"];
    QMGR_CLOG_WARN_TIME: Time = "qmgr_clog_warn_time", "300s", ["qmgr"];
    QMGR_DAEMON_TIMEOUT: Time = "qmgr_daemon_timeout", "1000s", ["qmgr"];
    QMGR_FUDGE_FACTOR: Number = "qmgr_fudge_factor", "100", ["qmgr"];
    QMGR_IPC_TIMEOUT: Time = "qmgr_ipc_timeout", "60s", ["qmgr"];
    QMGR_MESSAGE_ACTIVE_LIMIT: Number = "qmgr_message_active_limit", "20000", ["qmgr"];
    QMGR_MESSAGE_RECIPIENT_LIMIT: Number = "qmgr_message_recipient_limit", "20000", ["qmgr"];
    QMGR_MESSAGE_RECIPIENT_MINIMUM: Number = "qmgr_message_recipient_minimum", "10", ["qmgr"];
    QUEUE_DIRECTORY: Text = "queue_directory", "/var/spool/postfix", ["qmgr"];
    QUEUE_FILE_ATTRIBUTE_COUNT_LIMIT: Number = "queue_file_attribute_count_limit", "100", ["qmgr"];
    QUEUE_MINFREE: Number = "queue_minfree", "0", ["qmgr"];
    QUEUE_RUN_DELAY: Time = "queue_run_delay", "300s", ["qmgr"];
    QUEUE_SERVICE_NAME: Text = "queue_service_name", "qmgr", ["qmgr"];
    TRANSPORT_RETRY_TIME: Time = "transport_retry_time", "60s", ["qmgr"];
}
