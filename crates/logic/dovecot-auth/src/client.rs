//! What those who have a client say.

use crate::Malformed;
use crate::line::Words;

/// A line from one who has a client, or who wants to know where a user's mail lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientLine {
    /// First: the version spoken.
    Version {
        /// Must be [`crate::MAJOR_VERSION`].
        major: u32,
    },
    /// Second: who speaks, by process id.
    ProcessId(u32),
    /// A client wants to log in.
    Begin(Request),
    /// A client has answered a challenge.
    Continue {
        /// Which exchange.
        id: u32,
        /// In Base64.
        response: String,
    },
    /// An exchange is given up. No answer.
    Cancel {
        /// Which.
        id: u32,
    },
    /// Where is this user's mail? (Dovecot's user database protocol.)
    User {
        /// Names the question.
        id: u32,
        /// Whose.
        name: String,
    },
    /// Whom does this ticket stand for? Ours alone: the one who opens mailboxes asks so, who does not believe those
    /// that strangers speak to.
    Redeem {
        /// Names the question.
        id: u32,
        /// What came with [`crate::Success`].
        ticket: String,
    },
    /// A command that we do not know; passed over, as the protocol wants it.
    Unknown(String),
}

/// A client that wants to log in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Names the exchange on this connection; never used twice.
    pub id: u32,
    /// By its registered name.
    pub mechanism: String,
    /// `smtp`, `pop3`, `imap`
    pub service: String,
    /// The client's address, empty if not known.
    pub remote: String,
    /// Our address, empty if not known.
    pub local: String,
    /// Nobody listens: TLS, or this host.
    pub secured: bool,
    /// The client needs no mailbox (`nologin`).
    pub no_login: bool,
    /// Success may carry last words, so that no empty round is needed.
    pub final_response_ok: bool,
    /// A ticket is wanted with the success: the client will want its mailbox. Ours alone.
    pub wants_ticket: bool,
    /// The name in a verified client certificate, for EXTERNAL.
    pub certificate_name: Option<String>,
    /// The initial response in Base64, if there is one; empty is a response of no bytes.
    pub response: Option<String>,
}

impl ClientLine {
    /// Reads a line.
    ///
    /// # Errors
    /// [`Malformed`]: a number that is none, a word that is missing.
    pub fn parse(line: &str) -> Result<Self, Malformed> {
        let words = Words::parse(line);
        Self::read(&words, line).ok_or_else(|| Malformed { command: words.command().to_owned() })
    }

    fn read(words: &Words, line: &str) -> Option<Self> {
        Some(match words.command() {
            "VERSION" => Self::Version { major: words.number(1)? },
            "CPID" => Self::ProcessId(words.number(1)?),
            "AUTH" => Self::Begin(Request::read(words, line)?),
            "CONT" => Self::Continue { id: words.number(1)?, response: words.word(2)?.to_owned() },
            "CANCEL" => Self::Cancel { id: words.number(1)? },
            "USER" => Self::User { id: words.number(1)?, name: words.word(2)?.to_owned() },
            "TICKET" => Self::Redeem { id: words.number(1)?, ticket: words.word(2)?.to_owned() },
            other => Self::Unknown(other.to_owned()),
        })
    }

    /// The bytes of the line, with its end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let words = match self {
            Self::Version { major } => Words::new("VERSION").with(major).with(crate::MINOR_VERSION),
            Self::ProcessId(pid) => Words::new("CPID").with(pid),
            Self::Begin(request) => request.words(),
            Self::Continue { id, response } => Words::new("CONT").with(id).with(response),
            Self::Cancel { id } => Words::new("CANCEL").with(id),
            Self::User { id, name } => Words::new("USER").with(id).with(name),
            Self::Redeem { id, ticket } => Words::new("TICKET").with(id).with(ticket),
            Self::Unknown(command) => Words::new(command),
        };
        words.to_bytes()
    }
}

impl Request {
    /// `resp=` has to be the last word: none when something follows it.
    fn read(words: &Words, line: &str) -> Option<Self> {
        if line.split_once("\tresp=").is_some_and(|(_, response)| response.contains('\t')) {
            return None;
        }
        let text = |name: &str| words.value(name).unwrap_or_default().to_owned();
        Some(Self {
            id: words.number(1)?,
            // Such a word would be read as a setting as well.
            mechanism: words.word(2).filter(|name| !name.contains('='))?.to_owned(),
            service: text("service"),
            remote: text("rip"),
            local: text("lip"),
            secured: words.has("secured") || words.value("secured").is_some(),
            no_login: words.has("nologin"),
            final_response_ok: words.has("final-resp-ok"),
            wants_ticket: words.has("ticket"),
            certificate_name: words
                .value("cert_username")
                .filter(|_| words.has("valid-client-cert"))
                .map(str::to_owned),
            response: words.value("resp").map(str::to_owned),
        })
    }

    fn words(&self) -> Words {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Words::new("AUTH")
            .with(self.id)
            .with(&self.mechanism)
            .with_pair("service", &self.service)
            .with_some("lip", some(&self.local).as_deref())
            .with_some("rip", some(&self.remote).as_deref())
            .with_flag("secured", self.secured)
            .with_flag("nologin", self.no_login)
            .with_flag("final-resp-ok", self.final_response_ok)
            .with_flag("ticket", self.wants_ticket)
            .with_flag("valid-client-cert", self.certificate_name.is_some())
            .with_some("cert_username", self.certificate_name.as_deref())
            .with_some("resp", self.response.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postfix_sends_is_read() {
        let line =
            "AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=127.0.0.1\trip=192.0.2.1\tsecured\tresp=AHUAcA==";
        let Ok(ClientLine::Begin(request)) = ClientLine::parse(line) else { panic!() };
        assert_eq!((request.id, request.mechanism.as_str(), request.service.as_str()), (1, "PLAIN", "smtp"));
        assert!(request.secured && request.no_login && !request.final_response_ok && !request.wants_ticket);
        assert_eq!((request.local.as_str(), request.remote.as_str()), ("127.0.0.1", "192.0.2.1"));
        assert_eq!(request.response.as_deref(), Some("AHUAcA=="));
    }

    #[test]
    fn every_line_crosses_unchanged() {
        let request = Request {
            id: 7,
            mechanism: "EXTERNAL".into(),
            service: "pop3".into(),
            remote: "::1".into(),
            local: "::1".into(),
            secured: true,
            no_login: false,
            final_response_ok: true,
            wants_ticket: true,
            certificate_name: Some("tim".into()),
            response: Some(String::new()),
        };
        for line in [
            ClientLine::Version { major: 1 },
            ClientLine::ProcessId(9),
            ClientLine::Begin(request.clone()),
            ClientLine::Begin(Request { response: None, certificate_name: None, ..request }),
            ClientLine::Continue { id: 7, response: "eA==".into() },
            ClientLine::Cancel { id: 7 },
            ClientLine::User { id: 8, name: "u@x".into() },
            ClientLine::Redeem { id: 9, ticket: "00ff".into() },
        ] {
            let bytes = line.to_bytes();
            let text = std::str::from_utf8(&bytes).unwrap().trim_end_matches('\n');
            assert_eq!(ClientLine::parse(text), Ok(line));
        }
    }

    #[test]
    fn what_is_malformed_is_refused_and_what_is_unknown_is_not() {
        for line in [
            "VERSION",
            "VERSION\tx",
            "AUTH\t1",
            "AUTH\t-1\tPLAIN",
            "AUTH\t7\tresp=A\u{1}rB",
            "AUTH\t1\tPLAIN\tresp=AHU\tsecured",
            "CONT\t1",
            "CPID\t99999999999",
        ] {
            assert!(ClientLine::parse(line).is_err(), "{line}");
        }
        assert_eq!(ClientLine::parse("NEW\t1"), Ok(ClientLine::Unknown("NEW".into())));
    }
}
