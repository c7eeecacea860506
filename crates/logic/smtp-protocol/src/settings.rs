//! What the server's dialogue depends on, fixed when the process starts.

use std::time::Duration;

use crate::history::Troubles;

/// Limits, switches and texts of the dialogue. Each field names the parameter it is made from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `myhostname`
    pub hostname: String,
    /// `smtpd_banner`
    pub banner: String,
    /// `smtpd_timeout`
    pub timeout: Duration,
    /// `smtpd_per_request_deadline`: the time-out is for a whole command, not for each read.
    pub request_deadline: bool,
    /// `smtpd_min_data_rate`, bytes a second; with `request_deadline` each second's worth buys a second.
    pub min_data_rate: u64,
    /// `line_length_limit`: what a command line has beyond it is dropped.
    pub line_limit_bytes: usize,
    /// `message_size_limit`; 0 is none.
    pub message_limit_bytes: u64,
    /// `smtpd_recipient_limit`
    pub recipient_limit: usize,
    /// `smtpd_recipient_overshoot_limit`
    pub recipient_overshoot_limit: usize,
    /// `smtpd_soft_error_limit`
    pub soft_error_limit: u32,
    /// `smtpd_hard_error_limit`
    pub hard_error_limit: u32,
    /// `smtpd_error_sleep_time`
    pub error_pause: Duration,
    /// `smtpd_junk_command_limit`
    pub junk_limit: u32,
    /// `smtpd_helo_required`
    pub helo_required: bool,
    /// `strict_rfc821_envelopes`
    pub strict_envelopes: bool,
    /// `disable_vrfy_command`
    pub vrfy_disabled: bool,
    /// `smtpd_expn_enable` (ours)
    pub expn: bool,
    /// `smtpd_help_enable` (ours)
    pub help: bool,
    /// `smtputf8_enable`
    pub smtputf8: bool,
    /// `strict_smtputf8`
    pub strict_smtputf8: bool,
    /// `smtpd_forbid_bare_newline`
    pub bare_newline: BareNewline,
    /// `smtpd_forbid_bare_newline_reject_code`
    pub bare_newline_code: u16,
    /// `smtpd_forbid_unauth_pipelining`
    pub forbid_pipelining: bool,
    /// `smtpd_tls_security_level`, as far as it can be had.
    pub tls: TlsLevel,
    /// `smtpd_tls_wrappermode`
    pub tls_wrapper: bool,
    /// `smtpd_upstream_proxy_protocol` is set.
    pub proxy_protocol: bool,
    /// `smtpd_upstream_proxy_timeout`
    pub proxy_timeout: Duration,
    /// `smtpd_noop_commands` is not empty: every verb is a question.
    pub noop_commands: bool,
    /// `smtpd_command_filter` is not empty: every line is a question.
    pub command_filter: bool,
    /// `soft_bounce`
    pub soft_bounce: bool,
    /// `smtpd_reject_footer` or `smtpd_reject_footer_maps` is set: every refusal is a question.
    pub reject_footer: bool,
    /// The kinds of trouble of which [`Question::Notice`](crate::Question::Notice) tells (`notify_classes`).
    pub notify: Troubles,
    /// `smtpd_history_flush_threshold`, in lines.
    pub history_threshold: usize,
    /// `default_verp_delimiters` and `verp_delimiter_filter`
    pub verp: Verp,
}

impl Default for Settings {
    /// What holds where main.cf says nothing, on a machine without a name; for tests.
    fn default() -> Self {
        Self {
            hostname: "localhost".to_owned(),
            banner: "localhost ESMTP".to_owned(),
            timeout: Duration::from_secs(300),
            request_deadline: false,
            min_data_rate: 500,
            line_limit_bytes: 2048,
            message_limit_bytes: 10_240_000,
            recipient_limit: 1000,
            recipient_overshoot_limit: 1000,
            soft_error_limit: 10,
            hard_error_limit: 20,
            error_pause: Duration::from_secs(1),
            junk_limit: 100,
            helo_required: false,
            strict_envelopes: false,
            vrfy_disabled: false,
            expn: false,
            help: true,
            smtputf8: true,
            strict_smtputf8: false,
            bare_newline: BareNewline::Normalize,
            bare_newline_code: 550,
            forbid_pipelining: true,
            tls: TlsLevel::None,
            tls_wrapper: false,
            proxy_protocol: false,
            proxy_timeout: Duration::from_secs(5),
            noop_commands: false,
            command_filter: false,
            soft_bounce: false,
            reject_footer: false,
            notify: Troubles::default(),
            history_threshold: 100,
            verp: Verp { default_delimiters: "+=".to_owned(), allowed: "-=+".to_owned() },
        }
    }
}

/// How XVERP (VERP_README) is read.
#[derive(Debug, Clone, Default)]
pub struct Verp {
    /// Two characters, where the client names none.
    pub default_delimiters: String,
    /// The characters a client may choose from.
    pub allowed: String,
}

/// What becomes of lines that end in LF alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BareNewline {
    /// They are lines like any other, and even a bare `LF.LF` ends the message.
    Accept,
    /// They are lines, but only `CRLF.CRLF` ends the message (RFC 5321 §4.1.1.4).
    Normalize,
    /// As `Normalize`, and an [`Event`](crate::Event) tells of them.
    Note,
    /// The command or message is refused.
    Reject,
}

/// Is TLS offered, and is it required?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsLevel {
    /// STARTTLS does not exist here.
    None,
    /// It was wanted, but certificate or key can not be used.
    Broken {
        /// The client may not go on without.
        required: bool,
    },
    /// STARTTLS is offered.
    May,
    /// Only a few commands are answered before STARTTLS.
    Encrypt,
}

impl TlsLevel {
    pub(crate) fn offered(self) -> bool {
        matches!(self, Self::May | Self::Encrypt)
    }

    pub(crate) fn required(self) -> bool {
        matches!(self, Self::Encrypt | Self::Broken { required: true })
    }
}

/// A set of EHLO keywords (`smtpd_discard_ehlo_keywords`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keywords(u16);

const KEYWORDS: [&str; 13] = [
    "PIPELINING",
    "SIZE",
    "VRFY",
    "ETRN",
    "STARTTLS",
    "AUTH",
    "XCLIENT",
    "XFORWARD",
    "ENHANCEDSTATUSCODES",
    "8BITMIME",
    "DSN",
    "SMTPUTF8",
    "CHUNKING",
];

impl Keywords {
    /// Adds a keyword; false where there is none of that name.
    pub fn add(&mut self, name: &str) -> bool {
        let place = KEYWORDS.iter().position(|keyword| keyword.eq_ignore_ascii_case(name));
        self.0 |= place.map_or(0, |place| 1 << place);
        place.is_some()
    }

    /// Is this keyword, in upper case, in the set?
    pub fn has(self, name: &str) -> bool {
        KEYWORDS.iter().position(|keyword| *keyword == name).is_some_and(|place| self.0 & (1 << place) != 0)
    }

    /// The names in the set, in lower case.
    pub fn names(self) -> impl Iterator<Item = String> {
        KEYWORDS.iter().filter(move |keyword| self.has(keyword)).map(|keyword| keyword.to_ascii_lowercase())
    }
}
