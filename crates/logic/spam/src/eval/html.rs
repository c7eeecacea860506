//! What the HTML in a message tells.

use super::{Context, Found, Function, number, text};
use crate::html::Html;
use crate::perl;

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "html_tag_balance" => Some(tag_balance),
        "html_image_only" => Some(image_only),
        "html_image_ratio" => Some(image_ratio),
        "html_tag_exists" => Some(|context, arguments| {
            context.mail.documents().any(|html| html.inside.contains_key(text(arguments, 0))).into()
        }),
        "html_test" => Some(|context, arguments| {
            context
                .mail
                .documents()
                .any(|html| value(html, text(arguments, 0)).is_some_and(|value| value != 0.0))
                .into()
        }),
        "html_eval" => Some(compared),
        "html_text_match" => Some(text_match),
        "html_text_not_match" => Some(text_not_match),
        "html_title_subject_ratio" => Some(title_subject_ratio),
        "html_range" => Some(range),
        "check_iframe_src" => Some(iframe),
        _ => None,
    }
}

fn value(html: &Html, name: &str) -> Option<f64> {
    html.numbers.get(name).copied()
}

/// `> 1`, `!= 0`: an operator and a number.
fn holds(value: f64, expression: &str) -> bool {
    let expression = expression.trim();
    let split = expression.find(|char: char| !"<>=!".contains(char)).unwrap_or(expression.len());
    let (operator, number) = expression.split_at(split);
    let Ok(number) = number.replace(' ', "").parse::<f64>() else { return false };
    let Some(order) = value.partial_cmp(&number) else { return false };
    match operator {
        ">" => order.is_gt(),
        "<" => order.is_lt(),
        ">=" => order.is_ge(),
        "<=" => order.is_le(),
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        _ => false,
    }
}

fn tag_balance(context: &Context<'_>, arguments: &[String]) -> Found {
    let (tag, expression) = (text(arguments, 0), text(arguments, 1));
    let open = |html: &Html| html.inside.get(tag).is_some_and(|count| holds(f64::from(*count), expression));
    context.mail.documents().any(open).into()
}

fn image_only(context: &Context<'_>, arguments: &[String]) -> Found {
    let (least, most) = (number(arguments, 0).unwrap_or(0.0), number(arguments, 1).unwrap_or(f64::MAX));
    let fits = |html: &Html| {
        html.inside.contains_key("img")
            && value(html, "length").is_some_and(|length| length > least && length <= most)
    };
    context.mail.documents().any(fits).into()
}

fn image_ratio(context: &Context<'_>, arguments: &[String]) -> Found {
    let (least, most) = (number(arguments, 0).unwrap_or(0.0), number(arguments, 1).unwrap_or(f64::MAX));
    let fits = |html: &Html| {
        let text = value(html, "non_space_len");
        let area = value(html, "image_area").filter(|area| *area > 0.0);
        text.zip(area).is_some_and(|(text, area)| text / area > least && text / area <= most)
    };
    context.mail.documents().any(fits).into()
}

fn compared(context: &Context<'_>, arguments: &[String]) -> Found {
    let (name, expression) = (text(arguments, 0), text(arguments, 1));
    context
        .mail
        .documents()
        .any(|html| value(html, name).is_some_and(|value| holds(value, expression)))
        .into()
}

fn range(context: &Context<'_>, arguments: &[String]) -> Found {
    let least = number(arguments, 1).unwrap_or(0.0);
    let fits = |value: f64| value > least && number(arguments, 2).is_none_or(|most| value <= most);
    context.mail.documents().any(|html| value(html, text(arguments, 0)).is_some_and(fits)).into()
}

fn any_text(context: &Context<'_>, arguments: &[String], wanted: bool) -> bool {
    let Some(pattern) = perl::cached(text(arguments, 1)) else { return false };
    let fits = |text: &String| pattern.is_match(text.as_bytes()) == wanted;
    context
        .mail
        .documents()
        .filter_map(|html| html.texts.get(text(arguments, 0)))
        .any(|texts| texts.iter().any(fits))
}

fn text_match(context: &Context<'_>, arguments: &[String]) -> Found {
    any_text(context, arguments, true).into()
}

fn text_not_match(context: &Context<'_>, arguments: &[String]) -> Found {
    any_text(context, arguments, false).into()
}

fn title_subject_ratio(context: &Context<'_>, arguments: &[String]) -> Found {
    let subject = context.mail.text("Subject").len() as f64;
    let least = number(arguments, 0).unwrap_or(0.0);
    if subject == 0.0 {
        return Found::No;
    }
    let long = |title: &String| title.chars().count() as f64 / subject > least;
    context
        .mail
        .documents()
        .filter_map(|html| html.texts.get("title"))
        .any(|titles| titles.iter().any(long))
        .into()
}

fn iframe(context: &Context<'_>, _: &[String]) -> Found {
    let framed = |html: &Html| {
        html.links.iter().any(|(_, link)| link.types.as_ref().is_some_and(|types| types.contains("iframe")))
    };
    context.mail.documents().any(framed).into()
}
