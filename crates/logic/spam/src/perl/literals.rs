//! Which texts every match of a pattern must hold, so that most patterns need not be tried.
//!
//! The reading errs to one side only: where a construct is not understood, nothing is promised of it. All texts are in
//! lower case, for they are sought without regard to case.

/// One of these stands in each match; `None`: nothing is known.
pub(crate) type Needs = Option<Vec<Vec<u8>>>;

/// Texts of one pattern.
const TEXTS_LIMIT: usize = 48;
/// Bytes of one text.
const TEXT_LIMIT_BYTES: usize = 24;
/// A shorter text stands nearly everywhere.
const SHORTEST_BYTES: usize = 3;
/// Groups within groups.
const DEPTH_LIMIT: u32 = 60;

/// What is known of a piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// It matches exactly one of these, in lower case.
    Exact(Vec<Vec<u8>>),
    /// It matches more; each match holds one of these, if anything is known.
    Holds(Needs),
}

/// The texts of which each match of `source` holds one.
pub(crate) fn needs(source: &str) -> Needs {
    if source.contains("%{") {
        return None;
    }
    let mut reader = Reader { bytes: source.as_bytes(), at: 0, depth: 0 };
    let piece = reader.alternatives(Flags::default())?;
    if reader.at < reader.bytes.len() {
        return None;
    }
    let found = match piece {
        Piece::Exact(texts) => Some(texts),
        Piece::Holds(needs) => needs,
    };
    found.filter(|texts| worth(texts) >= SHORTEST_BYTES)
}

fn worth(texts: &[Vec<u8>]) -> usize {
    texts.iter().map(Vec::len).min().unwrap_or(0)
}

/// Better of two: longer texts, then fewer.
fn better(one: Needs, other: Needs) -> Needs {
    let rank = |texts: &Vec<Vec<u8>>| (worth(texts).min(6), std::cmp::Reverse(texts.len()));
    match (one, other) {
        (Some(one), Some(other)) => Some(if rank(&other) > rank(&one) { other } else { one }),
        (one, other) => one.or(other),
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

/// A sequence as it is read.
struct Sequence {
    run: Vec<Vec<u8>>,
    best: Needs,
    exact: bool,
}

impl Sequence {
    fn new() -> Self {
        Self { run: vec![Vec::new()], best: None, exact: true }
    }

    fn add(&mut self, piece: Piece) {
        match piece {
            Piece::Exact(texts) => match cross(&self.run, &texts) {
                Some(run) => self.run = run,
                None => {
                    self.break_run();
                    self.run = texts;
                }
            },
            Piece::Holds(needs) => {
                self.break_run();
                self.best = better(self.best.take(), needs);
            }
        }
    }

    fn break_run(&mut self) {
        let run = std::mem::replace(&mut self.run, vec![Vec::new()]);
        self.best = better(self.best.take(), Some(run));
        self.exact = false;
    }

    fn end(mut self) -> Piece {
        if self.exact {
            return Piece::Exact(self.run);
        }
        self.break_run();
        Piece::Holds(self.best)
    }
}

fn cross(left: &[Vec<u8>], right: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if left.len() * right.len() > TEXTS_LIMIT {
        return None;
    }
    let longest = |texts: &[Vec<u8>]| texts.iter().map(Vec::len).max().unwrap_or(0);
    if longest(left) + longest(right) > TEXT_LIMIT_BYTES {
        return None;
    }
    let mut texts: Vec<Vec<u8>> =
        left.iter().flat_map(|begin| right.iter().map(move |end| [begin.as_slice(), end].concat())).collect();
    texts.sort_unstable();
    texts.dedup();
    Some(texts)
}

fn either(pieces: Vec<Piece>) -> Piece {
    let mut texts: Vec<Vec<u8>> = Vec::new();
    let mut exact = true;
    for piece in pieces {
        match piece {
            Piece::Exact(more) => texts.extend(more),
            Piece::Holds(Some(more)) => {
                exact = false;
                texts.extend(more);
            }
            Piece::Holds(None) => return Piece::Holds(None),
        }
    }
    texts.sort_unstable();
    texts.dedup();
    if texts.len() > TEXTS_LIMIT {
        return Piece::Holds(None);
    }
    if exact { Piece::Exact(texts) } else { Piece::Holds(Some(texts)) }
}

fn anything() -> Piece {
    Piece::Holds(None)
}

fn nothing() -> Piece {
    Piece::Exact(vec![Vec::new()])
}

fn byte(byte: u8) -> Piece {
    Piece::Exact(vec![vec![byte.to_ascii_lowercase()]])
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
    fn alternatives(&mut self, mut flags: Flags) -> Option<Piece> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return None;
        }
        let mut pieces = Vec::new();
        let mut sequence = Sequence::new();
        while let Some(next) = self.peek() {
            match next {
                b')' => break,
                b'|' => {
                    self.at += 1;
                    pieces.push(std::mem::replace(&mut sequence, Sequence::new()).end());
                }
                b' ' | b'\t' | b'\n' | b'\r' if flags.extended => self.at += 1,
                b'#' if flags.extended => self.skip_comment(),
                _ => {
                    let piece = self.atom(&mut flags)?;
                    let piece = self.quantified(piece, flags)?;
                    sequence.add(piece);
                }
            }
        }
        self.depth -= 1;
        pieces.push(sequence.end());
        Some(if pieces.len() == 1 { pieces.remove(0) } else { either(pieces) })
    }

    fn skip_comment(&mut self) {
        while self.next().is_some_and(|byte| byte != b'\n') {}
    }

    fn atom(&mut self, flags: &mut Flags) -> Option<Piece> {
        match self.next()? {
            b'(' => self.group(flags),
            b'[' => self.class(),
            b'\\' => self.escape(),
            b'.' => Some(anything()),
            b'^' | b'$' => Some(nothing()),
            b'*' | b'+' | b'?' => None,
            other if other.is_ascii() => Some(byte(other)),
            // A character of several bytes: its first one stands in a text of one byte only by accident.
            _ => None,
        }
    }

    fn group(&mut self, flags: &mut Flags) -> Option<Piece> {
        let mut inner = *flags;
        if self.take(b"?") {
            if self.take(b"#") {
                while self.next()? != b')' {}
                return Some(nothing());
            }
            let look = [&b"="[..], b"!", b"<=", b"<!"].iter().any(|sign| self.take(sign));
            if look {
                self.alternatives(inner)?;
                return (self.next()? == b')').then(nothing);
            }
            if !self.take(b">") && !self.take(b"|") && !self.name()? && self.modifiers(&mut inner)? {
                *flags = inner;
                return Some(nothing());
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

    fn escape(&mut self) -> Option<Piece> {
        match self.next()? {
            b'b' | b'B' | b'A' | b'z' | b'Z' | b'G' => Some(nothing()),
            b'w' | b'W' | b'd' | b'D' | b's' | b'S' | b'h' | b'H' | b'v' | b'V' | b'R' | b'N' => {
                Some(anything())
            }
            b'n' => Some(byte(b'\n')),
            b't' => Some(byte(b'\t')),
            b'r' => Some(byte(b'\r')),
            b'x' => self.hex().map(byte),
            b'0' => Some(anything()).filter(|_| {
                while self.peek().is_some_and(|next| (b'0'..=b'7').contains(&next)) {
                    self.at += 1;
                }
                true
            }),
            b'1'..=b'9' => {
                while self.peek().is_some_and(|next| next.is_ascii_digit()) {
                    self.at += 1;
                }
                Some(anything())
            }
            letter if letter.is_ascii_alphabetic() => None,
            other => Some(byte(other)).filter(|_| other.is_ascii()),
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

    /// A class of few characters is each of them; others are anything.
    fn class(&mut self) -> Option<Piece> {
        let negated = self.take(b"^");
        let mut members = Vec::new();
        let mut small = !negated;
        let mut first = true;
        loop {
            let next = self.next()?;
            match next {
                b']' if !first => break,
                b'[' if matches!(self.peek(), Some(b':' | b'.' | b'=')) => {
                    while !self.take(b":]") {
                        self.next()?;
                    }
                    small = false;
                }
                b'\\' => match self.escape_in_class()? {
                    Some(member) => members.push(member),
                    None => small = false,
                },
                b'-' if !first && self.peek() != Some(b']') => small = false,
                other => members.push(other),
            }
            first = false;
        }
        members.iter_mut().for_each(|member| member.make_ascii_lowercase());
        members.sort_unstable();
        members.dedup();
        let few = small && members.len() <= 6;
        Some(if few {
            Piece::Exact(members.into_iter().map(|member| vec![member]).collect())
        } else {
            anything()
        })
    }

    fn escape_in_class(&mut self) -> Option<Option<u8>> {
        Some(match self.next()? {
            b'n' => Some(b'\n'),
            b't' => Some(b'\t'),
            b'r' => Some(b'\r'),
            b'x' => Some(self.hex()?),
            letter if letter.is_ascii_alphanumeric() => None,
            other => Some(other),
        })
    }

    fn quantified(&mut self, piece: Piece, flags: Flags) -> Option<Piece> {
        while flags.extended && self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        let (least, most) = match self.peek() {
            Some(b'?') => (0, Some(1)),
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'{') => match self.counts() {
                Some(counts) => counts,
                None => return Some(piece),
            },
            _ => return Some(piece),
        };
        self.at += 1;
        if matches!(self.peek(), Some(b'?' | b'+')) {
            self.at += 1;
        }
        Some(repeated(piece, least, most))
    }

    /// `{2,5}`: leaves the closing brace. `None` where the brace is only a brace.
    fn counts(&mut self) -> Option<(usize, Option<usize>)> {
        let rest = &self.bytes[self.at + 1..];
        let length = rest.iter().position(|byte| *byte == b'}')?;
        let text = std::str::from_utf8(&rest[..length]).ok()?;
        let (least, most) =
            text.split_once(',').map_or((text, Some(text)), |(least, most)| (least, Some(most)));
        let number = |text: &str| text.trim().parse::<usize>().ok();
        let counts = match (number(least), most) {
            (Some(least), Some("")) => (least, None),
            (Some(least), Some(most)) => (least, Some(number(most)?)),
            _ => return None,
        };
        self.at += 1 + length;
        Some(counts)
    }
}

fn repeated(piece: Piece, least: usize, most: Option<usize>) -> Piece {
    match (piece, least, most) {
        (_, _, Some(0)) => nothing(),
        (piece, 1, Some(1)) => piece,
        (Piece::Exact(mut texts), 0, Some(1)) => {
            texts.push(Vec::new());
            Piece::Exact(texts)
        }
        (_, 0, _) => anything(),
        (Piece::Exact(texts), 2..=4, Some(most)) if most == least => {
            let mut run = vec![Vec::new()];
            for _ in 0..least {
                match cross(&run, &texts) {
                    Some(longer) => run = longer,
                    None => return Piece::Holds(Some(texts)),
                }
            }
            Piece::Exact(run)
        }
        (Piece::Exact(texts), _, _) => Piece::Holds(Some(texts)),
        (holds, _, _) => holds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(source: &str) -> Vec<String> {
        let found = needs(source).unwrap_or_default();
        found.into_iter().map(|text| String::from_utf8_lossy(&text).into_owned()).collect()
    }

    #[test]
    fn texts_are_found() {
        assert_eq!(of("(?i)Free (?:Money|Cash)"), ["free cash", "free money"]);
        assert_eq!(of("colou?r"), ["color", "colour"]);
        assert_eq!(of("\\bclick\\s+here\\b"), ["click"]);
        assert_eq!(of("(?:abc|d)"), [] as [&str; 0]);
        assert_eq!(of("foo.*barbaz"), ["barbaz"]);
        assert_eq!(of("[ab]cd"), ["acd", "bcd"]);
        assert_eq!(of("(?x) a b # c\n c"), ["abc"]);
        assert_eq!(of("(?!xyz)hello"), ["hello"]);
        assert_eq!(of("abc{2}d"), ["abccd"]);
        assert_eq!(of("a{b"), ["a{b"]);
    }

    proptest! {
        /// Whatever matches holds one of the texts.
        #[test]
        fn no_match_is_missed(source in "[abc(|)?*+\\[\\].]{0,14}", text in "[abcABC]{0,10}") {
            if let (Ok(regex), Some(texts)) = (pcre2::bytes::RegexBuilder::new().caseless(true).build(&source), needs(&source)) {
                if regex.is_match(text.as_bytes()).unwrap() {
                    let lower = text.to_lowercase();
                    prop_assert!(texts.iter().any(|needed| lower.contains(std::str::from_utf8(needed).unwrap())));
                }
            }
        }
    }
}
