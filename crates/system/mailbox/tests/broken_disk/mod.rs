//! A disk on which one step fails, or after which nothing happens any more.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mailbox::disk::Disk;
use sys::directory::Directory;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The step fails with this error number, the next ones work.
    Fails(i32),
    /// The process dies in the middle of the step: it and all later ones change nothing (a write, a part).
    Dies,
    /// Nothing fails, but another program does something before it: [`BrokenDisk::meddled`].
    Meddles,
}

/// Counts the steps that change the disk; number `at` has the fault. A clone is the same disk.
#[derive(Clone)]
pub(crate) struct BrokenDisk {
    at: usize,
    fault: Fault,
    steps: Arc<AtomicUsize>,
    meddle: Arc<dyn Fn() + Send + Sync>,
}

impl BrokenDisk {
    pub(crate) fn new(at: usize, fault: Fault) -> Self {
        Self { at, fault, steps: Arc::default(), meddle: Arc::new(|| {}) }
    }

    /// Before step `at`, `meddle` is done.
    #[allow(dead_code, reason = "deliveries have nobody who meddles")]
    pub(crate) fn meddled(at: usize, meddle: impl Fn() + Send + Sync + 'static) -> Self {
        Self { meddle: Arc::new(meddle), ..Self::new(at, Fault::Meddles) }
    }

    /// Did anybody get as far as the fault?
    pub(crate) fn was_reached(&self) -> bool {
        self.steps.load(Ordering::SeqCst) > self.at
    }

    fn step(&self) -> io::Result<()> {
        let number = self.steps.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::Fails(code) if number == self.at => Err(io::Error::from_raw_os_error(code)),
            Fault::Dies if number >= self.at => Err(io::Error::other("dead")),
            Fault::Meddles if number == self.at => {
                (self.meddle)();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Disk for BrokenDisk {
    fn make(&self, parent: &Directory, name: &Path, mode: u32) -> io::Result<()> {
        self.step()?;
        parent.make(name, mode)
    }

    fn create(&self, parent: &Directory, name: &Path, mode: u32) -> io::Result<File> {
        self.step()?;
        parent.create(name, mode)
    }

    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let is_the_one = self.steps.load(Ordering::SeqCst) == self.at;
        let outcome = self.step();
        if is_the_one {
            file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
        }
        outcome?;
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step()?;
        file.sync_all()
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.step()?;
        file.set_len(length)
    }

    fn rename(&self, from: &Directory, name: &Path, to: &Directory, new_name: &Path) -> io::Result<()> {
        self.step()?;
        from.rename_new(name, to, new_name)
    }

    fn replace(&self, from: &Directory, name: &Path, to: &Directory, new_name: &Path) -> io::Result<()> {
        self.step()?;
        from.replace(name, to, new_name)
    }

    fn link(&self, from: &Directory, name: &Path, to: &Directory, new_name: &Path) -> io::Result<()> {
        self.step()?;
        from.link(name, to, new_name)
    }

    fn remove(&self, parent: &Directory, name: &Path) -> io::Result<()> {
        self.step()?;
        parent.remove(name)
    }

    fn remove_directory(&self, parent: &Directory, name: &Path) -> io::Result<()> {
        self.step()?;
        parent.remove_directory(name)
    }

    fn sync_directory(&self, directory: &Directory) -> io::Result<()> {
        self.step()?;
        directory.sync()
    }
}
