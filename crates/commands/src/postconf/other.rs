//! `postconf -a -A -l -m -T`: what this mail system can do.

use super::Output;
use super::report::Report;

/// Who may answer for SMTP clients that log in (`smtpd_sasl_type`).
pub(super) fn sasl_server_types() -> String {
    lines(&["cyrus", "dovecot"])
}

/// Who logs in to other servers (`smtp_sasl_type`).
pub(super) fn sasl_client_types() -> String {
    lines(&["cyrus"])
}

/// How mailboxes are locked (`mailbox_delivery_lock`, `virtual_mailbox_lock`).
pub(super) fn lock_types() -> String {
    lines(&["flock", "fcntl", "dotlock"])
}

/// The types of lookup tables.
pub(super) fn table_types() -> String {
    lines(tables::table_types())
}

/// What TLS is made of.
pub(super) fn tls(what: &str, report: &Report) -> Output {
    match what {
        "compile-version" | "run-version" => Output::text(lines(&["rustls 0.23"])),
        "public-key-algorithms" => Output::text(lines(&["ecdsa", "ed25519", "rsa"])),
        _ => {
            report.warn(format_args!("unknown 'postconf -T' mode: {what}"));
            Output { success: false, ..Output::text(String::new()) }
        }
    }
}

fn lines(words: &[&str]) -> String {
    words.iter().flat_map(|word| [word, "\n"]).collect()
}
