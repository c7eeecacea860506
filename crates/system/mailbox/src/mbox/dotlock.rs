//! Lock files, `<mailbox>.lock`.
//!
//! Such a file outlives its maker, and Postfix waits 500 s for one that nobody holds. Ours tells whether its
//! maker lives: whoever holds the lock keeps a flock(2) on the lock file, and the kernel drops that when the
//! process dies. The file's mode tells ours from others', for a power cut may leave the file without content.
//! What another program made is judged by its age only. The process id within is for people and for programs
//! that look for one, as liblockfile does.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sys::directory::{self, Directory, Facts, Kind, Links};
use sys::locks::{self, Hold};

use super::LockSettings;
use crate::disk::Disk;

/// No other program gives its lock files this mode, whatever the umask.
const OUR_MODE: u32 = 0o500;

/// A lock file that is held. It must be given back by [`Dotlock::release`].
#[derive(Debug)]
pub(super) struct Dotlock {
    name: PathBuf,
    /// Keeps the flock.
    _file: File,
}

/// Who asks for a lock, and when.
pub(super) struct Asker<'a, D> {
    pub(super) disk: &'a D,
    pub(super) parent: &'a Directory,
    pub(super) process: u32,
    pub(super) uid: u32,
    pub(super) now_s: i64,
}

impl Dotlock {
    /// Removes the lock file.
    pub(super) fn release<D: Disk>(self, asker: &Asker<'_, D>) {
        // What can not be removed is stale from here on, as the flock ends with it.
        let _ = asker.disk.remove(asker.parent, &self.name);
    }
}

impl<D: Disk> Asker<'_, D> {
    /// Makes the lock file of the mailbox `name`; none when somebody held it all the time.
    pub(super) fn acquire(&self, name: &Path, settings: &LockSettings) -> io::Result<Option<Dotlock>> {
        let mut lock_name = name.as_os_str().to_owned();
        lock_name.push(".lock");
        let lock_name = PathBuf::from(lock_name);
        let mut held = None;
        settings.retry(|| {
            held = self.try_create(&lock_name)?;
            if held.is_none() && self.remove_if_stale(&lock_name, settings.stale_after)? {
                held = self.try_create(&lock_name)?;
            }
            Ok(held.is_some())
        })?;
        Ok(held)
    }

    fn try_create(&self, name: &Path) -> io::Result<Option<Dotlock>> {
        let file = match self.disk.create(self.parent, name, OUR_MODE) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(error) => return Err(error),
        };
        // Somebody may find the file before the flock is on it, and remove it as stale.
        if !locks::try_flock(&file, Hold::Exclusive)? || !self.names(name, &directory::facts(&file)?) {
            return Ok(None);
        }
        let lock = Dotlock { name: name.to_owned(), _file: file };
        match self.disk.write(&lock._file, format!("{}\n", self.process).as_bytes(), 0) {
            Ok(()) => Ok(Some(lock)),
            Err(error) => {
                lock.release(self);
                Err(error)
            }
        }
    }

    /// Removes a lock file that nobody holds; true when it is gone.
    fn remove_if_stale(&self, name: &Path, stale_after: Duration) -> io::Result<bool> {
        let facts = match self.parent.facts_of(name) {
            Ok(facts) => facts,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        if self.is_ours(&facts) {
            return self.remove_if_abandoned(name, &facts);
        }
        let age_s = self.now_s.saturating_sub(facts.modified);
        if age_s < i64::try_from(stale_after.as_secs()).unwrap_or(i64::MAX) {
            return Ok(false);
        }
        self.disk.remove(self.parent, name).map(|()| true)
    }

    fn is_ours(&self, facts: &Facts) -> bool {
        (facts.kind, facts.mode & 0o777, facts.uid, facts.links) == (Kind::File, OUR_MODE, self.uid, 1)
    }

    /// While we hold the flock nobody else removes the file, so it is still the one that was looked at.
    fn remove_if_abandoned(&self, name: &Path, facts: &Facts) -> io::Result<bool> {
        let Ok(file) = self.parent.open_to_read(name, Links::Refuse) else { return Ok(false) };
        if !locks::try_flock(&file, Hold::Exclusive).unwrap_or(false) || !self.names(name, facts) {
            return Ok(false);
        }
        self.disk.remove(self.parent, name).map(|()| true)
    }

    /// Does `name` stand for this very file?
    fn names(&self, name: &Path, file: &Facts) -> bool {
        self.parent.facts_of(name).is_ok_and(|there| (there.device, there.inode) == (file.device, file.inode))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;
    use crate::disk::RealDisk;

    const SETTINGS: LockSettings = LockSettings {
        fcntl: false,
        flock: false,
        dotlock: true,
        attempts: 2,
        delay: Duration::ZERO,
        stale_after: Duration::from_secs(500),
    };

    fn with_asker(act: impl FnOnce(&Path, &mut Asker<'_, RealDisk>)) {
        let root = tempfile::tempdir().unwrap();
        let parent = Directory::open(root.path()).unwrap();
        let now_s = i64::try_from(sys::clock::now_us() / 1_000_000).unwrap();
        let uid = sys::ids::effective_uid();
        act(root.path(), &mut Asker { disk: &RealDisk, parent: &parent, process: 42, uid, now_s });
    }

    #[test]
    fn a_lock_is_held_until_it_is_released() {
        with_asker(|root, asker| {
            let first = asker.acquire(Path::new("box"), &SETTINGS).unwrap().unwrap();
            assert_eq!(fs::read_to_string(root.join("box.lock")).unwrap(), "42\n");
            assert!(asker.acquire(Path::new("box"), &SETTINGS).unwrap().is_none());
            first.release(asker);
            assert!(asker.acquire(Path::new("box"), &SETTINGS).unwrap().is_some());
        });
    }

    #[test]
    fn a_lock_whose_holder_died_costs_no_time() {
        with_asker(|root, asker| {
            let held = asker.acquire(Path::new("box"), &SETTINGS).unwrap().unwrap();
            drop(held); // as the kernel does at the end of a process: the file stays, the flock goes
            assert!(root.join("box.lock").exists());
            let again = asker.acquire(Path::new("box"), &LockSettings { attempts: 1, ..SETTINGS }).unwrap();
            assert!(again.is_some());
        });
    }

    #[test]
    fn a_power_cut_may_leave_our_lock_without_content() {
        with_asker(|root, asker| {
            fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(OUR_MODE)
                .open(root.join("box.lock"))
                .unwrap();
            assert!(asker.acquire(Path::new("box"), &SETTINGS).unwrap().is_some());
        });
    }

    #[test]
    fn another_programs_lock_counts_until_it_is_old() {
        with_asker(|root, asker| {
            fs::write(root.join("box.lock"), "").unwrap();
            assert!(asker.acquire(Path::new("box"), &SETTINGS).unwrap().is_none());
            asker.now_s += 501;
            assert!(asker.acquire(Path::new("box"), &SETTINGS).unwrap().is_some());
        });
    }
}
