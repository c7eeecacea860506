//! Tables made of other tables: unionmap:, pipemap:, and randmap: made of values.

use crate::name::{TableName, only_braces, split_list};
use crate::open::OpenTable;
use crate::sight::Sight;
use crate::table::{Options, Table};
use crate::trouble::Trouble;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;

/// What a combined table does with the answers of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// unionmap: — all that are found, with commas between them.
    Union,
    /// pipemap: — what one finds is the key of the next.
    Pipe,
}

pub(crate) struct Combined {
    name: String,
    how: How,
    tables: Vec<OpenTable>,
}

impl Combined {
    pub(crate) fn open(
        name: &TableName,
        how: How,
        options: &Options,
        sight: &Arc<Sight>,
    ) -> Result<Self, Trouble> {
        let need = match how {
            How::Union => "unionmap:{type:name...}",
            How::Pipe => "pipemap:{type:name...}",
        };
        let syntax = || Trouble::Syntax { problem: "bad syntax".to_owned(), table: name.to_string(), need };
        let mut tables = Vec::new();
        for element in split_list(only_braces(&name.name).ok_or_else(syntax)?) {
            if !element.contains(':') {
                return Err(syntax());
            }
            tables.push(OpenTable::open_with(&TableName::parse(element)?, options, sight)?);
        }
        if tables.is_empty() { Err(syntax()) } else { Ok(Self { name: name.to_string(), how, tables }) }
    }

    fn union(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let mut all = Vec::new();
        for table in &self.tables {
            let Some(value) = table.get(key)? else { continue };
            if !all.is_empty() {
                all.push(b',');
            }
            all.extend_from_slice(&value);
        }
        Ok((!all.is_empty()).then_some(all))
    }

    fn pipe(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let mut key = key.to_owned();
        for table in &self.tables {
            match table.get(&key)? {
                Some(value) => key = value,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }
}

impl Table for Combined {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let answer = match self.how {
            How::Union => self.union(key),
            How::Pipe => self.pipe(key),
        };
        answer.map_err(|trouble| match trouble {
            Trouble::Application { .. } => Trouble::Application { table: self.name.clone(), verb: "query" },
            other => other,
        })
    }

    /// Its parts follow their files by themselves.
    fn changed(&mut self, _sight: &Sight) -> bool {
        self.tables.iter().for_each(OpenTable::look);
        false
    }

    fn takes_parts(&self) -> bool {
        self.tables.iter().any(OpenTable::takes_parts)
    }

    fn folds_keys(&self) -> bool {
        false
    }
}

/// randmap: — one of its values, whatever the key.
pub(crate) struct Random {
    values: Vec<Vec<u8>>,
    chance: RandomState,
    asked: u64,
}

impl Random {
    pub(crate) fn open(name: &TableName, options: &Options) -> Result<Self, Trouble> {
        let inside = only_braces(&name.name).unwrap_or_default();
        let value = |text: &str| options.value(text.as_bytes()).map(|value| value.into_owned());
        let values: Vec<_> = split_list(inside).map(value).collect::<Result<_, _>>()?;
        if values.is_empty() {
            let need = "randmap:{value...}";
            return Err(Trouble::Syntax { problem: "bad syntax".to_owned(), table: name.to_string(), need });
        }
        Ok(Self { values, chance: RandomState::new(), asked: 0 })
    }
}

impl Table for Random {
    fn get(&mut self, _key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        self.asked += 1;
        let count = u64::try_from(self.values.len()).unwrap_or(1);
        let choice = usize::try_from(self.chance.hash_one(self.asked) % count).unwrap_or(0);
        Ok(self.values.get(choice).cloned())
    }

    fn takes_parts(&self) -> bool {
        false
    }

    fn folds_keys(&self) -> bool {
        false
    }
}
