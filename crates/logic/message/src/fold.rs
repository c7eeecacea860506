//! Folding of an address header that was rewritten (RFC 5322 §2.2.3).

/// A line is filled up to this length, a tab counting as one.
const FILL_WIDTH: usize = 70;

/// Joins the lines of `text` with blanks into longer ones below [`FILL_WIDTH`]; all but the first begin with a tab.
pub fn fill(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut width = 0;
    for piece in text.split('\n') {
        match lines.last_mut() {
            Some(line) if width + 1 + piece.len() < FILL_WIDTH => {
                line.push(' ');
                line.push_str(piece);
                width += 1 + piece.len();
            }
            None => {
                lines.push(piece.to_owned());
                width = piece.len();
            }
            Some(_) => {
                let blank = piece.starts_with([' ', '\t']);
                lines.push(if blank { piece.to_owned() } else { format!("\t{piece}") });
                width = piece.len();
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lines_are_joined() {
        assert_eq!(fill("To: a@x,\nb@y,\nc@z"), ["To: a@x, b@y, c@z"]);
        assert_eq!(fill("To: a,\n"), ["To: a, "]);
    }

    #[test]
    fn long_ones_go_on_behind_a_tab() {
        let word = "x".repeat(34);
        assert_eq!(fill(&format!("{word}\n{word}")), [format!("{word} {word}")]);
        let longer = "x".repeat(35);
        assert_eq!(fill(&format!("{word}\n{longer}\nb")), [word, format!("\t{longer} b")]);
    }
}
