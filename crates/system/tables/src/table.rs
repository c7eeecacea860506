//! What all tables have in common.

use crate::file_values::{FileValueError, content_in_base64};
use crate::fold::fold;
use crate::sight::Sight;
use crate::trouble::Trouble;
use std::borrow::Cow;
use std::path::Path;

/// Receives one entry of a table: key and value.
pub type EachEntry<'a> = dyn FnMut(&[u8], &[u8]) + 'a;

/// One open table.
pub(crate) trait Table: Send {
    /// The value of `key`; the caller has folded it if [`Table::folds_keys`].
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble>;

    /// Is it asked for pieces of an address (its domain, `user@`)? Tables of patterns are not: a pattern sees whole
    /// addresses only.
    fn takes_parts(&self) -> bool {
        true
    }

    /// Are upper and lower case the same in its keys?
    fn folds_keys(&self) -> bool {
        true
    }

    /// Has its file changed, so that it has to be opened anew?
    fn changed(&mut self, sight: &Sight) -> bool {
        let _ = sight;
        false
    }

    /// The database that it reads beside its own file, and must be able to reach later too.
    fn database(&self) -> Option<&Path> {
        None
    }

    /// Calls `each` with every entry, in the table's own order.
    fn entries(&mut self, name: &str, each: &mut EachEntry<'_>) -> Result<(), Trouble> {
        let _ = each;
        Err(Trouble::NoSequence(name.to_owned()))
    }
}

/// How keys and values of a table are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Fold keys of tables with fixed keys to lower case (off with `postmap -f`).
    pub fold: bool,
    /// Keys and values are UTF-8; others are refused (`smtputf8_enable`, off with `postmap -u`).
    pub utf8: bool,
    /// `$1` in regexp: and pcre: results is allowed; not where a key of a stranger would choose a file or a user.
    pub substitution: bool,
    /// Values of text sources are names of files, whose content in base64 is the value (`postmap -F`).
    pub values_are_files: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { fold: true, utf8: true, substitution: true, values_are_files: false }
    }
}

impl Options {
    /// `key` as tables with fixed keys store it and look for it.
    pub fn folded<'a>(&self, key: &'a [u8]) -> Cow<'a, [u8]> {
        if self.fold { fold(key, self.utf8) } else { Cow::Borrowed(key) }
    }

    /// A value as it stands in a text source, or the content of the files that it names, in base64.
    pub(crate) fn value<'a>(&self, text: &'a [u8]) -> Result<Cow<'a, [u8]>, FileValueError> {
        if self.values_are_files { content_in_base64(text).map(Cow::Owned) } else { Ok(Cow::Borrowed(text)) }
    }
}
