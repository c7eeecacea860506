//! Has an earlier try at a delivery left its copy in the mbox file, or a part of it?

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much is searched of what others may have appended since, in bytes.
const SEARCH_LIMIT_BYTES: u64 = 1024 * 1024;

/// The first line of a message is not longer, in bytes.
const FROM_LINE_LIMIT_BYTES: u64 = 4096;
/// Before and at the begin of a message that is not the first one.
const BEGIN: &[u8] = b"\n\nFrom ";

/// Is `text`, a message as it would be appended, among the last messages of the file, which is `size` bytes long? The
/// `From ` line is left out: it tells the time of the try. `mark` has to be in the text, or two messages may be equal.
pub(super) fn holds(file: &File, size: u64, text: &[u8], mark: &str) -> io::Result<bool> {
    let text = behind_first_line(text.trim_ascii_start());
    if text.is_empty() || !contains(text, mark.as_bytes()) {
        return Ok(false);
    }
    let from = size.saturating_sub(SEARCH_LIMIT_BYTES + text.len() as u64);
    let mut end = vec![0; usize::try_from(size - from).unwrap_or(0)];
    file.read_exact_at(&mut end, from)?;
    Ok(contains(&end, text))
}

/// Where the last message of the file begins, when that is what an earlier try at `text` has left: a part of it, cut off
/// at the end of the file by a crash. `mark` is as for [`holds`].
pub(super) fn torn_try(file: &File, size: u64, text: &[u8], mark: &str) -> io::Result<Option<u64>> {
    let text = text.trim_ascii_start();
    if mark.is_empty() || !contains(text, mark.as_bytes()) {
        return Ok(None);
    }
    let from = size.saturating_sub(FROM_LINE_LIMIT_BYTES + text.len() as u64);
    let mut end = vec![0; usize::try_from(size - from).unwrap_or(0)];
    file.read_exact_at(&mut end, from)?;
    let begin = match last_begin(&end) {
        Some(begin) => begin,
        None if from == 0 => 0,
        None => return Ok(None),
    };
    Ok(is_part(&end[begin..], text).then_some(from + begin as u64))
}

/// Where the last message begins, be it in the middle of its first word.
fn last_begin(end: &[u8]) -> Option<usize> {
    let cut_off =
        (3..BEGIN.len()).find(|length| end.ends_with(&BEGIN[..*length])).map(|length| end.len() - length);
    let place = cut_off.or_else(|| end.windows(BEGIN.len()).rposition(|bytes| bytes == BEGIN));
    place.map(|place| place + 2)
}

/// Is `left` the begin of `text`, but for the time in the first line? What ends within that line is no message at all.
fn is_part(left: &[u8], text: &[u8]) -> bool {
    let sender = text.windows(2).position(|bytes| bytes == b"  ").map_or(0, |place| place + 2);
    let same_sender = left.iter().zip(&text[..sender]).all(|(left, text)| left == text);
    let (rest, whole) = (behind_first_line(left), behind_first_line(text));
    same_sender && !left.is_empty() && rest.len() < whole.len() && whole.starts_with(rest)
}

fn behind_first_line(text: &[u8]) -> &[u8] {
    text.iter().position(|byte| *byte == b'\n').map_or(&[], |end| &text[end + 1..])
}

/// Horspool's search: for a part as long as a message it looks at few bytes of the text.
fn contains(text: &[u8], part: &[u8]) -> bool {
    let Some((last, front)) = part.split_last() else { return false };
    let mut skips = [part.len(); 256];
    for (place, byte) in front.iter().enumerate() {
        skips[usize::from(*byte)] = front.len() - place;
    }
    let mut end = part.len();
    while let Some(window) = text.get(end - part.len()..end) {
        let byte = window[front.len()];
        if byte == *last && window == part {
            return true;
        }
        end += skips[usize::from(byte)];
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::contains;

    proptest! {
        #[test]
        fn a_part_is_found_wherever_it_is(text in "[ab]{0,40}", part in "[ab]{1,6}") {
            prop_assert_eq!(contains(text.as_bytes(), part.as_bytes()), text.contains(&part));
        }
    }
}
