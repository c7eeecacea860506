//! SpamAssassin's rule files where they lie: the site's folders and users' own files.

mod stamp;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io};

use spam::Ruleset;
use spam::rules::{Configuration, Loader, Problem, Step, Surroundings};

pub use stamp::{language, stamp};

/// Bytes of one file.
const FILE_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// Where the administrator's files are.
const SITE_DIRECTORY: &str = "/etc/spamassassin";
/// Where sa-update puts rules, and where they are installed; the first that holds any counts.
const RULES_DIRECTORIES: [&str; 3] =
    ["/var/lib/spamassassin/4.000001", "/usr/share/spamassassin", "/usr/local/share/spamassassin"];
/// Our own few rules, for machines without any.
pub const BUILT_IN: &str = include_str!("built_in.cf");

/// Why there are no rules.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A folder can not be read.
    #[error("{path}: {source}; name the folder of the rules with -C, that of local.cf with --siteconfigpath")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A user's own file can not be read.
    #[error("{path}: {source}; name another file of preferences with -p")]
    Preferences {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// `-C`: the rules; as installed when not given.
    pub rules: Option<PathBuf>,
    /// `--siteconfigpath`: `.pre` files and local.cf.
    pub site: Option<PathBuf>,
    /// `--cf`: lines on top.
    pub lines: Vec<String>,
    /// `--pre`: lines before all files.
    pub lines_before: Vec<String>,
    /// The preferences of whoever runs the program: read as the site's files are, and before `lines`.
    pub preferences: Option<PathBuf>,
    /// No network tests.
    pub local_only: bool,
    /// The language of descriptions: `en_US`.
    pub language: String,
}

/// The site's rules, ready, and what users' files go on top of.
pub struct Site {
    /// The rules.
    pub rules: Ruleset,
    /// What was wrong with the files.
    pub problems: Vec<Problem>,
    /// No rules are installed: our own few are in use.
    pub built_in: bool,
    configuration: Configuration,
    surroundings: Surroundings,
}

impl Site {
    /// Reads all files of the site.
    ///
    /// # Errors
    /// [`LoadError`] when a folder that was asked for can not be read.
    pub fn load(places: &Places) -> Result<Self, LoadError> {
        let language = if places.language.is_empty() { "en_US".to_owned() } else { places.language.clone() };
        let surroundings = Surroundings { language, local_only: places.local_only };
        let mut loader = Loader::new(surroundings.clone());
        let site = places.site.clone().unwrap_or_else(|| PathBuf::from(SITE_DIRECTORY));
        let asked_for = places.site.is_some();
        if !places.lines_before.is_empty() {
            feed(&mut loader, Path::new("(--pre)"), places.lines_before.join("\n").as_bytes());
        }
        read_folder(&mut loader, &site, "pre", asked_for)?;
        let rules = places.rules.clone().or_else(installed_rules);
        match &rules {
            Some(rules) => read_folder(&mut loader, rules, "cf", true)?,
            None => feed(&mut loader, Path::new("(built in)"), BUILT_IN.as_bytes()),
        }
        read_folder(&mut loader, &site, "cf", asked_for)?;
        if let Some(path) = &places.preferences {
            let told = |source| LoadError::Preferences { path: path.clone(), source };
            feed(&mut loader, path, &read_file(path).map_err(told)?);
        }
        if !places.lines.is_empty() {
            feed(&mut loader, Path::new("(--cf)"), places.lines.join("\n").as_bytes());
        }
        let (configuration, mut problems) = loader.finish();
        let (ready, more) = Ruleset::new(&configuration, places.local_only);
        problems.extend(more);
        Ok(Self { rules: ready, problems, built_in: rules.is_none(), configuration, surroundings })
    }

    /// The rules with a user's file on top, and on top of that his lines from elsewhere, by which name they go; what was wrong
    /// with them.
    ///
    /// # Errors
    /// As reading the file.
    pub fn with_user(
        &self,
        file: Option<&Path>,
        name: &Path,
        lines: &str,
    ) -> io::Result<(Ruleset, Vec<Problem>)> {
        let mut loader = Loader::for_user(self.configuration.clone(), self.surroundings.clone());
        if let Some(path) = file {
            feed(&mut loader, path, &read_file(path)?);
        }
        feed(&mut loader, name, lines.as_bytes());
        let (configuration, mut problems) = loader.finish();
        let (rules, more) = Ruleset::new(&configuration, self.surroundings.local_only);
        problems.extend(more);
        Ok((rules, problems))
    }
}

fn installed_rules() -> Option<PathBuf> {
    let is_rules = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.path().extension().is_some_and(|extension| extension == "cf"))
    };
    let has_rules = |path: &&&str| fs::read_dir(path).is_ok_and(|mut entries| entries.any(is_rules));
    RULES_DIRECTORIES.iter().find(has_rules).map(PathBuf::from)
}

/// Reads the files of a folder in the order of their names. A folder that nobody asked for need not be there.
fn read_folder(loader: &mut Loader, folder: &Path, extension: &str, needed: bool) -> Result<(), LoadError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if !needed && error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(LoadError::Folder { path: folder.to_owned(), source }),
    };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    for file in files {
        match read_file(&file) {
            Ok(text) => feed(loader, &file, &text),
            Err(error) => loader.refuse(&file, &error.to_string()),
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    fs::File::open(path)?.take(FILE_LIMIT_BYTES).read_to_end(&mut text)?;
    Ok(text)
}

/// Gives a file to the loader, and the files that it includes.
fn feed(loader: &mut Loader, path: &Path, text: &[u8]) {
    loader.push(&path.to_string_lossy(), text);
    while let Step::Include(path) = loader.run() {
        match read_file(&path) {
            Ok(text) => loader.push(&path.to_string_lossy(), &text),
            Err(error) => loader.refuse(&path, &error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spam::{Check, Circumstances};

    fn judge(rules: &Ruleset, message: &str) -> (bool, Vec<String>) {
        let circumstances = Circumstances::new(1_795_000_000, &|| false);
        let check = Check::new(rules, message.as_bytes(), &circumstances);
        (check.is_spam(), check.tests().iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn our_own_rules_tell_spam_from_mail() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("own.cf"), BUILT_IN).unwrap();
        let site = tempfile::tempdir().unwrap();
        let places =
            Places { rules: Some(folder.path().into()), site: Some(site.path().into()), ..Places::default() };
        let site = Site::load(&places).unwrap();
        assert!(site.problems.is_empty(), "{:?}", site.problems);
        assert!(site.rules.check_patterns().is_empty());
        let spam = "From: \"Prince\" <prince@example.com>\nSubject: YOU HAVE WON MONEY!!!\n\n\
                    Dear friend, you won. Click here to claim your million dollars, act now.\n";
        let ham = "From: Ann <ann@example.com>\nTo: joe@example.com\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\
                   Message-Id: <1@example.com>\nSubject: lunch\n\nShall we meet at noon?\n";
        let (is_spam, tests) = judge(&site.rules, spam);
        assert!(is_spam, "{tests:?}");
        let (is_spam, tests) = judge(&site.rules, ham);
        assert!(!is_spam, "{tests:?}");
    }

    #[test]
    fn a_user_adds_to_the_site() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        file("a.cf", "body HELLO /hello/\nscore HELLO 1\ninclude b.inc\n");
        file("b.inc", "score HELLO 2\n");
        file("user_prefs", "required_hits 1\nscore HELLO 3\nbody X /x/\n");
        let places = Places {
            rules: Some(folder.path().into()),
            site: Some(folder.path().into()),
            ..Places::default()
        };
        let site = Site::load(&places).unwrap();
        assert!(!judge(&site.rules, "A: b\n\nhello\n").0);
        let file = folder.path().join("user_prefs");
        let (rules, problems) = site.with_user(Some(&file), Path::new("(sql config)"), "").unwrap();
        assert_eq!(problems.len(), 1);
        assert!(judge(&rules, "A: b\n\nhello\n").0);
    }
}
