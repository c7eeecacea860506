//! The time that a Date field tells (RFC 5322 §3.3, §4.3).

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
/// Words of a field that are looked at.
const WORDS_LIMIT: usize = 20;

/// A point in time and the zone it was told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Seconds since 1970 (UTC).
    pub seconds: i64,
    /// How far that zone is ahead of UTC.
    pub offset_seconds: i32,
}

/// Reads the value of a Date field; `None` where it tells no time.
pub fn read(value: &[u8]) -> Option<Sent> {
    let text = joined_time(&without_comments(value));
    let mut words = text
        .split(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b'-'))
        .filter(|word| !word.is_empty())
        .take(WORDS_LIMIT)
        .peekable();
    if words.peek().is_some_and(|word| word[0].is_ascii_alphabetic()) {
        words.next();
    }
    let day: i64 = number(words.next()?)?;
    let name = words.next()?;
    let month =
        MONTHS.iter().position(|own| name.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(own)))?;
    let year = year(words.next()?)?;
    let (hour, minute, second) = time(words.next()?)?;
    let offset_seconds = zone(&text, words.next());
    if !(1..=31).contains(&day) {
        return None;
    }
    let days = days(year, i64::try_from(month).ok()? + 1, day);
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - i64::from(offset_seconds);
    Some(Sent { seconds, offset_seconds })
}

fn without_comments(value: &[u8]) -> Vec<u8> {
    let mut depth = 0_usize;
    let outside = |byte: &u8| {
        match byte {
            b'(' => depth += 1,
            b')' if depth > 0 => {
                depth -= 1;
                return false;
            }
            _ => {}
        }
        depth == 0
    };
    value.iter().copied().filter(outside).collect()
}

/// Blanks beside colons go (RFC 5322 §4.3 lets them stand there).
fn joined_time(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b':' => out.truncate(out.trim_ascii_end().len()),
            byte if byte.is_ascii_whitespace() && out.last() == Some(&b':') => continue,
            _ => {}
        }
        out.push(*byte);
    }
    out
}

fn number(word: &[u8]) -> Option<i64> {
    let short = word.len() <= 4 && word.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(word).ok()?.parse().ok().filter(|_| short)
}

/// RFC 5322 §4.3: two digits are of 1950 to 2049, three count from 1900.
fn year(word: &[u8]) -> Option<i64> {
    let year = number(word)?;
    Some(match (word.len(), year) {
        (2, 0..=49) => year + 2000,
        (2 | 3, _) => year + 1900,
        (4, _) => year,
        _ => return None,
    })
}

fn time(word: &[u8]) -> Option<(i64, i64, i64)> {
    let mut parts = word.split(|byte| matches!(byte, b':' | b'.'));
    let hour = number(parts.next()?)?;
    let minute = number(parts.next()?)?;
    let second = parts.next().map_or(Some(0), number)?;
    // A leap second is of the day that it ends.
    (hour < 24 && minute < 60 && second <= 60).then_some((hour, minute, second.min(59)))
}

/// The zone; the sign has gone where words were split.
fn zone(text: &[u8], word: Option<&[u8]>) -> i32 {
    let Some(word) = word else { return 0 };
    let (digits, ahead) = match word.strip_prefix(b"+") {
        Some(digits) => (digits, true),
        None => (word, false),
    };
    if digits.len() == 4 && digits.iter().all(u8::is_ascii_digit) {
        let value = number(digits).and_then(|value| i32::try_from(value).ok()).unwrap_or(0);
        let seconds = (value / 100 * 60 + value % 100) * 60;
        let behind = !ahead && text.windows(word.len() + 1).any(|part| part[0] == b'-' && &part[1..] == word);
        return if behind { -seconds } else { seconds };
    }
    let named: [(&[u8], i32); 8] = [
        (b"EDT", -4),
        (b"EST", -5),
        (b"CDT", -5),
        (b"CST", -6),
        (b"MDT", -6),
        (b"MST", -7),
        (b"PDT", -7),
        (b"PST", -8),
    ];
    named.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map_or(0, |(_, hours)| hours * 3600)
}

/// Days since 1970. Years begin in March here, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::Moment;
    use proptest::prelude::*;

    #[test]
    fn dates_of_all_ages_are_read() {
        for (value, seconds, offset) in [
            ("Wed, 1 Jan 2020 23:30:00 -0800", 1_577_950_200, -28_800),
            ("5 Mar 2024 10:11:12 -0500", 1_709_651_472, -18_000),
            ("Tue,5 Mar 2024 10:11 +0200 (EET)", 1_709_626_260, 7200),
            ("5-Mar-24 10:11:12 EST", 1_709_651_472, -18_000),
            ("Tue, 05 March 124 10:11:12 GMT", 1_709_633_472, 0),
            ("1 Jan 1970 00:00:00", 0, 0),
            ("1 Jan 1970 00 : 01:  02 +0000", 62, 0),
            ("31 Dec 1970 23:59:60 +0000", 31_535_999, 0),
        ] {
            assert_eq!(read(value.as_bytes()), Some(Sent { seconds, offset_seconds: offset }), "{value}");
        }
        for bad in [
            "",
            "bad date",
            "1 Foo 2020 00:00:00 +0000",
            "1 Jan 2020",
            "99 Jan 2020 00:00 +0000",
            "1 Jan 2020 25:00:00",
        ] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_we_write_is_read(seconds in 0_i64..4_000_000_000, minutes in -720_i32..840) {
            let moment = Moment { seconds, microseconds: 0, offset_seconds: minutes * 60, zone: "X".into() };
            let sent = Sent { seconds, offset_seconds: minutes * 60 };
            prop_assert_eq!(read(moment.to_header().as_bytes()), Some(sent));
        }

        #[test]
        fn any_value_is_read(value in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&value);
        }
    }
}
