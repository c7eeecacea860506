//! What stands in a row, and what is put into a statement.

/// A row: its columns in the statement's order.
pub type Row = Vec<Value>;

/// A value of a column, or for a place in a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL
    Null,
    /// A whole number; one beyond 64 signed bits is a text.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text; also what has a type that is none of the others, as the database writes it.
    Text(String),
    /// Bytes that need not be text.
    Bytes(Vec<u8>),
}

impl Value {
    /// The value as text; `None` is NULL. What is no UTF-8 gets replacement characters.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Integer(number) => Some(number.to_string()),
            Self::Real(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        }
    }

    /// The value as bytes; `None` is NULL.
    pub fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            other => other.text().map(String::into_bytes),
        }
    }

    /// The value as a whole number; a text may be one.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Null | Self::Real(_) => None,
            Self::Text(_) | Self::Bytes(_) => self.text()?.parse().ok(),
        }
    }

    /// What the database sent: a text where it is one.
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}
