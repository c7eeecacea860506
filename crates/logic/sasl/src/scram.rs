//! SCRAM (RFC 5802, RFC 7677) without channel binding: what is stored, and the arithmetic of both sides.
//!
//! Passwords are taken as they are, as Dovecot takes them: no SASLprep.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Rounds for a new secret (RFC 7677 §4 asks for 4096 at the least).
pub const SCRAM_ITERATIONS: u32 = 4096;
/// Rounds that one client or table can make us count.
const ITERATIONS_LIMIT: u32 = 1_000_000;
/// A nonce is not longer, in bytes.
const NONCE_LIMIT_BYTES: usize = 512;

/// Which hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScramHash {
    /// SCRAM-SHA-1
    Sha1,
    /// SCRAM-SHA-256
    Sha256,
}

/// What a server stores (RFC 5802 §3): enough to check a client, too little to be one.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramSecret {
    /// Which hash function.
    pub hash: ScramHash,
    /// Rounds.
    pub iterations: u32,
    /// Salt.
    pub salt: Vec<u8>,
    /// H(ClientKey)
    pub stored_key: Vec<u8>,
    /// ServerKey
    pub server_key: Vec<u8>,
}

impl ScramHash {
    /// Length of the hash in bytes.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    pub(crate) fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        // A key of any length will do for HMAC, so there is always one.
        match self {
            Self::Sha1 => Hmac::<Sha1>::new_from_slice(key)
                .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
                .unwrap_or_default(),
            Self::Sha256 => Hmac::<Sha256>::new_from_slice(key)
                .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
                .unwrap_or_default(),
        }
    }

    /// Hi() of RFC 5802 §2.2.
    fn salted(self, password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
        let mut salted = vec![0; self.length()];
        match self {
            Self::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut salted),
            Self::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut salted),
        }
        salted
    }
}

impl ScramSecret {
    /// Of a password. Takes milliseconds: not for an event loop.
    pub fn new(hash: ScramHash, password: &str, salt: &[u8], iterations: u32) -> Self {
        let salted = hash.salted(password.as_bytes(), salt, iterations);
        Self {
            hash,
            iterations,
            salt: salt.to_vec(),
            stored_key: hash.digest(&hash.hmac(&salted, b"Client Key")),
            server_key: hash.hmac(&salted, b"Server Key"),
        }
    }

    /// Reads `iterations,salt,stored key,server key`, the last three in Base64, as Dovecot stores them.
    pub fn parse(hash: ScramHash, text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let iterations = parts.next()?.parse().ok().filter(|count| (1..=ITERATIONS_LIMIT).contains(count))?;
        let mut bytes = || STANDARD.decode(parts.next()?).ok();
        let (salt, stored_key, server_key) = (bytes()?, bytes()?, bytes()?);
        let sound = stored_key.len() == hash.length() && server_key.len() == hash.length();
        let whole = sound && parts.next().is_none() && !salt.is_empty();
        whole.then_some(Self { hash, iterations, salt, stored_key, server_key })
    }

    /// What [`ScramSecret::parse`] reads.
    pub fn to_text(&self) -> String {
        let (salt, stored, server) = (
            STANDARD.encode(&self.salt),
            STANDARD.encode(&self.stored_key),
            STANDARD.encode(&self.server_key),
        );
        format!("{},{salt},{stored},{server}", self.iterations)
    }

    /// A secret that no password has, the same each time for one `login`: so that a client can not tell by the
    /// salt who exists (RFC 5802 §9).
    pub(crate) fn decoy(hash: ScramHash, login: &str, key: &[u8; 32]) -> Self {
        let of = |what: &str| hash.hmac(key, format!("{what} {login}").as_bytes());
        let salt = of("salt")[..16].to_vec();
        Self { hash, iterations: SCRAM_ITERATIONS, salt, stored_key: of("stored"), server_key: of("server") }
    }

    /// Does this password have this secret? Takes milliseconds.
    pub fn matches(&self, password: &str) -> bool {
        let again = Self::new(self.hash, password, &self.salt, self.iterations);
        again.stored_key.ct_eq(&self.stored_key).into()
    }

    /// Checks a client's proof; on success gives the server's own signature (RFC 5802 §3).
    pub(crate) fn check(&self, auth_message: &str, proof: &[u8]) -> Option<Vec<u8>> {
        let signature = self.hash.hmac(&self.stored_key, auth_message.as_bytes());
        if proof.len() != signature.len() {
            return None;
        }
        let client_key: Vec<u8> = signature.iter().zip(proof).map(|(one, other)| one ^ other).collect();
        let holds: bool = self.hash.digest(&client_key).ct_eq(&self.stored_key).into();
        holds.then(|| self.hash.hmac(&self.server_key, auth_message.as_bytes()))
    }
}

/// A client's proof and the signature that it expects of the server.
pub(crate) fn prove(hash: ScramHash, password: &str, first: &ServerFirst, auth: &str) -> (Vec<u8>, Vec<u8>) {
    let salted = hash.salted(password.as_bytes(), &first.salt, first.iterations);
    let client_key = hash.hmac(&salted, b"Client Key");
    let signature = hash.hmac(&hash.digest(&client_key), auth.as_bytes());
    let proof = client_key.iter().zip(&signature).map(|(one, other)| one ^ other).collect();
    (proof, hash.hmac(&hash.hmac(&salted, b"Server Key"), auth.as_bytes()))
}

/// The client's first message (RFC 5802 §7, `client-first-message`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientFirst {
    /// `n,,` or `y,a=...,`: comes again in the client's last message.
    pub(crate) header: String,
    pub(crate) authorize: String,
    pub(crate) login: String,
    pub(crate) nonce: String,
    /// The part that is signed.
    pub(crate) bare: String,
}

impl ClientFirst {
    /// None when it is not of that form, wants channel binding, or an extension that must be understood.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
        let (flag, rest) = text.split_once(',')?;
        let (authorize, bare) = rest.split_once(',')?;
        let mut parts = bare.split(',');
        let login = unescape(parts.next()?.strip_prefix("n=")?)?;
        let nonce = parts.next()?.strip_prefix("r=").filter(|nonce| is_nonce(nonce))?.to_owned();
        let authorize = match authorize {
            "" => String::new(),
            named => unescape(named.strip_prefix("a=")?)?,
        };
        let header = format!("{},", &text[..text.len() - bare.len() - 1]);
        let sound = matches!(flag, "n" | "y") && !login.is_empty();
        sound.then(|| Self { header, authorize, login, nonce, bare: bare.to_owned() })
    }
}

/// The server's first message.
pub(crate) struct ServerFirst {
    pub(crate) nonce: String,
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: u32,
}

impl ServerFirst {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(bytes).ok()?.split(',');
        let nonce = parts.next()?.strip_prefix("r=").filter(|nonce| is_nonce(nonce))?.to_owned();
        let salt = STANDARD.decode(parts.next()?.strip_prefix("s=")?).ok()?;
        let iterations = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        (1..=ITERATIONS_LIMIT).contains(&iterations).then_some(Self { nonce, salt, iterations })
    }

    pub(crate) fn text(nonce: &str, secret: &ScramSecret) -> String {
        format!("r={nonce},s={},i={}", STANDARD.encode(&secret.salt), secret.iterations)
    }
}

/// The client's last message.
pub(crate) struct ClientFinal {
    /// Channel binding data, decoded: the header of the first message again.
    pub(crate) binding: Vec<u8>,
    pub(crate) nonce: String,
    pub(crate) proof: Vec<u8>,
    pub(crate) without_proof: String,
}

impl ClientFinal {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut parts = without_proof.split(',');
        let binding = STANDARD.decode(parts.next()?.strip_prefix("c=")?).ok()?;
        let nonce = parts.next()?.strip_prefix("r=")?.to_owned();
        let proof = STANDARD.decode(proof).ok()?;
        Some(Self { binding, nonce, proof, without_proof: without_proof.to_owned() })
    }
}

/// RFC 5802 §5.1: printable ASCII but the comma.
pub(crate) fn is_nonce(text: &str) -> bool {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    printable && !text.is_empty() && text.len() <= NONCE_LIMIT_BYTES
}

/// `=2C` is a comma and `=3D` an equals sign; no other may stand there.
fn unescape(name: &str) -> Option<String> {
    let mut parts = name.split('=');
    let mut whole = parts.next()?.to_owned();
    for part in parts {
        let (byte, rest) = part.split_at_checked(2)?;
        whole.push(match byte {
            "2C" => ',',
            "3D" => '=',
            _ => return None,
        });
        whole.push_str(rest);
    }
    Some(whole)
}

pub(crate) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_and_equals_signs_cross_unchanged() {
        for name in ["a,b=c", "=2C", ",,", "plain"] {
            assert_eq!(unescape(&escape(name)).as_deref(), Some(name));
        }
        for bad in ["=", "=2", "=2D", "a=xx", "=é"] {
            assert_eq!(unescape(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_stored_secret_is_read_as_it_was_written() {
        for hash in [ScramHash::Sha1, ScramHash::Sha256] {
            let secret = ScramSecret::new(hash, "pencil", b"saltsalt", 8);
            assert!(ScramSecret::parse(hash, &secret.to_text()) == Some(secret.clone()));
            assert!(secret.matches("pencil") && !secret.matches("pencils"));
        }
        for text in ["", "0,YQ==,YQ==,YQ==", "4096,YQ==,YQ==,YQ==", "4096,,,", "2000000,YQ==,,"] {
            assert!(ScramSecret::parse(ScramHash::Sha1, text).is_none(), "{text}");
        }
    }

    #[test]
    fn channel_binding_and_mandatory_extensions_are_refused() {
        for text in [
            "p=tls-unique,,n=u,r=x",
            "n,,m=ext,n=u,r=x",
            "n,,n=u",
            "n,,n=,r=x",
            "n,,n=u,r=",
            "n,u,n=u,r=x",
            "n",
        ] {
            assert_eq!(ClientFirst::parse(text.as_bytes()), None, "{text}");
        }
        let first = ClientFirst::parse(b"y,a=boss,n=u=2Cv,r=nonce").unwrap();
        assert_eq!(
            (first.header.as_str(), first.authorize.as_str(), first.login.as_str()),
            ("y,a=boss,", "boss", "u,v")
        );
    }
}
