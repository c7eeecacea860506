//! When and where a check runs.

use std::time::{SystemTime, UNIX_EPOCH};

use spam::report::Stamp;

/// Seconds since 1970, and what templates say of now and here.
pub fn stamp(host: &str) -> (i64, Stamp) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let moment = posting::moment(u64::try_from(now.as_micros()).unwrap_or(u64::MAX));
    let date = moment.to_header();
    // Reports show the day with two digits and leave the zone's name out.
    let date = date.split(" (").next().unwrap_or_default().replacen(",  ", ", 0", 1);
    let unique = format!("{:08X}.{:08X}", now.as_secs() & 0xffff_ffff, now.subsec_nanos());
    (moment.seconds, Stamp { host: host.to_owned(), date, unique })
}
