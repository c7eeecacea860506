//! Users of this system and their passwords in the shadow file.

use std::path::Path;

use sys::users;

use crate::Unavailable;
use crate::file::LineFile;
use crate::passwd_file::Entry;

/// Where passwords are (shadow(5)).
const SHADOW_FILE: &str = "/etc/shadow";
/// Seconds of a day: the shadow file counts days.
const DAY_SECONDS: u64 = 24 * 60 * 60;

pub(crate) struct SystemUsers(LineFile<Shadow>);

struct Shadow {
    password: String,
    /// The day since 1970 on which the account ends.
    expires: Option<u64>,
}

impl SystemUsers {
    pub(crate) fn open() -> Self {
        Self(LineFile::open(Path::new(SHADOW_FILE), Shadow::parse))
    }

    /// None for root and for users who do not exist; an account that has ended or is locked has no password.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Entry>, Unavailable> {
        let failed = |error| Unavailable::File(format!("look user {name} up: {error}"));
        let found = users::user(name).map_err(failed)?.filter(|user| user.uid != 0);
        let Some(user) = found else { return Ok(None) };
        let shadows = self.0.entries()?;
        let today = sys::clock::now_us() / 1_000_000 / DAY_SECONDS;
        let shadow = shadows.get(name).filter(|shadow| shadow.expires.is_none_or(|day| today < day));
        let password = shadow.map(|shadow| shadow.password.as_str()).filter(|it| it.starts_with('$'));
        Ok(Some(Entry {
            password: password.map_or_else(String::new, |hash| format!("{{CRYPT}}{hash}")),
            uid: user.uid.to_string(),
            gid: user.gid.to_string(),
            home: user.home.to_string_lossy().into_owned(),
            ..Entry::default()
        }))
    }

    pub(crate) fn is_out_of_date(&self) -> bool {
        self.0.is_out_of_date()
    }
}

impl Shadow {
    /// `name:password:changed:minimum:maximum:warning:inactive:expires:reserved`
    fn parse(line: &str) -> Option<(String, Self)> {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let password = fields.next()?.to_owned();
        let expires = fields.nth(5).and_then(|day| day.parse().ok());
        Some((name, Self { password, expires }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_an_account_ends_is_the_eighth_field() {
        let (name, shadow) = Shadow::parse("u:$6$a$b:19000:0:99999:7::20000:").unwrap();
        assert_eq!((name.as_str(), shadow.password.as_str(), shadow.expires), ("u", "$6$a$b", Some(20_000)));
        assert_eq!(Shadow::parse("u:!:19000:0:99999:7:::").unwrap().1.expires, None);
    }
}
