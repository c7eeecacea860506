//! Canonical forms (RFC 6376 §3.4): what may change on the way without breaking a signature.

/// Which changes are forgiven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// None but blank lines at the end of the body.
    Simple,
    /// Those of blanks.
    Relaxed,
}

impl Method {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "simple" => Some(Self::Simple),
            "relaxed" => Some(Self::Relaxed),
            _ => None,
        }
    }

    /// A field without the line end at its end.
    pub(crate) fn field(self, field: &[u8]) -> Vec<u8> {
        match self {
            Self::Simple => field.to_vec(),
            Self::Relaxed => relaxed_field(field),
        }
    }

    /// The body.
    pub(crate) fn body(self, body: &[u8]) -> Vec<u8> {
        let mut text = match self {
            Self::Simple => body.to_vec(),
            Self::Relaxed => relaxed_lines(body),
        };
        while text.ends_with(b"\r\n\r\n") {
            text.truncate(text.len() - 2);
        }
        let is_bare = text.is_empty() || text == b"\r\n";
        match self {
            // RFC 6376 §3.4.4: a body of nothing stays nothing.
            Self::Relaxed if is_bare => text.clear(),
            // RFC 6376 §3.4.3: a line end is added where there is none.
            _ if !text.ends_with(b"\r\n") => text.extend_from_slice(b"\r\n"),
            _ => {}
        }
        text
    }
}

fn relaxed_field(field: &[u8]) -> Vec<u8> {
    let colon = field.iter().position(|byte| *byte == b':').unwrap_or(field.len());
    let mut text = field[..colon].trim_ascii_end().to_ascii_lowercase();
    text.push(b':');
    let start = text.len();
    let mut rest = field[colon..].iter().skip(1).copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b' ' | b'\t' if text.len() == start || text.ends_with(b" ") => {}
            b' ' | b'\t' => text.push(b' '),
            b'\r' if rest.peek() == Some(&b'\n') => {
                rest.next();
            }
            byte => text.push(byte),
        }
    }
    while text.len() > start && text.ends_with(b" ") {
        text.pop();
    }
    text
}

/// Lines without blanks at their ends, with single ones in them.
fn relaxed_lines(body: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(body.len() + 2);
    let mut blank = false;
    let mut rest = body.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if matches!(byte, b' ' | b'\t') {
            blank = true;
            continue;
        }
        let ends_line = byte == b'\r' && rest.peek() == Some(&b'\n');
        if std::mem::take(&mut blank) && !ends_line {
            text.push(b' ');
        }
        text.push(byte);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6376 §3.4.5
    #[test]
    fn examples_of_the_standard() {
        assert_eq!(Method::Relaxed.field(b"A: X"), b"a:X");
        assert_eq!(Method::Relaxed.field(b"B : Y\t\r\n\tZ  "), b"b:Y Z");
        assert_eq!(Method::Simple.field(b"B : Y\t\r\n\tZ  "), b"B : Y\t\r\n\tZ  ");
        let body = b" C \r\nD \t E\r\n\r\n\r\n";
        assert_eq!(Method::Relaxed.body(body), b" C\r\nD E\r\n");
        assert_eq!(Method::Simple.body(body), b" C \r\nD \t E\r\n");
    }

    #[test]
    fn bodies_of_nothing() {
        for body in [&b""[..], b"\r\n", b"\r\n\r\n"] {
            assert_eq!(Method::Simple.body(body), b"\r\n");
            assert_eq!(Method::Relaxed.body(body), b"");
        }
        assert_eq!(Method::Relaxed.body(b" \r\n\t\r\n"), b"");
        assert_eq!(Method::Simple.body(b"x"), b"x\r\n");
        assert_eq!(Method::Relaxed.body(b"x  "), b"x\r\n");
    }
}
