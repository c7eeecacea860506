//! Is the date right? What `Date` says is held against the clocks of the relays.

use super::{Context, Found, Function, number};
use crate::dates::parse;
use crate::perl::Fixed;

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "check_for_shifted_date" => Some(shifted),
        "received_within_months" => Some(within_months),
        "check_outlook_message_id" => Some(outlook_message_id),
        _ => None,
    }
}

/// Seconds of a month on the average.
const MONTH_SECONDS: f64 = 31_556_952.0 / 12.0;

static STAMP: Fixed = Fixed::new(r"(\s.?\d+ \S\S\S \d+ \d+:\d+:\d+ \S+)");

/// `Date` minus the time of a relay, in hours: from the first number up to below the second.
fn shifted(context: &Context<'_>, arguments: &[String]) -> Found {
    let difference = difference(context);
    let hours = |index| number(arguments, index).map(|hours| hours * 3600.0);
    let difference = difference as f64;
    (hours(0).is_none_or(|least| difference >= least) && hours(1).is_none_or(|most| difference < most)).into()
}

fn date_of_header(context: &Context<'_>) -> Option<i64> {
    ["resent-date", "date"].iter().find_map(|name| {
        let fields = context.mail.tree.root().fields.named(name.as_bytes());
        fields.filter(|field| !field.value.is_empty()).find_map(|field| parse(&field.value))
    })
}

fn difference(context: &Context<'_>) -> i64 {
    *context.date_difference.get_or_init(|| {
        let Some(date) = date_of_header(context) else { return 0 };
        let mut differences: Vec<i64> = relay_times(context).iter().map(|time| date - time).collect();
        if differences.len() > 1 && differences.last() == Some(&0) {
            differences.pop();
        }
        differences.into_iter().min_by_key(|difference| difference.abs()).unwrap_or(0)
    })
}

fn relay_times(context: &Context<'_>) -> Vec<i64> {
    static LOCAL: Fixed =
        Fixed::new(r"\bfrom (?:localhost\s|(?:\S+ ){1,2}\S*\b127\.0\.0\.1\b)|qmail \d+ invoked by uid \d+");
    static FETCHED: Fixed = Fixed::new(r"\bby localhost with \w+ \(fetchmail-[\d.]+");
    let received = context.mail.text("Received");
    let mut lines: Vec<&[u8]> = received
        .split(|byte| *byte == b'\n')
        .filter(|line| line.iter().any(|byte| !byte.is_ascii_whitespace()))
        .collect();
    let local = lines.first().is_some_and(|line| LOCAL.is_match(line)).then(|| lines.remove(0));
    if lines.first().is_some_and(|line| FETCHED.is_match(line)) {
        lines.remove(0);
    } else if let Some(local) = local {
        lines.insert(0, local);
    }
    lines.into_iter().filter_map(|line| STAMP.groups(line).and_then(|groups| parse(groups.get(1)))).collect()
}

fn within_months(context: &Context<'_>, arguments: &[String]) -> Found {
    let date = date_of_header(context);
    let first = relay_times(context).first().copied();
    let corrected = date.filter(|_| first.is_some()).map(|date| date - difference(context));
    let mut possible: Vec<i64> = [date, first, corrected].into_iter().flatten().collect();
    possible.sort_unstable_by(|one, other| other.cmp(one));
    let chosen = possible.get(possible.len().saturating_sub(1) / 2).copied().unwrap_or(0);
    let age = (context.now - chosen) as f64;
    let least = number(arguments, 0).is_none_or(|months| age >= months * MONTH_SECONDS);
    (least && number(arguments, 1).is_none_or(|months| age < months * MONTH_SECONDS)).into()
}

/// Outlook writes the time into its message ids.
fn outlook_message_id(context: &Context<'_>, _: &[String]) -> Found {
    static ID: Fixed = Fixed::new(r"^<[0-9a-f]{4}([0-9a-f]{8})\$[0-9a-f]{8}\$[0-9a-f]{8}\@");
    const FUDGE: f64 = 250.0;
    let id = context.mail.text("MESSAGEID");
    let Some(token) = ID
        .groups(&id)
        .and_then(|groups| i64::from_str_radix(&String::from_utf8_lossy(groups.get(1)), 16).ok())
    else {
        return Found::No;
    };
    let distance = |time: i64| {
        (token as f64 - (time as f64 * 0.002_328_306_436_538_7 + 27_111_902.832_984_9).trunc()).abs()
    };
    if distance(parse(&context.mail.text("Date")).unwrap_or(0)) < FUDGE {
        return Found::No;
    }
    let received = context.mail.text("Received");
    // The first date of all the fields, not the last one.
    (distance(parse(&received).unwrap_or(0)) >= FUDGE).into()
}
