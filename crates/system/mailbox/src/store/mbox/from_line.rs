//! The date in a `From ` line, which is local time as asctime(3) writes it: `Sun Nov 22 05:11:09 2026`.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A line for a message that came at `received`, seconds since 1970.
pub(super) fn line(received: i64) -> String {
    format!("From MAILER-DAEMON {}\n", sys::clock::local_time(received).to_asctime())
}

/// Seconds since 1970; none when the line has no date that is understood.
pub(super) fn date(line: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(line);
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|word| MONTHS.contains(word))?;
    let month = MONTHS.iter().position(|month| *month == words[at])? as i64 + 1;
    let day: i64 = words.get(at + 1)?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let mut clock = words.get(at + 2)?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute) = (clock.next()??, clock.next()??);
    let second = clock.next().flatten().unwrap_or(0);
    // A time zone may stand before the year.
    let year =
        words[at + 3..].iter().find_map(|word| word.parse::<i64>().ok().filter(|year| *year > 1900))?;
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) || year > 9999 {
        return None;
    }
    let utc = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(utc - sys::clock::local_time(utc).offset_seconds)
}

/// Days since 1970 of a day in the Gregorian calendar. A year is counted from March, so that its last day is the odd one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_of_several_writers_are_understood() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
        let known = date(b"From a@b  Sun Nov 22 05:11:09 2026").unwrap();
        assert_eq!(date(b"From a@b Sun Nov 22 05:11:09 CET 2026\n"), Some(known));
        assert_eq!(date(b"From a@b Sun Nov 22 05:11 2026"), Some(known - 9));
        for bad in [
            "From a@b",
            "From x Nov 99 05:11:09 2026",
            "From x Nov 22 25:11:09 2026",
            "From x Nov 22 05:11:09",
        ] {
            assert_eq!(date(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_date_comes_back(received in 0_i64..4_000_000_000) {
            // Within an hour that happens twice, either is right.
            let again = date(line(received).as_bytes()).unwrap();
            prop_assert!((again - received).abs() <= 7200 && (again - received) % 1800 == 0);
        }
    }
}
