//! The mail that tells the postmaster of trouble in an SMTP session (`notify_classes`).

use crate::wrap::wrap_at;

/// Room for a line beside the blank in front of it: nothing that a stranger said begins a line.
const LINE_LIMIT_BYTES: usize = 77;

/// A session with trouble.
#[derive(Debug, Clone, Copy)]
pub struct SessionNotice<'a> {
    /// `mail_name`
    pub mail_name: &'a str,
    /// `NAME[IP]`
    pub client: &'a str,
    /// Who the header is addressed to, in external form.
    pub recipient: &'a str,
    /// What was said, a line each: `In:  ...`, `Out: ...`.
    pub transcript: &'a str,
    /// Why the session ended early: "lost connection".
    pub aborted: Option<&'a str>,
}

impl SessionNotice<'_> {
    /// Header and body with LF line ends; Date and Message-Id are missing.
    pub fn text(&self) -> String {
        let Self { mail_name, client, recipient, transcript, .. } = self;
        let mut text = format!(
            "From: Mail Delivery System <MAILER-DAEMON>\n\
             To: Postmaster <{recipient}>\n\
             Subject: {mail_name} SMTP server: errors from {client}\n\n\
             Transcript of session follows.\n\n"
        );
        for line in transcript.lines() {
            for piece in wrap_at(LINE_LIMIT_BYTES, line).lines() {
                text += &format!(" {piece}\n");
            }
        }
        text.push('\n');
        if let Some(reason) = self.aborted {
            text += &format!("Session aborted, reason: {reason}\n");
        }
        text + "\nFor other details, see the local mail logfile\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_postfixs() {
        let notice = SessionNotice {
            mail_name: "Postfix",
            client: "unknown[127.0.0.1]",
            recipient: "mx@example.com",
            transcript: "In:  RCPT TO:<nobody@example.com>\n\
                         Out: 550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown in virtual mailbox table\n",
            aborted: Some("lost connection"),
        };
        // As Postfix 3.7.11 wrote it.
        let expected = "From: Mail Delivery System <MAILER-DAEMON>\n\
            To: Postmaster <mx@example.com>\n\
            Subject: Postfix SMTP server: errors from unknown[127.0.0.1]\n\n\
            Transcript of session follows.\n\n \
            In:  RCPT TO:<nobody@example.com>\n \
            Out: 550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown\n     \
            in virtual mailbox table\n\n\
            Session aborted, reason: lost connection\n\n\
            For other details, see the local mail logfile\n";
        assert_eq!(notice.text(), expected);
        let quiet = SessionNotice { aborted: None, transcript: "", ..notice };
        assert!(quiet.text().ends_with("follows.\n\n\n\nFor other details, see the local mail logfile\n"));
    }
}
