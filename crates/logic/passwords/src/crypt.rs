//! The functions of crypt(3), told apart by how the text begins.

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use sha_crypt::ShaCrypt;
use subtle::ConstantTimeEq;
use yescrypt::Yescrypt;

use crate::md5_crypt::md5_crypt;

const BCRYPT: [&str; 4] = ["$2a$", "$2b$", "$2y$", "$2x$"];
const SHA: [&str; 2] = ["$5$", "$6$"];

/// Is it of a kind that we can check? Traditional DES is not: it has eight characters and no strength.
pub(crate) fn is_known(text: &str) -> bool {
    let others = ["$1$", "$y$", "$argon2"];
    BCRYPT.iter().chain(&SHA).chain(&others).any(|prefix| text.starts_with(prefix))
}

pub(crate) fn matches(password: &[u8], text: &str) -> bool {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| text.starts_with(prefix));
    if starts(&BCRYPT) {
        return bcrypt::verify(password, text).unwrap_or(false);
    }
    if starts(&SHA) {
        return ShaCrypt::default().verify_password(password, text).is_ok();
    }
    if starts(&["$y$"]) {
        return Yescrypt::default().verify_password(password, text).is_ok();
    }
    if starts(&["$argon2"]) {
        return argon2_matches(password, text);
    }
    let again = text.strip_prefix("$1$").and_then(|rest| rest.split_once('$'));
    again.is_some_and(|(salt, _)| {
        md5_crypt(password, salt.as_bytes()).as_bytes().ct_eq(text.as_bytes()).into()
    })
}

pub(crate) fn argon2_matches(password: &[u8], text: &str) -> bool {
    PasswordHash::new(text).is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}
