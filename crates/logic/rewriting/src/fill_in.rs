//! `$name` in a text of the configuration.

/// Puts values in the place of `$name` and `${name}`; names that are not known stay.
pub fn fill_in(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (name, after) = match rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some(pair) => pair,
            None => {
                let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
                rest.split_at(rest.find(|character| !is_name(character)).unwrap_or(rest.len()))
            }
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => {
                out.push_str(value);
                rest = after;
            }
            None => out.push('$'),
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollar_names_are_filled_in() {
        let values = [("user", "joe"), ("extension", "x")];
        assert_eq!(fill_in("a+$user.${extension}@h $other $", &values), "a+joe.x@h $other $");
    }
}
