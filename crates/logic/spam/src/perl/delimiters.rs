//! From `m{...}i` to the expression itself.

/// Why a pattern can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// It begins with no delimiter.
    #[error("a pattern stands between delimiters, as in /word/i")]
    NoDelimiter,
    /// It does not end as it began, or what follows is no modifier.
    #[error("the pattern does not end in {0:?} and modifiers such as i, m, s, x")]
    NoEnd(char),
    /// The delimiter stands in the middle.
    #[error("{0:?} stands in the pattern without a backslash before it")]
    StrayDelimiter(char),
    /// It would run code.
    #[error("a pattern may not hold code: (?{{...}})")]
    Code,
    /// The engine does not take it.
    #[error("{0}")]
    Syntax(String),
}

/// The expression between delimiters, with its modifiers as `(?i)` in front.
pub(super) fn strip(text: &str) -> Result<String, BadPattern> {
    let (rest, end) = begin(text)?;
    let cut = rest.rfind(end).ok_or(BadPattern::NoEnd(end))?;
    let (body, modifiers) = (&rest[..cut], &rest[cut + end.len_utf8()..]);
    // `e` would run code, so it is no modifier here.
    if !modifiers.chars().all(|char| char.is_ascii_lowercase() && char != 'e') {
        return Err(BadPattern::NoEnd(end));
    }
    refuse_code(body)?;
    if !matches!(end, '}' | ')' | ']') && has_unescaped(body, end) {
        return Err(BadPattern::StrayDelimiter(end));
    }
    Ok(with_modifiers(body, modifiers))
}

/// Refuses what would run code.
pub(super) fn refuse_code(body: &str) -> Result<(), BadPattern> {
    if body.contains("(?{") || body.contains("(??{") { Err(BadPattern::Code) } else { Ok(()) }
}

fn begin(text: &str) -> Result<(&str, char), BadPattern> {
    if let Some(rest) = text.strip_prefix('/') {
        return Ok((rest, '/'));
    }
    let rest = text.strip_prefix("qr").or_else(|| text.strip_prefix('m')).ok_or(BadPattern::NoDelimiter)?;
    let first = rest.chars().next().ok_or(BadPattern::NoDelimiter)?;
    let end = match first {
        '{' => '}',
        '(' => ')',
        '<' => '>',
        '[' => ']',
        char if char.is_alphanumeric() || matches!(char, '_' | '\\') => return Err(BadPattern::NoDelimiter),
        char => char,
    };
    Ok((&rest[first.len_utf8()..], end))
}

fn has_unescaped(body: &str, delimiter: char) -> bool {
    let mut escaped = false;
    body.chars().any(|char| {
        let found = char == delimiter && !escaped;
        escaped = char == '\\' && !escaped;
        found
    })
}

/// Of the modifiers only these change what matches; the others speak of how Perl compiles or counts.
fn with_modifiers(body: &str, modifiers: &str) -> String {
    let kept: String = modifiers.chars().filter(|char| matches!(char, 'i' | 'm' | 's' | 'x' | 'n')).collect();
    if kept.is_empty() { body.to_owned() } else { format!("(?{kept}){body}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_of_all_kinds() {
        assert_eq!(strip("/a\\/b/i").unwrap(), "(?i)a\\/b");
        assert_eq!(strip("m{a{2}}").unwrap(), "a{2}");
        assert_eq!(strip("m'x'").unwrap(), "x");
        assert_eq!(strip("m,x,si").unwrap(), "(?si)x");
        assert_eq!(strip("abc"), Err(BadPattern::NoDelimiter));
        assert_eq!(strip("/a/b/"), Err(BadPattern::StrayDelimiter('/')));
        assert_eq!(strip("/(?{x})/"), Err(BadPattern::Code));
        assert_eq!(strip("/a"), Err(BadPattern::NoEnd('/')));
    }
}
