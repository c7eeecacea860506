//! The lines that a mailbox has above a message, and that the message did not have on its way.

use crate::place::Form;

/// What the envelope says of one copy; addresses in internal form.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The sender, empty for the null sender.
    pub sender: &'a str,
    /// The recipient before aliases; none to leave the line out (`enable_original_recipient`).
    pub original: Option<&'a str>,
    /// The recipient; none to leave the line out.
    pub delivered: Option<&'a str>,
    /// The local time of delivery as asctime(3) writes it.
    pub time: &'a str,
}

impl Envelope<'_> {
    /// The lines for a mailbox of this form, each ended by LF, in Postfix's order: for an mbox the `From ` line
    /// (RFC 4155), with two blanks before the time; Return-Path (RFC 5321 §4.4), X-Original-To, Delivered-To.
    pub fn lines(&self, form: Form) -> String {
        // The null sender is nothing at all, not a quoted empty name.
        let sender = if self.sender.is_empty() { String::new() } else { on_one_line(self.sender) };
        let mut lines = String::new();
        if form == Form::Mbox {
            let from = if sender.is_empty() { "MAILER-DAEMON" } else { &sender };
            lines.push_str(&format!("From {from}  {}\n", self.time));
        }
        lines.push_str(&format!("Return-Path: <{sender}>\n"));
        if let Some(original) = self.original {
            lines.push_str(&format!("X-Original-To: {}\n", on_one_line(original)));
        }
        if let Some(delivered) = self.delivered {
            lines.push_str(&format!("Delivered-To: {}\n", on_one_line(delivered)));
        }
        lines
    }
}

/// The address as it stands in a header; nothing in it ends the line.
fn on_one_line(address: &str) -> String {
    address::quote(address).replace(['\n', '\r', '\0'], "?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_that_postfix_writes() {
        let envelope = Envelope {
            sender: "a b@x.example",
            original: Some("o@y"),
            delivered: Some("r\nX: y@y"),
            time: "Sun Nov 22 03:24:06 2026",
        };
        let maildir = "Return-Path: <\"a b\"@x.example>\nX-Original-To: o@y\nDelivered-To: \"r?X: y\"@y\n";
        assert_eq!(envelope.lines(Form::Maildir), maildir);
        let null = Envelope { sender: "", delivered: None, ..envelope };
        let mbox = "From MAILER-DAEMON  Sun Nov 22 03:24:06 2026\nReturn-Path: <>\nX-Original-To: o@y\n";
        assert_eq!(null.lines(Form::Mbox), mbox);
        let bare = Envelope { original: None, ..null };
        assert_eq!(bare.lines(Form::Maildir), "Return-Path: <>\n");
    }
}
