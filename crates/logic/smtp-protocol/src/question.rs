//! What the machine asks of the world, and what comes back.

use machine::TlsFacts;

use crate::command::{Command, Counts};
use crate::esmtp::{Body, Notify, Return};
use crate::history::Transcript;
use crate::proxy_protocol::Endpoints;
use crate::reply::Reply;
use crate::settings::Keywords;
use crate::xclient::Attributes;

/// What only the world outside can tell or do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A client is there; behind a balancer, this is who. Answer: [`Answer::Admit`].
    Connect(Option<Endpoints>),
    /// HELO or EHLO; nothing of an earlier transaction is left if this is admitted.
    Hello(Hello),
    /// Is this syntax that can be resolved? `Proceed`, or `Refuse` with any reply: the machine has its own.
    Address {
        /// MAIL, RCPT or VRFY.
        command: Command,
        /// Without quotes.
        address: String,
    },
    /// MAIL with all its parameters.
    Mail(Sender),
    /// RCPT; `Proceed` means that the recipient is now part of the envelope.
    Rcpt(Recipient),
    /// The number of messages or recipients of this client: may it send one more? Asked before the address is read.
    Rate(Command),
    /// DATA, or the first BDAT of a message.
    Data,
    /// Lines of the message, each ended by LF, or a piece of a long one.
    Content(Vec<u8>),
    /// The message is complete, of so many bytes with CRLF. Answer: [`Answer::Queued`] once it is safe, or `Refuse`.
    EndOfData(u64),
    /// Forget the transaction: nothing of it may be delivered.
    Reset,
    /// Is this address deliverable? `Proceed` or `Refuse`.
    Vrfy(String),
    /// Who is on this list? [`Answer::Members`] or `Refuse`.
    Expn(String),
    /// Start the deliveries to this domain. `Proceed` or `Refuse`.
    Etrn(String),
    /// May this client begin TLS now? `Proceed` or `Refuse`.
    StartTls,
    /// TLS is there. `Proceed`, or `Refuse` with a last reply.
    Secured(TlsFacts),
    /// Be this client from now on. Answer: [`Answer::Admit`].
    Xclient(Attributes),
    /// For the log and the restrictions: this client sent it first.
    Xforward(Attributes),
    /// `smtpd_noop_commands` and `smtpd_forbidden_commands`: what is this verb? Answer: [`Answer::Verb`].
    Verb(String),
    /// `smtpd_reject_footer`: what is said in this refusal's place? `Refuse`.
    Footer(Reply),
    /// `smtpd_command_filter`. Answer: [`Answer::Line`].
    Filter(String),
    /// Nothing to find out: for the log.
    Note(Event),
    /// There was trouble in this part of the session, and somebody wants to know.
    Notice(Box<Transcript>),
    /// The session is over; the machine closes after it.
    Ended(Ending),
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Proceed,
    /// Say this instead.
    Refuse(Reply),
    /// Say nothing more: the session ends.
    HangUp,
    /// To [`Question::Connect`] and [`Question::Xclient`].
    Admit(Box<Admission>),
    /// To [`Question::EndOfData`]: the message is safe under this queue id.
    Queued(String),
    /// To [`Question::Expn`].
    Members(Vec<String>),
    /// To [`Question::Verb`].
    Verb(Named),
    /// To [`Question::Filter`].
    Line(String),
}

/// What a verb is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// What the table of commands says.
    Ordinary,
    /// Answered with 250 and otherwise ignored.
    Ignored,
    /// The client is no mail client: the session ends.
    Forbidden,
}

/// What a client may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// Greeted with this instead; it may only QUIT, unless the reply hangs up at once.
    pub refused: Option<Reply>,
    /// The client as the log shows it, `NAME[IP]`.
    pub client: String,
    /// `smtpd_authorized_xclient_hosts`
    pub xclient: bool,
    /// `smtpd_authorized_xforward_hosts`
    pub xforward: bool,
    /// `smtpd_authorized_verp_clients`
    pub verp: bool,
    /// `smtpd_discard_ehlo_keyword_address_maps` and `smtpd_discard_ehlo_keywords`
    pub discard: Keywords,
    /// `smtpd_forbid_bare_newline_exclusions` has it.
    pub bare_newline: bool,
    /// `smtpd_client_message_rate_limit` or `smtpd_client_recipient_rate_limit` is for it: ask.
    pub rates: bool,
}

/// HELO or EHLO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// What the client calls itself.
    pub name: String,
    /// EHLO.
    pub extended: bool,
}

/// MAIL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sender {
    /// Without quotes; empty for the null sender.
    pub address: String,
    /// SIZE
    pub size_bytes: Option<u64>,
    /// BODY
    pub body: Option<Body>,
    /// SMTPUTF8
    pub smtputf8: bool,
    /// RET
    pub ret: Option<Return>,
    /// ENVID, decoded.
    pub envelope_id: Option<String>,
    /// XVERP: the two delimiters.
    pub verp: Option<String>,
    /// AUTH (RFC 4954 §5), as it came: who wrote the message, says whoever sends it. Not for `<>`.
    pub author: Option<String>,
}

/// RCPT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Without quotes.
    pub address: String,
    /// NOTIFY
    pub notify: Option<Notify>,
    /// ORCPT, `rfc822;user@domain`; where the client gave none, from the address as it wrote it.
    pub original: String,
}

/// Something for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// "improper command pipelining after EHLO": the client did not wait. With the bytes, made printable.
    Pipelining(&'static str, String),
    /// An HTTP request or a header line.
    NonSmtpCommand(String),
    /// "Illegal address syntax": the command, and the argument as it came.
    IllegalAddress(&'static str, String),
    /// NOTIFY has a word that is none: the word, and all of the value.
    UnknownNotify(String, String),
    /// A line ended in LF alone, and that is refused (`true`) or noted. Where: the command.
    BareNewline(&'static str, bool),
    /// The message is larger than `message_size_limit`.
    TooBig,
    /// The BDAT line can not be read.
    MalformedBdat(String),
    /// `BDAT 0` without LAST.
    NullBdat,
    /// A chunk goes beyond `message_size_limit`.
    BdatTooBig,
    /// The PROXY header is missing or wrong.
    BadProxyHeader(&'static str),
    /// EHLO keywords that this client is not offered.
    DiscardingKeywords(Keywords),
    /// A line of a client that is watched, without its end. May hold any characters.
    Heard(String),
    /// A line that such a client is told.
    Said(String),
    /// TLS is wanted, but there is no certificate to use.
    TlsUnavailable,
}

/// Why a session ended before QUIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnection {
    /// The client went.
    Lost,
    /// It was silent, or too slow.
    Timeout,
    /// `smtpd_hard_error_limit`
    TooManyErrors,
    /// The handshake failed; then the connection was closed.
    Handshake {
        /// The client was silent for `smtpd_starttls_timeout`.
        timed_out: bool,
    },
}

impl Disconnection {
    /// In the words of the log.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Lost | Self::Handshake { .. } => "lost connection",
            Self::Timeout => "timeout",
            Self::TooManyErrors => "too many errors",
        }
    }
}

/// The end of a session, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// `None` when either side said good-bye.
    pub why: Option<Disconnection>,
    /// What the client did last: "CONNECT", "RCPT", "END-OF-MESSAGE".
    pub after: &'static str,
    /// In the middle of DATA: the size so far.
    pub content_bytes: Option<u64>,
    /// All commands.
    pub counts: Counts,
}
