//! Dates as they stand in header fields, right or wrong, to seconds since 1970.

use crate::perl::Fixed;

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// Names of zones, in minutes east of Greenwich.
const ZONES: [(&[u8], i64); 45] = [
    (b"UT", 0),
    (b"UTC", 0),
    (b"NDT", -150),
    (b"AST", -240),
    (b"ADT", -180),
    (b"NST", -210),
    (b"EST", -300),
    (b"EDT", -240),
    (b"CST", -360),
    (b"CDT", -300),
    (b"MST", -420),
    (b"MDT", -360),
    (b"PST", -480),
    (b"PDT", -420),
    (b"HST", -600),
    (b"AKST", -540),
    (b"AKDT", -480),
    (b"HADT", -540),
    (b"HAST", -600),
    (b"GMT", 0),
    (b"BST", 60),
    (b"IST", 60),
    (b"WET", 0),
    (b"WEST", 60),
    (b"CET", 60),
    (b"CEST", 120),
    (b"EET", 120),
    (b"EEST", 180),
    (b"MSK", 180),
    (b"MSD", 240),
    (b"MET", 60),
    (b"MEZ", 60),
    (b"MEST", 120),
    (b"MESZ", 120),
    (b"BRST", -120),
    (b"BRT", -180),
    (b"AEST", 600),
    (b"AEDT", 660),
    (b"ACST", 570),
    (b"ACDT", 630),
    (b"AWST", 480),
    (b"NZST", 720),
    (b"NZDT", 780),
    (b"JST", 540),
    (b"KST", 540),
];
const MORE_ZONES: [(&[u8], i64); 4] = [(b"HKT", 480), (b"SGT", 480), (b"PHT", 480), (b"IDT", 180)];

struct Day {
    year: i64,
    month: i64,
    day: i64,
}

/// Reads a date; `None` when there is no day, month and year in it.
pub(crate) fn parse(text: &[u8]) -> Option<i64> {
    static COMMA: Fixed = Fixed::new(r", *");
    static SPACE: Fixed = Fixed::new(r"\s+");
    let padded = [b" ", text, b" "].concat();
    let text = COMMA.replace_all(&padded, |_| b" ".to_vec());
    let text = SPACE.replace_all(&text, |_| b" ".to_vec());
    let (day, text) = day(&text)?;
    let (hour, minute, second, text) = clock(&text);
    let day = in_range(day);
    let seconds = days_since_1970(&day) * 86_400 + hour * 3600 + minute * 60 + second;
    let offset = zone(&text) * 60;
    Some(if offset > 0 && seconds < offset { 0 } else { seconds - offset })
}

fn number(text: &[u8]) -> i64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn month(text: &[u8]) -> i64 {
    let lower = text.to_ascii_lowercase();
    (1..).zip(MONTHS).find(|(_, name)| **name == *lower).map_or(0, |(number, _)| number)
}

fn day(text: &[u8]) -> Option<(Day, Vec<u8>)> {
    static USUAL: Fixed =
        Fixed::new(r"(?i) (\d+) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) ");
    static ASCTIME: Fixed =
        Fixed::new(r"(?i) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d+) \d+:\d+:\d+ (\d{4}) ");
    static SHORT: Fixed =
        Fixed::new(r"(?i) (\d+) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{2,3}) ");
    for (pattern, day_at, month_at) in [(&USUAL, 1, 2), (&ASCTIME, 2, 1), (&SHORT, 1, 2)] {
        let Some(groups) = pattern.groups(text) else { continue };
        let digits = groups.get(3);
        let mut year = number(digits);
        if digits.len() == 2 && year < 50 {
            year += 2000;
        } else if digits.len() != 4 {
            year += 1900;
        }
        let day = Day { year, month: month(groups.get(month_at)), day: number(groups.get(day_at)) };
        let (begin, end) = groups.span(0)?;
        return Some((day, [&text[..begin], b" ", &text[end..]].concat()));
    }
    None
}

fn clock(text: &[u8]) -> (i64, i64, i64, Vec<u8>) {
    static CLOCK: Fixed = Fixed::new(r" (\d?\d):(\d\d)(:(\d\d))? ");
    let Some(groups) = CLOCK.groups(text) else { return (0, 0, 0, text.to_vec()) };
    let part = |index: usize, most: i64| number(groups.get(index)).min(most);
    let (begin, end) = groups.span(0).unwrap_or_default();
    (part(1, 23), part(2, 59), part(4, 59), [&text[..begin], b" ", &text[end..]].concat())
}

/// Minutes east of Greenwich.
fn zone(text: &[u8]) -> i64 {
    static NUMBER: Fixed = Fixed::new(r" ([-+])(\d\d)(\d\d) ");
    static NAME: Fixed = Fixed::new(r"\b([A-Z]{2,4}(?:-DST)?)\b");
    if let Some(groups) = NUMBER.groups(text) {
        let minutes = number(groups.get(2)) * 60 + number(groups.get(3));
        return if groups.get(1) == b"-" { -minutes } else { minutes };
    }
    let Some(groups) = NAME.groups(text) else { return 0 };
    let known = ZONES.iter().chain(&MORE_ZONES).find(|(name, _)| *name == groups.get(1));
    known.map_or(0, |(_, minutes)| *minutes)
}

/// A day that there is, between 1970 and 2037.
fn in_range(mut day: Day) -> Day {
    let leap = day.year % 4 == 0 && (day.year % 100 != 0 || day.year % 400 != 0);
    let most = match day.month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => 31,
    };
    if day.day > most {
        day.day = 1;
        day.month += 1;
        if day.month > 12 {
            day.month = 1;
            day.year += 1;
        }
    }
    day.year = day.year.clamp(1970, 2037);
    day
}

/// By the civil calendar (years begin in March, so that the leap day comes last).
fn days_since_1970(day: &Day) -> i64 {
    let year = if day.month <= 2 { day.year - 1 } else { day.year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((day.month + 9) % 12) + 2) / 5 + day.day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_all_their_forms() {
        assert_eq!(parse(b"Wed, 23 Jul 2003 23:30:00 +0200"), Some(1_058_995_800));
        assert_eq!(parse(b"23 Jul 2003 21:30 GMT"), Some(1_058_995_800));
        assert_eq!(parse(b"Wed Jul 23 21:30:00 2003"), Some(1_058_918_400));
        assert_eq!(parse(b"23 Jul 03 21:30:00 EST"), Some(1_059_013_800));
        assert_eq!(parse(b"Thu, 1 Jan 1970 00:00:00 +0000"), Some(0));
        assert_eq!(parse(b"31 Feb 2001 00:00:00"), parse(b"1 Mar 2001 00:00:00"));
        assert_eq!(parse(b"nonsense"), None);
    }
}
