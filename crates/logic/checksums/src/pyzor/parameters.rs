//! What stands behind a Content-Type, read as Python's `email` reads it.

/// The type in lower case; what is no type is plain text.
pub(super) fn content_type(value: &str) -> String {
    let kind = value.split(';').next().unwrap_or_default().trim().to_lowercase();
    if kind.matches('/').count() == 1 { kind } else { "text/plain".to_owned() }
}

/// The value of a parameter, without quotes.
pub(super) fn parameter(value: &str, name: &str) -> Option<String> {
    let pieces = pieces(value);
    let plain = pieces.iter().find(|(known, _)| known == name).map(|(_, value)| unquoted(value));
    plain.or_else(|| continued(&pieces, name))
}

/// `name=value` of each piece; a semicolon between quotes does not end one.
fn pieces(value: &str) -> Vec<(String, String)> {
    let mut quoted = false;
    let mut before = ' ';
    let ends = |character: char| {
        quoted ^= character == '"' && before != '\\';
        before = character;
        let ends = character == ';' && !quoted;
        // Each piece is looked at by itself.
        quoted &= !ends;
        ends
    };
    let named = |piece: &str| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        (name.trim().to_lowercase(), value.trim().to_owned())
    };
    value.split(ends).map(named).collect()
}

/// RFC 2231 §3, §4: a value in pieces, with a charset and percent signs where a `*` says so.
fn continued(pieces: &[(String, String)], name: &str) -> Option<String> {
    let mut found: Vec<(usize, String, bool)> = Vec::new();
    for (known, value) in pieces.iter().skip(1) {
        let Some(rest) = known.strip_prefix(name).and_then(|rest| rest.strip_prefix('*')) else { continue };
        let (number, encoded) = match rest.strip_suffix('*') {
            Some(number) => (number, true),
            None => (rest, rest.is_empty()),
        };
        let number = if number.is_empty() { Some(0) } else { number.parse().ok() };
        found.extend(number.map(|number| (number, unquoted(value), encoded)));
    }
    if found.is_empty() {
        return None;
    }
    found.sort();
    let encoded = found.iter().any(|(_, _, encoded)| *encoded);
    let part = |(_, text, encoded): &(usize, String, bool)| {
        if *encoded { percent_decoded(text) } else { text.clone() }
    };
    let whole: String = found.iter().map(part).collect();
    if !encoded {
        return Some(unquoted(&whole));
    }
    let mut parts = whole.splitn(3, '\'');
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    Some(if second.is_some() {
        third.unwrap_or(&whole).to_owned()
    } else {
        first.unwrap_or_default().to_owned()
    })
}

fn percent_decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) => {
                decoded.push(char::from(code));
                decoded.push_str(&piece[2..]);
            }
            None => {
                decoded.push('%');
                decoded.push_str(piece);
            }
        }
    }
    decoded
}

/// Without the quotes or angle brackets around it.
pub(super) fn unquoted(text: &str) -> String {
    let inner = |open: char, close: char| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    if let Some(inner) = inner('"', '"') {
        return inner.replace("\\\\", "\\").replace("\\\"", "\"");
    }
    inner('<', '>').unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found() {
        let value = "Multipart/Mixed; boundary=\"a;b\\\"c\"; charset = <x>\n\tname*0=one; name*1=two";
        assert_eq!(content_type(value), "multipart/mixed");
        assert_eq!(parameter(value, "boundary").as_deref(), Some("a;b\"c"));
        assert_eq!(
            parameter("text/plain; charset*=us-ascii'en'utf%2d8", "charset").as_deref(),
            Some("utf-8")
        );
        assert_eq!(parameter("x/y; n*0=a; n*1=b", "n").as_deref(), Some("ab"));
        assert_eq!(parameter("text", "charset"), None);
        assert_eq!(content_type("text"), "text/plain");
    }
}
