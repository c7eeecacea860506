//! A message that goes through postdrop(1), as records of a submission.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use attributes::Attributes;
use message::{Moment, Received, ReceivedFrom};
use queue_format::content::write_line;
use queue_format::record::{self, Kind};
use smtp_protocol::{Body, Hello, Recipient, Return, Sender};
use worker::{Setup, alone};

/// How much is gathered before it is handed on, in bytes.
const BLOCK_BYTES: usize = 64 * 1024;
/// A message of postdrop is not longer than this, in bytes.
const ANSWER_LIMIT_BYTES: usize = 4096;

/// Who submits, and what holds for all his messages.
pub(crate) struct Author {
    postdrop: PathBuf,
    host: String,
    mail_name: String,
    line_limit_bytes: usize,
    hello: Option<Hello>,
    extended: bool,
}

impl Author {
    pub(crate) fn new(setup: &Setup) -> Self {
        let config = &setup.config;
        Self {
            postdrop: alone::command(config, "postdrop"),
            host: config.get(&parameters::MYHOSTNAME),
            mail_name: config.get(&parameters::MAIL_NAME),
            line_limit_bytes: usize::try_from(config.get(&parameters::LINE_LENGTH_LIMIT)).unwrap_or(0).max(1),
            hello: None,
            extended: false,
        }
    }

    pub(crate) fn greeted(&mut self, hello: Hello) {
        self.extended |= hello.extended;
        self.hello = Some(hello);
    }

    pub(crate) fn helo(&self) -> Option<&str> {
        self.hello.as_ref().map(|hello| hello.name.as_str())
    }

    pub(crate) fn protocol(&self) -> &'static str {
        if self.extended { "ESMTP" } else { "SMTP" }
    }

    /// The header that says that it came by SMTP.
    fn received(&self, recipients: &[Recipient], date: Moment) -> Received {
        Received {
            from: Some(ReceivedFrom {
                helo: self.helo().unwrap_or("localhost").to_owned(),
                name: "localhost".to_owned(),
                address: "127.0.0.1".to_owned(),
                tls: None,
                authenticated: None,
            }),
            submitter: None,
            host: self.host.clone(),
            mail_name: self.mail_name.clone(),
            protocol: self.protocol().to_owned(),
            recipient: match recipients {
                [only] => Some(address::quote(&only.address)),
                _ => None,
            },
            date,
        }
    }
}

/// One message, from MAIL to the word of postdrop.
pub(crate) struct Submission {
    sender: Sender,
    recipients: Vec<Recipient>,
    drop: Option<Drop>,
}

/// The process that takes it.
struct Drop {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    id: String,
    records: Vec<u8>,
    /// A line whose end has not come yet.
    line: Vec<u8>,
    broken: Option<io::Error>,
}

impl Submission {
    pub(crate) fn new(sender: Sender) -> Self {
        Self { sender, recipients: Vec::new(), drop: None }
    }

    pub(crate) fn admit(&mut self, recipient: Recipient) {
        self.recipients.push(recipient);
    }

    /// Starts postdrop with the envelope; returns the queue id.
    pub(crate) fn begin(&mut self, author: &Author) -> io::Result<String> {
        let mut child =
            Command::new(&author.postdrop).arg("-r").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("no pipe to postdrop"));
        };
        let mut output = BufReader::new(output);
        let greeting = read_message(&mut output)?;
        let id = greeting.text("queue_id").map_err(io::Error::other)?.to_owned();
        let records = envelope(&self.sender, &self.recipients);
        let mut drop = Drop { child, input, output, id, records, line: Vec::new(), broken: None };
        let date = crate::intake::now();
        for line in author.received(&self.recipients, date).lines(&drop.id) {
            write_line(&mut drop.records, line.as_bytes(), author.line_limit_bytes);
        }
        Ok(self.drop.insert(drop).id.clone())
    }

    /// Lines of the message, or a piece of a long one. What goes wrong is told at the end.
    pub(crate) fn content(&mut self, lines: &[u8], author: &Author) {
        let Some(drop) = &mut self.drop else { return };
        for piece in lines.split_inclusive(|byte| *byte == b'\n') {
            drop.line.extend_from_slice(piece);
            if drop.line.last() == Some(&b'\n') {
                drop.line.pop();
                write_line(&mut drop.records, &drop.line, author.line_limit_bytes);
                drop.line.clear();
            }
        }
        if drop.records.len() >= BLOCK_BYTES {
            drop.hand_on();
        }
    }

    /// Ends the message; on `Ok` it is safe.
    pub(crate) fn finish(&mut self, author: &Author) -> io::Result<String> {
        let Some(mut drop) = self.drop.take() else {
            return Err(io::Error::other("postdrop was not started"));
        };
        if !drop.line.is_empty() {
            write_line(&mut drop.records, &drop.line, author.line_limit_bytes);
        }
        record::write(&mut drop.records, Kind::EXTRACTED, b"");
        record::write(&mut drop.records, Kind::END, b"");
        drop.hand_on();
        let Drop { mut child, input, mut output, id, broken, .. } = drop;
        std::mem::drop(input);
        let status = read_message(&mut output);
        let _ = child.wait();
        if let Some(error) = broken {
            return Err(error);
        }
        match status?.parse::<i32>("status") {
            Ok(0) => Ok(id),
            Ok(other) => Err(io::Error::other(format!("status {other}"))),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

impl std::ops::Drop for Submission {
    /// A message that came to nothing: postdrop removes what it has when its input ends early.
    fn drop(&mut self) {
        if let Some(Drop { mut child, input, .. }) = self.drop.take() {
            std::mem::drop(input);
            let _ = child.wait();
        }
    }
}

impl Drop {
    fn hand_on(&mut self) {
        let records = std::mem::take(&mut self.records);
        if self.broken.is_none() {
            self.broken = self.input.write_all(&records).err();
        }
    }
}

/// The records up to the content.
fn envelope(sender: &Sender, recipients: &[Recipient]) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(id) = &sender.envelope_id {
        record::write_attribute(&mut out, "envelope_id", id);
    }
    if let Some(ret) = sender.ret {
        let flags = if ret == Return::Full { "1" } else { "2" };
        record::write_attribute(&mut out, "ret_flags", flags);
    }
    record::write_attribute(&mut out, "rewrite_context", "local");
    record::write(&mut out, Kind::SENDER, sender.address.as_bytes());
    if let Some(delimiters) = &sender.verp {
        record::write(&mut out, Kind::VERP, delimiters.as_bytes());
    }
    if let Some(body) = sender.body {
        record::write_attribute(&mut out, "encoding", if body == Body::EightBit { "8bit" } else { "7bit" });
    }
    for recipient in recipients {
        if let Some(notify) = recipient.notify {
            record::write_attribute(&mut out, "notify_flags", &notify.bits().to_string());
        }
        if !recipient.original.is_empty() {
            record::write_attribute(&mut out, "dsn_orig_rcpt", &recipient.original);
        }
        record::write(&mut out, Kind::RECIPIENT, recipient.address.as_bytes());
    }
    record::write(&mut out, Kind::MESSAGE, b"");
    out
}

/// One message of attributes.
fn read_message(from: &mut impl BufRead) -> io::Result<Attributes> {
    let mut bytes = Vec::new();
    for byte in from.by_ref().bytes().take(ANSWER_LIMIT_BYTES) {
        bytes.push(byte?);
        if let Some((message, _)) = Attributes::decode(&bytes).map_err(io::Error::other)? {
            return Ok(message);
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue_format::record::walk;

    #[test]
    fn the_envelope_is_what_the_client_said() {
        let sender = Sender { address: "a@b".into(), envelope_id: Some("x".into()), ..Sender::default() };
        let recipient = Recipient { address: "c@d".into(), notify: None, original: "rfc822;c@d".into() };
        let records = envelope(&sender, &[recipient]);
        let shown: Vec<_> = walk(&records)
            .map(|item| {
                let (_, record) = item.unwrap();
                format!("{}{}", char::from(record.kind.0), String::from_utf8_lossy(record.data))
            })
            .collect();
        assert_eq!(
            shown,
            ["Aenvelope_id=x", "Arewrite_context=local", "Sa@b", "Adsn_orig_rcpt=rfc822;c@d", "Rc@d", "M"]
        );
    }

    #[test]
    fn a_message_of_attributes_is_read_to_its_end_and_no_further() {
        let mut bytes = Attributes::new().with("status", 0).to_bytes();
        bytes.extend_from_slice(b"rest");
        let mut input = bytes.as_slice();
        assert_eq!(read_message(&mut input).unwrap().parse::<i32>("status"), Ok(0));
        assert_eq!(input, b"rest");
        assert!(read_message(&mut &b"stat"[..]).is_err());
    }
}
