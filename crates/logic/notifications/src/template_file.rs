//! The file that `bounce_template_file` names (bounce(5) "TEMPLATE FILE FORMAT").

use crate::template::{Class, Template, Templates};

/// What in the file makes all of it useless. Its text, after the file's name, is that of the log line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// A line outside a template without `=`.
    #[error("{origin}, line {line}: missing '=' after attribute name: \"{text}\"")]
    NoEquals {
        /// The file.
        origin: String,
        /// Counted from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// `<<` with nothing behind.
    #[error("{origin}, line {line}: missing end marker after <<")]
    NoMarker {
        /// The file.
        origin: String,
        /// Counted from 1.
        line: usize,
    },
}

impl Templates {
    /// The built-in templates, with those of the file `origin` in their place, and the warnings for the log.
    ///
    /// A template that can not be used is left out with a warning; the built-in one stays. A file need not be
    /// UTF-8: `text` comes from [`parameters::text::from_bytes`], and reports have the bytes again.
    ///
    /// # Errors
    /// [`FileError`]: nothing of the file is used.
    pub fn read(origin: &str, text: &str) -> Result<(Self, Vec<String>), FileError> {
        let mut reader = Reader { origin, templates: Self::built_in(), warnings: Vec::new() };
        reader.file(text)?;
        Ok((reader.templates, reader.warnings))
    }
}

struct Reader<'a> {
    origin: &'a str,
    templates: Templates,
    warnings: Vec<String>,
}

impl Reader<'_> {
    fn file(&mut self, text: &str) -> Result<(), FileError> {
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, marker) = self.opening(index + 1, line)?;
            let Some(marker) = marker else { continue };
            let body: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != marker).collect();
            // `take_while` ate the marker, if there was one.
            let end = index + body.len() + 2;
            if text.lines().nth(end - 1) == Some(marker) {
                self.template(name, end + 1, &body);
            } else {
                self.warnings.push(format!("{}, line {end}: missing \"{marker}\" end marker", self.origin));
            }
        }
        Ok(())
    }

    /// The name before `=`, and the word after `<<`. A plain value means nothing to a template file.
    fn opening<'l>(&self, line: usize, text: &'l str) -> Result<(&'l str, Option<&'l str>), FileError> {
        let origin = self.origin.to_owned();
        let Some((name, value)) = text.split_once('=') else {
            return Err(FileError::NoEquals { origin, line, text: text.to_owned() });
        };
        match value.trim().strip_prefix("<<").map(str::trim) {
            Some("") => Err(FileError::NoMarker { origin, line }),
            marker => Ok((name.trim(), marker)),
        }
    }

    fn template(&mut self, name: &str, line: usize, body: &[&str]) {
        let class = name
            .strip_suffix("_template")
            .and_then(|word| Class::ALL.into_iter().find(|class| class.word() == word));
        let Some(class) = class else {
            let origin = self.origin;
            self.warnings.push(format!(
                "{origin}, line {line}: unknown template name: {name} -- ignoring this template"
            ));
            return;
        };
        match read_template(class, self.origin, body) {
            Ok(template) => *self.templates.of_mut(class) = template,
            Err(warnings) => self.warnings.extend(warnings),
        }
    }
}

/// Headers, empty lines, text. `Err` holds the warnings about a template that can not be used.
fn read_template(class: Class, origin: &str, body: &[&str]) -> Result<Template, Vec<String>> {
    let mut template = Template { origin: origin.to_owned(), ..Template::built_in(class) };
    let mut lines = body.iter().copied().peekable();
    while let Some((name, value)) = lines.peek().and_then(|line| header(line)) {
        take_header(&mut template, name, value).map_err(|why| {
            vec![format!("{origin}: {why} in {} template -- ignoring this template", class.word())]
        })?;
        lines.next();
    }
    template.text = lines.skip_while(|line| line.trim().is_empty()).map(str::to_owned).collect();
    if template.text.is_empty() {
        let word = class.word();
        return Err(vec![format!(
            "{origin}: missing message text in {word} template -- ignoring this template"
        )]);
    }
    if template.is_eight_bit() && template.charset.eq_ignore_ascii_case("us-ascii") {
        return Err(vec![
            format!("{origin}: 8-bit message text in {} template", class.word()),
            "please specify a charset value other than us-ascii".to_owned(),
            "-- ignoring this template for now".to_owned(),
        ]);
    }
    Ok(template)
}

/// `Name: value`, with blanks allowed before the colon (RFC 5322 §4.5).
fn header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end_matches([' ', '\t']);
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then(|| (name, value.trim_start()))
}

fn take_header(template: &mut Template, name: &str, value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err(format!("empty \"{name}\" header value"));
    }
    if !value.is_ascii() {
        return Err(format!("non-ASCII \"{name}\" header value"));
    }
    let value = value.to_owned();
    match name.to_ascii_lowercase().as_str() {
        "charset" => template.charset = value,
        "from" => template.from = value,
        "subject" => template.subject = value,
        "postmaster-subject" if template.postmaster_subject.is_none() => {
            return Err(format!("inapplicable \"{name}\" header label"));
        }
        "postmaster-subject" => template.postmaster_subject = Some(value),
        _ => return Err(format!("unknown \"{name}\" header label")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExpandError, Facts};
    use std::time::Duration;

    fn read(text: &str) -> (Templates, Vec<String>) {
        Templates::read("t", text).unwrap()
    }

    fn facts<'a>(parameter: &'a dyn Fn(&str) -> Option<String>) -> Facts<'a> {
        Facts {
            myhostname: "mx.xn--bcher-kva.example",
            mydomain: "example",
            delay_warning_time: Duration::from_secs(60),
            maximal_queue_lifetime: Duration::from_secs(5 * 86_400),
            smtputf8_enable: true,
            parameter,
        }
    }

    #[test]
    fn what_postconf_prints_reads_back_as_the_same() {
        let (templates, warnings) = Templates::read("[built-in]", &Templates::built_in().source()).unwrap();
        assert_eq!((templates, warnings), (Templates::built_in(), Vec::new()));
    }

    #[test]
    fn a_file_replaces_what_it_names_and_nothing_else() {
        let (templates, warnings) = read("# c\n\nfailure_template = <<X\nSUBJECT : a\n\n \nOne\n# two\nX\n");
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(templates.failure.subject, "a");
        assert_eq!(templates.failure.text, ["One", "# two"]);
        assert_eq!(
            templates.failure.postmaster_subject.as_deref(),
            Some("Postmaster Copy: Undelivered Mail")
        );
        assert_eq!(templates.delay, Template::built_in(Class::Delay));
    }

    /// Each line as the real postconf 3.7 says it.
    #[test]
    fn what_can_not_be_used_is_named_and_left_out() {
        let cases = [
            (
                "foo_template = <<EOF\nx\nEOF\n",
                "t, line 4: unknown template name: foo_template -- ignoring this template",
            ),
            ("failure_template = <<EOF\nSubject: x\n\nabc\n", "t, line 5: missing \"EOF\" end marker"),
            (
                "failure_template = <<EOF\nx: y\n\nb\nEOF\n",
                "t: unknown \"x\" header label in failure template -- ignoring this template",
            ),
            (
                "failure_template = <<EOF\nSubject:\n\nb\nEOF\n",
                "t: empty \"Subject\" header value in failure template -- ignoring this template",
            ),
            (
                "failure_template = <<EOF\nSubject: a\nEOF\n",
                "t: missing message text in failure template -- ignoring this template",
            ),
            (
                "success_template = <<EOF\nPostmaster-Subject: a\n\ntext\nEOF\n",
                "t: inapplicable \"Postmaster-Subject\" header label in success template -- ignoring this template",
            ),
            ("failure_template = <<EOF\n\n text ä\nEOF\n", "t: 8-bit message text in failure template"),
        ];
        for (text, warning) in cases {
            let (templates, warnings) = read(text);
            assert_eq!(warnings.first().map(String::as_str), Some(warning));
            assert_eq!(templates, Templates::built_in());
        }
    }

    #[test]
    fn a_line_that_is_no_assignment_spoils_the_file() {
        let error = Templates::read("t", "\nfailure_template <<EOF\nx\nEOF\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "t, line 2: missing '=' after attribute name: \"failure_template <<EOF\""
        );
    }

    #[test]
    fn names_are_replaced() {
        let parameter = |name: &str| (name == "mail_name").then(|| "Pillarbox".to_owned());
        let (templates, _) = read(
            "failure_template = <<EOF\n$myhostname $$ ${mail_name} $(mydomain) ${mail_name?yes} \
             ${mail_name:no}${mail_name?{a}:{b}} $maximal_queue_lifetime_weeks\nEOF\n",
        );
        let expanded = templates.failure.expand(&facts(&parameter)).unwrap();
        assert_eq!(expanded.text, "mx.bücher.example $ Pillarbox example yes a 0\n");
        assert_eq!(
            expanded.warnings[0],
            "t: zero result in failure template conversion of parameter \"maximal_queue_lifetime_weeks\""
        );
    }

    #[test]
    fn a_name_that_is_not_there_is_an_error() {
        let none = |_: &str| None;
        let error = |text: &str| {
            let (templates, _) = read(&format!("failure_template = <<EOF\n{text}\nEOF\n"));
            templates.failure.expand(&facts(&none)).unwrap_err()
        };
        assert_eq!(error("b $foo").to_string(), "t: undefined $name in failure template: b $foo");
        assert_eq!(error("b ${").to_string(), "t: bad $name syntax in failure template: b ${");
        assert!(matches!(error("b $ x"), ExpandError::Syntax { .. }));
        assert_eq!(
            error("$delay_warning_time_x").to_string(),
            "t: unrecognized suffix \"x\" in parameter \"delay_warning_time_x\""
        );
    }
}
