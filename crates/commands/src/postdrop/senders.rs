//! Who may send in whose name (`local_login_sender_maps`).

use lookup::{Lookup, Part};
use parameters::Config;
use tables::Tables;

/// The default: everybody as anybody.
const ANYBODY: &str = "static:*";

/// What a login may send as.
pub(super) enum Senders {
    /// Anything.
    Any,
    /// What one of these patterns says. Extensions do not count.
    Listed { patterns: Vec<String>, delimiters: String, null_key: String },
}

impl Senders {
    /// Looks the user up, whose name is `uid:` and a number where the system has none.
    ///
    /// # Errors
    /// What is wrong with a table.
    pub(super) fn of(config: &Config, uid: u32, login: Option<&str>) -> Result<Self, String> {
        let maps = config.get(&parameters::LOCAL_LOGIN_SENDER_MAPS);
        if maps.trim() == ANYBODY {
            return Ok(Self::Any);
        }
        let login = login.map_or_else(|| format!("uid:{uid}"), str::to_owned);
        let tables = Tables::new(tables::Options::default());
        tables.open_maps(&maps);
        let found = tables.find(&maps, &login, Part::Whole);
        let found = found.map_err(|_| format!("{maps}: table lookup problem for {login}"))?;
        let patterns = found.map(|found| found.value).unwrap_or_default();
        Ok(Self::Listed {
            patterns: patterns.split([',', ' ', '\t']).map(str::to_owned).collect(),
            delimiters: config.get(&parameters::RECIPIENT_DELIMITER),
            null_key: config.get(&parameters::EMPTY_ADDRESS_LOCAL_LOGIN_SENDER_MAPS_LOOKUP_KEY),
        })
    }

    /// May this be the sender?
    pub(super) fn allow(&self, sender: &str) -> bool {
        let Self::Listed { patterns, delimiters, null_key } = self else { return true };
        let bare = if sender.is_empty() { null_key.clone() } else { without_extension(sender, delimiters) };
        let domain = bare.rfind('@').map(|at| &bare[at..]);
        patterns.iter().any(|pattern| {
            let same = |text: &str| pattern.eq_ignore_ascii_case(text);
            pattern == "*" || same(&bare) || (pattern.starts_with('@') && domain.is_some_and(same))
        })
    }
}

fn without_extension(sender: &str, delimiters: &str) -> String {
    let (local, domain) = sender.rfind('@').map_or((sender, ""), |at| sender.split_at(at));
    let local = address::split_extension(local, delimiters).map_or(local, |(local, _)| local);
    format!("{local}{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(patterns: &str, sender: &str) -> bool {
        let patterns = patterns.split(' ').map(str::to_owned).collect();
        Senders::Listed { patterns, delimiters: "+".into(), null_key: "<>".into() }.allow(sender)
    }

    #[test]
    fn patterns_are_addresses_domains_and_two_signs() {
        for (patterns, sender) in [
            ("foo@bar", "FOO@BAR"),
            ("foo@bar", "foo+x@bar"),
            ("x @dom.example", "a@dom.example"),
            ("user", "user"),
            ("<>", ""),
            ("*", "a"),
        ] {
            assert!(allows(patterns, sender), "{patterns} {sender}");
        }
        for (patterns, sender) in [
            ("foo+x@bar", "foo+x@bar"),
            ("@dom.example", "a@sub.dom.example"),
            ("user", "user@mx.test.example"),
            ("user@", "user@x"),
            ("foo@bar*", "foo@barx"),
            ("", "x"),
            ("foo@bar", ""),
        ] {
            assert!(!allows(patterns, sender), "{patterns} {sender}");
        }
    }
}
