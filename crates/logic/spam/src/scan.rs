//! Runs the rules over a message.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::autolearn::Autolearn;
use crate::bayes::Judgement;
use crate::eval::{Context, Found};
use crate::headers::Request;
use crate::learned::{Change, Memory};
use crate::lesson::LessonPlan;
use crate::mail::Mail;
use crate::network::{self, Answers};
use crate::perl::{Candidates, Pattern};
use crate::rules::Stage;
use crate::ruleset::{HeaderGroup, Place, RuleId, Ruleset, Template, TextGroup};

/// How often a rule with the flag `multiple` and no limit counts.
const HITS_LIMIT: usize = 1000;

/// Which of the four scores of a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScoreSet {
    /// Network tests run.
    pub network: bool,
    /// Bayes has learnt enough.
    pub bayes: bool,
}

impl ScoreSet {
    /// 0 to 3.
    pub fn index(self) -> usize {
        usize::from(self.network) + 2 * usize::from(self.bayes)
    }
}

/// What a check needs beside the message.
pub struct Circumstances<'a> {
    /// Seconds since 1970.
    pub now: i64,
    /// What was learned; without it nothing is learned from the message either.
    pub memory: Option<&'a dyn Memory>,
    /// What DNS said; `None` when nobody may be asked.
    pub answers: Option<&'a Answers>,
    /// Is the time for this message over?
    pub is_over: &'a dyn Fn() -> bool,
}

impl<'a> Circumstances<'a> {
    /// A check that remembers nothing.
    pub fn new(now: i64, is_over: &'a dyn Fn() -> bool) -> Self {
        Self { now, memory: None, answers: None, is_over }
    }
}

/// A rule that hit.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Which rule.
    pub rule: RuleId,
    /// What it adds.
    pub score: f64,
    /// What it found.
    pub notes: Vec<String>,
}

/// What the rules found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Rules that count, in the order in which they hit; one with `multiple` is there as often as it hit.
    pub hits: Vec<Hit>,
    /// Rules that count only for others.
    pub parts: Vec<RuleId>,
    /// The sum, to three decimals.
    pub score: f64,
    /// The time was over before all rules were done.
    pub timed_out: bool,
    /// Tags that rules have set.
    pub(crate) tags: BTreeMap<String, Vec<Vec<u8>>>,
    /// SPF vouches for the envelope's sender.
    pub(crate) spf_pass: bool,
    /// Which scores counted.
    pub scores: ScoreSet,
    /// What the learner says; `None` when it was not asked.
    pub bayes: Option<Judgement>,
    /// Was the message learned?
    pub autolearn: Autolearn,
    /// What changes in the learned data.
    pub changes: Vec<Change>,
}

/// A check in progress.
pub(crate) struct Scan<'a> {
    rules: &'a Ruleset,
    mail: &'a Mail<'a>,
    set: usize,
    is_over: &'a dyn Fn() -> bool,
    /// What each rule counts as in expressions.
    values: Vec<f64>,
    findings: Findings,
    candidates: Candidates,
}

/// Runs all rules.
pub(crate) fn scan(rules: &Ruleset, mail: &Mail<'_>, circumstances: &Circumstances<'_>) -> Findings {
    let mut lesson = LessonPlan::new(mail, circumstances);
    let mut scan = Scan {
        rules,
        mail,
        set: lesson.scores().index(),
        is_over: circumstances.is_over,
        values: vec![0.0; rules.len()],
        findings: Findings { scores: lesson.scores(), ..Findings::default() },
        candidates: Candidates::default(),
    };
    scan.findings.bayes = lesson.judge(&mut scan.findings.changes);
    let probability = scan.findings.bayes.as_ref().and_then(|judgement| judgement.probability);
    scan.run(&Context::new(mail, circumstances.now, probability), circumstances.answers);
    scan.weigh_sender(&mut lesson);
    let mut findings = scan.findings;
    findings.score = three_decimals(findings.hits.iter().map(|hit| hit.score).sum());
    if !findings.timed_out {
        lesson.learn(rules, &mut findings);
    }
    findings
}

/// Scores are sums of decimals: what is beyond the third is noise.
pub(crate) fn three_decimals(score: f64) -> f64 {
    // The sum of nothing is -0.0 here, which would show.
    let score = score + 0.0;
    format!("{score:.3}").parse().unwrap_or(score)
}

impl<'a> Scan<'a> {
    /// The order is the peer's: what a function does to the text shows in the rules behind it.
    fn run(&mut self, context: &Context<'_>, answers: Option<&Answers>) {
        let matchers = &self.rules.matchers;
        let steps: [&dyn Fn(&mut Self); 10] = [
            &|scan| scan.captures(),
            &|scan| scan.headers(),
            &|scan| scan.calls(context, Stage::Header),
            &|scan| {
                scan.text_group(
                    matchers.body.as_ref(),
                    &context.body().iter().map(Vec::as_slice).collect::<Vec<_>>(),
                )
            },
            &|scan| scan.text_group(matchers.uri.as_ref(), &scan.lines(&Place::Uri)),
            &|scan| scan.part_headers(),
            &|scan| scan.calls(context, Stage::Body),
            &|scan| scan.text_group(matchers.raw_body.as_ref(), &scan.lines(&Place::RawBody)),
            &|scan| scan.calls(context, Stage::RawBody),
            &|scan| scan.full(),
        ];
        for step in steps {
            if (self.is_over)() {
                self.findings.timed_out = true;
                return;
            }
            step(self);
        }
        self.calls(context, Stage::Full);
        if let Some(answers) = answers {
            self.network(answers, context.now);
        }
        matchers.templates.iter().for_each(|template| self.template(template));
        self.metas();
    }

    /// What rules that ask DNS find in the answers.
    fn network(&mut self, answers: &Answers, now: i64) {
        let active = |rule: RuleId| self.is_active(rule);
        let (rules, calls) = (&self.rules.rules, &self.rules.matchers.network);
        let walked = network::walk(calls, rules, self.mail, answers, &active, now);
        self.findings.spf_pass = walked.spf_pass;
        let tags = walked.tags.into_iter().map(|(tag, values)| (tag.to_owned(), values));
        self.findings.tags.extend(tags);
        for (rule, notes) in walked.hits {
            self.hit(rule, 1.0, notes);
        }
    }

    fn is_active(&self, rule: RuleId) -> bool {
        self.rules.rules[rule].scores[self.set] != 0.0
    }

    /// Hits that a rule may have.
    fn limit(&self, rule: RuleId) -> usize {
        let flags = self.rules.rules[rule].flags;
        if flags.multiple { flags.maxhits.unwrap_or(HITS_LIMIT) } else { 1 }
    }

    fn hit(&mut self, rule: RuleId, value: f64, notes: Vec<String>) {
        let known = &self.rules.rules[rule];
        self.values[rule] += if value > 0.0 { value } else { 1.0 };
        if known.is_part() {
            self.findings.parts.push(rule);
        } else {
            self.findings.hits.push(Hit { rule, score: known.scores[self.set], notes });
        }
    }

    fn hits(&mut self, rule: RuleId, count: usize) {
        for _ in 0..count {
            self.hit(rule, 1.0, Vec::new());
        }
    }

    fn headers(&mut self) {
        let matchers = &self.rules.matchers;
        let mut present = vec![false; matchers.fields.len()];
        for field in self.mail.tree.root().fields.iter() {
            let number = std::str::from_utf8(&field.key).ok().and_then(|key| matchers.fields.get(key));
            number.into_iter().for_each(|number| present[*number] = true);
        }
        for group in &matchers.headers {
            if group.number.is_some_and(|number| !present[number]) {
                self.absent_header(group);
            } else {
                self.header_group(group);
            }
        }
    }

    /// What hits where a field is not there is the same each time.
    fn absent_header(&mut self, group: &HeaderGroup) {
        let hits = group.absent.get_or_init(|| {
            let text = group.unset.as_deref();
            let negated =
                group.negated.iter().filter(|(_, pattern)| !text.is_some_and(|text| pattern.is_match(text)));
            let mut hits: Vec<(RuleId, usize)> = negated.map(|(rule, _)| (*rule, 1)).collect();
            let mut candidates = Candidates::default();
            let text = text.unwrap_or_default();
            group.set.find(text, &mut candidates);
            hits.extend(candidates.iter().map(|index| {
                let rule = group.rules[index];
                (rule, group.set.count(index, text, self.limit(rule)))
            }));
            hits
        });
        for (rule, count) in hits {
            if self.is_active(*rule) {
                self.hits(*rule, *count);
            }
        }
    }

    fn header_group(&mut self, group: &HeaderGroup) {
        let values = self.mail.get_parsed(&group.field, &group.request);
        let found = one_text(&values);
        for rule in &group.exists {
            if found.is_some() && self.is_active(*rule) {
                self.hit(*rule, 1.0, Vec::new());
            }
        }
        let value = found.or(group.unset.as_deref().map(Cow::Borrowed));
        for (rule, pattern) in &group.negated {
            if self.is_active(*rule) && !value.as_deref().is_some_and(|value| pattern.is_match(value)) {
                self.hit(*rule, 1.0, Vec::new());
            }
        }
        // A field that is not there counts as an empty one.
        let value = value.unwrap_or_default();
        let mut candidates = std::mem::take(&mut self.candidates);
        group.set.find(&value, &mut candidates);
        for index in candidates.iter() {
            let rule = group.rules[index];
            if self.is_active(rule) {
                let count = group.set.count(index, &value, self.limit(rule));
                self.hits(rule, count);
            }
        }
        self.candidates = candidates;
    }

    fn count(&self, pattern: &Pattern, text: &[u8], limit: usize) -> usize {
        if limit == 1 { usize::from(pattern.is_match(text)) } else { pattern.count(text, limit) }
    }

    fn lines(&self, place: &Place) -> Vec<&'a [u8]> {
        match place {
            Place::Body => self.mail.body.iter().map(Vec::as_slice).collect(),
            Place::RawBody => self.mail.raw_body.iter().map(Vec::as_slice).collect(),
            Place::Uri => self.mail.uris.list(),
            Place::Full | Place::Header(_) => Vec::new(),
        }
    }

    fn text_group(&mut self, group: Option<&TextGroup>, lines: &[&[u8]]) {
        let Some(group) = group else { return };
        let mut left: Vec<Option<usize>> = vec![None; group.rules.len()];
        let mut candidates = std::mem::take(&mut self.candidates);
        for (number, line) in lines.iter().enumerate() {
            group.set.find(line, &mut candidates);
            for index in candidates.iter() {
                let rule = group.rules[index];
                let limit = *left[index]
                    .get_or_insert_with(|| if self.is_active(rule) { self.limit(rule) } else { 0 });
                if limit == 0 || (number == 0 && self.rules.rules[rule].flags.nosubject) {
                    continue;
                }
                let count = group.set.count(index, line, limit);
                left[index] = Some(limit - count);
                self.hits(rule, count);
            }
        }
        self.candidates = candidates;
    }

    fn full(&mut self) {
        let group = self.rules.matchers.full.as_ref();
        if group.is_some() {
            let message = self.mail.tree.pristine();
            self.text_group(group, &[&message]);
        }
    }

    fn part_headers(&mut self) {
        let rules = &self.rules.matchers.part_headers;
        let headers = rules.headers_of(&self.mail.tree, &mut self.candidates);
        for rule in rules.iter() {
            if self.is_active(rule.id) {
                let count = headers.count(rule, self.rules.rules[rule.id].flags, self.limit(rule.id));
                self.hits(rule.id, count);
            }
        }
    }

    fn calls(&mut self, context: &Context<'_>, stage: Stage) {
        let set = self.set;
        context.stage.set(stage);
        for call in self.rules.matchers.calls.iter().filter(|call| call.stage == stage) {
            let flags = self.rules.rules[call.rule].flags;
            let needs_more = (flags.net && set & 1 == 0) || (flags.learn && set & 2 == 0);
            if needs_more || !self.is_active(call.rule) {
                continue;
            }
            match (call.function)(context, &call.arguments) {
                Found::No => {}
                Found::Yes => self.hit(call.rule, 1.0, Vec::new()),
                Found::Because(note) => self.hit(call.rule, 1.0, vec![note]),
            }
        }
    }

    /// The texts that a pattern looks at.
    fn texts(&self, place: &Place) -> Vec<Vec<u8>> {
        match place {
            // A field that is not there counts as an empty one.
            Place::Header(field) => vec![one_text(&self.mail.get(field)).unwrap_or_default().into_owned()],
            Place::Full => vec![self.mail.tree.pristine()],
            other => self.lines(other).into_iter().map(<[u8]>::to_vec).collect(),
        }
    }

    fn captures(&mut self) {
        for (rule, place, pattern) in &self.rules.matchers.captures {
            if !self.is_active(*rule) {
                continue;
            }
            let mut left = self.limit(*rule);
            for text in self.texts(place) {
                let count = self.count(pattern, &text, left);
                if count > 0 {
                    self.hits(*rule, count);
                    left -= count;
                    for (name, value) in pattern.named_groups(&text) {
                        let values = self.findings.tags.entry(name).or_default();
                        if !values.contains(&value) {
                            values.push(value);
                        }
                    }
                }
                if left == 0 {
                    break;
                }
            }
        }
    }

    fn template(&mut self, template: &Template) {
        if !self.is_active(template.rule) {
            return;
        }
        let Some(filled) = self.filled(template) else { return };
        let pattern = template.filled.get_or_init(|| filled);
        let mut left = self.limit(template.rule);
        for text in self.texts(&template.place) {
            let count = self.count(pattern, &text, left);
            self.hits(template.rule, count);
            left -= count;
            if left == 0 {
                break;
            }
        }
    }

    /// The pattern with the message's tags in it; `None` when it has not all of them.
    fn filled(&self, template: &Template) -> Option<Pattern> {
        let mut source = template.source.clone();
        for tag in &template.tags {
            let values: Vec<String> = self.tag_values(tag).iter().map(|value| quoted(value)).collect();
            if values.is_empty() {
                return None;
            }
            source = source.replace(&format!("%{{{tag}}}"), &format!("(?:{})", values.join("|")));
        }
        Some(Pattern::from_source(source))
    }

    /// What the sender's earlier messages add. They come last: they look at the sum of all others.
    fn weigh_sender(&mut self, lesson: &mut LessonPlan<'_>) {
        for (rule, judge) in &self.rules.matchers.senders {
            if !self.is_active(*rule) || self.findings.timed_out {
                continue;
            }
            let weighed = lesson.weigh(*judge, self.rules, &self.findings);
            for (tag, value) in weighed.tags {
                self.findings.tags.insert(tag.to_owned(), vec![value.into_bytes()]);
            }
            self.findings.changes.extend(weighed.changes);
            if let Some(score) = weighed.score {
                self.findings.hits.push(Hit { rule: *rule, score, notes: Vec::new() });
            }
        }
    }

    fn tag_values(&self, tag: &str) -> Vec<Vec<u8>> {
        if let Some(values) = self.findings.tags.get(tag) {
            return values.clone();
        }
        let request = tag.strip_prefix("HEADER(").and_then(|rest| rest.strip_suffix(')'));
        request.map(|request| Request::parse(request).values(self.mail)).unwrap_or_default()
    }

    fn metas(&mut self) {
        let rules = self.rules;
        let found = self.findings.hits.iter().map(|hit| hit.rule).chain(self.findings.parts.iter().copied());
        let mut due = rules.matchers.metas.due(&rules.rules, self.set, found);
        while let Some(meta) = due.next() {
            let values = &self.values;
            let value = meta.expression.value(&|rule: &RuleId| values[*rule], rules.local_only);
            if value != 0.0 {
                self.hit(meta.rule, value, Vec::new());
                due.has_hit(meta.rule);
            }
        }
    }
}

/// The values of a header field as rules see them; `None` when it is not there.
fn one_text(values: &[Vec<u8>]) -> Option<Cow<'_, [u8]>> {
    match values {
        [] => None,
        [only] => Some(Cow::Borrowed(only)),
        [first, ..] => {
            let separator: &[u8] = if first.ends_with(b"\n") { b"" } else { b"\n" };
            Some(Cow::Owned(values.join(separator)))
        }
    }
}

/// As a pattern that matches just this text.
fn quoted(text: &[u8]) -> String {
    let mut pattern = String::with_capacity(text.len() * 2);
    for byte in text {
        if byte.is_ascii_alphanumeric() || *byte == b'_' {
            pattern.push(char::from(*byte));
        } else {
            pattern.push_str(&format!("\\x{byte:02x}"));
        }
    }
    pattern
}
