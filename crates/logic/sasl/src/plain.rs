//! The one message of PLAIN (RFC 4616 §2).

use crate::RESPONSE_LIMIT_BYTES;

/// `[authzid] NUL authcid NUL passwd`
#[derive(Clone, PartialEq, Eq)]
pub struct PlainMessage {
    /// As whom the client wants to act; empty for itself.
    pub authorize: String,
    /// Who it says it is.
    pub login: String,
    /// The proof.
    pub password: String,
}

impl PlainMessage {
    /// Takes the message apart. None when it is not of that form: a NUL too many, an empty name, an empty
    /// password, no UTF-8.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= RESPONSE_LIMIT_BYTES)?;
        let (authorize, rest) = text.split_once('\0')?;
        let (login, password) = rest.split_once('\0')?;
        let sound = !login.is_empty() && !password.is_empty() && !password.contains('\0');
        sound.then(|| Self { authorize: authorize.into(), login: login.into(), password: password.into() })
    }

    /// The bytes that go over the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("{}\0{}\0{}", self.authorize, self.login, self.password).into_bytes()
    }
}

impl std::fmt::Debug for PlainMessage {
    /// Never the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainMessage").field("login", &self.login).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4616 §4.
    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let tim = PlainMessage {
            authorize: String::new(),
            login: "tim".into(),
            password: "tanstaaftanstaaf".into(),
        };
        assert_eq!(PlainMessage::parse(b"\0tim\0tanstaaftanstaaf"), Some(tim.clone()));
        assert_eq!(tim.to_bytes(), b"\0tim\0tanstaaftanstaaf");
        let kurt = PlainMessage::parse(b"Ursel\0Kurt\0xipj3plmq").unwrap();
        assert_eq!((kurt.authorize.as_str(), kurt.login.as_str()), ("Ursel", "Kurt"));
        assert!(!format!("{kurt:?}").contains("xipj"));
    }

    #[test]
    fn what_is_no_plain_message_is_refused() {
        for bytes in [&b""[..], b"x", b"\0user", b"\0\0secret", b"\0user\0", b"\0u\0p\0x", b"\0u\0\xff"] {
            assert_eq!(PlainMessage::parse(bytes), None, "{bytes:?}");
        }
        assert_eq!(
            PlainMessage::parse(format!("\0u\0{}", "x".repeat(RESPONSE_LIMIT_BYTES)).as_bytes()),
            None
        );
    }
}
