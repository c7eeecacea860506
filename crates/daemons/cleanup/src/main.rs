//! # NAME
//! cleanup - takes messages from programs that do not edit them by themselves
//!
//! # SYNOPSIS
//! cleanup \[generic daemon options\]
//!
//! # DESCRIPTION
//! Puts messages into the queue: completes and rewrites headers, expands recipients, checks content, writes the queue
//! file, and answers when it is safe on disk. It speaks the protocol of Postfix's cleanup(8): the queue id first, then flags and
//! queue-file records from the client, then status and reason. Our smtpd(8), pickup(8) and bounce(8) do the same work in their own
//! processes; this program is for all others.
//!
//! # STANDARDS
//! RFC 2045 (MIME), RFC 3463 (enhanced status codes), RFC 5322 (messages), RFC 6531 (internationalized mail)
//!
//! # DIAGNOSTICS
//! Message ids and the actions of checks are logged as Postfix logs them. A client that breaks off leaves nothing in the queue.
//!
//! # CONFIGURATION PARAMETERS
//! `always_add_missing_headers`, `always_bcc`, `body_checks`, `body_checks_size_limit`, `canonical_classes`, `canonical_maps`,
//! `cleanup_replace_stray_cr_lf`, `detect_8bit_encoding_header`, `disable_mime_input_processing`, `duplicate_filter_limit`,
//! `empty_address_recipient`, `enable_long_queue_ids`, `enable_original_recipient`, `header_address_token_limit`, `header_checks`,
//! `header_from_format`, `header_size_limit`, `hopcount_limit`, `line_length_limit`, `masquerade_classes`, `masquerade_domains`,
//! `masquerade_exceptions`, `message_drop_headers`, `message_reject_characters`, `message_size_limit`, `message_strip_characters`,
//! `mime_boundary_length_limit`, `mime_header_checks`, `mime_nesting_limit`, `nested_header_checks`, `propagate_unmatched_extensions`,
//! `recipient_bcc_maps`, `recipient_canonical_classes`, `recipient_canonical_maps`, `remote_header_rewrite_domain`, `sender_bcc_maps`,
//! `sender_canonical_classes`, `sender_canonical_maps`, `strict_7bit_headers`, `strict_8bitmime`, `strict_8bitmime_body`,
//! `strict_mime_encoding_domain`, `undisclosed_recipients_header`, `virtual_alias_address_length_limit`,
//! `virtual_alias_expansion_limit`, `virtual_alias_maps`, `virtual_alias_recursion_limit`
//!
//! # SEE ALSO
//! trivial-rewrite(8), qmgr(8), header_checks(5), canonical(5), virtual(5), postconf(5)

mod service;
mod session;
mod submission;
mod attribute;
mod status;

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::run::<service::CleanupService>()
}
