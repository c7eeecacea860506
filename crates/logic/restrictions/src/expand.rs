//! `$name` in replies: `$name`, `${name}`, `$(name)`, `${name?text}`, `${name:text}`, with `{ }` around the text or not.

/// The characters that a value may put into a reply (`smtpd_expansion_filter`); others become `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpansionFilter(Vec<char>);

impl ExpansionFilter {
    /// Reads the parameter, with `\\t`, `\\n` and octal numbers behind a backslash.
    pub fn parse(text: &str) -> Self {
        let mut allowed = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(letter) = rest.next() {
            if letter != '\\' {
                allowed.push(letter);
                continue;
            }
            let mut number = 0;
            let mut digits = 0;
            while let Some(digit) = rest.peek().and_then(|letter| letter.to_digit(8)).filter(|_| digits < 3) {
                (number, digits) = (number * 8 + digit, digits + 1);
                rest.next();
            }
            let escaped = if digits > 0 { char::from_u32(number) } else { rest.next().map(unescaped) };
            allowed.extend(escaped);
        }
        Self(allowed)
    }

    /// The value as it may stand in a reply.
    pub fn apply(&self, value: &str) -> String {
        value.chars().map(|letter| if self.0.contains(&letter) { letter } else { '_' }).collect()
    }
}

fn unescaped(letter: char) -> char {
    match letter {
        't' => '\t',
        'n' => '\n',
        other => other,
    }
}

/// How deep conditions may stand within one another.
const DEPTH_LIMIT: usize = 20;

/// Expands `template`; a name without a value is empty. Values are not expanded again, whoever wrote them.
pub fn expand(template: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    expand_into(template, value, DEPTH_LIMIT, &mut out);
    out
}

fn expand_into(mut rest: &str, value: &dyn Fn(&str) -> Option<String>, depth: usize, out: &mut String) {
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((inside, after)) = bracketed(rest) {
            reference(inside, value, depth, out);
            rest = after;
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            out.push_str(&value(&rest[..end]).unwrap_or_default());
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
}

fn reference(inside: &str, value: &dyn Fn(&str) -> Option<String>, depth: usize, out: &mut String) {
    let end = inside.find(['?', ':']).unwrap_or(inside.len());
    let (name, condition) = inside.split_at(end);
    let found = value(name.trim()).unwrap_or_default();
    let Some(kind) = condition.chars().next() else { return out.push_str(&found) };
    let (first, second) = branches(&condition[1..]);
    let chosen = if (kind == '?') == found.is_empty() { second } else { first };
    if depth > 0 {
        expand_into(chosen, value, depth - 1, out);
    }
}

/// `{a}:{b}`, `{a}` or plain text.
fn branches(text: &str) -> (&str, &str) {
    match text.trim_start().starts_with('{').then(|| bracketed(text.trim_start())).flatten() {
        Some((first, rest)) => {
            let second = rest.trim_start().strip_prefix(':').map_or("", str::trim_start);
            (first, bracketed(second).map_or(second, |(inside, _)| inside))
        }
        None => (text, ""),
    }
}

/// The text between the bracket that `text` starts with and its partner, and what follows.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let (open, close) = match text.chars().next()? {
        '{' => ('{', '}'),
        '(' => ('(', ')'),
        _ => return None,
    };
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        depth += i32::from(letter == open) - i32::from(letter == close);
        if depth == 0 {
            return Some((&text[1..at], &text[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(template: &str) -> String {
        let value = |name: &str| match name {
            "code" => Some("554".to_owned()),
            "reason" => Some("$code".to_owned()),
            _ => None,
        };
        expand(template, &value)
    }

    #[test]
    fn a_filter_keeps_what_it_names() {
        let filter = ExpansionFilter::parse(r"\t\40ab\\[\]");
        assert_eq!(filter.apply("a b\tc\\[x]"), "a b\t_\\[_]");
    }

    #[test]
    fn names_and_conditions_are_replaced() {
        assert_eq!(expanded("$code x ${code} $(code)$$"), "554 x 554 554$");
        assert_eq!(expanded("a${reason?; $reason}b${none?; x}"), "a; $codeb");
        assert_eq!(expanded("${none:no} ${code?{yes}:{no}} ${none?{yes}:{no}}"), "no yes no");
        assert_eq!(expanded("${unclosed"), "{unclosed");
    }
}
