//! `postconf -t` and `-b`: the texts of reports to senders, as written or expanded.

use notifications::expand::Facts;
use notifications::template::Templates;
use parameters::{
    BOUNCE_TEMPLATE_FILE, Config, DELAY_WARNING_TIME, MAXIMAL_QUEUE_LIFETIME, MYDOMAIN, MYHOSTNAME,
    SMTPUTF8_ENABLE,
};

use super::Output;
use super::files::{self, Missing};
use super::options::{Options, Templates as How};
use super::report::{Fatal, Report};
use super::space::Space;

pub(super) fn show(how: How, options: &Options, report: &Report) -> Result<Output, Fatal> {
    let file = match options.names.as_slice() {
        [] => None,
        [file] => Some(file.clone()),
        _ => return Err(Fatal::new("options -b and -t require at most one template file")),
    };
    let mut space = Space::new(options, report)?;
    space.read_main(options, report)?;
    let file = file.unwrap_or_else(|| space.config.get(&BOUNCE_TEMPLATE_FILE));
    let templates = read(&file, report)?;
    match how {
        How::AsWritten => Ok(Output::text(templates.source())),
        How::Expanded => expanded(&templates, &space.config, report).map(Output::text),
    }
}

/// The templates of `file`, the built-in ones where it has none.
fn read(file: &str, report: &Report) -> Result<Templates, Fatal> {
    if file.is_empty() {
        return Ok(Templates::built_in());
    }
    let Some(text) = files::read(file, Missing::Fail, report)? else { return Ok(Templates::built_in()) };
    let (templates, warnings) = Templates::read(file, &text).map_err(Fatal::new)?;
    for warning in warnings {
        report.warn(warning);
    }
    Ok(templates)
}

fn expanded(templates: &Templates, config: &Config, report: &Report) -> Result<String, Fatal> {
    let facts = Facts {
        myhostname: &config.get(&MYHOSTNAME),
        mydomain: &config.get(&MYDOMAIN),
        delay_warning_time: config.get(&DELAY_WARNING_TIME),
        maximal_queue_lifetime: config.get(&MAXIMAL_QUEUE_LIFETIME),
        smtputf8_enable: config.get(&SMTPUTF8_ENABLE),
        parameter: &|name| config.text(name),
    };
    let expanded = templates.expanded(&facts).map_err(Fatal::new)?;
    for warning in expanded.warnings {
        report.warn(warning);
    }
    Ok(expanded.text)
}
