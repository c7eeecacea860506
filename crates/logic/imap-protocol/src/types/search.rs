//! What SEARCH asks for, as a tree (RFC 3501 §6.4.4).

use crate::types::{Date, FetchItem, Flag, SequenceSet};

/// A condition on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchKey {
    /// `ALL`
    All,
    /// All of them.
    And(Vec<SearchKey>),
    /// `OR`
    Or(Box<SearchKey>, Box<SearchKey>),
    /// `NOT`, and the `UN...` keys.
    Not(Box<SearchKey>),
    /// A flag is set.
    Flag(Flag),
    /// `RECENT`
    Recent,
    /// Sequence numbers.
    Sequence(SequenceSet),
    /// `UID`
    Uid(SequenceSet),
    /// `BEFORE`, `ON`, `SINCE`: the day of INTERNALDATE.
    Internal(Comparator, Date),
    /// `SENTBEFORE`, `SENTON`, `SENTSINCE`: the day in the Date field.
    Sent(Comparator, Date),
    /// `SAVEDBEFORE`, `SAVEDON`, `SAVEDSINCE` (RFC 8514)
    Saved(Comparator, Date),
    /// `SAVEDATESUPPORTED` (RFC 8514)
    SaveDateSupported,
    /// `YOUNGER`, seconds (RFC 5032)
    Younger(u32),
    /// `OLDER`, seconds (RFC 5032)
    Older(u32),
    /// `LARGER`
    Larger(u64),
    /// `SMALLER`
    Smaller(u64),
    /// `HEADER`, and `FROM`, `SUBJECT` and the like: a field has this text in it. An empty text asks for the field.
    Header {
        /// In lower case.
        name: String,
        /// As it was written.
        text: String,
    },
    /// `BODY`
    Body(String),
    /// `TEXT`
    Text(String),
    /// `MODSEQ` (RFC 7162 §3.1.5)
    ModSeq(u64),
    /// `EMAILID`, `THREADID` (RFC 8474): an identifier.
    EmailId(String),
}

/// How days are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// Earlier than.
    Before,
    /// The same.
    On,
    /// The same or later.
    Since,
}

/// RETURN options (RFC 4731, RFC 5182, RFC 5267, RFC 9394).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SearchResult {
    /// `MIN`
    pub min: bool,
    /// `MAX`
    pub max: bool,
    /// `ALL`
    pub all: bool,
    /// `COUNT`
    pub count: bool,
    /// `SAVE`
    pub save: bool,
    /// `UPDATE`: changes of the result are told (RFC 5267)
    pub update: bool,
    /// `PARTIAL`: these of the results, counted from 1; from the end where negative.
    pub partial: Option<(i64, i64)>,
}

impl SearchResult {
    /// Is anything but SAVE asked for?
    pub fn shows(&self) -> bool {
        self.min || self.max || self.all || self.count || self.update || self.partial.is_some()
    }
}

/// SEARCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// UID SEARCH.
    pub uid: bool,
    /// RETURN (...), where it stands: the answer is ESEARCH.
    pub result: Option<SearchResult>,
    /// With UPDATE: what is sent of a new message that belongs to the result (RFC 5465 §7).
    pub fetch: Vec<FetchItem>,
    /// The condition.
    pub key: SearchKey,
}

impl SearchKey {
    /// Calls `each` for this key and all in it.
    pub fn walk(&self, each: &mut dyn FnMut(&Self)) {
        each(self);
        match self {
            Self::And(keys) => keys.iter().for_each(|key| key.walk(each)),
            Self::Or(one, two) => {
                one.walk(each);
                two.walk(each);
            }
            Self::Not(key) => key.walk(each),
            _ => {}
        }
    }

    /// Does it ask for MODSEQ, so that the answer tells the highest (RFC 7162 §3.1.5)?
    pub fn asks_modseq(&self) -> bool {
        let mut found = false;
        self.walk(&mut |key| found |= matches!(key, Self::ModSeq(_)));
        found
    }

    /// Does it name `$` (RFC 5182)?
    pub fn names_saved_result(&self) -> bool {
        let mut found = false;
        self.walk(&mut |key| {
            found |= matches!(key, Self::Sequence(SequenceSet::Saved) | Self::Uid(SequenceSet::Saved));
        });
        found
    }
}
