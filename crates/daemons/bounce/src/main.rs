//! # NAME
//! bounce - keeps what became of recipients, and tells senders
//!
//! # SYNOPSIS
//! bounce \[generic daemon options\]
//!
//! # DESCRIPTION
//! Serves the services bounce, defer and trace. Each keeps one log per message, below the folder of its own name in the queue
//! directory, and makes reports from it when the queue manager says so: non-delivery reports (bounce, and defer when
//! a message has expired), delay warnings (defer), reports of success and of address verification (trace). A report is
//! a new message from the null sender; copies for the postmaster come from double_bounce_sender, and what can not be
//! delivered of those is dropped: there is no third bounce.
//!
//! What this program confirms is on disk.
//!
//! # STANDARDS
//! RFC 3461 (delivery status notifications), RFC 3464 (their form), RFC 3834 (Auto-Submitted), RFC 6522
//! (multipart/report), RFC 6533 (internationalized reports)
//!
//! # CONFIGURATION PARAMETERS
//! 2bounce_notice_recipient, bounce_notice_recipient, bounce_size_limit, bounce_template_file,
//! delay_notice_recipient, double_bounce_sender, enable_threaded_bounces, mail_name, maximal_queue_lifetime, notify_classes,
//! smtputf8_enable; bounce_service_name, defer_service_name, trace_service_name
//!
//! # SEE ALSO
//! bounce(5), qmgr(8), cleanup(8), postconf(5), master(5)

mod settings;
mod service;
mod conversation;
mod job;
mod prepare;
mod original;
mod post;

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::run::<service::Bounce>()
}
