//! Postfix's attribute encoding: `name NUL value NUL ... NUL`, as on `public/showq` and between our own programs.
//!
//! A message is a list of names and values that ends with an empty name. Numbers are decimal text. Names may
//! repeat (a list of recipients); the order is kept.
#![forbid(unsafe_code)]

use std::str::FromStr;

/// The largest message either side accepts, in bytes.
pub const MESSAGE_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// One message: names and values in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// As it is sent, without the empty name at the end.
    encoded: String,
}

/// Why bytes are not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More than [`MESSAGE_LIMIT_BYTES`] without an end.
    #[error("attribute message larger than {MESSAGE_LIMIT_BYTES} bytes")]
    TooLarge,
    /// A name or value is not UTF-8.
    #[error("attribute text is not UTF-8")]
    NotText,
}

/// A name that should have been there, or a value of the wrong shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("attribute {name} is missing or malformed")]
pub struct Missing {
    /// The attribute's name.
    pub name: &'static str,
}

impl Attributes {
    /// An empty message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `name` with `value`; a NUL within either is cut out, for it would end the text.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.push(name, value);
        self
    }

    /// Appends `name` with `value`, as [`Attributes::with`].
    pub fn push(&mut self, name: &str, value: impl ToString) {
        self.push_text(name);
        self.push_text(&value.to_string());
    }

    fn push_text(&mut self, text: &str) {
        self.encoded.extend(text.split('\0'));
        self.encoded.push('\0');
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The first value of `name`, parsed.
    ///
    /// # Errors
    /// [`Missing`] when there is none, or it does not parse.
    pub fn parse<T: FromStr>(&self, name: &'static str) -> Result<T, Missing> {
        self.get(name).and_then(|value| value.parse().ok()).ok_or(Missing { name })
    }

    /// The first value of `name` as text.
    ///
    /// # Errors
    /// [`Missing`] when there is none.
    pub fn text(&self, name: &'static str) -> Result<&str, Missing> {
        self.get(name).ok_or(Missing { name })
    }

    /// All names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = self.encoded.as_str();
        std::iter::from_fn(move || take_text(&mut rest).zip(take_text(&mut rest)))
    }

    /// Appends the encoded message to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.encoded.as_bytes());
        out.push(0);
    }

    /// The encoded message.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }

    /// The first whole message in `bytes` and its length, or `None` while its end has not arrived.
    ///
    /// # Errors
    /// [`DecodeError`]: the connection can not be used any more.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, DecodeError> {
        let mut at = 0;
        while let Some(name_bytes) = text_bytes(&bytes[at..]) {
            if name_bytes == 0 {
                let text = std::str::from_utf8(&bytes[..at]).map_err(|_| DecodeError::NotText)?;
                return Ok(Some((Self { encoded: text.to_owned() }, at + 1)));
            }
            let value = at + name_bytes + 1;
            let Some(value_bytes) = text_bytes(&bytes[value..]) else { break };
            at = value + value_bytes + 1;
        }
        if bytes.len() > MESSAGE_LIMIT_BYTES { Err(DecodeError::TooLarge) } else { Ok(None) }
    }
}

/// Takes the text before the next NUL off.
fn take_text<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let (text, after) = rest.split_at(text_bytes(rest.as_bytes())?);
    *rest = &after[1..];
    Some(text)
}

/// The bytes before the next NUL, once it is there.
fn text_bytes(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(0, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was_sent() {
        let sent =
            Attributes::new().with("request", "resolve").with("recipient", "").with("recipient", "b@c");
        let bytes = sent.to_bytes();
        assert_eq!(Attributes::decode(&bytes), Ok(Some((sent, bytes.len()))));
    }

    #[test]
    fn what_would_end_a_text_is_cut_out() {
        let bytes = Attributes::new().with("na\0me", "va\0\0lue\0").with("empty", "").to_bytes();
        assert_eq!(bytes, b"name\0value\0empty\0\0\0");
        let (message, _) = Attributes::decode(&bytes).unwrap().unwrap();
        assert_eq!(message.iter().collect::<Vec<_>>(), [("name", "value"), ("empty", "")]);
    }

    #[test]
    fn only_text_is_taken() {
        assert_eq!(Attributes::decode(b"name\0\xff\0\0"), Err(DecodeError::NotText));
    }

    #[test]
    fn a_message_in_pieces_is_waited_for() {
        let bytes = Attributes::new().with("size", 42).to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(Attributes::decode(&bytes[..end]), Ok(None), "cut at {end}");
        }
        let (message, _) = Attributes::decode(&bytes).unwrap().unwrap();
        assert_eq!(message.parse::<u64>("size"), Ok(42));
        assert_eq!(message.parse::<u64>("offset"), Err(Missing { name: "offset" }));
    }
}
