//! `pid/master.pid`: one master per queue directory, Postfix's or ours.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sys::locks;

/// From the queue directory.
pub const PID_FILE: &str = "pid/master.pid";

/// Held as long as this master lives.
#[derive(Debug)]
pub struct MasterLock {
    _file: File,
}

/// Why the lock is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another master runs.
    #[error("the Postfix mail system is already running")]
    Held,
    /// The file can not be used.
    #[error("open lock file {PID_FILE}: {0}")]
    Io(#[from] io::Error),
}

impl MasterLock {
    /// Takes the lock and writes the process id, as Postfix does: decimal, right-justified in ten columns.
    ///
    /// # Errors
    /// [`LockError::Held`] when another master runs on this queue directory.
    pub fn take(queue_directory: &Path) -> Result<Self, LockError> {
        let path = queue_directory.join(PID_FILE);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)?;
        if !locks::try_flock(file.as_fd(), locks::Hold::Exclusive)? {
            return Err(LockError::Held);
        }
        file.set_len(0)?;
        writeln!(file, "{:>10}", std::process::id())?;
        Ok(Self { _file: file })
    }
}

/// The process id of the master that holds the lock, if one does.
///
/// # Errors
/// When the file is there and can not be opened.
pub fn holder(queue_directory: &Path) -> io::Result<Option<u32>> {
    let mut file = match OpenOptions::new().read(true).write(true).open(queue_directory.join(PID_FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if locks::try_flock(file.as_fd(), locks::Hold::Exclusive)? {
        return Ok(None);
    }
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text.trim().parse().ok())
}
