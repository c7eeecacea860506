//! Prints ENVELOPE and BODYSTRUCTURE of the messages in files, to hold them against another server's.

use std::io::Write as _;
use std::path::Path;

use imap_protocol::write::Out;
use message::structure::Part;

fn main() {
    for path in std::env::args().skip(1) {
        let Ok(text) = std::fs::read(&path) else { continue };
        let message = with_crlf(&text);
        let part = Part::read(&message);
        let mut out = Out::default();
        let mut fetch = out.fetch(1);
        fetch.structure(&message, &part, true);
        fetch.envelope(&message[part.header.clone()]);
        fetch.end();
        let name = Path::new(&path).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut line = format!("## {name}\n").into_bytes();
        line.extend(out.into_bytes());
        if std::io::stdout().write_all(&line).is_err() {
            return;
        }
    }
}

fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        message.extend_from_slice(bare.strip_suffix(b"\r").unwrap_or(bare));
        if bare.len() < line.len() {
            message.extend_from_slice(b"\r\n");
        }
    }
    message
}
