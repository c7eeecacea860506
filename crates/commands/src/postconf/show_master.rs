//! `postconf -M`, `-F`, `-P`: the entries of master.cf, their fields, and the settings in them.

use parameters::master_cf::FIELD_NAMES;

use super::master::{Pattern, entry_line, field_line, label};
use super::options::{Mode, Options};
use super::print::{Style, line};
use super::report::{Fatal, Report};
use super::space::{Service, Space};
use super::value::View;
use super::{Output, read_both, unused};

pub(super) fn show(options: &Options, report: &Report) -> Result<Output, Fatal> {
    let space = read_both(options, report, false)?;
    let requests = requests(options)?;
    let mut show = Show { space: &space, options, report, text: String::new() };
    let mut matched = vec![false; requests.len()];
    for (at, service) in space.services.iter().enumerate() {
        if requests.is_empty() {
            show.service(at, service, None)?;
        }
        for (request, matched) in requests.iter().zip(&mut matched) {
            if request.matches(service.entry.name(), service.entry.kind()) {
                *matched |= show.service(at, service, Some(request))?;
            }
        }
    }
    for (request, _) in requests.iter().zip(&matched).filter(|(_, matched)| !**matched) {
        report.warn(format_args!("unmatched request: \"{}\"", request.text));
    }
    let mut output = Output::text(show.text);
    if !options.quiet {
        output.warnings = unused::in_master(&space);
    }
    Ok(output)
}

fn requests(options: &Options) -> Result<Vec<Pattern>, Fatal> {
    let (parts, usage) = match options.mode {
        Mode::MasterEntries => (2, "-M option requires service_name[/type]"),
        Mode::MasterFields => (3, "-F option requires service_name[/type[/field]]"),
        _ => (3, "-P option requires service_name[/type[/parameter]]"),
    };
    let requests: Vec<Pattern> = options
        .names
        .iter()
        .map(|name| Pattern::parse(name, 1, parts).ok_or_else(|| Fatal::new(usage)))
        .collect::<Result<_, _>>()?;
    if options.mode == Mode::MasterFields {
        requests.iter().try_for_each(|request| request.field().map(drop))?;
    }
    Ok(requests)
}

struct Show<'a> {
    space: &'a Space,
    options: &'a Options,
    report: &'a Report,
    text: String,
}

impl Show<'_> {
    /// Prints what `request` asks for of one service. Was there anything?
    fn service(&mut self, at: usize, service: &Service, request: Option<&Pattern>) -> Result<bool, Fatal> {
        match self.options.mode {
            Mode::MasterEntries => self.entry(at, service)?,
            Mode::MasterFields => {
                let wanted = request.map(Pattern::field).transpose()?.flatten();
                for field in
                    (0..FIELD_NAMES.len()).filter(|field| wanted.is_none_or(|wanted| wanted == *field))
                {
                    self.field(at, service, field)?;
                }
            }
            _ => return self.parameters(at, service, request.and_then(Pattern::third)),
        }
        Ok(true)
    }

    fn entry(&mut self, at: usize, service: &Service) -> Result<(), Fatal> {
        let line = entry_line(&service.entry, self.options.fold, &mut |text| self.expanded(at, text))?;
        if self.options.json {
            let style = Style { fold: false, hide_name: false, hide_value: false, json: true };
            self.text.push_str(&style.setting(&service.scope(), line.trim_end()));
        } else {
            self.text.push_str(&line);
        }
        Ok(())
    }

    fn field(&mut self, at: usize, service: &Service, field: usize) -> Result<(), Fatal> {
        let entry = &service.entry;
        let name = [entry.name(), entry.kind(), FIELD_NAMES[field]];
        if self.options.hide_values {
            self.text.push_str(&line(&name.join("/"), self.options.fold));
            return Ok(());
        }
        let label = label(&name, self.options.hide_names || self.options.json);
        let text = field_line(entry, field, &label, self.options.fold, &mut |text| self.expanded(at, text))?;
        if self.options.json {
            self.text.push_str(&self.style().setting(&name.join("/"), text.trim_end()));
        } else {
            self.text.push_str(&text);
        }
        Ok(())
    }

    fn parameters(&mut self, at: usize, service: &Service, wanted: Option<&str>) -> Result<bool, Fatal> {
        let Some(settings) = self.space.overrides(service) else { return Ok(false) };
        let mut found = wanted.is_none();
        for (name, value) in settings.iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name)) {
            found = true;
            let value = if self.options.hide_values { String::new() } else { self.expanded(at, value)? };
            let name = [service.entry.name(), service.entry.kind(), name].join("/");
            self.text.push_str(&self.style().setting(&name, &value));
        }
        Ok(found)
    }

    fn style(&self) -> Style {
        let options = self.options;
        Style {
            fold: options.fold,
            hide_name: options.hide_names,
            hide_value: options.hide_values,
            json: options.json,
        }
    }

    fn expanded(&self, at: usize, text: &str) -> Result<String, Fatal> {
        if !self.options.expand {
            return Ok(text.to_owned());
        }
        let service = self.space.service_view(at);
        self.space.expand(
            text,
            View { defaults: false, only_set: false, service: Some(&service) },
            self.report,
        )
    }
}
