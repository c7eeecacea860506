//! Where log lines go.

use std::fs::{File, Permissions};
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

    /// As [`open_file`].
    ///
    /// # Errors
    /// As open(2).
    pub fn file(path: &Path, mode: u32) -> io::Result<Self> {
        Ok(Self::File(open_file(path, mode)?))
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

/// Opens a log file for appending. `mode` is what it gets when it is new, whatever the umask is.
///
/// # Errors
/// As open(2) and chmod(2).
pub fn open_file(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    match File::options().append(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => {
            file.set_permissions(Permissions::from_mode(mode))?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            File::options().append(true).create(true).mode(0o600).open(path)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_file_gets_the_mode_and_an_old_one_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.log");
        let mode = |file: File| file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(open_file(&path, 0o644).unwrap()), 0o644);
        assert_eq!(mode(open_file(&path, 0o600).unwrap()), 0o644);
    }
}
