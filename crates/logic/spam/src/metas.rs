//! Rules that combine others, and which of them a message makes worth to reckon.

use std::sync::OnceLock;

use crate::rules::Expression;
use crate::ruleset::{Rule, RuleId};

/// How many sets of scores there are.
const SETS: usize = 4;
/// Bits of a machine word.
const WORD_BITS: usize = 64;

/// A rule that combines others.
pub(crate) struct Meta {
    pub(crate) rule: RuleId,
    pub(crate) expression: Expression<RuleId>,
    /// What it comes to when none of the others has hit, as most have not.
    without_hits: f64,
}

/// All of them, each behind those that it needs.
#[derive(Default)]
pub(crate) struct Metas {
    list: Vec<Meta>,
    /// For each set of scores; made when it is first needed.
    plans: [OnceLock<Plan>; SETS],
}

/// Which metas run with a set of scores.
struct Plan {
    /// Those that come to something though nothing has hit.
    standing: Vec<usize>,
    /// For each rule those that need it.
    needed_by: Vec<Vec<usize>>,
}

impl Metas {
    pub(crate) fn new(metas: Vec<(RuleId, Expression<RuleId>)>, local_only: bool) -> Self {
        let list = metas.into_iter().map(|(rule, expression)| {
            let without_hits = expression.value(&|_| 0.0, local_only);
            Meta { rule, expression, without_hits }
        });
        Self { list: list.collect(), plans: Default::default() }
    }

    /// Those that must be reckoned with this set of scores, when these rules have hit.
    pub(crate) fn due(&self, rules: &[Rule], set: usize, hits: impl Iterator<Item = RuleId>) -> Due<'_> {
        let plan = self.plans[set].get_or_init(|| self.plan(rules, set));
        let words = self.list.len().div_ceil(WORD_BITS);
        let mut due = Due { metas: self, plan, waiting: vec![0; words], word: 0 };
        due.await_all(&plan.standing);
        hits.for_each(|rule| due.has_hit(rule));
        due
    }

    /// A meta that does not run has no value, and neither have those that need it.
    fn plan(&self, rules: &[Rule], set: usize) -> Plan {
        let mut unknown = vec![false; rules.len()];
        let mut plan = Plan { standing: Vec::new(), needed_by: vec![Vec::new(); rules.len()] };
        for (index, Meta { rule, without_hits, .. }) in self.list.iter().enumerate() {
            let needs = &rules[*rule].needs;
            if rules[*rule].scores[set] == 0.0 || needs.iter().any(|need| unknown[*need]) {
                unknown[*rule] = true;
                continue;
            }
            needs.iter().for_each(|need| plan.needed_by[*need].push(index));
            plan.standing.extend((*without_hits != 0.0).then_some(index));
        }
        plan
    }
}

/// Metas that are still to be reckoned.
pub(crate) struct Due<'a> {
    metas: &'a Metas,
    plan: &'a Plan,
    /// A bit for each.
    waiting: Vec<u64>,
    /// In the words before this one none waits any more: what a meta needs stands before it.
    word: usize,
}

impl<'a> Due<'a> {
    /// The next one; all that it needs are done.
    pub(crate) fn next(&mut self) -> Option<&'a Meta> {
        while *self.waiting.get(self.word)? == 0 {
            self.word += 1;
        }
        let word = &mut self.waiting[self.word];
        let bit = word.trailing_zeros() as usize;
        *word &= *word - 1;
        Some(&self.metas.list[self.word * WORD_BITS + bit])
    }

    /// That rule has hit, so those that need it are due.
    pub(crate) fn has_hit(&mut self, rule: RuleId) {
        self.await_all(&self.plan.needed_by[rule]);
    }

    fn await_all(&mut self, metas: &[usize]) {
        for index in metas {
            self.waiting[index / WORD_BITS] |= 1 << (index % WORD_BITS);
        }
    }
}
