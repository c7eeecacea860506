//! A stored password, and whether somebody knows it.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md5::{Digest, Md5};
use sasl::{CramContexts, Mechanism, ScramHash, ScramSecret, Secret};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::crypt;
use crate::scheme::Scheme;

/// Padding may be there or not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
/// Rounds that one entry can make us count.
const PBKDF2_ROUNDS_LIMIT: u32 = 10_000_000;

/// A stored password.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    scheme: Scheme,
    form: Form,
}

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Text(String),
    Cram(CramContexts),
    Scram(ScramSecret),
    Hash { hash: Vec<u8>, salt: Vec<u8> },
    Pbkdf2 { salt: String, rounds: u32, hash: Vec<u8> },
}

/// Why a stored password can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nobody knows this scheme here.
    #[error("unknown password scheme {0}")]
    UnknownScheme(String),
    /// It is not what the scheme says.
    #[error("this is no {0} password")]
    Malformed(Scheme),
}

impl Stored {
    /// Reads `{SCHEME}secret`, `{SCHEME.b64}secret`, `{SCHEME.hex}secret`, or a bare secret of scheme `default`.
    ///
    /// # Errors
    /// [`Unusable`]: nobody can log in with it.
    pub fn parse(text: &str, default: Scheme) -> Result<Self, Unusable> {
        let named = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let (scheme, secret) = match named {
            Some((name, secret)) => {
                let (name, encoding) = name.split_once('.').unwrap_or((name, ""));
                let unknown = || Unusable::UnknownScheme(name.to_owned());
                let scheme = Scheme::parse(name, secret).ok_or_else(unknown)?;
                (scheme, decoded(scheme, encoding, secret)?)
            }
            None => (default, text.to_owned()),
        };
        let form = Form::parse(scheme, &secret).ok_or(Unusable::Malformed(scheme))?;
        Ok(Self { scheme, form })
    }

    /// How it is stored.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Can it be guessed by who gets hold of it, faster than is good? Dovecot 2.4 refuses these.
    pub fn is_weak(&self) -> bool {
        match (self.scheme, &self.form) {
            (Scheme::Crypt, Form::Text(text)) => text.starts_with("$1$"),
            (scheme, _) => matches!(
                scheme,
                Scheme::CramMd5
                    | Scheme::DigestMd5
                    | Scheme::Md5
                    | Scheme::SaltedMd5
                    | Scheme::Sha1
                    | Scheme::SaltedSha1
                    | Scheme::Sha256
                    | Scheme::Sha512
            ),
        }
    }

    /// Is this the password of `login`? May take a second.
    pub fn matches(&self, login: &str, password: &str) -> bool {
        let bytes = password.as_bytes();
        match &self.form {
            Form::Text(text) if self.scheme == Scheme::Crypt => crypt::matches(bytes, text),
            Form::Text(text) if self.scheme == Scheme::Argon2 => crypt::argon2_matches(bytes, text),
            Form::Text(text) => text.as_bytes().ct_eq(bytes).into(),
            Form::Cram(contexts) => CramContexts::new(password).to_bytes().ct_eq(&contexts.to_bytes()).into(),
            Form::Scram(secret) => secret.matches(password),
            Form::Hash { hash, salt } => digest(self.scheme, login, bytes, salt).ct_eq(hash).into(),
            Form::Pbkdf2 { salt, rounds, hash } => {
                let mut again = vec![0; hash.len()];
                pbkdf2::pbkdf2_hmac::<Sha1>(bytes, salt.as_bytes(), *rounds, &mut again);
                again.ct_eq(hash).into()
            }
        }
    }

    /// The secret in a form that `mechanism` can work with, where it can.
    pub fn secret_for(&self, mechanism: Mechanism) -> Option<Secret> {
        match (mechanism, &self.form) {
            (Mechanism::Plain | Mechanism::Login | Mechanism::External, _) => None,
            (_, Form::Text(password)) if self.scheme == Scheme::Plain => {
                Some(Secret::Password(password.clone()))
            }
            (Mechanism::CramMd5, Form::Cram(contexts)) => Some(Secret::Cram(contexts.clone())),
            (Mechanism::ScramSha1, Form::Scram(secret)) if secret.hash == ScramHash::Sha1 => {
                Some(Secret::Scram(secret.clone()))
            }
            (Mechanism::ScramSha256, Form::Scram(secret)) if secret.hash == ScramHash::Sha256 => {
                Some(Secret::Scram(secret.clone()))
            }
            _ => None,
        }
    }
}

/// Undoes an encoding that the scheme's name says; one that the scheme itself implies stays.
fn decoded(scheme: Scheme, encoding: &str, secret: &str) -> Result<String, Unusable> {
    let malformed = || Unusable::Malformed(scheme);
    if scheme.hash_bytes().is_some() || encoding.is_empty() {
        return Ok(secret.to_owned());
    }
    let bytes = match encoding.to_ascii_lowercase().as_str() {
        "b64" | "base64" => LENIENT.decode(secret).ok(),
        "hex" => hexadecimal::decode(secret),
        _ => None,
    };
    String::from_utf8(bytes.ok_or_else(malformed)?).map_err(|_| malformed())
}

impl Form {
    fn parse(scheme: Scheme, secret: &str) -> Option<Self> {
        match scheme {
            Scheme::Plain => Some(Self::Text(secret.to_owned())),
            Scheme::Crypt => crypt::is_known(secret).then(|| Self::Text(secret.to_owned())),
            Scheme::Argon2 => secret.starts_with("$argon2").then(|| Self::Text(secret.to_owned())),
            Scheme::ScramSha1 => ScramSecret::parse(ScramHash::Sha1, secret).map(Self::Scram),
            Scheme::ScramSha256 => ScramSecret::parse(ScramHash::Sha256, secret).map(Self::Scram),
            Scheme::Pbkdf2 => pbkdf2_form(secret),
            Scheme::CramMd5 => {
                let (bytes, _) = hash_and_salt(scheme, secret)?;
                Some(Self::Cram(CramContexts::from_bytes(&bytes.try_into().ok()?)))
            }
            _ => hash_and_salt(scheme, secret).map(|(hash, salt)| Self::Hash { hash, salt }),
        }
    }
}

/// Bare bytes stand in hexadecimal digits when the length is right for that, else in Base64.
fn hash_and_salt(scheme: Scheme, secret: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let length = scheme.hash_bytes()?;
    let may_be_hex = secret.len() == length * 2 || (scheme.is_salted() && secret.len() > length * 2);
    let hex = may_be_hex.then(|| hexadecimal::decode(secret)).flatten();
    let mut hash = match hex {
        Some(bytes) => bytes,
        None => LENIENT.decode(secret).ok()?,
    };
    if hash.len() < length || (hash.len() > length && !scheme.is_salted()) {
        return None;
    }
    let salt = hash.split_off(length);
    Some((hash, salt))
}

fn pbkdf2_form(secret: &str) -> Option<Form> {
    let mut parts = secret.strip_prefix("$1$")?.split('$');
    let (salt, rounds, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let rounds = rounds.parse().ok().filter(|rounds| (1..=PBKDF2_ROUNDS_LIMIT).contains(rounds))?;
    let hash = hexadecimal::decode(hash).filter(|hash| hash.len() == 20)?;
    parts.next().is_none().then(|| Form::Pbkdf2 { salt: salt.to_owned(), rounds, hash })
}

pub(crate) fn digest(scheme: Scheme, login: &str, password: &[u8], salt: &[u8]) -> Vec<u8> {
    match scheme {
        Scheme::Md5 | Scheme::SaltedMd5 => {
            Md5::new().chain_update(password).chain_update(salt).finalize().to_vec()
        }
        Scheme::Sha1 | Scheme::SaltedSha1 => {
            Sha1::new().chain_update(password).chain_update(salt).finalize().to_vec()
        }
        Scheme::Sha256 | Scheme::SaltedSha256 => {
            Sha256::new().chain_update(password).chain_update(salt).finalize().to_vec()
        }
        Scheme::Sha512 | Scheme::SaltedSha512 => {
            Sha512::new().chain_update(password).chain_update(salt).finalize().to_vec()
        }
        Scheme::DigestMd5 => {
            let (user, realm) = login.split_once('@').unwrap_or((login, ""));
            Md5::new().chain_update(format!("{user}:{realm}:")).chain_update(password).finalize().to_vec()
        }
        _ => Vec::new(),
    }
}

impl std::fmt::Debug for Stored {
    /// The scheme, never the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{{{}}}", self.scheme)
    }
}
