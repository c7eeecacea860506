//! What a check asks of the learned data, and what it teaches.

use std::cell::OnceCell;

use crate::autolearn::{self, Autolearn, Outcome};
use crate::bayes::{self, Judgement, Sample};
use crate::eval::SenderJudge;
use crate::learned::{Change, Class, Memory, Tally};
use crate::mail::Mail;
use crate::ruleset::Ruleset;
use crate::scan::{Circumstances, Findings, ScoreSet};
use crate::senders::{Purpose, Signer, Weighed, weigh_by_awl, weigh_by_txrep};

/// What there is to ask and to teach.
pub(crate) struct LessonPlan<'a> {
    mail: &'a Mail<'a>,
    memory: Option<&'a dyn Memory>,
    now: i64,
    network: bool,
    /// There is such data, and it can be read.
    can_learn: bool,
    /// Enough was learned for judging by it.
    ready: Option<Tally>,
    sample: OnceCell<Sample>,
}

impl<'a> LessonPlan<'a> {
    pub(crate) fn new(mail: &'a Mail<'a>, circumstances: &Circumstances<'a>) -> Self {
        let tally = circumstances.memory.and_then(Memory::tally);
        let ready = tally.filter(|tally| bayes::is_ready(mail.settings, *tally));
        let (memory, now) = (circumstances.memory, circumstances.now);
        let network = circumstances.answers.is_some();
        Self { mail, memory, now, network, can_learn: tally.is_some(), ready, sample: OnceCell::new() }
    }

    /// Which scores count.
    pub(crate) fn scores(&self) -> ScoreSet {
        let bayes = self.ready.is_some() && self.mail.settings.use_bayes_rules;
        ScoreSet { network: self.network, bayes }
    }

    fn sample(&self) -> &Sample {
        self.sample.get_or_init(|| Sample::of(self.mail, true, self.now))
    }

    /// Asks the learner.
    pub(crate) fn judge(&self, changes: &mut Vec<Change>) -> Option<Judgement> {
        let tally = self.ready.filter(|_| self.mail.settings.use_bayes_rules)?;
        let memory = self.memory.filter(|_| !is_ignored(self.mail))?;
        let (judgement, used) = bayes::judge(self.sample(), self.mail.settings, memory, tally);
        changes.extend(used);
        Some(judgement)
    }

    /// Asks about the sender.
    pub(crate) fn weigh(&self, judge: SenderJudge, rules: &Ruleset, findings: &Findings) -> Weighed {
        let Some(memory) = self.memory else { return Weighed::default() };
        // The sum of nothing is -0.0, which would show.
        let score = findings.hits.iter().map(|hit| hit.score).sum::<f64>() + 0.0;
        match judge {
            SenderJudge::Awl => {
                let counts = |hit: &&crate::Hit| !rules.rule(hit.rule).flags.noautolearn;
                if findings.hits.iter().any(|hit| rules.rule(hit.rule).flags.noawl) {
                    return Weighed::default();
                }
                let points = findings.hits.iter().filter(counts).map(|hit| hit.score).sum();
                weigh_by_awl(self.mail, memory, points, score)
            }
            SenderJudge::TxRep if self.mail.settings.txrep.active => {
                let points = autolearn::points(rules, findings, findings.scores).all;
                let id = self.sample().ids.first().map_or("", String::as_str);
                let signer = signer(findings);
                weigh_by_txrep(self.mail, memory, id, Purpose::check(points), (&signer, score))
            }
            SenderJudge::TxRep => Weighed::default(),
        }
    }

    /// Learns the message, if it is sure.
    pub(crate) fn learn(&self, rules: &Ruleset, findings: &mut Findings) {
        let settings = self.mail.settings;
        if !settings.bayes_auto_learn || !settings.use_bayes {
            findings.autolearn = Autolearn { outcome: Outcome::Disabled, forced: None };
            return;
        }
        let points = autolearn::points(rules, findings, findings.scores);
        let class = autolearn::verdict(rules, findings, &points);
        let forced = Some(if class.is_some() { points.forced } else { Vec::new() });
        let outcome = match (class, self.memory) {
            (None, _) => Outcome::No,
            (Some(class), Some(memory)) => self.teach(class, memory, findings),
            (Some(_), None) => Outcome::Unavailable,
        };
        findings.autolearn = Autolearn { outcome, forced };
    }

    fn teach(&self, class: Class, memory: &dyn Memory, findings: &mut Findings) -> Outcome {
        if !self.mail.settings.use_learner || is_ignored(self.mail) {
            return Outcome::Unavailable;
        }
        // Whoever keeps the data can not be asked: nothing is learned now.
        if !self.can_learn {
            return Outcome::Unavailable;
        }
        let lesson = bayes::learn(self.sample(), class, memory, false);
        findings.changes.extend(lesson.changes);
        if self.mail.settings.txrep.autolearn > 0.0 {
            let signer = signer(findings);
            findings.changes.extend(txrep_lesson(self.mail, memory, self.sample(), class, &signer));
        }
        if lesson.learned { Outcome::Learned(class) } else { Outcome::Unavailable }
    }
}

/// Who vouches for the sender, as the rules found.
fn signer(findings: &Findings) -> Signer {
    let dkim = findings.tags.get("DKIMDOMAIN").and_then(|domains| domains.first().cloned());
    Signer { dkim: dkim.filter(|domain| !domain.is_empty()), spf: findings.spf_pass }
}

/// Messages from these senders and to these recipients are neither judged nor learned.
fn is_ignored(mail: &Mail<'_>) -> bool {
    let settings = mail.settings;
    mail.all_senders().iter().any(|sender| settings.list_contains("bayes_ignore_from", sender))
        || mail.all_recipients().iter().any(|recipient| settings.list_contains("bayes_ignore_to", recipient))
}

fn txrep_lesson(
    mail: &Mail<'_>,
    memory: &dyn Memory,
    sample: &Sample,
    class: Class,
    signer: &Signer,
) -> Vec<Change> {
    let txrep = &mail.settings.txrep;
    let points = match class {
        Class::Spam => txrep.learn_penalty,
        Class::Ham => -txrep.learn_bonus,
    };
    if !txrep.active || points == 0.0 {
        return Vec::new();
    }
    let id = sample.ids.first().map_or("", String::as_str);
    weigh_by_txrep(mail, memory, id, Purpose::learn(points), (signer, 0.0)).changes
}

/// What a lesson comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lesson {
    /// The message was learned, or forgotten: not so if it was known, or if it was not.
    pub learned: bool,
    /// What changes in the learned data.
    pub changes: Vec<Change>,
}

impl Ruleset {
    /// Learns a message as somebody says (`sa-learn`). One that was learned as the other class is learned anew; marks of
    /// an earlier check are taken out first.
    pub fn learn(&self, message: &[u8], class: Class, memory: &dyn Memory, now: i64) -> Lesson {
        self.teach(message, now, |mail, sample| {
            let lesson = bayes::learn(sample, class, memory, true);
            let mut changes = lesson.changes;
            changes.extend(txrep_lesson(mail, memory, sample, class, &Signer::default()));
            Lesson { learned: lesson.learned, changes }
        })
    }

    /// Forgets a message that was learned (`sa-learn --forget`).
    pub fn forget(&self, message: &[u8], memory: &dyn Memory, now: i64) -> Lesson {
        self.teach(message, now, |mail, sample| {
            let lesson = bayes::forget(sample, memory);
            let mut changes = lesson.changes;
            if mail.settings.txrep.active {
                let id = sample.ids.first().map_or("", String::as_str);
                let by = (&Signer::default(), 0.0);
                changes.extend(weigh_by_txrep(mail, memory, id, Purpose::forget(), by).changes);
            }
            Lesson { learned: lesson.learned, changes }
        })
    }

    fn teach(&self, message: &[u8], now: i64, lesson: impl Fn(&Mail<'_>, &Sample) -> Lesson) -> Lesson {
        if !self.settings.use_bayes || !self.settings.use_learner {
            return Lesson::default();
        }
        let mut mail = Mail::to_learn(message, &self.settings, &self.tlds);
        if mail.tree.root().fields.value("x-spam-checker-version").is_some() {
            mail = Mail::to_learn(&crate::report::unmark(message), &self.settings, &self.tlds);
        }
        if is_ignored(&mail) { Lesson::default() } else { lesson(&mail, &Sample::of(&mail, false, now)) }
    }
}
