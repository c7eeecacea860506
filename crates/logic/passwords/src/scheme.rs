//! The schemes by name.

use std::fmt;

/// How a secret is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// As it is.
    Plain,
    /// crypt(3): which function it is, the text itself says.
    Crypt,
    /// RFC 2195, as two states of MD5.
    CramMd5,
    /// MD5 of `user:realm:password` (RFC 2831).
    DigestMd5,
    /// SCRAM with SHA-1 (RFC 5802).
    ScramSha1,
    /// SCRAM with SHA-256 (RFC 7677).
    ScramSha256,
    /// Argon2i, Argon2id.
    Argon2,
    /// PBKDF2 with SHA-1: `$1$salt$rounds$hash`.
    Pbkdf2,
    /// MD5, in hexadecimal digits or Base64.
    Md5,
    /// MD5 with salt.
    SaltedMd5,
    /// SHA-1.
    Sha1,
    /// SHA-1 with salt.
    SaltedSha1,
    /// SHA-256.
    Sha256,
    /// SHA-256 with salt.
    SaltedSha256,
    /// SHA-512.
    Sha512,
    /// SHA-512 with salt.
    SaltedSha512,
}

/// Names and what they mean; several names can mean one scheme, the first is the one that is shown.
const NAMES: [(&str, Scheme); 29] = [
    ("PLAIN", Scheme::Plain),
    ("CLEARTEXT", Scheme::Plain),
    ("CLEAR", Scheme::Plain),
    ("PLAIN-TRUNC", Scheme::Plain),
    ("CRYPT", Scheme::Crypt),
    ("BLF-CRYPT", Scheme::Crypt),
    ("SHA512-CRYPT", Scheme::Crypt),
    ("SHA256-CRYPT", Scheme::Crypt),
    ("MD5-CRYPT", Scheme::Crypt),
    ("YESCRYPT", Scheme::Crypt),
    ("CRAM-MD5", Scheme::CramMd5),
    ("HMAC-MD5", Scheme::CramMd5),
    ("DIGEST-MD5", Scheme::DigestMd5),
    ("SCRAM-SHA-1", Scheme::ScramSha1),
    ("SCRAM-SHA-256", Scheme::ScramSha256),
    ("ARGON2ID", Scheme::Argon2),
    ("ARGON2I", Scheme::Argon2),
    ("PBKDF2", Scheme::Pbkdf2),
    ("PLAIN-MD5", Scheme::Md5),
    ("LDAP-MD5", Scheme::Md5),
    ("SMD5", Scheme::SaltedMd5),
    ("SHA", Scheme::Sha1),
    ("SHA1", Scheme::Sha1),
    ("SSHA", Scheme::SaltedSha1),
    ("SHA256", Scheme::Sha256),
    ("SSHA256", Scheme::SaltedSha256),
    ("SHA512", Scheme::Sha512),
    ("SSHA512", Scheme::SaltedSha512),
    ("DES-CRYPT", Scheme::Crypt),
];

impl Scheme {
    /// The scheme of this name, in any case. `MD5` stands for whatever the secret looks like.
    pub fn parse(name: &str, secret: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("MD5") {
            return Some(if secret.starts_with("$1$") { Self::Crypt } else { Self::Md5 });
        }
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, scheme)| *scheme)
    }

    /// How many bytes its hash has, without salt; none where the secret is not bare bytes.
    pub(crate) const fn hash_bytes(self) -> Option<usize> {
        match self {
            Self::Md5 | Self::SaltedMd5 | Self::DigestMd5 => Some(16),
            Self::Sha1 | Self::SaltedSha1 => Some(20),
            Self::Sha256 | Self::SaltedSha256 | Self::CramMd5 => Some(32),
            Self::Sha512 | Self::SaltedSha512 => Some(64),
            _ => None,
        }
    }

    pub(crate) const fn is_salted(self) -> bool {
        matches!(self, Self::SaltedMd5 | Self::SaltedSha1 | Self::SaltedSha256 | Self::SaltedSha512)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAMES.iter().find(|(_, scheme)| scheme == self).map_or("", |(name, _)| name))
    }
}
