//! Reads rule files line by line: comments, languages, conditions, files within files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::condition::{self, Facts};
use super::configuration::Configuration;
use super::old_names::{self, Today};
use super::problem::{Fault, Problem};
use super::statement::{self, Statement};
use super::{plugins, problem};

/// Files within files.
const INCLUDE_LIMIT: usize = 32;
/// The version whose rules are understood.
const VERSION: f64 = 4.000_001;
/// The same, as rule files name it.
const VERSION_NAME: &str = "4.000001";

/// What the rules may ask about where they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The language of `lang` lines: `en_US`.
    pub language: String,
    /// No network tests.
    pub local_only: bool,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { language: "en_US".to_owned(), local_only: false }
    }
}

/// What the loader needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The text of this file ([`Loader::push`]), or the word that it can not be had ([`Loader::refuse`]).
    Include(PathBuf),
    /// Nothing: all that was pushed is read.
    Done,
}

/// A file that is being read.
struct Frame {
    file: Arc<str>,
    lines: Vec<String>,
    next: usize,
    conditions: Vec<Condition>,
}

/// An `if`.
struct Condition {
    holds: bool,
    /// What is around it is read.
    outer: bool,
    line: usize,
}

impl Frame {
    fn active(&self) -> bool {
        self.conditions.last().is_none_or(|condition| condition.holds && condition.outer)
    }
}

/// Reads rule files into a [`Configuration`].
pub struct Loader {
    configuration: Configuration,
    surroundings: Surroundings,
    frames: Vec<Frame>,
    problems: Vec<Problem>,
    user: bool,
}

impl Loader {
    /// For the site's files.
    pub fn new(surroundings: Surroundings) -> Self {
        Self::on_top_of(Configuration::default(), surroundings, false)
    }

    /// For a user's file on top of the site's.
    pub fn for_user(site: Configuration, surroundings: Surroundings) -> Self {
        Self::on_top_of(site, surroundings, true)
    }

    fn on_top_of(configuration: Configuration, surroundings: Surroundings, user: bool) -> Self {
        Self { configuration, surroundings, frames: Vec::new(), problems: Vec::new(), user }
    }

    /// Gives a file's text; its name is for messages and for files within it.
    pub fn push(&mut self, file: &str, text: &[u8]) {
        let lines = text.split(|byte| *byte == b'\n').map(to_line).collect();
        self.frames.push(Frame { file: Arc::from(file), lines, next: 0, conditions: Vec::new() });
    }

    /// The file that was asked for can not be had.
    pub fn refuse(&mut self, file: &Path, why: &str) {
        let text = format!("include {}: {why}", file.display());
        self.report(text, Fault::Missing("include".to_owned()));
    }

    /// Reads on.
    pub fn run(&mut self) -> Step {
        while let Some(frame) = self.frames.last_mut() {
            let Some(line) = frame.lines.get_mut(frame.next).map(std::mem::take) else {
                self.end_file();
                continue;
            };
            frame.next += 1;
            if let Some(path) = self.line(&line) {
                return Step::Include(path);
            }
        }
        Step::Done
    }

    /// What was read, and what was wrong with it.
    pub fn finish(self) -> (Configuration, Vec<Problem>) {
        (self.configuration, self.problems)
    }

    fn end_file(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        for condition in frame.conditions {
            let problem = Problem {
                file: frame.file.to_string(),
                line: condition.line,
                text: String::new(),
                fault: Fault::NoEndif,
            };
            self.problems.push(problem);
        }
    }

    fn report(&mut self, text: String, fault: Fault) {
        let (file, line) = self
            .frames
            .last()
            .map_or(("(no file)".to_owned(), 0), |frame| (frame.file.to_string(), frame.next));
        self.problems.push(problem::Problem { file, line, text, fault });
    }

    fn line(&mut self, line: &str) -> Option<PathBuf> {
        self.note_update(line);
        let line = without_comment(line);
        let mut line = line.trim();
        if let Some(rest) = line.strip_prefix("lang").filter(|rest| rest.starts_with(char::is_whitespace)) {
            let (language, rest) = rest.trim_start().split_once(char::is_whitespace)?;
            if !begins_with(&self.surroundings.language, language) {
                return None;
            }
            line = rest.trim_start();
        }
        if line.is_empty() {
            return None;
        }
        let (key, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let key = key.to_ascii_lowercase().replace('-', "_");
        match self.keyword(&key, value.trim(), line) {
            Ok(include) => include,
            Err(fault) => {
                self.report(line.to_owned(), fault);
                None
            }
        }
    }

    fn note_update(&mut self, line: &str) {
        if let (Some(version), Some(frame)) = (line.strip_prefix("# UPDATE version "), self.frames.last()) {
            self.configuration.update_versions.insert(frame.file.to_string(), version.trim().to_owned());
        }
    }

    fn keyword(&mut self, key: &str, value: &str, line: &str) -> Result<Option<PathBuf>, Fault> {
        match key {
            "if" => self.begin_condition(value)?,
            "ifplugin" => self.begin_condition(&format!("plugin({value})"))?,
            "else" => self.turn_condition()?,
            "endif" => {
                let frame = self.frames.last_mut();
                frame.and_then(|frame| frame.conditions.pop()).ok_or_else(|| Fault::NoIf(key.to_owned()))?;
            }
            _ if !self.frames.last().is_some_and(Frame::active) => {}
            "include" => return self.include(value).map(Some),
            "require_version" => self.require_version(value)?,
            _ => self.statement(key, value, line)?,
        }
        Ok(None)
    }

    fn begin_condition(&mut self, text: &str) -> Result<(), Fault> {
        let outer = self.frames.last().is_some_and(Frame::active);
        let holds = condition::holds(text, &Known { loader: self });
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        let line = frame.next;
        frame.conditions.push(Condition { holds: holds == Some(true), outer, line });
        holds.map(|_| ()).ok_or(Fault::Condition)
    }

    fn turn_condition(&mut self) -> Result<(), Fault> {
        let last = self.frames.last_mut().and_then(|frame| frame.conditions.last_mut());
        let condition = last.ok_or_else(|| Fault::NoIf("else".to_owned()))?;
        condition.holds = !condition.holds;
        Ok(())
    }

    fn include(&mut self, value: &str) -> Result<PathBuf, Fault> {
        if value.is_empty() || self.frames.len() >= INCLUDE_LIMIT {
            return Err(Fault::Missing("include".to_owned()));
        }
        let here =
            self.frames.last().and_then(|frame| Path::new(&*frame.file).parent().map(Path::to_path_buf));
        Ok(here.unwrap_or_default().join(value))
    }

    fn require_version(&mut self, value: &str) -> Result<(), Fault> {
        if matches!(value, "@@VERSION@@" | VERSION_NAME) {
            return Ok(());
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.next = frame.lines.len();
        }
        Err(Fault::Version(value.to_owned()))
    }

    fn statement(&mut self, key: &str, value: &str, line: &str) -> Result<(), Fault> {
        let (today, note) = old_names::translate(key, value, &mut self.configuration.settings);
        if let Some(fault) = note {
            self.report(line.to_owned(), fault);
        }
        match today {
            Today::Nothing => Ok(()),
            Today::Key(key) => self.carry_out(&key, value),
            Today::Lines(lines) => lines.iter().try_for_each(|line| {
                let (key, value) = line.split_once(' ').unwrap_or((line, ""));
                self.carry_out(key, value)
            }),
        }
    }

    fn carry_out(&mut self, key: &str, value: &str) -> Result<(), Fault> {
        if self.user {
            statement::allowed_to_user(key, self.configuration.settings.allow_user_rules)?;
        }
        let Some(frame) = self.frames.last() else { return Ok(()) };
        let statement = Statement { key, value, file: &frame.file, line: frame.next };
        statement::apply(&mut self.configuration, &statement)
    }
}

/// What conditions may ask of a loader.
struct Known<'a> {
    loader: &'a Loader,
}

impl Facts for Known<'_> {
    fn plugin(&self, name: &str) -> bool {
        self.loader.configuration.has_plugin(name)
    }

    fn can(&self, feature: &str) -> bool {
        if let Some(compatible) = feature.strip_prefix("Mail::SpamAssassin::Conf::compat_") {
            return self.loader.configuration.compatibility.contains(compatible);
        }
        plugins::has_feature(feature, &|plugin| self.plugin(plugin))
    }

    fn version(&self) -> f64 {
        VERSION
    }

    fn local_only(&self) -> bool {
        self.loader.surroundings.local_only
    }
}

/// A line as text: other bytes than UTF-8 are written as escapes, which mean the same in a pattern.
fn to_line(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let escape = |byte: &u8| {
                if byte.is_ascii() { char::from(*byte).to_string() } else { format!("\\x{byte:02x}") }
            };
            bytes.iter().map(escape).collect()
        }
    }
}

/// `#` begins a comment, unless a backslash stands before it.
fn without_comment(line: &str) -> String {
    if !line.contains('#') {
        return line.to_owned();
    }
    let comment = line.match_indices('#').map(|(at, _)| at).find(|at| !line[..*at].ends_with('\\'));
    line[..comment.unwrap_or(line.len())].replace("\\#", "#")
}

fn begins_with(language: &str, prefix: &str) -> bool {
    language.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> (Configuration, Vec<Problem>) {
        let mut loader = Loader::new(Surroundings { local_only: true, ..Surroundings::default() });
        loader.push("/etc/test.cf", text.as_bytes());
        assert_eq!(loader.run(), Step::Done);
        loader.finish()
    }

    #[test]
    fn rules_scores_and_conditions() {
        let (configuration, problems) = load(
            "loadplugin Mail::SpamAssassin::Plugin::DKIM\n\
             body A /x\\#y/ # comment\nscore A 1 2 3 4\nscore A (1)\n\
             ifplugin Mail::SpamAssassin::Plugin::DKIM\n body B /b/\nelse\n body C /c/\nendif\n\
             if (version < 3.0)\n if 1\n  body D /d/\n endif\nendif\nlang de describe A Deutsch\nlang en describe A English\n",
        );
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(configuration.scores_of("A"), [2.0, 3.0, 4.0, 5.0]);
        assert!(
            configuration.rules.contains_key("B")
                && !configuration.rules.contains_key("C")
                && !configuration.rules.contains_key("D")
        );
        assert_eq!(configuration.descriptions["A"], "English");
    }

    #[test]
    fn faults_name_file_and_line() {
        let (_, problems) = load("\nnonsense 1\nbody X no pattern\nendif\nif 1\n");
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown[0],
            "config: 'nonsense' is not known; remove the line, or load the plugin that has it in /etc/test.cf (line 2): nonsense 1"
        );
        assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
    }

    #[test]
    fn files_within_files_are_asked_for() {
        let mut loader = Loader::new(Surroundings::default());
        loader.push("/etc/a.cf", b"include b.cf\nscore X 3\n");
        assert_eq!(loader.run(), Step::Include("/etc/b.cf".into()));
        loader.push("/etc/b.cf", b"score X 1\n");
        assert_eq!(loader.run(), Step::Done);
        assert_eq!(loader.finish().0.scores["X"], [3.0; 4]);
    }

    /// The user file of 2002 that the mission names.
    #[test]
    fn a_file_of_2002_works() {
        let text = "required_hits 6\nrewrite_subject 0\nuse_terse_report 1\nwhitelist_from *@spam-site-i-like.com\n\
            blacklist_from annoying-person@some-host.com\nscore BASE64_ENC_TEXT 3\n\
            header KNOWN_LIST List-Id =~ /a-mailing-list-i-like/\nscore KNOWN_LIST -3\n\
            body EVITE /This invitation was sent to you by .* using Evite/\ndescribe EVITE Looks like an eVite\nscore EVITE -3\n";
        let (configuration, problems) = load(text);
        assert!(
            problems.iter().all(|problem| !problem.fault.is_error()) && problems.len() == 2,
            "{problems:?}"
        );
        let settings = &configuration.settings;
        assert!(
            (settings.required_score - 6.0).abs() < 1e-9
                && settings.report_safe == 0
                && settings.rewrite_header.is_empty()
        );
        assert!(settings.list_contains("welcomelist_from", b"x@spam-site-i-like.com"));
        assert!(settings.list_contains("blocklist_from", b"annoying-person@some-host.com"));
        assert!(configuration.rules.contains_key("KNOWN_LIST") && configuration.rules.contains_key("EVITE"));
    }

    #[test]
    fn a_user_may_not_do_everything() {
        let (site, _) = load("score A 1");
        let mut loader = Loader::for_user(site, Surroundings::default());
        loader.push("user_prefs", b"score A 3\nbody X /x/\nbayes_path /tmp\n");
        loader.run();
        let (configuration, problems) = loader.finish();
        assert_eq!(configuration.scores["A"], [3.0; 4]);
        assert_eq!(
            problems.iter().map(|problem| &problem.fault).collect::<Vec<_>>(),
            [&Fault::UserRule("body".into()), &Fault::Admin("bayes_path".into())]
        );
    }
}
