//! The settings of one process: main.cf, what `-o` overrides, what the machine says, and the defaults.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

use crate::declare::{Declared, Kind, Param};
use crate::expand::{ExpandError, Expander};
use crate::family::{self, Family};
use crate::host::{self, HostError, HostFacts, Interface, Protocols};
use crate::index::{all, declared};
use crate::main_cf::{AssignmentError, OrphanLine, logical_lines, split_assignment};
use crate::safer::safer_default;
use crate::table;
use crate::value::{self, Unit, Value, ValueError};

/// The domain of a machine whose name has none (`mydomain`).
const UNKNOWN_DOMAIN: &str = "localdomain";

/// What a [`Config`] is made of.
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    /// The text of main.cf (see [`crate::text::from_bytes`]).
    pub main_cf: &'a str,
    /// Its path, for messages.
    pub path: &'a str,
    /// `-o name=value` of master.cf or the command line, in their order.
    pub overrides: &'a [(String, String)],
    /// The machine and the process.
    pub facts: HostFacts,
    /// What holds where neither says anything.
    pub defaults: Defaults,
}

/// Which defaults hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defaults {
    /// Those of Postfix 3.7.11, as `postconf` prints them. As there, names and networks of the machine are
    /// computed from settings in which a `$name` that main.cf does not set stands for nothing.
    Stock,
    /// The same, but for [`crate::safer::SAFER_DEFAULTS`]: for daemons.
    Safer,
}

/// A main.cf that cannot be used; worded as Postfix words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}, line {line}: {problem}: \"{text}\"")]
pub struct ConfigError {
    /// The file.
    pub path: String,
    /// Number of the first physical line.
    pub line: usize,
    /// What is wrong.
    pub problem: AssignmentError,
    /// The logical line.
    pub text: String,
    /// What was odd in the lines above.
    pub warnings: Vec<Warning>,
}

/// Something odd in main.cf that stops nothing; worded as Postfix words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The last of several definitions wins.
    #[error("{path}, line {line}: overriding earlier entry: {name}={earlier}")]
    Overriding {
        /// The file.
        path: String,
        /// First physical line of the later definition.
        line: usize,
        /// The parameter.
        name: String,
        /// The value that is lost.
        earlier: String,
    },
    /// White space at the start of a line that continues nothing.
    #[error("{path}: {line}")]
    Orphan {
        /// The file.
        path: String,
        /// The start of the line.
        line: OrphanLine,
    },
}

/// A setting without a usable value: who set it, where, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {name} = {text}: {problem}")]
pub struct Fault {
    /// `main.cf, line 7`, or where else the value is from.
    pub origin: String,
    /// The parameter.
    pub name: String,
    /// Its text, before expansion.
    pub text: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Bad `$name` grammar, or a loop.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// Not a number, a time, yes or no.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Interfaces and networks do not fit the machine.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// The settings of one process, fixed once read.
#[derive(Debug, Clone)]
pub struct Config {
    assigned: HashMap<String, Assigned>,
    path: String,
    facts: HostFacts,
    defaults: Defaults,
    warnings: Vec<Warning>,
    host_name: OnceCell<Result<String, HostError>>,
    networks: OnceCell<Result<String, HostError>>,
}

/// A value that somebody wrote.
#[derive(Debug, Clone)]
struct Assigned {
    value: String,
    /// Line in main.cf; 0 for an override.
    line: usize,
}

impl Config {
    /// Reads main.cf, then the overrides.
    ///
    /// # Errors
    /// [`ConfigError`] for a line that is not `name = value`. Values are looked at later: see [`Config::faults`].
    pub fn read(sources: Sources<'_>) -> Result<Self, ConfigError> {
        let mut config = Self {
            assigned: HashMap::new(),
            path: sources.path.to_owned(),
            facts: sources.facts,
            defaults: sources.defaults,
            warnings: Vec::new(),
            host_name: OnceCell::new(),
            networks: OnceCell::new(),
        };
        // Known before main.cf is, and may be overridden there.
        let directory = Assigned { value: config.facts.config_directory.clone(), line: 0 };
        config.assigned.insert("config_directory".to_owned(), directory);
        config.read_main_cf(sources.main_cf)?;
        for (name, value) in sources.overrides {
            config.assigned.insert(name.clone(), Assigned { value: value.clone(), line: 0 });
        }
        Ok(config)
    }

    /// The same settings, with another value of this name.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut config = self.clone();
        config.assigned.insert(name.to_owned(), Assigned { value: value.to_owned(), line: 0 });
        config
    }

    fn read_main_cf(&mut self, text: &str) -> Result<(), ConfigError> {
        for line in logical_lines(text) {
            if let Some(line) = line.orphan() {
                self.warnings.push(Warning::Orphan { path: self.path.clone(), line });
                continue;
            }
            let (name, value) = split_assignment(&line.text).map_err(|problem| ConfigError {
                path: self.path.clone(),
                line: line.first,
                problem,
                text: line.text.clone().into_owned(),
                warnings: self.warnings.clone(),
            })?;
            let assigned = Assigned { value: value.to_owned(), line: line.first };
            let earlier = self.assigned.insert(name.to_owned(), assigned);
            if let Some(Assigned { value: earlier, .. }) = earlier.filter(|earlier| earlier.value != value) {
                let (path, name) = (self.path.clone(), name.to_owned());
                self.warnings.push(Warning::Overriding { path, line: line.first, name, earlier });
            }
        }
        Ok(())
    }

    /// What was odd in main.cf.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The machine and the process that these settings are for.
    pub fn facts(&self) -> &HostFacts {
        &self.facts
    }

    /// The value of a parameter.
    ///
    /// A value that is none (see [`Config::faults`], which a daemon asks first) gives the default.
    pub fn get<T: Value>(&self, parameter: &Param<T>) -> T {
        self.try_get(parameter).unwrap_or_else(|_| self.default_value(&parameter.declared))
    }

    /// The value of a parameter, or what is wrong with it.
    ///
    /// # Errors
    /// [`Fault`] for text that does not expand or is of another kind.
    pub fn try_get<T: Value>(&self, parameter: &Param<T>) -> Result<T, Box<Fault>> {
        let declared = &parameter.declared;
        let raw = self.raw(declared.name).unwrap_or(Cow::Borrowed(""));
        let unit = Unit::of_default(declared.default);
        self.finished(declared.kind, &raw)
            .and_then(|text| Ok(T::from_text(&text, unit)?))
            .map_err(|problem| Box::new(self.fault(declared.name, &raw, problem)))
    }

    /// The value of a setting that exists for each transport or service, such as
    /// `config.of(&family::DESTINATION_RECIPIENT_LIMIT, "smtp")`.
    ///
    /// A value that is none gives that of the family's default.
    pub fn of<T: Value>(&self, family: &Family<T>, service: &str) -> T {
        let name = [service, family.suffix].concat();
        let unit = Unit::of_default(family.default.declared.default);
        let text = self.raw(&name).and_then(|raw| self.expanded(&raw).ok().map(Cow::into_owned));
        let value = text.and_then(|text| T::from_text(&text, unit).ok());
        value.unwrap_or_else(|| self.get(family.default))
    }

    /// The expanded text of any name, declared or not (restriction classes, old names, names of one site).
    ///
    /// `None` when nobody has set it and it has no default. Text that does not expand is given as written.
    pub fn text(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?;
        let kind = declared(name).map_or(Kind::Text, |declared| declared.kind);
        Some(self.finished(kind, &raw).map_or_else(|_| raw.to_string(), Cow::into_owned))
    }

    /// Is the name set in main.cf or by an override?
    pub fn is_set(&self, name: &str) -> bool {
        self.assigned.contains_key(name)
    }

    /// The names that main.cf and overrides set, in no order.
    pub fn names_set(&self) -> impl Iterator<Item = &str> {
        self.assigned.keys().map(String::as_str)
    }

    /// What main.cf and overrides set, before expansion, in no order.
    pub fn assignments(&self) -> impl Iterator<Item = (&str, &str)> {
        self.assigned.iter().map(|(name, assigned)| (name.as_str(), assigned.value.as_str()))
    }

    /// Replaces each `$name` in a text by its value, as in main.cf.
    ///
    /// # Errors
    /// [`ExpandError`] for bad grammar and loops.
    pub fn expand(&self, text: &str) -> Result<String, ExpandError> {
        self.expanded(text).map(Cow::into_owned)
    }

    /// The text of a name before expansion: as somebody set it, else its default.
    pub fn raw(&self, name: &str) -> Option<Cow<'_, str>> {
        if let Some(fact) = self.fact(name) {
            return Some(fact);
        }
        if let Some(assigned) = self.assigned.get(name) {
            return Some(Cow::Borrowed(&assigned.value));
        }
        self.default_text(name)
    }

    /// The default of a name before expansion.
    pub fn default_text(&self, name: &str) -> Option<Cow<'_, str>> {
        if let Some(fact) = self.fact(name) {
            return Some(fact);
        }
        match name {
            "myhostname" => return Some(Cow::Borrowed(self.default_host_name().unwrap_or(UNKNOWN_DOMAIN))),
            "mydomain" => {
                return Some(self.default_domain().map_or(Cow::Borrowed(UNKNOWN_DOMAIN), Cow::Owned));
            }
            "mynetworks" => return Some(Cow::Borrowed(self.default_networks().unwrap_or_default())),
            _ => {}
        }
        let safer = if self.defaults == Defaults::Safer { safer_default(name) } else { None };
        if let Some(default) = safer.or_else(|| declared(name).map(|declared| declared.default)) {
            return Some(Cow::Borrowed(default));
        }
        family::default_of(name).map(|default| Cow::Owned(["$", default].concat()))
    }

    /// Every setting that a daemon uses and that has no usable value.
    pub fn faults(&self, daemon: &str) -> Vec<Fault> {
        let used =
            |declared: &&Declared| declared.daemons.iter().any(|user| *user == daemon || *user == "all");
        let mut faults: Vec<Fault> = all()
            .filter(used)
            .filter_map(|declared| self.check(declared).err())
            .map(|fault| *fault)
            .collect();
        if let (false, Err(problem)) = (self.is_set("mynetworks"), self.default_networks()) {
            faults.push(self.fault("mynetworks", "", problem.into()));
        }
        faults
    }

    /// The interfaces on which mail is received (`inet_interfaces`, `inet_protocols`).
    ///
    /// # Errors
    /// [`HostError`] when the settings do not fit the machine.
    pub fn own_interfaces(&self) -> Result<Vec<Interface>, HostError> {
        let protocols = Protocols::parse(&self.get(&table::INET_PROTOCOLS))?;
        host::own_interfaces(&self.facts, &self.get(&table::INET_INTERFACES), protocols)
    }

    fn check(&self, declared: &Declared) -> Result<(), Box<Fault>> {
        // What nobody set, and defaults without names, need no check.
        let Some(raw) = self.raw(declared.name).filter(|raw| raw.contains('$') || self.is_set(declared.name))
        else {
            return Ok(());
        };
        let checked =
            self.finished(declared.kind, &raw).and_then(|text| Ok(value::check(declared.kind, &text)?));
        checked.map_err(|problem| Box::new(self.fault(declared.name, &raw, problem)))
    }

    /// Where the value of a name is from: `main.cf, line 7`.
    pub fn origin(&self, name: &str) -> String {
        match self.assigned.get(name) {
            Some(Assigned { line: 0, .. }) => "override -o".to_owned(),
            Some(Assigned { line, .. }) => format!("{}, line {line}", self.path),
            None => format!("{}: default", self.path),
        }
    }

    fn fault(&self, name: &str, raw: &str, problem: Problem) -> Fault {
        let origin = self.origin(name);
        Fault { origin, name: name.to_owned(), text: raw.to_owned(), problem }
    }

    fn default_value<T: Value>(&self, declared: &Declared) -> T {
        let unit = Unit::of_default(declared.default);
        let text = self.finished(declared.kind, declared.default);
        text.ok().and_then(|text| T::from_text(&text, unit).ok()).unwrap_or_else(T::nothing)
    }

    fn finished<'t>(&self, kind: Kind, raw: &'t str) -> Result<Cow<'t, str>, Problem> {
        Ok(if kind == Kind::Raw { Cow::Borrowed(raw) } else { self.expanded(raw)? })
    }

    fn expanded<'t>(&self, raw: &'t str) -> Result<Cow<'t, str>, ExpandError> {
        if !raw.contains('$') {
            return Ok(Cow::Borrowed(raw));
        }
        let names = |name: &str| self.raw(name);
        Ok(Cow::Owned(Expander::recursive(&names).expand(raw)?.text))
    }

    /// What the process knows of itself, whatever main.cf says.
    fn fact(&self, name: &str) -> Option<Cow<'_, str>> {
        Some(match name {
            "process_name" => Cow::Borrowed(&self.facts.process_name),
            "service_name" => Cow::Borrowed(&self.facts.service_name),
            "process_id" => Cow::Owned(self.facts.process_id.to_string()),
            _ => return None,
        })
    }

    /// The name of this machine: the default of `myhostname`.
    ///
    /// # Errors
    /// [`HostError`] when `mydomain` does not expand.
    pub fn default_host_name(&self) -> Result<&str, HostError> {
        let computed = self.host_name.get_or_init(|| {
            let name = &self.facts.host_name;
            if name.contains('.') {
                return Ok(name.clone());
            }
            let domain = self.evaluated("mydomain", &["myhostname", "mydomain", "mynetworks"])?;
            Ok([name, ".", domain.as_deref().unwrap_or(UNKNOWN_DOMAIN)].concat())
        });
        computed.as_deref().map_err(Clone::clone)
    }

    /// What follows the first dot of `myhostname`: the default of `mydomain`.
    ///
    /// # Errors
    /// [`HostError`] when `myhostname` does not expand.
    pub fn default_domain(&self) -> Result<String, HostError> {
        let set = self.evaluated("myhostname", &["mydomain", "mynetworks"])?;
        let name = set.as_deref().map_or_else(|| self.default_host_name(), Ok)?;
        Ok(name.split_once('.').map_or(UNKNOWN_DOMAIN, |(_, domain)| domain).to_owned())
    }

    /// The networks of this machine's interfaces: the default of `mynetworks`.
    ///
    /// # Errors
    /// [`HostError`] when `inet_interfaces`, `inet_protocols` or `mynetworks_style` do not fit the machine.
    pub fn default_networks(&self) -> Result<&str, HostError> {
        let computed = self.networks.get_or_init(|| {
            let value = |parameter: &Param<String>| match self.evaluated(parameter.name(), &["mynetworks"])? {
                Some(set) => Ok::<_, HostError>(set),
                None => Ok(self.expand(parameter.declared.default)?),
            };
            let protocols = Protocols::parse(&value(&table::INET_PROTOCOLS)?)?;
            if !protocols.ipv4 && !protocols.ipv6 {
                return Ok(String::new());
            }
            let interfaces = host::own_interfaces(&self.facts, &value(&table::INET_INTERFACES)?, protocols)?;
            host::own_networks(&interfaces, &value(&table::MYNETWORKS_STYLE)?)
        });
        computed.as_deref().map_err(Clone::clone)
    }

    /// The value that somebody set for `name`, with the names `later` standing for nothing unless set too:
    /// their defaults are computed from this value.
    fn evaluated(&self, name: &str, later: &[&str]) -> Result<Option<String>, ExpandError> {
        let Some(set) = self.assigned.get(name) else { return Ok(None) };
        let known = |name: &str| {
            let has_default = self.defaults == Defaults::Safer && !later.contains(&name);
            if has_default || self.is_set(name) { self.raw(name) } else { None }
        };
        Ok(Some(Expander::recursive(&known).expand(&set.value)?.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::*;
    use std::time::Duration;

    fn read(main_cf: &str) -> Config {
        read_with(main_cf, &[], Defaults::Stock).unwrap()
    }

    fn read_with(
        main_cf: &str,
        overrides: &[(&str, &str)],
        defaults: Defaults,
    ) -> Result<Config, ConfigError> {
        let overrides: Vec<_> =
            overrides.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let facts = HostFacts { host_name: "mail.example.test".into(), ..HostFacts::default() };
        Config::read(Sources { main_cf, path: "main.cf", overrides: &overrides, facts, defaults })
    }

    #[test]
    fn values_have_their_types() {
        let config =
            read("queue_run_delay = 2\nsoft_bounce = YES\nmessage_size_limit = 5\nmyorigin = x$mydomain\n");
        assert_eq!(config.get(&QUEUE_RUN_DELAY), Duration::from_secs(2));
        assert_eq!(config.get(&BOUNCE_QUEUE_LIFETIME), Duration::from_secs(5 * 24 * 3600));
        assert!(config.get(&SOFT_BOUNCE));
        assert_eq!(config.get(&MESSAGE_SIZE_LIMIT), 5);
        assert_eq!(config.get(&MYORIGIN), "xexample.test");
    }

    #[test]
    fn the_last_definition_wins_with_a_warning() {
        let config = read("myorigin = a\n\nmyorigin = b\nmyorigin=b");
        assert_eq!((config.get(&MYORIGIN).as_str(), config.warnings().len()), ("b", 1));
        assert_eq!(config.warnings()[0].to_string(), "main.cf, line 3: overriding earlier entry: myorigin=a");
    }

    #[test]
    fn overrides_win_and_are_expanded_among_all_others() {
        let config = read_with("a = 1\nmyorigin = $a", &[("a", "2"), ("b", "$a")], Defaults::Stock).unwrap();
        assert_eq!(config.get(&MYORIGIN), "2");
        assert_eq!(config.text("b").as_deref(), Some("2"));
        assert_eq!(config.text("c"), None);
    }

    #[test]
    fn conditions_in_defaults_follow_main_cf() {
        assert!(!read("").get(&SMTPUTF8_ENABLE));
        assert!(read("compatibility_level = 3.6").get(&SMTPUTF8_ENABLE));
        assert_eq!(read("").get(&SMTPD_TIMEOUT), Duration::from_secs(300));
        let stressed = read_with("", &[("stress", "yes")], Defaults::Stock).unwrap();
        assert_eq!(stressed.get(&SMTPD_TIMEOUT), Duration::from_secs(10));
        assert_eq!(read("virtual_maps = hash:x").get(&VIRTUAL_ALIAS_MAPS), "hash:x");
    }

    #[test]
    fn the_machine_gives_names_and_networks() {
        let config = read("");
        assert_eq!(config.get(&MYHOSTNAME), "mail.example.test");
        assert_eq!(config.get(&MYDOMAIN), "example.test");
        assert_eq!(config.get(&MYNETWORKS), "127.0.0.0/8 [::1]/128 ");
        assert_eq!(read("myhostname = a.b.c").get(&MYDOMAIN), "b.c");
        assert_eq!(read("myhostname = a").get(&MYDOMAIN), "localdomain");
        assert_eq!(read("mynetworks_style = host\ninet_protocols = ipv4").get(&MYNETWORKS), "127.0.0.1/32 ");
        assert_eq!(read("").text("config_directory").as_deref(), Some("/etc/postfix"));
        assert_eq!(read("config_directory = /x").text("config_directory").as_deref(), Some("/x"));
    }

    #[test]
    fn settings_that_are_computed_from_one_another_end() {
        let config =
            read("mydomain = $myhostname\nmynetworks_style = $mynetworks\ninet_interfaces = $mydomain");
        assert!(!config.faults("smtpd").is_empty());
        let config = read("myhostname = mail.$mydomain");
        assert_eq!(config.get(&MYDOMAIN), "");
    }

    #[test]
    fn text_of_other_languages_is_not_expanded() {
        assert_eq!(read("smtpd_reject_footer = $client x").get(&SMTPD_REJECT_FOOTER), "$client x");
        assert_eq!(read("").text("default_rbl_reply").unwrap(), DEFAULT_RBL_REPLY.declared.default);
    }

    #[test]
    fn transports_have_settings_of_their_own() {
        let config = read("dovecot_destination_recipient_limit = 1\ndefault_destination_recipient_limit = 7");
        let limit = |transport| config.of(&family::DESTINATION_RECIPIENT_LIMIT, transport);
        assert_eq!((limit("dovecot"), limit("smtp"), limit("local")), (1, 7, 1));
        assert_eq!(config.text("x_time_limit").as_deref(), Some("1000s"));
    }

    #[test]
    fn faults_name_place_and_remedy() {
        let config = read("a = 1\nqueue_run_delay = soon\nsmtpd_helo_required = $a\n");
        let messages = |daemon| config.faults(daemon).iter().map(ToString::to_string).collect::<Vec<_>>();
        let delay = "main.cf, line 2: queue_run_delay = soon: bad time value or unit: \
                     write a number and one of s, m, h, d, w, such as 300s";
        let helo = "main.cf, line 3: smtpd_helo_required = $a: bad boolean configuration: write yes or no";
        assert_eq!(messages("qmgr"), [delay]);
        assert_eq!(messages("smtpd"), [helo]);
        assert_eq!(config.get(&QUEUE_RUN_DELAY), Duration::from_secs(300));
    }

    #[test]
    fn loops_are_faults() {
        let config = read("myhostname = $myorigin\nmyorigin = $myhostname");
        assert!(config.faults("smtpd").iter().any(|fault| matches!(fault.problem, Problem::Expand(_))));
        assert_eq!(config.text("myorigin").as_deref(), Some("$myhostname"));
    }

    #[test]
    fn lines_without_an_assignment_stop_the_reading() {
        let error = read_with("a = 1\nb\n c\n", &[], Defaults::Stock).unwrap_err();
        assert_eq!(error.to_string(), "main.cf, line 2: missing '=' after attribute name: \"b c\"");
        let config = read("  a = 1\nb = 2");
        assert_eq!((config.text("a"), config.warnings().len()), (None, 1));
    }

    #[test]
    fn daemons_have_safer_defaults_that_main_cf_overrides() {
        let safer =
            |main_cf| read_with(main_cf, &[], Defaults::Safer).unwrap().get(&SMTPD_FORBID_BARE_NEWLINE);
        assert_eq!(safer(""), "normalize");
        assert_eq!(safer("smtpd_forbid_bare_newline = no"), "no");
        assert_eq!(read("").get(&SMTPD_FORBID_BARE_NEWLINE), "no");
    }

    #[test]
    fn every_default_expands_and_is_of_its_kind() {
        let config = read("");
        for declared in all() {
            assert_eq!(config.check(declared), Ok(()));
            let text = config.text(declared.name).unwrap();
            assert_eq!(value::check(declared.kind, &text), Ok(()), "{} = {text}", declared.name);
        }
    }
}
