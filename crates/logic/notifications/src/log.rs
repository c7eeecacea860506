//! The log that the bounce service keeps per message in `bounce/`, `defer/` and `trace/`, in Postfix's form,
//! so that a queue moves between the two with its reasons.

use std::borrow::Cow;

/// One recipient's result, as it stands in the log. Addresses are in external (quoted) form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogEntry {
    /// The address delivery was tried to; empty for the null address.
    pub recipient: String,
    /// As it was before aliases; empty when the same.
    pub original_recipient: String,
    /// Offset of the recipient's record in the queue file; 0 when unknown.
    pub offset: u64,
    /// RFC 3461 ORCPT, `rfc822;addr`; empty when absent.
    pub dsn_original_recipient: String,
    /// RFC 3461 NOTIFY bits, see [`crate::notify`]; 0 when unset.
    pub notify: u32,
    /// RFC 3463 status.
    pub status: String,
    /// RFC 3464 §2.3.3 action.
    pub action: String,
    /// RFC 3464 Diagnostic-Code: the type ("smtp"), empty without.
    pub diagnostic_type: String,
    /// RFC 3464 Diagnostic-Code: the text.
    pub diagnostic_text: String,
    /// RFC 3464 Remote-MTA: the type ("dns"), empty without.
    pub mta_type: String,
    /// RFC 3464 Remote-MTA: the name.
    pub mta_name: String,
    /// The reason in words.
    pub reason: String,
}

impl LogEntry {
    /// Appends the entry's text to `out`. What would break a line becomes `?`.
    pub fn encode(&self, out: &mut String) {
        out.push_str(&format!("\n<{}>: {}\n", clean(&self.recipient), clean(&self.reason)));
        let offset = if self.offset > 0 { self.offset.to_string() } else { String::new() };
        let notify = if self.notify > 0 { self.notify.to_string() } else { String::new() };
        let mut line = |name: &str, value: &str| out.push_str(&format!("{name}={}\n", clean(value)));
        line("recipient", &self.recipient);
        for (name, value) in [
            ("original_recipient", &self.original_recipient),
            ("offset", &offset),
            ("dsn_orig_rcpt", &self.dsn_original_recipient),
            ("notify_flags", &notify),
            ("status", &self.status),
            ("action", &self.action),
            ("diag_type", &self.diagnostic_type),
            ("diag_text", &self.diagnostic_text),
            ("mta_type", &self.mta_type),
            ("mta_mname", &self.mta_name),
            ("reason", &self.reason),
        ] {
            if !value.is_empty() {
                line(name, value);
            }
        }
        out.push('\n');
    }

    /// Takes one line of an entry; what is not understood is passed over.
    fn take(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix('<') {
            if let Some((recipient, reason)) = rest.split_once(">: ") {
                named(recipient.trim_ascii()).clone_into(&mut self.recipient);
                reason.trim_ascii().clone_into(&mut self.reason);
            }
            return;
        }
        let Some((name, value)) = line.split_once('=') else { return };
        let value = value.trim_ascii();
        match name.trim_ascii() {
            "recipient" => named(value).clone_into(&mut self.recipient),
            "original_recipient" => named(value).clone_into(&mut self.original_recipient),
            "offset" => self.offset = value.parse().unwrap_or(0),
            "dsn_orig_rcpt" => value.clone_into(&mut self.dsn_original_recipient),
            "notify_flags" => self.notify = value.parse().unwrap_or(0),
            "status" => value.clone_into(&mut self.status),
            "action" => value.clone_into(&mut self.action),
            "diag_type" => value.clone_into(&mut self.diagnostic_type),
            "diag_text" => value.clone_into(&mut self.diagnostic_text),
            "mta_type" => value.clone_into(&mut self.mta_type),
            "mta_mname" => value.clone_into(&mut self.mta_name),
            "reason" => value.clone_into(&mut self.reason),
            _ => {}
        }
    }

    /// Fills what a broken or ancient entry left out, so that a report can be made all the same.
    fn complete(mut self, status: &str, action: &str) -> Self {
        for (field, value) in [
            (&mut self.recipient, "(recipient address unavailable)"),
            (&mut self.status, status),
            (&mut self.action, action),
            (&mut self.reason, "(description unavailable)"),
        ] {
            if field.is_empty() {
                value.clone_into(field);
            }
        }
        self
    }
}

/// The entries of a log. `deferred` says that it lies in `defer/`: entries of Postfix before 2.3 have no
/// status of their own. Entries that a crash cut short are kept as far as they go.
pub fn read_log(bytes: &[u8], deferred: bool) -> Vec<LogEntry> {
    let (status, action) = if deferred { ("4.0.0", "delayed") } else { ("5.0.0", "failed") };
    // In less time than `from_utf8_lossy` alone, where nothing is lost.
    let text = std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
    let mut entries = Vec::new();
    let mut entry: Option<LogEntry> = None;
    for line in text.split('\n') {
        if line.is_empty() {
            entries.extend(entry.take().map(|entry| entry.complete(status, action)));
        } else {
            entry.get_or_insert_default().take(&clean(line));
        }
    }
    entries.extend(entry.map(|entry| entry.complete(status, action)));
    entries
}

/// How the null address is shown.
fn named(address: &str) -> &str {
    if address.is_empty() || address == "<>" { "(MAILER-DAEMON)" } else { address }
}

fn clean(text: &str) -> Cow<'_, str> {
    // The control characters above ASCII begin with this byte, and few others do.
    let suspect = |byte: u8| byte.is_ascii_control() || byte == 0xc2;
    if !text.bytes().any(suspect) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if c.is_control() { '?' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Written by Postfix 3.7.11.
    const POSTFIX: &str = "\n<later@d.example>: host said: 451 (in reply)\nrecipient=later@d.example\noffset=692\n\
        dsn_orig_rcpt=rfc822;later@d.example\nnotify_flags=12\nstatus=4.7.1\naction=delayed\ndiag_type=smtp\n\
        diag_text=451 4.7.1 = later\nmta_type=dns\nmta_mname=127.0.0.1\nreason=host said: 451 (in reply)\n\n";

    fn entry() -> LogEntry {
        LogEntry {
            recipient: "later@d.example".into(),
            original_recipient: String::new(),
            offset: 692,
            dsn_original_recipient: "rfc822;later@d.example".into(),
            notify: 12,
            status: "4.7.1".into(),
            action: "delayed".into(),
            diagnostic_type: "smtp".into(),
            diagnostic_text: "451 4.7.1 = later".into(),
            mta_type: "dns".into(),
            mta_name: "127.0.0.1".into(),
            reason: "host said: 451 (in reply)".into(),
        }
    }

    #[test]
    fn the_form_is_postfixs() {
        let mut out = String::new();
        entry().encode(&mut out);
        assert_eq!(out, POSTFIX);
        assert_eq!(read_log(format!("{POSTFIX}{POSTFIX}").as_bytes(), true), [entry(), entry()]);
    }

    #[test]
    fn an_old_or_broken_entry_is_filled_up() {
        let entries = read_log(b"<a@b>: why not\n\nnonsense\n", true);
        assert_eq!((entries[0].status.as_str(), entries[0].action.as_str()), ("4.0.0", "delayed"));
        assert_eq!((entries[0].recipient.as_str(), entries[0].reason.as_str()), ("a@b", "why not"));
        assert_eq!(entries[1].recipient, "(recipient address unavailable)");
        assert_eq!(read_log(b"", false), []);
    }

    proptest! {
        #[test]
        fn a_line_break_within_forges_no_entry(reason in "\\PC{0,30}[\n\r]{1,3}recipient=x\\PC{0,30}") {
            let mut out = String::new();
            LogEntry { reason, ..entry() }.encode(&mut out);
            let entries = read_log(out.as_bytes(), false);
            prop_assert_eq!(entries.len(), 1);
            prop_assert_eq!(&entries[0].recipient, "later@d.example");
        }

        #[test]
        fn what_is_read_is_written_as_it_was_read(text in "(<[a> ]{0,4}|>: |=|recipient|reason| |\t|x|\n){0,12}") {
            let entries = read_log(text.as_bytes(), true);
            let mut out = String::new();
            entries.iter().for_each(|entry| entry.encode(&mut out));
            prop_assert_eq!(read_log(out.as_bytes(), true), entries);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for entry in read_log(&bytes, true) {
                prop_assert!(!entry.recipient.is_empty() && !entry.status.is_empty());
            }
        }
    }
}
