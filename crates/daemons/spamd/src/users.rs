//! Rules for each user: the site's, with the user's own file and preferences from elsewhere on top.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use inquiries::Inquirer;
use rulefiles::Site;
use spam::Ruleset;

use crate::preferences::{Kind, Remote, Withheld};

/// Users whose rules are kept ready.
const USERS_LIMIT: usize = 100;
/// Who is asked for in databases where a client names nobody.
const NOBODY: &str = "nobody";

/// Where users' files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UserFiles {
    /// They do not count.
    None,
    /// `~/.spamassassin/user_prefs`
    Home,
    /// A pattern with `%u`, `%d` and `%l` (`--virtual-config-dir`).
    Pattern(String),
}

/// Where users' preferences are: lines of the second go on top of those of the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserPlaces {
    pub(crate) files: UserFiles,
    pub(crate) remote: Option<Kind>,
    /// Only users of the system are asked about, and what they taught lies in their homes (`-Q`).
    pub(crate) accounts: bool,
}

/// A user's own lines: a file as of a time, and what came from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Own {
    file: Option<(PathBuf, SystemTime)>,
    text: String,
}

/// The site's rules, and who is asked for them.
#[derive(Clone)]
struct Current {
    site: Arc<Site>,
    inquirer: Option<Arc<Inquirer>>,
    remote: Option<Arc<Remote>>,
}

impl Current {
    fn new(site: Site, places: &UserPlaces) -> Result<Self, String> {
        let inquirer = Inquirer::new(&site.rules).map(Arc::new);
        let preferences = &site.rules.settings.preferences;
        let remote = places.remote.map(|kind| Remote::new(kind, preferences)).transpose()?.flatten();
        Ok(Self { site: Arc::new(site), inquirer, remote: remote.map(Arc::new) })
    }

    fn has_remote(&self) -> bool {
        self.remote.is_some() || !self.site.rules.settings.bayes_store.is_of_files()
    }
}

/// The rules of all.
pub(crate) struct Rules {
    current: RwLock<Current>,
    places: UserPlaces,
    /// The folder of those who have none of their own.
    state: PathBuf,
    /// Rules by what they have on top of the site's.
    users: Mutex<HashMap<Own, Arc<Ruleset>>>,
}

/// The rules for one message.
pub(crate) struct Chosen {
    layer: Layer,
    inquirer: Option<Arc<Inquirer>>,
    state: PathBuf,
    user: Option<String>,
}

enum Layer {
    Site(Arc<Site>),
    User(Arc<Ruleset>),
}

impl Chosen {
    pub(crate) fn rules(&self) -> &Ruleset {
        match &self.layer {
            Layer::Site(site) => &site.rules,
            Layer::User(rules) => rules,
        }
    }

    /// Who asks DNS; `None` when nobody may.
    pub(crate) fn inquirer(&self) -> Option<&Inquirer> {
        self.inquirer.as_deref()
    }

    /// The user's name, under which databases keep what he taught; `None` for that of the user that this process is.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The user's folder, where what he taught lies.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }
}

impl Rules {
    /// `state` is the folder of those who have none of their own.
    ///
    /// # Errors
    /// A word of why nobody can be asked for preferences.
    pub(crate) fn new(site: Site, places: UserPlaces, state: PathBuf) -> Result<Self, String> {
        let current = RwLock::new(Current::new(site, &places)?);
        Ok(Self { current, places, state, users: Mutex::default() })
    }

    /// New rules for the messages that come from now on.
    ///
    /// # Errors
    /// As [`Rules::new`]; then the old ones stay.
    pub(crate) fn replace(&self, site: Site) -> Result<(), String> {
        let current = Current::new(site, &self.places)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
        self.users.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// Do threads wait for others: for DNS, for preferences, or for what was learned?
    pub(crate) fn asks(&self) -> bool {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.inquirer.is_some() || current.has_remote()
    }

    /// Are preferences, or what was learned, elsewhere?
    pub(crate) fn has_remote(&self) -> bool {
        self.current.read().unwrap_or_else(PoisonError::into_inner).has_remote()
    }

    /// The rules of a user. This may wait for a database.
    ///
    /// # Errors
    /// [`Withheld`] when the user's preferences can not be had, and the site's rules do not count then.
    pub(crate) fn of(&self, user: Option<&str>) -> Result<Chosen, Withheld> {
        let Current { site, inquirer, remote } =
            self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let path = user.and_then(|user| self.path_of(user));
        let mut state = path.as_deref().and_then(Path::parent).unwrap_or(&self.state).to_owned();
        // Who is none of this system has nothing of his own where users are.
        let mut named = user.filter(|_| path.is_some() || self.places.files != UserFiles::Home);
        let mut own = Own { file: path.and_then(dated), text: String::new() };
        if let Some(remote) = &remote {
            match user {
                Some(user) if self.places.accounts => match home_of(user) {
                    Some(home) => {
                        state = home.join(".spamassassin");
                        own.text = remote.lines(user)?;
                    }
                    None if remote.refuses_strangers() => return Err(remote.withheld()),
                    None => named = None,
                },
                None if self.places.accounts => {}
                user => {
                    let user = user.unwrap_or(NOBODY);
                    named = Some(user);
                    own.text = remote.lines(user)?;
                }
            }
        }
        let file = remote.as_deref().map_or(Path::new(""), Remote::file);
        let layer = match self.with_own(&site, own, file) {
            Some(rules) => Layer::User(rules),
            None => Layer::Site(site),
        };
        Ok(Chosen { layer, inquirer, state, user: named.map(str::to_owned) })
    }

    fn path_of(&self, user: &str) -> Option<PathBuf> {
        match &self.places.files {
            UserFiles::None => None,
            UserFiles::Home => Some(home_of(user)?.join(".spamassassin/user_prefs")),
            UserFiles::Pattern(pattern) => {
                let path = virtual_file(pattern, user);
                log::info!("spamd: using default config for {user}: {}", path.display());
                Some(path)
            }
        }
    }

    /// The rules with a user's own lines; `None` when there are none. `elsewhere` is the name of those that are in no file.
    fn with_own(&self, site: &Site, own: Own, elsewhere: &Path) -> Option<Arc<Ruleset>> {
        if own == Own::default() {
            return None;
        }
        let users = || self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = users().get(&own).cloned();
        if kept.is_some() {
            return kept;
        }
        let file = own.file.as_ref().map(|(path, _)| path.as_path());
        let (rules, problems) = match (site.with_user(file, elsewhere, &own.text), file) {
            (Ok(read), _) => read,
            (Err(error), Some(path)) => {
                log::warn!("spamd: {}: {error}: the site's rules count", path.display());
                return self.with_own(site, Own { file: None, ..own }, elsewhere);
            }
            (Err(_), None) => return None,
        };
        problems.iter().for_each(|problem| log::info!("{problem}"));
        let rules = Arc::new(rules);
        let mut users = users();
        if users.len() >= USERS_LIMIT {
            users.clear();
        }
        users.insert(own, Arc::clone(&rules));
        Some(rules)
    }
}

/// The home of a user of this system.
fn home_of(user: &str) -> Option<PathBuf> {
    let known = sys::users::user(user).ok().flatten();
    if known.is_none() {
        log::info!("spamd: handle_user (getpwnam) unable to find user: '{user}'");
    }
    known.map(|known| known.home)
}

/// A file that is there, and when it was changed.
fn dated(path: PathBuf) -> Option<(PathBuf, SystemTime)> {
    let facts = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
    Some((path, facts.modified().ok()?))
}

/// The file of a user of no system: `%u` is the whole name, `%l` and `%d` what is before and behind the `@`. `%x` is the name
/// if there is a file for it, else the domain.
fn virtual_file(pattern: &str, user: &str) -> PathBuf {
    let known = |char: char| char.is_ascii_alphanumeric() || "-+_.,@=".contains(char);
    let name: String = user.chars().map(|char| if known(char) { char } else { '_' }).collect();
    let (local, domain) = name.rsplit_once('@').unwrap_or_default();
    let file = |path: String| PathBuf::from(path).join("user_prefs");
    if pattern.contains("%x") {
        let own = file(pattern.replace("%x", &name));
        return if own.is_file() { own } else { file(pattern.replace("%x", domain)) };
    }
    let filled = pattern.replace("%u", &name).replace("%l", local).replace("%d", domain);
    file(filled.replace("%%", "%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_the_files_of_virtual_users() {
        let shown = |pattern: &str, user: &str| virtual_file(pattern, user).display().to_string();
        assert_eq!(shown("/v/%d/%l", "joe@example.com"), "/v/example.com/joe/user_prefs");
        assert_eq!(shown("/v/%u", "a/../b@x"), "/v/a_.._b@x/user_prefs");
        assert_eq!(shown("/v/%x", "joe@example.com"), "/v/example.com/user_prefs");
        assert_eq!(shown("/v/%d%%", "joe"), "/v/%/user_prefs");
    }
}
