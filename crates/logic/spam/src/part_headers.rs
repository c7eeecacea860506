//! Rules that look at a header field of each part of a message (`mimeheader`).
//!
//! Most of them look at the same few fields: what these say is read once for a message, and one pass over it finds the patterns
//! that may match.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use message::tree::{PartId, Tree};

use crate::perl::{Candidates, Pattern, PatternSet};
use crate::rules::{Flags, MimeTest};
use crate::ruleset::RuleId;

/// Parts that are looked at when a rule does not say which.
const ALL_PARTS: (usize, usize) = (0, 1000);

/// All such rules, ready.
#[derive(Default)]
pub(crate) struct PartRules {
    list: Vec<PartRule>,
    groups: Vec<Group>,
}

/// One of them.
pub(crate) struct PartRule {
    pub(crate) id: RuleId,
    test: MimeTest,
    group: usize,
    /// Its pattern's number in the group.
    number: usize,
    /// How often the pattern matches what counts where the field is not there.
    in_unset: OnceLock<usize>,
}

/// Patterns that look at the same field.
struct Group {
    field: String,
    raw: bool,
    set: PatternSet,
}

impl PartRules {
    pub(crate) fn new(tests: Vec<(RuleId, MimeTest)>) -> Self {
        let mut numbers = BTreeMap::new();
        let mut patterns: Vec<Vec<Arc<Pattern>>> = Vec::new();
        let list = tests.into_iter().map(|(id, test)| {
            let group = *numbers.entry((test.field.clone(), test.raw)).or_insert(patterns.len());
            if group == patterns.len() {
                patterns.push(Vec::new());
            }
            let number = patterns[group].len();
            patterns[group].push(Arc::clone(&test.pattern));
            PartRule { id, test, group, number, in_unset: OnceLock::new() }
        });
        let list = list.collect();
        let mut names: Vec<_> = numbers.into_iter().collect();
        names.sort_unstable_by_key(|(_, number)| *number);
        let groups = names.into_iter().zip(patterns).map(|(((field, raw), _), patterns)| Group {
            field,
            raw,
            set: PatternSet::new(patterns),
        });
        Self { list, groups: groups.collect() }
    }

    /// In order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &PartRule> {
        self.list.iter()
    }

    pub(crate) fn patterns(&self) -> impl Iterator<Item = (&RuleId, &Arc<Pattern>)> {
        self.list.iter().map(|rule| (&rule.id, &rule.test.pattern))
    }

    /// What the headers of a message's parts say to them.
    pub(crate) fn headers_of(&self, tree: &Tree, candidates: &mut Candidates) -> PartHeaders<'_> {
        let parts = tree.all();
        let values = self.groups.iter().map(|group| {
            let values = parts.iter().map(|id| {
                let text = group.value(tree, *id)?;
                group.set.find(&text, candidates);
                Some(Value { text, candidates: candidates.iter().collect() })
            });
            values.collect()
        });
        PartHeaders { rules: self, values: values.collect() }
    }
}

impl Group {
    fn value(&self, tree: &Tree, id: PartId) -> Option<Vec<u8>> {
        let fields = &tree.part(id).fields;
        if self.field == "ALL" {
            return Some(fields.text(self.raw).0.concat());
        }
        let last = fields.named(self.field.as_bytes()).next_back();
        match self.raw {
            true => Some(last.map_or_else(Vec::new, |field| field.raw.clone())),
            false => last.map(|field| [field.value.as_slice(), b"\n"].concat()),
        }
    }
}

/// What the headers of a message's parts say.
pub(crate) struct PartHeaders<'a> {
    rules: &'a PartRules,
    /// For each group and part; `None` where the field is not there.
    values: Vec<Vec<Option<Value>>>,
}

/// What a field says, and the numbers of the patterns that may match there.
struct Value {
    text: Vec<u8>,
    candidates: Vec<usize>,
}

impl PartHeaders<'_> {
    /// How often a rule hits, whose pattern counts up to `limit` times.
    pub(crate) fn count(&self, rule: &PartRule, flags: Flags, limit: usize) -> usize {
        let (first, last) = flags.range.unwrap_or(ALL_PARTS);
        let chosen = (1..).zip(&self.values[rule.group]).filter(|(part, _)| (first..=last).contains(part));
        let values = chosen.map(|(_, value)| value.as_ref());
        let count = if flags.concat {
            rule.test.pattern.count(&rule.put_together(values), limit)
        } else {
            let mut counts = values.map(|value| self.count_in(value, rule, limit));
            counts.find(|count| *count > 0).unwrap_or(0)
        };
        if rule.test.negated { usize::from(count == 0) } else { count }
    }

    fn count_in(&self, value: Option<&Value>, rule: &PartRule, limit: usize) -> usize {
        let Some(value) = value else {
            let unset = rule.test.unset.as_bytes();
            return *rule.in_unset.get_or_init(|| rule.test.pattern.count(unset, limit));
        };
        if value.candidates.binary_search(&rule.number).is_err() {
            return 0;
        }
        self.rules.groups[rule.group].set.count(rule.number, &value.text, limit)
    }
}

impl PartRule {
    /// The values of all parts as one text, each with a line end.
    fn put_together<'v>(&self, values: impl Iterator<Item = Option<&'v Value>>) -> Vec<u8> {
        let mut all = Vec::new();
        for value in values {
            let text = value.map_or(self.test.unset.as_bytes(), |value| value.text.as_slice());
            all.extend_from_slice(text);
            all.extend((!text.ends_with(b"\n")).then_some(b'\n'));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::{Loader, Surroundings};
    use crate::{Check, Circumstances, Ruleset};

    const MESSAGE: &[u8] =
        b"Content-Type: multipart/mixed; boundary=cut\n\n--cut\nContent-Type: text/plain; name=one\n\none\n\
        --cut\nContent-Type: image/png; name=two\nContent-Disposition: inline\n\ntwo\n--cut--\n";

    fn parts_that_hit(rules: &str) -> Vec<String> {
        let mut loader = Loader::new(Surroundings::default());
        loader.push("/etc/test.cf", rules.as_bytes());
        loader.run();
        let (configuration, problems) = loader.finish();
        assert!(problems.is_empty(), "{problems:?}");
        let rules = Ruleset::new(&configuration, true).0;
        let over = || false;
        let check = Check::new(&rules, MESSAGE, &Circumstances::new(0, &over));
        check.subtests().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn each_part_is_looked_at() {
        let rules = "mimeheader __ONE Content-Type =~ /name=one/\nmimeheader __TWO Content-Type =~ /name=two/\n\
            mimeheader __NAME Content-Type =~ /name=/\ntflags __NAME multiple\nmimeheader __THREE Content-Type =~ /three/\n\
            mimeheader __NOT_ONE Content-Type !~ /name=one/\nmimeheader __NOT_THREE Content-Type !~ /three/\n";
        assert_eq!(parts_that_hit(rules), ["__NAME", "__NOT_THREE", "__ONE", "__TWO"]);
    }

    #[test]
    fn a_field_may_be_missing() {
        let rules = "mimeheader __SHOWN Content-Disposition =~ /inline/\nmimeheader __EMPTY Content-Disposition =~ /^$/\n\
            mimeheader __NONE Content-Disposition =~ /none/ [if-unset: none]\n";
        assert_eq!(parts_that_hit(rules), ["__EMPTY", "__NONE", "__SHOWN"]);
    }

    #[test]
    fn parts_are_chosen_and_put_together() {
        let rules = "mimeheader __BOTH Content-Type =~ /one\\n.*two/\ntflags __BOTH concat\n\
            mimeheader __FIRST Content-Type =~ /two/\ntflags __FIRST range=1-2\n\
            mimeheader __LAST Content-Type =~ /two/\ntflags __LAST range=3\n";
        assert_eq!(parts_that_hit(rules), ["__BOTH", "__LAST"]);
    }
}
