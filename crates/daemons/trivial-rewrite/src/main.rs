//! # NAME
//! trivial-rewrite - completes addresses, and finds where mail for them goes
//!
//! # SYNOPSIS
//! trivial-rewrite \[generic daemon options\]
//!
//! # DESCRIPTION
//! Answers three questions, on the protocol that Postfix's own programs speak on this socket. Our smtpd(8), cleanup(8) and
//! qmgr(8) work the answers out by themselves, with the same code; this program is for all others.
//!
//! rewrite *context* *address*: the address in full form. The context `local` appends `myorigin` and `mydomain`,
//! `remote` appends `remote_header_rewrite_domain`. Source routes are cut off; `host!user` and `user%host` are turned
//! round.
//!
//! resolve *sender* *address*: transport, next hop, recipient, address class. verify *sender* *address*: the same, with the
//! routes for address probes.
//!
//! # STANDARDS
//! RFC 5321 (appendix C: source routes), RFC 5322
//!
//! # DIAGNOSTICS
//! A table that can not be read is logged, and the question answered with "try again later". A domain that is listed
//! in two address classes is named.
//!
//! # CONFIGURATION PARAMETERS
//! `append_at_myorigin`, `append_dot_mydomain`, `swap_bangpath`, `allow_percent_hack`, `recipient_delimiter`, `remote_header_rewrite_domain`,
//! `resolve_dequoted_address`, `resolve_null_domain`, `resolve_numeric_domain`, `empty_address_recipient`, `allow_min_user`,
//! `mydestination`, `inet_interfaces`, `proxy_interfaces`, `virtual_alias_domains`, `virtual_mailbox_domains`, `relay_domains`,
//! `local_transport`, `virtual_transport`, `relay_transport`, `default_transport`, `relayhost`, `transport_maps`, `relocated_maps`,
//! `sender_dependent_default_transport_maps`, `sender_dependent_relayhost_maps`, `helpful_warnings`, and for probes the same
//! names with `address_verify_` in front
//!
//! # SEE ALSO
//! transport(5), relocated(5), canonical(5), qmgr(8), postconf(5)

mod service;
mod answer;
mod session;

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::run::<service::TrivialRewrite>()
}
