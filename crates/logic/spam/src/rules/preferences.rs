//! Users' preferences in a database: where it is, and what it is asked.

// Each row of the flat matches below is one assignment.
#![allow(clippy::unit_arg)]

use super::configuration::Configuration;
use super::statement::{Done, Statement};

/// `user_scores_...`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// `user_scores_dsn`: a database as Perl's DBI has it, or the URL of a directory.
    pub dsn: Option<String>,
    /// `user_scores_sql_username`; empty for the user of the process.
    pub sql_user: String,
    /// `user_scores_sql_password`
    pub sql_password: String,
    /// `user_scores_sql_custom_query`
    custom_query: Option<String>,
    /// `user_scores_ldap_username`, a name in the directory; empty for nobody in particular.
    pub ldap_user: String,
    /// `user_scores_ldap_password`
    pub ldap_password: String,
    /// `user_scores_fallback_to_global`: who can not be asked about has the site's.
    pub fall_back: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            dsn: None,
            sql_user: String::new(),
            sql_password: String::new(),
            custom_query: None,
            ldap_user: String::new(),
            ldap_password: String::new(),
            fall_back: true,
        }
    }
}

impl Preferences {
    /// What stands for the user in a directory's filter.
    pub const LDAP_MARK: &str = "__USERNAME__";

    /// The query for a user's rows, names and values; `quoted` makes a literal of the database. What is behind a second `@` is of no
    /// account; a name without a domain has NULL there.
    pub fn query(&self, user: &str, quoted: &dyn Fn(&str) -> String) -> String {
        let mut parts = user.split('@');
        let mut part = |needed: bool| match parts.next().filter(|part| needed || !part.is_empty()) {
            Some(part) => quoted(part),
            None => "NULL".to_owned(),
        };
        let (mailbox, domain) = (part(true), part(false));
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
                    ("_MAILBOX_", &mailbox),
                    ("_DOMAIN_", &domain),
                ],
            ),
        }
    }

    /// Names with values as lines of a user's file. A value can not begin another line.
    pub fn lines(rows: &[(String, String)]) -> String {
        rows.iter().map(|(name, value)| one_line(&format!("{name}\t{value}"))).collect()
    }

    /// Values of a directory, each a line of a user's file.
    pub fn directory_lines(values: &[String]) -> String {
        values.iter().map(|value| one_line(value)).collect()
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ") + "\n"
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
        "user_scores_sql_username" => Ok(preferences.sql_user = statement.value.to_owned()),
        "user_scores_sql_password" => Ok(preferences.sql_password = statement.value.to_owned()),
        "user_scores_ldap_username" => Ok(preferences.ldap_user = statement.value.to_owned()),
        "user_scores_ldap_password" => Ok(preferences.ldap_password = statement.value.to_owned()),
        "user_scores_fallback_to_global" => statement.switch().map(|on| preferences.fall_back = on),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_hold_the_user_as_text() {
        let mut preferences = Preferences::default();
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let usual = "select preference, value from userpref where username = 'o''x@y' or username = '@GLOBAL' order by username asc";
        assert_eq!(preferences.query("o'x@y", &quoted), usual);
        preferences.custom_query =
            Some("select a, b from _TABLE_ where u in (_USERNAME_, _MAILBOX_, _DOMAIN_)".into());
        assert_eq!(
            preferences.query("_DOMAIN_@y@z", &quoted),
            "select a, b from userpref where u in ('_DOMAIN_@y@z', '_DOMAIN_', 'y')"
        );
        for (user, parts) in [("joe", "'joe', NULL"), ("joe@", "'joe', NULL"), ("@y", "'', 'y'")] {
            preferences.custom_query = Some("_MAILBOX_, _DOMAIN_".into());
            assert_eq!(preferences.query(user, &quoted), parts);
        }
    }

    #[test]
    fn a_value_is_one_line() {
        let rows = [("score X".to_owned(), "5\nbody Y /y/".to_owned()), ("a".to_owned(), "b".to_owned())];
        assert_eq!(Preferences::lines(&rows), "score X\t5 body Y /y/\na\tb\n");
        let values = ["score X 5\nbody Y /y/".to_owned(), "a b".to_owned()];
        assert_eq!(Preferences::directory_lines(&values), "score X 5 body Y /y/\na b\n");
    }
}
