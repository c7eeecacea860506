//! The mechanisms by name, and what each is worth.

use std::fmt;

/// A way to prove who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mechanism {
    /// RFC 4616: name and password as they are.
    Plain,
    /// Name and password as they are, each after a prompt; never standardised, widely used by Outlook.
    Login,
    /// RFC 2195: an HMAC-MD5 over a challenge.
    CramMd5,
    /// RFC 5802.
    ScramSha1,
    /// RFC 7677.
    ScramSha256,
    /// RFC 4422 appendix A: what TLS has established already.
    External,
    /// RFC 1939 §7: an MD5 over the banner's time stamp and the secret. Not SASL, but passed through like it.
    Apop,
}

/// What an eavesdropper or a forger can do with a mechanism; the words of Dovecot's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Properties {
    /// Who listens has the password.
    pub plaintext: bool,
    /// Who listens can try passwords at home.
    pub dictionary: bool,
    /// Who stands in between can take the session over.
    pub active: bool,
    /// The server proves itself too.
    pub mutual: bool,
    /// Not to be announced to clients.
    pub private: bool,
}

impl Mechanism {
    /// All that a server can do, the strongest first.
    pub const ALL: [Self; 7] = [
        Self::ScramSha256,
        Self::ScramSha1,
        Self::CramMd5,
        Self::Plain,
        Self::Login,
        Self::External,
        Self::Apop,
    ];

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::External => "EXTERNAL",
            Self::Apop => "APOP",
        }
    }

    /// The mechanism of this name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// What it is worth.
    pub const fn properties(self) -> Properties {
        let none =
            Properties { plaintext: false, dictionary: false, active: false, mutual: false, private: false };
        match self {
            Self::Plain | Self::Login => Properties { plaintext: true, ..none },
            Self::CramMd5 => Properties { dictionary: true, active: true, ..none },
            Self::ScramSha1 | Self::ScramSha256 => Properties { mutual: true, ..none },
            Self::External => none,
            Self::Apop => Properties { dictionary: true, active: true, private: true, ..none },
        }
    }

    /// Does the client speak first (RFC 4422 §5)? Then it may send its first response with the command.
    pub const fn client_first(self) -> bool {
        !matches!(self, Self::Login | Self::CramMd5)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mechanism_is_found_by_its_name_in_any_case() {
        for mechanism in Mechanism::ALL {
            assert_eq!(Mechanism::parse(&mechanism.name().to_ascii_lowercase()), Some(mechanism));
        }
        assert_eq!(Mechanism::parse("GSSAPI"), None);
    }
}
