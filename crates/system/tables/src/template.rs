//! Templates of queries and results: `SELECT x FROM y WHERE z = '%s'`, as sqlite_table(5) and its kin have it.

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// `%s %u %d`, or of the key `%S %U %D`.
    Part {
        of_key: bool,
        part: Part,
    },
    /// `%1`: a label of the key's domain, counted from its end.
    Label(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// What is before the last `@`; of a text without, all of it.
    User,
    /// What is behind it.
    Domain,
}

/// How a part is made fit to stand within quotes.
pub(crate) type Quote = fn(&str) -> String;

impl Template {
    /// `None` if a `%` is followed by something else than `s u d S U D 1 .. 9 %`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if character != '%' {
                plain.push(character);
                continue;
            }
            let piece = match rest.next()? {
                '%' => {
                    plain.push('%');
                    continue;
                }
                digit @ '1'..='9' => Piece::Label(digit.to_digit(10)? as usize),
                letter => {
                    let part = match letter.to_ascii_lowercase() {
                        's' => Part::Whole,
                        'u' => Part::User,
                        'd' => Part::Domain,
                        _ => return None,
                    };
                    Piece::Part { of_key: letter.is_ascii_uppercase(), part }
                }
            };
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(piece);
        }
        pieces.push(Piece::Text(plain));
        Some(Self { pieces })
    }

    /// The template with `value` and `key` in place; `None` if one of them has not what it asks for, which means
    /// "nothing to be found".
    pub(crate) fn fill(&self, value: &str, key: &str, quote: Quote) -> Option<String> {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Part { of_key, part } => {
                    filled.push_str(&quote(part.of(if *of_key { key } else { value })?));
                }
                Piece::Label(number) => {
                    let domain = Part::Domain.of(key)?;
                    filled.push_str(&quote(domain.rsplit('.').nth(number - 1)?));
                }
            }
        }
        Some(filled)
    }
}

impl Part {
    fn of(self, text: &str) -> Option<&str> {
        let split = text.rsplit_once('@');
        let part = match self {
            Self::Whole => Some(text),
            Self::User => Some(split.map_or(text, |(user, _)| user)),
            Self::Domain => split.map(|(_, domain)| domain),
        };
        part.filter(|part| !part.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, value: &str, key: &str) -> Option<String> {
        Template::parse(template).unwrap().fill(value, key, str::to_owned)
    }

    #[test]
    fn parts_of_value_and_key_are_put_in() {
        let value = "a@b@c.d.e";
        assert_eq!(fill("%u-%d-%1-%2%%", value, value).as_deref(), Some("a@b-c.d.e-e-d%"));
        assert_eq!(fill("<%s|%S|%U|%D>", "x", "u@y.z").as_deref(), Some("<x|u@y.z|u|y.z>"));
    }

    #[test]
    fn what_is_missing_finds_nothing() {
        for (template, value) in
            [("%d", "x"), ("%u", "@x"), ("%d", "x@"), ("%2", "x@com"), ("%1", "com"), ("%s", "")]
        {
            assert_eq!(fill(template, value, value), None, "{template} {value}");
        }
        assert_eq!(fill("%u", "x", "").as_deref(), Some("x"));
    }

    #[test]
    fn a_percent_sign_needs_a_letter() {
        for text in ["%z", "a%", "%0"] {
            assert_eq!(Template::parse(text), None, "{text}");
        }
    }
}
