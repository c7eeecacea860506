//! The walk over all rules that ask DNS.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::addresses::Addresses;
use super::claims::{self, Claim};
use super::clearinghouses::{self, Errands, Query};
use super::hashes::{self, HashList};
use super::lists::{self, List, Sub};
use super::question::{Answers, Question, RecordKind, Reply};
use super::sender_policy::Policies;
use super::signatures::Signed;
use super::subtest::Subtest;
use super::{tags, uris};
use crate::eval::Found;
use crate::mail::Mail;
use crate::registry::is_host_name;
use crate::rules::{AskDns, Clearinghouses, Stage, UriList};
use crate::ruleset::{Rule, RuleId};

/// Questions that one message may raise.
const QUESTION_LIMIT: usize = 400;

/// Tags that say who signed.
const SIGNATURE_TAGS: [&str; 3] = ["DKIMDOMAIN", "DKIMIDENTITY", "DKIMSELECTOR"];

/// The rules that ask DNS.
#[derive(Default)]
pub(crate) struct Calls {
    lists: Vec<(RuleId, List)>,
    pub(super) subs: Vec<(RuleId, Sub)>,
    pub(super) uris: Vec<(RuleId, UriList)>,
    asks: Vec<(RuleId, AskDns)>,
    claims: Vec<(RuleId, Claim)>,
    hashes: Vec<(RuleId, HashList)>,
    pub(super) checksums: Vec<(RuleId, Query)>,
}

/// Is a function of that name in this version? `check_uridnsbl` and `check_dns_sender` do nothing by themselves: what the
/// first one finds is found by the list of the rule's name, and the second one hits in the peer only when a reply says both
/// that there is no such name and what its records are.
pub(crate) fn function_is_known(name: &str) -> bool {
    lists::subject(name).is_some()
        || Claim::is_known(name)
        || HashList::is_known(name)
        || Query::is_known(name)
        || matches!(name, "check_rbl_sub" | "check_uridnsbl" | "check_dns_sender")
}

impl Calls {
    /// Adds an eval rule; false when its arguments do not read.
    pub(crate) fn add_function(
        &mut self,
        rule: RuleId,
        stage: Stage,
        name: &str,
        arguments: &[String],
    ) -> bool {
        if name == "check_rbl_sub" {
            let sub = Sub::new(arguments);
            let good = sub.is_some();
            self.subs.extend(sub.map(|sub| (rule, sub)));
            return good;
        }
        if HashList::is_known(name) {
            let list = HashList::new(name, stage, arguments);
            let good = list.is_some();
            self.hashes.extend(list.map(|list| (rule, list)));
            return good;
        }
        if Query::is_known(name) {
            let query = Query::new(name, arguments);
            let good = query.is_some();
            self.checksums.extend(query.map(|query| (rule, query)));
            return good;
        }
        if let Some(claim) = Claim::new(name, arguments) {
            self.claims.push((rule, claim));
            return true;
        }
        let Some(subject) = lists::subject(name) else { return true };
        let list = List::new(subject, arguments);
        let good = list.is_some();
        self.lists.extend(list.map(|list| (rule, list)));
        good
    }

    pub(crate) fn add_uri_list(&mut self, rule: RuleId, list: &UriList) {
        self.uris.push((rule, list.clone()));
    }

    pub(crate) fn add_question(&mut self, rule: RuleId, question: &AskDns) {
        self.asks.push((rule, question.clone()));
    }

    /// What Pyzor and DCC have to be asked about a message.
    pub(crate) fn errands(
        &self,
        mail: &Mail<'_>,
        asks_pyzor: bool,
        active: &dyn Fn(RuleId) -> bool,
    ) -> Errands {
        Errands::of_check(mail, &self.checksums, asks_pyzor, active)
    }

    /// Do active rules ask Pyzor? Do they ask DCC?
    pub(crate) fn clearinghouses(
        &self,
        settings: &Clearinghouses,
        active: &dyn Fn(RuleId) -> bool,
    ) -> (bool, bool) {
        clearinghouses::wanted(&self.checksums, settings, active)
    }

    /// No rule asks DNS anything.
    fn is_empty(&self) -> bool {
        self.lists.is_empty()
            && self.uris.is_empty()
            && self.asks.is_empty()
            && self.claims.is_empty()
            && self.hashes.is_empty()
    }
}

/// A walk in progress.
pub(super) struct Walk<'a> {
    pub(super) calls: &'a Calls,
    pub(super) rules: &'a [Rule],
    pub(super) mail: &'a Mail<'a>,
    pub(super) answers: &'a Answers,
    active: &'a dyn Fn(RuleId) -> bool,
    missing: BTreeSet<Question>,
    hits: Vec<(RuleId, Vec<String>)>,
    pub(super) relays: OnceCell<Option<Addresses>>,
    hosts: OnceCell<uris::Hosts>,
    pub(super) policies: Option<Policies>,
    signed: Option<Signed>,
    pub(super) now: i64,
    /// What lists of URIs were asked already: several hosts have one domain.
    pub(super) seen: BTreeSet<(RuleId, String)>,
    pub(super) tags: Vec<Tag>,
}

/// A tag and its values.
type Tag = (&'static str, Vec<Vec<u8>>);

/// What became of a question.
pub(super) enum Known<'a> {
    Reply(&'a Reply),
    /// DNS does not have such names.
    NoName,
    /// No server said anything, or none may be asked.
    Nothing,
    /// It will be asked.
    NotYet,
}

/// What a walk found.
pub(crate) struct Walked {
    /// What has to be asked before the walk can be finished.
    pub(crate) missing: BTreeSet<Question>,
    /// Rules that hit, and what they found.
    pub(crate) hits: Vec<(RuleId, Vec<String>)>,
    /// Tags that are known now.
    pub(crate) tags: Vec<Tag>,
    /// SPF vouches for the envelope's sender.
    pub(crate) spf_pass: bool,
}

/// Goes over all rules that are active, as far as the answers reach.
pub(crate) fn walk<'a>(
    calls: &'a Calls,
    rules: &'a [Rule],
    mail: &'a Mail<'a>,
    answers: &'a Answers,
    active: &'a dyn Fn(RuleId) -> bool,
    now: i64,
) -> Walked {
    let mut walk = Walk {
        calls,
        rules,
        mail,
        answers,
        active,
        missing: BTreeSet::new(),
        hits: Vec::new(),
        relays: OnceCell::new(),
        hosts: OnceCell::new(),
        policies: None,
        signed: None,
        now,
        seen: BTreeSet::new(),
        tags: Vec::new(),
    };
    let asking = &mail.settings.asking;
    if asking.available && !calls.is_empty() {
        if !asking.skip_rbl_checks {
            walk.lists();
        }
        if !asking.skip_uribl_checks {
            uris::ask(&mut walk);
        }
        walk.claims();
        walk.hashes();
        walk.questions();
    }
    clearinghouses::judge(&mut walk);
    let tags = walk.signed.iter().flat_map(|signed| {
        SIGNATURE_TAGS.map(|tag| (tag, signed.tag(tag))).into_iter().filter(|(_, values)| !values.is_empty())
    });
    let spf_pass = walk.policies.as_ref().is_some_and(Policies::sender_passes);
    let tags = tags.chain(walk.tags).collect();
    Walked { tags, missing: walk.missing, hits: walk.hits, spf_pass }
}

impl<'a> Walk<'a> {
    pub(super) fn is_active(&self, rule: RuleId) -> bool {
        (self.active)(rule)
    }

    /// What is known of a name; `None` when nobody knows, or nobody asked yet.
    pub(super) fn ask(&mut self, name: &str, kind: RecordKind) -> Option<&'a Reply> {
        if let Known::Reply(reply) = self.told(name, kind) { Some(reply) } else { None }
    }

    /// As [`Walk::ask`], for those who want to know why there is no answer.
    pub(super) fn told(&mut self, name: &str, kind: RecordKind) -> Known<'a> {
        let question = Question::new(name, kind);
        if let Some(reply) = self.answers.get(&question) {
            return reply.map_or(Known::Nothing, Known::Reply);
        }
        if !is_askable(&question.name) {
            return Known::NoName;
        }
        let has_room = self.answers.len() + self.missing.len() < QUESTION_LIMIT;
        if !has_room || !self.mail.settings.asking.allows(&question.name) {
            return Known::Nothing;
        }
        self.missing.insert(question);
        Known::NotYet
    }

    /// What is known of the signatures; it is taken out, and must be put back.
    pub(super) fn signed(&mut self) -> Signed {
        self.signed.take().unwrap_or_else(|| Signed::of(self))
    }

    pub(super) fn keep_signed(&mut self, signed: Signed) {
        self.signed = Some(signed);
    }

    /// What is claimed of the sender, and is true.
    fn claims(&mut self) {
        let calls = self.calls;
        for (rule, claim) in &calls.claims {
            if self.is_active(*rule) {
                match claims::holds(self, claim) {
                    Found::No => {}
                    Found::Yes => self.hits.push((*rule, Vec::new())),
                    Found::Because(note) => self.hits.push((*rule, vec![note])),
                }
            }
        }
    }

    /// The rule hits, and there is nothing to say of it.
    pub(super) fn found(&mut self, rule: RuleId) {
        self.hits.push((rule, Vec::new()));
    }

    /// A rule hits once, however many records say so; reports show what each says.
    pub(super) fn hit(&mut self, rule: RuleId, note: String) {
        match self.hits.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, notes)) => notes.push(note),
            None => self.hits.push((rule, vec![note])),
        }
    }

    /// The hosts in the body that are looked up.
    pub(super) fn hosts(&self) -> &uris::Hosts {
        self.hosts.get_or_init(|| uris::chosen(self.mail))
    }

    fn lists(&mut self) {
        let calls = self.calls;
        for (rule, list) in &calls.lists {
            if self.is_active(*rule) {
                lists::ask(self, *rule, list);
            }
        }
    }

    fn hashes(&mut self) {
        let calls = self.calls;
        for (rule, list) in &calls.hashes {
            if self.is_active(*rule) {
                hashes::ask(self, *rule, list);
            }
        }
    }

    fn questions(&mut self) {
        let calls = self.calls;
        for (rule, question) in calls.asks.iter().filter(|(rule, _)| (self.active)(*rule)) {
            for name in tags::filled(&question.template, &|tag| self.tag(tag)) {
                if !is_host_name(name.as_bytes()) {
                    continue;
                }
                for kind in &question.kinds {
                    if let Some(reply) = self.ask(&name, *kind) {
                        self.judge(*rule, question, (&name, *kind), reply);
                    }
                }
            }
        }
    }

    /// The values of a tag, as far as they are known.
    pub(super) fn tag(&self, tag: &str) -> Vec<Vec<u8>> {
        let asked = !self.mail.settings.asking.skip_uribl_checks;
        let text = |text: &String| text.clone().into_bytes();
        match tag {
            "URIHOSTS" if asked => self.hosts().keys().map(text).collect(),
            "URIDOMAINS" if asked => self.hosts().values().map(text).collect(),
            _ if SIGNATURE_TAGS.contains(&tag) => {
                self.signed.as_ref().map(|signed| signed.tag(tag)).unwrap_or_default()
            }
            _ => tags::values(self.mail, tag),
        }
    }

    fn judge(&mut self, rule: RuleId, question: &AskDns, (name, kind): (&str, RecordKind), reply: &Reply) {
        let note = |record: &str| format!("{name} {}:{record}", kind.name());
        match &question.subtest {
            Some(Subtest::Codes(codes)) if codes.contains(&reply.code) => {
                self.hit(rule, note(reply.records.first().map_or("", String::as_str)));
            }
            subtest if reply.code == 0 => {
                let holds = |record: &&String| subtest.as_ref().is_none_or(|test| test.holds(record));
                reply.records.iter().filter(holds).for_each(|record| self.hit(rule, note(record)));
            }
            _ => {}
        }
    }
}

/// Can DNS be asked for it (RFC 1035 §2.3.4)? Other bytes than those of host names are not asked for.
fn is_askable(name: &str) -> bool {
    let byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(byte);
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Loader, Surroundings};
    use crate::{Check, Circumstances, Letter, Ruleset};

    const MAIL: &str = "Received: from a.example.com (a.example.com [203.0.113.9]) by mx.here.org (Postfix) with ESMTP id 2;\n\
        \tSun, 22 Nov 2026 10:00:00 +0000\nFrom: x@shop.example.com\n\nhttp://www.pills.example.com/\n";

    fn rules(text: &str) -> Ruleset {
        let mut loader = Loader::new(Surroundings::default());
        loader.push("/etc/test.cf", format!("util_rb_tld com\n{text}").as_bytes());
        loader.run();
        let (configuration, problems) = loader.finish();
        assert!(problems.is_empty(), "{problems:?}");
        Ruleset::new(&configuration, false).0
    }

    /// Judges the message; the names that were asked for, round by round, and the rules that hit.
    fn judge(rules: &Ruleset, zone: &[(&str, RecordKind, &str)]) -> (Vec<Vec<String>>, Vec<String>) {
        let letter = Letter::open(rules, MAIL.as_bytes());
        let (mut answers, mut rounds) = (Answers::default(), Vec::new());
        loop {
            let questions = letter.questions(&answers, 0);
            if questions.is_empty() {
                break;
            }
            rounds.push(questions.iter().map(|question| question.name.clone()).collect());
            for question in questions {
                let fits = |(name, kind, _): &&(&str, RecordKind, &str)| {
                    *name == question.name && *kind == question.kind
                };
                let records: Vec<String> =
                    zone.iter().filter(fits).map(|(_, _, record)| (*record).to_owned()).collect();
                let code = if records.is_empty() { 3 } else { 0 };
                answers.note(question, Some(Reply { code, records }));
            }
        }
        let circumstances = Circumstances { answers: Some(&answers), ..Circumstances::new(0, &|| false) };
        let check = letter.judge(&circumstances);
        (rounds, check.tests().into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn replies_raise_further_questions_until_all_is_known() {
        let rules = rules(
            "header L eval:check_rbl('a-lastexternal', 'zen.example.')\nheader S eval:check_rbl_sub('a-lastexternal', '4')\n\
             urinsrhssub N ns.example A 127.0.0.2\nbody N eval:check_uridnsbl('N')\nscore L 0 1 0 1\nscore S 0 1 0 1\n",
        );
        let zone = [
            ("9.113.0.203.zen.example", RecordKind::A, "127.0.0.4"),
            ("example.com", RecordKind::Ns, "ns1.evil.com"),
            ("evil.com.ns.example", RecordKind::A, "127.0.0.2"),
        ];
        let (rounds, hits) = judge(&rules, &zone);
        assert_eq!(rounds, [vec!["9.113.0.203.zen.example", "example.com"], vec!["evil.com.ns.example"]]);
        assert_eq!(hits, ["L", "N", "S"]);
        // Without the network the scores are others, and nothing is asked.
        let local = Check::new(&rules, MAIL.as_bytes(), &Circumstances::new(0, &|| false));
        assert_eq!(local.tests(), [""; 0]);
    }

    #[test]
    fn what_may_not_be_asked_is_not() {
        let lists = "header L eval:check_rbl('a', 'zen.example.')\naskdns D _AUTHORDOMAIN_.ask.example A\n";
        assert_eq!(
            judge(&rules(lists), &[]).0,
            [["9.113.0.203.zen.example", "shop.example.com.ask.example"]]
        );
        let only = |setting: &str| judge(&rules(&format!("{lists}{setting}\n")), &[]).0.concat();
        assert_eq!(only("dns_available no"), [""; 0]);
        assert_eq!(only("skip_rbl_checks 1"), ["shop.example.com.ask.example"]);
        assert_eq!(only("dns_query_restriction deny ask.example"), ["9.113.0.203.zen.example"]);
        assert_eq!(only("trusted_networks 203.0.113.0/24"), ["shop.example.com.ask.example"]);
        assert_eq!(only("score L 0"), ["shop.example.com.ask.example"]);
    }

    #[test]
    fn a_message_raises_only_so_many_questions() {
        let lists: String = (0..2 * QUESTION_LIMIT)
            .map(|number| format!("header L{number} eval:check_rbl('a', 'z{number}.example')\n"))
            .collect();
        let (rounds, _) = judge(&rules(&lists), &[]);
        assert_eq!(rounds.concat().len(), QUESTION_LIMIT);
    }
}
