//! Public keys as DNS has them (RFC 6376 §3.6.1, RFC 8463 §4).

use ring::signature::{
    ED25519, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    UnparsedPublicKey,
};

use crate::tags::{Tags, is_blank};
use crate::{Verdict, decode_base64};

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RFC 8301 forbids it; SpamAssassin counts it still.
    RsaSha1,
    RsaSha256,
    Ed25519Sha256,
}

impl Algorithm {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "rsa-sha1" => Some(Self::RsaSha1),
            "rsa-sha256" => Some(Self::RsaSha256),
            "ed25519-sha256" => Some(Self::Ed25519Sha256),
            _ => None,
        }
    }

    pub(crate) fn digest(self) -> &'static ring::digest::Algorithm {
        match self {
            Self::RsaSha1 => &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::RsaSha256 | Self::Ed25519Sha256 => &ring::digest::SHA256,
        }
    }

    fn hash_name(self) -> &'static str {
        if self == Self::RsaSha1 { "sha1" } else { "sha256" }
    }

    fn key_type(self) -> &'static str {
        if self == Self::Ed25519Sha256 { "ed25519" } else { "rsa" }
    }
}

/// Who is said to have signed.
pub(crate) struct Signer<'a> {
    pub(crate) domain: &'a str,
    pub(crate) identity: &'a str,
    pub(crate) algorithm: Algorithm,
}

/// A key that may be used.
pub(crate) struct Key {
    bytes: Vec<u8>,
    algorithm: Algorithm,
}

impl Key {
    /// Reads a record; `None` when there is no key in it that this signer may use.
    pub(crate) fn parse(text: &str, signer: &Signer<'_>) -> Option<Self> {
        let tags = Tags::parse(text)?;
        let unless_empty = |name: &str| tags.get(name).filter(|value| !value.is_empty() && *value != "0");
        let named = |name: &str, wanted: &[&str]| {
            let list = unless_empty(name);
            list.is_none_or(|list| list.split(':').any(|item| wanted.contains(&item)))
        };
        let version = unless_empty("v").is_none_or(|version| version == "DKIM1");
        let key_type = unless_empty("k").unwrap_or("rsa") == signer.algorithm.key_type();
        let fits = named("s", &["*", "email"]) && named("h", &[signer.algorithm.hash_name()]);
        let data: String = tags.get("p")?.chars().filter(|char| !is_blank(*char) && *char != '"').collect();
        let reads = !data.is_empty()
            && data.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
        if !(version && key_type && fits && reads && is_for(&tags, signer)) {
            return None;
        }
        let bytes = decode_base64(&data);
        let bytes =
            if signer.algorithm == Algorithm::Ed25519Sha256 { bytes } else { bare_rsa(&bytes)?.to_vec() };
        Some(Self { bytes, algorithm: signer.algorithm })
    }

    /// Did this key make the signature of these bytes?
    pub(crate) fn verify(&self, signed: &[u8], signature: &[u8]) -> Verdict {
        let key_bits = match self.algorithm {
            Algorithm::Ed25519Sha256 => None,
            _ => modulus_bits(&self.bytes),
        };
        let checked = match self.algorithm {
            Algorithm::RsaSha1 => {
                UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, &self.bytes)
                    .verify(signed, signature)
            }
            Algorithm::RsaSha256 => {
                UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, &self.bytes)
                    .verify(signed, signature)
            }
            // RFC 8463 §3: what is signed is the digest.
            Algorithm::Ed25519Sha256 => UnparsedPublicKey::new(&ED25519, &self.bytes)
                .verify(ring::digest::digest(&ring::digest::SHA256, signed).as_ref(), signature),
        };
        if checked.is_ok() { Verdict::Pass { key_bits } } else { Verdict::Fail }
    }
}

/// May the key be used for this identity: its local part (`g=`, RFC 4871 §3.6.1), and its very domain (`t=s`)?
fn is_for(tags: &Tags, signer: &Signer<'_>) -> bool {
    let (local, domain) = signer.identity.rsplit_once('@').unwrap_or(("", signer.identity));
    let granularity = tags.get("g").unwrap_or("*");
    let fits = match granularity.split_once('*') {
        Some((begin, end)) => {
            local.len() >= begin.len() + end.len() && local.starts_with(begin) && local.ends_with(end)
        }
        None => !granularity.is_empty() && local == granularity,
    };
    let strict = tags.get("t").is_some_and(|flags| flags.split(':').any(|flag| flag == "s"));
    fits && (!strict || domain.eq_ignore_ascii_case(signer.domain))
}

/// ITU-T X.690 §8.1: a value with that tag at the begin of `text`, and what is behind it.
fn value(text: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = text.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*length) {
        short @ 0..0x80 => (short, rest),
        long => {
            let (digits, rest) = rest.split_at_checked(long - 0x80)?;
            let length = digits
                .iter()
                .try_fold(0_usize, |sum, digit| sum.checked_mul(256).map(|sum| sum + usize::from(*digit)))?;
            (length, rest)
        }
    };
    if *first == tag { rest.split_at_checked(length) } else { None }
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 2;
const BIT_STRING: u8 = 3;
/// 1.2.840.113549.1.1.1 (RFC 8017 §A.1)
const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

/// The `RSAPublicKey` in a `SubjectPublicKeyInfo` (RFC 8017 §A.1.1, RFC 5280 §4.1); RFC 6376 says that it comes bare.
fn bare_rsa(text: &[u8]) -> Option<&[u8]> {
    let (inner, _) = value(text, SEQUENCE)?;
    if inner.first() == Some(&INTEGER) {
        return Some(text);
    }
    let (algorithm, rest) = value(inner, SEQUENCE)?;
    let (id, _) = value(algorithm, 6)?;
    let (bits, _) = value(rest, BIT_STRING)?;
    let (unused, key) = bits.split_first()?;
    (id == RSA && *unused == 0).then_some(key)
}

fn modulus_bits(key: &[u8]) -> Option<usize> {
    let (modulus, _) = value(value(key, SEQUENCE)?.0, INTEGER)?;
    let digits = modulus.iter().skip_while(|digit| **digit == 0).count();
    // Sizes are told in whole bytes, as OpenSSL does.
    Some(digits * 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 8463 §A.2
    const ED25519_KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    fn reads(text: &str, identity: &str) -> bool {
        let signer = Signer { domain: "example.com", identity, algorithm: Algorithm::Ed25519Sha256 };
        Key::parse(text, &signer).is_some()
    }

    #[test]
    fn who_may_use_a_key() {
        assert!(reads(ED25519_KEY, "@a.example.com"));
        let with = |more: &str, identity: &str| reads(&format!("{ED25519_KEY};{more}"), identity);
        assert!(with("t=y:s", "@Example.com") && !with("t=s", "@a.example.com"));
        assert!(
            with("s=email", "@example.com") && with("s=tlsrpt:*", "@x") && !with("s=other", "@example.com")
        );
        assert!(with("h=sha1:sha256", "@example.com") && !with("h=sha1", "@example.com"));
        assert!(with("g=jo*e", "joe@example.com") && !with("g=jo*e", "jo@x") && !with("g=", "@x"));
        assert!(with("g=joe", "joe@x") && !with("g=joe", "ann@x"));
        for bad in ["v=DKIM2", "k=rsa", "p=", "p=a b!", "x"] {
            assert!(!with(bad, "@example.com"), "{bad}");
        }
        assert!(!reads("k=ed25519", "@x") && !reads("", "@x"));
    }

    #[test]
    fn sizes_of_keys() {
        let key =
            [&[SEQUENCE, 0x81, 0x87, INTEGER, 0x81, 0x81, 0][..], &[0xff; 128], &[INTEGER, 1, 3]].concat();
        assert_eq!(modulus_bits(&key), Some(1024));
        assert_eq!(bare_rsa(&key), Some(key.as_slice()));
    }

    proptest! {
        #[test]
        fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..80), record in "\\PC{0,60}") {
            let _ = bare_rsa(&text).and_then(modulus_bits);
            let _ = modulus_bits(&text);
            let _ = reads(&record, "@x");
        }
    }
}
