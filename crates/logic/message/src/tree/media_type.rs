//! `Content-Type` as a lenient reader takes it (RFC 2045 §5).

/// What a `Content-Type` field says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MediaType {
    /// In lower case; any text that is not HTML, vCard or calendar counts as `text/plain`.
    pub kind: String,
    /// The boundary of a multipart.
    pub boundary: Option<Vec<u8>>,
    /// The charset.
    pub charset: Option<Vec<u8>>,
    /// The file name.
    pub name: Option<Vec<u8>>,
    /// There was no such field, or it said nothing.
    pub missing: bool,
}

impl MediaType {
    /// Reads the decoded value of the field.
    pub fn parse(value: Option<&[u8]>) -> Self {
        let given = value.filter(|value| !value.is_empty() && *value != b"0");
        let text = given.unwrap_or(b"text/plain; charset=us-ascii");
        let kind = kind(text);
        let missing = given.is_none() || kind.is_empty();
        Self {
            kind: effective(&kind),
            boundary: boundary(text),
            charset: parameter(text, b"charset"),
            name: parameter(text, b"name")
                .or_else(|| parameter(text, b"filename"))
                .filter(|name| !name.is_empty())
                .or_else(|| numbered_name(text)),
            missing,
        }
    }
}

fn kind(text: &[u8]) -> String {
    let text = text.trim_ascii_start();
    let text = &text[..text.iter().position(|byte| *byte == b';').unwrap_or(text.len())];
    let end = match text.iter().position(|byte| *byte == b'/') {
        Some(slash) if slash > 0 => {
            let rest = &text[slash + 1..];
            slash
                + 1
                + rest
                    .iter()
                    .position(|byte| *byte == b'/' || byte.is_ascii_whitespace())
                    .unwrap_or(rest.len())
        }
        _ => text.len(),
    };
    String::from_utf8_lossy(&text[..end]).to_ascii_lowercase()
}

fn effective(kind: &str) -> String {
    let word_end = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
    let is_text = kind.strip_prefix("text").is_some_and(word_end);
    let kept = matches!(kind, "text/x-vcard" | "text/calendar" | "text/html");
    if kind.is_empty() || (is_text && !kept) {
        return "text/plain".to_owned();
    }
    let odd = |char: char| !char.is_ascii_graphic() || "\"(),:;<=>?@[\\]".contains(char);
    kind.chars().filter(|char| !odd(*char)).collect()
}

/// Where `name` stands as a word of its own, followed by `=`: what comes behind it.
fn behind<'a>(text: &'a [u8], name: &[u8]) -> Vec<&'a [u8]> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut found = Vec::new();
    for at in 0..text.len().saturating_sub(name.len()) {
        let begins = text[at..at + name.len()].eq_ignore_ascii_case(name);
        if begins && (at == 0 || !is_word(text[at - 1])) {
            let rest = text[at + name.len()..].trim_ascii_start();
            found.extend(rest.strip_prefix(b"=").map(<[u8]>::trim_ascii_start));
        }
    }
    found
}

fn boundary(text: &[u8]) -> Option<Vec<u8>> {
    behind(text, b"boundary").into_iter().find_map(|value| {
        if let Some(quoted) = value.strip_prefix(b"\"") {
            let end = quoted.iter().position(|byte| *byte == b'"').unwrap_or(quoted.len());
            return (end > 0).then(|| quoted[..end].to_vec());
        }
        let stop = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b';');
        let end = value.iter().position(stop).unwrap_or(value.len());
        (end > 0 && value.get(end) != Some(&b'"')).then(|| value[..end].to_vec())
    })
}

fn parameter(text: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    behind(text, name).first().map(|value| unquoted(value))
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
    let value = &value[..value.iter().position(|byte| *byte == b';').unwrap_or(value.len())];
    value.strip_suffix(b"\"").or_else(|| value.strip_suffix(b"'")).unwrap_or(value).to_vec()
}

/// RFC 2231 §3: a name in numbered pieces.
fn numbered_name(text: &[u8]) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    for number in 0..100 {
        let key = format!("name*{number}");
        let file = format!("filename*{number}");
        let Some(piece) = parameter(text, key.as_bytes()).or_else(|| parameter(text, file.as_bytes())) else {
            break;
        };
        name.extend(piece);
    }
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> MediaType {
        MediaType::parse(Some(value.as_bytes()))
    }

    #[test]
    fn types_and_parameters() {
        let html = read("Text/HTML; charset=\"ISO-8859-1\"; name=a.html");
        assert_eq!(html.kind, "text/html");
        assert_eq!(html.charset.as_deref(), Some(&b"ISO-8859-1"[..]));
        assert_eq!(html.name.as_deref(), Some(&b"a.html"[..]));
        assert_eq!(read("text/enriched").kind, "text/plain");
        assert_eq!(read("multipart/mixed; boundary=\"a b\"").boundary.as_deref(), Some(&b"a b"[..]));
        assert_eq!(read("multipart/mixed; boundary=ab; x=y").boundary.as_deref(), Some(&b"ab"[..]));
        assert_eq!(read("multipart/mixed; boundary=").boundary, None);
        assert!(MediaType::parse(None).missing && MediaType::parse(None).kind == "text/plain");
    }
}
