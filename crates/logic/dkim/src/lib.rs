//! DKIM (RFC 6376, RFC 8301, RFC 8463) and ARC (RFC 8617): who signed a message, and is it still what they signed?
//!
//! [`signatures`] and [`seals`] read and prepare; [`Signature::key_name`] says which TXT record has to be known, and
//! [`Signature::verify`] holds that against the message. Nothing is asked here.
//!
//! Where the standard leaves a choice this follows Mail::DKIM, which SpamAssassin's scores were measured with: `l=0` limits
//! nothing, a missing `v=` is forgiven, and so is an `h=` without `From`. RSA keys of less than 1024 bits prove nothing
//! (RFC 8301 §3.2), which Mail::DKIM leaves to its caller.
#![forbid(unsafe_code)]

mod arc;
mod canonical;
mod key;
mod message;
mod signature;
mod tags;

pub use arc::seals;
pub use message::Message;
pub use signature::{Signature, signatures};
pub use tags::Tags;

/// Signatures of one message that are looked at.
pub const SIGNATURE_LIMIT: usize = 51;

/// What DNS says of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyText<'a> {
    /// The record, its strings joined.
    Text(&'a str),
    /// There is none.
    Nothing,
    /// The server failed, or said nothing in time.
    Failed,
}

/// What a signature comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The message is what was signed.
    Pass {
        /// Bits of the key's modulus; `None` where keys are equally good.
        key_bits: Option<usize>,
    },
    /// It is not.
    Fail,
    /// The signature can not be used: it does not read, or has no key.
    Invalid,
    /// The key could not be asked for.
    KeyUnknown,
}

/// Base64 as it is found in the world: other characters are skipped, and nothing counts behind a `=`.
fn decode_base64(text: &str) -> Vec<u8> {
    use base64::Engine;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut digits: Vec<u8> = text.bytes().take_while(|byte| *byte != b'=').filter(digit).collect();
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    LENIENT.decode(digits).unwrap_or_default()
}
