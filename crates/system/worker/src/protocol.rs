//! What master and its workers have agreed on: descriptors, environment, and the words on the status socket.

use std::os::fd::RawFd;

/// The file for log lines (`maillog_file`), opened by master; absent when the log goes to syslog.
pub const LOG_DESCRIPTOR: RawFd = 3;
/// The status socket: packets, closed when the other side ends.
pub const STATUS_DESCRIPTOR: RawFd = 5;
/// The first listening socket; the others follow.
pub const FIRST_LISTENER: RawFd = 6;
/// A packet on the status socket is not longer than this.
pub const PACKET_LIMIT_BYTES: usize = 256;

/// Names the configuration directory.
pub const ENV_CONFIG_DIRECTORY: &str = "MAIL_CONFIG";
/// The program's name in the log, in front of its own: `syslog_name`.
pub const ENV_LOG_TAG: &str = "MAIL_LOGTAG";
/// The host's name as the log shows it.
pub const ENV_LOG_HOST: &str = "POSTLOG_HOSTNAME";

/// Master to worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The service's wakeup time has come.
    WakeUp,
    /// Take no new clients, finish those that are here, then end: a new worker with new settings has come.
    Drain,
    /// As `Drain`, but say goodbye to clients that are between two transactions.
    Stop,
    /// All sessions of the service are taken: be brief with those that come.
    Stress,
    /// The stress is over.
    Calm,
    /// The descriptor with this packet is the new log file.
    NewLog,
}

impl Order {
    /// The packet.
    pub const fn packet(self) -> &'static [u8] {
        match self {
            Self::WakeUp => b"wakeup",
            Self::Drain => b"drain",
            Self::Stop => b"stop",
            Self::Stress => b"stress",
            Self::Calm => b"calm",
            Self::NewLog => b"log",
        }
    }

    /// The order that a packet carries.
    pub fn from_packet(packet: &[u8]) -> Option<Self> {
        [Self::WakeUp, Self::Drain, Self::Stop, Self::Stress, Self::Calm, Self::NewLog]
            .into_iter()
            .find(|order| order.packet() == packet)
    }
}

/// Worker to master: how busy it is. Sent when it changes, at most once a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Clients that are here now.
    pub sessions: u64,
    /// Clients that have been here since the start.
    pub served: u64,
    /// The worker takes no new clients: it ends when the last one has gone.
    pub leaving: bool,
}

impl Status {
    /// The packet.
    pub fn packet(self) -> String {
        format!("{} {} {}", self.sessions, self.served, u8::from(self.leaving))
    }

    /// Reads a packet.
    pub fn from_packet(packet: &[u8]) -> Option<Self> {
        let mut numbers = std::str::from_utf8(packet).ok()?.split(' ').map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        Some(Self { sessions: next()?, served: next()?, leaving: next()? != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_read_back_as_written() {
        let status = Status { sessions: 3, served: 70_000, leaving: true };
        assert_eq!(Status::from_packet(status.packet().as_bytes()), Some(status));
        assert_eq!(Status::from_packet(b"3 x 1"), None);
        assert_eq!(Order::from_packet(Order::Drain.packet()), Some(Order::Drain));
        assert_eq!(Order::from_packet(Order::Calm.packet()), Some(Order::Calm));
        assert_eq!(Order::from_packet(b"nonsense"), None);
    }
}
