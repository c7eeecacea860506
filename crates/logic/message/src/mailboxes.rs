//! The addresses of a field as IMAP's ENVELOPE shows them: groups with their ends, routes, and something for what is broken
//! (RFC 5322 §3.4, RFC 3501 §7.4.2). Where a field makes no sense, what comes out is what Dovecot makes of it.

/// Addresses of one field.
const ADDRESSES_LIMIT: usize = 10_000;

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
    let mut reader = Reader { text: value, at: 0, comment: Vec::new(), entries: Vec::new() };
    reader.blanks();
    if reader.peek().is_some() {
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

/// The text is not of the form that was tried.
struct Mismatch;

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
            self.blanks();
            if self.peek().is_none() {
                return;
            }
        }
    }

    /// group = display-name ":" [mailbox-list] ";"
    fn group(&mut self) -> Result<(), Mismatch> {
        let name = self.phrase().ok_or(Mismatch)?;
        if !self.take(b':') {
            return Err(Mismatch);
        }
        self.entries.push(Entry::GroupBegin(name));
        self.blanks();
        while self.peek().is_some_and(|byte| byte != b';') && self.entries.len() < ADDRESSES_LIMIT {
            self.mailbox();
            if !self.take(b',') {
                break;
            }
            self.blanks();
        }
        if self.take(b';') {
            self.blanks();
        }
        self.entries.push(Entry::GroupEnd);
        Ok(())
    }

    /// mailbox = name-addr / addr-spec
    fn mailbox(&mut self) {
        let start = self.at;
        let mailbox = match self.name_and_address() {
            Ok(mailbox) => mailbox,
            Err(Mismatch) => {
                self.at = start;
                self.address()
            }
        };
        let nothing = mailbox == Mailbox::default() && self.peek().is_none() && !self.comment.is_empty();
        if !nothing {
            self.entries.push(Entry::Mailbox(mailbox));
        }
    }

    /// name-addr = [display-name] angle-addr
    fn name_and_address(&mut self) -> Result<Mailbox, Mismatch> {
        let name = if self.peek() == Some(b'<') { Vec::new() } else { self.phrase().ok_or(Mismatch)? };
        if !self.take(b'<') {
            return Err(Mismatch);
        }
        let mut mailbox = Mailbox { name: Some(name).filter(|name| !name.is_empty()), ..Mailbox::default() };
        if self.angle(&mut mailbox).is_err() {
            mailbox.domain = Some(b"SYNTAX_ERROR".to_vec());
        }
        Ok(mailbox)
    }

    /// angle-addr = "<" [route ":"] local-part "@" domain ">", behind the "<"
    fn angle(&mut self, mailbox: &mut Mailbox) -> Result<(), Mismatch> {
        self.blanks();
        if self.peek() == Some(b'@') {
            let start = self.at;
            self.run(|byte| !matches!(byte, b':' | b'>'));
            let route = self.text[start..self.at].trim_ascii().to_vec();
            if self.take(b':') {
                mailbox.route = Some(route);
                self.blanks();
            } else {
                mailbox.route = Some(b"INVALID_ROUTE".to_vec());
            }
        }
        if self.peek() != Some(b'>') {
            mailbox.local = Some(self.local_part().ok_or(Mismatch)?);
            if self.take(b'@') {
                mailbox.domain = Some(self.domain().ok_or(Mismatch)?);
            }
        }
        if !self.take(b'>') {
            return Err(Mismatch);
        }
        self.blanks();
        Ok(())
    }

    /// addr-spec = local-part "@" domain, with a comment behind it for a name; or words, which are a name alone.
    fn address(&mut self) -> Mailbox {
        self.comment.clear();
        let quoted = self.peek() == Some(b'"');
        let mut mailbox = Mailbox { local: self.local_part(), ..Mailbox::default() };
        let has_domain = self.take(b'@');
        if has_domain {
            self.blanks();
            mailbox.domain = self.domain();
        }
        if !self.comment.is_empty() {
            mailbox.name = Some(std::mem::take(&mut self.comment));
        } else if let (false, Some(first)) = (has_domain, &mailbox.local) {
            let more = self.phrase().filter(|more| !more.is_empty());
            if more.is_some() || quoted {
                mailbox.name = Some(match more {
                    Some(more) => [first.as_slice(), b" ", &more].concat(),
                    None => first.clone(),
                });
                mailbox.local = None;
            }
        }
        mailbox
    }

    /// local-part = dot-atom / quoted-string
    fn local_part(&mut self) -> Option<Vec<u8>> {
        let local = if self.peek() == Some(b'"') { self.quoted()? } else { self.dot_atom() };
        self.blanks();
        (!local.is_empty()).then_some(local)
    }

    fn dot_atom(&mut self) -> Vec<u8> {
        let start = self.at;
        self.run(|byte| is_atom(byte) || byte == b'.');
        self.text[start..self.at].to_vec()
    }

    /// domain = dot-atom / domain-literal; blanks may stand around its dots (obsolete).
    fn domain(&mut self) -> Option<Vec<u8>> {
        self.blanks();
        if self.peek() == Some(b'[') {
            let start = self.at;
            self.run(|byte| !matches!(byte, b']' | b'\r' | b'\n'));
            let closed = self.take(b']');
            let literal = self.text[start..self.at].to_vec();
            self.blanks();
            return closed.then_some(literal);
        }
        let mut domain = self.dot_atom();
        self.blanks();
        while !domain.is_empty()
            && (self.peek() == Some(b'.') || (domain.ends_with(b".") && self.peek().is_some_and(is_atom)))
        {
            domain.extend(self.dot_atom());
            self.blanks();
        }
        (!domain.is_empty()).then_some(domain)
    }

    /// phrase = 1*word, with dots (obs-phrase). `None` where no word comes.
    fn phrase(&mut self) -> Option<Vec<u8>> {
        let mut phrase: Vec<u8> = Vec::new();
        let mut words = 0;
        loop {
            let word = match self.peek() {
                Some(b'"') => self.quoted()?,
                Some(byte) if is_atom(byte) || byte == b'.' => self.dot_atom(),
                _ => break,
            };
            if !phrase.is_empty() && !word.is_empty() {
                phrase.push(b' ');
            }
            phrase.extend(word);
            words += 1;
            self.blanks();
        }
        (words > 0).then_some(phrase)
    }

    /// quoted-string; `None` where it is never closed.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        let mut at = self.at + 1;
        loop {
            match *self.text.get(at)? {
                b'"' => break,
                b'\\' => {
                    at += 1;
                    text.push(*self.text.get(at)?);
                }
                b'\r' | b'\n' => {}
                byte => text.push(byte),
            }
            at += 1;
        }
        self.at = at + 1;
        Some(text)
    }

    fn run(&mut self, fits: impl Fn(u8) -> bool) {
        let rest = &self.text[self.at..];
        self.at += rest.iter().position(|byte| !fits(*byte)).unwrap_or(rest.len());
    }

    /// White space and comments; the last comment is kept. Nesting costs a count, not a stack.
    fn blanks(&mut self) {
        loop {
            self.run(|byte| byte.is_ascii_whitespace());
            if self.peek() != Some(b'(') {
                return;
            }
            self.comment();
        }
    }

    fn comment(&mut self) {
        let (mut depth, mut comment) = (0_usize, Vec::new());
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\\' => {
                    comment.extend(self.peek());
                    self.at += 1;
                    continue;
                }
                b'\r' | b'\n' => continue,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if depth > 1 || byte != b'(' {
                comment.push(byte);
            }
        }
        self.at = self.at.min(self.text.len());
        self.comment = comment.trim_ascii().to_vec();
    }
}

/// atext (RFC 5322 §3.2.3), and 8-bit bytes.
fn is_atom(byte: u8) -> bool {
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
            ("\"a\".b@c", "a .b||MISSING_MAILBOX|MISSING_DOMAIN"),
            ("a..b@c", "||a..b|c"),
            ("A:<a@b>", "G A, ||a|b, -"),
            ("\"\" <a@b>", "||a|b"),
            ("x:y:z@b;", "G x, ||y|MISSING_DOMAIN, -"),
            ("\\a@b", missing),
            ("a\\b@c", "||a|MISSING_DOMAIN"),
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
