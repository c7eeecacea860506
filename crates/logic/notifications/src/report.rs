//! The message that tells: multipart/report (RFC 6522) with a text, the facts (RFC 3464, 6533 §3), and what
//! is returned.

use crate::expand::{ExpandError, Facts};
use crate::log::LogEntry;
use crate::plan::{Letter, Reader, Returned};
use crate::template::{Class, Template};
use crate::wrap::wrap;

/// The message that a report is about, and the host that writes.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// Its queue id.
    pub queue_id: &'a str,
    /// `myhostname`
    pub myhostname: &'a str,
    /// `mail_name`, for `X-Postfix-Queue-ID`.
    pub mail_name: &'a str,
    /// Its envelope sender in external form, `MAILER-DAEMON@$myhostname` for the null sender; empty when the
    /// queue file is gone.
    pub sender: &'a str,
    /// RFC 3461 ENVID, empty when absent.
    pub envelope_id: &'a str,
    /// When it arrived, as a header writes dates; empty when unknown.
    pub arrival_date: &'a str,
    /// Until when delivery is tried, likewise; for delay warnings.
    pub retry_until: &'a str,
    /// "7bit", "8bit" or empty: the queue file's `encoding`.
    pub encoding: &'a str,
    /// It came with SMTPUTF8 (RFC 6531), so the report may be `message/global` too (RFC 6533).
    pub smtputf8: bool,
    /// `smtputf8_enable`: addresses in the report may be UTF-8, so it says 8bit.
    pub smtputf8_enable: bool,
    /// Its Message-Id with brackets, for threading (`enable_threaded_bounces`); empty for none.
    pub message_id: &'a str,
    /// Its size as the queue file has it, in bytes.
    pub size_bytes: u64,
    /// `bounce_size_limit`, in bytes; a larger message comes back as headers. 0 is no limit.
    pub size_limit_bytes: u64,
    /// Seconds since 1970: makes the MIME boundary a new one.
    pub now_seconds: u64,
    /// Header and body with LF line ends; `None` when the queue file is gone. As the report may need only
    /// the header, so may this be.
    pub content: Option<&'a [u8]>,
}

/// A report in writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Header and body with LF line ends. No Date:, Message-Id: or Received:, and `MAILER-DAEMON` without a
    /// domain: cleanup completes the header.
    pub content: Vec<u8>,
    /// For the log.
    pub warnings: Vec<String>,
}

/// Writes the report `letter` about a message.
///
/// # Errors
/// [`ExpandError`]: the template can not be used; the caller takes the built-in one.
pub fn write(
    letter: &Letter<'_>,
    about: &About<'_>,
    template: &Template,
    facts: &Facts<'_>,
) -> Result<Report, ExpandError> {
    let boundary = format!("{}.{}/{}", about.queue_id, about.now_seconds, about.myhostname);
    let mut writer = Writer { letter, about, template, boundary, out: String::new() };
    writer.header();
    writer.notification();
    let mut warnings = Vec::new();
    if letter.reader == Reader::Sender {
        let text = template.expand(facts)?;
        writer.out += &text.text;
        warnings = text.warnings;
    }
    writer.diagnostics();
    writer.delivery_report();
    let content = writer.with_original();
    Ok(Report { content, warnings })
}

/// Will [`write`] need the body of the message, or the header alone?
pub fn needs_body(returned: Returned, size_bytes: u64, size_limit_bytes: u64) -> bool {
    let fits = size_limit_bytes == 0 || (size_bytes > 0 && size_bytes <= size_limit_bytes);
    returned == Returned::Full && fits
}

struct Writer<'a> {
    letter: &'a Letter<'a>,
    about: &'a About<'a>,
    template: &'a Template,
    boundary: String,
    out: String,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.out += text;
        self.out.push('\n');
    }

    fn field(&mut self, name: &str, value: &str) {
        self.line(&format!("{name}: {value}"));
    }

    /// What Content-Transfer-Encoding says, as far as it is known.
    fn encoding(&self) -> Option<&str> {
        match self.about.encoding {
            _ if self.about.smtputf8_enable => Some("8bit"),
            known @ ("7bit" | "8bit") => Some(known),
            _ => None,
        }
    }

    fn is_eight_bit(&self) -> bool {
        self.encoding() == Some("8bit")
    }

    fn header(&mut self) {
        let postmaster = self.letter.reader == Reader::Postmaster;
        let template = self.template;
        let subject =
            template.postmaster_subject.as_ref().filter(|_| postmaster).unwrap_or(&template.subject);
        self.field("From", &template.from);
        self.field("Subject", subject);
        self.field("To", &self.letter.recipient);
        if !self.about.message_id.is_empty() {
            self.field("References", self.about.message_id);
            self.field("In-Reply-To", self.about.message_id);
        }
        // RFC 3834 §5
        self.field("Auto-Submitted", if postmaster { "auto-generated" } else { "auto-replied" });
        self.field("MIME-Version", "1.0");
        self.line("Content-Type: multipart/report; report-type=delivery-status;");
        self.line(&format!("\tboundary=\"{}\"", self.boundary));
        match self.encoding() {
            Some("7bit") if template.is_eight_bit() => self.field("Content-Transfer-Encoding", "8bit"),
            Some(encoding) => {
                let encoding = encoding.to_owned();
                self.field("Content-Transfer-Encoding", &encoding);
            }
            None => {}
        }
        self.line("");
        self.line("This is a MIME-encapsulated message.");
    }

    /// Opens a part. An 8-bit encoding is told only where RFC 2046 §6.4 lets one be.
    fn part(&mut self, description: &str, content_type: &str, tells_encoding: bool) {
        self.line("");
        self.line(&format!("--{}", self.boundary));
        self.field("Content-Description", description);
        self.field("Content-Type", content_type);
        if tells_encoding && self.is_eight_bit() {
            self.field("Content-Transfer-Encoding", "8bit");
        }
        self.line("");
    }

    fn notification(&mut self) {
        let charset = match self.template.charset.as_str() {
            ascii if !ascii.eq_ignore_ascii_case("us-ascii") => ascii,
            _ if self.is_eight_bit() => "utf-8",
            ascii => ascii,
        };
        self.part("Notification", &format!("text/plain; charset={charset}"), true);
    }

    /// What happened to whom, for people.
    fn diagnostics(&mut self) {
        if self.letter.entries.is_empty() {
            self.line("\n\t--- Delivery report unavailable ---");
        }
        for entry in &self.letter.entries {
            let original = match entry.original_recipient.as_str() {
                "" => String::new(),
                original => format!(" (expanded from <{original}>)"),
            };
            self.out.push('\n');
            self.out += &wrap(&format!("<{}>{original}: {}", entry.recipient, entry.reason));
        }
    }

    /// What happened to whom, for programs (RFC 3464 §2).
    fn delivery_report(&mut self) {
        let about = self.about;
        if about.smtputf8 {
            self.part("Delivery report", "message/global-delivery-status", true);
        } else {
            // RFC 3464 §2.1: message/delivery-status is 7bit; saying more would have it downgraded.
            self.part("Delivery report", "message/delivery-status", false);
        }
        self.field("Reporting-MTA", &format!("dns; {}", about.myhostname));
        if !about.envelope_id.is_empty() {
            self.field("Original-Envelope-Id", about.envelope_id);
        }
        let name = self.mail_name();
        self.field(&format!("X-{name}-Queue-ID"), about.queue_id);
        if !about.sender.is_empty() {
            self.field(&format!("X-{name}-Sender"), &self.typed(about.sender));
        }
        if !about.arrival_date.is_empty() {
            self.field("Arrival-Date", about.arrival_date);
        }
        for entry in &self.letter.entries {
            self.recipient_fields(entry, &name);
        }
    }

    fn recipient_fields(&mut self, entry: &LogEntry, mail_name: &str) {
        self.line("");
        self.field("Final-Recipient", &self.typed(&entry.recipient));
        // RFC 3464 §6.3(d) wants this field only after ORCPT; Postfix sends ORCPT on even if none came.
        if !entry.dsn_original_recipient.is_empty() {
            self.field("Original-Recipient", &entry.dsn_original_recipient);
        } else if !entry.original_recipient.is_empty() {
            self.field("Original-Recipient", &self.typed(&entry.original_recipient));
        }
        let failed = self.template.class == Class::Failure;
        self.field("Action", if failed { "failed" } else { &entry.action });
        self.field("Status", &entry.status);
        if !entry.mta_type.is_empty() && !entry.mta_name.is_empty() {
            self.out += &wrap(&format!("Remote-MTA: {}; {}", entry.mta_type, entry.mta_name));
        }
        self.out += &if entry.diagnostic_type.is_empty() || entry.diagnostic_text.is_empty() {
            wrap(&format!("Diagnostic-Code: X-{mail_name}; {}", entry.reason))
        } else {
            wrap(&format!("Diagnostic-Code: {}; {}", entry.diagnostic_type, entry.diagnostic_text))
        };
        if self.template.class == Class::Delay {
            self.field("Will-Retry-Until", self.about.retry_until);
        }
    }

    /// An address with its type (RFC 6533 §3: `utf-8` only where it is needed).
    fn typed(&self, address: &str) -> String {
        let kind = if self.about.smtputf8 && !address.is_ascii() { "utf-8" } else { "rfc822" };
        format!("{kind}; {address}")
    }

    /// `mail_name` as an RFC 5322 atom.
    fn mail_name(&self) -> String {
        self.about.mail_name.replace(|c: char| c.is_whitespace() || "()<>@,;:\\\".[]".contains(c), "-")
    }

    /// The last part and the end.
    fn with_original(mut self) -> Vec<u8> {
        let about = self.about;
        let full = needs_body(self.letter.returned, about.size_bytes, about.size_limit_bytes)
            || (about.content.is_none() && self.letter.returned == Returned::Full);
        let undelivered = match self.template.class {
            Class::Failure | Class::Delay => "Undelivered ",
            Class::Success | Class::Verify => "",
        };
        let (what, content_type) = match (full, about.smtputf8) {
            (true, false) => ("Message", "message/rfc822"),
            (true, true) => ("Message", "message/global"),
            (false, false) => ("Message Headers", "text/rfc822-headers"),
            (false, true) => ("Message Headers", "message/global-headers"),
        };
        self.part(&format!("{undelivered}{what}"), content_type, true);
        let Some(content) = about.content else {
            self.line("\t--- Undelivered message unavailable ---");
            return self.closed(&[]);
        };
        self.line(&format!("Return-Path: <{}>", about.sender));
        self.closed(if full { content } else { &content[..header_length(content)] })
    }

    fn closed(self, content: &[u8]) -> Vec<u8> {
        // The text of a template file that is not UTF-8 becomes its bytes again.
        let mut out = parameters::text::to_bytes(&self.out);
        out.extend_from_slice(content);
        if !out.ends_with(b"\n") {
            out.push(b'\n');
        }
        out.extend_from_slice(format!("\n--{}--\n", self.boundary).as_bytes());
        out
    }
}

/// Where the header ends: at the first line that is neither a header nor the continuation of one.
fn header_length(content: &[u8]) -> usize {
    content.split_inclusive(|byte| *byte == b'\n').take_while(|line| is_header(line)).map(<[u8]>::len).sum()
}

/// RFC 5322 §2.2, with blanks before the colon (§4.5).
fn is_header(line: &[u8]) -> bool {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return true;
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
    let name = line[..colon].trim_ascii_end();
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests;
