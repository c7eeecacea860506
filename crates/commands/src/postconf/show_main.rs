//! `postconf [-dnfhHjx] [name ...]`: the settings of main.cf.

use super::options::{Classes, Options};
use super::print::Style;
use super::report::{Fatal, Report};
use super::space::{Class, Node, Space};
use super::value::View;
use super::{Output, read_both, unused};

pub(super) fn show(options: &Options, report: &Report) -> Result<Output, Fatal> {
    let space = read_both(options, report, true)?;
    let show = Show { space: &space, options, report };
    let mut text = String::new();
    if options.names.is_empty() {
        for (name, node) in space.parameters.iter().chain(&space.later) {
            if is_listed(node.class, options.classes) {
                text.push_str(&show.setting(name, node)?);
            }
        }
    }
    for name in &options.names {
        match space.node(name) {
            Some(node) => text.push_str(&show.setting(name, node)?),
            None => report.warn(format_args!("{name}: unknown parameter")),
        }
    }
    let mut output = Output::text(text);
    if !options.defaults && !options.quiet {
        output.warnings = unused::in_main(&space);
        output.warnings.extend(unused::in_master(&space));
    }
    Ok(output)
}

fn is_listed(class: Class, classes: Classes) -> bool {
    match class {
        Class::Builtin => classes.builtin,
        Class::Service => classes.service,
        Class::User => classes.user,
        Class::Unlisted => false,
        Class::Later => classes.later,
    }
}

struct Show<'a> {
    space: &'a Space,
    options: &'a Options,
    report: &'a Report,
}

impl Show<'_> {
    fn setting(&self, name: &str, node: &Node) -> Result<String, Fatal> {
        let options = self.options;
        let view = View { defaults: options.defaults, only_set: options.only_set, service: None };
        let value = match self.space.value(name, view).map_err(|error| self.report.host_error(error))? {
            Some(value) => value,
            None if node.class == Class::Later && !options.only_set => {
                self.space.default(node).map_err(|error| self.report.host_error(error))?
            }
            None => return Ok(String::new()),
        };
        let style = Style {
            fold: options.fold,
            hide_name: options.hide_names,
            hide_value: options.hide_values,
            json: options.json,
        };
        if options.expand && !node.raw && !options.hide_values {
            return Ok(style.setting(name, &self.space.expand(&value, view, self.report)?));
        }
        Ok(style.setting(name, &value))
    }
}
