//! The time of day, for queue ids, time stamps and log lines.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970 (UTC); 0 if the clock stands before that.
pub fn now_us() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// A moment in the local time zone (`TZ`, /etc/localtime), broken down as in localtime(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Four digits.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 (Sunday) to 6.
    pub weekday: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 60.
    pub second: u32,
    /// Seconds east of Greenwich.
    pub offset_seconds: i64,
    /// The zone's name at that time: "UTC", "CEST".
    pub zone: ZoneName,
}

/// Name of a time zone, at most 15 bytes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ZoneName {
    bytes: [u8; 15],
    length: u8,
}

impl ZoneName {
    /// The name as text; empty if the system gave none.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or("")
    }
}

impl LocalTime {
    /// `Sun Nov  2 02:15:00 2026`, as asctime(3) without its line end.
    pub fn to_asctime(&self) -> String {
        const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let day_name = DAYS.get(self.weekday as usize).unwrap_or(&"???");
        let month_name = MONTHS.get((self.month as usize).wrapping_sub(1)).unwrap_or(&"???");
        let Self { day, hour, minute, second, year, .. } = self;
        format!("{day_name} {month_name} {day:>2} {hour:02}:{minute:02}:{second:02} {year}")
    }
}

/// What the clock on the wall says at `seconds` since 1970.
pub fn local_time(seconds: i64) -> LocalTime {
    // SAFETY: all-zero bytes are a valid `struct tm`; localtime_r writes only into it.
    let tm = unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        libc::localtime_r(&seconds, &mut tm);
        tm
    };
    let positive = |number: i32| u32::try_from(number).unwrap_or(0);
    LocalTime {
        year: tm.tm_year + 1900,
        month: positive(tm.tm_mon + 1),
        day: positive(tm.tm_mday),
        weekday: positive(tm.tm_wday),
        hour: positive(tm.tm_hour),
        minute: positive(tm.tm_min),
        second: positive(tm.tm_sec),
        offset_seconds: tm.tm_gmtoff,
        zone: zone_name(&tm),
    }
}

fn zone_name(tm: &libc::tm) -> ZoneName {
    let mut name = ZoneName::default();
    if tm.tm_zone.is_null() {
        return name;
    }
    // SAFETY: localtime_r lets tm_zone point at a NUL-terminated string that lives as long as the process.
    let text = unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) }.to_bytes();
    let length = text.len().min(name.bytes.len());
    name.bytes[..length].copy_from_slice(&text[..length]);
    name.length = u8::try_from(length).unwrap_or(0);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asctime_pads_the_day_with_a_blank() {
        let time = LocalTime { day: 2, hour: 3, ..local_time(1_795_313_871) };
        assert_eq!(time.to_asctime().get(4..13), Some("Nov  2 03"));
    }

    #[test]
    fn a_known_second_reads_right_in_its_zone() {
        let time = local_time(1_000_000_000);
        let local = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second);
        let utc = (local - time.offset_seconds).rem_euclid(86_400);
        assert_eq!((time.year, time.month, utc), (2001, 9, 3600 + 46 * 60 + 40));
        assert!(!time.zone.as_str().is_empty());
    }
}
