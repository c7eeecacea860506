//! `postconf -Me -M# -MX -Fe -Pe -PX`: master.cf changed in place, with its comments.

use std::iter::Peekable;

use parameters::main_cf::{LogicalLine, split_assignment};
use parameters::master_cf::{Entry, EntryError};
use parameters::text::is_space;

use super::Output;
use super::edit::{LineKind, checked_argument, line_kind, physical_lines, replace};
use super::files;
use super::master::{COMMAND, Pattern, file_line, warn};
use super::options::{Edit, Mode, Options};
use super::report::{Fatal, Report};

/// As messages name the options that edit.
const EDIT_OPTIONS: &str = "-Me, -Fe, -Pe, -X, or -#";

pub(super) fn edit(options: &Options, report: &Report) -> Result<Output, Fatal> {
    let edit = options.edit.unwrap_or(Edit::Set);
    if options.names.is_empty() {
        return Err(Fatal::new("missing service argument"));
    }
    let requests = options
        .names
        .iter()
        .map(|argument| Request::parse(argument, &options.mode, edit))
        .collect::<Result<Vec<_>, _>>()?;
    let path = [&files::directory(options.directory.as_deref()), "/master.cf"].concat();
    replace(&path, |text| Editor { edit, requests, path: &path, report, result: String::new() }.run(text))?;
    Ok(Output::text(String::new()))
}

/// What is to be changed.
enum Change {
    /// The whole entry becomes this text; `None` when it is to go.
    Entry(Option<String>),
    /// The field of this number becomes this text.
    Field(usize, String),
    /// The override of this name gets this value; `None` when it is to go.
    Parameter(String, Option<String>),
}

struct Request {
    /// As given on the command line.
    text: String,
    pattern: Pattern,
    change: Change,
    matches: usize,
}

impl Request {
    fn parse(argument: &str, mode: &Mode, edit: Edit) -> Result<Self, Fatal> {
        let trimmed = checked_argument(argument, &format!("{EDIT_OPTIONS} accept"))?;
        let (pattern, value) = if edit == Edit::Set {
            let (pattern, value) =
                split_assignment(trimmed).map_err(|error| Fatal(format!("{error}: \"{argument}\"")))?;
            (pattern, Some(value.to_owned()))
        } else if trimmed.contains('=') {
            return Err(Fatal::new("-X or -# requires names without value"));
        } else {
            (trimmed.trim_end_matches(is_space), None)
        };
        let (pattern, change) = change(pattern, mode, value)?;
        Ok(Self { text: argument.to_owned(), pattern, change, matches: 0 })
    }
}

fn change(pattern: &str, mode: &Mode, value: Option<String>) -> Result<(Pattern, Change), Fatal> {
    let has_blanks = value.as_ref().is_some_and(|value| value.contains(is_space));
    let parse = |parts, usage| Pattern::parse(pattern, parts, parts).ok_or_else(|| Fatal::new(usage));
    match mode {
        Mode::MasterFields => {
            let pattern = parse(3, "-Fe or -FX requires service_name/type/field_name")?;
            let field =
                pattern.field()?.ok_or_else(|| Fatal::new("-Fe does not accept wild-card field name"))?;
            if field < COMMAND && has_blanks {
                return Err(Fatal::new("-Fe does not accept whitespace in non-command field"));
            }
            Ok((pattern, Change::Field(field, value.unwrap_or_default())))
        }
        Mode::MasterParameters => {
            let pattern = parse(3, "-Pe or -PX requires service_name/type/parameter")?;
            let Some(name) = pattern.third().map(str::to_owned) else {
                return Err(Fatal::new("-Pe does not accept wild-card parameter name"));
            };
            if has_blanks {
                return Err(Fatal::new("-Pe does not accept whitespace in parameter value"));
            }
            Ok((pattern, Change::Parameter(name, value)))
        }
        _ => Ok((parse(2, "-Me, -MX or -M# requires service_name/type")?, Change::Entry(value))),
    }
}

struct Editor<'a> {
    edit: Edit,
    requests: Vec<Request>,
    path: &'a str,
    report: &'a Report,
    result: String,
}

impl Editor<'_> {
    fn run(mut self, text: &str) -> Result<String, Fatal> {
        let mut lines = physical_lines(text).enumerate().peekable();
        let mut matched = false;
        while let Some((index, line)) = lines.next() {
            match line_kind(&line) {
                LineKind::Other => self.result.push_str(&line),
                LineKind::Continuation => self.rest(&line, matched),
                LineKind::Start => matched = self.start(index + 1, &line, &mut lines)?,
            }
        }
        self.unmatched()?;
        Ok(self.result)
    }

    /// A line that stays, becomes a comment, or goes.
    fn rest(&mut self, line: &str, matched: bool) {
        if !matched {
            self.result.push_str(line);
        } else if self.edit == Edit::CommentOut {
            self.result.extend(["#", line]);
        }
    }

    /// The first line of an entry. Does any request concern it?
    fn start(
        &mut self,
        number: usize,
        line: &str,
        lines: &mut Peekable<impl Iterator<Item = (usize, String)>>,
    ) -> Result<bool, Fatal> {
        let (name, kind) = self.name_and_kind(number, line)?;
        let mut matched = false;
        let mut entry = None;
        for at in 0..self.requests.len() {
            let replacement = self.replacement(at)?;
            let request = &mut self.requests[at];
            let named = request.pattern.matches(name, kind);
            let replaced = replacement.as_ref().is_some_and(|new| (new.name(), new.kind()) == (name, kind));
            if !named && !replaced {
                continue;
            }
            matched = true;
            request.matches += 1;
            if let Change::Entry(_) = request.change {
                // Further entries that a request concerns are dropped.
                entry = replacement.filter(|_| request.matches == 1).or(entry);
                continue;
            }
            let mut changed = match entry.take() {
                Some(entry) => entry,
                None => self.whole_entry(number, line, lines)?,
            };
            self.apply(at, &mut changed)?;
            entry = Some(changed);
        }
        match entry {
            Some(entry) => self.print(&entry)?,
            None => self.rest(line, matched),
        }
        Ok(matched)
    }

    fn name_and_kind<'l>(&self, number: usize, line: &'l str) -> Result<(&'l str, &'l str), Fatal> {
        let place = format!("file {}: line {number}", self.path);
        let mut words = line.split(is_space).filter(|word| !word.is_empty());
        let (Some(name), Some(kind)) = (words.next(), words.next()) else {
            return Err(Fatal(format!("{place}: specify service name and type on the same line")));
        };
        let unsupported = |what, word| {
            Fatal(format!("{place}: {what} syntax \"{word}\" is unsupported with {EDIT_OPTIONS}"))
        };
        if name.contains('=') {
            return Err(unsupported("service name", name));
        }
        if kind.contains(['=', '/']) {
            return Err(unsupported("service type", kind));
        }
        Ok((name, kind))
    }

    /// The entry that a request puts in the place of others.
    fn replacement(&self, at: usize) -> Result<Option<Entry>, Fatal> {
        let request = &self.requests[at];
        let Change::Entry(Some(text)) = &request.change else { return Ok(None) };
        let line = LogicalLine { first: 0, last: 0, text: text.into() };
        let entry = Entry::parse(&line, &mut |warning| warn(&warning, self.report));
        entry.map(Some).map_err(|error| match error {
            EntryError::FieldCount => Fatal(format!("{error}: \"{}\"", request.text)),
            EntryError::Field { .. } => Fatal::new(error),
        })
    }

    /// The entry with its continuation lines; what stands between them is passed on.
    fn whole_entry(
        &mut self,
        number: usize,
        line: &str,
        lines: &mut Peekable<impl Iterator<Item = (usize, String)>>,
    ) -> Result<Entry, Fatal> {
        let mut text = line.to_owned();
        while let Some((_, next)) = lines.next_if(|(_, next)| line_kind(next) != LineKind::Start) {
            match line_kind(&next) {
                LineKind::Continuation => text.push_str(&next),
                _ => self.result.push_str(&next),
            }
        }
        super::master::parse(
            &LogicalLine { first: number, last: number, text: text.into() },
            self.path,
            self.report,
        )
    }

    fn apply(&self, at: usize, entry: &mut Entry) -> Result<(), Fatal> {
        match &self.requests[at].change {
            Change::Entry(_) => Ok(()),
            Change::Field(COMMAND, text) => {
                entry.set_command(text, &mut |warning| warn(&warning, self.report));
                Ok(())
            }
            Change::Field(field, text) => {
                entry.fields[*field].clone_from(text);
                entry.check(text).map_err(Fatal::new)
            }
            Change::Parameter(name, value) => {
                set_override(entry, name, value.as_deref());
                Ok(())
            }
        }
    }

    fn print(&mut self, entry: &Entry) -> Result<(), Fatal> {
        self.result.push_str(&file_line(entry)?);
        Ok(())
    }

    /// New entries go to the end; fields and overrides of entries that are not there are told.
    fn unmatched(&mut self) -> Result<(), Fatal> {
        for at in 0..self.requests.len() {
            if self.requests[at].matches > 0 {
                continue;
            }
            if let Some(entry) = self.replacement(at)? {
                self.print(&entry)?;
            } else if !matches!(self.requests[at].change, Change::Entry(_)) {
                self.report.warn(format_args!("unmatched service_name/type: \"{}\"", self.requests[at].text));
            }
        }
        Ok(())
    }
}

/// Sets, adds or removes `-o name=value`.
fn set_override(entry: &mut Entry, name: &str, value: Option<&str>) {
    let own = |text: &str| text.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
    let places: Vec<usize> = entry.overrides().filter(|at| own(&entry.arguments[*at])).collect();
    let setting = value.map(|value| [name, "=", value].concat());
    for at in places.iter().rev() {
        match &setting {
            Some(setting) => entry.arguments[*at].clone_from(setting),
            None => drop(entry.arguments.drain(at - 1..=*at)),
        }
    }
    if let (Some(setting), true) = (setting, places.is_empty()) {
        let end = entry.arguments.iter().scan(false, |is_value, word| {
            let keep = *is_value || (word.starts_with('-') && word != "--");
            *is_value = !*is_value && word == "-o";
            keep.then_some(())
        });
        let end = end.count();
        entry.arguments.splice(end..end, ["-o".to_owned(), setting]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# top\nsmtp inet n - n - - smtpd\n# c1\n  -o a=b\n\n# c2\n  -o { e = f g }\n\
                        smtp unix - - n - - smtp\nsubmission inet n - y - - smtpd -v -o x=1\n#end\n";

    fn run(mode: Mode, edit: Edit, arguments: &[&str]) -> Result<String, Fatal> {
        let report = Report::new("postconf".into());
        let requests = arguments
            .iter()
            .map(|argument| Request::parse(argument, &mode, edit))
            .collect::<Result<_, _>>()?;
        Editor { edit, requests, path: "master.cf", report: &report, result: String::new() }.run(FILE)
    }

    #[test]
    fn an_entry_is_replaced_where_it_stands_or_added() {
        let text =
            run(Mode::MasterEntries, Edit::Set, &["smtp/inet=smtp inet n - n - - smtpd -o z=1 -o {a = b c}"]);
        let wanted = "# top\nsmtp       inet  n       -       n       -       -       smtpd\n    -o z=1\n    \
                      -o {a=b c}\n# c1\n\n# c2\nsmtp unix - - n - - smtp\n";
        assert!(text.unwrap().starts_with(wanted));
        let text = run(Mode::MasterEntries, Edit::Set, &["x/unix=x unix - - n - - pipe flags=x"]).unwrap();
        assert!(
            text.ends_with("#end\nx          unix  -       -       n       -       -       pipe flags=x\n")
        );
    }

    #[test]
    fn an_entry_is_commented_out_or_removed_with_its_continuation_lines() {
        let text = run(Mode::MasterEntries, Edit::CommentOut, &["smtp/inet"]).unwrap();
        let wanted =
            "# top\n#smtp inet n - n - - smtpd\n# c1\n#  -o a=b\n\n# c2\n#  -o { e = f g }\nsmtp unix";
        assert!(text.starts_with(wanted));
        let text = run(Mode::MasterEntries, Edit::Remove, &["smtp/*"]).unwrap();
        assert!(text.starts_with("# top\n# c1\n\n# c2\nsubmission inet"));
    }

    #[test]
    fn a_field_changes_and_the_rest_stays() {
        let text =
            run(Mode::MasterFields, Edit::Set, &["smtp/inet/chroot=y", "submission/inet/wakeup=5"]).unwrap();
        let wanted = "# top\n# c1\n\n# c2\nsmtp       inet  n       -       y       -       -       smtpd\n    \
                      -o a=b\n    -o {e=f g}\nsmtp unix - - n - - smtp\n#end\n\
                      submission inet  n       -       y       5       -       smtpd -v\n    -o x=1\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn overrides_are_set_added_and_removed() {
        let text = run(Mode::MasterParameters, Edit::Set, &["smtp/inet/a=new", "submission/*/k=v"]).unwrap();
        assert!(
            text.contains("-o a=new\n    -o {e=f g}\n")
                && text.contains("smtpd -v\n    -o x=1\n    -o k=v\n")
        );
        let text = run(Mode::MasterParameters, Edit::Remove, &["smtp/inet/a"]).unwrap();
        assert!(!text.contains("a=b") && text.contains("-o {e=f g}"));
    }

    #[test]
    fn requests_that_cannot_be() {
        for (mode, argument, wanted) in [
            (
                Mode::MasterFields,
                "smtp/inet/chroot=y n",
                "-Fe does not accept whitespace in non-command field",
            ),
            (Mode::MasterFields, "smtp/inet/chroot=x", "invalid chroot field \"x\" in \"x\""),
            (Mode::MasterFields, "smtp/inet/foo=y", "invalid service attribute name: \"foo\""),
            (Mode::MasterFields, "smtp/inet/*=y", "-Fe does not accept wild-card field name"),
            (Mode::MasterFields, "smtp/inet=y", "-Fe or -FX requires service_name/type/field_name"),
            (Mode::MasterParameters, "smtp/inet/*=y", "-Pe does not accept wild-card parameter name"),
            (
                Mode::MasterParameters,
                "smtp/inet/a b=c",
                "missing '=' after attribute name: \"smtp/inet/a b=c\"",
            ),
            (Mode::MasterEntries, "smtp/inet=foo", "bad field count: \"smtp/inet=foo\""),
            (Mode::MasterEntries, "smtp=foo", "-Me, -MX or -M# requires service_name/type"),
            (Mode::MasterEntries, "#x/y=z", "-Me, -Fe, -Pe, -X, or -# accept no comment input"),
        ] {
            assert_eq!(run(mode, Edit::Set, &[argument]), Err(Fatal::new(wanted)), "{argument}");
        }
    }
}
