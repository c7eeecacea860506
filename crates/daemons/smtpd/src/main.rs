//! # NAME
//! smtpd - SMTP server
//!
//! # DESCRIPTION
//! Takes mail from the network by SMTP. Each client is checked against the restrictions of main.cf, each message is
//! completed and rewritten as cleanup(8) would, and put into the incoming queue: `250` after the end of data means that
//! it is on disk. One process serves many clients. What master.cf sets with `-o` for the service that
//! `cleanup_service_name` names counts for that work; what it sets for smtpd's own service does not.
//!
//! Commands: HELO, EHLO, MAIL, RCPT, DATA, BDAT, RSET, NOOP, QUIT, VRFY, EXPN (off unless `smtpd_expn_enable`), ETRN,
//! HELP, STARTTLS, XCLIENT, XFORWARD. Extensions: PIPELINING, SIZE, 8BITMIME, ENHANCEDSTATUSCODES, DSN, CHUNKING,
//! SMTPUTF8. The PROXY protocol, versions 1 and 2, of a load balancer in front is understood.
//!
//! # OPTIONS
//! - `-S`: serve the one client on standard input and output, without master(8): `sendmail -bs`. Run by `mail_owner`,
//!   all restrictions hold; run by anybody else none does, and the message is submitted through postdrop(1).
//!
//! # SECURITY
//! Runs as `mail_owner` without a way back to root, and can reach the queue directory and the folders of the tables
//! that main.cf names. It asks name servers and policy servers and makes no other connection.
//!
//! # STANDARDS
//! RFC 1870 (SIZE), RFC 1985 (ETRN), RFC 2034 (status codes), RFC 2920 (PIPELINING), RFC 3030 (CHUNKING without
//! BINARYMIME), RFC 3207 (STARTTLS), RFC 3461 (DSN), RFC 3463 (status codes), RFC 5321 (SMTP), RFC 6152 (8BITMIME),
//! RFC 6531 (SMTPUTF8)
//!
//! # DIAGNOSTICS
//! Connections, refusals and queue ids are logged. A table that can not be read refuses what needs it with 451.
//!
//! # CONFIGURATION PARAMETERS
//! All whose names begin with `smtpd_`, and `message_size_limit`, `line_length_limit`, `queue_minfree`,
//! `disable_vrfy_command`, `strict_rfc821_envelopes`, `smtputf8_enable`, `soft_bounce`, `mynetworks`, `relay_domains`,
//! `local_recipient_maps`, `virtual_alias_maps`, `virtual_mailbox_maps`, `local_header_rewrite_clients`,
//! `content_filter`, `receive_override_options`
//!
//! # SEE ALSO
//! cleanup(8), qmgr(8), anvil(8), tlsmgr(8), postconf(5)

mod settings;
mod service;
mod temper;
mod session;
mod connect;
mod client;
mod limits;
mod rates;
mod encryption;
mod facts;
mod place;
mod restrict;
mod policy;
mod policy_connection;
mod pause;
mod footer;
mod transaction;
mod intake;
mod direct;
mod parcel;
mod inquiry;
mod chat_log;
mod notices;
mod alone;
mod submission;

use std::process::ExitCode;

fn main() -> ExitCode {
    match worker::Arguments::parse(std::env::args_os().skip(1)) {
        Ok(arguments) if arguments.alone => alone::run(arguments),
        _ => worker::run::<service::Smtpd>(),
    }
}
