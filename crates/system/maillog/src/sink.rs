//! Where log lines go.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::packets::{Haste, Packets};

/// Where the host's syslog daemon listens.
const SYSLOG_SOCKET: &str = "/dev/log";

/// Where log lines go.
#[derive(Debug)]
pub enum Sink {
    /// The host's syslog daemon; without one, nowhere.
    Syslog(Option<Packets>),
    /// A file opened for appending, by master (`maillog_file`).
    File(File),
    /// The postlogd daemon, which appends whole lines to `maillog_file`.
    Postlog(Packets),
    /// Standard error, without time and process.
    Terminal,
}

impl Sink {
    /// The host's syslog daemon, if one runs.
    pub fn syslog() -> Self {
        Self::Syslog(Packets::to(Path::new(SYSLOG_SOCKET)).ok())
    }

    /// The socket of postlogd.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn postlog(socket: &Path) -> io::Result<Self> {
        Ok(Self::Postlog(Packets::to(socket)?))
    }

    /// A file, made with mode 0600 when it is not there.
    ///
    /// # Errors
    /// As open(2).
    pub fn file(path: &Path) -> io::Result<Self> {
        Ok(Self::File(open_file(path)?))
    }

    /// Sends lines; what can not be sent is lost, for a log that fails must not stop the mail.
    pub(crate) fn send(&mut self, lines: &[u8], haste: Haste) {
        match self {
            Self::File(file) => drop(file.write_all(lines)),
            Self::Terminal => drop(io::stderr().lock().write_all(lines)),
            Self::Syslog(None) => {}
            Self::Syslog(Some(daemon)) => daemon.send(lines, haste),
            Self::Postlog(daemon) => lines
                .split_inclusive(|byte| *byte == b'\n')
                .for_each(|line| daemon.send(line.trim_ascii_end(), haste)),
        }
    }

    /// The log daemon that lines go to, if it is one.
    pub(crate) fn daemon(&mut self) -> Option<&mut Packets> {
        match self {
            Self::Syslog(daemon) => daemon.as_mut(),
            Self::Postlog(daemon) => Some(daemon),
            Self::File(_) | Self::Terminal => None,
        }
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
