//! Has an earlier try at a delivery left its copy in the mbox file?

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much is searched of what others may have appended since, in bytes.
const SEARCH_LIMIT_BYTES: u64 = 1024 * 1024;

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
