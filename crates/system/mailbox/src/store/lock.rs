//! The lock files of a Maildir: `dovecot-uidlist.lock` and others, made as Dovecot makes them.
//!
//! As with mbox lock files, ours tell whether their maker lives: the holder keeps a flock(2) on the file, and its mode
//! tells our files from others'. A lock that Dovecot made counts until it has not been touched for a while.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use sys::directory::{self, Directory, Kind, Links};
use sys::locks::{self, Hold};

use super::Settings;
use super::error::MailError;
use crate::disk::Disk;

/// No other program gives its lock files this mode, whatever the umask.
const OUR_MODE: u32 = 0o500;
/// Dovecot touches a lock that it holds for long every 10 seconds.
pub(crate) const STALE_AFTER: Duration = Duration::from_secs(120);
/// How long the first and the longest pause between two tries is.
const PAUSES: [Duration; 2] = [Duration::from_micros(200), Duration::from_millis(50)];

/// A lock file that is held. Dropping it removes the file.
pub(crate) struct FolderLock {
    disk: Arc<dyn Disk + Send + Sync>,
    directory: Directory,
    name: PathBuf,
    /// Keeps the flock.
    file: File,
}

impl std::fmt::Debug for FolderLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FolderLock").field(&self.name).finish()
    }
}

/// What is locked, and by whom.
pub(crate) struct Wanted<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) directory: &'a Directory,
    /// The directory's path, for messages.
    pub(crate) path: &'a Path,
    /// The lock file: `dovecot-uidlist.lock`.
    pub(crate) name: &'a str,
    pub(crate) patience: Duration,
    pub(crate) stale_after: Duration,
    pub(crate) now_us: u64,
}

impl Wanted<'_> {
    /// Gets the lock, waiting for whoever holds it.
    ///
    /// # Errors
    /// [`MailError::Locked`] after `patience`, [`MailError::Io`].
    pub(crate) fn acquire(&self) -> Result<FolderLock, MailError> {
        let (mut waited, mut pause) = (Duration::ZERO, PAUSES[0]);
        loop {
            let outcome =
                self.attempt(waited).map_err(MailError::io("create lock file", self.full_path()))?;
            if let Some(lock) = outcome {
                return Ok(lock);
            }
            if waited >= self.patience {
                return Err(MailError::Locked { path: self.full_path() });
            }
            thread::sleep(pause);
            waited += pause;
            pause = (pause * 2).min(PAUSES[1]);
        }
    }

    fn full_path(&self) -> PathBuf {
        self.path.join(self.name)
    }

    fn attempt(&self, waited: Duration) -> io::Result<Option<FolderLock>> {
        if let Some(lock) = self.create()? {
            return Ok(Some(lock));
        }
        if self.remove_if_stale(waited)? { self.create() } else { Ok(None) }
    }

    fn create(&self) -> io::Result<Option<FolderLock>> {
        let disk = &self.settings.disk;
        let file = match disk.create(self.directory, Path::new(self.name), OUR_MODE) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(error) => return Err(error),
        };
        // Somebody may find the file before the flock is on it, and remove it as abandoned.
        if !locks::try_flock(&file, Hold::Exclusive)? || !self.is_named(&file) {
            return Ok(None);
        }
        let directory = self.directory.enter(Path::new("."), Links::Refuse)?;
        let lock = FolderLock { disk: Arc::clone(disk), directory, name: self.name.into(), file };
        // For Dovecot, which takes a lock away from a process of its host that is dead. Dropped on an error.
        let text = format!("{}:{}", self.settings.process, self.settings.host);
        disk.write(&lock.file, text.as_bytes(), 0)?;
        Ok(Some(lock))
    }

    /// Removes a lock file that nobody holds; true when it is gone.
    fn remove_if_stale(&self, waited: Duration) -> io::Result<bool> {
        let name = Path::new(self.name);
        let facts = match self.directory.facts_of(name) {
            Ok(facts) => facts,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        if (facts.kind, facts.mode & 0o777, facts.links) == (Kind::File, OUR_MODE, 1) {
            return self.remove_if_abandoned(name);
        }
        let age_s =
            ((self.now_us / 1_000_000) as i64).saturating_sub(facts.modified) + waited.as_secs() as i64;
        if age_s < self.stale_after.as_secs() as i64 {
            return Ok(false);
        }
        self.settings.disk.remove(self.directory, name).map(|()| true)
    }

    /// While we hold the flock nobody else removes the file, so it is still the one that was opened.
    fn remove_if_abandoned(&self, name: &Path) -> io::Result<bool> {
        let Ok(file) = self.directory.open_to_read(name, Links::Refuse) else { return Ok(false) };
        if !locks::try_flock(&file, Hold::Exclusive).unwrap_or(false) || !self.is_named(&file) {
            return Ok(false);
        }
        self.settings.disk.remove(self.directory, name).map(|()| true)
    }

    /// Does the name stand for this very file?
    fn is_named(&self, file: &File) -> bool {
        match (directory::stamp(file), self.directory.stamp_of(Path::new(self.name))) {
            (Ok(open), Ok(there)) => (open.device, open.inode) == (there.device, there.inode),
            _ => false,
        }
    }
}

impl FolderLock {
    /// Shows others that the holder lives.
    pub(crate) fn touch(&self, now_us: u64) -> io::Result<()> {
        self.disk.set_modified(&self.file, (now_us / 1_000_000) as i64)
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // What can not be removed is abandoned from here on, as the flock ends with it.
        let _ = self.disk.remove(&self.directory, &self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(act: impl FnOnce(&Path, &mut Wanted<'_>)) {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::open(root.path()).unwrap();
        let settings = Settings::new("vm", 42);
        act(
            root.path(),
            &mut Wanted {
                settings: &settings,
                directory: &directory,
                path: root.path(),
                name: "x.lock",
                patience: Duration::ZERO,
                stale_after: STALE_AFTER,
                now_us: sys::clock::now_us(),
            },
        );
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        with(|root, wanted| {
            let held = wanted.acquire().unwrap();
            assert_eq!(std::fs::read_to_string(root.join("x.lock")).unwrap(), "42:vm");
            assert!(matches!(wanted.acquire(), Err(MailError::Locked { .. })));
            drop(held);
            assert!(!root.join("x.lock").exists());
            wanted.acquire().unwrap();
        });
    }

    #[test]
    fn a_lock_whose_holder_died_costs_no_time() {
        with(|root, wanted| {
            let mut held = wanted.acquire().unwrap();
            // As the kernel does at the end of a process: the file stays, the flock goes.
            held.name = "other".into();
            drop(held);
            assert!(root.join("x.lock").exists());
            wanted.acquire().unwrap();
        });
    }

    #[test]
    fn another_programs_lock_counts_until_it_is_old() {
        with(|root, wanted| {
            std::fs::write(root.join("x.lock"), "1:vm").unwrap();
            assert!(wanted.acquire().is_err());
            wanted.now_us += 121_000_000;
            wanted.acquire().unwrap();
        });
    }
}
