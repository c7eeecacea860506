//! Rules made ready for work: grouped by what they look at, metas in the order of what they need.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use crate::eval::{self, Known, SenderJudge};
use crate::headers::Request;
use crate::mail::Mail;
use crate::metas::Metas;
use crate::network::{self, Errands};
use crate::part_headers::PartRules;
use crate::perl::{Pattern, PatternSet};
use crate::rules::{
    Configuration, Expression, Fault, Flags, HeaderTest, Kind, MimeTest, Problem, Scores, Settings, Stage,
};
use crate::uri::TldPatterns;

/// Which rule of a [`Ruleset`].
pub type RuleId = usize;

/// A rule that is ready.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name.
    pub name: Arc<str>,
    /// Its score in each of the four sets.
    pub scores: Scores,
    /// Its flags.
    pub flags: Flags,
    /// What reports say of it.
    pub description: Option<String>,
    /// What it puts before the subject.
    pub subject_prefix: Option<String>,
    /// Where it looked, as reports say: `BODY: `.
    pub(crate) area: &'static str,
    /// Rules that a meta needs.
    pub(crate) needs: Vec<RuleId>,
    /// Which side of the message it looks at.
    pub(crate) side: Side,
}

/// Which side of a message a rule looks at, for automatic learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Head,
    Body,
    /// The sides of the rules that it combines.
    Meta,
    Neither,
}

impl Rule {
    /// Does it count only for other rules?
    pub fn is_part(&self) -> bool {
        self.name.starts_with("__")
    }
}

/// Rules that look at the same header field.
pub(crate) struct HeaderGroup {
    pub(crate) field: String,
    /// The same, read.
    pub(crate) request: Request,
    /// Of a field that a message has or has not: its number among [`Matchers::fields`].
    pub(crate) number: Option<usize>,
    /// What hits where the field is not there, and how often; found out when it is first needed.
    pub(crate) absent: OnceLock<Vec<(RuleId, usize)>>,
    pub(crate) unset: Option<Vec<u8>>,
    pub(crate) set: PatternSet,
    /// For each pattern of the set: its rule.
    pub(crate) rules: Vec<RuleId>,
    pub(crate) negated: Vec<(RuleId, Arc<Pattern>)>,
    pub(crate) exists: Vec<RuleId>,
}

/// Patterns that look at the same text, and their rules.
pub(crate) struct TextGroup {
    pub(crate) set: PatternSet,
    pub(crate) rules: Vec<RuleId>,
}

/// A rule whose pattern holds tags, which are known only when a message is there: `%{NAME}`.
pub(crate) struct Template {
    pub(crate) rule: RuleId,
    pub(crate) place: Place,
    pub(crate) source: String,
    pub(crate) tags: Vec<String>,
    /// With the tags of the first message that had them. The original fills them in once in a process, too.
    pub(crate) filled: OnceLock<Pattern>,
}

/// What a pattern looks at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    Header(String),
    Body,
    RawBody,
    Full,
    Uri,
}

/// A rule that calls a function.
pub(crate) struct Call {
    pub(crate) rule: RuleId,
    pub(crate) stage: Stage,
    pub(crate) function: eval::Function,
    pub(crate) arguments: Vec<String>,
}

/// Everything that finds something.
#[derive(Default)]
pub(crate) struct Matchers {
    pub(crate) headers: Vec<HeaderGroup>,
    /// Names of header fields that rules look at, in lower case, and their numbers.
    pub(crate) fields: HashMap<String, usize>,
    /// Rules whose groups have names, which other rules use.
    pub(crate) captures: Vec<(RuleId, Place, Arc<Pattern>)>,
    pub(crate) templates: Vec<Template>,
    pub(crate) body: Option<TextGroup>,
    pub(crate) raw_body: Option<TextGroup>,
    pub(crate) full: Option<TextGroup>,
    pub(crate) uri: Option<TextGroup>,
    pub(crate) part_headers: PartRules,
    pub(crate) calls: Vec<Call>,
    pub(crate) metas: Metas,
    /// Rules that weigh the sender's earlier messages: they come last.
    pub(crate) senders: Vec<(RuleId, SenderJudge)>,
    /// Rules that ask DNS.
    pub(crate) network: network::Calls,
}

/// Rules and settings, ready to judge messages. It never changes, and all workers share it.
pub struct Ruleset {
    pub(crate) rules: Vec<Rule>,
    pub(crate) matchers: Matchers,
    /// The settings.
    pub settings: Settings,
    pub(crate) tlds: TldPatterns,
    pub(crate) local_only: bool,
    /// Functions of rules that find nothing in this version.
    pub inert_functions: BTreeSet<String>,
    /// `# UPDATE version` of the files.
    pub(crate) rules_version: String,
}

impl Ruleset {
    /// Makes a configuration ready; what can not be used is named.
    pub fn new(configuration: &Configuration, local_only: bool) -> (Self, Vec<Problem>) {
        let mut builder = Builder::new(configuration);
        builder.add_all();
        let (mut problems, inert_functions) = (builder.problems, builder.inert);
        let matchers = builder.groups.finish(builder.metas, local_only);
        let mut settings = configuration.settings.clone();
        // A plugin that is not loaded does nothing, whatever is set.
        settings.awl.active &= configuration.has_plugin("AWL");
        settings.txrep.active &= configuration.has_plugin("TxRep");
        settings.clearinghouses.pyzor.active &= configuration.has_plugin("Pyzor");
        settings.clearinghouses.dcc.active &= configuration.has_plugin("DCC");
        if settings.awl.active && settings.txrep.active {
            settings.txrep.active = false;
            let (file, text) = ("the rules".to_owned(), String::new());
            problems.push(Problem { file, line: 0, text, fault: Fault::TwoJudges });
        }
        let tlds =
            TldPatterns::new(&settings.registry, &settings.redirector_patterns, &settings.asking.hashbl);
        let rules_version = configuration.update_versions.values().cloned().collect::<Vec<_>>().join(",");
        (
            Self {
                rules: builder.rules,
                matchers,
                settings,
                tlds,
                local_only,
                inert_functions,
                rules_version,
            },
            problems,
        )
    }

    /// No rule may ask the network (`-L`).
    pub fn is_local(&self) -> bool {
        self.local_only
    }

    /// Do rules ask Pyzor about messages? Do they ask DCC?
    pub fn clearinghouses(&self) -> (bool, bool) {
        self.matchers.network.clearinghouses(&self.settings.clearinghouses, &|rule| self.may_ask(rule))
    }

    /// What the networks that count messages have to be told of one that is spam; marks of an earlier check are taken out
    /// already.
    pub fn report(&self, message: &[u8]) -> Errands {
        Errands::of_report(&Mail::to_learn(message, &self.settings, &self.tlds))
    }

    /// Does the rule count when the network is asked? Whether Bayes counts is not known then.
    pub(crate) fn may_ask(&self, rule: RuleId) -> bool {
        self.rules[rule].scores[1] != 0.0 || self.rules[rule].scores[3] != 0.0
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// No rules at all: nothing will be found.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// A rule.
    pub fn rule(&self, id: RuleId) -> &Rule {
        &self.rules[id]
    }

    /// Compiles every pattern now: the names of rules whose patterns are not understood, and why.
    pub fn check_patterns(&self) -> Vec<(Arc<str>, String)> {
        let matchers = &self.matchers;
        let groups = [&matchers.body, &matchers.raw_body, &matchers.full, &matchers.uri];
        let texts =
            groups.into_iter().flatten().flat_map(|group| group.rules.iter().zip(group.set.patterns()));
        let headers = matchers.headers.iter().flat_map(|group| {
            let negated = group.negated.iter().map(|(rule, pattern)| (rule, pattern));
            group.rules.iter().zip(group.set.patterns()).chain(negated)
        });
        let all = texts.chain(headers).chain(matchers.part_headers.patterns());
        all.filter_map(|(rule, pattern)| {
            pattern.check().err().map(|bad| (Arc::clone(&self.rules[*rule].name), bad.to_string()))
        })
        .collect()
    }
}

/// Patterns before they are grouped.
#[derive(Default)]
struct Groups {
    headers: BTreeMap<(String, Option<String>), HeaderParts>,
    body: Vec<(RuleId, Arc<Pattern>)>,
    raw_body: Vec<(RuleId, Arc<Pattern>)>,
    full: Vec<(RuleId, Arc<Pattern>)>,
    uri: Vec<(RuleId, Arc<Pattern>)>,
    part_headers: Vec<(RuleId, MimeTest)>,
    matchers: Matchers,
}

#[derive(Default)]
struct HeaderParts {
    patterns: Vec<(RuleId, Arc<Pattern>)>,
    negated: Vec<(RuleId, Arc<Pattern>)>,
    exists: Vec<RuleId>,
}

fn text_group(patterns: Vec<(RuleId, Arc<Pattern>)>) -> Option<TextGroup> {
    let (rules, patterns): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
    (!rules.is_empty()).then(|| TextGroup { set: PatternSet::new(patterns), rules })
}

impl Groups {
    fn finish(self, metas: Vec<(RuleId, Expression<RuleId>)>, local_only: bool) -> Matchers {
        let mut fields = HashMap::new();
        let headers = self.headers.into_iter().map(|((field, unset), parts)| {
            let (rules, patterns): (Vec<_>, Vec<_>) = parts.patterns.into_iter().unzip();
            let unset = unset.map(String::into_bytes);
            let next = fields.len();
            let request = Request::parse(&field);
            let number = request.field_name().map(|name| *fields.entry(name.to_owned()).or_insert(next));
            HeaderGroup {
                field,
                request,
                number,
                absent: OnceLock::new(),
                unset,
                set: PatternSet::new(patterns),
                rules,
                negated: parts.negated,
                exists: parts.exists,
            }
        });
        let headers = headers.collect();
        Matchers {
            headers,
            fields,
            body: text_group(self.body),
            raw_body: text_group(self.raw_body),
            full: text_group(self.full),
            uri: text_group(self.uri),
            part_headers: PartRules::new(self.part_headers),
            metas: Metas::new(metas, local_only),
            ..self.matchers
        }
    }
}

struct Builder<'a> {
    configuration: &'a Configuration,
    rules: Vec<Rule>,
    ids: HashMap<&'a str, RuleId>,
    groups: Groups,
    metas: Vec<(RuleId, Expression<RuleId>)>,
    problems: Vec<Problem>,
    inert: BTreeSet<String>,
}

impl<'a> Builder<'a> {
    fn new(configuration: &'a Configuration) -> Self {
        let mut names: Vec<&str> = configuration.rules.keys().map(String::as_str).collect();
        names.sort_unstable();
        let ids = names.iter().enumerate().map(|(id, name)| (*name, id)).collect();
        let rules = names.into_iter().map(|name| rule(configuration, name)).collect();
        Self {
            configuration,
            rules,
            ids,
            groups: Groups::default(),
            metas: Vec::new(),
            problems: Vec::new(),
            inert: BTreeSet::new(),
        }
    }

    fn add_all(&mut self) {
        let mut metas: BTreeMap<RuleId, Expression<RuleId>> = BTreeMap::new();
        for id in 0..self.rules.len() {
            let name = Arc::clone(&self.rules[id].name);
            let Some(definition) = self.configuration.rules.get(&*name) else { continue };
            match &definition.kind {
                Kind::Meta(expression) => {
                    metas.insert(id, self.resolve(&name, expression.0.clone()));
                }
                Kind::Eval { stage, function, arguments } => self.add_call(id, *stage, function, arguments),
                Kind::MimeHeader(test) => {
                    self.groups.part_headers.push((
                        id,
                        MimeTest { pattern: self.replaced(&name, &test.pattern), ..test.clone() },
                    ));
                }
                Kind::Header(test) => self.add_header(id, &name, test),
                Kind::Body(pattern) => self.add_text(id, &name, pattern, Place::Body),
                Kind::RawBody(pattern) => self.add_text(id, &name, pattern, Place::RawBody),
                Kind::Full(pattern) => self.add_text(id, &name, pattern, Place::Full),
                Kind::Uri(pattern) => self.add_text(id, &name, pattern, Place::Uri),
                Kind::Network | Kind::Empty => {}
            }
            self.add_question(id, &name);
        }
        self.order(metas);
    }

    fn report(&mut self, id: RuleId, fault: Fault) {
        let name = Arc::clone(&self.rules[id].name);
        let Some(definition) = self.configuration.rules.get(&*name) else { return };
        let (file, line) = (definition.origin.0.to_string(), definition.origin.1);
        self.problems.push(Problem { file, line, text: name.to_string(), fault });
    }

    /// The pattern with its tags replaced, if the rule asks for it.
    fn replaced(&self, name: &str, pattern: &Arc<Pattern>) -> Arc<Pattern> {
        let replacements = &self.configuration.replacements;
        if !replacements.rules.contains(name) {
            return Arc::clone(pattern);
        }
        Arc::new(replacements.apply_to(pattern))
    }

    /// Rules with named groups or tags go their own way; true when this is one.
    fn add_special(&mut self, id: RuleId, pattern: &Arc<Pattern>, place: &Place) -> bool {
        let tags = template_tags(pattern.source());
        if !tags.is_empty() {
            let source = pattern.source().to_owned();
            self.groups.matchers.templates.push(Template {
                rule: id,
                place: place.clone(),
                source,
                tags,
                filled: OnceLock::new(),
            });
            return true;
        }
        let captures = has_named_group(pattern.source());
        if captures {
            self.groups.matchers.captures.push((id, place.clone(), Arc::clone(pattern)));
        }
        captures
    }

    fn add_header(&mut self, id: RuleId, name: &str, test: &HeaderTest) {
        let pattern = test.pattern.as_ref().map(|pattern| self.replaced(name, pattern));
        if let Some(pattern) = &pattern
            && !test.negated
            && test.unset.is_none()
            && self.add_special(id, pattern, &Place::Header(test.field.clone()))
        {
            return;
        }
        let parts = self.groups.headers.entry((test.field.clone(), test.unset.clone())).or_default();
        match pattern {
            None => parts.exists.push(id),
            Some(pattern) if test.negated => parts.negated.push((id, pattern)),
            Some(pattern) => parts.patterns.push((id, pattern)),
        }
    }

    fn add_text(&mut self, id: RuleId, name: &str, pattern: &Arc<Pattern>, place: Place) {
        let pattern = self.replaced(name, pattern);
        if self.add_special(id, &pattern, &place) {
            return;
        }
        let list = match place {
            Place::Body => &mut self.groups.body,
            Place::RawBody => &mut self.groups.raw_body,
            Place::Full => &mut self.groups.full,
            _ => &mut self.groups.uri,
        };
        list.push((id, pattern));
    }

    fn add_call(&mut self, id: RuleId, stage: Stage, function: &str, arguments: &[String]) {
        if let Some(judge) = eval::sender_judge(function) {
            return self.groups.matchers.senders.push((id, judge));
        }
        match eval::function(function) {
            Some(Known::Local(function)) => {
                self.groups.matchers.calls.push(Call {
                    rule: id,
                    stage,
                    function,
                    arguments: arguments.to_vec(),
                });
            }
            Some(Known::Network) => {
                if !self.groups.matchers.network.add_function(id, stage, function, arguments) {
                    self.report(id, Fault::Invalid(function.to_owned()));
                }
            }
            Some(Known::Elsewhere) => {
                self.inert.insert(function.to_owned());
            }
            None => self.report(id, Fault::NoFunction(function.to_owned())),
        }
    }

    /// A rule of that name asks DNS. Without a score and without a rule that calls `check_uridnsbl` a list of URIs is not
    /// asked, as in the peer.
    fn add_question(&mut self, id: RuleId, name: &str) {
        let asking = &self.configuration.settings.asking;
        let network = &mut self.groups.matchers.network;
        if let Some(list) = asking.uri_lists.get(name) {
            let is_call =
                |kind: &Kind| matches!(kind, Kind::Eval { function, .. } if function == "check_uridnsbl");
            let called = self.configuration.rules.get(name).is_some_and(|rule| is_call(&rule.kind));
            if called || self.configuration.scores.contains_key(name) {
                network.add_uri_list(id, list);
            }
        }
        if let Some(question) = asking.askdns.get(name) {
            network.add_question(id, question);
        }
    }

    /// Names become rules; a name that no rule has counts as 0.
    fn resolve(&self, own: &str, expression: Expression<String>) -> Expression<RuleId> {
        let ids = &self.ids;
        let mut rule =
            |name: String| ids.get(name.as_str()).map_or(Expression::Number(0.0), |id| Expression::Rule(*id));
        let mut matching = |glob: &str| {
            let mut names: Vec<(&&str, &RuleId)> = ids.iter().filter(|(name, _)| **name != own).collect();
            names.sort_unstable();
            let fits = names
                .into_iter()
                .filter(|(name, _)| crate::rules::matches_glob(glob.as_bytes(), name.as_bytes()));
            fits.fold(Expression::Number(0.0), |sum, (_, id)| Expression::plus(sum, Expression::Rule(*id)))
        };
        expression.map(&mut rule, &mut matching)
    }

    /// A meta comes behind those that it needs; circles are left out.
    fn order(&mut self, mut metas: BTreeMap<RuleId, Expression<RuleId>>) {
        for (id, expression) in &metas {
            let mut needs = Vec::new();
            expression.rules(&mut needs);
            self.rules[*id].needs = needs.into_iter().copied().collect();
        }
        loop {
            let ready: Vec<RuleId> = metas
                .keys()
                .copied()
                .filter(|id| !self.rules[*id].needs.iter().any(|need| metas.contains_key(need)))
                .collect();
            if ready.is_empty() {
                break;
            }
            for id in ready {
                self.metas.extend(metas.remove(&id).map(|expression| (id, expression)));
            }
        }
        metas.into_keys().for_each(|id| self.report(id, Fault::Circle));
    }
}

fn rule(configuration: &Configuration, name: &str) -> Rule {
    let kind = configuration.rules.get(name).map(|definition| &definition.kind);
    let area = match kind {
        Some(Kind::Body(_) | Kind::Eval { stage: Stage::Body, .. }) => "BODY: ",
        Some(Kind::RawBody(_) | Kind::Eval { stage: Stage::RawBody, .. }) => "RAW: ",
        Some(Kind::Uri(_)) => "URI: ",
        Some(Kind::Full(_)) => "FULL: ",
        _ => "",
    };
    Rule {
        name: Arc::from(name),
        scores: configuration.scores_of(name),
        flags: configuration.flags_of(name),
        description: configuration.descriptions.get(name).cloned(),
        subject_prefix: configuration.subject_prefixes.get(name).cloned(),
        area: learner_area(kind).or_else(|| network_area(kind)).unwrap_or(area),
        needs: Vec::new(),
        side: side(kind),
    }
}

/// Rules that say how a sender's earlier messages count stand in a place of their own in reports.
fn learner_area(kind: Option<&Kind>) -> Option<&'static str> {
    match kind {
        Some(Kind::Eval { function, .. }) => eval::sender_judge(function).map(|judge| match judge {
            SenderJudge::Awl => "AWL: ",
            SenderJudge::TxRep => "TXREP: ",
        }),
        _ => None,
    }
}

/// Reports say of what the network told that it did.
fn network_area(kind: Option<&Kind>) -> Option<&'static str> {
    match kind? {
        Kind::Network => Some("ASKDNS: "),
        Kind::Eval { function, .. } if function == "check_uridnsbl" => Some(""),
        Kind::Eval { function, .. } if function.starts_with("check_hashbl_") => Some(""),
        Kind::Eval { function, .. } if function.starts_with("check_rbl") => Some("RBL: "),
        _ => None,
    }
}

fn side(kind: Option<&Kind>) -> Side {
    match kind {
        Some(Kind::Header(_) | Kind::Eval { stage: Stage::Header, .. }) => Side::Head,
        Some(Kind::Body(_) | Kind::RawBody(_) | Kind::Uri(_) | Kind::MimeHeader(_)) => Side::Body,
        Some(Kind::Eval { stage: Stage::Body | Stage::RawBody, .. }) => Side::Body,
        Some(Kind::Meta(_)) => Side::Meta,
        _ => Side::Neither,
    }
}

fn has_named_group(source: &str) -> bool {
    ["(?<", "(?P<", "(?'"].iter().any(|begin| {
        source
            .match_indices(begin)
            .any(|(at, _)| source[at + begin.len()..].starts_with(|char: char| char.is_ascii_uppercase()))
    })
}

/// The tags that a pattern names: `%{GB_TO_ADDR}`.
fn template_tags(source: &str) -> Vec<String> {
    let mut tags = Vec::new();
    for (at, _) in source.match_indices("%{") {
        let rest = &source[at + 2..];
        let Some(name) = rest.find('}').map(|end| &rest[..end]) else { continue };
        let good = |char: char| {
            char.is_ascii_uppercase() || char.is_ascii_digit() || matches!(char, '_' | '(' | ')')
        };
        if name.starts_with(|char: char| char.is_ascii_uppercase())
            && name.chars().all(good)
            && !tags.iter().any(|known| known == name)
        {
            tags.push(name.to_owned());
        }
    }
    tags
}
