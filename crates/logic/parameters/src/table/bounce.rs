//! Reports about delivery: failure, delay, success.

use crate::declare::parameters;

parameters! {
    DOUBLE_BOUNCE_NOTICE_RECIPIENT: Text = "2bounce_notice_recipient", "postmaster", ["bounce"];
    BOUNCE_NOTICE_RECIPIENT: Text = "bounce_notice_recipient", "postmaster", ["bounce"];
    BOUNCE_QUEUE_LIFETIME: Time = "bounce_queue_lifetime", "5d", ["bounce"];
    BOUNCE_SERVICE_NAME: Text = "bounce_service_name", "bounce", ["bounce"];
    BOUNCE_SIZE_LIMIT: Number = "bounce_size_limit", "50000", ["bounce"];
    BOUNCE_TEMPLATE_FILE: Text = "bounce_template_file", "", ["bounce"];
    DELAY_LOGGING_RESOLUTION_LIMIT: Number = "delay_logging_resolution_limit", "2", ["bounce"];
    DELAY_NOTICE_RECIPIENT: Text = "delay_notice_recipient", "postmaster", ["bounce"];
    DELAY_WARNING_TIME: Time = "delay_warning_time", "0h", ["bounce"];
    DOUBLE_BOUNCE_SENDER: Text = "double_bounce_sender", "double-bounce", ["bounce"];
    ERROR_NOTICE_RECIPIENT: Text = "error_notice_recipient", "postmaster", ["bounce"];
    NOTIFY_CLASSES: Text = "notify_classes", "resource, software", ["bounce"];
}
