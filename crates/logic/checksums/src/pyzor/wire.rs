//! What is said between client and server: fields as of a mail's header, one datagram each way.

use sha1::{Digest as _, Sha1};

use super::digest::{Digest, PIECES};
use super::files::Account;

/// The version of the protocol.
const VERSION: &str = "2.1";
/// The code of a reply that says yes.
const OK: u16 = 200;
/// Numbers of conversations below this are the server's own.
pub(super) const FIRST_THREAD: u16 = 1024;

/// What a server is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Say how often it was reported.
    Check,
    /// Count it as spam.
    Report,
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What is to be done.
    pub operation: Operation,
    /// About which message.
    pub digest: &'a Digest,
    /// The number of the conversation; the reply has the same. It is made [`Request::thread`].
    pub thread: u16,
    /// Who asks.
    pub account: &'a Account,
    /// Seconds since 1970.
    pub time: i64,
}

impl Request<'_> {
    /// A number of a conversation that a client may use, from any number.
    pub fn thread(any: u16) -> u16 {
        any.max(FIRST_THREAD)
    }

    /// The datagram.
    pub fn datagram(&self) -> String {
        let mut text = match self.operation {
            Operation::Check => format!("Op: check\nOp-Digest: {}\n", self.digest.as_str()),
            Operation::Report => {
                let pieces = PIECES.map(|(percent, length)| format!("{percent},{length}")).join(",");
                format!("Op: report\nOp-Digest: {}\nOp-Spec: {pieces}\n", self.digest.as_str())
            }
        };
        let (thread, time, user) = (self.thread, self.time, &self.account.user);
        text.push_str(&format!("Thread: {thread}\nPV: {VERSION}\nUser: {user}\nTime: {time}\n"));
        let signature = signature(text.trim(), time, &self.account.hashed_key());
        format!("{text}Sig: {signature}\n\n")
    }
}

/// Proves who asks: hash of the hashed text, the time and the hashed key.
fn signature(text: &str, time: i64, hashed_key: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(Sha1::digest(text.as_bytes()));
    hash.update(format!(":{time}:{hashed_key}").as_bytes());
    hexadecimal::encode(&hash.finalize())
}

impl Account {
    fn hashed_key(&self) -> String {
        hexadecimal::encode(&Sha1::digest(format!("{}:{}", self.user, self.key.to_lowercase()).as_bytes()))
    }
}

/// How often a message was reported, and how often it was said to be welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// As spam.
    pub reported: u64,
    /// As welcome.
    pub welcomelisted: u64,
}

impl Counts {
    /// What several servers said together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            reported: self.reported.saturating_add(other.reported),
            welcomelisted: self.welcomelisted.saturating_add(other.welcomelisted),
        }
    }
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The number of the conversation.
    pub thread: u16,
    /// It did what it was asked for.
    pub is_ok: bool,
    /// What it says of that.
    pub text: String,
    /// Of a check that went well.
    pub counts: Option<Counts>,
}

impl Reply {
    /// Reads a datagram; `None` when it is no reply.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(datagram);
        let field = |name: &str| {
            let fields = text.lines().filter_map(|line| line.split_once(':'));
            fields.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
        };
        field("PV")?;
        let is_ok = field("Code")?.parse::<u16>().ok()? == OK;
        let number = |name: &str| field(name).and_then(|text| text.parse().ok());
        let counts = match (number("Count"), number("WL-Count")) {
            (Some(reported), Some(welcomelisted)) if is_ok => Some(Counts { reported, welcomelisted }),
            _ => None,
        };
        Some(Self { thread: field("Thread")?.parse().ok()?, is_ok, text: field("Diag")?.to_owned(), counts })
    }

    /// Does it answer the question of that conversation? A server that understood none of it has numbers of its own.
    pub fn answers(&self, thread: u16) -> bool {
        self.thread == thread || self.thread < FIRST_THREAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_signed() {
        let digest = Digest::of(b"\nhi\n").unwrap_or_else(|| unreachable!("it is a message"));
        let account = Account { user: "joe".into(), key: "0a1B".into() };
        let request = Request {
            operation: Operation::Report,
            digest: &digest,
            thread: 2000,
            account: &account,
            time: 7,
        };
        let text = request.datagram();
        let begin = "Op: report\nOp-Digest: da39a3ee5e6b4b0d3255bfef95601890afd80709\nOp-Spec: 20,3,60,3\nThread: 2000\n\
            PV: 2.1\nUser: joe\nTime: 7\nSig: ";
        assert!(text.starts_with(begin) && text.ends_with("\n\n"), "{text}");
        assert_eq!(text.len(), begin.len() + 42);
    }

    #[test]
    fn replies_read() {
        let reply = Reply::parse(b"Code: 200\nDiag: OK\nPV: 2.1\nThread: 2000\nCount: 12\nWL-Count: 0\n\n");
        let counts = Some(Counts { reported: 12, welcomelisted: 0 });
        assert_eq!(reply, Some(Reply { thread: 2000, is_ok: true, text: "OK".into(), counts }));
        let refused = Reply::parse(b"Code: 403\r\nDiag: Forbidden\r\nPV: 2.1\r\nThread: 0\r\n\r\n");
        assert!(refused.is_some_and(|reply| !reply.is_ok && reply.answers(5000) && reply.counts.is_none()));
        assert_eq!(Reply::parse(b"\xff\0nonsense"), None);
    }
}
