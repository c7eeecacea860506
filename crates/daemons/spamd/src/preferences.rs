//! Users' preferences that lie elsewhere: rows of a database, values of a directory.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use databases::{Directory, Limits, Pool, Source, Trouble, Value};
use spam::rules::Preferences;

/// A check waits for preferences no longer than this.
const LIMITS: Limits =
    Limits { connect: Duration::from_secs(5), answer: Duration::from_secs(10), rows: 10_000 };

/// What kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `--sql-config`
    Sql,
    /// `--ldap-config`
    Ldap,
}

impl Kind {
    /// What problems of the lines are said to be in.
    fn file(self) -> &'static Path {
        Path::new(match self {
            Self::Sql => "(sql config)",
            Self::Ldap => "(ldap config)",
        })
    }

    /// What a client is told who may not have the site's rules instead.
    fn refusal(self) -> &'static str {
        match self {
            Self::Sql => "Error fetching user preferences via SQL",
            Self::Ldap => "Error fetching user preferences via LDAP",
        }
    }
}

enum Place {
    Sql(Pool),
    Ldap(Directory),
}

/// Where preferences are.
pub(crate) struct Remote {
    kind: Kind,
    place: Place,
    /// The site's settings.
    settings: Preferences,
    /// What was wrong last time, as it stands in the log.
    complaint: Mutex<Option<Trouble>>,
}

/// Nobody may judge the message without the user's preferences (`user_scores_fallback_to_global 0`).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Withheld(pub(crate) &'static str);

impl Remote {
    /// Nobody is asked yet. `None`, with a word in the log, when the site's settings name no place.
    pub(crate) fn new(kind: Kind, settings: &Preferences) -> Result<Option<Self>, String> {
        let Some(dsn) = &settings.dsn else {
            log::warn!("spamd: user_scores_dsn names no database: the site's rules count for all users");
            return Ok(None);
        };
        let place = match kind {
            Kind::Sql => Place::Sql(Pool::new(source(dsn, settings)?, LIMITS)),
            Kind::Ldap => {
                let found = Directory::parse(dsn, &settings.ldap_user, &settings.ldap_password, LIMITS);
                Place::Ldap(found.map_err(|error| format!("user_scores_dsn {error}"))?)
            }
        };
        Ok(Some(Self { kind, place, settings: settings.clone(), complaint: Mutex::default() }))
    }

    /// What problems of the lines are said to be in.
    pub(crate) fn file(&self) -> &'static Path {
        self.kind.file()
    }

    /// Is a message refused when its user is none of this system, though users are (`-Q`)? The original does so with SQL alone.
    pub(crate) fn refuses_strangers(&self) -> bool {
        self.kind == Kind::Sql
    }

    /// A user's preferences as lines of a file; none when nobody can be asked and the site's shall count then.
    pub(crate) fn lines(&self, user: &str) -> Result<String, Withheld> {
        let found = match &self.place {
            Place::Sql(pool) => self.rows(pool, user),
            Place::Ldap(directory) => values(directory, user),
        };
        match found {
            Ok(lines) => {
                if self.complaint().take().is_some() {
                    log::info!("config: user preferences can be had again");
                }
                Ok(lines)
            }
            Err(trouble) => {
                self.complain(user, trouble);
                if self.settings.fall_back { Ok(String::new()) } else { Err(self.withheld()) }
            }
        }
    }

    /// The refusal of a message whose user is unknown.
    pub(crate) fn withheld(&self) -> Withheld {
        Withheld(self.kind.refusal())
    }

    fn rows(&self, pool: &Pool, user: &str) -> Result<String, Trouble> {
        let ask = || {
            pool.with(|connection| {
                let query = self.settings.query(user, &|text| connection.quoted(text));
                connection.plain_rows(&query)
            })
        };
        // A connection that was kept may have ended meanwhile; to ask again does no harm.
        let rows = match ask() {
            Err(Trouble::Lost { .. }) => ask()?,
            rows => rows?,
        };
        let text = |value: Option<&Value>| value.and_then(Value::text).unwrap_or_default();
        let pairs: Vec<_> = rows.iter().map(|row| (text(row.first()), text(row.get(1)))).collect();
        Ok(Preferences::lines(&pairs))
    }

    /// A cause stands in the log once, until an answer comes: it would else be said with each message.
    fn complain(&self, user: &str, trouble: Trouble) {
        let mut complaint = self.complaint();
        if complaint.as_ref() == Some(&trouble) {
            return;
        }
        let (part, place, words) = match self.kind {
            Kind::Sql => ("config", "SQL database", "config: SQL error: "),
            Kind::Ldap => ("ldap", "LDAP server", ""),
        };
        let instead = if self.settings.fall_back { ", using a global default" } else { "" };
        log::warn!("{part}: failed to load user ({user}) scores from {place}{instead}: {words}{trouble}");
        *complaint = Some(trouble);
    }

    fn complaint(&self) -> std::sync::MutexGuard<'_, Option<Trouble>> {
        self.complaint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn values(directory: &Directory, user: &str) -> Result<String, Trouble> {
    let values = directory.values(Preferences::LDAP_MARK, user)?;
    let texts: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    Ok(Preferences::directory_lines(&texts))
}

/// The database; what its name holds in vain stands in the log.
fn source(dsn: &str, settings: &Preferences) -> Result<Source, String> {
    let login = sys::users::user_of_id(sys::ids::effective_uid()).ok().flatten();
    let login = login.map(|user| user.name).unwrap_or_default();
    let source = Source::parse(dsn, &settings.sql_user, &settings.sql_password, &login);
    let source = source.map_err(|error| format!("user_scores_dsn {error}"))?.for_reading();
    if !source.inert.is_empty() {
        log::warn!("spamd: user_scores_dsn: these do nothing in this version: {}", source.inert.join(" "));
    }
    Ok(source)
}
