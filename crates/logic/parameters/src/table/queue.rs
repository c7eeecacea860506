//! The queue: where it lies, what enters it, and how the queue manager works through it.

use crate::declare::parameters;

parameters! {
    // Folders and files

    /// Folder of the mail queue, and the root directory of programs that run chrooted. Relative paths of
    /// sockets and pid files start here.
    QUEUE_DIRECTORY: Text = "queue_directory", "/var/spool/postfix", ["all"];
    /// Queues that are split into subfolders. Long queues are faster to scan that way on old file systems.
    /// After a change run `postsuper -s`.
    HASH_QUEUE_NAMES: Text = "hash_queue_names", "deferred, defer", ["all"];
    /// Levels of subfolders, one character of the queue id each, that the queues in `hash_queue_names` have.
    HASH_QUEUE_DEPTH: Number = "hash_queue_depth", "1", ["all"];
    /// Queue ids that never repeat: made of time and inode number in 15 characters or so, without vowels.
    /// Off, a short id may return for another message once the file is gone.
    ENABLE_LONG_QUEUE_IDS: Flag = "enable_long_queue_ids", "no", ["cleanup", "smtpd", "postdrop", "pickup"];
    /// How many named attributes one message may have in its queue file; a message with more is dropped.
    QUEUE_FILE_ATTRIBUTE_COUNT_LIMIT: Number = "queue_file_attribute_count_limit", "100", ["cleanup", "smtpd"];
    /// With 1, delivered messages are kept in the queue folder `saved` instead of being removed. For
    /// debugging only: the disk fills up.
    DONT_REMOVE: Number = "dont_remove", "0", ["qmgr"];

    // What enters the queue

    /// Largest message in bytes that is accepted, envelope records included; 0 means no limit. Announced to
    /// clients with SIZE. No mailbox limit may be smaller.
    MESSAGE_SIZE_LIMIT: Number = "message_size_limit", "10240000", ["all"];
    /// Free bytes that the file system of the queue must have before a message is accepted; 0 asks for none.
    /// At least one and a half times `message_size_limit` is needed besides, whatever stands here.
    QUEUE_MINFREE: Number = "queue_minfree", "0", ["smtpd"];
    /// A message with more `Received:` lines than this is returned as looping.
    HOPCOUNT_LIMIT: Number = "hopcount_limit", "50", ["cleanup", "smtpd"];
    /// Pause before a message is taken in while mail arrives faster than it leaves, 0 to 10 seconds; 0 turns
    /// it off. It applies to each receiving process.
    IN_FLOW_DELAY: Time = "in_flow_delay", "1s", ["cleanup", "smtpd"];

    // How long and how often a message is tried

    /// Time between two scans of the deferred queue. No message is retried sooner, so keep it at or below
    /// `minimal_backoff_time`.
    QUEUE_RUN_DELAY: Time = "queue_run_delay", "300s", ["qmgr", "smtp"];
    /// Shortest wait before a deferred message is tried again; each wait is about as long as the message is
    /// old, within this and `maximal_backoff_time`. It is also how long an unreachable destination is left
    /// alone.
    MINIMAL_BACKOFF_TIME: Time = "minimal_backoff_time", "300s", ["qmgr", "smtp"];
    /// Longest wait between two tries of a deferred message.
    MAXIMAL_BACKOFF_TIME: Time = "maximal_backoff_time", "4000s", ["qmgr"];
    /// Age at which a message that still cannot be delivered is returned. 0 means one try only. A number
    /// without a unit counts days.
    MAXIMAL_QUEUE_LIFETIME: Time = "maximal_queue_lifetime", "5d", ["qmgr", "bounce"];
    /// How long a delivery agent that is broken or missing is left alone before the queue manager asks for it
    /// again.
    TRANSPORT_RETRY_TIME: Time = "transport_retry_time", "60s", ["qmgr"];
    /// Delivery agents, by their names in master.cf, that are not used unless the queue is flushed
    /// (`postqueue -f`).
    DEFER_TRANSPORTS: Text = "defer_transports", "", ["qmgr"];

    // The active queue

    /// Most messages in the active queue.
    QMGR_MESSAGE_ACTIVE_LIMIT: Number = "qmgr_message_active_limit", "20000", ["qmgr"];
    /// Most recipients in memory, over all messages of the active queue. A message with more is read in
    /// parts.
    QMGR_MESSAGE_RECIPIENT_LIMIT: Number = "qmgr_message_recipient_limit", "20000", ["qmgr"];
    /// Recipients that each message may always have in memory, however full the queue is.
    QMGR_MESSAGE_RECIPIENT_MINIMUM: Number = "qmgr_message_recipient_minimum", "10", ["qmgr"];
    /// Shortest time between two log lines that say which destination clogs the active queue; 0 turns them
    /// off.
    QMGR_CLOG_WARN_TIME: Time = "qmgr_clog_warn_time", "300s", ["qmgr"];
    /// How long the queue manager may work on one request before its watchdog ends it.
    QMGR_DAEMON_TIMEOUT: Time = "qmgr_daemon_timeout", "1000s", ["qmgr"];
    /// How long the queue manager waits for another program to read or write on their connection.
    QMGR_IPC_TIMEOUT: Time = "qmgr_ipc_timeout", "60s", ["qmgr"];
    /// Percentage of delivery resources for one big mailing list in the old queue manager. Accepted, and
    /// without effect.
    QMGR_FUDGE_FACTOR: Number = "qmgr_fudge_factor", "100", ["qmgr"];

    // Concurrency

    /// Parallel deliveries that a destination starts with, before success or failure has changed the number.
    INITIAL_DESTINATION_CONCURRENCY: Number = "initial_destination_concurrency", "5", ["qmgr"];
    /// Most parallel deliveries to one destination through one transport. What a destination is depends on
    /// the recipient limit: with a recipient limit of 1 it is one recipient, otherwise one domain or next
    /// hop.
    DEFAULT_DESTINATION_CONCURRENCY_LIMIT: Number = "default_destination_concurrency_limit", "20", ["qmgr"];
    /// Most parallel deliveries through the `local` transport to one recipient.
    LOCAL_DESTINATION_CONCURRENCY_LIMIT: Number = "local_destination_concurrency_limit", "2", ["qmgr"];
    /// How many rounds of parallel deliveries must fail to reach a destination before it counts as dead for a
    /// while. 0 means never.
    DEFAULT_DESTINATION_CONCURRENCY_FAILED_COHORT_LIMIT: Number = "default_destination_concurrency_failed_cohort_limit", "1", ["qmgr"];
    /// How much one failed delivery lowers the concurrency of a destination: a number from 0 to 1, or such a
    /// number over `concurrency` or `sqrt_concurrency`, as in `1/concurrency`.
    DEFAULT_DESTINATION_CONCURRENCY_NEGATIVE_FEEDBACK: Text = "default_destination_concurrency_negative_feedback", "1", ["qmgr"];
    /// How much one successful delivery raises the concurrency of a destination; written as
    /// `default_destination_concurrency_negative_feedback` is.
    DEFAULT_DESTINATION_CONCURRENCY_POSITIVE_FEEDBACK: Text = "default_destination_concurrency_positive_feedback", "1", ["qmgr"];
    /// Logs every step of the concurrency feedback. Many lines.
    DESTINATION_CONCURRENCY_FEEDBACK_DEBUG: Flag = "destination_concurrency_feedback_debug", "no", ["qmgr"];
    /// Pause between two deliveries to the same destination, which then go one at a time. 0 means no pause.
    DEFAULT_DESTINATION_RATE_DELAY: Time = "default_destination_rate_delay", "0s", ["qmgr"];
    /// Pause between two deliveries through the same transport, whatever the destination, one at a time. 0
    /// means no pause.
    DEFAULT_TRANSPORT_RATE_DELAY: Time = "default_transport_rate_delay", "0s", ["qmgr"];

    // Recipients of one delivery, and the order of messages

    /// Most recipients in one delivery request to one destination. 1 makes every recipient a delivery, and a
    /// destination, of its own.
    DEFAULT_DESTINATION_RECIPIENT_LIMIT: Number = "default_destination_recipient_limit", "50", ["qmgr"];
    /// Recipients in one delivery request to the `local` transport. Only 1 makes sense there.
    LOCAL_DESTINATION_RECIPIENT_LIMIT: Number = "local_destination_recipient_limit", "1", ["qmgr"];
    /// Most recipients in memory for one transport.
    DEFAULT_RECIPIENT_LIMIT: Number = "default_recipient_limit", "20000", ["qmgr"];
    /// Recipients allowed above `default_recipient_limit` for messages that overtake others.
    DEFAULT_EXTRA_RECIPIENT_LIMIT: Number = "default_extra_recipient_limit", "1000", ["qmgr"];
    /// Recipients that are read from a long message's queue file at once, when that many places are free in
    /// memory.
    DEFAULT_RECIPIENT_REFILL_LIMIT: Number = "default_recipient_refill_limit", "100", ["qmgr"];
    /// Wait after which recipients are read even though fewer places than `default_recipient_refill_limit`
    /// are free.
    DEFAULT_RECIPIENT_REFILL_DELAY: Time = "default_recipient_refill_delay", "5s", ["qmgr"];
    /// How many deliveries of a big message earn one delivery for a smaller one that arrived later. 0
    /// switches overtaking off; from 2 on, a lower value lets small messages pass sooner.
    DEFAULT_DELIVERY_SLOT_COST: Number = "default_delivery_slot_cost", "5", ["qmgr"];
    /// How many of the needed deliveries may be missing, besides those of the discount, when a message overtakes.
    DEFAULT_DELIVERY_SLOT_LOAN: Number = "default_delivery_slot_loan", "3", ["qmgr"];
    /// Percentage of the needed deliveries that may still be missing when a message overtakes another.
    DEFAULT_DELIVERY_SLOT_DISCOUNT: Number = "default_delivery_slot_discount", "50", ["qmgr"];
    /// Messages with fewer deliveries than this are never overtaken, as it would gain nothing.
    DEFAULT_MINIMUM_DELIVERY_SLOTS: Number = "default_minimum_delivery_slots", "3", ["qmgr"];

    // Flushing one destination

    /// Destinations for which a list of waiting messages is kept, so that ETRN and `postqueue -s` can send
    /// just those.
    FAST_FLUSH_DOMAINS: Text = "fast_flush_domains", "$relay_domains", ["flush", "qmgr", "postqueue"];
    /// A list that was not used for this long is worked off, to be free of entries that no longer matter.
    FAST_FLUSH_REFRESH_TIME: Time = "fast_flush_refresh_time", "12h", ["flush"];
    /// An empty list that was not changed for this long is removed.
    FAST_FLUSH_PURGE_TIME: Time = "fast_flush_purge_time", "7d", ["flush"];

    // Services

    /// Service in master.cf of the queue manager.
    QUEUE_SERVICE_NAME: Text = "queue_service_name", "qmgr", ["all"];
    /// Service in master.cf that keeps the lists of `fast_flush_domains`.
    FLUSH_SERVICE_NAME: Text = "flush_service_name", "flush", ["all"];
    /// Service in master.cf that lists the queue, for `mailq` and `postqueue -p`.
    SHOWQ_SERVICE_NAME: Text = "showq_service_name", "showq", ["all"];
    /// Service in master.cf that mail with a known error is handed to, in order to be returned.
    ERROR_SERVICE_NAME: Text = "error_service_name", "error", ["all"];
}
