//! The header fields in which an mbox keeps what it knows about messages.

use crate::store::Uid;
use crate::store::flags::Flags;

/// Fields that readers do not see, and that nobody can bring in from outside.
const HIDDEN: [&[u8]; 7] =
    [b"X-IMAPbase", b"X-IMAP", b"X-UID", b"Status", b"X-Status", b"X-Keywords", b"Content-Length"];
/// Room that is left for flags and keywords to come, bytes.
const PADDING: usize = 40;

/// The first message's word for the whole folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) uid_validity: u32,
    pub(super) last_uid: Uid,
    pub(super) keywords: Vec<String>,
}

/// What the hidden fields of a message say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Hidden {
    pub(super) base: Option<Base>,
    /// The base stands in `X-IMAP`: the message is no message, but UW imapd's place for it.
    pub(super) pseudo: bool,
    pub(super) uid: Option<Uid>,
    pub(super) flags: Flags,
    /// `O` of Status: some session has claimed it.
    pub(super) old: bool,
    pub(super) keywords: Vec<String>,
    pub(super) content_length: Option<u64>,
}

/// Is this header line (or a line that continues one) hidden?
pub(super) fn is_hidden(line: &[u8]) -> bool {
    name(line).is_some_and(|name| HIDDEN.iter().any(|hidden| hidden.eq_ignore_ascii_case(name)))
}

fn name(line: &[u8]) -> Option<&[u8]> {
    line.iter().position(|byte| *byte == b':').map(|at| line[..at].trim_ascii_end())
}

impl Hidden {
    /// Takes in a hidden line.
    pub(super) fn read(&mut self, line: &[u8]) {
        let Some(name) = name(line) else { return };
        let value = String::from_utf8_lossy(
            &line[line.iter().position(|byte| *byte == b':').map_or(0, |at| at + 1)..],
        );
        let value = value.trim();
        match name.to_ascii_lowercase().as_slice() {
            b"x-imapbase" => self.base = Base::parse(value).or(self.base.take()),
            b"x-imap" => {
                self.base = Base::parse(value).or(self.base.take());
                self.pseudo = true;
            }
            b"x-uid" => self.uid = value.parse().ok().filter(|uid| *uid > 0),
            b"status" => {
                self.old |= value.contains('O');
                self.set(value, &[('R', Flags::SEEN)]);
            }
            b"x-status" => self.set(value, &X_STATUS),
            b"x-keywords" => self.keywords = value.split_whitespace().map(str::to_owned).collect(),
            // The first one counts, as with Dovecot.
            b"content-length" => self.content_length = self.content_length.or_else(|| length(line)),
            _ => {}
        }
    }

    fn set(&mut self, value: &str, letters: &[(char, Flags)]) {
        for (letter, flag) in letters {
            if value.contains(*letter) {
                self.flags |= *flag;
            }
        }
    }

    /// The fields, at most `room` bytes of them if that is given, else with some room to spare. None if they do not fit.
    pub(super) fn to_lines(&self, room: Option<usize>) -> Option<Vec<u8>> {
        let mut text = String::new();
        if let Some(base) = &self.base {
            let name = if self.pseudo { "X-IMAP" } else { "X-IMAPbase" };
            text.push_str(&format!("{name}: {} {:010}", base.uid_validity, base.last_uid));
            base.keywords.iter().for_each(|keyword| text.push_str(&format!(" {keyword}")));
            text.push('\n');
        }
        if let Some(uid) = self.uid {
            text.push_str(&format!("X-UID: {uid}\n"));
        }
        let status = [(self.flags.has(Flags::SEEN), 'R'), (self.old, 'O')];
        push_letters("Status", status, &mut text);
        push_letters("X-Status", X_STATUS.map(|(letter, flag)| (self.flags.has(flag), letter)), &mut text);
        if let Some(length) = self.content_length {
            text.push_str(&format!("Content-Length: {length}\n"));
        }
        text.push_str("X-Keywords: ");
        text.push_str(&self.keywords.join(" "));
        let padding = match room {
            None => PADDING,
            Some(room) => room.checked_sub(text.len() + 1)?,
        };
        text.push_str(&" ".repeat(padding));
        text.push('\n');
        Some(text.into_bytes())
    }
}

/// In the order in which Dovecot writes them.
const X_STATUS: [(char, Flags); 4] =
    [('A', Flags::ANSWERED), ('F', Flags::FLAGGED), ('T', Flags::DRAFT), ('D', Flags::DELETED)];

/// Always as long, so that a line that is written over in place stays a line, however far the writer came.
fn push_letters<const N: usize>(name: &str, letters: [(bool, char); N], text: &mut String) {
    let letters: String = letters.into_iter().filter(|(set, _)| *set).map(|(_, letter)| letter).collect();
    text.push_str(&format!("{name}: {letters:<N$}\n"));
}

/// Digits, and before them one blank at the most.
fn length(line: &[u8]) -> Option<u64> {
    let value = std::str::from_utf8(line).ok()?.split_once(':')?.1.trim_end();
    let digits = value.strip_prefix([' ', '\t']).unwrap_or(value);
    digits.starts_with(|first: char| first.is_ascii_digit()).then(|| digits.parse().ok())?
}

impl Base {
    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_whitespace();
        let uid_validity = words.next()?.parse().ok().filter(|number| *number > 0)?;
        let last_uid = words.next()?.parse().ok()?;
        Some(Self { uid_validity, last_uid, keywords: words.map(str::to_owned).collect() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_fields_of_dovecot_are_understood() {
        let mut hidden = Hidden::default();
        for line in [
            "X-IMAPbase: 1795325504 0000000007 Work b",
            "x-uid: 3",
            "Status: RO",
            "X-Status: AD",
            "X-Keywords: Work   ",
        ] {
            assert!(is_hidden(line.as_bytes()));
            hidden.read(line.as_bytes());
        }
        assert_eq!((hidden.uid, hidden.old, hidden.pseudo), (Some(3), true, false));
        assert_eq!(hidden.flags, Flags::SEEN | Flags::ANSWERED | Flags::DELETED);
        assert_eq!(hidden.base.map(|base| (base.last_uid, base.keywords.len())), Some((7, 2)));
        assert!(!is_hidden(b"Status-Not: x") && !is_hidden(b"Subject: Status") && !is_hidden(b"no colon"));
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(
            uid in proptest::option::of(1_u32..), bits in 0_u8..64, old in any::<bool>(), pseudo in any::<bool>(),
            keywords in prop::collection::vec("[a-z$]{1,5}", 0..5), base in proptest::option::of((1_u32.., any::<u32>())),
            content_length in proptest::option::of(any::<u64>()), room in 0_usize..300,
        ) {
            let base = base.map(|(uid_validity, last_uid)| Base { uid_validity, last_uid, keywords: keywords.clone() });
            let flags = Flags::from_bits(bits) & Flags::CLIENT;
            let pseudo = pseudo && base.is_some();
            let hidden = Hidden { base, pseudo, uid, flags, old, keywords, content_length };
            let free = hidden.to_lines(None).unwrap();
            for lines in std::iter::once(free.clone()).chain(hidden.to_lines(Some(room))) {
                let mut again = Hidden::default();
                lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| again.read(line));
                prop_assert_eq!(&again, &hidden);
            }
            prop_assert_eq!(hidden.to_lines(Some(room)).map(|lines| lines.len()), (room >= free.len() - PADDING).then_some(room));
        }
    }
}
