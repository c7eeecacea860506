//! Lines of settings: white space made single, long lines folded, or JSON.

/// Where long lines are folded, in characters.
pub(super) const LINE_LIMIT: usize = 80;
/// What a folded line goes on with.
pub(super) const INDENT: &str = "    ";

/// The words of `text` with one blank between them, and a line end; folded when wanted.
pub(super) fn line(text: &str, fold: bool) -> String {
    let mut line = String::with_capacity(text.len() + 1);
    let mut length = 0;
    for word in text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
        if length > 0 {
            if fold && length + word.len() >= LINE_LIMIT {
                line.push('\n');
                line.push_str(INDENT);
                length = INDENT.len();
            } else {
                line.push(' ');
                length += 1;
            }
        }
        line.push_str(word);
        length += word.len();
    }
    line.push('\n');
    line
}

/// How settings are printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) fold: bool,
    pub(super) hide_name: bool,
    pub(super) hide_value: bool,
    pub(super) json: bool,
}

impl Style {
    /// A setting in this style.
    pub(super) fn setting(self, name: &str, value: &str) -> String {
        match self {
            Self { json: true, .. } => format!("{{{}: {}}}\n", json_string(name), json_string(value)),
            Self { hide_value: true, .. } => line(name, self.fold),
            Self { hide_name: true, .. } => line(value, self.fold),
            _ => line(&[name, " = ", value].concat(), self.fold),
        }
    }
}

/// A string of JSON (RFC 8259 §7).
fn json_string(text: &str) -> String {
    let mut string = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => string.extend(['\\', character]),
            '\0'..='\x1f' => string.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => string.push(character),
        }
    }
    string.push('"');
    string
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_and_folded() {
        assert_eq!(line(" a \t b\n c ", false), "a b c\n");
        let long = format!("name = {} {} {}", "x".repeat(40), "y".repeat(40), "z".repeat(100));
        let folded = line(&long, true);
        let lines: Vec<&str> = folded.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].starts_with("    y") && lines[2].starts_with("    z"));
    }

    #[test]
    fn styles() {
        let style = Style { fold: false, hide_name: false, hide_value: false, json: false };
        assert_eq!(style.setting("a", ""), "a =\n");
        assert_eq!(Style { hide_name: true, ..style }.setting("a", "b  c"), "b c\n");
        assert_eq!(Style { hide_value: true, ..style }.setting("a", "b"), "a\n");
        assert_eq!(Style { json: true, ..style }.setting("a", "b\"\t"), "{\"a\": \"b\\\"\\u0009\"}\n");
    }
}
