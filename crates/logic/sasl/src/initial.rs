//! The first response, where it comes with the command that begins the exchange.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Reads a response that stands behind the mechanism's name, in Base64; `=` is one of no bytes (RFC 4954 §4, RFC 5034 §4,
/// and Dovecot's protocol likewise). `None` for what is no Base64.
pub fn initial_response(text: &str) -> Option<Vec<u8>> {
    if text == "=" { Some(Vec::new()) } else { STANDARD.decode(text).ok() }
}
