//! Users' preferences in a database: where it is, and what it is asked.

// Each row of the flat matches below is one assignment.
#![allow(clippy::unit_arg)]

use super::configuration::Configuration;
use super::statement::{Done, Statement};

/// `user_scores_...`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    /// `user_scores_dsn`, as Perl's DBI has it.
    pub dsn: Option<String>,
    /// `user_scores_sql_custom_query`
    custom_query: Option<String>,
    /// `user_scores_fail_to_global`: who can not be asked about has the site's.
    pub fail_to_global: bool,
}

impl Preferences {
    /// The file of a database of SQLite: `DBI:SQLite:dbname=/var/lib/prefs`; `None` for another kind.
    pub fn sqlite_file(&self) -> Option<&str> {
        let dsn = self.dsn.as_deref()?;
        let begin = dsn.get(..11).filter(|begin| begin.eq_ignore_ascii_case("dbi:sqlite:"))?;
        let rest = &dsn[begin.len()..];
        let part = |name: &str| rest.split(';').find_map(|part| part.strip_prefix(name));
        part("dbname=").or_else(|| part("database=")).or_else(|| part("db=")).or(Some(rest))
    }

    /// The query for a user's rows, names and values.
    pub fn query(&self, user: &str) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let (mailbox, domain) = user.split_once('@').unwrap_or((user, ""));
        match &self.custom_query {
            None => format!(
                "select preference, value from userpref where username = {} or username = '@GLOBAL' order by username asc",
                quoted(user)
            ),
            Some(query) => filled(
                query,
                &[
                    ("_USERNAME_", &quoted(user)),
                    ("_TABLE_", "userpref"),
                    ("_MAILBOX_", &quoted(mailbox)),
                    ("_DOMAIN_", &quoted(domain)),
                ],
            ),
        }
    }

    /// The rows as lines of a user's file. A value can not begin another line.
    pub fn lines(rows: &[(String, String)]) -> String {
        let line =
            |(name, value): &(String, String)| format!("{name}\t{value}").replace(['\n', '\r'], " ") + "\n";
        rows.iter().map(line).collect()
    }
}

/// Puts each value in the place of its name; what a value holds is no name.
fn filled(query: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let length = match values.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                text.push_str(value);
                name.len()
            }
            None => {
                text.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    text
}

/// Lines about where preferences are.
pub(super) fn preferences(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let preferences = &mut configuration.settings.preferences;
    Some(match statement.key {
        "user_scores_dsn" => statement.required().map(|dsn| preferences.dsn = Some(dsn.to_owned())),
        "user_scores_sql_custom_query" => {
            statement.required().map(|query| preferences.custom_query = Some(query.to_owned()))
        }
        "user_scores_fail_to_global" => statement.switch().map(|on| preferences.fail_to_global = on),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_databases() {
        let file = |dsn: &str| {
            let preferences = Preferences { dsn: Some(dsn.to_owned()), ..Preferences::default() };
            preferences.sqlite_file().map(str::to_owned)
        };
        assert_eq!(file("DBI:SQLite:dbname=/var/p;x=1").as_deref(), Some("/var/p"));
        assert_eq!(file("dbi:SQLite:/var/p").as_deref(), Some("/var/p"));
        assert_eq!(file("DBI:mysql:spamassassin:localhost"), None);
    }

    #[test]
    fn queries_hold_the_user_as_text() {
        let mut preferences = Preferences::default();
        let usual = "select preference, value from userpref where username = 'o''x@y' or username = '@GLOBAL' order by username asc";
        assert_eq!(preferences.query("o'x@y"), usual);
        preferences.custom_query =
            Some("select a, b from _TABLE_ where u in (_USERNAME_, _MAILBOX_, _DOMAIN_)".into());
        assert_eq!(
            preferences.query("_DOMAIN_@y"),
            "select a, b from userpref where u in ('_DOMAIN_@y', '_DOMAIN_', 'y')"
        );
    }

    #[test]
    fn a_value_is_one_line() {
        let rows = [("score X".to_owned(), "5\nbody Y /y/".to_owned()), ("a".to_owned(), "b".to_owned())];
        assert_eq!(Preferences::lines(&rows), "score X\t5 body Y /y/\na\tb\n");
    }
}
