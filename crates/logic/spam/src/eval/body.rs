//! What the text looks like.

use std::collections::{HashMap, HashSet};

use super::{Context, Found, Function, number};
use crate::body::{is_space, short_paragraphs};
use crate::perl::Fixed;
use message::tree::{PartId, Text};

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "multipart_alternative_difference" => Some(difference),
        "multipart_alternative_difference_count" => Some(difference_count),
        "check_blank_line_ratio" => Some(blank_line_ratio),
        "tvd_vertical_words" => Some(vertical_words),
        "check_stock_info" => Some(stock_info),
        "check_body_length" => Some(body_length),
        "plaintext_body_length" => Some(|context, arguments| {
            plain_text(context).is_some_and(|(body, _)| within(body, arguments)).into()
        }),
        "plaintext_sig_length" => Some(|context, arguments| {
            plain_text(context).is_some_and(|(_, signature)| within(signature, arguments)).into()
        }),
        "plaintext_body_sig_ratio" => Some(|context, arguments| {
            let ratio = plain_text(context)
                .map(|(body, signature)| if signature > 0.0 { body / signature } else { 1e6 });
            ratio.is_some_and(|ratio| within(ratio, arguments)).into()
        }),
        _ => None,
    }
}

fn within(value: f64, arguments: &[String]) -> bool {
    number(arguments, 0).is_none_or(|least| value >= least)
        && number(arguments, 1).is_none_or(|most| value <= most)
}

/// How much the HTML says that the text beside it does not.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Alternatives {
    /// Percent of the words.
    difference: f64,
    html_words: usize,
    text_words: usize,
}

fn difference(context: &Context<'_>, arguments: &[String]) -> Found {
    let difference = alternatives(context).difference;
    let least = number(arguments, 0).unwrap_or(0.0);
    ((least == 0.0 || difference > least) && number(arguments, 1).is_none_or(|most| difference <= most))
        .into()
}

fn difference_count(context: &Context<'_>, arguments: &[String]) -> Found {
    let found = alternatives(context);
    let (ratio, least) = (number(arguments, 0).unwrap_or(0.0), number(arguments, 1).unwrap_or(0.0));
    let html = found.html_words as f64;
    (html > least && found.text_words as f64 / html > ratio).into()
}

fn alternatives(context: &Context<'_>) -> Alternatives {
    *context.alternatives.get_or_init(|| {
        let tree = &context.mail.tree;
        let mut found = Alternatives::default();
        let summary = tree.content_summary();
        if summary == ["multipart/alternative", "text/html", "text/calendar"] {
            return found;
        }
        for part in
            tree.all().into_iter().filter(|id| tree.part(*id).kind.starts_with("multipart/alternative"))
        {
            compare(context, part, &mut found);
        }
        found
    })
}

fn compare(context: &Context<'_>, part: PartId, found: &mut Alternatives) {
    let tree = &context.mail.tree;
    let (mut html, mut text) = (HashMap::new(), HashMap::new());
    for id in tree.below(part).into_iter().filter(|id| tree.part(*id).kind.starts_with("text/")) {
        let Some(shown) = context.mail.shown.get(&id) else { continue };
        if shown.kind == "text/html" {
            count_words(&shown.all, &mut html);
            let image = shown.html.as_ref().is_some_and(|document| document.inside.contains_key("img"));
            if html.is_empty() && image {
                html.insert("\n", 1);
            }
        } else {
            count_words(&shown.all, &mut text);
        }
    }
    if html.is_empty() {
        return;
    }
    (found.html_words, found.text_words) = (html.len(), text.len());
    let left =
        html.iter().filter(|(word, count)| text.get(*word).is_none_or(|other| **count - *other >= 1)).count();
    found.difference = found.difference.max(left as f64 / html.len() as f64 * 100.0);
}

fn count_words<'t>(text: &'t Text, words: &mut HashMap<&'t str, i64>) {
    let split = text.chars.split(|char| is_space(char, text.decoded));
    for word in split.filter(|word| {
        word.chars().any(|char| {
            char == '_' || if text.decoded { char.is_alphanumeric() } else { char.is_ascii_alphanumeric() }
        })
    }) {
        *words.entry(word).or_default() += 1;
    }
}

fn blank_line_ratio(context: &Context<'_>, arguments: &[String]) -> Found {
    let (mut blank, mut lines) = (0_u32, 0_u32);
    for piece in &context.mail.raw_body {
        for line in piece.split_inclusive(|byte| *byte == b'\n') {
            lines += 1;
            blank += u32::from(line.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b));
        }
    }
    let fewest = number(arguments, 2).filter(|lines| *lines >= 1.0).unwrap_or(1.0);
    let ratio = if f64::from(lines) < fewest { -1.0 } else { 100.0 * f64::from(blank) / f64::from(lines) };
    let (least, most) = (number(arguments, 0).unwrap_or(0.0), number(arguments, 1).unwrap_or(0.0));
    (ratio <= most && (least == 0.0 || ratio > least)).into()
}

fn vertical_words(context: &Context<'_>, arguments: &[String]) -> Found {
    let most = number(arguments, 1).map_or(101.0, |most| if most >= 100.0 { 101.0 } else { most });
    let percent = |line: &Vec<u8>| {
        let spaces = line.iter().filter(|byte| **byte == b' ').count();
        let others = line.len() - spaces;
        if spaces > others || others == 0 { 100 } else { 100 * spaces / others }
    };
    let highest = context.body().iter().filter(|line| line.len() > 5).map(percent).max();
    let highest = highest.map_or(-1.0, |percent| percent as f64);
    (number(arguments, 0).is_none_or(|least| highest >= least) && highest < most).into()
}

fn stock_info(context: &Context<'_>, arguments: &[String]) -> Found {
    static LINE: Fixed = Fixed::new(r"(?m)^\s*([^:\s][^:\n]{2,29})\s*:\s*\S");
    static WORD: Fixed = Fixed::new(
        r"(^trad(?:e|ing)date|company(?:name)?|s\w?(?:t\w?o\w?c\w?k|y\w?m(?:\w?b\w?o\w?l)?)|t(?:arget|icker)|(?:opening|current)p(?:rice)?|p(?:rojected|osition)|expectations|weeks?high|marketperformance|(?:year|week|month|day|price)(?:target|estimates?)|sector|r(?:ecommendation|ating))$",
    );
    let tree = &context.mail.tree;
    let part = tree.all().into_iter().find(|id| tree.part(*id).kind == "text/plain");
    let Some(shown) = part.and_then(|id| context.mail.shown.get(&id)) else { return Found::No };
    let text = shown.all.clone().into_octets();
    let mut hits: HashSet<Vec<u8>> = HashSet::new();
    for piece in short_paragraphs(&text) {
        for groups in LINE.all(piece) {
            let word: Vec<u8> =
                groups.get(1).to_ascii_lowercase().into_iter().filter(u8::is_ascii_lowercase).collect();
            hits.extend(WORD.groups(&word).map(|groups| groups.text(1)));
        }
    }
    let least = number(arguments, 0).unwrap_or(0.0);
    (least == 0.0 || hits.len() as f64 >= least).into()
}

fn body_length(context: &Context<'_>, arguments: &[String]) -> Found {
    let length = context.mail.tree.body.len() as f64;
    number(arguments, 0).is_some_and(|most| length <= most).into()
}

/// Bytes of the first plain text: body and signature.
fn plain_text(context: &Context<'_>) -> Option<(f64, f64)> {
    static SIGNATURE: Fixed = Fixed::new(r"(?m)^-- ?\r?$");
    let tree = &context.mail.tree;
    let id = tree.all().into_iter().find(|id| tree.part(*id).kind.starts_with("text/plain"))?;
    let text = tree.part(id).decoded();
    let (mut body, mut signature) = (text.len(), 0);
    for (begin, end) in SIGNATURE.all(&text).iter().filter_map(|groups| groups.span(0)) {
        if text.len() - end > 4 {
            (body, signature) = (begin, text.len() - end);
        }
    }
    Some((body as f64, signature as f64))
}
