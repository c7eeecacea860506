//! Rules for each user: the site's, with the user's own file on top.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use inquiries::Inquirer;
use rulefiles::Site;
use spam::Ruleset;
use spam::rules::Preferences;

/// Users whose rules are kept ready.
const USERS_LIMIT: usize = 100;

/// Where users' files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UserFiles {
    /// They do not count.
    None,
    /// `~/.spamassassin/user_prefs`
    Home,
    /// A pattern with `%u`, `%d` and `%l` (`--virtual-config-dir`).
    Pattern(String),
    /// Rows of a database (`--sql-config`).
    Database,
}

/// A user's rules, and of which time their file is.
type Kept = (SystemTime, Arc<Ruleset>);

/// The site's rules, and who asks DNS for them.
#[derive(Clone)]
struct Current {
    site: Arc<Site>,
    inquirer: Option<Arc<Inquirer>>,
}

impl Current {
    fn new(site: Site) -> Self {
        let inquirer = Inquirer::new(&site.rules).map(Arc::new);
        Self { site: Arc::new(site), inquirer }
    }
}

/// The rules of all.
pub(crate) struct Rules {
    site: RwLock<Current>,
    files: UserFiles,
    /// The folder of those who have none of their own.
    state: PathBuf,
    users: Mutex<HashMap<PathBuf, Kept>>,
    /// Rules for the lines that databases hold, by these.
    texts: Mutex<HashMap<String, Arc<Ruleset>>>,
}

/// The rules for one message.
pub(crate) struct Chosen {
    layer: Layer,
    inquirer: Option<Arc<Inquirer>>,
    state: PathBuf,
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

    /// The user's folder, where what he taught lies.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }
}

impl Rules {
    /// `state` is the folder of those who have none of their own.
    pub(crate) fn new(site: Site, files: UserFiles, state: PathBuf) -> Self {
        Self {
            site: RwLock::new(Current::new(site)),
            files,
            state,
            users: Mutex::default(),
            texts: Mutex::default(),
        }
    }

    /// New rules for the messages that come from now on.
    pub(crate) fn replace(&self, site: Site) {
        *self.site.write().unwrap_or_else(PoisonError::into_inner) = Current::new(site);
        self.users.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Is DNS asked?
    pub(crate) fn asks(&self) -> bool {
        self.site.read().unwrap_or_else(PoisonError::into_inner).inquirer.is_some()
    }

    pub(crate) fn of(&self, user: Option<&str>) -> Chosen {
        let Current { site, inquirer } = self.site.read().unwrap_or_else(PoisonError::into_inner).clone();
        if self.files == UserFiles::Database {
            let rules = self.of_database(&site, user.unwrap_or("nobody"));
            return Chosen {
                layer: rules.map_or(Layer::Site(site), Layer::User),
                inquirer,
                state: self.state.clone(),
            };
        }
        let path = user.and_then(|user| self.path_of(user));
        let state = path.as_deref().and_then(Path::parent).unwrap_or(&self.state).to_owned();
        let layer = match path.and_then(|path| self.with_file(&site, path)) {
            Some(rules) => Layer::User(rules),
            None => Layer::Site(site),
        };
        Chosen { layer, inquirer, state }
    }

    fn path_of(&self, user: &str) -> Option<PathBuf> {
        match &self.files {
            UserFiles::None | UserFiles::Database => None,
            UserFiles::Home => {
                let Some(known) = sys::users::user(user).ok().flatten() else {
                    log::info!("spamd: handle_user (getpwnam) unable to find user: '{user}'");
                    return None;
                };
                Some(known.home.join(".spamassassin/user_prefs"))
            }
            UserFiles::Pattern(pattern) => {
                let path = virtual_file(pattern, user);
                log::info!("spamd: using default config for {user}: {}", path.display());
                Some(path)
            }
        }
    }

    /// The rules with what a database says of a user; the site's when it says nothing, or can not be asked.
    fn of_database(&self, site: &Site, user: &str) -> Option<Arc<Ruleset>> {
        let preferences = &site.rules.settings.preferences;
        let file = preferences.sqlite_file()?;
        let rows = match tables::sqlite_preferences(Path::new(file), &preferences.query(user)) {
            Ok(rows) => rows,
            Err(error) => {
                log::warn!(
                    "config: failed to load user ({user}) scores from SQL database: {error}: the site's rules count"
                );
                return None;
            }
        };
        let text = Preferences::lines(&rows);
        if text.is_empty() {
            return None;
        }
        let kept = self.texts.lock().unwrap_or_else(PoisonError::into_inner).get(&text).cloned();
        if kept.is_some() {
            return kept;
        }
        let (rules, problems) = site.with_user_text(Path::new("(sql config)"), text.as_bytes());
        problems.iter().for_each(|problem| log::info!("{user}: {problem}"));
        let rules = Arc::new(rules);
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if texts.len() >= USERS_LIMIT {
            texts.clear();
        }
        texts.insert(text, Arc::clone(&rules));
        Some(rules)
    }

    fn with_file(&self, site: &Site, path: PathBuf) -> Option<Arc<Ruleset>> {
        let changed = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?.modified().ok()?;
        let kept = self.users.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
        if let Some((_, rules)) = kept.filter(|(time, _)| *time == changed) {
            return Some(rules);
        }
        let (rules, problems) = match site.with_user_file(&path) {
            Ok(read) => read,
            Err(error) => {
                log::warn!("spamd: {}: {error}: the site's rules count", path.display());
                return None;
            }
        };
        problems.iter().for_each(|problem| log::info!("{problem}"));
        let rules = Arc::new(rules);
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.len() >= USERS_LIMIT {
            users.clear();
        }
        users.insert(path, (changed, Arc::clone(&rules)));
        Some(rules)
    }
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
