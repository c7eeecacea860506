//! What postconf knows: the settings of main.cf, the services of master.cf, and every known name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, ToSocketAddrs};

use parameters::index;
use parameters::main_cf::{logical_lines, split_assignment};
use parameters::master_cf::Entry;
use parameters::{Config, Declared, Defaults, HostFacts, Interface, Kind, Sources};

use super::files::{self, Missing};
use super::options::Options;
use super::report::{Fatal, Report};

/// Settings by name, in the order in which they are printed.
pub(super) type Settings = BTreeMap<String, String>;

/// Everything read, and everything concluded from it.
pub(super) struct Space {
    /// The directory of both files.
    pub(super) directory: String,
    /// main.cf and `-o` of the command line; the directory too.
    pub(super) main: Settings,
    /// The entries of master.cf.
    pub(super) services: Vec<Service>,
    /// What `-o` sets for each service, by `name/type`; entries of the same name share it.
    pub(super) scopes: BTreeMap<String, Settings>,
    /// The known names.
    pub(super) parameters: BTreeMap<String, Node>,
    /// Names that Postfix has had since 3.7, which most of this program does not know.
    pub(super) later: BTreeMap<String, Node>,
    /// Computes what depends on the machine.
    pub(super) config: Config,
}

/// An entry of master.cf.
pub(super) struct Service {
    pub(super) entry: Entry,
    /// Names set in its scope that count as used.
    pub(super) used: BTreeSet<String>,
    /// It has overrides, or an entry of the same name before it has.
    pub(super) has_scope: bool,
}

impl Service {
    /// `smtp/inet`
    pub(super) fn scope(&self) -> String {
        [self.entry.name(), "/", self.entry.kind()].concat()
    }
}

/// Why a name is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Postfix has it.
    Builtin,
    /// A service of master.cf makes it.
    Service,
    /// Somebody uses it as `$name`, or as a restriction class.
    User,
    /// Known, but listed only when it is set: names of old versions, and our own.
    Unlisted,
    /// Postfix has it since 3.7. Those who ask for it by name get it; else it counts as unknown, as it is to 3.7.
    Later,
}

/// A known name.
pub(super) struct Node {
    pub(super) class: Class,
    pub(super) default: Default,
    /// Its value is not expanded.
    pub(super) raw: bool,
}

/// Where the default of a name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Default {
    Text(&'static str),
    /// The value of another parameter.
    Parameter(&'static str),
    HostName,
    Domain,
    Networks,
    ProgramName,
    ProcessId,
}

impl Node {
    pub(super) fn user() -> Self {
        Self { class: Class::User, default: Default::Text(""), raw: false }
    }

    /// A name that only the program itself sets.
    pub(super) fn is_read_only(name: &str) -> bool {
        matches!(name, "process_id" | "process_name" | "service_name")
    }

    fn declared(declared: &'static Declared, class: Class) -> (String, Self) {
        let default = match declared.name {
            "myhostname" => Default::HostName,
            "mydomain" => Default::Domain,
            "mynetworks" => Default::Networks,
            "process_name" => Default::ProgramName,
            "process_id" => Default::ProcessId,
            _ => Default::Text(declared.default),
        };
        (declared.name.to_owned(), Self { class, default, raw: declared.kind == Kind::Raw })
    }
}

/// Names of old versions that present defaults refer to.
const OLD_NAMES: [&str; 13] = [
    "authorized_verp_clients",
    "fallback_relay",
    "lmtp_per_record_deadline",
    "postscreen_blacklist_action",
    "postscreen_dnsbl_ttl",
    "postscreen_dnsbl_whitelist_threshold",
    "postscreen_whitelist_interfaces",
    "smtp_per_record_deadline",
    "smtpd_client_connection_limit_exceptions",
    "smtpd_per_record_deadline",
    "tlsproxy_client_level",
    "tlsproxy_client_policy",
    "virtual_maps",
];

impl Space {
    /// Neither file read yet; the names of Postfix known.
    pub(super) fn new(options: &Options, report: &Report) -> Result<Self, Fatal> {
        let old = OLD_NAMES.map(|name| (name.to_owned(), Node { class: Class::Unlisted, ..Node::user() }));
        let stock = index::of_postfix_3_7().map(|declared| Node::declared(declared, Class::Builtin));
        let own = index::own().map(|declared| Node::declared(declared, Class::Unlisted));
        let directory = files::directory(options.directory.as_deref());
        Ok(Self {
            config: config("", &directory, &[], report)?,
            directory,
            main: Settings::new(),
            services: Vec::new(),
            scopes: BTreeMap::new(),
            parameters: stock.chain(own).chain(old).collect(),
            later: index::since_postfix_3_7()
                .map(|declared| Node::declared(declared, Class::Later))
                .collect(),
        })
    }

    /// Reads main.cf and the overrides of the command line, unless only defaults are wanted.
    pub(super) fn read_main(&mut self, options: &Options, report: &Report) -> Result<(), Fatal> {
        if options.defaults {
            return Ok(());
        }
        let text = files::read(&self.path("main.cf"), Missing::Fail, report)?.unwrap_or_default();
        // What is wrong in the file is told before what is wrong on the command line.
        let overrides: Result<Vec<_>, _> =
            options.overrides.iter().map(|text| parse_override(text)).collect();
        self.config = config(&text, &self.directory, overrides.as_deref().unwrap_or_default(), report)?;
        for warning in self.config.warnings() {
            report.warn(warning);
        }
        self.main =
            self.config.assignments().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        overrides.map(drop)
    }

    /// Reads master.cf.
    pub(super) fn read_master(&mut self, missing: Missing, report: &Report) -> Result<(), Fatal> {
        let path = self.path("master.cf");
        let Some(text) = files::read(&path, missing, report)? else { return Ok(()) };
        for line in logical_lines(&text) {
            if let Some(orphan) = line.orphan() {
                report.warn(format_args!("{path}: {orphan}"));
                continue;
            }
            let entry = super::master::parse(&line, &path, report)?;
            self.services.push(Service { entry, used: BTreeSet::new(), has_scope: false });
        }
        Ok(())
    }

    /// What `-o` sets for a service, if anything.
    pub(super) fn overrides(&self, service: &Service) -> Option<&Settings> {
        self.scopes.get(&service.scope()).filter(|_| service.has_scope)
    }

    /// `./main.cf`
    pub(super) fn path(&self, file: &str) -> String {
        [&self.directory, "/", file].concat()
    }
}

fn parse_override(text: &str) -> Result<(String, String), Fatal> {
    match split_assignment(text) {
        Ok((name, value)) => Ok((name.to_owned(), value.to_owned())),
        Err(problem) => Err(Fatal(format!("invalid parameter override: {text}: {problem}"))),
    }
}

fn config(
    text: &str,
    directory: &str,
    overrides: &[(String, String)],
    report: &Report,
) -> Result<Config, Fatal> {
    let interface = |(address, prefix_length)| Interface { address, prefix_length };
    let facts = HostFacts {
        host_name: sys::process::host_name(),
        interfaces: sys::sockets::interface_addresses().into_iter().map(interface).collect(),
        resolve,
        config_directory: directory.to_owned(),
        process_name: report.program_name().to_owned(),
        process_id: std::process::id(),
        service_name: String::new(),
    };
    let path = [directory, "/main.cf"].concat();
    let sources = Sources { main_cf: text, path: &path, overrides, facts, defaults: Defaults::Stock };
    Config::read(sources).map_err(|error| {
        for warning in &error.warnings {
            report.warn(warning);
        }
        Fatal::new(error)
    })
}

fn resolve(host: &str) -> Vec<IpAddr> {
    (host, 0)
        .to_socket_addrs()
        .map_or_else(|_| Vec::new(), |found| found.map(|address| address.ip()).collect())
}
