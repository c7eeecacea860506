//! Takes the marks out of a message again (`spamassassin -d`).

use message::tree::Tree;

/// The message as it was before it was marked: unwrapped from a report, without the headers that were added.
pub fn unmark(message: &[u8]) -> Vec<u8> {
    let tree = Tree::parse(message);
    let separator = tree.mbox_separator.clone().unwrap_or_default();
    if let Some(original) = wrapped_original(&tree) {
        return [separator, original].concat();
    }
    [separator, plain_head(&tree.head), tree.body].concat()
}

/// The message that is attached to a report.
fn wrapped_original(tree: &Tree) -> Option<Vec<u8>> {
    let marked = tree.root().fields.value("x-spam-checker-version").is_some()
        || tree.root().fields.value("x-spam-status").is_some();
    let kind = tree.root().fields.value("content-type")?;
    let boundary = message::tree::MediaType::parse(Some(kind)).boundary?;
    let delimiter = [b"--", boundary.as_slice()].concat();
    if !marked {
        return None;
    }
    let marker = b"x-spam-type=original";
    let at = tree.body.windows(marker.len()).position(|window| window == marker)?;
    let rest = &tree.body[at..];
    let blank = [&b"\n\n"[..], b"\n\r\n"]
        .into_iter()
        .filter_map(|end| find(rest, end).map(|found| found + end.len()))
        .min()?;
    let content = &rest[blank..];
    let end_mark = [b"\n", delimiter.as_slice(), b"--"].concat();
    let end = content.windows(end_mark.len()).rposition(|window| window == end_mark)?;
    let content = &content[..end];
    Some(content.strip_suffix(b"\r").unwrap_or(content).to_vec())
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Added fields go, and rewritten ones are as before.
fn plain_head(head: &[u8]) -> Vec<u8> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        match fields.last_mut() {
            Some(last) if matches!(line.first(), Some(b' ' | b'\t')) => last.extend_from_slice(line),
            _ => fields.push(line.to_vec()),
        }
    }
    let lower = |field: &[u8]| field.to_ascii_lowercase();
    let previous: Vec<Vec<u8>> = fields
        .iter()
        .filter(|field| lower(field).starts_with(b"x-spam-prev-"))
        .map(|field| field[b"x-spam-prev-".len()..].to_vec())
        .collect();
    let name =
        |field: &[u8]| field.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_lowercase();
    let mut plain = Vec::new();
    for field in fields.into_iter().filter(|field| !lower(field).starts_with(b"x-spam-")) {
        match previous.iter().find(|before| name(before) == name(&field)) {
            Some(before) if before.windows(13).any(|window| window == b"(nonexistent)") => {}
            Some(before) => plain.extend_from_slice(before),
            None => plain.extend(field),
        }
    }
    plain
}
