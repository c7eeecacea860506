//! Why a message is not taken, and what the client is told.

/// What is wrong with a message, from the least to the most pressing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No recipient is left.
    NoRecipients,
    /// `message_size_limit`
    TooLarge,
    /// `hopcount_limit`
    TooManyHops,
    /// A check, or a rule about characters or MIME, refuses it: the reply's text, beginning with a status.
    Content(String),
    /// A table did not answer.
    Table(String),
    /// It is refused for now: the reply's text, beginning with a status of class 4.
    Deferred(String),
}

/// The reply to the end of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// SMTP reply code.
    pub code: u16,
    /// Enhanced status and text: "5.7.1 message content rejected".
    pub text: String,
}

impl Refusal {
    /// The text for a report: without the word that is for SMTP clients.
    pub fn reason(&self) -> String {
        self.text.replacen(" Error: ", " ", 1)
    }
}

impl Problem {
    /// RFC 5321 §4.2, RFC 3463: the one place that decides between 4 and 5.
    pub fn refusal(&self) -> Refusal {
        let (code, text) = match self {
            Self::NoRecipients => (550, "5.1.0 no recipients specified"),
            Self::TooLarge => (552, "5.3.4 Error: message file too big"),
            Self::TooManyHops => (554, "5.4.0 Error: too many hops"),
            Self::Content(text) => (550, text.as_str()),
            Self::Table(_) => (451, "4.3.0 Error: queue file write error"),
            Self::Deferred(text) => (451, text.as_str()),
        };
        Refusal { code, text: text.to_owned() }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::NoRecipients => 0,
            Self::TooLarge => 1,
            Self::TooManyHops => 2,
            Self::Content(_) => 3,
            Self::Table(_) => 4,
            Self::Deferred(_) => 5,
        }
    }

    /// The one of two that the client is told: the first of the more pressing kind.
    pub(crate) fn most_pressing(first: Option<Self>, second: Self) -> Self {
        match first {
            Some(first) if first.rank() >= second.rank() => first,
            _ => second,
        }
    }
}
