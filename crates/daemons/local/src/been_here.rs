//! Has a message been delivered to somebody before? Its Delivered-To lines tell.

use mailbox::Content;
use mailbox::content::ContentError;

/// How much of a header is searched, in bytes.
const HEADER_LIMIT_BYTES: usize = 1024 * 1024;

/// The addresses of the Delivered-To lines, in lower case.
///
/// # Errors
/// [`ContentError`]
pub(crate) fn delivered_to(content: &mut dyn Content) -> Result<Vec<String>, ContentError> {
    let mut header = Vec::new();
    while header.len() < HEADER_LIMIT_BYTES && !ends_header(&header) && content.fill(&mut header)? {}
    let lines = header.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    Ok(lines.filter_map(value).collect())
}

fn ends_header(header: &[u8]) -> bool {
    header.windows(2).any(|pair| pair == b"\n\n")
}

fn value(line: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"delivered-to:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    name.eq_ignore_ascii_case(NAME).then(|| String::from_utf8_lossy(value).trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_header_counts() {
        let message = b"Delivered-To: A@b\nSubject: x\nDELIVERED-TO:c@d\n\nDelivered-To: e@f\n";
        assert_eq!(delivered_to(&mut &message[..]).unwrap(), ["a@b", "c@d"]);
        assert_eq!(delivered_to(&mut &b"Deliver"[..]).unwrap(), [""; 0]);
    }
}
