//! What a delivery agent asks of spawnd(8): a courier who delivers as the owner of a mailbox.
//!
//! The agent makes a pair of sockets and sends one of them along with its request; there is no other answer than
//! what comes out of the pair: a courier's `Hello`, or the reason why there is none.

use attributes::{Attributes, Missing};

/// The name of spawnd's socket.
pub const SPAWN_SERVICE: &str = "spawnd";

/// Whose courier. Which ids that means spawnd finds out for itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CourierRequest {
    /// For the owner of a virtual mailbox.
    Virtual {
        /// Whose mailbox.
        recipient: String,
    },
    /// For a user of this system, below `mail_spool_directory`.
    Spool {
        /// Login name.
        user: String,
    },
    /// For a user of this system, below the home directory.
    Home {
        /// Login name.
        user: String,
    },
}

impl CourierRequest {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let (kind, name) = match self {
            Self::Virtual { recipient } => ("virtual", recipient),
            Self::Spool { user } => ("spool", user),
            Self::Home { user } => ("home", user),
        };
        Attributes::new().with("kind", kind).with("name", name)
    }

    /// Reads what [`CourierRequest::to_attributes`] wrote.
    ///
    /// # Errors
    /// [`Missing`] names the attribute that is not there or not understood.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        let name = message.text("name")?.to_owned();
        match message.text("kind")? {
            "virtual" => Ok(Self::Virtual { recipient: name }),
            "spool" => Ok(Self::Spool { user: name }),
            "home" => Ok(Self::Home { user: name }),
            _ => Err(Missing { name: "kind" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_crosses_the_socket_unchanged() {
        for request in [
            CourierRequest::Virtual { recipient: "u@x".into() },
            CourierRequest::Spool { user: "u".into() },
            CourierRequest::Home { user: "u".into() },
        ] {
            assert_eq!(CourierRequest::from_attributes(&request.to_attributes()), Ok(request));
        }
    }
}
