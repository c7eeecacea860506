//! A message as a mail server submits it to filters, and what shall become of it.

/// Who hands the message in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Client {
    /// Its name; an address in brackets when it has none.
    pub name: String,
    /// Its address as text; empty for this host itself.
    pub address: String,
    /// What it said in HELO.
    pub helo: String,
}

/// A message with its envelope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Submission {
    /// Who hands it in.
    pub client: Client,
    /// The sender, with brackets.
    pub sender: String,
    /// The recipients, with brackets.
    pub recipients: Vec<String>,
    /// As whom the client has logged in (`{auth_authen}`).
    pub login: Option<String>,
    /// The server's id of the message (`i`).
    pub queue_id: Option<String>,
    /// The server's name (`j`).
    pub server: Option<String>,
    /// The header: each field's name and what stands behind its colon. Line ends in it are LF.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body, as it came.
    pub body: Vec<u8>,
    /// There was more than the limit: what is here is not all.
    pub cut: bool,
}

/// A change of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Add a field at the end of the header.
    Add(String, Vec<u8>),
    /// Put another value into the field of this name, the how-manieth counted from 1; an empty one removes the field.
    Set(String, u32, Vec<u8>),
}

/// What becomes of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Accept,
    /// The client gets this reply: `550 5.7.1 Blocked`.
    Refuse(String),
    /// The client shall try again later.
    Defer,
    /// It is taken and thrown away.
    Discard,
}

/// What was decided. Changes count only for what goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// How the header changes.
    pub changes: Vec<Change>,
    /// What becomes of it.
    pub fate: Fate,
}
