//! What two suites never have in common, made equal: ids, times, process numbers.

use std::collections::BTreeSet;

/// The same text with times, dates and these queue ids taken out, and bytes that are no text shown.
pub fn masked(bytes: &[u8], ids: &BTreeSet<String>) -> String {
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| match line.strip_suffix(b"\n") {
            Some(line) => masked_line(&line.escape_ascii().to_string(), ids) + "\n",
            None => masked_line(&line.escape_ascii().to_string(), ids) + "(no newline)\n",
        })
        .collect()
}

fn masked_line(line: &str, ids: &BTreeSet<String>) -> String {
    let mut out = String::new();
    for word in line.split_inclusive(|character: char| !character.is_ascii_alphanumeric()) {
        let bare = word.trim_end_matches(|character: char| !character.is_ascii_alphanumeric());
        if ids.contains(bare) {
            out += "ID";
            out += &word[bare.len()..];
        } else {
            out += word;
        }
    }
    without_time(&out)
}

const NAMES: [&str; 19] = [
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
    "Sep", "Oct", "Nov", "Dec",
];
/// No test runs before it, and no message here pretends to be of a later time.
const FIRST_YEAR: u32 = 2025;
/// Digits of a time in a Message-ID that the suite has made.
const STAMP_LENGTH: usize = 14;

/// Without a date of today, however it is spelled, and without the time in a Message-ID.
fn without_time(line: &str) -> String {
    let number = |word: &str| word.parse::<u32>().ok();
    let bare = |word: &'_ str| word.trim_end_matches(',').to_owned();
    let is_of_today =
        line.split(' ').any(|word| number(word).is_some_and(|year| (FIRST_YEAR..2100).contains(&year)));
    let belongs_to_time = |word: &str| {
        let word = bare(word);
        NAMES.contains(&word.as_str())
            || is_clock(&word)
            || number(&word).is_some_and(|number| number < 2100)
            || word.is_empty()
    };
    let words = line.split(' ').filter(|word| !is_of_today || !belongs_to_time(word));
    let mut out = words.collect::<Vec<_>>().join(" ");
    if let Some(at) = out.find(".ID@").filter(|at| *at >= STAMP_LENGTH) {
        out.replace_range(at - STAMP_LENGTH..at, "TIME");
    }
    out
}

/// `18:44:14`
fn is_clock(word: &str) -> bool {
    let parts: Vec<&str> = word.split(':').collect();
    parts.len() == 3
        && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
}
