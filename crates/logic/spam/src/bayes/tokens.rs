//! The tokens of one message, each once.

use sha1::{Digest, Sha1};

use crate::learned::Token;

/// The token of a word.
pub fn token_of(word: &[u8]) -> Token {
    let mut token = Token::default();
    let digest = Sha1::digest(word);
    let begin = digest.len() - token.len();
    token.copy_from_slice(&digest[begin..]);
    token
}

/// Tokens with the words that they stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens {
    /// All words, one behind the other.
    text: Vec<u8>,
    /// Each token, and where its word stands in `text`.
    list: Vec<(Token, u32, u32)>,
}

impl Tokens {
    /// Adds a word, which is `prefix` and `word`; an empty one says nothing.
    pub(crate) fn add(&mut self, prefix: &[u8], word: &[u8]) {
        if prefix.is_empty() && word.is_empty() {
            return;
        }
        let begin = self.text.len();
        self.text.extend_from_slice(prefix);
        self.text.extend_from_slice(word);
        let token = token_of(&self.text[begin..]);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.list.push((token, place(begin), place(self.text.len())));
    }

    /// How many were added so far.
    pub(crate) fn added(&self) -> usize {
        self.list.len()
    }

    /// Each once, in their order.
    pub(crate) fn finish(mut self) -> Self {
        self.list.sort_unstable_by_key(|(token, ..)| *token);
        self.list.dedup_by_key(|(token, ..)| *token);
        self
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Token> {
        self.list.iter().map(|(token, ..)| *token).collect()
    }

    /// The word of the token of that number.
    pub(crate) fn word(&self, index: usize) -> &[u8] {
        self.list.get(index).map_or(&[], |(_, begin, end)| &self.text[*begin as usize..*end as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_end_of_a_digest() {
        // printf free | sha1sum
        assert_eq!(token_of(b"free"), [0xb4, 0x08, 0x69, 0x88, 0x23]);
    }

    #[test]
    fn each_token_is_there_once_with_its_word() {
        let mut tokens = Tokens::default();
        for word in ["free", "cash", "free", ""] {
            tokens.add(b"", word.as_bytes());
        }
        let tokens = tokens.finish();
        let at = tokens.all().iter().position(|token| *token == token_of(b"cash")).unwrap();
        assert_eq!((tokens.all().len(), tokens.word(at)), (2, &b"cash"[..]));
    }
}
