//! What a verdict looks like: the report, the headers and the subject.

// Each row of the flat matches below is one assignment.
#![allow(clippy::unit_arg)]

use super::configuration::Configuration;
use super::settings::CHECKER_VERSION;
use super::statement::{Done, Statement};

/// Lines about reports.
pub(super) fn report(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let settings = &mut configuration.settings;
    Some(match statement.key {
        "required_score" | "required_hits" => statement.number().map(|score| settings.required_score = score),
        "report_safe" => report_safe(configuration, statement),
        "rewrite_header" => rewrite_header(configuration, statement),
        "add_header" => add_header(configuration, statement),
        "remove_header" => remove_header(configuration, statement),
        "clear_headers" => statement.nothing().map(|()| {
            settings.headers_ham.retain(|(name, _)| name == CHECKER_VERSION);
            settings.headers_spam.retain(|(name, _)| name == CHECKER_VERSION);
        }),
        "report" => Ok(add_line(&mut settings.report_template, statement.value)),
        "unsafe_report" => Ok(add_line(&mut settings.unsafe_report_template, statement.value)),
        "clear_report_template" => statement.nothing().map(|()| settings.report_template.clear()),
        "clear_unsafe_report_template" => {
            statement.nothing().map(|()| settings.unsafe_report_template.clear())
        }
        "report_contact" => statement.required().map(|text| settings.report_contact = text.to_owned()),
        "report_hostname" => statement.required().map(|text| settings.report_hostname = text.to_owned()),
        "report_charset" => statement.required().map(|text| settings.report_charset = text.to_owned()),
        "report_wrap_width" => statement.number().map(|width| settings.report_wrap_width = width),
        "report_safe_copy_headers" => {
            settings.report_safe_copy_headers.extend(statement.words().map(str::to_owned));
            statement.required().map(|_| ())
        }
        "fold_headers" => statement.switch().map(|on| settings.fold_headers = on),
        _ => return None,
    })
}

fn add_line(template: &mut String, line: &str) {
    let quoted =
        line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).filter(|inner| !inner.contains('"'));
    template.push_str(quoted.unwrap_or(line));
    template.push('\n');
}

fn report_safe(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let value: u8 = statement.number()?;
    if value > 2 {
        return Err(statement.invalid());
    }
    let settings = &mut configuration.settings;
    settings.report_safe = value;
    let there = settings.headers_spam.iter().any(|(name, _)| name.eq_ignore_ascii_case("report"));
    if value == 0 && !there {
        settings.headers_spam.push(("Report".to_owned(), "_REPORT_".to_owned()));
    }
    Ok(())
}

fn rewrite_header(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let (name, text) = statement.value.split_once(char::is_whitespace).unwrap_or((statement.value, ""));
    let name = ["From", "Subject", "To"].into_iter().find(|known| known.eq_ignore_ascii_case(name));
    let name = name.ok_or_else(|| statement.invalid())?;
    let rewrite = &mut configuration.settings.rewrite_header;
    let text = text.trim();
    if text.is_empty() {
        rewrite.remove(name);
        return Ok(());
    }
    let text = if name == "Subject" { text.to_owned() } else { text.replace('(', "[").replace(')', "]") };
    rewrite.insert(name.to_owned(), text);
    Ok(())
}

/// `ham`, `spam` or `all`: which lists of headers.
fn header_lists<'a>(
    configuration: &'a mut Configuration,
    kind: &str,
) -> Option<Vec<&'a mut Vec<(String, String)>>> {
    let settings = &mut configuration.settings;
    match kind {
        "ham" => Some(vec![&mut settings.headers_ham]),
        "spam" => Some(vec![&mut settings.headers_spam]),
        "all" => Some(vec![&mut settings.headers_ham, &mut settings.headers_spam]),
        _ => None,
    }
}

fn add_header(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let (kind, rest) = statement.named()?;
    let (name, text) = rest.split_once(char::is_whitespace).ok_or_else(|| statement.invalid())?;
    let good = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    let lists = header_lists(configuration, kind)
        .filter(|_| name.chars().all(good))
        .ok_or_else(|| statement.invalid())?;
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let text = unescape(text);
    for list in lists {
        list.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        list.push((name.to_owned(), text.clone()));
    }
    Ok(())
}

/// `\n`, `\t` and `\\`; other escapes go.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match if char == '\\' {
            chars.next()
        } else {
            plain.push(char);
            continue;
        } {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('\\') => plain.push('\\'),
            _ => {}
        }
    }
    plain
}

fn remove_header(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let (kind, name) = statement.named()?;
    let lists = header_lists(configuration, kind).ok_or_else(|| statement.invalid())?;
    if name != CHECKER_VERSION {
        lists.into_iter().for_each(|list| list.retain(|(known, _)| !known.eq_ignore_ascii_case(name)));
    }
    Ok(())
}
