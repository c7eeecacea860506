//! Tables that remember what they were asked.

use std::cell::RefCell;

use lookup::{Found, Lookup, Part, Stop, Subject};

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// The value of the parameter: names of tables, or a match list.
    pub(crate) maps: String,
    /// What was looked for.
    pub(crate) key: String,
    /// Is `maps` a match list?
    pub(crate) list: bool,
    /// What came of it.
    pub(crate) answer: Answer,
}

/// What a table or list said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The list has it.
    Listed,
    /// This table has it, with this value.
    Found { table: String, value: String },
    /// Nothing has it.
    Missing,
    /// This could not be read.
    Failed { table: String },
}

/// Passes questions on and keeps them.
pub(crate) struct Recorder<'a> {
    inner: &'a dyn Lookup,
    questions: RefCell<Vec<Question>>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(inner: &'a dyn Lookup) -> Self {
        Self { inner, questions: RefCell::default() }
    }

    /// The questions since the last call, each once.
    pub(crate) fn take(&self) -> Vec<Question> {
        let mut kept: Vec<Question> = Vec::new();
        for question in self.questions.take() {
            if !kept.contains(&question) {
                kept.push(question);
            }
        }
        kept
    }

    fn keep(&self, maps: &str, key: String, list: bool, answer: Answer) {
        self.questions.borrow_mut().push(Question { maps: maps.to_owned(), key, list, answer });
    }
}

impl Lookup for Recorder<'_> {
    fn find(&self, maps: &str, key: &str, part: Part) -> Result<Option<Found>, Stop> {
        let result = self.inner.find(maps, key, part);
        let answer = match &result {
            Ok(Some(found)) => Answer::Found { table: found.table.clone(), value: found.value.clone() },
            Ok(None) => Answer::Missing,
            Err(stop) => failed(stop, maps),
        };
        self.keep(maps, key.to_owned(), false, answer);
        result
    }

    fn listed(&self, list: &str, subject: &Subject<'_>) -> Result<bool, Stop> {
        let result = self.inner.listed(list, subject);
        let answer = match &result {
            Ok(true) => Answer::Listed,
            Ok(false) => Answer::Missing,
            Err(stop) => failed(stop, list),
        };
        let key = match subject {
            Subject::Text(text) => (*text).to_owned(),
            Subject::Domain { name, .. } => (*name).to_owned(),
            Subject::Client { name, address, .. } => format!("{name}[{address}]"),
        };
        self.keep(list, key, true, answer);
        result
    }
}

fn failed(stop: &Stop, maps: &str) -> Answer {
    match stop {
        Stop::Failed { table } => Answer::Failed { table: table.clone() },
        Stop::Wait => Answer::Failed { table: maps.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lookup::Memory;

    #[test]
    fn questions_are_kept_with_their_answers() {
        let tables = Memory::new().table("t", &[("a", "1")]).table("u", &[]).broken("u");
        let recorder = Recorder::new(&tables);
        for _ in 0..2 {
            let _ = recorder.find("t", "a", Part::Whole);
        }
        let _ = recorder.find("u", "b", Part::Whole);
        let _ = recorder.listed("x y", &Subject::Text("x"));
        let answers: Vec<_> = recorder.take().into_iter().map(|question| question.answer).collect();
        let expected = [
            Answer::Found { table: "t".into(), value: "1".into() },
            Answer::Failed { table: "u".into() },
            Answer::Listed,
        ];
        assert_eq!(answers, expected);
        assert!(recorder.take().is_empty());
    }
}
