//! What smtpd tells and asks the service `anvil`, on `private/anvil`.
//!
//! A connection carries any number of requests; the answers come in their order. [`Event::Disconnect`] has none.

use attributes::{Attributes, Missing};

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It has connected.
    Connect,
    /// It has gone.
    Disconnect,
    /// It begins a message.
    Message,
    /// It names a recipient.
    Recipient,
    /// It has made a TLS session that does not resume another.
    NewTls,
    /// It wants TLS: how many sessions it has made is asked, and nothing is counted.
    NewTlsStatus,
    /// It wants to authenticate.
    Auth,
}

const NAMES: [(Event, &str); 7] = [
    (Event::Connect, "connect"),
    (Event::Disconnect, "disconnect"),
    (Event::Message, "message"),
    (Event::Recipient, "recipient"),
    (Event::NewTls, "newtls"),
    (Event::NewTlsStatus, "newtls_report"),
    (Event::Auth, "auth"),
];

impl Event {
    /// How many kinds of event have a rate of their own.
    pub const COUNT: usize = 5;

    /// Whose rate it is, below [`Event::COUNT`].
    pub const fn counted_as(self) -> usize {
        match self {
            Self::Connect | Self::Disconnect => 0,
            Self::Message => 1,
            Self::Recipient => 2,
            Self::NewTls | Self::NewTlsStatus => 3,
            Self::Auth => 4,
        }
    }

    fn name(self) -> &'static str {
        NAMES.iter().find(|(event, _)| *event == self).map_or("", |(_, name)| name)
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What has happened.
    pub event: Event,
    /// `SERVICE:ADDRESS`, `smtp:192.0.2.1`
    pub client: String,
}

/// What that makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Connections of the client at this moment.
    pub connections: u64,
    /// Events of the kind within `anvil_rate_time_unit`.
    pub rate: u64,
}

impl Request {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        Attributes::new().with("request", self.event.name()).with("ident", &self.client)
    }

    /// Reads what [`Request::to_attributes`] wrote.
    ///
    /// # Errors
    /// [`Missing`] names the attribute that is not there or not understood.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        let name = message.text("request")?;
        let event = NAMES.iter().find(|(_, known)| *known == name).ok_or(Missing { name: "request" })?;
        Ok(Self { event: event.0, client: message.text("ident")?.to_owned() })
    }
}

impl Count {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        Attributes::new().with("status", 0).with("count", self.connections).with("rate", self.rate)
    }

    /// Reads what [`Count::to_attributes`] wrote.
    ///
    /// # Errors
    /// As [`Request::from_attributes`].
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        Ok(Self { connections: message.parse("count")?, rate: message.parse("rate")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_counts_cross_the_socket_unchanged() {
        for (event, _) in NAMES {
            let request = Request { event, client: "smtp:192.0.2.1".to_owned() };
            assert_eq!(Request::from_attributes(&request.to_attributes()), Ok(request));
            assert!(event.counted_as() < Event::COUNT);
        }
        let count = Count { connections: 3, rate: 70 };
        assert_eq!(Count::from_attributes(&count.to_attributes()), Ok(count));
        let other = Attributes::new().with("request", "lookup").with("ident", "x");
        assert_eq!(Request::from_attributes(&other), Err(Missing { name: "request" }));
    }
}
