//! What a server knows of a user, in the forms that a mechanism can work with.

use crate::cram_md5::CramContexts;
use crate::scram::ScramSecret;

/// A stored secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The password itself.
    Password(String),
    /// What HMAC-MD5 makes of the password before it sees a message.
    Cram(CramContexts),
    /// What SCRAM stores.
    Scram(ScramSecret),
}

impl std::fmt::Debug for Secret {
    /// Which form, never the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password",
            Self::Cram(_) => "Cram",
            Self::Scram(_) => "Scram",
        })
    }
}
