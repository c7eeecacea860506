//! What rules of SpamAssassin ask, asked of DNS, of Pyzor and of DCC: all questions of a message at once, with deadlines that
//! begin together.
//!
//! [`Inquirer::answers`] waits, so it is called on a thread that may: of a pool, or of a command that has nothing else to do.

mod addresses;
mod clearinghouses;
mod dcc;
mod deadline;
mod pyzor;

use std::collections::HashMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clearinghouses::Houses;
pub use clearinghouses::Told;
use dns::{Answer, Hosts, Resolver};
use spam::{Answers, Check, Letter, Question, Reply, Ruleset};

/// Replies raise further questions this often: servers of a domain, then their addresses, then lists of these; an SPF record
/// may lead to one that leads to one, and so on (`spf::TERM_LIMIT`).
const ROUND_LIMIT: usize = 24;
/// Time for one try of one server.
const TRY: Duration = Duration::from_secs(3);
/// Domains that are left alone at a time.
const BLOCKED_LIMIT: usize = 1000;

/// What the log says of rules that ask the network: whom they ask, and which find nothing in this version.
pub fn outlook(rules: &Ruleset) -> String {
    if !may_ask(rules) {
        return "network tests are off".to_owned();
    }
    let asking = &rules.settings.asking;
    let houses = Houses::new(rules).outlook(rules);
    let servers: Vec<String> = asking.servers.iter().map(ToString::to_string).collect();
    let servers =
        if servers.is_empty() { "this system's name servers".to_owned() } else { servers.join(" ") };
    let inert: Vec<&str> = rules.inert_functions.iter().map(String::as_str).collect();
    let but = match inert.as_slice() {
        [] => String::new(),
        inert => format!("; these functions of rules find nothing in this version: {}", inert.join(" ")),
    };
    let servers = if asking.available { servers } else { "no name server".to_owned() };
    format!("network tests ask {servers}{houses}{but}")
}

/// Networks that count messages are asked even where DNS is not.
fn may_ask(rules: &Ruleset) -> bool {
    let houses = &rules.settings.clearinghouses;
    !rules.is_local() && (rules.settings.asking.available || houses.pyzor.active || houses.dcc.active)
}

/// Asks for all messages of a process.
pub struct Inquirer {
    resolver: Resolver,
    /// Domains that said that we ask too much, and until when nothing below them is asked.
    blocked: Mutex<HashMap<String, Instant>>,
    houses: Houses,
}

impl Inquirer {
    /// With the servers that the rules name (`dns_server`), else the system's. `None` when nothing may be asked.
    pub fn new(rules: &Ruleset) -> Option<Self> {
        if !may_ask(rules) {
            return None;
        }
        let resolver = match rules.settings.asking.servers.as_slice() {
            [] => Resolver::of_system(),
            servers => Resolver::with(servers, Hosts::default(), TRY),
        };
        Some(Self { resolver, blocked: Mutex::default(), houses: Houses::new(rules) })
    }

    /// Asks what has to be known of a message, for as long as `rbl_timeout`, `pyzor_timeout` and `dcc_timeout` allow. `now` is
    /// in seconds since 1970.
    pub fn answers(&self, letter: &Letter<'_>, rules: &Ruleset, now: i64) -> Answers {
        let asking = &rules.settings.asking;
        let deadline = Instant::now() + Duration::from_secs_f64(asking.timeout_seconds);
        let sent =
            self.houses.ask(&letter.errands(self.houses.asks_pyzor()), &rules.settings.clearinghouses, now);
        let mut answers = Answers::default();
        for _ in 0..ROUND_LIMIT {
            let questions = letter.questions(&answers, now);
            if questions.is_empty() || !self.ask_all(questions, deadline, &mut answers) {
                break;
            }
        }
        sent.note(&mut answers);
        answers
    }

    /// Tells Pyzor and DCC, as far as they are on, that a message is spam. Marks of an earlier check are taken out already.
    /// `now` is in seconds since 1970.
    pub fn report(&self, message: &[u8], rules: &Ruleset, now: i64) -> Told {
        self.houses.report(&rules.report(message), &rules.settings.clearinghouses, now)
    }

    /// Notes which domains said that we ask too much.
    pub fn learn(&self, check: &Check<'_>, rules: &Ruleset) {
        let domains = check.blocking_domains();
        if domains.is_empty() {
            return;
        }
        let now = Instant::now();
        let until = now + Duration::from_secs(rules.settings.asking.block_seconds);
        let mut blocked = self.blocked.lock().unwrap_or_else(PoisonError::into_inner);
        blocked.retain(|_, until| *until > now);
        for domain in domains {
            if blocked.len() < BLOCKED_LIMIT {
                blocked.insert(domain.to_owned(), until);
            }
        }
    }

    /// Asks at once, and waits for all replies; false when the time is over.
    fn ask_all(
        &self,
        questions: impl IntoIterator<Item = Question>,
        deadline: Instant,
        answers: &mut Answers,
    ) -> bool {
        let (sender, receiver) = mpsc::channel();
        let mut waiting = 0;
        for question in questions {
            if self.is_blocked(&question.name) {
                answers.note(question, None);
                continue;
            }
            let sender = sender.clone();
            waiting += 1;
            let asked = dns::Question::Records(question.name.clone(), question.kind.name());
            // Nobody listens any more when the time is over.
            self.resolver.ask(asked, move |answer| drop(sender.send((question, answer))));
        }
        for _ in 0..waiting {
            match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((question, answer)) => answers.note(question, reply(answer)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
            }
        }
        true
    }

    fn is_blocked(&self, name: &str) -> bool {
        let blocked = self.blocked.lock().unwrap_or_else(PoisonError::into_inner);
        if blocked.is_empty() {
            return false;
        }
        let now = Instant::now();
        let parents = std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, rest)| rest));
        parents.filter_map(|parent| blocked.get(parent)).any(|until| *until > now)
    }
}

fn reply(answer: Answer) -> Option<Reply> {
    match answer {
        Answer::Records(records) => records.map(|found| Reply { code: found.code, records: found.data }),
        _ => None,
    }
}
