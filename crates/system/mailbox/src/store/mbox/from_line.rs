//! The date in a `From ` line, which is local time as asctime(3) writes it: `Sun Nov 22 05:11:09 2026`.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A line for a message that came at `received`, seconds since 1970.
pub(super) fn line(received: i64) -> String {
    format!("From MAILER-DAEMON {}\n", sys::clock::local_time(received).to_asctime())
}

/// Begins every message.
pub(super) const FROM: &[u8] = b"From ";

/// Is it a line that begins a message?
pub(super) fn is_one(line: &[u8]) -> bool {
    date(line).is_some()
}

/// Seconds since 1970; none when the line is none that begins a message. The forms are those that Dovecot knows: who sent it,
/// then `Sun Nov 22 05:11:09 2026` or `Sun, 22 Nov 2026 05:11:09`, either with or without seconds and a time zone.
pub(super) fn date(line: &[u8]) -> Option<i64> {
    let rest = behind_sender(line.strip_prefix(FROM)?)?;
    // Whatever the day of the week is.
    let mut scan = Scan { rest: rest.get(4..)? };
    let before = scan;
    scan.asctime().or_else(|| {
        scan = before;
        scan.rfc5322()
    })
}

/// What follows the sender, who may stand in quotes, and the blanks behind.
fn behind_sender(mut text: &[u8]) -> Option<&[u8]> {
    if let Some(quoted) = text.strip_prefix(b"\"") {
        let mut escaped = false;
        let end = quoted.iter().position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        })?;
        text = &quoted[end + 1..];
    }
    let blank = text.iter().position(|byte| b" \r\n".contains(byte)).filter(|at| text[*at] == b' ')?;
    let rest = &text[blank..];
    Some(&rest[rest.iter().position(|byte| *byte != b' ')?..])
}

/// Reads a date from left to right.
#[derive(Clone, Copy)]
struct Scan<'a> {
    rest: &'a [u8],
}

/// A moment on somebody's clock.
struct Clock {
    year: i64,
    month: i64,
    day: i64,
    second: i64,
}

impl Scan<'_> {
    /// `Nov 22 05:11:09 2026 +0100`. One word may stand before the year, which is not looked at; programs put time zones there.
    fn asctime(&mut self) -> Option<i64> {
        let month = self.month()?;
        self.blank()?;
        let day = self.day()?;
        let second = self.time()?;
        self.blank()?;
        let year = match self.year() {
            Some(year) => year,
            None => {
                self.rest = &self.rest[self.rest.iter().position(|byte| *byte == b' ')? + 1..];
                self.year()?
            }
        };
        Clock { year, month, day, second }.seconds(self.zone())
    }

    /// ` 22 Nov 2026 05:11:09 +0100`, without the comma.
    fn rfc5322(&mut self) -> Option<i64> {
        let day = self.day()?;
        let month = self.month()?;
        self.blank()?;
        let year = self.year()?;
        self.blank()?;
        let second = self.time()?;
        Clock { year, month, day, second }.seconds(self.zone())
    }

    fn blank(&mut self) -> Option<()> {
        self.rest = self.rest.strip_prefix(b" ")?;
        Some(())
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let digits = self.rest.get(..count).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        self.rest = &self.rest[count..];
        Some(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    fn month(&mut self) -> Option<i64> {
        let name = self.rest.get(..3)?;
        let is_it = |month: &&str| month.as_bytes().eq_ignore_ascii_case(name);
        let place = MONTHS.iter().position(is_it);
        // As Dovecot has it.
        let place = if name == b"???" { 0 } else { place? };
        self.rest = &self.rest[3..];
        Some(place as i64 + 1)
    }

    /// One digit has a blank before it where it stands alone; there is one behind.
    fn day(&mut self) -> Option<i64> {
        let padded = self.blank().is_some();
        let day = match self.digits(2) {
            Some(day) => day,
            None if padded || self.rest.get(1) == Some(&b' ') => self.digits(1)?,
            None => return None,
        };
        self.blank()?;
        Some(day.max(1))
    }

    /// Seconds of the day.
    fn time(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        self.rest = self.rest.strip_prefix(b":")?;
        let mut second = hour * 3600 + self.digits(2)? * 60;
        if let Some(rest) = self.rest.strip_prefix(b":") {
            self.rest = rest;
            second += self.digits(2)?;
        }
        Some(second)
    }

    fn year(&mut self) -> Option<i64> {
        self.digits(4)
    }

    /// ` +0100` in seconds, if that follows.
    fn zone(&mut self) -> Option<i64> {
        self.blank()?;
        let (sign, rest) = self.rest.split_first()?;
        self.rest = rest;
        let offset = self.digits(2)? * 3600 + self.digits(2)? * 60;
        match sign {
            b'+' => Some(offset),
            b'-' => Some(-offset),
            _ => None,
        }
    }
}

impl Clock {
    /// Local time unless there is a zone, for which the date has to exist; other dates go on where the calendar ends.
    fn seconds(&self, zone: Option<i64>) -> Option<i64> {
        let Self { year, month, day, second } = *self;
        let utc = days(year, month, day) * 86_400 + second;
        match zone {
            None => Some(utc - sys::clock::local_time(utc).offset_seconds),
            Some(_) if second >= 86_400 || days(year, month, day) >= next_month(year, month) => None,
            Some(zone) => Some(utc - zone),
        }
    }
}

fn next_month(year: i64, month: i64) -> i64 {
    if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) }
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

    fn shown(line: &str) -> Option<String> {
        let date = date(format!("From {line}\n").as_bytes())?;
        Some(sys::clock::local_time(date).to_asctime()[4..].to_owned())
    }

    /// What Dovecot takes for the begin of a message, and for which date.
    #[test]
    fn lines_are_those_that_dovecot_knows() {
        for (line, expected) in [
            ("a@b Tue Mar  5 10:11:12 2024", "Mar  5 10:11:12 2024"),
            ("a@b  Tue Mar 5 10:11:12 2024", "Mar  5 10:11:12 2024"),
            ("a@b Tue Mar 05 10:11 2024", "Mar  5 10:11:00 2024"),
            ("a@b Tue Mar  5 10:11:12 CET 2024", "Mar  5 10:11:12 2024"),
            ("a@b Tue Mar  5 10:11:12 +0100 2024", "Mar  5 10:11:12 2024"),
            ("a@b Tue Mar  5 10:11:12  2024", "Mar  5 10:11:12 2024"),
            ("a@b Tue Mar  5 10:11:12 2024 remote from x", "Mar  5 10:11:12 2024"),
            ("a@b Tue Mar  5 10:11:12 2024x", "Mar  5 10:11:12 2024"),
            ("a@b Tue Mar  5 10:11:12 2024\r", "Mar  5 10:11:12 2024"),
            ("a@b Fri Feb 30 25:11:12 2024", "Mar  2 01:11:12 2024"),
            ("a@b Fri Feb 99 10:61:61 2024", "May  9 11:02:01 2024"),
            ("a@b Tue Mar  0 10:11:12 2024", "Mar  1 10:11:12 2024"),
            ("a@b xxx MAR  5 10:11:12 2024", "Mar  5 10:11:12 2024"),
            ("a@b Tue ??? 5 10:11:12 2024", "Jan  5 10:11:12 2024"),
            ("\"a \\\" b\"@c Tue Mar  5 10:11:12 2024", "Mar  5 10:11:12 2024"),
            (" Tue Mar  5 10:11:12 2024", "Mar  5 10:11:12 2024"),
            ("a@b Tue, 5 Mar 2024 10:11", "Mar  5 10:11:00 2024"),
            ("a@b Tue 05 Mar 2024 10:11:12 CET", "Mar  5 10:11:12 2024"),
        ] {
            assert_eq!(shown(line).as_deref(), Some(expected), "{line}");
        }
        for line in [
            "a@b 5 Mar 2024",
            "a@b Tue Foo 5 10:11:12 2024",
            "a@b Tue Mar  5 1:11:12 2024",
            "a@b Tue Mar  5 10:11:12 24",
            "a b@c Tue Mar  5 10:11:12 2024",
            "\"a b Tue Mar  5 10:11:12 2024",
            "Tue Mar  5 10:11:12 2024",
            "",
            "a@b Tue",
            "a@b\tTue Mar  5 10:11:12 2024",
            "a@b Tuesday Mar  5 10:11:12 2024",
            "a@b Tue March 5 10:11:12 2024",
            "a@b Tue Mar   5 10:11:12 2024",
            "a@b Tue Mar  5  10:11:12 2024",
            "a@b Tue Mar  5 10:11: 2024",
            "a@b Tue Mar  5 10:11:12.5 2024",
            "a@b Tue Mar  5 10:11:12 AB CD 2024",
            "a@b Tue Mar  5 2024 10:11:12",
            "a@b 2024-03-05 10:11:12",
            "a@b Tue 5 Mar 10:11:12 2024",
            "a@b Tue,  5 Mar 2024 10:11:12",
            "a@b Tue, 5 Mar 24 10:11:12 +0100",
            "a@b Tue, 32 Mar 2024 10:11:12 +0100",
            "a@b Tue, 5 Mar 2024 25:11:12 +0100",
        ] {
            assert_eq!(shown(line), None, "{line}");
        }
    }

    #[test]
    fn a_time_zone_behind_the_year_counts() {
        let utc = date(b"From a@b Tue Mar  5 10:11:12 2024 +0000").unwrap();
        assert_eq!(utc, 1_709_633_472);
        for (line, seconds) in [
            ("Tue Mar  5 10:11:12 2024 +0100", -3600),
            ("Tue Mar  5 10:11:12 2024 -0530", 19_800),
            ("Tue Mar  5 10:11:12 UTC 2024 +0200", -7200),
            ("Tue, 5 Mar 2024 10:11:12 -0100", 3600),
        ] {
            assert_eq!(date(format!("From a@b {line}\n").as_bytes()), Some(utc + seconds), "{line}");
        }
    }

    #[test]
    fn lines_of_several_writers_are_understood() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
        let known = date(b"From a@b  Sun Nov 22 05:11:09 2026").unwrap();
        assert_eq!(date(b"From a@b Sun Nov 22 05:11:09 CET 2026\n"), Some(known));
        assert_eq!(date(b"From a@b Sun Nov 22 05:11 2026"), Some(known - 9));
        for bad in ["From a@b", "From x Nov 22 05:11:09"] {
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
