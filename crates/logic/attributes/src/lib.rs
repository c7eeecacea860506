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
    pairs: Vec<(String, String)>,
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
        let clean = |text: String| if text.contains('\0') { text.replace('\0', "") } else { text };
        self.pairs.push((clean(name.to_owned()), clean(value.to_string())));
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
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
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Appends the encoded message to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.pairs {
            out.extend_from_slice(name.as_bytes());
            out.push(0);
            out.extend_from_slice(value.as_bytes());
            out.push(0);
        }
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
        let mut message = Self::new();
        let mut rest = bytes;
        loop {
            let Some((name, after_name)) = take_text(rest)? else { break };
            if name.is_empty() {
                return Ok(Some((message, bytes.len() - after_name.len())));
            }
            let Some((value, after_value)) = take_text(after_name)? else { break };
            message.pairs.push((name.to_owned(), value.to_owned()));
            rest = after_value;
        }
        if bytes.len() > MESSAGE_LIMIT_BYTES { Err(DecodeError::TooLarge) } else { Ok(None) }
    }
}

fn take_text(bytes: &[u8]) -> Result<Option<(&str, &[u8])>, DecodeError> {
    let Some(end) = bytes.iter().position(|byte| *byte == 0) else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| DecodeError::NotText)?;
    Ok(Some((text, &bytes[end + 1..])))
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
