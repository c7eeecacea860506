//! The addresses of a field as IMAP's ENVELOPE shows them: groups with their ends, routes, and something for what is broken
//! (RFC 5322 §3.4, RFC 3501 §7.4.2). Where a field makes no sense, what comes out is what Dovecot makes of it.

/// Addresses of one field.
const ADDRESSES_LIMIT: usize = 10_000;

/// What a NUL in quotes or a comment becomes: U+FFFD.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// One entry of an address list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An address.
    Mailbox(Mailbox),
    /// A group begins, with its name.
    GroupBegin(Vec<u8>),
    /// It ends.
    GroupEnd,
}

/// An address with its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mailbox {
    /// The display name, or the comment behind the address; still encoded.
    pub name: Option<Vec<u8>>,
    /// The route before it (obsolete).
    pub route: Option<Vec<u8>>,
    /// The local part.
    pub local: Option<Vec<u8>>,
    /// The domain; it may be wrong.
    pub domain: Option<Vec<u8>>,
}

impl Mailbox {
    /// The local part, or what stands for one that is missing.
    pub fn local_shown(&self) -> &[u8] {
        self.local.as_deref().unwrap_or(b"MISSING_MAILBOX")
    }

    /// The domain, or what stands for one that is missing.
    pub fn domain_shown(&self) -> &[u8] {
        match self.domain.as_deref() {
            None | Some(b"") => b"MISSING_DOMAIN",
            Some(domain) => domain,
        }
    }
}

/// Reads the value of an address field; line breaks may stand in it.
pub fn read(value: &[u8]) -> Vec<Entry> {
    // A last line of blanks alone is none: only its blanks count.
    let text = value.trim_ascii_end();
    let breaks_behind = value[text.len()..].contains(&b'\n');
    let joined = breaks_behind.then(|| [text, b" "].concat());
    let mut reader =
        Reader { text: joined.as_deref().unwrap_or(value), at: 0, comment: Vec::new(), entries: Vec::new() };
    if matches!(reader.blanks(), Ok(true)) {
        reader.list();
    }
    reader.entries
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// The last comment.
    comment: Vec<u8>,
    entries: Vec<Entry>,
}

/// The text is not of the form that was tried. How far the reader has come, and what it has read until then, counts all the
/// same: Dovecot goes on from there.
struct Mismatch;

/// Whether something follows.
type More = Result<bool, Mismatch>;

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// address-list = address *("," address); what follows an address and is no comma ends the list.
    fn list(&mut self) {
        while self.entries.len() < ADDRESSES_LIMIT {
            let start = self.at;
            if self.group().is_err() {
                self.at = start;
                self.mailbox();
            }
            if !self.take(b',') {
                return;
            }
            match self.blanks() {
                Ok(true) => {}
                Ok(false) => return,
                Err(Mismatch) => return self.entries.push(Entry::Mailbox(Mailbox::default())),
            }
        }
    }

    /// group = display-name ":" [mailbox-list] ";"
    fn group(&mut self) -> Result<(), Mismatch> {
        let mut name = Vec::new();
        if !self.phrase(&mut name)? || !self.take(b':') {
            return Err(Mismatch);
        }
        self.entries.push(Entry::GroupBegin(name));
        let mut more = matches!(self.blanks(), Ok(true)) && self.peek() != Some(b';');
        while more && self.entries.len() < ADDRESSES_LIMIT {
            self.mailbox();
            more = self.take(b',') && matches!(self.blanks(), Ok(true));
        }
        if self.take(b';') {
            let _ = self.blanks();
        }
        self.entries.push(Entry::GroupEnd);
        Ok(())
    }

    /// mailbox = name-addr / addr-spec
    fn mailbox(&mut self) {
        let start = self.at;
        let mailbox = self.name_and_address().unwrap_or_else(|Mismatch| {
            self.at = start;
            self.address()
        });
        self.entries.push(Entry::Mailbox(mailbox));
    }

    /// name-addr = [display-name] angle-addr
    fn name_and_address(&mut self) -> Result<Mailbox, Mismatch> {
        let mut name = Vec::new();
        if !self.phrase(&mut name)? || !self.take(b'<') {
            return Err(Mismatch);
        }
        let mut mailbox = Mailbox { name: Some(name).filter(|name| !name.is_empty()), ..Mailbox::default() };
        if self.angle(&mut mailbox).is_err() {
            mailbox.domain = Some(b"SYNTAX_ERROR".to_vec());
        }
        Ok(mailbox)
    }

    /// angle-addr = "<" [route ":"] local-part "@" domain ">", behind the "<"
    fn angle(&mut self, mailbox: &mut Mailbox) -> More {
        if !self.blanks()? {
            return Err(Mismatch);
        }
        if self.peek() == Some(b'@') {
            let mut route = Vec::new();
            let whole = self.route(&mut route).is_ok() && self.take(b':');
            mailbox.route = Some(if whole { route } else { b"INVALID_ROUTE".to_vec() });
            if !self.blanks()? {
                return Err(Mismatch);
            }
        }
        if self.peek() != Some(b'>') {
            let (mut local, quoted) = (Vec::new(), self.peek() == Some(b'"'));
            let more = self.local_part(&mut local)?;
            mailbox.local = Some(local).filter(|local| quoted || !local.is_empty());
            if !more {
                return Err(Mismatch);
            }
            if self.take(b'@') {
                let mut domain = Vec::new();
                let more = self.domain(&mut domain)?;
                mailbox.domain = Some(domain);
                if !more {
                    return Err(Mismatch);
                }
            }
        }
        if !self.take(b'>') {
            return Err(Mismatch);
        }
        self.blanks()
    }

    /// obs-domain-list = "@" domain *("," "@" domain)
    fn route(&mut self, route: &mut Vec<u8>) -> Result<(), Mismatch> {
        while self.take(b'@') {
            route.extend_from_slice(if route.is_empty() { b"@" } else { b",@" });
            self.domain(route)?;
            while self.blanks()? && self.take(b',') {}
        }
        Ok(())
    }

    /// addr-spec = local-part "@" domain, with a comment behind it for a name; or words, which are a name alone.
    fn address(&mut self) -> Mailbox {
        self.comment.clear();
        let mut mailbox = Mailbox::default();
        let quoted = self.peek() == Some(b'"');
        let mut words = Vec::new();
        let local = self.local_part(&mut words);
        if local.is_ok() && (quoted || !words.is_empty()) {
            mailbox.local = Some(words.clone());
        }
        let has_domain = !matches!(local, Ok(false)) && self.take(b'@');
        if has_domain {
            let mut domain = Vec::new();
            mailbox.domain = self.domain(&mut domain).is_ok().then_some(domain);
        }
        if !self.comment.is_empty() {
            mailbox.name = Some(std::mem::take(&mut self.comment));
        } else if !has_domain {
            let first = words.len();
            words.push(b' ');
            let _ = self.phrase(&mut words);
            if words.len() > first + 1 {
                mailbox = Mailbox { name: Some(words), ..Mailbox::default() };
            } else if quoted {
                mailbox = Mailbox { name: mailbox.local, ..Mailbox::default() };
            }
        }
        mailbox
    }

    /// local-part = dot-atom / quoted-string; dots may stand anywhere.
    fn local_part(&mut self, local: &mut Vec<u8>) -> More {
        if self.peek() == Some(b'"') {
            return self.quoted(local);
        }
        loop {
            let start = self.at;
            self.run(|byte| byte == b'.');
            local.extend_from_slice(&self.text[start..self.at]);
            match self.peek() {
                None if start < self.at => return Ok(false),
                Some(b'@') => return Ok(true),
                _ => {}
            }
            if !self.atom(local)? {
                return Ok(false);
            }
            if self.peek() != Some(b'.') {
                return Ok(true);
            }
        }
    }

    /// atom = 1*atext
    fn atom(&mut self, atom: &mut Vec<u8>) -> More {
        let start = self.at;
        self.run(is_atom);
        if start == self.at {
            return Err(Mismatch);
        }
        atom.extend_from_slice(&self.text[start..self.at]);
        self.blanks()
    }

    /// dot-atom = 1*atext *("." 1*atext); blanks may stand around its dots (obsolete).
    fn dot_atom(&mut self, atoms: &mut Vec<u8>) -> More {
        loop {
            if !self.atom(atoms)? {
                return Ok(false);
            }
            if !self.take(b'.') {
                return Ok(true);
            }
            atoms.push(b'.');
            if !self.blanks()? {
                return Err(Mismatch);
            }
        }
    }

    /// domain = dot-atom / domain-literal, behind the "@"
    fn domain(&mut self, domain: &mut Vec<u8>) -> More {
        if !self.blanks()? {
            return Err(Mismatch);
        }
        if self.peek() == Some(b'[') { self.domain_literal(domain) } else { self.dot_atom(domain) }
    }

    /// domain-literal = "[" *dtext "]"; a backslash quotes what follows, and stays.
    fn domain_literal(&mut self, literal: &mut Vec<u8>) -> More {
        literal.push(b'[');
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            literal.push(byte);
            match byte {
                b']' => return self.blanks(),
                b'[' => return Err(Mismatch),
                b'\\' => {
                    literal.push(self.peek().ok_or(Mismatch)?);
                    self.at += 1;
                }
                _ => {}
            }
        }
        Err(Mismatch)
    }

    /// phrase = 1*word, with dots (obs-phrase) but not in front.
    fn phrase(&mut self, phrase: &mut Vec<u8>) -> More {
        match self.peek() {
            None => return Ok(false),
            Some(b'.') => return Err(Mismatch),
            Some(_) => {}
        }
        loop {
            let more = if self.peek() == Some(b'"') {
                self.quoted(phrase)?
            } else {
                let start = self.at;
                self.run(|byte| is_atom(byte) || byte == b'.');
                phrase.extend_from_slice(&self.text[start..self.at]);
                self.blanks()?
            };
            if !more {
                return Ok(false);
            }
            if !self.peek().is_some_and(|byte| is_atom(byte) || matches!(byte, b'"' | b'.')) {
                return Ok(true);
            }
            phrase.push(b' ');
        }
    }

    /// quoted-string
    fn quoted(&mut self, text: &mut Vec<u8>) -> More {
        self.at += 1;
        self.until(|byte| byte == b'"', text)?;
        self.blanks()
    }

    /// Appends what stands before the byte that `ends` it, without backslashes and line breaks. Of what never ends counts what
    /// stands before its last line break, NUL or backslash.
    fn until(&mut self, mut ends: impl FnMut(u8) -> bool, text: &mut Vec<u8>) -> Result<(), Mismatch> {
        let mut sure = text.len();
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' => {
                    let Some(next) = self.peek() else { break };
                    sure = text.len();
                    text.push(next);
                    self.at += 1;
                }
                b'\r' if self.peek() == Some(b'\n') => {}
                b'\n' => sure = text.len(),
                0 => {
                    text.extend_from_slice(REPLACEMENT);
                    sure = text.len();
                }
                byte if ends(byte) => return Ok(()),
                byte => text.push(byte),
            }
        }
        text.truncate(sure);
        Err(Mismatch)
    }

    fn run(&mut self, fits: impl Fn(u8) -> bool) {
        let rest = &self.text[self.at..];
        self.at += rest.iter().position(|byte| !fits(*byte)).unwrap_or(rest.len());
    }

    /// White space and comments; the last comment is kept. Nesting costs a count, not a stack.
    fn blanks(&mut self) -> More {
        loop {
            self.run(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
            if self.peek() != Some(b'(') {
                return Ok(self.peek().is_some());
            }
            self.comment()?;
        }
    }

    /// From its "(" on.
    fn comment(&mut self) -> Result<(), Mismatch> {
        self.at += 1;
        let mut depth = 1_usize;
        let ends = |byte| {
            depth += usize::from(byte == b'(');
            depth -= usize::from(byte == b')');
            depth == 0
        };
        let mut comment = Vec::new();
        let ended = self.until(ends, &mut comment);
        self.comment = comment;
        ended
    }
}

/// atext (RFC 5322 §3.2.3), and 8-bit bytes.
pub(crate) fn is_atom(byte: u8) -> bool {
    byte > 32 && byte != 127 && !b"()<>[]:;@\\,.\"".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `name|route|local|domain` for each, `G name` and `-` around groups.
    fn shown(value: &str) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let show = |entry: Entry| match entry {
            Entry::GroupBegin(name) => format!("G {}", text(&name)),
            Entry::GroupEnd => "-".into(),
            Entry::Mailbox(mailbox) => {
                let some = |part: &Option<Vec<u8>>| part.as_deref().map_or(String::new(), text);
                let (name, route) = (some(&mailbox.name), some(&mailbox.route));
                format!("{name}|{route}|{}|{}", text(mailbox.local_shown()), text(mailbox.domain_shown()))
            }
        };
        read(value.as_bytes()).into_iter().map(show).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn addresses_read_as_dovecot_reads_them() {
        let missing = "||MISSING_MAILBOX|MISSING_DOMAIN";
        for (value, expected) in [
            ("a@b", "||a|b"),
            ("<a@b>", "||a|b"),
            ("A B <a@b>", "A B||a|b"),
            ("\"A, B\" <a@b>", "A, B||a|b"),
            ("A \"B\" C <a@b>", "A B C||a|b"),
            ("a", "||a|MISSING_DOMAIN"),
            ("<a>", "||a|MISSING_DOMAIN"),
            ("@b", "||MISSING_MAILBOX|b"),
            ("<@b>", "|INVALID_ROUTE|MISSING_MAILBOX|MISSING_DOMAIN"),
            ("a@", "||a|MISSING_DOMAIN"),
            ("<a@>", "||a|SYNTAX_ERROR"),
            ("A <>", "A||MISSING_MAILBOX|MISSING_DOMAIN"),
            ("<>", missing),
            ("a@b (c) (d)", "d||a|b"),
            ("(c) a@b", "||a|b"),
            ("A <a@b> x, c@d", "A||a|b"),
            ("a b@c", "a b||MISSING_MAILBOX|MISSING_DOMAIN"),
            ("\"a b\"@c", "||a b|c"),
            ("a@[1.2.3.4]", "||a|[1.2.3.4]"),
            ("<@r1,@r2:a@b>", "|@r1,@r2|a|b"),
            ("G:;", "G G, -"),
            ("G: a@b, c@d;, x@y", "G G, ||a|b, ||c|d, -, ||x|y"),
            ("G: a@b", "G G, ||a|b, -"),
            ("a@b;c@d", "||a|b"),
            (", , a@b", "||MISSING_MAILBOX|MISSING_DOMAIN, ||MISSING_MAILBOX|MISSING_DOMAIN, ||a|b"),
            ("a@b,", "||a|b"),
            ("A. B. <a@b>", "A. B.||a|b"),
            ("A@B <a@b>", "||A|B"),
            ("<a@b", "||a|SYNTAX_ERROR"),
            ("a@b>", "||a|b"),
            ("\"unclosed <a@b>", missing),
            ("(only)", ""),
            ("(unclosed a@b", ""),
            ("A (x) B <a@b>", "A B||a|b"),
            ("a @ b", "||a|b"),
            ("a@b . c", "||a|b.c"),
            ("a<b@c>d", "a||b|c"),
            ("MAILER-DAEMON (x)", "x||MAILER-DAEMON|MISSING_DOMAIN"),
            ("a@b (c\\)d)", "c)d||a|b"),
            ("<a b@c>", "||a|SYNTAX_ERROR"),
            ("a@b@c", "||a|b"),
            ("<a@b@c>", "||a|SYNTAX_ERROR"),
            ("\"a\".b@c", "a||MISSING_MAILBOX|MISSING_DOMAIN"),
            ("a..b@c", "||a..b|c"),
            ("A:<a@b>", "G A, ||a|b, -"),
            ("\"\" <a@b>", "||a|b"),
            ("x:y:z@b;", "G x, ||y|MISSING_DOMAIN, -"),
            ("\\a@b", missing),
            ("a\\b@c", "||a|MISSING_DOMAIN"),
            (".a@b", "||.a|b"),
            ("<a.b.@c>", "||a.b.|c"),
            ("<a@b.>", "||a|SYNTAX_ERROR"),
            ("a@b.", "||a|MISSING_DOMAIN"),
            ("a.", "||a.|MISSING_DOMAIN"),
            ("a . b", "a.  b||MISSING_MAILBOX|MISSING_DOMAIN"),
            (".a <b@c>", "||.a|MISSING_DOMAIN"),
            ("\"a\\", missing),
            ("a@b (un\n c", "un||a|MISSING_DOMAIN"),
            ("a@[x\\]y]", "||a|[x\\]y]"),
            ("<@:a@b>", "|INVALID_ROUTE|MISSING_MAILBOX|SYNTAX_ERROR"),
            ("<@a:@b:x@y>", "|@a|MISSING_MAILBOX|SYNTAX_ERROR"),
            ("<\"\"@b>", "|||b"),
            ("*..\n ", missing),
            ("A\n B <a@b>,\n\tc@d", "A B||a|b, ||c|d"),
            ("", ""),
        ] {
            assert_eq!(shown(value), expected, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_read(value in prop::collection::vec(prop::sample::select(b"ab@<>,;:()\"\\ .[]\n\xe9".to_vec()), 0..60)) {
            prop_assert!(read(&value).len() <= ADDRESSES_LIMIT + 2);
        }
    }
}
