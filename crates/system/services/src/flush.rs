//! What one asks of the service `flush`, on `public/flush`: note or try the mail for a destination.
//!
//! The protocol is Postfix's: the server greets with `protocol=queue_flush_protocol`; each connection carries one request and one
//! status.

use attributes::{Attributes, Missing};

/// The greeting of the server.
pub const GREETING: &str = "queue_flush_protocol";

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Mail for `site` waits in this queue file.
    Add {
        /// The recipient's domain.
        site: String,
        /// The queue file.
        queue_id: String,
    },
    /// Try all mail for this site now.
    SendSite(String),
    /// Try this message now.
    SendFile(String),
    /// Try the mail of every site whose log has not been read for `fast_flush_refresh_time`.
    Refresh,
    /// The same for all sites.
    Purge,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is done, or under way.
    Done,
    /// It could not be done.
    Failed,
    /// It is no request.
    BadRequest,
    /// The site is not in `fast_flush_domains`.
    NotListed,
}

impl Status {
    /// The number in the reply.
    pub const fn number(self) -> i32 {
        match self {
            Self::Done => 0,
            Self::Failed => -1,
            Self::BadRequest => 3,
            Self::NotListed => 4,
        }
    }

    /// The status with this number.
    pub fn from_number(number: i32) -> Option<Self> {
        [Self::Done, Self::Failed, Self::BadRequest, Self::NotListed]
            .into_iter()
            .find(|status| status.number() == number)
    }
}

impl Request {
    /// The message that goes over the socket.
    pub fn to_attributes(&self) -> Attributes {
        let named = |name| Attributes::new().with("request", name);
        match self {
            Self::Add { site, queue_id } => named("add").with("site", site).with("queue_id", queue_id),
            Self::SendSite(site) => named("send_site").with("site", site),
            Self::SendFile(queue_id) => named("send_file").with("queue_id", queue_id),
            Self::Refresh => named("refresh"),
            Self::Purge => named("purge"),
        }
    }

    /// Reads what [`Request::to_attributes`] wrote.
    ///
    /// # Errors
    /// [`Missing`] names the attribute that is not there or not understood.
    pub fn from_attributes(message: &Attributes) -> Result<Self, Missing> {
        let text = |name| message.text(name).map(str::to_owned);
        Ok(match message.text("request")? {
            "add" => Self::Add { site: text("site")?, queue_id: text("queue_id")? },
            "send_site" => Self::SendSite(text("site")?),
            "send_file" => Self::SendFile(text("queue_id")?),
            "refresh" => Self::Refresh,
            "purge" => Self::Purge,
            _ => return Err(Missing { name: "request" }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_crosses_the_socket_unchanged() {
        for request in [
            Request::Add { site: "a.example".into(), queue_id: "A1".into() },
            Request::SendSite("a.example".into()),
            Request::SendFile("A1".into()),
            Request::Refresh,
            Request::Purge,
        ] {
            assert_eq!(Request::from_attributes(&request.to_attributes()), Ok(request));
        }
    }
}
