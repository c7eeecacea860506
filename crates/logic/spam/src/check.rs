//! One message, judged.

use std::collections::BTreeSet;

use crate::mail::Mail;
use crate::network::{self, Answers, Errands, Question};
use crate::ruleset::{RuleId, Ruleset};
use crate::scan::{Circumstances, Findings, scan};

/// A message with its verdict.
pub struct Check<'a> {
    pub(crate) rules: &'a Ruleset,
    pub(crate) mail: Mail<'a>,
    /// What the rules found.
    pub findings: Findings,
}

/// A message that is taken apart and waits for its verdict.
pub struct Letter<'a> {
    rules: &'a Ruleset,
    mail: Mail<'a>,
}

impl<'a> Letter<'a> {
    /// Takes a message apart.
    pub fn open(rules: &'a Ruleset, message: &[u8]) -> Self {
        Self { rules, mail: Mail::new(message, &rules.settings, &rules.tlds) }
    }

    /// What DNS must be asked before the verdict is complete. Replies raise further questions: ask until there are none, or
    /// the time is over. `now` is in seconds since 1970.
    pub fn questions(&self, answers: &Answers, now: i64) -> BTreeSet<Question> {
        let rules = &self.rules.rules;
        let active = |rule: RuleId| self.rules.may_ask(rule);
        network::walk(&self.rules.matchers.network, rules, &self.mail, answers, &active, now).missing
    }

    /// What Pyzor, if that `can_be_asked`, and DCC must be asked; nothing when no active rule wants to know.
    pub fn errands(&self, can_be_asked: bool) -> Errands {
        self.rules.matchers.network.errands(&self.mail, can_be_asked, &|rule| self.rules.may_ask(rule))
    }

    /// The verdict.
    pub fn judge(self, circumstances: &Circumstances<'_>) -> Check<'a> {
        let findings = scan(self.rules, &self.mail, circumstances);
        Check { rules: self.rules, mail: self.mail, findings }
    }
}

impl<'a> Check<'a> {
    /// Judges a message.
    pub fn new(rules: &'a Ruleset, message: &[u8], circumstances: &Circumstances<'_>) -> Self {
        Letter::open(rules, message).judge(circumstances)
    }

    /// Domains below which nothing shall be asked for `dns_block_time`: their lists said that we ask too much.
    pub fn blocking_domains(&self) -> Vec<&str> {
        let blocks = &self.rules.settings.asking.block_rules;
        let hit = self.findings.hits.iter().map(|hit| hit.rule).chain(self.findings.parts.iter().copied());
        hit.filter_map(|rule| blocks.get(&*self.rules.rule(rule).name))
            .flatten()
            .map(String::as_str)
            .collect()
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
