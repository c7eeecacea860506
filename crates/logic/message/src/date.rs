//! Points in time, as headers show them (RFC 5322 §3.3).

/// A point in time with the local clock's zone at that moment, as the system told it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moment {
    /// Seconds since 1970 (UTC).
    pub seconds: i64,
    /// Microseconds of the second.
    pub microseconds: u32,
    /// How far the local clock is ahead of UTC.
    pub offset_seconds: i32,
    /// The zone's name: "UTC", "CET".
    pub zone: String,
}

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_SECONDS: i64 = 86_400;

/// Year, month (from 0), day (from 1) and time of day, in no zone.
struct Civil {
    year: i64,
    month: usize,
    day: i64,
    weekday: usize,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Moment {
    /// `Sun, 22 Nov 2026 02:43:42 +0000 (UTC)`, with a blank before a day of one digit.
    pub fn to_header(&self) -> String {
        let now = civil(self.seconds + i64::from(self.offset_seconds));
        let minutes = self.offset_seconds.abs() / 60;
        format!(
            "{}, {:2} {} {} {:02}:{:02}:{:02} {}{:02}{:02} ({})",
            WEEKDAYS[now.weekday],
            now.day,
            MONTHS[now.month],
            now.year,
            now.hour,
            now.minute,
            now.second,
            if self.offset_seconds < 0 { '-' } else { '+' },
            minutes / 60,
            minutes % 60,
            self.zone
        )
    }

    /// `20261122024342`, in UTC, for Message-Id.
    pub fn to_stamp(&self) -> String {
        let now = civil(self.seconds);
        let month = now.month + 1;
        format!("{:04}{month:02}{:02}{:02}{:02}{:02}", now.year, now.day, now.hour, now.minute, now.second)
    }
}

/// The calendar date of a count of seconds. Years begin in March here, so that the leap day comes last.
fn civil(seconds: i64) -> Civil {
    const ERA_DAYS: i64 = 146_097;
    let days = seconds.div_euclid(DAY_SECONDS);
    let of_day = seconds.rem_euclid(DAY_SECONDS);
    let since_march_0000 = days + 719_468;
    let era = since_march_0000.div_euclid(ERA_DAYS);
    let day_of_era = since_march_0000.rem_euclid(ERA_DAYS);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = (march_month + 2) % 12;
    Civil {
        year: year_of_era + era * 400 + i64::from(month < 2),
        month: month as usize,
        day: day_of_year - (153 * march_month + 2) / 5 + 1,
        weekday: days.rem_euclid(7) as usize,
        hour: of_day / 3600,
        minute: of_day / 60 % 60,
        second: of_day % 60,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64, offset_seconds: i32, zone: &str) -> Moment {
        Moment { seconds, microseconds: 0, offset_seconds, zone: zone.into() }
    }

    #[test]
    fn dates_read_as_postfix_writes_them() {
        assert_eq!(at(1_795_315_422, 0, "UTC").to_header(), "Sun, 22 Nov 2026 02:43:42 +0000 (UTC)");
        assert_eq!(at(1_000_000_000, 7200, "CEST").to_header(), "Sun,  9 Sep 2001 03:46:40 +0200 (CEST)");
        assert_eq!(at(951_782_400, -12_600, "NST").to_header(), "Mon, 28 Feb 2000 20:30:00 -0330 (NST)");
        assert_eq!(at(0, 0, "UTC").to_header(), "Thu,  1 Jan 1970 00:00:00 +0000 (UTC)");
    }

    #[test]
    fn stamps_are_in_utc() {
        assert_eq!(at(1_795_315_422, 7200, "CEST").to_stamp(), "20261122024342");
    }

    proptest! {
        #[test]
        fn the_next_day_is_the_next_weekday(seconds in -10_000_000_000_i64..100_000_000_000) {
            let (today, tomorrow) = (civil(seconds), civil(seconds + DAY_SECONDS));
            prop_assert_eq!((today.weekday + 1) % 7, tomorrow.weekday);
            prop_assert!(tomorrow.day == today.day + 1 || tomorrow.day == 1);
        }
    }
}
