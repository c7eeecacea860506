//! The value of a name, in main.cf or for one service, as written or expanded.

use std::borrow::Cow;
use std::cell::RefCell;

use parameters::expand::Expander;
use parameters::host::HostError;

use super::report::{Fatal, Report};
use super::space::{Default, Node, Settings, Space};

/// Which values count.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// Defaults only (`-d`).
    pub(super) defaults: bool,
    /// Set values only (`-n`).
    pub(super) only_set: bool,
    /// A service, whose own settings come first.
    pub(super) service: Option<&'a ServiceView<'a>>,
}

/// The settings of one service.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServiceView<'a> {
    settings: Option<&'a Settings>,
    /// `$service_name`
    name: &'a str,
    /// `$process_name`
    program: &'a str,
}

impl<'a> ServiceView<'a> {
    fn value(&self, name: &str) -> Option<&'a str> {
        match name {
            "service_name" => Some(self.name),
            "process_name" => Some(self.program),
            _ => self.settings?.get(name).map(String::as_str),
        }
    }

    /// A name whose value each service has by itself.
    pub(super) fn is_own(name: &str) -> bool {
        matches!(name, "service_name" | "process_name")
    }
}

impl Space {
    /// What one entry of master.cf sees.
    pub(super) fn service_view(&self, at: usize) -> ServiceView<'_> {
        let service = &self.services[at];
        let command = service.entry.command();
        let program = command.rsplit_once('/').map_or(command, |(_, name)| name);
        ServiceView { settings: self.overrides(service), name: service.entry.name(), program }
    }

    /// The value of `name` as it is written.
    pub(super) fn value(&self, name: &str, view: View<'_>) -> Result<Option<Cow<'_, str>>, HostError> {
        if !view.defaults {
            let own =
                view.service.and_then(|service| service.value(name)).map(|own| Cow::Owned(own.to_owned()));
            if let Some(set) = own.or_else(|| self.main.get(name).map(|set| Cow::Borrowed(set.as_str()))) {
                return Ok(Some(set));
            }
            if view.only_set {
                return Ok(None);
            }
        }
        self.parameters.get(name).map(|node| self.default(node)).transpose()
    }

    /// What is known of a name that somebody asks for.
    pub(super) fn node(&self, name: &str) -> Option<&Node> {
        self.parameters.get(name).or_else(|| self.later.get(name))
    }

    /// The default of a known name as it is written.
    pub(super) fn default(&self, node: &Node) -> Result<Cow<'_, str>, HostError> {
        Ok(match node.default {
            Default::Text(text) => Cow::Borrowed(text),
            Default::Parameter(name) => Cow::Owned(["$", name].concat()),
            Default::HostName => Cow::Borrowed(self.config.default_host_name()?),
            Default::Domain => Cow::Owned(self.config.default_domain()?),
            Default::Networks => Cow::Borrowed(self.config.default_networks()?),
            Default::ProgramName => Cow::Borrowed(&self.config.facts().process_name),
            Default::ProcessId => Cow::Owned(self.config.facts().process_id.to_string()),
        })
    }

    /// `text` with every `$name` replaced.
    pub(super) fn expand(&self, text: &str, view: View<'_>, report: &Report) -> Result<String, Fatal> {
        let view = View { only_set: false, ..view };
        let failed = RefCell::new(None);
        let names = |name: &str| {
            self.value(name, view).unwrap_or_else(|error| {
                failed.replace(Some(error));
                None
            })
        };
        let mut bad = false;
        let expanded = Expander::recursive(&names).expand_telling(text, &mut |error| {
            bad = true;
            report.warn(error);
        });
        if let Some(error) = failed.take() {
            return Err(report.host_error(error));
        }
        if bad { Err(Fatal::new("macro processing error")) } else { Ok(expanded.text) }
    }
}
