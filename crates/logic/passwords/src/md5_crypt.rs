//! crypt(3) with MD5, `$1$salt$hash`: FreeBSD's of 1994, weak today, and still in many files.

use md5::{Digest, Md5};

/// The alphabet of crypt(3).
const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Salt is not longer.
const SALT_LIMIT_BYTES: usize = 8;
/// Rounds, fixed.
const ROUNDS: usize = 1000;
/// Which bytes of the digest make four characters together; the last two characters are made of byte 11.
const GROUPS: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];

pub(crate) fn md5_crypt(password: &[u8], salt: &[u8]) -> String {
    let salt = &salt[..salt.len().min(SALT_LIMIT_BYTES)];
    let mut digest = first_digest(password, salt);
    for round in 0..ROUNDS {
        digest = round_digest(round, &digest, password, salt);
    }
    format!("$1${}${}", String::from_utf8_lossy(salt), encode(&digest))
}

fn first_digest(password: &[u8], salt: &[u8]) -> [u8; 16] {
    let other = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut first = Md5::new().chain_update(password).chain_update("$1$").chain_update(salt);
    for chunk in password.chunks(16) {
        first.update(&other[..chunk.len()]);
    }
    let mut bits = password.len();
    while bits > 0 {
        first.update(if bits & 1 == 1 { &[0][..] } else { password.get(..1).unwrap_or_default() });
        bits >>= 1;
    }
    first.finalize().into()
}

fn round_digest(round: usize, digest: &[u8; 16], password: &[u8], salt: &[u8]) -> [u8; 16] {
    let odd = round % 2 == 1;
    let mut next = Md5::new();
    next.update(if odd { password } else { &digest[..] });
    if !round.is_multiple_of(3) {
        next.update(salt);
    }
    if !round.is_multiple_of(7) {
        next.update(password);
    }
    next.update(if odd { &digest[..] } else { password });
    next.finalize().into()
}

fn encode(digest: &[u8; 16]) -> String {
    let mut text = String::new();
    let mut push = |mut value: usize, characters: usize| {
        for _ in 0..characters {
            text.push(char::from(ALPHABET[value & 0x3f]));
            value >>= 6;
        }
    };
    for [high, middle, low] in GROUPS {
        let byte = |at: usize| usize::from(digest[at]);
        push(byte(high) << 16 | byte(middle) << 8 | byte(low), 4);
    }
    push(usize::from(digest[11]), 2);
    text
}
