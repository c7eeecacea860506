//! What SORT and THREAD ask for (RFC 5256, RFC 5957).

use crate::types::{FetchItem, SearchKey, SearchResult};

/// What messages are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// `ARRIVAL`: INTERNALDATE.
    Arrival,
    /// `CC`: the first address's mailbox.
    Cc,
    /// `DATE`: the sent date.
    Date,
    /// `FROM`
    From,
    /// `SIZE`
    Size,
    /// `SUBJECT`: the base subject.
    Subject,
    /// `TO`
    To,
    /// `DISPLAYFROM` (RFC 5957)
    DisplayFrom,
    /// `DISPLAYTO` (RFC 5957)
    DisplayTo,
}

/// One criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortCriterion {
    /// By what.
    pub key: SortKey,
    /// `REVERSE`
    pub reverse: bool,
}

/// SORT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortRequest {
    /// UID SORT.
    pub uid: bool,
    /// RETURN (...), where it stands.
    pub result: Option<SearchResult>,
    /// With UPDATE: what is sent of a new message that belongs to the result (RFC 5465 §7).
    pub fetch: Vec<FetchItem>,
    /// In order of weight; at least one.
    pub criteria: Vec<SortCriterion>,
    /// Of which messages.
    pub key: SearchKey,
}

/// How threads are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `ORDEREDSUBJECT` (RFC 5256 §3)
    OrderedSubject,
    /// `REFERENCES` (RFC 5256 §3)
    References,
    /// `REFS`: by references alone, threads in order of their newest message (draft-ietf-morg-inthread).
    Refs,
}

/// THREAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadRequest {
    /// UID THREAD.
    pub uid: bool,
    /// How.
    pub algorithm: Algorithm,
    /// Of which messages.
    pub key: SearchKey,
}
