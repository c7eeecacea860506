//! What every protocol machine has in common.
//!
//! A machine turns bytes, answers and the passing of time into bytes, questions and deadlines. It holds
//! no socket, clock, table or log; `reactor::drive` runs any of them on a real connection, a transcript
//! runs them in a test. The contract is "one input, then `poll` until it waits".
#![forbid(unsafe_code)]

use std::time::Duration;

/// One dialogue with one peer, as a state machine.
///
/// After each input (`received`, `answered`, `secured`, `elapsed`) the driver calls [`Machine::poll`] again and
/// again, carrying out each output, until an output needs an input: [`Output::Wait`] (bytes or time),
/// [`Output::Ask`] (an answer), [`Output::Pause`] (time), [`Output::StartTls`] (the handshake).
pub trait Machine {
    /// What only the world outside can tell: a table, a policy, a file.
    type Question;
    /// What comes back for a question.
    type Answer;

    /// The next thing to do. Called again after each output that needs no input.
    fn poll(&mut self) -> Output<Self::Question>;

    /// Bytes from the peer. Called only while the machine waits; the machine takes them all. One call
    /// carries at most [`READ_LIMIT_BYTES`].
    fn received(&mut self, bytes: &[u8]);

    /// The answer to the last question.
    fn answered(&mut self, answer: Self::Answer);

    /// The TLS handshake that [`Output::StartTls`] asked for is done. Bytes that arrived in the clear
    /// after the request are gone by then (CVE-2011-0411).
    fn secured(&mut self, facts: TlsFacts);

    /// The time of the last [`Output::Wait`] or [`Output::Pause`] is over.
    fn elapsed(&mut self);

    /// The peer is gone, or has ended its side, or TLS failed. [`Output::Ask`] and [`Output::Close`] may follow; what is
    /// written is heard only in a dialogue whose peer ends its side and waits for the answer (spamc).
    fn disconnected(&mut self, why: Disconnect);

    /// The service is about to end: between two transactions say goodbye (421) and close. Called while the
    /// machine waits; a machine in the middle of a transaction may finish it first.
    fn stopping(&mut self) {}
}

/// How many bytes one [`Machine::received`] carries at the most.
pub const READ_LIMIT_BYTES: usize = 64 * 1024;

/// What a machine wants of its driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output<Question> {
    /// Send these bytes; the driver may gather several before it writes to the socket.
    Write(Vec<u8>),
    /// Find this out, then call [`Machine::answered`]. No bytes are read meanwhile.
    Ask(Question),
    /// Read more; if nothing comes within the time, call [`Machine::elapsed`].
    Wait(Duration),
    /// Read more, but the time of the last [`Output::Wait`] runs on, longer by `extension`: so a deadline can
    /// span a whole request (`smtpd_per_request_deadline`) or grow with what arrives
    /// (`smtpd_min_data_rate`), though never beyond that time from now.
    KeepWaiting {
        /// What is added to the running deadline; zero leaves it as it is.
        extension: Duration,
    },
    /// Do nothing for this long (a tarpit), then call [`Machine::elapsed`]. No bytes are read meanwhile.
    Pause(Duration),
    /// Send what is pending, drop what was read in the clear, do the handshake as the server side.
    StartTls,
    /// Send what is pending and end the connection.
    Close,
    /// Send what is pending; then the dialogue is over and the connection goes into other hands, which the session
    /// finds.
    HandOver,
}

/// Why no more bytes will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnect {
    /// The peer closed, or the connection broke.
    Lost,
    /// The TLS handshake did not succeed.
    HandshakeFailed,
    /// The peer was silent in the TLS handshake for too long.
    HandshakeTimeout,
}

/// What the TLS handshake established (RFC 8446); texts as Postfix prints them in Received and in the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsFacts {
    /// "TLSv1.3"
    pub protocol: String,
    /// The OpenSSL name: "TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES128-GCM-SHA256"
    pub cipher: String,
    /// Bits of the cipher key in use.
    pub cipher_bits: u32,
    /// Name of the key exchange group, "X25519", where known.
    pub key_exchange: Option<String>,
    /// SHA-256 of the client's certificate in upper-case hex pairs with colons, where it sent one.
    pub client_certificate: Option<String>,
    /// The name the client asked for (RFC 6066 §3).
    pub server_name: Option<String>,
    /// The session goes on from an earlier one, without a new key exchange of its own.
    pub resumed: bool,
}
