//! What one asks of `proxymap`: the value of a key in a table that the asker can not, or need not, open itself.

use attributes::{Attributes, Missing};

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// `hash:/etc/postfix/virtual`, without `proxy:`.
    pub table: String,
    /// What is looked up.
    pub key: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The key is there, with this value.
    Found(String),
    /// It is not.
    None,
    /// The table can not be read; the log of proxymap says why.
    Failed,
    /// The table is not among those of `proxy_read_maps`.
    Denied,
}

impl Question {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        Attributes::new().with("request", "lookup").with("table", &self.table).with("key", &self.key)
    }

    /// Reads what [`Question::to_attributes`] wrote.
    ///
    /// # Errors
    /// [`Missing`] names the attribute that is not there or not understood.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        if message.text("request")? != "lookup" {
            return Err(Missing { name: "request" });
        }
        Ok(Self { table: message.text("table")?.to_owned(), key: message.text("key")?.to_owned() })
    }
}

impl Answer {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let (status, value) = match self {
            Self::Found(value) => ("found", value.as_str()),
            Self::None => ("none", ""),
            Self::Failed => ("failed", ""),
            Self::Denied => ("denied", ""),
        };
        Attributes::new().with("status", status).with("value", value)
    }

    /// Reads what [`Answer::to_attributes`] wrote.
    ///
    /// # Errors
    /// As [`Question::from_attributes`].
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        match message.text("status")? {
            "found" => Ok(Self::Found(message.text("value")?.to_owned())),
            "none" => Ok(Self::None),
            "failed" => Ok(Self::Failed),
            "denied" => Ok(Self::Denied),
            _ => Err(Missing { name: "status" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_answers_come_back_as_they_were_sent() {
        let question = Question { table: "hash:/x".to_owned(), key: "a@b".to_owned() };
        assert_eq!(Question::from_attributes(&question.to_attributes()), Ok(question));
        for answer in [Answer::Found("v".to_owned()), Answer::None, Answer::Failed, Answer::Denied] {
            assert_eq!(Answer::from_attributes(&answer.to_attributes()), Ok(answer));
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        let other = Attributes::new().with("request", "update");
        assert_eq!(Question::from_attributes(&other), Err(Missing { name: "request" }));
        assert_eq!(Answer::from_attributes(&other), Err(Missing { name: "status" }));
    }
}
