//! Tables without a file: static:, inline:, environ:, fail:, internal:, unix:.

use crate::name::{TableName, only_braces, split_list, within_braces};
use crate::table::{EachEntry, Options, Table};
use crate::trouble::{Trouble, reason};
use std::collections::BTreeMap;

/// static:value — every key has the same value.
pub(crate) struct Static(Vec<u8>);

impl Static {
    pub(crate) fn open(name: &TableName, options: &Options) -> Result<Self, Trouble> {
        let value = if name.name.starts_with('{') {
            within_braces(&name.name).map_err(Trouble::StaticSyntax)?
        } else {
            &name.name
        };
        Ok(Self(options.value(value.as_bytes())?.into_owned()))
    }
}

impl Table for Static {
    fn get(&mut self, _key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(Some(self.0.clone()))
    }
}

/// Keys and values that are held in memory: inline:, and texthash: with its kin.
#[derive(Default)]
pub(crate) struct InMemory(pub(crate) BTreeMap<Box<[u8]>, Box<[u8]>>);

impl Table for InMemory {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(self.0.get(key).map(|value| value.to_vec()))
    }

    fn entries(&mut self, _name: &str, each: &mut EachEntry<'_>) -> Result<(), Trouble> {
        self.0.iter().for_each(|(key, value)| each(key, value));
        Ok(())
    }
}

/// `inline:{name=value, {name = text with blanks}}`; a name that comes twice has its last value.
pub(crate) fn open_inline(name: &TableName, options: &Options) -> Result<InMemory, Trouble> {
    let syntax = |problem: String| Trouble::Syntax {
        problem,
        table: name.to_string(),
        need: "inline:{name=value...}",
    };
    let inside = only_braces(&name.name).filter(|inside| !inside.is_empty());
    let inside = inside.ok_or_else(|| syntax("bad syntax".to_owned()))?;
    let mut table = InMemory::default();
    for element in split_list(inside) {
        let pair = if element.starts_with('{') { within_braces(element) } else { Ok(element) };
        let pair = pair.map_err(|error| syntax(error.to_string()))?;
        let (key, value) = split_pair(pair).map_err(|problem| syntax(problem.to_owned()))?;
        let value = options
            .value(value.as_bytes())
            .map_err(|error| Trouble::InlineFileValue { error, table: name.to_string() })?;
        table.0.insert(options.folded(key.as_bytes()).as_ref().into(), value.as_ref().into());
    }
    if table.0.is_empty() { Err(syntax("empty table".to_owned())) } else { Ok(table) }
}

/// `key = value`. Blanks and `=` within double quotes, which stay, belong to the key.
fn split_pair(text: &str) -> Result<(&str, &str), &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("no key found; expected format: key = value");
    }
    let end = name_end(text).ok_or("unbalanced '\"'")?;
    let (key, rest) = text.split_at(end);
    let value = rest.trim_start().strip_prefix('=').ok_or("missing '=' after attribute name")?;
    Ok((key, value.trim()))
}

/// Where the key ends; `None` if its quotes are not closed.
fn name_end(text: &str) -> Option<usize> {
    let mut in_quotes = false;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_quotes = !in_quotes,
            '=' | ' ' | '\t' | '\r' | '\n' if !in_quotes => return Some(at),
            _ => {}
        }
    }
    (!in_quotes).then_some(text.len())
}

/// environ: — the environment of this process.
pub(crate) struct Environ;

impl Table for Environ {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        use std::os::unix::ffi::{OsStrExt, OsStringExt};
        let usable = !key.is_empty() && !key.contains(&b'=') && !key.contains(&0);
        let value = usable.then(|| std::env::var_os(std::ffi::OsStr::from_bytes(key))).flatten();
        Ok(value.map(OsStringExt::into_vec))
    }
}

/// fail: — every question fails, for tests.
pub(crate) struct Fail(String);

impl Fail {
    pub(crate) fn open(name: &TableName) -> Self {
        Self(name.to_string())
    }
}

impl Table for Fail {
    fn get(&mut self, _key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        Err(Trouble::Application { table: self.0.clone(), verb: "query" })
    }

    fn entries(&mut self, name: &str, _each: &mut EachEntry<'_>) -> Result<(), Trouble> {
        Err(Trouble::Application { table: name.to_owned(), verb: "sequence" })
    }

    fn takes_parts(&self) -> bool {
        false
    }

    fn folds_keys(&self) -> bool {
        false
    }
}

/// unix:passwd.byname and unix:group.byname — the system's accounts.
pub(crate) struct Accounts {
    table: String,
    line: fn(&str) -> std::io::Result<Option<String>>,
}

impl Accounts {
    pub(crate) fn open(name: &TableName) -> Result<Self, Trouble> {
        let line = match name.name.as_str() {
            "passwd.byname" => sys::account_lines::passwd_line,
            "group.byname" => sys::account_lines::group_line,
            _ => return Err(Trouble::UnknownTable(name.to_string())),
        };
        Ok(Self { table: name.to_string(), line })
    }
}

impl Table for Accounts {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let Ok(name) = std::str::from_utf8(key) else { return Ok(None) };
        if name.is_empty() || name.contains('\0') {
            return Ok(None);
        }
        let line = (self.line)(name).map_err(|error| {
            log::warn!("{}: lookup of \"{name}\" failed: {}", self.table, reason(&error));
            Trouble::Application { table: self.table.clone(), verb: "query" }
        })?;
        Ok(line.map(String::into_bytes))
    }
}
