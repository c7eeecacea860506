//! What a pattern matches, roughly: never less than it does, at times more.
//!
//! Case does not count, nor do look-around and anchors; what is not understood may be any text. The filters in front of the
//! patterns are made of this.

use super::byte_set::ByteSet;

/// Groups within groups.
const DEPTH_LIMIT: u32 = 60;

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outline {
    /// Nothing: a place, not a text.
    Empty,
    /// One byte of these.
    Byte(ByteSet),
    /// Any text, also none.
    Anything,
    /// One behind the other.
    Sequence(Vec<Outline>),
    /// One of these.
    Either(Vec<Outline>),
    /// So often; without `most` as often as it likes.
    Repeat { inner: Box<Outline>, least: usize, most: Option<usize> },
}

impl Outline {
    /// Of a pattern without delimiters.
    pub(crate) fn of(source: &str) -> Self {
        if source.contains("%{") {
            return Self::Anything;
        }
        let mut reader = Reader { bytes: source.as_bytes(), at: 0, depth: 0 };
        let whole = reader.alternatives(Flags::default());
        whole.filter(|_| reader.at == reader.bytes.len()).unwrap_or(Self::Anything)
    }

    /// Bytes that each match has at least.
    pub(crate) fn least_bytes(&self) -> usize {
        self.least_bytes_within(usize::MAX)
    }

    /// The same, but no more than `limit`: what is beyond is not looked at, and patterns are long.
    pub(crate) fn least_bytes_within(&self, limit: usize) -> usize {
        match self {
            Self::Empty | Self::Anything => 0,
            Self::Byte(_) => limit.min(1),
            Self::Sequence(pieces) => {
                let mut found = 0;
                for piece in pieces {
                    if found >= limit {
                        break;
                    }
                    found += piece.least_bytes_within(limit - found);
                }
                found
            }
            Self::Either(choices) => {
                let mut least = limit;
                for choice in choices {
                    if least == 0 {
                        break;
                    }
                    least = choice.least_bytes_within(least);
                }
                if choices.is_empty() { 0 } else { least }
            }
            Self::Repeat { least: 0, .. } => 0,
            Self::Repeat { inner, least, .. } => {
                inner.least_bytes_within(limit).saturating_mul(*least).min(limit)
            }
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    /// Blanks and comments do not count.
    extended: bool,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
}

fn byte(byte: u8) -> Outline {
    Outline::Byte(ByteSet::of([byte]).in_both_cases())
}

fn sequence(mut pieces: Vec<Outline>) -> Outline {
    if pieces.len() == 1 { pieces.remove(0) } else { Outline::Sequence(pieces) }
}

fn words() -> ByteSet {
    ByteSet::of((0..=u8::MAX).filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'))
}

fn spaces() -> ByteSet {
    ByteSet::of(*b" \t\n\r\x0b\x0c")
}

/// `\w` and its like; a capital letter is all others.
fn class_of_letter(letter: u8) -> Option<ByteSet> {
    let set = match letter.to_ascii_lowercase() {
        b'w' => words(),
        b'd' => ByteSet::of(*b"0123456789"),
        b's' => spaces(),
        b'h' => ByteSet::of(*b" \t\xa0"),
        b'v' => ByteSet::of(*b"\n\x0b\x0c\r\x85"),
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() { set.complement() } else { set })
}

fn control(letter: u8) -> Option<u8> {
    Some(match letter {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'f' => 0x0c,
        b'e' => 0x1b,
        b'a' => 0x07,
        _ => return None,
    })
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, text: &[u8]) -> bool {
        let there = self.bytes[self.at..].starts_with(text);
        self.at += if there { text.len() } else { 0 };
        there
    }

    /// Up to the closing parenthesis, which is left; `None` when something is not understood.
    fn alternatives(&mut self, mut flags: Flags) -> Option<Outline> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return None;
        }
        let mut choices = Vec::new();
        let mut pieces = Vec::new();
        while let Some(next) = self.peek() {
            match next {
                b')' => break,
                b'|' => {
                    self.at += 1;
                    choices.push(sequence(std::mem::take(&mut pieces)));
                }
                b' ' | b'\t' | b'\n' | b'\r' if flags.extended => self.at += 1,
                b'#' if flags.extended => self.skip_comment(),
                _ => {
                    let piece = self.atom(&mut flags)?;
                    pieces.push(self.quantified(piece, flags)?);
                }
            }
        }
        self.depth -= 1;
        choices.push(sequence(pieces));
        Some(if choices.len() == 1 { choices.remove(0) } else { Outline::Either(choices) })
    }

    fn skip_comment(&mut self) {
        while self.next().is_some_and(|byte| byte != b'\n') {}
    }

    fn atom(&mut self, flags: &mut Flags) -> Option<Outline> {
        match self.next()? {
            b'(' => self.group(flags),
            b'[' => self.class(),
            b'\\' => self.escape(),
            b'.' => Some(Outline::Byte(ByteSet::ALL)),
            b'^' | b'$' => Some(Outline::Empty),
            b'*' | b'+' | b'?' => None,
            other => Some(byte(other)),
        }
    }

    fn group(&mut self, flags: &mut Flags) -> Option<Outline> {
        let mut inner = *flags;
        if self.take(b"?") {
            if self.take(b"#") {
                while self.next()? != b')' {}
                return Some(Outline::Empty);
            }
            let look = [&b"="[..], b"!", b"<=", b"<!"].iter().any(|sign| self.take(sign));
            if look {
                self.alternatives(inner)?;
                return (self.next()? == b')').then_some(Outline::Empty);
            }
            if !self.take(b">") && !self.take(b"|") && !self.name()? && self.modifiers(&mut inner)? {
                *flags = inner;
                return Some(Outline::Empty);
            }
        } else if self.peek() == Some(b'*') {
            return None;
        }
        let piece = self.alternatives(inner)?;
        (self.next()? == b')').then_some(piece)
    }

    /// `<name>`, `P<name>`, `'name'`.
    fn name(&mut self) -> Option<bool> {
        let start = self.at;
        self.take(b"P");
        let end = if self.take(b"<") {
            b'>'
        } else if self.take(b"'") {
            b'\''
        } else {
            self.at = start;
            return Some(false);
        };
        while self.next()? != end {}
        Some(true)
    }

    /// `i:`, `i-s:` or `i)`; true when the group ends here, so that they hold for what follows.
    fn modifiers(&mut self, flags: &mut Flags) -> Option<bool> {
        let mut on = true;
        loop {
            match self.next()? {
                b':' => return Some(false),
                b')' => return Some(true),
                b'-' => on = false,
                b'^' => *flags = Flags::default(),
                b'x' => flags.extended = on,
                letter if letter.is_ascii_lowercase() => {}
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<Outline> {
        let letter = self.next()?;
        if let Some(set) = class_of_letter(letter) {
            return Some(Outline::Byte(set));
        }
        if let Some(code) = control(letter) {
            return Some(byte(code));
        }
        match letter {
            b'b' | b'B' | b'A' | b'z' | b'Z' | b'G' | b'K' => Some(Outline::Empty),
            b'N' if self.peek() != Some(b'{') => Some(Outline::Byte(ByteSet::ALL)),
            b'R' => Some(Outline::Anything),
            b'x' => self.hex().map(byte),
            b'0'..=b'9' => {
                while self.peek().is_some_and(|next| next.is_ascii_digit()) {
                    self.at += 1;
                }
                Some(Outline::Anything)
            }
            letter if letter.is_ascii_alphabetic() => None,
            other => Some(byte(other)),
        }
    }

    fn hex(&mut self) -> Option<u8> {
        if self.take(b"{") {
            let start = self.at;
            while self.next()? != b'}' {}
            let digits = std::str::from_utf8(&self.bytes[start..self.at - 1]).ok()?;
            return u8::from_str_radix(digits.trim(), 16).ok();
        }
        let mut value = 0;
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else { break };
            value = value * 16 + u8::try_from(digit).ok()?;
            self.at += 1;
        }
        Some(value)
    }

    fn class(&mut self) -> Option<Outline> {
        let negated = self.take(b"^");
        let mut members = ByteSet::default();
        let mut last = None;
        let mut first = true;
        loop {
            let next = self.next()?;
            let is_range = next == b'-' && last.is_some() && self.peek() != Some(b']');
            match next {
                b']' if !first => break,
                // What else is in such a class is not worth knowing.
                b'[' if self.named_class() => return self.rest_of_class(),
                _ if is_range => {
                    let from = last.take()?;
                    let bound = self.next()?;
                    match self.member(bound)? {
                        Member::Byte(to) => members.add(ByteSet::of(from..=to)),
                        Member::Set(set) => {
                            members.insert(b'-');
                            members.add(set);
                        }
                    }
                }
                other => match self.member(other)? {
                    Member::Byte(byte) => {
                        members.insert(byte);
                        last = Some(byte);
                    }
                    Member::Set(set) => {
                        members.add(set);
                        last = None;
                    }
                },
            }
            first = false;
        }
        // All others: with regard to case there are more of them, so it is looked at after that.
        let members = if negated { members.complement() } else { members };
        Some(Outline::Byte(members.in_both_cases()))
    }

    /// `:alpha:]` behind a bracket in a class.
    fn named_class(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let Some(name) = rest.strip_prefix(b":") else { return false };
        let length = name.iter().take_while(|byte| byte.is_ascii_lowercase() || **byte == b'^').count();
        let found = name[length..].starts_with(b":]");
        self.at += if found { length + 3 } else { 0 };
        found
    }

    /// Up to the end of a class that may hold anything.
    fn rest_of_class(&mut self) -> Option<Outline> {
        loop {
            match self.next()? {
                b']' => return Some(Outline::Byte(ByteSet::ALL)),
                b'\\' => {
                    self.next()?;
                }
                b'[' if self.named_class() => {}
                _ => {}
            }
        }
    }

    fn member(&mut self, next: u8) -> Option<Member> {
        if next != b'\\' {
            return Some(Member::Byte(next));
        }
        let letter = self.next()?;
        if let Some(set) = class_of_letter(letter) {
            return Some(Member::Set(set));
        }
        let code = match letter {
            b'b' => Some(0x08),
            b'x' => self.hex(),
            letter if letter.is_ascii_alphanumeric() => control(letter),
            other => Some(other),
        };
        code.map(Member::Byte)
    }

    fn quantified(&mut self, piece: Outline, flags: Flags) -> Option<Outline> {
        while flags.extended && self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        let (least, most) = match self.peek() {
            Some(b'?') => (0, Some(1)),
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'{') => match self.counts()? {
                Some(counts) => counts,
                None => return Some(piece),
            },
            _ => return Some(piece),
        };
        self.at += 1;
        if matches!(self.peek(), Some(b'?' | b'+')) {
            self.at += 1;
        }
        Some(Outline::Repeat { inner: Box::new(piece), least, most })
    }

    /// `{2,5}`: leaves the closing brace. `Some(None)` where the brace is only a brace; `None` where that is not certain.
    fn counts(&mut self) -> Option<Option<(usize, Option<usize>)>> {
        let rest = &self.bytes[self.at + 1..];
        let inner = rest.iter().take_while(|byte| byte.is_ascii_digit() || b", ".contains(byte)).count();
        if rest.get(inner) != Some(&b'}') || inner == 0 {
            return Some(None);
        }
        let text = std::str::from_utf8(&rest[..inner]).ok()?;
        let (least, most) =
            text.split_once(',').map_or((text, Some(text)), |(least, most)| (least, Some(most)));
        let least = least.parse().ok()?;
        let most = match most {
            Some("") | None => None,
            Some(most) => Some(most.parse().ok()?),
        };
        self.at += 1 + inner;
        Some(Some((least, most)))
    }
}

/// What stands in a class.
enum Member {
    Byte(u8),
    Set(ByteSet),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_err_to_the_side_of_more() {
        assert_eq!(
            Outline::of("(?i)a(?=b)$"),
            Outline::Sequence(vec![Outline::Empty, byte(b'a'), Outline::Empty, Outline::Empty])
        );
        assert_eq!(
            Outline::of("[^\\W_]"),
            Outline::Byte(ByteSet::of((0..=127).filter(u8::is_ascii_alphanumeric)))
        );
        assert_eq!(Outline::of("\\x{e9}"), Outline::Byte(ByteSet::of([0xc9, 0xe9])));
        assert_eq!(Outline::of("a(?(1)b)"), Outline::Anything);
        assert_eq!(Outline::of("(?:ab|c{3})d*").least_bytes(), 2);
        assert_eq!(Outline::of("(?:ab|c{3})d{9}").least_bytes(), 11);
        assert_eq!(Outline::of("(?:ab|c{3})d{9}").least_bytes_within(8), 8);
        assert_eq!(Outline::of("(?:ab|c{3}|)d?").least_bytes_within(8), 0);
        assert_eq!(Outline::of("a{,3}"), Outline::Anything);
        assert_eq!(Outline::of("[[:alpha:]x]"), Outline::Byte(ByteSet::ALL));
    }
}
