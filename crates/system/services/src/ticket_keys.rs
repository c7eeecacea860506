//! What one asks of `tlsmgr`: the keys of TLS session tickets (RFC 5077, RFC 8446 §4.6.1), the same for all
//! workers, so that a client resumes its session with whichever worker it meets.

use attributes::{Attributes, Missing};

/// Length of a key's name in bytes.
pub const NAME_BYTES: usize = 16;
/// Length of a key in bytes: 256 bits for an AEAD cipher.
pub const SECRET_BYTES: usize = 32;

/// One key.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketKey {
    /// Stands in the ticket in clear.
    pub name: [u8; NAME_BYTES],
    /// Never shown.
    pub secret: [u8; SECRET_BYTES],
    /// New tickets may be made with it before this time, in seconds since 1970.
    pub seals_until: u64,
    /// Tickets made with it are taken before this time, in seconds since 1970.
    pub opens_until: u64,
}

impl std::fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TicketKey").field("seals_until", &self.seals_until).finish_non_exhaustive()
    }
}

/// The keys in use: the first makes tickets, all open them. Never empty on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TicketKeys {
    /// Newest first.
    pub keys: Vec<TicketKey>,
}

/// The question: one fixed message. Ask again when the first key's `seals_until` has come.
pub fn request() -> Attributes {
    Attributes::new().with("request", "ticket_keys")
}

/// Is this the question?
pub fn is_request(message: &Attributes) -> bool {
    message.get("request") == Some("ticket_keys")
}

impl TicketKeys {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let mut message = Attributes::new();
        for key in &self.keys {
            message.push("name", hexadecimal::encode(&key.name));
            message.push("secret", hexadecimal::encode(&key.secret));
            message.push("seals_until", key.seals_until);
            message.push("opens_until", key.opens_until);
        }
        message
    }

    /// Reads what [`TicketKeys::to_attributes`] wrote.
    ///
    /// # Errors
    /// [`Missing`] names the attribute that is not there or not understood.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        let mut keys: Vec<TicketKey> = Vec::new();
        for (name, value) in message.iter() {
            if name == "name" {
                let name = from_hex(value).ok_or(Missing { name: "name" })?;
                keys.push(TicketKey { name, secret: [0; SECRET_BYTES], seals_until: 0, opens_until: 0 });
                continue;
            }
            let Some(last) = keys.last_mut() else { continue };
            match name {
                "secret" => last.secret = from_hex(value).ok_or(Missing { name: "secret" })?,
                "seals_until" => {
                    last.seals_until = value.parse().map_err(|_| Missing { name: "seals_until" })?;
                }
                "opens_until" => {
                    last.opens_until = value.parse().map_err(|_| Missing { name: "opens_until" })?;
                }
                _ => {}
            }
        }
        if keys.is_empty() { Err(Missing { name: "name" }) } else { Ok(Self { keys }) }
    }
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    hexadecimal::decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_cross_the_socket_unchanged_and_are_not_shown() {
        let key = TicketKey { name: [7; 16], secret: [0xab; 32], seals_until: 5, opens_until: 9 };
        let keys = TicketKeys { keys: vec![key.clone(), TicketKey { name: [8; 16], ..key }] };
        assert_eq!(TicketKeys::from_attributes(&keys.to_attributes()), Ok(keys.clone()));
        assert!(!format!("{keys:?}").contains("171"), "{keys:?}");
        assert_eq!(TicketKeys::from_attributes(&Attributes::new()), Err(Missing { name: "name" }));
    }
}
