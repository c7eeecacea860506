//! All that the files said: rules with their scores, and settings.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::definition::Definition;
use super::flags::Flags;
use super::plugins;
use super::replacement::Replacements;
use super::settings::Settings;

/// A score for each of: local, network, local with Bayes, network with Bayes.
pub type Scores = [f64; 4];

/// Rules and settings, before they are made ready for work.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// The rules by name.
    pub rules: HashMap<String, Definition>,
    /// Scores that were given.
    pub scores: HashMap<String, Scores>,
    /// Flags that were given.
    pub flags: HashMap<String, Flags>,
    /// What reports say of a rule.
    pub descriptions: HashMap<String, String>,
    /// When rules run that do not run at 0.
    pub priorities: HashMap<String, i32>,
    /// What a rule puts before the subject.
    pub subject_prefixes: HashMap<String, String>,
    /// Everything else.
    pub settings: Settings,
    pub(crate) replacements: Replacements,
    pub(crate) plugins: BTreeSet<String>,
    pub(crate) compatibility: BTreeSet<String>,
    /// `# UPDATE version` of files.
    pub(crate) update_versions: BTreeMap<String, String>,
}

impl Configuration {
    /// Is the plugin loaded? Its name with or without its namespace.
    pub fn has_plugin(&self, name: &str) -> bool {
        let name = name.strip_prefix(plugins::NAMESPACE).unwrap_or(name);
        self.plugins.contains(plugins::current_name(name))
    }

    /// The scores of a rule: as given, else 1 (0.01 for tests, negative for nice ones).
    pub fn scores_of(&self, name: &str) -> Scores {
        self.scores.get(name).copied().unwrap_or_else(|| {
            let score = if name.starts_with("T_") { 0.01 } else { 1.0 };
            [if self.flags_of(name).nice { -score } else { score }; 4]
        })
    }

    /// The flags of a rule.
    pub fn flags_of(&self, name: &str) -> Flags {
        self.flags.get(name).copied().unwrap_or_default()
    }
}
