//! Lines that define rules, and say more of them.

use std::sync::Arc;

use super::configuration::Configuration;
use super::definition::{BadTest, Definition, Kind, MetaExpression, Stage, header_test, mime_test};
use super::expression::Expression;
use super::flags::Flags;
use super::problem::Fault;
use super::statement::{Done, Statement};
use super::{arguments, asking};

/// Bytes of a rule's name.
const NAME_LIMIT_BYTES: usize = 100;

/// Lines that define a rule, and lines that say more of one.
pub(super) fn rules(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    rule(configuration, statement).or_else(|| about_rule(configuration, statement))
}

fn rule(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let kind = match statement.key {
        "header" => |s: &Statement<'_>, text: &str| {
            eval_or(s, text, Stage::Header, |s, text| test(header_test(text), s).map(Kind::Header))
        },
        "body" => |s: &Statement<'_>, text: &str| {
            eval_or(s, text, Stage::Body, |s, text| s.pattern(text).map(Kind::Body))
        },
        "rawbody" => |s: &Statement<'_>, text: &str| {
            eval_or(s, text, Stage::RawBody, |s, text| s.pattern(text).map(Kind::RawBody))
        },
        "full" => |s: &Statement<'_>, text: &str| {
            eval_or(s, text, Stage::Full, |s, text| s.pattern(text).map(Kind::Full))
        },
        "uri" => |s: &Statement<'_>, text: &str| s.pattern(text).map(Kind::Uri),
        "mimeheader" => |s: &Statement<'_>, text: &str| test(mime_test(text), s).map(Kind::MimeHeader),
        "meta" => |_: &Statement<'_>, text: &str| {
            Expression::parse(text)
                .map(|expression| Kind::Meta(MetaExpression(expression)))
                .ok_or(Fault::Expression)
        },
        "askdns" | "urirhssub" | "urirhsbl" | "uridnsbl" | "uridnssub" | "urinsrhsbl" | "urinsrhssub"
        | "urifullnsrhsbl" | "urifullnsrhssub" | "uri_detail" => {
            |_: &Statement<'_>, _: &str| Ok(Kind::Network)
        }
        "reuse" => |_: &Statement<'_>, _: &str| Ok(Kind::Empty),
        _ => return None,
    };
    let question = asking::question(configuration, statement);
    Some(question.unwrap_or(Ok(())).and_then(|()| define(configuration, statement, kind)))
}

fn test<T>(result: Result<T, BadTest>, _: &Statement<'_>) -> Result<T, Fault> {
    result.map_err(|bad| match bad {
        BadTest::Form => Fault::HeaderTest,
        BadTest::Pattern(bad) => Fault::Pattern(bad),
    })
}

fn eval_or(
    statement: &Statement<'_>,
    text: &str,
    stage: Stage,
    other: fn(&Statement<'_>, &str) -> Result<Kind, Fault>,
) -> Result<Kind, Fault> {
    let Some(call) = text.strip_prefix("eval:").or_else(|| text.strip_prefix("rbleval:")) else {
        return other(statement, text);
    };
    let (function, arguments) = arguments::parse(call).ok_or_else(|| statement.invalid())?;
    Ok(Kind::Eval { stage, function, arguments })
}

fn define(
    configuration: &mut Configuration,
    statement: &Statement<'_>,
    kind: impl Fn(&Statement<'_>, &str) -> Result<Kind, Fault>,
) -> Done {
    let (name, text) = statement.value.split_once(char::is_whitespace).unwrap_or((statement.value, ""));
    let text = text.trim_start();
    let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let good = !name.is_empty()
        && name.len() <= NAME_LIMIT_BYTES
        && name.chars().all(word)
        && !name.starts_with(|char: char| char.is_ascii_digit());
    if !good {
        return Err(Fault::RuleName);
    }
    if text.is_empty() && statement.key != "reuse" {
        return Err(statement.missing());
    }
    let kind = kind(statement, text)?;
    if matches!(kind, Kind::Network | Kind::Empty) && configuration.rules.contains_key(name) {
        // The header or body line of the same name says how it is asked; it came first.
        return Ok(());
    }
    let origin = (Arc::clone(statement.file), statement.line);
    configuration.rules.insert(name.to_owned(), Definition { kind, origin });
    Ok(())
}

fn about_rule(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    Some(match statement.key {
        "score" => score(configuration, statement),
        "describe" => statement.named().map(|(name, text)| {
            configuration.descriptions.insert(name.to_owned(), text.to_owned());
        }),
        "tflags" => statement.named().map(|(name, text)| {
            configuration.flags.insert(name.to_owned(), Flags::parse(text));
        }),
        "subjprefix" => statement.named().map(|(name, text)| {
            configuration.subject_prefixes.insert(name.to_owned(), text.to_owned());
        }),
        "priority" => statement.named().and_then(|(name, text)| {
            let priority = text.parse().map_err(|_| statement.invalid())?;
            configuration.priorities.insert(name.to_owned(), priority);
            Ok(())
        }),
        "replace_rules" => {
            configuration.replacements.rules.extend(statement.words().map(str::to_owned));
            statement.required().map(|_| ())
        }
        "replace_tag" | "replace_pre" | "replace_inter" | "replace_post" => {
            replacement(configuration, statement)
        }
        // The tags' brackets can not be chosen; nobody does.
        "replace_start" | "replace_end" | "test" => Ok(()),
        _ => return None,
    })
}

fn replacement(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let (name, text) = statement.named()?;
    let replacements = &mut configuration.replacements;
    let map = match statement.key {
        "replace_tag" => &mut replacements.tags,
        "replace_pre" => &mut replacements.before,
        "replace_inter" => &mut replacements.between,
        _ => &mut replacements.behind,
    };
    map.insert(name.to_owned(), text.to_owned());
    Ok(())
}

fn score(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    let mut words = statement.words();
    let name = words.next().ok_or_else(|| statement.missing())?;
    let words: Vec<&str> = words.collect();
    let relative = words.iter().any(|word| word.starts_with('('));
    let number = |word: &&str| {
        word.trim_start_matches('(').trim_end_matches(')').parse::<f64>().map_err(|_| statement.invalid())
    };
    let given: Vec<f64> = words.iter().map(number).collect::<Result<_, _>>()?;
    let mut scores = match given.as_slice() {
        [one] => [*one; 4],
        [a, b, c, d] => [*a, *b, *c, *d],
        _ => return Err(statement.missing()),
    };
    if relative {
        let before = configuration.scores.get(name).ok_or(Fault::NoScore)?;
        scores.iter_mut().zip(before).for_each(|(score, before)| *score += before);
    }
    configuration.scores.insert(name.to_owned(), scores);
    Ok(())
}
