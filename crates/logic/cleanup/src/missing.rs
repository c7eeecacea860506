//! Headers that a message should have and does not (RFC 5322 §3.6).

use address::quote;
use lookup::{Lookup, Stop};
use message::Known;
use rewriting::Context;

use crate::editor::Cleanup;
use crate::settings::FromFormat;

/// Who sends what has no sender.
const MAILER_DAEMON: &str = "MAILER-DAEMON";

impl Cleanup {
    /// The headers are over: adds Message-Id, Date, From and To where they are missing, for our own clients
    /// or for all (`always_add_missing_headers`).
    pub(crate) fn add_missing_headers(&mut self, _tables: &dyn Lookup) -> Result<(), Stop> {
        let resent = self.found.resent;
        let has = |plain: Known, again: Known| {
            self.found.headers.contains(if resent.is_empty() { &plain } else { &again })
        };
        if self.envelope.rewrite_context != Context::Untouched || self.settings.always_add_missing_headers {
            let message_id = has(Known::MessageId, Known::ResentMessageId);
            let date = has(Known::Date, Known::ResentDate);
            let from = has(Known::From, Known::ResentFrom);
            if !message_id {
                self.add_message_id(resent);
            }
            if !date {
                let date = format!("{resent}Date: {}", self.envelope.arrival.to_header());
                self.add_header(&date);
            }
            if !from {
                let from = format!("{resent}From: {}", self.author());
                self.add_header(&from);
            }
            let shown = [Known::To, Known::Cc, Known::ResentTo, Known::ResentCc];
            let undisclosed = self.settings.undisclosed_recipients_header.clone();
            if !undisclosed.is_empty() && !shown.iter().any(|header| self.found.headers.contains(header)) {
                self.add_header(&undisclosed);
            }
        }
        if !self.found.headers.contains(&Known::MessageId) {
            self.info("message-id=<>");
        }
        Ok(())
    }

    fn add_message_id(&mut self, resent: &str) {
        let (id, host) = (&self.queue_id, &self.settings.myhostname);
        let value = match self.settings.enable_long_queue_ids {
            true => format!("<{id}@{host}>"),
            false => format!("<{}.{id}@{host}>", self.envelope.arrival.to_stamp()),
        };
        self.add_header(&format!("{resent}Message-Id: {value}"));
        self.info(&format!("{}message-id={value}", resent.to_lowercase()));
        let known = if resent.is_empty() { Known::MessageId } else { Known::ResentMessageId };
        self.found.headers.insert(known);
    }

    fn add_header(&mut self, text: &str) {
        self.output.line(text.as_bytes(), self.settings.line_length_limit);
    }

    /// The sender of the envelope, with the name of whoever submitted it here.
    fn author(&self) -> String {
        let address = match self.found.sender.as_str() {
            "" => MAILER_DAEMON.to_owned(),
            sender => quote(sender),
        };
        let name = self.envelope.full_name.as_str();
        match self.settings.header_from_format {
            _ if name.is_empty() || self.found.sender.is_empty() => address,
            FromFormat::Standard => format!("{} <{address}>", phrase(name)),
            FromFormat::Obsolete => format!("{address} ({})", comment(name)),
        }
    }
}

/// A display name, in quotes if it is not just words (RFC 5322 §3.2.5).
fn phrase(name: &str) -> String {
    let special = |character: char| character.is_ascii_control() || "()<>@,;:\\\".[]".contains(character);
    if !name.contains(special) {
        return name.to_owned();
    }
    let mut quoted = String::from('"');
    for character in name.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// The inside of a comment: parentheses that do not pair are made harmless.
fn comment(name: &str) -> String {
    let mut depth = 0_i32;
    let paired = name.chars().all(|character| {
        depth += i32::from(character == '(') - i32::from(character == ')');
        depth >= 0
    });
    if paired && depth == 0 { name.to_owned() } else { name.replace('(', "\\(").replace(')', "\\)") }
}
