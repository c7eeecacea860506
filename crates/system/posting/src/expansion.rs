//! Recipients in whose place virtual aliases put others, for senders who asked to be told of success.

use address::quote;
use cleanup::Expanded;
use notifications::LogEntry;
use queue::{NewFile, QueueError};

/// Notes in the message's log of successes that an alias took these recipients in (RFC 3461 §5.2.7.2): the report is sent
/// after the first attempt to deliver. To be called before the message is committed. Blocks.
///
/// # Errors
/// [`QueueError`]: the message must not be accepted, for its sender would wait for the report.
pub fn note_expanded(file: &mut NewFile, expanded: &[Expanded]) -> Result<(), QueueError> {
    if expanded.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    expanded.iter().for_each(|one| entry(one).encode(&mut text));
    file.note_success(text.as_bytes())
}

fn entry(expanded: &Expanded) -> LogEntry {
    let Expanded { original, address, dsn_original, notify } = expanded;
    LogEntry {
        recipient: quote(address),
        original_recipient: if original == address { String::new() } else { quote(original) },
        dsn_original_recipient: dsn_original.clone(),
        notify: *notify,
        status: "2.0.0".to_owned(),
        action: "expanded".to_owned(),
        reason: "alias expanded".to_owned(),
        ..LogEntry::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_tells_of_the_alias_by_its_name_before_and_after_rewriting() {
        let expanded = Expanded {
            original: "List".into(),
            address: "list@x".into(),
            dsn_original: "rfc822;L@x".into(),
            notify: 2,
        };
        let entry = entry(&expanded);
        assert_eq!((entry.recipient.as_str(), entry.original_recipient.as_str()), ("list@x", "List"));
        let same = Expanded { original: "list@x".into(), ..expanded };
        assert_eq!(super::entry(&same).original_recipient, "");
    }
}
