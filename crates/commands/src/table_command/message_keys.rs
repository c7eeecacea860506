//! A message on standard input, taken apart into lookup keys (`postmap -bhm -q -`).

use super::options::MessageKeys;
use message::scanner::Limits;
use message::{Event, Scanner, header_name};
use std::io::{self, BufRead};

/// Calls `each` with every header field and body line that `wanted` names.
///
/// # Errors
/// Of `input`, and of `each`, which ends the work.
pub(super) fn for_each_key<E: From<io::Error>>(
    mut input: impl BufRead,
    wanted: MessageKeys,
    each: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let limits = Limits { structure: wanted.parts, header_bytes: usize::MAX, ..Limits::default() };
    let mut scanner = Scanner::new(limits);
    let mut events = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let more = input.read_until(b'\n', &mut line)? > 0;
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if more {
            scanner.line(text, true, &mut events);
        } else {
            scanner.end(&mut events);
        }
        for event in events.drain(..) {
            match event {
                Event::Header { text, .. } if wanted.headers => each(&without_gap(text))?,
                Event::MissingBlank if wanted.body => each(b"")?,
                Event::Body { .. } if wanted.body => each(text)?,
                _ => {}
            }
        }
        if !more {
            return Ok(());
        }
    }
}

/// White space between a field's name and its colon is no part of the key.
fn without_gap(mut field: Vec<u8>) -> Vec<u8> {
    if let Some(name) = header_name(&field).map(<[u8]>::len)
        && let Some(colon) = field.iter().position(|byte| *byte == b':')
    {
        field.drain(name..colon);
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(headers: bool, body: bool, parts: bool, text: &str) -> Vec<String> {
        let mut all = Vec::new();
        let mut take = |key: &[u8]| -> io::Result<()> {
            all.push(String::from_utf8(key.to_vec()).unwrap());
            Ok(())
        };
        for_each_key(text.as_bytes(), MessageKeys { headers, body, parts }, &mut take).unwrap();
        all
    }

    const MESSAGE: &str = "Subject: x\nX-Long: a\n tail\nTo : y\nnot a header\n\nline\n  last";

    #[test]
    fn headers_and_body_come_apart() {
        assert_eq!(keys(true, false, false, MESSAGE), ["Subject: x", "X-Long: a\n tail", "To: y"]);
        assert_eq!(keys(false, true, false, MESSAGE), ["", "not a header", "", "line", "  last"]);
    }

    #[test]
    fn parts_have_headers_only_if_asked() {
        let text = "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: 1\n\nbody\n--b--\n";
        assert_eq!(keys(true, false, true, text).last().unwrap(), "X: 1");
        assert_eq!(keys(true, false, false, text).len(), 1);
        assert!(keys(false, true, false, text).contains(&"X: 1".to_owned()));
    }
}
