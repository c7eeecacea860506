//! Days and points in time as IMAP writes them (RFC 3501 §9 `date`, `date-time`).

use std::fmt;

/// Month names.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_SECONDS: i64 = 86_400;

/// A day of the calendar that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Days since 1970-01-01.
    days: i64,
}

impl Date {
    /// `None` where there is no such day. `month` counts from 1; years have up to four digits.
    pub fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let date = Self { days: days(i64::from(year), i64::from(month), i64::from(day)) };
        (date.civil() == (i64::from(year), month, day)).then_some(date)
    }

    /// The day of a point in time in a zone that is `offset_seconds` ahead of UTC.
    pub fn of(seconds: i64, offset_seconds: i32) -> Self {
        Self { days: seconds.saturating_add(i64::from(offset_seconds)).div_euclid(DAY_SECONDS) }
    }

    /// The number of a month's name, from 1.
    pub fn month(name: &[u8]) -> Option<u32> {
        let place = MONTHS.iter().position(|own| own.as_bytes().eq_ignore_ascii_case(name))?;
        u32::try_from(place + 1).ok()
    }

    /// Year, month and day.
    pub fn civil(self) -> (i64, u32, u32) {
        civil(self.days)
    }
}

/// `1-Feb-1994`
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{day}-{}-{year:04}", MONTHS[month as usize - 1])
    }
}

/// A point in time with a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// Seconds since 1970 (UTC).
    pub seconds: i64,
    /// How far the zone is ahead of UTC; whole minutes, less than a day.
    pub offset_seconds: i32,
}

impl DateTime {
    /// `None` where there is no such time. A leap second is taken.
    pub fn new(date: Date, time: (u32, u32, u32), offset_seconds: i32) -> Option<Self> {
        let (hour, minute, second) = time;
        let exists = hour < 24 && minute < 60 && second <= 60 && offset_seconds.unsigned_abs() < 86_400;
        let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        exists.then(|| Self {
            seconds: date.days * DAY_SECONDS + of_day - i64::from(offset_seconds),
            offset_seconds,
        })
    }
}

/// ` 1-Feb-1994 21:52:25 -0800`, the day in two places.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.seconds.saturating_add(i64::from(self.offset_seconds));
        let (year, month, day) = civil(local.div_euclid(DAY_SECONDS));
        let of_day = local.rem_euclid(DAY_SECONDS);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let sign = if self.offset_seconds < 0 { '-' } else { '+' };
        let zone = self.offset_seconds.abs() / 60;
        let month = MONTHS[month as usize - 1];
        // RFC 3501 §9: four digits, whatever the file system says.
        let year = year.clamp(0, 9999);
        write!(f, "{day:02}-{month}-{year:04} {hour:02}:{minute:02}:{second:02} ")?;
        write!(f, "{sign}{:02}{:02}", zone / 60, zone % 60)
    }
}

/// Days since 1970 of a date in the Gregorian calendar. Years begin in March here, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let month = (march_month + 2) % 12 + 1;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    (year + era * 400 + i64::from(month <= 2), month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_that_are_not_are_refused() {
        assert!(Date::new(2024, 2, 29).is_some());
        assert!(Date::new(2023, 2, 29).is_none());
        assert!(Date::new(2024, 4, 31).is_none());
        assert!(Date::new(0, 1, 1).is_none());
    }

    #[test]
    fn times_read_as_in_the_rfc() {
        let day = Date::new(1996, 7, 17).unwrap();
        let time = DateTime::new(day, (2, 44, 25), -7 * 3600).unwrap();
        assert_eq!(time.to_string(), "17-Jul-1996 02:44:25 -0700");
        assert_eq!(time.seconds, 837_596_665);
        assert_eq!(Date::of(time.seconds, 0).to_string(), "17-Jul-1996");
        assert!(DateTime::new(day, (24, 0, 0), 0).is_none());
    }

    proptest! {
        #[test]
        fn every_day_comes_back(days in -700_000_i64..2_900_000) {
            let date = Date { days };
            let (year, month, day) = date.civil();
            prop_assume!((1..=9999).contains(&year));
            prop_assert_eq!(Date::new(u32::try_from(year).unwrap(), month, day), Some(date));
        }
    }
}
