//! What is known of a message before its content, and the records that tell it.

use message::{Moment, Received};
use queue_format::{Kind, record};
use rewriting::Context;

/// What the one who submits a message knows of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// When it came.
    pub arrival: Moment,
    /// When its queue file is made, in seconds since 1970, where that is not when it came: it has waited for us.
    pub created_seconds: Option<i64>,
    /// The sender in internal form, empty for bounces.
    pub sender: String,
    /// The sender's full name, of a local submission.
    pub full_name: String,
    /// Who connected by SMTP; `None` for mail from this host.
    pub client: Option<Client>,
    /// Our side of that connection.
    pub server: Option<Server>,
    /// Whom the log names: the same, or whom XFORWARD named.
    pub log_client: Option<LogClient>,
    /// The id in the log of the system before us (XFORWARD IDENT); our own queue id where that is empty.
    pub log_ident: Option<String>,
    /// By whose rules headers are rewritten.
    pub rewrite_context: Context,
    /// RET of MAIL FROM (RFC 3461): 0 none, 1 FULL, 2 HDRS.
    pub return_flags: u32,
    /// ENVID of MAIL FROM.
    pub envelope_id: String,
    /// BODY of MAIL FROM: "7bit", "8bit"; empty when nothing was said.
    pub encoding: String,
    /// SMTPUTF8 and what else the next hop must support: 1 asked for, 2 in headers, 4 sender, 8 recipient.
    pub send_options: u32,
    /// How the client logged in.
    pub sasl_method: String,
    /// As whom.
    pub sasl_username: String,
    /// AUTH of MAIL FROM.
    pub sasl_sender: String,
    /// VERP delimiters (XVERP, `sendmail -V`).
    pub verp_delimiters: Option<String>,
    /// Further attributes for the queue file, in order.
    pub attributes: Vec<(String, String)>,
    /// Headers that stand above our own Received (PREPEND of an access table), each perhaps of several lines.
    pub prepend: Vec<String>,
    /// Our own Received header.
    pub received: Option<Received>,
    /// What is to be done with the message.
    pub options: Options,
    /// `transport:nexthop` of a content filter (`content_filter`, FILTER of an access table).
    pub filter: Option<String>,
    /// One address that gets the message instead of its recipients (REDIRECT of an access table).
    pub redirect: Option<String>,
    /// It goes to the hold queue (HOLD of an access table).
    pub hold: bool,
    /// It is thrown away with a good reply (DISCARD of an access table).
    pub discard: bool,
    /// Content comes without our own Received and with all lines as they are: skip what smtpd(8) does to the first lines
    /// (`From ` lines become X-Mailbox-Line).
    pub raw_content: bool,
}

/// The parts of cleanup's work that can be switched off (`receive_override_options`, `internal_mail_filter_classes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Header and body checks. Off: `no_header_body_checks`.
    pub checks: bool,
    /// Canonical maps, masquerading, aliases. Off: `no_address_mappings`.
    pub mappings: bool,
    /// Automatic bcc recipients. Off: `no_address_mappings`.
    pub bcc: bool,
    /// SMTPUTF8 is asked for by the headers themselves (`smtputf8_autodetect_classes`).
    pub detect_utf8: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { checks: true, mappings: true, bcc: true, detect_utf8: false }
    }
}

/// The client of an SMTP session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Client {
    /// Verified name, or "unknown".
    pub name: String,
    /// The name its address has, verified or not.
    pub reverse_name: String,
    /// "192.0.2.1", "2001:db8::1"
    pub address: String,
    /// Its port.
    pub port: String,
    /// What it called itself; empty when it did not.
    pub helo: String,
    /// "SMTP", "ESMTP"
    pub protocol: String,
}

/// Our side of an SMTP session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Server {
    /// Our address.
    pub address: String,
    /// Our port.
    pub port: String,
}

/// Whom the log names as the client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogClient {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Its port.
    pub port: String,
    /// What it called itself.
    pub helo: String,
    /// The protocol it spoke.
    pub protocol: String,
    /// Name and address in one: `name[address]`.
    pub origin: String,
}

/// A recipient as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipient {
    /// The address in internal form.
    pub address: String,
    /// The address that the log and X-Original-To show; the same where it is empty.
    pub original: String,
    /// ORCPT (RFC 3461), `type;address`; made from the address where it is empty.
    pub dsn_original: String,
    /// NOTIFY: 0 none, 1 NEVER, 2 SUCCESS, 4 FAILURE, 8 DELAY.
    pub notify: u32,
}

/// Address families, as `client_address_type` tells them to milters.
const FAMILY_IPV4: &str = "2";
const FAMILY_IPV6: &str = "10";

impl Envelope {
    /// Records in front of the sender's.
    pub(crate) fn write_head(&self, out: &mut Vec<u8>, queue_id: &str) {
        let arrival = format!("{} {}", self.arrival.seconds, self.arrival.microseconds);
        record::write(out, Kind::TIME, arrival.as_bytes());
        let created = self.created_seconds.unwrap_or(self.arrival.seconds);
        record::write_attribute(out, "create_time", &created.to_string());
        if let Some(filter) = &self.filter {
            record::write(out, Kind::FILTER, filter.as_bytes());
        }
        let context = self.rewrite_context.name();
        if self.client.is_none() {
            // pickup(8) passes on what sendmail(1) wrote first.
            self.write_dsn(out);
            record::write_attribute(out, "rewrite_context", context);
        } else {
            record::write_attribute(out, "log_ident", self.log_ident.as_deref().unwrap_or(queue_id));
            record::write_attribute(out, "rewrite_context", context);
            self.write_login(out);
            self.write_dsn(out);
        }
        if !self.full_name.is_empty() {
            record::write(out, Kind::FULL_NAME, self.full_name.as_bytes());
        }
    }

    fn write_login(&self, out: &mut Vec<u8>) {
        let login = [
            ("sasl_method", &self.sasl_method),
            ("sasl_username", &self.sasl_username),
            ("sasl_sender", &self.sasl_sender),
        ];
        for (name, value) in login.iter().filter_map(|(name, value)| given(name, value)) {
            record::write_attribute(out, name, value);
        }
    }

    fn write_dsn(&self, out: &mut Vec<u8>) {
        if !self.envelope_id.is_empty() {
            record::write_attribute(out, "envelope_id", &self.envelope_id);
        }
        if self.return_flags != 0 {
            record::write_attribute(out, "ret_flags", &self.return_flags.to_string());
        }
    }

    /// Records between the sender and the recipients.
    pub(crate) fn write_attributes(&self, out: &mut Vec<u8>) {
        if let Some(delimiters) = &self.verp_delimiters {
            record::write(out, Kind::VERP, delimiters.as_bytes());
        }
        if !self.encoding.is_empty() {
            record::write_attribute(out, "encoding", &self.encoding);
        }
        for (name, value) in self.session_attributes() {
            record::write_attribute(out, name, value);
        }
        for (name, value) in &self.attributes {
            record::write_attribute(out, name, value);
        }
    }

    fn session_attributes(&self) -> Vec<(&'static str, &str)> {
        let mut list: Vec<(&'static str, &str)> = Vec::with_capacity(16);
        if let Some(client) = &self.log_client {
            list.push(("log_client_name", &client.name));
            list.push(("log_client_address", &client.address));
            list.push(("log_client_port", &client.port));
            list.push(("log_message_origin", &client.origin));
            list.extend(given("log_helo_name", &client.helo));
            list.push(("log_protocol_name", &client.protocol));
        }
        if let Some(client) = &self.client {
            list.push(("client_name", &client.name));
            list.push(("reverse_client_name", &client.reverse_name));
            list.push(("client_address", &client.address));
            list.push(("client_port", &client.port));
        }
        if let Some(server) = &self.server {
            list.push(("server_address", &server.address));
            list.push(("server_port", &server.port));
        }
        if let Some(client) = &self.client {
            list.extend(given("helo_name", &client.helo));
            list.push(("protocol_name", &client.protocol));
            list.push((
                "client_address_type",
                if client.address.contains(':') { FAMILY_IPV6 } else { FAMILY_IPV4 },
            ));
        }
        list
    }

    /// From where the message came, for log lines of checks: `name[address]`.
    pub(crate) fn origin(&self) -> &str {
        self.log_client.as_ref().map_or("local", |client| client.origin.as_str())
    }
}

fn given<'a>(name: &'static str, value: &'a str) -> Option<(&'static str, &'a str)> {
    (!value.is_empty()).then_some((name, value))
}
