//! New stored passwords.

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sasl::{CramContexts, SCRAM_ITERATIONS, ScramHash, ScramSecret};
use sha_crypt::ShaCrypt;

use crate::scheme::Scheme;
use crate::stored::digest;

/// Random bytes that [`make`] wants.
pub const SALT_BYTES: usize = 16;
/// Work factor of bcrypt: about 50 ms a password.
const BCRYPT_COST: u32 = 10;

/// What [`make`] can make, the best for most first.
pub const MAKEABLE: [&str; 9] = [
    "BLF-CRYPT",
    "ARGON2ID",
    "SHA512-CRYPT",
    "SHA256-CRYPT",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1",
    "SSHA512",
    "CRAM-MD5",
    "PLAIN",
];

/// `{SCHEME}secret` of a password. `name` is one of [`MAKEABLE`], in any case; None for any other.
pub fn make(name: &str, password: &str, salt: &[u8; SALT_BYTES]) -> Option<String> {
    let name = MAKEABLE.into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
    let bytes = password.as_bytes();
    let sha = |of: ShaCrypt| of.hash_password_with_salt(bytes, &salt[..12]).ok().map(|hash| hash.to_string());
    let secret = match name {
        "BLF-CRYPT" => {
            bcrypt::hash_with_salt(bytes, BCRYPT_COST, *salt).ok()?.format_for_version(bcrypt::Version::TwoY)
        }
        "ARGON2ID" => Argon2::default().hash_password_with_salt(bytes, salt).ok()?.to_string(),
        "SHA512-CRYPT" => sha(ShaCrypt::SHA512)?,
        "SHA256-CRYPT" => sha(ShaCrypt::SHA256)?,
        "SCRAM-SHA-256" => ScramSecret::new(ScramHash::Sha256, password, salt, SCRAM_ITERATIONS).to_text(),
        "SCRAM-SHA-1" => ScramSecret::new(ScramHash::Sha1, password, salt, SCRAM_ITERATIONS).to_text(),
        "SSHA512" => {
            let mut hash = digest(Scheme::SaltedSha512, "", bytes, &salt[..8]);
            hash.extend_from_slice(&salt[..8]);
            STANDARD.encode(hash)
        }
        "CRAM-MD5" => hexadecimal::encode(&CramContexts::new(password).to_bytes()),
        _ => password.to_owned(),
    };
    Some(format!("{{{name}}}{secret}"))
}
