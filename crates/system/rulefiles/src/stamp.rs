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

/// The language of this process's environment, as `lang` lines of rule files name it: `en_US`.
pub fn language() -> String {
    let names = ["LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"];
    let value = names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let value = value.unwrap_or_else(|| "C".to_owned());
    let first = value.split([':', '@', '.', '+', ',']).next().unwrap_or_default();
    if matches!(first, "C" | "POSIX") { "en_US".to_owned() } else { first.to_owned() }
}
