//! One master per queue directory (`pid/master.pid`) and per data directory (`master.lock`), Postfix's or ours.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use parameters::Config;
use sys::acting_as::ActingAs;
use sys::error_text::reason;
use sys::{ids, locks, users};

/// From the queue directory.
pub const PID_FILE: &str = "pid/master.pid";

/// From the data directory.
const DATA_LOCK_FILE: &str = "master.lock";
/// The process id is written right-justified, as Postfix does.
const PID_COLUMNS: usize = 32;

/// Held as long as this master lives.
#[derive(Debug)]
pub struct MasterLock {
    _queue: File,
    _data: File,
}

/// Why the locks are not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another master runs, on the queue directory or on the data directory.
    #[error("open lock file {}: unable to set exclusive lock: Resource temporarily unavailable", .0.display())]
    Held(PathBuf),
    /// The file can not be used.
    #[error("open lock file {}: {}", .0.display(), reason(.1))]
    Io(PathBuf, io::Error),
    /// The data directory is `mail_owner`'s, and nobody is of that name.
    #[error("mail_owner = {0}: no such user: create it")]
    NoMailOwner(String),
}

impl MasterLock {
    /// Takes both locks and writes the process id: of the queue directory, and of the data directory, which must not
    /// serve two queue directories at once.
    ///
    /// # Errors
    /// [`LockError::Held`] when another master runs on one of them.
    pub fn take(config: &Config) -> Result<Self, LockError> {
        let queue = Path::new(&config.get(&parameters::QUEUE_DIRECTORY)).join(PID_FILE);
        if let Some(folder) = queue.parent() {
            std::fs::create_dir_all(folder).map_err(|error| LockError::Io(queue.clone(), error))?;
        }
        let data = Path::new(&config.get(&parameters::DATA_DIRECTORY)).join(DATA_LOCK_FILE);
        Ok(Self { _queue: lock(&queue)?, _data: lock_as_owner(&data, config)? })
    }
}

/// Root follows no link that `mail_owner` has put into the folder of its own.
fn lock_as_owner(path: &Path, config: &Config) -> Result<File, LockError> {
    if !ids::is_root() {
        return lock(path);
    }
    let name = config.get(&parameters::MAIL_OWNER);
    let told = |error| LockError::Io(path.to_path_buf(), error);
    let Some(owner) = users::user(&name).map_err(told)? else { return Err(LockError::NoMailOwner(name)) };
    let _acting = ActingAs::new(owner.uid, owner.gid).map_err(told)?;
    lock(path)
}

fn lock(path: &Path) -> Result<File, LockError> {
    let told = |error| LockError::Io(path.to_path_buf(), error);
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(told)?;
    if !locks::try_flock(file.as_fd(), locks::Hold::Exclusive).map_err(told)? {
        return Err(LockError::Held(path.to_path_buf()));
    }
    file.set_len(0).and_then(|()| writeln!(file, "{:>PID_COLUMNS$}", std::process::id())).map_err(told)?;
    Ok(file)
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
