//! Which mechanisms the stored passwords allow.

use passwords::Stored;
use sasl::Mechanism;
use tables::{OpenTable, Options, TableName, split_list};

use crate::Accounts;

/// So many stored passwords are looked at, at the most.
const LOOKED_AT: usize = 10_000;

impl Accounts {
    /// The mechanisms that every stored password allows. Where they can not be listed (a database, system users), those
    /// that work with any.
    pub fn usable_mechanisms(&self) -> Vec<Mechanism> {
        let any = [Mechanism::Plain, Mechanism::Login];
        let Some(stored) = self.all_stored().filter(|stored| !stored.is_empty()) else { return any.to_vec() };
        let serves = |mechanism: &Mechanism| {
            any.contains(mechanism) || stored.iter().all(|stored| stored.secret_for(*mechanism).is_some())
        };
        Mechanism::ALL.into_iter().filter(|it| *it != Mechanism::External).filter(serves).collect()
    }

    /// The stored passwords, as far as they can be listed; none where a source can not be.
    fn all_stored(&self) -> Option<Vec<Stored>> {
        if self.settings.system_users {
            return None;
        }
        let mut texts = self.passwd_file.as_ref().map_or_else(Vec::new, |file| file.passwords());
        for name in split_list(&self.settings.password_maps) {
            let table = OpenTable::new(TableName::parse(name).ok()?, &Options::default());
            let mut each = |_: &[u8], value: &[u8]| {
                if texts.len() < LOOKED_AT {
                    texts.push(String::from_utf8_lossy(value).into_owned());
                }
            };
            table.entries(&mut each).ok()?;
        }
        let parsed = texts.iter().map(|text| Stored::parse(text, self.settings.default_scheme).ok());
        parsed.take(LOOKED_AT).filter(Option::is_some).collect()
    }
}
