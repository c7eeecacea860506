//! SORT and THREAD (RFC 5256, RFC 5267, RFC 5957).

use crate::parse::{Cursor, Parsed, Refusal, shown};
use crate::types::{Algorithm, Command, SortCriterion, SortKey, SortRequest, ThreadRequest};

/// Criteria of one command.
const CRITERIA_LIMIT: usize = 20;

impl Cursor<'_> {
    /// sort = "SORT" [search-return-opts] SP sort-criteria SP search-criteria
    pub(crate) fn sort(&mut self, uid: bool) -> Parsed<Command> {
        self.space()?;
        let mut fetch = Vec::new();
        let result = self.return_clause(&mut fetch)?;
        let criteria = self.sort_criteria()?;
        self.space()?;
        self.charset_name()?;
        self.space()?;
        Ok(Command::Sort(SortRequest { uid, result, fetch, criteria, key: self.search_program()? }))
    }

    /// sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"
    fn sort_criteria(&mut self) -> Parsed<Vec<SortCriterion>> {
        let mut criteria = Vec::new();
        self.list(|cursor| {
            let reverse = cursor.keyword("REVERSE");
            if reverse {
                cursor.space()?;
            }
            criteria.push(SortCriterion { key: cursor.sort_key()?, reverse });
            if criteria.len() > CRITERIA_LIMIT { Err(Refusal::new("Too many sort keys")) } else { Ok(()) }
        })?;
        if criteria.is_empty() { Err(Refusal::new("Empty sort program")) } else { Ok(criteria) }
    }

    fn sort_key(&mut self) -> Parsed<SortKey> {
        Ok(match self.word()?.as_str() {
            "ARRIVAL" => SortKey::Arrival,
            "CC" => SortKey::Cc,
            "DATE" => SortKey::Date,
            "FROM" => SortKey::From,
            "SIZE" => SortKey::Size,
            "SUBJECT" => SortKey::Subject,
            "TO" => SortKey::To,
            "DISPLAYFROM" => SortKey::DisplayFrom,
            "DISPLAYTO" => SortKey::DisplayTo,
            other => return Err(Refusal::new(format!("Unknown sort argument: {}", shown(other.as_bytes())))),
        })
    }

    /// thread = "THREAD" SP thread-alg SP search-criteria
    pub(crate) fn thread(&mut self, uid: bool) -> Parsed<Command> {
        self.space()?;
        let algorithm = match self.word()?.as_str() {
            "ORDEREDSUBJECT" => Algorithm::OrderedSubject,
            "REFERENCES" => Algorithm::References,
            "REFS" => Algorithm::Refs,
            _ => return Err(Refusal::new("Unknown thread algorithm")),
        };
        self.space()?;
        self.charset_name()?;
        self.space()?;
        Ok(Command::Thread(ThreadRequest { uid, algorithm, key: self.search_program()? }))
    }
}
