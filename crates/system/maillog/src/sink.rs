//! Where log lines go.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use std::os::fd::AsFd;
use sys::sockets::{Socket, connect_unix_datagram, wait_writable};

/// Where the host's syslog daemon listens.
const SYSLOG_SOCKET: &str = "/dev/log";
/// How long a line waits for a log daemon that is behind before it is dropped.
const PATIENCE_MILLISECONDS: u16 = 50;

/// Where log lines go.
#[derive(Debug)]
pub enum Sink {
    /// The host's syslog daemon; without one, nowhere.
    Syslog(Option<Socket>),
    /// A file opened for appending, by master (`maillog_file`).
    File(File),
    /// The postlogd daemon, which appends whole lines to `maillog_file`.
    Postlog(Socket),
    /// Standard error, without time and process.
    Terminal,
}

impl Sink {
    /// The host's syslog daemon, if one runs.
    pub fn syslog() -> Self {
        Self::Syslog(connect_unix_datagram(Path::new(SYSLOG_SOCKET)).ok())
    }

    /// The socket of postlogd.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn postlog(socket: &Path) -> io::Result<Self> {
        Ok(Self::Postlog(connect_unix_datagram(socket)?))
    }

    /// A file, made with mode 0600 when it is not there.
    ///
    /// # Errors
    /// As open(2).
    pub fn file(path: &Path) -> io::Result<Self> {
        Ok(Self::File(open_file(path)?))
    }

    /// Sends lines; what can not be sent is lost, for a log that fails must not stop the mail.
    pub(crate) fn send(&mut self, lines: &[u8]) {
        let _ = match self {
            Self::File(file) => file.write_all(lines),
            Self::Terminal => io::stderr().lock().write_all(lines),
            Self::Syslog(None) => Ok(()),
            Self::Syslog(Some(socket)) => send_packet(socket, lines),
            Self::Postlog(socket) => lines
                .split_inclusive(|byte| *byte == b'\n')
                .try_for_each(|line| send_packet(socket, line.trim_ascii_end())),
        };
    }
}

/// Opens a log file for appending, with mode 0600 when it is new.
///
/// # Errors
/// As open(2).
pub fn open_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().append(true).create(true).mode(0o600).open(path)
}

fn send_packet(socket: &Socket, packet: &[u8]) -> io::Result<()> {
    match socket.write(packet) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            wait_writable(socket.as_fd(), PATIENCE_MILLISECONDS);
            socket.write(packet).map(drop)
        }
        other => other.map(drop),
    }
}
