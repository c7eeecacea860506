//! The comparator i;unicode-casemap (RFC 5051): text without regard to case, composed or not.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// Text as it is compared: titlecase of each character, then decomposed.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    let upper: String = text.chars().flat_map(char::to_uppercase).collect();
    DecomposingNormalizerBorrowed::new_nfkd().normalize(&upper).into_owned()
}

/// A text to look for, folded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needle {
    folded: String,
}

impl Needle {
    /// What to look for.
    pub fn new(text: &str) -> Self {
        Self { folded: fold(text) }
    }

    /// As it is looked for.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Nothing is in every text.
    pub fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }

    /// Is it a part of the text?
    pub fn is_in(&self, text: &str) -> bool {
        self.folded.is_empty() || fold(text).contains(&self.folded)
    }

    /// Is it a part of a text that is folded already?
    pub fn is_in_folded(&self, folded: &str) -> bool {
        memchr::memmem::find(folded.as_bytes(), self.folded.as_bytes()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_composition_mean_nothing() {
        assert!(Needle::new("ÜBER").is_in("das u\u{308}ber Ding"));
        assert!(Needle::new("eedl").is_in("NEEDLE"));
        assert!(Needle::new("").is_in(""));
        assert!(!Needle::new("x").is_in("abc"));
        assert_eq!(fold("ß"), fold("ss"));
    }
}
