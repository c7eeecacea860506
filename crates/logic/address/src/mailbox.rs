//! One address in internal form.

use std::fmt;

use crate::{quote, unquote};

/// A mailbox address in internal form, or the null sender.
///
/// The domain begins after the last `@`; an address without one is a bare local part. No promise is made
/// about syntax: rewriting and routing give a meaning to every text, and refuse what they must.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Address(String);

impl Address {
    /// The null sender `<>` of bounces (RFC 5321 §4.5.5).
    pub const NULL: Self = Self(String::new());

    /// Takes an address in internal form: `a b@example.com`.
    pub fn internal(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Takes an address in external form: `"a b"@example.com`.
    pub fn external(text: &str) -> Self {
        Self(unquote(text))
    }

    /// The local part, without quotes.
    pub fn local(&self) -> &str {
        self.at().map_or(&*self.0, |at| &self.0[..at])
    }

    /// What stands after the last `@`.
    pub fn domain(&self) -> Option<&str> {
        self.at().map(|at| &self.0[at + 1..])
    }

    /// Is this the null sender?
    pub fn is_null(&self) -> bool {
        self.0.is_empty()
    }

    /// The internal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The external form, with the local part quoted where RFC 5322 §3.4.1 wants it. Empty for the null sender.
    pub fn to_external(&self) -> String {
        quote(&self.0)
    }

    fn at(&self) -> Option<usize> {
        self.0.rfind('@')
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Address {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_follows_the_last_at() {
        let address = Address::internal("a@b@example.com");
        assert_eq!((address.local(), address.domain()), ("a@b", Some("example.com")));
        assert_eq!(Address::internal("postmaster").domain(), None);
        assert_eq!(Address::internal("a@").domain(), Some(""));
    }

    #[test]
    fn quotes_come_and_go_at_the_border() {
        let address = Address::external("\"a b\"@example.com");
        assert_eq!(address.as_str(), "a b@example.com");
        assert_eq!(address.to_external(), "\"a b\"@example.com");
        assert!(Address::external("").is_null());
        assert_eq!(Address::NULL.to_external(), "");
    }
}
