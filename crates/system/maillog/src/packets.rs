//! The socket of a log daemon, and the lines that it has no room for yet.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use sys::sockets::{Socket, connect_unix_datagram, wait_writable};

/// How many bytes of lines wait for a log daemon that is behind; what comes on top is lost, and counted.
const WAITING_LIMIT_BYTES: usize = 256 * 1024;
/// How long a program that may wait does so, until the log daemon takes something again.
const PATIENCE_MILLISECONDS: u16 = 50;

/// May the program wait for the log daemon?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    /// A moment, for it does nothing else meanwhile.
    MayWait,
    /// Never: others are served by the same thread.
    Never,
}

/// Lines on their way to a log daemon, a packet each, in order.
#[derive(Debug)]
pub struct Packets {
    path: PathBuf,
    socket: Socket,
    waiting: VecDeque<Box<[u8]>>,
    waiting_bytes: usize,
    lost: u64,
    /// Nobody listened when the last line was sent.
    gone: bool,
    /// It has been waited for in vain since it last took something.
    patience_is_over: bool,
}

impl Packets {
    /// # Errors
    /// When nobody listens at `path`.
    pub(crate) fn to(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            socket: connect_unix_datagram(path)?,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            lost: 0,
            gone: false,
            patience_is_over: false,
        })
    }

    /// Sends a line, or keeps it until there is room. It is lost when too many wait, or nobody listens any more.
    pub(crate) fn send(&mut self, packet: &[u8], haste: Haste) {
        self.catch_up(haste);
        if self.waiting.is_empty() && self.leaves(packet, haste) {
            return;
        }
        if self.waiting_bytes + packet.len() > WAITING_LIMIT_BYTES {
            self.lost += 1;
            return;
        }
        self.waiting_bytes += packet.len();
        self.waiting.push_back(packet.into());
    }

    /// Sends what waits, as far as there is room.
    pub(crate) fn catch_up(&mut self, haste: Haste) {
        while let Some(packet) = self.waiting.pop_front() {
            if !self.leaves(&packet, haste) {
                self.waiting.push_front(packet);
                return;
            }
            self.waiting_bytes -= packet.len();
        }
    }

    /// Does anything wait for room?
    pub(crate) fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many lines are lost, once nothing waits any more and somebody listens; then they count as told.
    pub(crate) fn take_lost(&mut self) -> u64 {
        if self.waiting.is_empty() && !self.gone { std::mem::take(&mut self.lost) } else { 0 }
    }

    /// False when there is no room. A log daemon that has been started anew is connected to anew.
    fn leaves(&mut self, packet: &[u8], haste: Haste) -> bool {
        let mut result = self.socket.write(packet);
        if is_full(&result) && haste == Haste::MayWait && !self.patience_is_over {
            self.patience_is_over = !wait_writable(self.socket.as_fd(), PATIENCE_MILLISECONDS);
            result = self.socket.write(packet);
        }
        if is_full(&result) {
            return false;
        }
        if result.is_err()
            && let Ok(socket) = connect_unix_datagram(&self.path)
        {
            self.socket = socket;
            result = self.socket.write(packet);
        }
        self.patience_is_over = false;
        self.gone = result.is_err();
        self.lost += u64::from(self.gone);
        true
    }
}

fn is_full(result: &io::Result<usize>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    fn daemon(path: &Path) -> UnixDatagram {
        let daemon = UnixDatagram::bind(path).unwrap();
        daemon.set_nonblocking(true).unwrap();
        daemon
    }

    fn received(daemon: &UnixDatagram) -> Vec<u64> {
        let mut packet = [0; 64];
        let mut numbers = Vec::new();
        while let Ok(length) = daemon.recv(&mut packet) {
            numbers.push(String::from_utf8_lossy(&packet[..length]).trim().parse().unwrap());
        }
        numbers
    }

    fn line(number: u64) -> Vec<u8> {
        format!("{number:>40}").into_bytes()
    }

    #[test]
    fn what_finds_no_room_waits_and_what_is_too_much_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let daemon = daemon(&path);
        let mut packets = Packets::to(&path).unwrap();
        let mut sent = 0;
        while packets.lost < 3 {
            packets.send(&line(sent), Haste::Never);
            sent += 1;
        }
        assert!(packets.waiting_bytes <= WAITING_LIMIT_BYTES && packets.is_behind());
        assert_eq!(packets.take_lost(), 0, "not before the others have left");
        let mut arrived = Vec::new();
        while !packets.waiting.is_empty() {
            let now = received(&daemon);
            assert!(!now.is_empty());
            arrived.extend(now);
            packets.catch_up(Haste::Never);
        }
        arrived.extend(received(&daemon));
        assert_eq!(arrived, (0..sent - 3).collect::<Vec<_>>());
        assert_eq!((packets.take_lost(), packets.take_lost(), packets.is_behind()), (3, 0, false));
    }

    #[test]
    fn a_daemon_that_is_started_anew_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let first = daemon(&path);
        let mut packets = Packets::to(&path).unwrap();
        drop(first);
        packets.send(&line(1), Haste::Never);
        assert_eq!((packets.lost, packets.take_lost()), (1, 0), "nobody is there to be told");
        std::fs::remove_file(&path).unwrap();
        let second = daemon(&path);
        packets.send(&line(2), Haste::Never);
        assert_eq!((received(&second), packets.take_lost()), (vec![2], 1));
    }
}
