//! What the dialogues depend on, fixed when the process starts.

use std::time::Duration;

use crate::types::Capability;

/// Limits and texts up to the log-in.
#[derive(Debug, Clone)]
pub struct LoginSettings {
    /// The text of the greeting.
    pub greeting: String,
    /// What is announced, but for STARTTLS, LOGINDISABLED and AUTH=.
    pub capabilities: Vec<Capability>,
    /// SASL mechanisms that need no TLS, in upper case.
    pub mechanisms: Vec<String>,
    /// Those that send the password as it is: PLAIN, LOGIN.
    pub plaintext_mechanisms: Vec<String>,
    /// STARTTLS is offered.
    pub starttls: bool,
    /// TLS comes first, without STARTTLS (RFC 8314).
    pub wrapper: bool,
    /// Nobody logs in without TLS.
    pub requires_tls: bool,
    /// Passwords are taken without TLS.
    pub plaintext: bool,
    /// How long a client may take for a command.
    pub timeout: Duration,
    /// Bytes of a command with its literals.
    pub command_limit_bytes: usize,
    /// So many commands may be wrong, then the client is sent away.
    pub bad_command_limit: u32,
    /// What ID tells of the server: name and value.
    pub id: Vec<(String, String)>,
}

/// Limits behind the log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSettings {
    /// What is announced.
    pub capabilities: Vec<Capability>,
    /// How long a client may be silent; RFC 3501 §5.4 wants half an hour at least.
    pub timeout: Duration,
    /// How often a client that idles hears that the server is still there.
    pub idle_notice: Duration,
    /// How often a client hears that its command goes on (RFC 9585).
    pub progress_notice: Duration,
    /// Bytes of a command with its literals, but for messages.
    pub command_limit_bytes: usize,
    /// So many commands in a row may be wrong.
    pub bad_command_limit: u32,
    /// What ID tells of the server.
    pub id: Vec<(String, String)>,
}
