//! All databases that a process has open, and which of them belong together.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use spam::learned::{Change, Class, Memory, Reputation, Tally, Token, TokenCounts};
use spam::rules::{BayesStore, Settings};

use crate::bayes::Bayes;
use crate::redis_server::RedisServer;
use crate::sql_server::SqlServer;
use crate::store::Store;
use crate::trouble::Trouble;

/// Databases that are kept open; those that nobody uses are closed beyond it.
const OPEN_LIMIT: usize = 200;
/// Stores of other hosts that are kept; the settings of a site name one.
const SERVERS_LIMIT: usize = 16;
/// Where a user's data lies when nobody says otherwise.
const BAYES: &str = "__userstate__/bayes";
const AWL: &str = "__userstate__/auto-welcomelist";
const TXREP: &str = "__userstate__/tx-reputation";
/// Our files beside those of the original, which have other forms.
const ENDING: &str = ".lmdb";

/// The file for a path as the settings write it; `state` is the user's folder (`~/.spamassassin`), `home` his home.
pub fn path_of(setting: &str, state: &Path, home: &Path) -> PathBuf {
    let rest = |begin: &str| setting.strip_prefix(begin).map(|rest| rest.trim_start_matches('/'));
    let path = match (rest("__userstate__"), rest("~")) {
        (Some(rest), _) => state.join(rest),
        (None, Some(rest)) => home.join(rest),
        _ => PathBuf::from(setting),
    };
    let mut name = path.into_os_string();
    name.push(ENDING);
    PathBuf::from(name)
}

/// Whose data it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// His name, for databases in which users have names; empty for nobody in particular.
    pub user: &'a str,
    /// Who this process is, for databases whose settings do not say who asks.
    pub login: &'a str,
    /// His folder (`~/.spamassassin`).
    pub state: &'a Path,
    /// His home.
    pub home: &'a Path,
}

/// What a process has open, each once.
#[derive(Default)]
pub struct Shelf {
    stores: Mutex<HashMap<PathBuf, Arc<Store>>>,
    servers: Mutex<HashMap<(BayesStore, bool), Server>>,
}

/// What other hosts ask as well.
#[derive(Clone)]
enum Server {
    Redis(Arc<RedisServer>),
    Sql(Arc<SqlServer>),
}

impl Shelf {
    /// The database at `path`, opened or made if need be.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn store(&self, path: &Path) -> Result<Arc<Store>, Trouble> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(path) {
            return Ok(Arc::clone(store));
        }
        if stores.len() >= OPEN_LIMIT {
            stores.retain(|_, store| Arc::strong_count(store) > 1);
        }
        let store = Store::open(path)?;
        stores.insert(path.to_owned(), Arc::clone(&store));
        Ok(store)
    }

    /// Writes down what is not written yet, in all databases: before the process ends, for what it forgets then is lost.
    ///
    /// # Errors
    /// The first of [`Store::flush`]; the other databases are written all the same.
    pub fn flush(&self) -> Result<(), Trouble> {
        let stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        stores.values().map(|store| store.flush()).fold(Ok(()), Result::and)
    }

    /// Tokens and messages.
    fn bayes(&self, settings: &Settings, owner: &Owner<'_>) -> Result<Bayes, Trouble> {
        let store = &settings.bayes_store;
        if store.is_of_files() {
            // Ours lie beside those of the original.
            let path = settings.bayes_path.as_deref().unwrap_or(BAYES);
            return self.store(&path_of(path, owner.state, owner.home)).map(Bayes::Local);
        }
        Ok(match self.server(store, settings.bayes_auto_expire, owner.login)? {
            Server::Redis(server) => Bayes::Redis(server),
            Server::Sql(server) => Bayes::Sql(server.user(owner.user)),
        })
    }

    fn server(&self, settings: &BayesStore, expires: bool, login: &str) -> Result<Server, Trouble> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (settings.clone(), expires);
        if let Some(server) = servers.get(&key) {
            return Ok(server.clone());
        }
        let server = match settings.module.as_str() {
            "Redis" => Server::Redis(Arc::new(RedisServer::new(settings, expires)?)),
            "SQL" | "MySQL" | "PgSQL" => Server::Sql(Arc::new(SqlServer::new(settings, login)?)),
            other => return Err(Trouble::Module(other.to_owned())),
        };
        if servers.len() < SERVERS_LIMIT {
            servers.insert(key, server.clone());
        }
        Ok(server)
    }

    /// The data of a user with these settings.
    ///
    /// # Errors
    /// As [`Store::open`] and [`SqlServer::new`]; [`Trouble::Module`], [`Trouble::Dsn`].
    pub fn learned(&self, settings: &Settings, owner: &Owner<'_>) -> Result<Learned, Trouble> {
        let usual = if settings.txrep.active { TXREP } else { AWL };
        let senders = settings.auto_welcomelist_path.as_deref().unwrap_or(usual);
        Ok(Learned {
            bayes: self.bayes(settings, owner)?,
            senders: self.store(&path_of(senders, owner.state, owner.home))?,
        })
    }
}

/// The data of one user, or of the site.
#[derive(Clone)]
pub struct Learned {
    /// Tokens and messages.
    pub bayes: Bayes,
    /// Reputations of senders.
    pub senders: Arc<Store>,
}

impl Learned {
    /// Carries out what a check or a lesson came to.
    ///
    /// # Errors
    /// As [`Bayes::apply`].
    pub fn apply(&self, changes: &[Change]) -> Result<(), Trouble> {
        let is_sender = |change: &&Change| {
            matches!(change, Change::Score { .. } | Change::ForgetKey(_) | Change::ForgetKeys(_))
        };
        let (senders, bayes): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(is_sender);
        self.senders.apply(&senders.into_iter().cloned().collect::<Vec<_>>());
        self.bayes.apply(&bayes.into_iter().cloned().collect::<Vec<_>>())
    }

    /// Writes down what is not written yet.
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub fn flush(&self) -> Result<(), Trouble> {
        self.bayes.flush()?;
        self.senders.flush()
    }
}

impl Memory for Learned {
    fn tally(&self) -> Option<Tally> {
        self.bayes.tally()
    }

    fn tokens(&self, tokens: &[Token]) -> Vec<Option<TokenCounts>> {
        self.bayes.tokens(tokens)
    }

    fn learned_as(&self, message_id: &str) -> Option<Class> {
        self.bayes.learned_as(message_id)
    }

    fn reputation(&self, key: &str) -> Option<Reputation> {
        self.senders.reputation(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(folder: &Path) -> Owner<'_> {
        Owner { user: "joe", login: "me", state: folder, home: folder }
    }

    #[test]
    fn paths_of_settings() {
        let of = |setting| path_of(setting, Path::new("/home/joe/.spamassassin"), Path::new("/home/joe"));
        assert_eq!(of(BAYES), Path::new("/home/joe/.spamassassin/bayes.lmdb"));
        assert_eq!(of("~/b"), Path::new("/home/joe/b.lmdb"));
        assert_eq!(of("/var/lib/b"), Path::new("/var/lib/b.lmdb"));
    }

    #[test]
    fn stores_of_other_hosts_are_opened_once_and_unknown_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::default();
        let open = |module: &str, dsn: &str| {
            let mut settings = Settings::default();
            settings.bayes_store.module = module.to_owned();
            settings.bayes_store.dsn = dsn.to_owned();
            shelf.learned(&settings, &owner(folder.path())).map(|learned| learned.bayes)
        };
        let redis = |found: Result<Bayes, Trouble>| match found {
            Ok(Bayes::Redis(server)) => server,
            _ => panic!("no Redis"),
        };
        assert!(Arc::ptr_eq(&redis(open("Redis", "database=1")), &redis(open("Redis", "database=1"))));
        assert!(matches!(open("Redis", "nonsense"), Err(Trouble::Dsn { .. })));
        assert!(matches!(open("LDAP", ""), Err(Trouble::Module(_))));
        let place = folder.path().join("db");
        let sql = open("SQL", &format!("DBI:SQLite:dbname={}", place.display()));
        assert!(sql.is_ok_and(|bayes| bayes.name() == format!("{}, user joe", place.display())));
        let refused = |module: &str, dsn: &str| open(module, dsn).err().map(|trouble| trouble.to_string());
        assert!(refused("MySQL", "server=x;password=secret").is_some_and(|text| !text.contains("secret")));
        assert!(
            refused("PgSQL", "DBI:Oracle:x").is_some_and(|text| text.contains("there is no such driver"))
        );
    }

    #[test]
    fn a_process_opens_each_database_once() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::default();
        let learned = shelf.learned(&Settings::default(), &owner(folder.path())).unwrap();
        let again = shelf.learned(&Settings::default(), &owner(folder.path())).unwrap();
        let (Bayes::Local(one), Bayes::Local(other)) = (&learned.bayes, &again.bayes) else {
            panic!("no files")
        };
        assert!(Arc::ptr_eq(one, other) && !Arc::ptr_eq(one, &learned.senders));
        let more = Reputation { count: 1, total: 4.0 };
        learned
            .apply(&[Change::Score { key: "k".into(), more }, Change::Messages { class: Class::Ham, by: 1 }])
            .unwrap();
        assert_eq!((again.reputation("k"), again.tally()), (Some(more), Some(Tally { spam: 0, ham: 1 })));
        shelf.flush().unwrap();
        assert_eq!(learned.bayes.facts().unwrap().tally, Tally { spam: 0, ham: 1 });
    }
}
