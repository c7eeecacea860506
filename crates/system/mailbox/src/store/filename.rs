//! Names of message files in a Maildir: `<base>:2,<flags>`.
//!
//! The base names the message; it may tell sizes (`,S=` bytes on disk, `,W=` bytes with CRLF). Letters that mean nothing
//! to us, and a second set behind a further comma, stay as they are.

use super::contents::Message;
use super::flags::{Flags, KeywordSet};

/// Keywords that have a letter, `a` to `z`.
pub(crate) const LETTERED_KEYWORDS: usize = 26;

/// What a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) flags: Flags,
    pub(crate) keywords: KeywordSet,
}

impl Marks {
    /// What is marked on a message.
    pub(crate) fn of(message: &Message) -> Self {
        Self { flags: message.flags, keywords: message.keywords }
    }
}

/// The part before the `:`.
pub(crate) fn base(name: &[u8]) -> &[u8] {
    match name.iter().position(|byte| *byte == b':') {
        Some(at) => &name[..at],
        None => name,
    }
}

/// The flags of a name.
pub(crate) fn marks(name: &[u8]) -> Marks {
    let (mut flags, mut keywords) = (Flags::NONE, KeywordSet::default());
    for letter in first_set(name) {
        match letter {
            b'a'..=b'z' => keywords = keywords.with(usize::from(letter - b'a')),
            _ => flags |= Flags::of_letter(*letter).unwrap_or_default(),
        }
    }
    Marks { flags, keywords }
}

/// `name` with other flags. Keywords without a letter are left out.
pub(crate) fn with_marks(name: &[u8], marks: Marks) -> Vec<u8> {
    let unknown = first_set(name).iter().copied().filter(|letter| !is_known(*letter));
    let keywords = marks.keywords.iter().take_while(|index| *index < LETTERED_KEYWORDS);
    let mut letters: Vec<u8> = marks.flags.letters().chain(unknown).collect();
    letters.extend(keywords.map(|index| b'a' + index as u8));
    letters.sort_unstable();
    letters.dedup();
    let mut out = base(name).to_vec();
    out.extend_from_slice(b":2,");
    out.extend_from_slice(&letters);
    out.extend_from_slice(second_set(name));
    out
}

fn is_known(letter: u8) -> bool {
    letter.is_ascii_lowercase() || Flags::of_letter(letter).is_some()
}

/// What stands behind `:2,`.
fn info(name: &[u8]) -> &[u8] {
    name.get(base(name).len()..).and_then(|info| info.strip_prefix(b":2,")).unwrap_or_default()
}

fn first_set(name: &[u8]) -> &[u8] {
    let info = info(name);
    &info[..info.iter().position(|byte| *byte == b',').unwrap_or(info.len())]
}

/// With its comma.
fn second_set(name: &[u8]) -> &[u8] {
    &info(name)[first_set(name).len()..]
}

/// The bytes on disk, if the name tells.
pub(crate) fn size_on_disk(name: &[u8]) -> Option<u64> {
    number_after(base(name), b",S=")
}

/// The bytes with each line end as CRLF, if the name tells.
pub(crate) fn size_on_wire(name: &[u8]) -> Option<u64> {
    number_after(base(name), b",W=")
}

fn number_after(base: &[u8], key: &[u8]) -> Option<u64> {
    let at = base.windows(key.len()).position(|window| window == key)?;
    let rest = &base[at + key.len()..];
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    if !matches!(rest.get(digits), None | Some(b',')) {
        return None;
    }
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

/// When the message came, by its name: seconds and microseconds (`M<us>`). What sorts new mail.
pub(crate) fn arrival(name: &[u8]) -> (u64, u64) {
    let base = base(name);
    let (seconds, rest) = leading_number(base);
    let fields = rest.strip_prefix(b".").unwrap_or_default();
    let fields = &fields[..fields.iter().position(|byte| *byte == b'.').unwrap_or(fields.len())];
    let microseconds =
        fields.iter().position(|byte| *byte == b'M').map(|at| leading_number(&fields[at + 1..]).0);
    (seconds, microseconds.unwrap_or(0))
}

fn leading_number(bytes: &[u8]) -> (u64, &[u8]) {
    let digits = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let number = std::str::from_utf8(&bytes[..digits]).ok().and_then(|text| text.parse().ok());
    (number.unwrap_or(0), &bytes[digits..])
}

/// `<second>.M<microsecond>P<process>.<host>`, as Dovecot forms names; the caller adds sizes.
pub(crate) fn fresh(now_us: u64, process: u32, host: &str) -> String {
    let (second, microsecond) = (now_us / 1_000_000, now_us % 1_000_000);
    let host = host.replace('/', "\\057").replace(':', "\\072");
    format!("{second}.M{microsecond}P{process}.{host}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_several_writers_are_understood() {
        let name = b"1795313871.M211098P7.vm,S=1234,W=1300:2,FSac";
        assert_eq!(base(name), b"1795313871.M211098P7.vm,S=1234,W=1300");
        assert_eq!(size_on_wire(name), Some(1300));
        let marked = marks(name);
        assert_eq!(marked.flags, Flags::FLAGGED | Flags::SEEN);
        assert_eq!(marked.keywords.iter().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(arrival(name), (1_795_313_871, 211_098));
        assert_eq!(arrival(b"1795313871.Vfe00I9921e0M211098.vm"), (1_795_313_871, 211_098));
        assert_eq!(size_on_wire(b"1.2.h,W=7,S=3"), Some(7));
        assert_eq!(size_on_wire(b"1.2.h,W=3x"), None);
        assert_eq!(marks(b"1.2.h").flags, Flags::NONE);
        assert_eq!(marks(b"1.2.h:1,S").flags, Flags::NONE);
    }

    #[test]
    fn what_is_not_ours_stays_in_the_name() {
        let marked = Marks { flags: Flags::SEEN | Flags::ANSWERED, keywords: KeywordSet(1 << 3 | 1 << 40) };
        assert_eq!(with_marks(b"x:2,ZFa,q", marked), b"x:2,RSZd,q");
        assert_eq!(with_marks(b"x", Marks { flags: Flags::NONE, keywords: KeywordSet(0) }), b"x:2,");
        assert_eq!(fresh(1_000_002, 3, "a/b:c"), "1.M2P3.a\\057b\\072c");
    }

    proptest! {
        #[test]
        fn marks_come_back(base in "[a-z0-9.=,]{1,20}", bits in 0_u8..64, keywords in 0_u64..1 << 26, old in "[A-Za-z,]{0,5}") {
            let marked = Marks { flags: Flags::from_bits(bits), keywords: KeywordSet(keywords) };
            let name = with_marks(format!("{base}:2,{old}").as_bytes(), marked);
            prop_assert_eq!(marks(&name), marked);
            prop_assert_eq!(super::base(&name), base.as_bytes());
        }

        #[test]
        fn no_name_upsets_the_parser(name in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = (marks(&name), arrival(&name), size_on_wire(&name));
            prop_assert!(with_marks(&name, marks(&name)).starts_with(super::base(&name)));
        }
    }
}
