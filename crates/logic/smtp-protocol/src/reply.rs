//! What the server says: a code, an enhanced status code where one belongs, and text.

use std::fmt;

/// One reply (RFC 5321 §4.2): `550 5.1.1 text`, where line feeds part the lines of a longer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    text: String,
    of_address: bool,
}

impl Reply {
    /// A reply from its text, which starts with three digits and a blank. Control characters become blanks: a client, a
    /// table or a policy server may have written part of the text.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let breaks = |character: char| character.is_ascii_control() && character != '\n';
        if text.contains(breaks) {
            return Self::plain(text.replace(breaks, " "));
        }
        Self::plain(text)
    }

    /// The same refusal, known to be of an address where mail would come back from (`notify_classes`: "bounce").
    #[must_use]
    pub fn of_address(self) -> Self {
        Self { of_address: true, ..self }
    }

    /// As [`Reply::of_address`] has marked it.
    pub(crate) fn is_of_address(&self) -> bool {
        self.of_address
    }

    fn plain(text: String) -> Self {
        Self { text, of_address: false }
    }

    /// The three digits.
    pub fn code(&self) -> &str {
        self.text.get(..3).unwrap_or("451")
    }

    /// All of it, `550 5.1.1 text`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// After 421 and 521 the server hangs up (RFC 5321 §3.8, RFC 7504).
    pub fn hangs_up(&self) -> bool {
        matches!(self.code(), "421" | "521")
    }

    /// The same as a temporary refusal, for `soft_bounce`: 550 5.x becomes 450 4.x.
    #[must_use]
    pub fn softened(self) -> Self {
        if !self.text.starts_with('5') || self.hangs_up() {
            return self;
        }
        let mut text = format!("4{}", &self.text[1..]);
        if self.text.get(4..6) == Some("5.") {
            text.replace_range(4..5, "4");
        }
        Self { text, ..self }
    }

    /// Appends `footer` as further lines, with the code and enhanced code of the reply before each. A footer that begins
    /// with `\\c` goes on in the reply's own last line; `\\n` begins another one.
    #[must_use]
    pub fn with_footer(self, footer: &str) -> Self {
        if let Some(footer) = footer.strip_prefix("\\c") {
            let (here, below) = footer.split_once("\\n").map_or((footer, None), |(a, b)| (a, Some(b)));
            let longer = Self { text: self.text + here, ..self };
            return below.map_or(longer.clone(), |below| longer.with_footer(below));
        }
        let prefix = self.enhanced_code().map_or(String::new(), |code| format!("{code} "));
        let lines = footer.split("\\n").map(|line| format!("\n{prefix}{line}"));
        Self { text: lines.fold(self.text, |text, line| text + &line), ..self }
    }

    fn enhanced_code(&self) -> Option<&str> {
        let word = self.text.get(4..)?.split(' ').next()?;
        let parts: Vec<_> = word.split('.').collect();
        let digits =
            |part: &&str| !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
        (parts.len() == 3 && parts.iter().all(digits)).then_some(word)
    }

    /// Appends the lines of the reply as they go to the client.
    pub fn write(&self, out: &mut Vec<u8>) {
        let code = self.code();
        let text = self.text.get(4..).unwrap_or("");
        let last = text.matches('\n').count();
        for (number, line) in text.split('\n').enumerate() {
            out.extend_from_slice(code.as_bytes());
            out.push(if number == last { b' ' } else { b'-' });
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn all_lines_but_the_last_have_a_hyphen() {
        assert_eq!(wire(&Reply::new("250 a\nb\nc")), "250-a\r\n250-b\r\n250 c\r\n");
        assert_eq!(wire(&Reply::new("250 2.0.0 Ok")), "250 2.0.0 Ok\r\n");
    }

    #[test]
    fn a_carriage_return_in_a_text_can_not_start_a_second_reply() {
        assert_eq!(wire(&Reply::new("550 a\r\n250 b")), "550-a \r\n550 250 b\r\n");
    }

    #[test]
    fn soft_bounce_turns_refusals_into_deferrals() {
        assert_eq!(Reply::new("550 5.1.1 no").softened(), Reply::new("450 4.1.1 no"));
        assert_eq!(Reply::new("501 Syntax").softened(), Reply::new("401 Syntax"));
        assert_eq!(Reply::new("521 5.5.4 bye").softened(), Reply::new("521 5.5.4 bye"));
        assert_eq!(Reply::new("250 2.0.0 Ok").softened(), Reply::new("250 2.0.0 Ok"));
    }

    #[test]
    fn a_footer_repeats_the_status() {
        let reply = Reply::new("550 5.1.1 no").with_footer("call us\\nor write");
        assert_eq!(wire(&reply), "550-5.1.1 no\r\n550-5.1.1 call us\r\n550 5.1.1 or write\r\n");
        let reply = Reply::new("550 5.1.1 no").with_footer("\\c. Call\\nor write");
        assert_eq!(wire(&reply), "550-5.1.1 no. Call\r\n550 5.1.1 or write\r\n");
    }
}
