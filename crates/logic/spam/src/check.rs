//! One message, judged.

use crate::mail::Mail;
use crate::ruleset::Ruleset;
use crate::scan::{Circumstances, Findings, scan};

/// A message with its verdict.
pub struct Check<'a> {
    pub(crate) rules: &'a Ruleset,
    pub(crate) mail: Mail<'a>,
    /// What the rules found.
    pub findings: Findings,
}

impl<'a> Check<'a> {
    /// Judges a message.
    pub fn new(rules: &'a Ruleset, message: &[u8], circumstances: &Circumstances<'_>) -> Self {
        let mail = Mail::new(message, &rules.settings, &rules.tlds);
        let findings = scan(rules, &mail, circumstances);
        Self { rules, mail, findings }
    }

    /// Is it spam?
    pub fn is_spam(&self) -> bool {
        self.findings.score >= self.rules.settings.required_score
    }

    /// The message's id, without what a log line can not hold.
    pub fn message_id(&self) -> Option<String> {
        let id = self.mail.tree.root().fields.value("message-id").filter(|id| !id.is_empty())?;
        let odd = |char: char| char.is_control() || matches!(char, ' ' | ',');
        Some(String::from_utf8_lossy(id).chars().map(|char| if odd(char) { '_' } else { char }).collect())
    }

    /// The names of the rules that hit, sorted.
    pub fn tests(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.findings.hits.iter().map(|hit| &*self.rules.rule(hit.rule).name).collect();
        names.sort_unstable();
        names
    }

    /// The names of the rules that hit and count only for others, sorted.
    pub fn subtests(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.findings.parts.iter().map(|rule| &*self.rules.rule(*rule).name).collect();
        names.sort_unstable();
        names
    }
}
