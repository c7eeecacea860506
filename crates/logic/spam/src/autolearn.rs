//! Does a message teach by itself? Only when its score leaves no doubt, and not for what the learner said of it.

use std::fmt;
use std::sync::Arc;

use crate::learned::Class;
use crate::ruleset::{Rule, Ruleset, Side};
use crate::scan::{Findings, ScoreSet, three_decimals};

/// Points that spam needs from each side, header and body.
const NEEDED_OF_SIDE: f64 = 3.0;
/// The learner's own points may not contradict.
const LEARNER_SAID_HAM: f64 = -1.0;
const LEARNER_SAID_SPAM: f64 = 1.0;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// Nothing can be learned here, or the message was known.
    #[default]
    Unavailable,
    /// It is switched off.
    Disabled,
    /// Nothing is sure.
    No,
    /// It was learned.
    Learned(Class),
}

/// What `autolearn=` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Autolearn {
    /// What became of it.
    pub outcome: Outcome,
    /// Rules that said that it needs no points from both sides; `None` when it was not asked.
    pub forced: Option<Vec<Arc<str>>>,
}

impl fmt::Display for Autolearn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.outcome {
            Outcome::Unavailable => "unavailable",
            Outcome::Disabled => "disabled",
            Outcome::No => "no",
            Outcome::Learned(Class::Spam) => "spam",
            Outcome::Learned(Class::Ham) => "ham",
        })?;
        match self.forced.as_deref() {
            Some([]) => f.write_str(" autolearn_force=no"),
            Some(rules) => write!(f, " autolearn_force=yes ({},)", rules.join(",")),
            None => Ok(()),
        }
    }
}

/// The points of a message as far as it may teach.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Points {
    /// All of them; without the learner's and the user's own.
    pub(crate) all: f64,
    head: f64,
    body: f64,
    learned: f64,
    pub(crate) forced: Vec<Arc<str>>,
}

/// Counts the points by the scores that count without Bayes.
pub(crate) fn points(rules: &Ruleset, findings: &Findings, scores: ScoreSet) -> Points {
    let set = ScoreSet { bayes: false, ..scores }.index();
    let mut points = Points::default();
    for hit in &findings.hits {
        let rule = rules.rule(hit.rule);
        let flags = rule.flags;
        if flags.noautolearn || flags.userconf {
            continue;
        }
        if flags.learn {
            points.learned += rule.scores[scores.index()];
            continue;
        }
        points.forced.extend(flags.autolearn_force.then(|| Arc::clone(&rule.name)));
        let score = rule.scores[set];
        if score != 0.0 {
            points.add(rules, rule, score);
        }
    }
    points.all = three_decimals(points.all);
    points
}

impl Points {
    fn add(&mut self, rules: &Ruleset, rule: &Rule, score: f64) {
        let (head, body) = match (rule.flags.autolearn_header, rule.flags.autolearn_body) {
            (true, _) => (1.0, 0.0),
            (false, true) => (0.0, 1.0),
            (false, false) => shares(rules, rule),
        };
        let whole = head == 1.0 || body == 1.0;
        let part = |share: f64| if whole { score * share } else { three_decimals(score * share) };
        self.head += part(head);
        self.body += part(body);
        self.all += score;
    }
}

/// Which part of a rule's score counts for the header, and which for the body.
fn shares(rules: &Ruleset, rule: &Rule) -> (f64, f64) {
    match rule.side {
        Side::Head => (1.0, 0.0),
        Side::Body => (0.0, 1.0),
        Side::Neither => (0.0, 0.0),
        Side::Meta => {
            let count = |side: Side| rule.needs.iter().filter(|need| rules.rule(**need).side == side).count();
            let (head, body) = (count(Side::Head) as f64, count(Side::Body) as f64);
            if head + body == 0.0 { (0.0, 0.0) } else { (head / (head + body), body / (head + body)) }
        }
    }
}

/// What the message may be learned as; `None` when it is not sure enough.
pub(crate) fn verdict(rules: &Ruleset, findings: &Findings, points: &Points) -> Option<Class> {
    let settings = &rules.settings;
    let is_spam = findings.score >= settings.required_score;
    let class = if points.all < settings.bayes_auto_learn_threshold_nonspam {
        Class::Ham
    } else if points.all >= settings.bayes_auto_learn_threshold_spam {
        Class::Spam
    } else {
        return None;
    };
    let sure = match class {
        Class::Spam => {
            let both = points.body >= NEEDED_OF_SIDE && points.head >= NEEDED_OF_SIDE;
            (!points.forced.is_empty() || both) && points.learned >= LEARNER_SAID_HAM && is_spam
        }
        Class::Ham => points.learned <= LEARNER_SAID_SPAM && !is_spam,
    };
    let known = settings.bayes_auto_learn_on_error && agrees(rules, findings, class);
    (sure && !known).then_some(class)
}

/// Did the learner say the same?
fn agrees(rules: &Ruleset, findings: &Findings, class: Class) -> bool {
    let same = match class {
        Class::Spam => "BAYES_99",
        Class::Ham => "BAYES_00",
    };
    findings.hits.iter().any(|hit| &*rules.rule(hit.rule).name == same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learned::Notebook;
    use crate::rules::{Loader, Surroundings};
    use crate::{Check, Circumstances};

    const RULES: &str = "header HEAD Subject =~ /spam/\nscore HEAD 7\nbody BODY /casino/\nscore BODY 7\n\
        body NICE /friend/\nscore NICE -9\ntflags NICE nice\n\
        body SURE /certain/\nscore SURE 13\ntflags SURE autolearn_force\n\
        meta BOTH HEAD && BODY\nscore BOTH 1\n";

    fn autolearn(rules: &str, message: &str) -> String {
        let mut loader = Loader::new(Surroundings::default());
        loader.push("test.cf", format!("{RULES}{rules}").as_bytes());
        loader.run();
        let (rules, problems) = Ruleset::new(&loader.finish().0, true);
        assert!(problems.is_empty(), "{problems:?}");
        let memory = Notebook::default();
        let circumstances = Circumstances { memory: Some(&memory), ..Circumstances::new(1, &|| false) };
        Check::new(&rules, message.as_bytes(), &circumstances).findings.autolearn.to_string()
    }

    #[test]
    fn only_sure_messages_teach() {
        assert_eq!(autolearn("", "Subject: spam\n\ncasino\n"), "spam autolearn_force=no");
        assert_eq!(autolearn("", "Subject: spam\n\nhello\n"), "no autolearn_force=no");
        assert_eq!(autolearn("", "Subject: x\n\nfriend\n"), "ham autolearn_force=no");
        assert_eq!(autolearn("", "Subject: x\n\ncertain\n"), "spam autolearn_force=yes (SURE,)");
        assert_eq!(autolearn("score BODY 13\n", "Subject: x\n\ncasino\n"), "no autolearn_force=no");
        assert_eq!(autolearn("bayes_auto_learn 0\n", "Subject: x\n\nfriend\n"), "disabled");
        assert_eq!(
            autolearn("tflags NICE noautolearn\n", "Subject: spam\n\nfriend\n"),
            "no autolearn_force=no"
        );
    }
}
