//! Which names are known: those that services make, and those that somebody refers to.

use std::cell::RefCell;
use std::collections::BTreeSet;

use parameters::expand::{Expander, referenced_names};
use parameters::family::{SUFFIXES, TIME_LIMIT};
use parameters::main_cf::split_assignment;
use parameters::text::is_list_separator;

use super::database::Databases;
use super::options::Options;
use super::report::{Fatal, MAIN_DICTIONARY, Report};
use super::space::{Class, Default, Node, Settings, Space};
use super::value::{ServiceView, View};

/// Adds every name that master.cf and the values of settings make known.
pub(super) fn register(space: &mut Space, options: &Options, report: &Report) -> Result<(), Fatal> {
    register_services(space);
    if options.defaults {
        return Ok(());
    }
    Register { space, report, databases: Databases::new(options.quiet), classes: BTreeSet::new() }.users()
}

/// Programs that deliver mail, and so have limits for each transport.
const DELIVERY_PROGRAMS: [&str; 6] = ["error", "lmtp", "local", "pipe", "smtp", "virtual"];
/// Programs that run commands for a limited time.
const COMMAND_PROGRAMS: [&str; 2] = ["pipe", "spawn"];

fn register_services(space: &mut Space) {
    for service in &space.services {
        let (name, program) = (service.entry.name(), service.entry.command());
        for (suffix, default) in SUFFIXES {
            let programs =
                if *suffix == TIME_LIMIT.suffix { &COMMAND_PROGRAMS[..] } else { &DELIVERY_PROGRAMS };
            if !programs.contains(&program) {
                continue;
            }
            let made = Node { class: Class::Service, default: Default::Parameter(default), raw: false };
            // Some services have defaults of their own, such as local: those stay.
            space.parameters.entry([name, suffix].concat()).or_insert(made).class = Class::Service;
        }
    }
}

/// Where a value stands.
type Scope = Option<usize>;

struct Register<'a> {
    space: &'a mut Space,
    report: &'a Report,
    databases: Databases,
    /// Restriction classes of main.cf: their names may be set for a service too.
    classes: BTreeSet<String>,
}

impl Register<'_> {
    fn users(mut self) -> Result<(), Fatal> {
        self.collect_scopes();
        for at in 0..self.space.services.len() {
            if let Some(settings) = self.space.overrides(&self.space.services[at]).cloned() {
                self.settings(&settings, Some(at))?;
            }
        }
        self.defaults()?;
        let main = self.space.main.clone();
        self.settings(&main, None)
    }

    /// Gathers what `-o` sets; entries with the same name and type share it.
    fn collect_scopes(&mut self) {
        let Space { services, scopes, .. } = &mut *self.space;
        for service in services {
            for at in service.entry.overrides() {
                if let Ok((name, value)) = split_assignment(&service.entry.arguments[at]) {
                    let settings = scopes.entry(service.scope()).or_default();
                    settings.insert(name.to_owned(), value.to_owned());
                }
            }
            service.has_scope = scopes.contains_key(&service.scope());
        }
    }

    /// The names in defaults that hold: old names in them must not count as unused.
    fn defaults(&mut self) -> Result<(), Fatal> {
        let mut texts = Vec::new();
        for (name, node) in &self.space.parameters {
            if !node.raw && !self.space.main.contains_key(name) {
                let text = self.space.default(node).map_err(|error| self.report.host_error(error))?;
                if text.contains('$') {
                    texts.push(text.into_owned());
                }
            }
        }
        for text in texts {
            self.references(&text, None);
        }
        Ok(())
    }

    /// All settings of main.cf or of one service.
    fn settings(&mut self, settings: &Settings, scope: Scope) -> Result<(), Fatal> {
        self.restriction_classes(settings, scope)?;
        for (name, value) in settings {
            if let Some(at) = scope.filter(|_| self.classes.contains(name)) {
                self.space.services[at].used.insert(name.clone());
            }
            if Node::is_read_only(name) {
                self.read_only(name, value, scope);
                continue;
            }
            let class = self.space.parameters.get_mut(name).map(|node| {
                if node.class == Class::Unlisted {
                    node.class = Class::User;
                }
                (node.class, node.raw)
            });
            if class.is_some_and(|(_, raw)| raw) {
                continue;
            }
            self.references(value, scope);
            if matches!(class, Some((Class::Builtin | Class::Service, _))) {
                self.tables(value, scope)?;
            }
        }
        Ok(())
    }

    /// Classes of main.cf are known in every scope; each must be set somewhere.
    fn restriction_classes(&mut self, settings: &Settings, scope: Scope) -> Result<(), Fatal> {
        let Some(list) = settings.get("smtpd_restriction_classes") else { return Ok(()) };
        // As Postfix does, with the settings of this scope only.
        let names = |name: &str| settings.get(name).map(|value| value.as_str().into());
        let dictionary = || scope.map_or(MAIN_DICTIONARY.to_owned(), |at| self.space.services[at].scope());
        let expanded = Expander::recursive(&names)
            .expand(list)
            .map_err(|error| self.report.macro_error(&dictionary(), error))?;
        for class in expanded.text.split(is_list_separator).filter(|class| !class.is_empty()) {
            if scope.is_none() {
                self.classes.insert(class.to_owned());
            }
            self.refer(class, scope, true);
        }
        Ok(())
    }

    fn read_only(&mut self, name: &str, value: &str, scope: Scope) {
        let place = self.place(scope);
        self.report.warn(format_args!("{place}: read-only parameter assignment: {name}={value}"));
        match scope.map(|at| self.space.services[at].scope()) {
            None => self.space.main.remove(name),
            Some(scope) => self.space.scopes.get_mut(&scope).and_then(|settings| settings.remove(name)),
        };
    }

    fn references(&mut self, value: &str, scope: Scope) {
        let names = RefCell::new(Vec::new());
        let report = self.report;
        let find = |name: &str| names.borrow_mut().push(name.to_owned());
        referenced_names(value, &find, &mut |error| report.warn(error));
        for name in names.into_inner() {
            self.refer(&name, scope, true);
        }
    }

    /// `name` is referred to in `scope`: wherever it is set, it counts as used.
    fn refer(&mut self, name: &str, scope: Scope, must_exist: bool) {
        let mut found = false;
        if let Some(at) = scope.filter(|at| self.is_set_in(*at, name) || ServiceView::is_own(name)) {
            found = true;
            self.space.services[at].used.insert(name.to_owned());
        } else if self.space.main.contains_key(name) {
            found = true;
            self.space.parameters.entry(name.to_owned()).or_insert_with(Node::user);
        }
        if scope.is_none() {
            for at in 0..self.space.services.len() {
                if self.is_set_in(at, name) {
                    found = true;
                    self.space.services[at].used.insert(name.to_owned());
                }
            }
        }
        if !found && must_exist && !self.space.parameters.contains_key(name) {
            self.report.warn(format_args!("{}: undefined parameter: {name}", self.place(scope)));
        }
    }

    fn is_set_in(&self, at: usize, name: &str) -> bool {
        let settings = self.space.overrides(&self.space.services[at]);
        settings.is_some_and(|settings| settings.contains_key(name))
    }

    /// Old tables of databases have their settings in main.cf, under the table's name.
    fn tables(&mut self, value: &str, scope: Scope) -> Result<(), Fatal> {
        if !value.contains([':', '$', '{']) {
            return Ok(());
        }
        let service = scope.map(|at| self.space.service_view(at));
        let view = View { defaults: false, only_set: false, service: service.as_ref() };
        let expanded = self.space.expand(value, view, self.report)?;
        let place = if scope.is_some() { "master.cf" } else { "main.cf" };
        let names = self.databases.names_in(&expanded, place, self.report)?;
        for name in names {
            self.refer(&name, scope, false);
        }
        Ok(())
    }

    /// `./main.cf`
    fn place(&self, scope: Scope) -> String {
        self.space.path(if scope.is_some() { "master.cf" } else { "main.cf" })
    }
}
