//! Reports about delivery: failure, delay, success; who gets them and how they are returned.

use crate::declare::parameters;

parameters! {
    // Reports to senders

    /// How long a report (a message with the empty sender) is tried before it is given up. 0 means one try
    /// only. A number without a unit counts days.
    BOUNCE_QUEUE_LIFETIME: Time = "bounce_queue_lifetime", "5d", ["qmgr"];
    /// How many bytes of the original message a non-delivery report quotes; a longer original is returned as
    /// headers only. 0 or a negative value is refused.
    BOUNCE_SIZE_LIMIT: Number = "bounce_size_limit", "50000", ["bounce"];
    /// File with our own wording of the failure, delay, success and verify reports, one template a section. A
    /// template that is missing or broken is replaced by the built-in one. Read at start.
    BOUNCE_TEMPLATE_FILE: Text = "bounce_template_file", "", ["bounce"];
    /// Age at which the sender of a message that still waits is told so, once. 0 turns these warnings off. A
    /// number without a unit counts hours.
    DELAY_WARNING_TIME: Time = "delay_warning_time", "0h", ["bounce", "cleanup", "smtpd"];
    /// Tells a sender who has had a delay warning when the message got through after all. Expect a wave of
    /// such mail when a long outage ends.
    CONFIRM_DELAY_CLEARED: Flag = "confirm_delay_cleared", "no", ["qmgr"];
    /// Adds `References:` and `In-Reply-To:` with the Message-ID of the original to reports, so that mail
    /// readers show them in its thread (where they are also easily deleted with it).
    ENABLE_THREADED_BOUNCES: Flag = "enable_threaded_bounces", "no", ["bounce"];
    /// Local part of the sender address of what must never bounce again: postmaster notices and address
    /// probes. Mail to this address is thrown away, so no real user may have it.
    DOUBLE_BOUNCE_SENDER: Text = "double_bounce_sender", "double-bounce", ["all"];
    /// Safety net while a new configuration is tried out: every permanent failure becomes a temporary one
    /// (5xx replies turn into 4xx, and mail that would bounce stays in the queue).
    SOFT_BOUNCE: Flag = "soft_bounce", "no", ["all"];
    /// Writes the bounce log's older record form too, for readers from before Postfix 2.0.
    BACKWARDS_BOUNCE_LOGFILE_COMPATIBILITY: Flag = "backwards_bounce_logfile_compatibility", "yes", ["bounce"];

    // Notices to the postmaster

    /// Kinds of trouble that the postmaster is mailed about: `bounce`, `2bounce`, `data`, `delay`, `policy`,
    /// `protocol`, `resource`, `software`.
    NOTIFY_CLASSES: Text = "notify_classes", "resource, software", ["bounce", "smtpd", "smtp"];
    /// Who gets the copies of non-delivery reports that the classes `bounce` and `data` ask for. Not where
    /// the reports themselves go: that is always the sender.
    BOUNCE_NOTICE_RECIPIENT: Text = "bounce_notice_recipient", "postmaster", ["bounce", "smtpd"];
    /// Who gets reports that could not be returned to anyone (class `2bounce`).
    DOUBLE_BOUNCE_NOTICE_RECIPIENT: Text = "2bounce_notice_recipient", "postmaster", ["bounce"];
    /// Who gets the headers of messages that are late (class `delay`).
    DELAY_NOTICE_RECIPIENT: Text = "delay_notice_recipient", "postmaster", ["bounce"];
    /// Who gets the transcripts of sessions that went wrong (classes `policy`, `protocol`, `resource`,
    /// `software`).
    ERROR_NOTICE_RECIPIENT: Text = "error_notice_recipient", "postmaster", ["smtpd", "smtp"];

    // Variable envelope return paths

    /// The two characters that VERP puts into the envelope sender: first between the list's name and the
    /// recipient, then in place of the recipient's `@`.
    DEFAULT_VERP_DELIMITERS: Text = "default_verp_delimiters", "+=", ["all"];
    /// Characters that a client may choose as VERP delimiters in MAIL FROM or on the command line of
    /// `sendmail`.
    VERP_DELIMITER_FILTER: Text = "verp_delimiter_filter", "-=+", ["smtpd", "sendmail"];
    /// Delivers mail with a VERP sender as usual, but sends one report with all failed recipients to the
    /// plain sender instead of one report for each of them.
    DISABLE_VERP_BOUNCES: Flag = "disable_verp_bounces", "no", ["qmgr", "cleanup", "smtpd"];

    // Services

    /// Service in master.cf that keeps the logs of failed recipients and sends the reports.
    BOUNCE_SERVICE_NAME: Text = "bounce_service_name", "bounce", ["all"];
    /// Service in master.cf that keeps the logs of deferred recipients.
    DEFER_SERVICE_NAME: Text = "defer_service_name", "defer", ["all"];
    /// Service in master.cf that keeps the logs of successful, relayed and expanded recipients, for success
    /// reports and `sendmail -v`.
    TRACE_SERVICE_NAME: Text = "trace_service_name", "trace", ["all"];
}
