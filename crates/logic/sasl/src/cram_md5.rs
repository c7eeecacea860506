//! CRAM-MD5 (RFC 2195) and APOP (RFC 1939 §7).

use hmac::{Hmac, KeyInit, Mac};
use md5::block_api::compress;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// Bytes that MD5 works on at a time.
const BLOCK_BYTES: usize = 64;
/// The state of MD5 before its first block (RFC 1321 §3.3).
const INITIAL_STATE: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// MD5 after the outer and the inner pad of HMAC (RFC 2104): enough to check, too little to read the password off.
/// What Dovecot stores as `{CRAM-MD5}`.
#[derive(Clone, PartialEq, Eq)]
pub struct CramContexts {
    outer: [u32; 4],
    inner: [u32; 4],
}

impl CramContexts {
    /// Of a password.
    pub fn new(password: &str) -> Self {
        let mut key = [0; BLOCK_BYTES];
        if password.len() > BLOCK_BYTES {
            key[..16].copy_from_slice(&Md5::digest(password.as_bytes()));
        } else {
            key[..password.len()].copy_from_slice(password.as_bytes());
        }
        Self { outer: after_pad(&key, 0x5c), inner: after_pad(&key, 0x36) }
    }

    /// Reads the 32 bytes that are stored: outer, then inner state, each word with its low byte first.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let word = |at: usize| {
            let mut word = [0; 4];
            word.copy_from_slice(&bytes[at * 4..at * 4 + 4]);
            u32::from_le_bytes(word)
        };
        let words = |first: usize| [word(first), word(first + 1), word(first + 2), word(first + 3)];
        Self { outer: words(0), inner: words(4) }
    }

    /// The 32 bytes to store.
    pub fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let words = self.outer.iter().chain(&self.inner);
        bytes
            .chunks_exact_mut(4)
            .zip(words)
            .for_each(|(place, word)| place.copy_from_slice(&word.to_le_bytes()));
        bytes
    }

    /// HMAC-MD5 of `message`.
    fn hmac(&self, message: &[u8]) -> [u8; 16] {
        digest_from(self.outer, &digest_from(self.inner, message))
    }
}

fn after_pad(key: &[u8; BLOCK_BYTES], pad: u8) -> [u32; 4] {
    let mut state = INITIAL_STATE;
    compress(&mut state, &[key.map(|byte| byte ^ pad)]);
    state
}

/// The digest of `message` when one block has gone before (RFC 1321 §3.1, §3.2: padding and length).
fn digest_from(mut state: [u32; 4], message: &[u8]) -> [u8; 16] {
    let bits = ((BLOCK_BYTES + message.len()) as u64).wrapping_mul(8);
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(BLOCK_BYTES) - 8, 0);
    padded.extend_from_slice(&bits.to_le_bytes());
    for chunk in padded.chunks_exact(BLOCK_BYTES) {
        let mut block = [0; BLOCK_BYTES];
        block.copy_from_slice(chunk);
        compress(&mut state, &[block]);
    }
    let mut digest = [0; 16];
    digest
        .chunks_exact_mut(4)
        .zip(state)
        .for_each(|(place, word)| place.copy_from_slice(&word.to_le_bytes()));
    digest
}

/// What a client answers to `challenge`: its name and the HMAC in hexadecimal digits.
pub fn cram_response(login: &str, password: &str, challenge: &[u8]) -> Vec<u8> {
    // A key of any length will do for HMAC, so there is always one.
    let digest = Hmac::<Md5>::new_from_slice(password.as_bytes())
        .map(|mac| mac.chain_update(challenge).finalize().into_bytes().to_vec())
        .unwrap_or_default();
    format!("{login} {}", hexadecimal::encode(&digest)).into_bytes()
}

/// Name and digest of a response; the name may have blanks.
pub(crate) fn split_response(response: &[u8]) -> Option<(String, Vec<u8>)> {
    let text = std::str::from_utf8(response).ok()?;
    let (login, digest) = text.rsplit_once(' ')?;
    let sound = !login.is_empty() && digest.len() == 32;
    sound.then(|| (login.to_owned(), digest.to_ascii_lowercase().into_bytes()))
}

/// Is `digest` what someone with this secret answers to `challenge`?
pub(crate) fn cram_matches(secret: &Secret, challenge: &[u8], digest: &[u8]) -> bool {
    let expected = match secret {
        Secret::Password(password) => CramContexts::new(password).hmac(challenge),
        Secret::Cram(contexts) => contexts.hmac(challenge),
        Secret::Scram(_) => return false,
    };
    hexadecimal::encode(&expected).as_bytes().ct_eq(digest).into()
}

/// RFC 1939 §7: the digest, in hexadecimal digits, of the time stamp with its brackets and the shared secret.
pub fn apop_digest(timestamp: &str, password: &str) -> String {
    hexadecimal::encode(&Md5::new().chain_update(timestamp).chain_update(password).finalize())
}

/// `timestamp NUL login NUL digest`, the digest in 16 bytes: how an APOP travels through Dovecot's protocol. None
/// when `digest` is not 32 hexadecimal digits.
pub fn apop_response(timestamp: &str, login: &str, digest: &str) -> Option<Vec<u8>> {
    let digest = hexadecimal::decode(digest).filter(|digest| digest.len() == 16)?;
    Some([format!("{timestamp}\0{login}\0").as_bytes(), &digest].concat())
}

/// Time stamp, name and digest of what [`apop_response`] made.
pub(crate) fn split_apop(response: &[u8]) -> Option<(String, String, [u8; 16])> {
    let mut parts = response.splitn(3, |byte| *byte == 0);
    let timestamp = String::from_utf8(parts.next()?.to_vec()).ok()?;
    let login = String::from_utf8(parts.next()?.to_vec()).ok()?;
    let digest = parts.next()?.try_into().ok()?;
    (!timestamp.is_empty() && !login.is_empty()).then_some((timestamp, login, digest))
}

/// Only the password itself will do.
pub(crate) fn apop_matches(secret: &Secret, timestamp: &str, digest: &[u8; 16]) -> bool {
    let Secret::Password(password) = secret else { return false };
    let expected = Md5::new().chain_update(timestamp).chain_update(password).finalize();
    expected.as_slice().ct_eq(digest).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2195 §2.
    #[test]
    fn the_example_of_the_cram_rfc() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        let response = cram_response("tim", "tanstaaftanstaaf", challenge);
        assert_eq!(response, b"tim b913a602c7eda7a495b4e6e7334d3890");
        let (login, digest) = split_response(&response).unwrap();
        assert_eq!(login, "tim");
        let contexts = CramContexts::new("tanstaaftanstaaf");
        for secret in [Secret::Password("tanstaaftanstaaf".into()), Secret::Cram(contexts.clone())] {
            assert!(cram_matches(&secret, challenge, &digest), "{secret:?}");
            assert!(!cram_matches(&secret, b"<another>", &digest), "{secret:?}");
        }
        assert!(CramContexts::from_bytes(&contexts.to_bytes()) == contexts);
    }

    #[test]
    fn contexts_are_hmac_for_every_length_of_key_and_message() {
        for length in [0, 1, 55, 56, 63, 64, 65, 200] {
            let (password, message) = ("p".repeat(length), vec![7; length]);
            let (_, digest) = split_response(&cram_response("u", &password, &message)).unwrap();
            assert_eq!(
                hexadecimal::encode(&CramContexts::new(&password).hmac(&message)).as_bytes(),
                digest,
                "{length}"
            );
        }
    }

    /// RFC 1939 §7.
    #[test]
    fn the_example_of_the_pop3_rfc() {
        let timestamp = "<1896.697170952@dbc.mtview.ca.us>";
        assert_eq!(apop_digest(timestamp, "tanstaaf"), "c4c9334bac560ecc979e58001b3e22fb");
        let response = apop_response(timestamp, "mrose", "C4C9334bac560ecc979e58001b3e22fb").unwrap();
        let (stamp, login, digest) = split_apop(&response).unwrap();
        assert_eq!((stamp.as_str(), login.as_str()), (timestamp, "mrose"));
        assert!(apop_matches(&Secret::Password("tanstaaf".into()), timestamp, &digest));
        assert!(!apop_matches(&Secret::Password("tanstaag".into()), timestamp, &digest));
    }

    #[test]
    fn a_digest_that_is_none_is_refused() {
        for digest in ["", "c4c9", "+1c9334bac560ecc979e58001b3e22fb", "é4c9334bac560ecc979e58001b3e22f"] {
            assert_eq!(apop_response("<1@x>", "u", digest), None, "{digest}");
        }
        for response in [&b"tim"[..], b"tim short", b" b913a602c7eda7a495b4e6e7334d3890"] {
            assert_eq!(split_response(response), None);
        }
    }
}
