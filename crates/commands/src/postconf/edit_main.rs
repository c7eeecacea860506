//! `postconf -e`, `-#`, `-X`: main.cf changed in place, with its comments.

use std::collections::BTreeMap;

use parameters::main_cf::split_assignment;
use parameters::text::is_space;

use super::Output;
use super::edit::{LineKind, checked_argument, line_kind, physical_lines, replace};
use super::files;
use super::options::{Edit, Options};
use super::report::{Fatal, Report};

pub(super) fn edit(options: &Options, report: &Report) -> Result<Output, Fatal> {
    let edit = options.edit.unwrap_or(Edit::Set);
    let requests = requests(edit, &options.names, report)?;
    let path = [&files::directory(options.directory.as_deref()), "/main.cf"].concat();
    replace(&path, |text| Ok(edited(text, edit, requests, &path, report)))?;
    Ok(Output::text(String::new()))
}

/// What is to become of a parameter.
struct Request {
    /// For [`Edit::Set`].
    value: String,
    found: usize,
}

fn requests(edit: Edit, arguments: &[String], report: &Report) -> Result<BTreeMap<String, Request>, Fatal> {
    if arguments.is_empty() {
        return Err(Fatal::new("missing service argument"));
    }
    let mut requests: BTreeMap<String, Request> = BTreeMap::new();
    for argument in arguments {
        let argument = checked_argument(argument, "-e, -X, or -# accepts")?;
        let (name, value) = match edit {
            Edit::Set => {
                split_assignment(argument).map_err(|error| Fatal(format!("{error}: \"{argument}\"")))?
            }
            Edit::CommentOut | Edit::Remove => (name_only(argument)?, ""),
        };
        let request = Request { value: value.to_owned(), found: 0 };
        if let Some(earlier) = requests.insert(name.to_owned(), request) {
            report.warn(format_args!("ignoring earlier request: '{name} = {}'", earlier.value));
        }
    }
    Ok(requests)
}

fn name_only(argument: &str) -> Result<&str, Fatal> {
    if argument.is_empty() {
        return Err(Fatal::new("-X or -# requires non-blank parameter names"));
    }
    if argument.contains('=') {
        return Err(Fatal::new("-X or -# requires parameter names without value"));
    }
    Ok(argument.trim_end_matches(is_space))
}

/// The text of main.cf with the requests carried out.
fn edited(
    text: &str,
    edit: Edit,
    mut requests: BTreeMap<String, Request>,
    path: &str,
    report: &Report,
) -> String {
    let mut result = String::with_capacity(text.len());
    let mut wanted = false;
    for line in physical_lines(text) {
        match line_kind(&line) {
            LineKind::Other => result.push_str(&line),
            LineKind::Continuation if !wanted => result.push_str(&line),
            LineKind::Continuation => push_commented(&mut result, edit, &line),
            LineKind::Start => {
                let name_end = line.find(|next| next == '=' || is_space(next)).unwrap_or(line.len());
                let name = &line[..name_end];
                let request = requests.get_mut(name);
                wanted = request.is_some();
                let Some(request) = request else {
                    result.push_str(&line);
                    continue;
                };
                request.found += 1;
                if request.found == 2 {
                    report.warn(format_args!("{path}: multiple entries for \"{name}\""));
                }
                if edit == Edit::Set {
                    push_setting(&mut result, name, &request.value);
                }
                push_commented(&mut result, edit, &line);
            }
        }
    }
    for (name, request) in requests.iter().filter(|(_, request)| edit == Edit::Set && request.found == 0) {
        push_setting(&mut result, name, &request.value);
    }
    result
}

fn push_setting(result: &mut String, name: &str, value: &str) {
    result.extend([name, " = ", value, "\n"]);
}

fn push_commented(result: &mut String, edit: Edit, line: &str) {
    if edit == Edit::CommentOut {
        result.extend(["#", line]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# top\na = 1\n  2\n# mid\n   3\n\nb=x\n a\nc = $a\n  \n#c\n   foo\nb = y";

    fn run(edit: Edit, arguments: &[&str]) -> String {
        let report = Report::new("postconf".into());
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        edited(FILE, edit, requests(edit, &arguments, &report).unwrap(), "main.cf", &report)
    }

    #[test]
    fn settings_are_replaced_where_they_stand_and_new_ones_go_to_the_end() {
        let wanted = "# top\na = 5\n# mid\n\nb = q\nc = $a\n  \n#c\n   foo\nb = q\naa = 2 3\nzz = 1\n";
        assert_eq!(run(Edit::Set, &["b = q", "zz=1", "aa=  2 3 ", " a=5"]), wanted);
    }

    #[test]
    fn removed_settings_leave_their_comments() {
        assert_eq!(run(Edit::Remove, &["a", "c", "nope"]), "# top\n# mid\n\nb=x\n a\n  \n#c\nb = y\n");
    }

    #[test]
    fn continuation_lines_are_commented_out_too() {
        let wanted = "# top\n#a = 1\n#  2\n# mid\n#   3\n\n#b=x\n# a\nc = $a\n  \n#c\n   foo\n#b = y\n";
        assert_eq!(run(Edit::CommentOut, &["b", "a"]), wanted);
    }

    #[test]
    fn arguments_that_are_no_requests() {
        let report = Report::new("postconf".into());
        for (edit, argument, wanted) in [
            (Edit::Set, "a=b\nc", "-e, -X, or -# accepts no multi-line input"),
            (Edit::Set, " #a=b", "-e, -X, or -# accepts no comment input"),
            (Edit::Set, "a", "missing '=' after attribute name: \"a\""),
            (Edit::Remove, " ", "-X or -# requires non-blank parameter names"),
            (Edit::Remove, "a=b", "-X or -# requires parameter names without value"),
        ] {
            let error = requests(edit, &[argument.to_owned()], &report).err();
            assert_eq!(error, Some(Fatal::new(wanted)));
        }
    }
}
