//! A message's signature: a few hundred bytes that tell of most texts that they are not in the message, without opening it.
//!
//! Each three bytes in a row set a bit of it. A text whose every three bytes have their bits set may be in the message;
//! any other is not.

/// Bounds of a signature's length, bits.
const BITS_MIN: usize = 512;
const BITS_MAX: usize = 1 << 16;
/// 2^32 divided by the golden ratio: spreads numbers that are near each other (Knuth, volume 3, §6.4).
const SPREAD: u32 = 0x9E37_79B1;

/// The signature of a text; about a bit a byte, so that a fifth of them are set in usual mail.
pub(crate) fn signature(text: &str) -> Vec<u8> {
    let bits = text.len().next_power_of_two().clamp(BITS_MIN, BITS_MAX);
    let mut signature = vec![0; bits / 8];
    for three in text.as_bytes().windows(3) {
        let bit = bit(number(three), bits);
        signature[bit / 8] |= 1 << (bit % 8);
    }
    signature
}

/// What is looked for in signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probe(Vec<u32>);

impl Probe {
    /// None for a text that signatures can tell nothing about.
    pub(crate) fn new(text: &str) -> Option<Self> {
        // What was gathered of the parts of a message is parted by line feeds.
        (text.len() >= 3 && !text.contains('\n'))
            .then(|| Self(text.as_bytes().windows(3).map(number).collect()))
    }

    /// False: it is not in the text of this signature.
    pub(crate) fn may_be_in(&self, signature: &[u8]) -> bool {
        let bits = signature.len() * 8;
        if !bits.is_power_of_two() || !(BITS_MIN..=BITS_MAX).contains(&bits) {
            return true;
        }
        let is_set = |bit: usize| signature[bit / 8] & 1 << (bit % 8) != 0;
        self.0.iter().all(|number| is_set(bit(*number, bits)))
    }
}

fn number(three: &[u8]) -> u32 {
    three.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn bit(number: u32, bits: usize) -> usize {
    (number.wrapping_mul(SPREAD) >> (32 - bits.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_text_is_never_denied_and_most_else_is() {
        let text = "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG. ".repeat(40);
        let signature = signature(&text);
        for length in 3..20 {
            for place in 0..45 {
                assert!(
                    Probe::new(&text[place..place + length]).is_some_and(|probe| probe.may_be_in(&signature))
                );
            }
        }
        assert!(Probe::new("ZEBRAFISH").is_some_and(|probe| !probe.may_be_in(&signature)));
        assert_eq!((Probe::new("AB"), Probe::new("AB\nCD")), (None, None));
    }

    #[test]
    fn a_damaged_signature_denies_nothing() {
        let probe = Probe::new("ABC").unwrap();
        assert!([0, 1, 63, 65, 1 << 14].iter().all(|length| probe.may_be_in(&vec![0; *length])));
        assert!(!probe.may_be_in(&signature("")));
    }
}
