//! Messages in an SMTP session (`-B`): found, and put back in the same place.

/// An SMTP session in a file, around one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// Up to and with the `DATA` line.
    before: Vec<u8>,
    /// From the line with the dot on.
    after: Vec<u8>,
}

/// Finds the message in a session; dots that stand doubled there are single in it. `None` when there is no message, or no
/// line with a dot behind it.
pub(crate) fn open(session: &[u8]) -> Option<(Envelope, Vec<u8>)> {
    let mut lines = session.split_inclusive(|byte| *byte == b'\n');
    let mut at = 0;
    // The first line is none of `DATA`: something stands before it.
    at += lines.next()?.len();
    loop {
        let line = lines.next()?;
        at += line.len();
        if line.trim_ascii_end().eq_ignore_ascii_case(b"data") && line.ends_with(b"\n") {
            break;
        }
    }
    let before = session[..at].to_vec();
    let mut message = Vec::new();
    for line in lines {
        if matches!(line, b".\n" | b".\r\n") {
            return Some((Envelope { before, after: session[at..].to_vec() }, message));
        }
        at += line.len();
        message.extend_from_slice(if line.starts_with(b"..") { &line[1..] } else { line });
    }
    None
}

impl Envelope {
    /// The session with this message in it.
    pub(crate) fn close(&self, message: &[u8]) -> Vec<u8> {
        let mut whole = self.before.clone();
        for (number, line) in message.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if number > 0 && line.starts_with(b".") {
                whole.push(b'.');
            }
            whole.extend_from_slice(line);
        }
        whole.extend_from_slice(&self.after);
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_out_and_put_back() {
        let session = b"EHLO x\r\nMAIL FROM:<a@b>\r\ndata\r\nSubject: x\r\n\r\n..body\r\n.\r\nQUIT\r\n";
        let (envelope, message) = open(session).unwrap();
        assert_eq!(message, b"Subject: x\r\n\r\n.body\r\n");
        assert_eq!(envelope.close(&message), session);
        let text = String::from_utf8(envelope.close(b"A: b\n\nnew")).unwrap();
        assert!(text.ends_with("A: b\n\nnew.\r\nQUIT\r\n"));
    }

    #[test]
    fn sessions_without_a_message() {
        for session in ["", "MAIL FROM:<a@b>\r\n", "DATA\r\nx\r\n.\r\n", "x\nDATA\nx\n"] {
            assert_eq!(open(session.as_bytes()), None, "{session}");
        }
    }
}
