//! Sets of bytes.

/// Some of the 256 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(crate) const ALL: Self = Self([u64::MAX; 4]);

    pub(crate) fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        let mut set = Self::default();
        bytes.into_iter().for_each(|byte| set.insert(byte));
        set
    }

    pub(crate) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
    }

    pub(crate) fn complement(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        self.0.into_iter().zip(0_u8..).flat_map(|(mut word, index)| {
            std::iter::from_fn(move || {
                let bit = u8::try_from(word.trailing_zeros()).ok().filter(|bit| *bit < 64)?;
                word &= word - 1;
                Some(index << 6 | bit)
            })
        })
    }

    /// With the other case of each letter, also of those of Latin-1.
    pub(crate) fn in_both_cases(self) -> Self {
        let [controls, ascii, high, latin] = self.0;
        Self([controls, with_pairs(ascii, ASCII_CAPITALS), high, with_pairs(latin, LATIN_CAPITALS)])
    }
}

/// Where capitals stand in their 64 bytes; small letters stand 32 behind them.
const ASCII_CAPITALS: u64 = 0x07ff_fffe;
/// The same of Latin-1; the signs of multiplication and division between them are no letters.
const LATIN_CAPITALS: u64 = 0x7f7f_ffff;

fn with_pairs(letters: u64, capitals: u64) -> u64 {
    letters | (letters & capitals) << 32 | letters >> 32 & capitals
}

/// The other case of a byte of Latin-1 above ASCII.
pub(super) fn other_latin_case(byte: u8) -> Option<u8> {
    match byte {
        0xd7 | 0xf7 => None,
        0xc0..=0xde => Some(byte + 0x20),
        0xe0..=0xfe => Some(byte - 0x20),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cases_of_all_bytes() {
        for byte in 0..=u8::MAX {
            let mut expected = ByteSet::of([byte, byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]);
            expected.add(ByteSet::of(other_latin_case(byte)));
            assert_eq!(ByteSet::of([byte]).in_both_cases(), expected);
            assert!(expected.iter().any(|found| found == byte));
            assert!(expected.complement().iter().all(|found| found != byte));
        }
    }
}
