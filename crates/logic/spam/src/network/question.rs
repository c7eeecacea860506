//! Questions and replies.

use std::collections::HashMap;

use checksums::{dcc, pyzor};

/// Types of records that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // RFC 1035 §3.2.2, RFC 3596 §2.1
pub enum RecordKind {
    A,
    Aaaa,
    Txt,
    Mx,
    Ns,
    Ptr,
    Cname,
    Soa,
}

impl RecordKind {
    /// The type that is called that.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "A" => Self::A,
            "AAAA" => Self::Aaaa,
            "TXT" => Self::Txt,
            "MX" => Self::Mx,
            "NS" => Self::Ns,
            "PTR" => Self::Ptr,
            "CNAME" => Self::Cname,
            "SOA" => Self::Soa,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Txt => "TXT",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Cname => "CNAME",
            Self::Soa => "SOA",
        }
    }
}

/// What is asked of DNS.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// In lower case, without a dot at the end.
    pub name: String,
    /// Which records.
    pub kind: RecordKind,
}

impl Question {
    /// A question for records of a name.
    pub fn new(name: &str, kind: RecordKind) -> Self {
        Self { name: name.trim_end_matches('.').to_ascii_lowercase(), kind }
    }
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// The response code (RFC 1035 §4.1.1): 0 none was wrong, 2 failure, 3 no such name.
    pub code: u16,
    /// The records of the type that was asked for: `127.0.0.2`, the joined strings of a text, `10 mx.example`.
    pub records: Vec<String>,
}

/// What is known so far; `None` for what was asked in vain.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    known: HashMap<Question, Option<Reply>>,
    /// What Pyzor's servers counted, together; `None` when they were not asked, or did not answer in time.
    pub pyzor: Option<pyzor::Counts>,
    /// What DCC says; `None` as above.
    pub dcc: Option<dcc::Metrics>,
}

impl Answers {
    /// Notes what came of a question: `None` when no server said anything in time.
    pub fn note(&mut self, question: Question, reply: Option<Reply>) {
        self.known.insert(question, reply);
    }

    /// What came of it; `None` when it was not asked.
    pub(crate) fn get(&self, question: &Question) -> Option<Option<&Reply>> {
        self.known.get(question).map(Option::as_ref)
    }

    /// How many questions were asked.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}
