//! How a resident whose clients only wait gives them to spawnd.

use attributes::{Attributes, Missing};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A resident's word to spawnd that all its clients only wait, with their sockets, and after them, if there is any, what tells
/// that a mailbox has changed. Spawnd closes the line, and has the clients from then on; or it orders to stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parking {
    /// Sessions that have come since the resident's start: if there are more, one is on the way.
    pub come: u64,
    /// The clients.
    pub clients: Vec<ParkedClient>,
    /// What they hear.
    pub words: ParkedWords,
}

/// A client that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedClient {
    /// The message of a [`super::NewSession`], by which another resident takes it up.
    pub session: Vec<u8>,
    /// It wants to hear of changes, and that the server is there; else it may be silent for so long and no longer.
    pub idles: bool,
    /// How often it hears that the server is there, or how long it may be silent, in seconds.
    pub patience_seconds: u64,
}

/// What clients hear that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedWords {
    /// Now and then, if they idle.
    pub notice: Vec<u8>,
    /// When they have been silent for too long.
    pub late: Vec<u8>,
    /// When the service ends, or nobody takes them up.
    pub farewell: Vec<u8>,
}

/// The order by which spawnd answers a [`Parking`] that it does not take.
pub const STAY: &str = "stay";
/// So many clients of a resident may be parked; more of them share the cost of their process.
pub const PARKED_LIMIT: usize = 48;
/// And a [`Parking`] is not longer than this, in bytes.
pub const PARKING_LIMIT_BYTES: usize = 96 * 1024;

impl Parking {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let mut message = Attributes::new()
            .with("report", "park")
            .with("come", self.come)
            .with("notice", STANDARD.encode(&self.words.notice))
            .with("late", STANDARD.encode(&self.words.late))
            .with("farewell", STANDARD.encode(&self.words.farewell));
        for (number, client) in self.clients.iter().enumerate() {
            message.push(&format!("session_{number}"), STANDARD.encode(&client.session));
            message.push(&format!("idles_{number}"), u8::from(client.idles));
            message.push(&format!("patience_{number}"), client.patience_seconds);
        }
        message
    }

    /// Reads what [`Parking::to_attributes`] wrote.
    ///
    /// # Errors
    /// As [`SessionRequest::from_attributes`].
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        if message.text("report")? != "park" {
            return Err(Missing { name: "report" });
        }
        let bytes = |name: &'static str| STANDARD.decode(message.text(name)?).map_err(|_| Missing { name });
        let words =
            ParkedWords { notice: bytes("notice")?, late: bytes("late")?, farewell: bytes("farewell")? };
        let clients = (0..PARKED_LIMIT).map_while(|number| ParkedClient::read(message, number));
        Ok(Self { come: message.parse("come")?, clients: clients.collect::<Result<_, _>>()?, words })
    }
}

impl ParkedClient {
    /// The client of this number; none when there are no more.
    fn read(message: &Attributes, number: usize) -> Option<Result<Self, Missing>> {
        let word = |name: &str| message.get(&format!("{name}_{number}"));
        let session = STANDARD.decode(word("session")?).map_err(|_| Missing { name: "session" });
        let patience =
            word("patience").and_then(|text| text.parse().ok()).ok_or(Missing { name: "patience" });
        let idles = word("idles") == Some("1");
        Some(session.and_then(|session| Ok(Self { session, idles, patience_seconds: patience? })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_wait_cross_the_socket_unchanged() {
        let parking = Parking {
            come: 3,
            clients: vec![
                ParkedClient { session: b"a\0b".to_vec(), idles: true, patience_seconds: 120 },
                ParkedClient { session: Vec::new(), idles: false, patience_seconds: 1800 },
            ],
            words: ParkedWords {
                notice: b"* OK\r\n".to_vec(),
                late: b"* BYE late\r\n".to_vec(),
                farewell: b"* BYE\r\n".to_vec(),
            },
        };
        assert_eq!(Parking::from_attributes(&parking.to_attributes()), Ok(parking));
    }
}
