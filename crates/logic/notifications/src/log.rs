//! The log that the bounce service keeps per message in `bounce/`, `defer/` and `trace/`, in Postfix's form,
//! so that a queue moves between the two with its reasons.

use std::borrow::Cow;

/// Stands for a recipient or a reason that an entry does not have.
const NO_RECIPIENT: &str = "(recipient address unavailable)";
/// See [`NO_RECIPIENT`].
const NO_REASON: &str = "(description unavailable)";

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
    fn take(&mut self, line: Line<'_>) {
        let (name, value) = match line {
            Line::Heading { recipient, reason } => {
                recipient.clone_into(&mut self.recipient);
                reason.clone_into(&mut self.reason);
                return;
            }
            Line::Field { name, value } => (name, value),
            Line::Unknown => return,
        };
        match name {
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
            (&mut self.recipient, NO_RECIPIENT),
            (&mut self.status, status),
            (&mut self.action, action),
            (&mut self.reason, NO_REASON),
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
    let text = text(bytes);
    let mut lines = lines(&text);
    let entries = std::iter::from_fn(|| next_entry(&mut lines, LogEntry::take));
    entries.map(|entry| entry.complete(status, action)).collect()
}

/// The next entry: `take` is given each line up to the empty one behind it.
fn next_entry<'a, T: Default>(
    lines: &mut impl Iterator<Item = &'a str>,
    take: impl Fn(&mut T, Line<'a>),
) -> Option<T> {
    let mut entry = None;
    for line in lines {
        match (line, &mut entry) {
            ("", None) => {}
            ("", Some(_)) => break,
            (line, entry) => take(entry.get_or_insert_default(), Line::parse(line)),
        }
    }
    entry
}

/// What lists of the queue show of an entry in `defer/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delay<'a> {
    /// As [`LogEntry::recipient`].
    pub recipient: &'a str,
    /// As [`LogEntry::offset`].
    pub offset: u64,
    /// As [`LogEntry::reason`].
    pub reason: &'a str,
}

/// The entries of a log in `defer/`, out of its [`text`]: those of [`read_log`], in less time.
pub fn delays<'a>(text: &'a str) -> impl Iterator<Item = Delay<'a>> {
    let mut lines = lines(text);
    std::iter::from_fn(move || next_entry(&mut lines, Delay::take)).map(Delay::complete)
}

impl<'a> Delay<'a> {
    fn take(&mut self, line: Line<'a>) {
        match line {
            Line::Heading { recipient, reason } => (self.recipient, self.reason) = (recipient, reason),
            Line::Field { name: "recipient", value } => self.recipient = named(value),
            Line::Field { name: "reason", value } => self.reason = value,
            Line::Field { name: "offset", value } => self.offset = value.parse().unwrap_or(0),
            Line::Field { .. } | Line::Unknown => {}
        }
    }

    fn complete(mut self) -> Self {
        if self.recipient.is_empty() {
            self.recipient = NO_RECIPIENT;
        }
        if self.reason.is_empty() {
            self.reason = NO_REASON;
        }
        self
    }
}

/// The text of a log: what is not UTF-8 or would break a line is replaced. Borrowed where nothing is.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    let suspect = |byte: u8| byte != b'\n' && is_suspect(byte);
    match std::str::from_utf8(bytes) {
        // Folded, for that looks at many bytes at a time.
        Ok(text) if !bytes.iter().fold(false, |found, byte| found | suspect(*byte)) => Cow::Borrowed(text),
        _ => {
            let clean = |c: char| if c != '\n' && c.is_control() { '?' } else { c };
            Cow::Owned(String::from_utf8_lossy(bytes).chars().map(clean).collect())
        }
    }
}

/// What stands on a line of an entry, without spaces around it.
enum Line<'a> {
    /// The first line, `<recipient>: reason`; before 2.3 the only one.
    Heading { recipient: &'a str, reason: &'a str },
    /// `name=value`
    Field { name: &'a str, value: &'a str },
    /// Anything else.
    Unknown,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Self {
        if let Some(rest) = line.strip_prefix('<') {
            return split_once(rest, ">: ").map_or(Self::Unknown, |(recipient, reason)| Self::Heading {
                recipient: named(recipient.trim_ascii()),
                reason: reason.trim_ascii(),
            });
        }
        split_once(line, "=").map_or(Self::Unknown, |(name, value)| Self::Field {
            name: name.trim_ascii(),
            value: value.trim_ascii(),
        })
    }
}

/// As that of `str`, which prepares itself for longer texts than these lines are.
fn split_once<'a>(line: &'a str, between: &str) -> Option<(&'a str, &'a str)> {
    let at = line.as_bytes().windows(between.len()).position(|window| window == between.as_bytes())?;
    Some((&line[..at], &line[at + between.len()..]))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut begin = 0;
    memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]).map(move |end| {
        let line = &text[begin..end];
        begin = end + 1;
        line
    })
}

/// How the null address is shown.
fn named(address: &str) -> &str {
    if address.is_empty() || address == "<>" { "(MAILER-DAEMON)" } else { address }
}

/// Is this a control character, or the byte that those above ASCII begin with, as few others do?
fn is_suspect(byte: u8) -> bool {
    byte.is_ascii_control() || byte == 0xc2
}

fn clean(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(is_suspect) {
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

        #[test]
        fn a_list_shows_what_a_report_says(
            log in "(<[a> ]{0,4}|>: |=|recipient|offset=12|reason| |\t|\u{85}|\r|x|\n){0,12}",
        ) {
            let entries = read_log(log.as_bytes(), true);
            let expected: Vec<_> = entries
                .iter()
                .map(|entry| Delay { recipient: &entry.recipient, offset: entry.offset, reason: &entry.reason })
                .collect();
            let text = text(log.as_bytes());
            prop_assert_eq!(delays(&text).collect::<Vec<_>>(), expected);
        }
    }
}
