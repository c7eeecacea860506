//! A disk that fails, or stops, at a given step, and a power cut.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sys::disk::{Disk, RealDisk};

/// A [`RealDisk`] that counts steps, fails where told, and remembers what a power cut would undo.
#[derive(Debug, Default)]
pub struct FaultyDisk {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    steps: usize,
    fault: Fault,
    undo: Vec<Undo>,
    backups: usize,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Step `at` (from 0) fails with this error, later ones succeed.
    Error {
        /// Which step.
        at: usize,
        /// `ENOSPC`, `EIO`, ...
        errno: i32,
    },
    /// The process ends before step `at`: it and all later ones fail and change nothing.
    Crash {
        /// Which step.
        at: usize,
    },
}

/// How to take back what was not yet on the disk.
#[derive(Debug)]
enum Undo {
    Data { file: File, offset: u64, before: Vec<u8>, length_before: u64 },
    Mode { file: File, mode: u32 },
    Modified { file: File, time: std::time::SystemTime },
    Created(PathBuf),
    Renamed { from: PathBuf, to: PathBuf, replaced: Option<PathBuf> },
    Removed { path: PathBuf, backup: PathBuf },
}

impl FaultyDisk {
    /// A disk with this fault.
    pub fn new(fault: Fault) -> Self {
        Self { state: Mutex::new(State { fault, ..State::default() }) }
    }

    /// How many steps were asked for.
    pub fn steps(&self) -> usize {
        self.lock().steps
    }

    /// Cuts the power: what was not synced is lost in part. Metadata goes in order, the last steps first, as a journal has it; of the
    /// data any write may be lost or torn. `seed` chooses. Nobody may use the disk after that.
    ///
    /// # Errors
    /// When undoing itself fails.
    pub fn cut_power(&self, seed: u64) -> io::Result<()> {
        let mut state = self.lock();
        let metadata = state.undo.iter().filter(|undo| !matches!(undo, Undo::Data { .. })).count();
        let mut random = seed;
        let mut lost = if metadata == 0 { 0 } else { next(&mut random) as usize % (metadata + 1) };
        while let Some(undo) = state.undo.pop() {
            match undo {
                Undo::Data { .. } => undo.lose_data(next(&mut random))?,
                _ if lost > 0 => {
                    lost -= 1;
                    undo.lose_metadata()?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the step; an error if it is to fail.
    fn step(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        let number = state.steps;
        state.steps += 1;
        match state.fault {
            Fault::Error { at, errno } if at == number => Err(io::Error::from_raw_os_error(errno)),
            Fault::Crash { at } if number >= at => Err(io::Error::other("the process has ended")),
            _ => Ok(state),
        }
    }
}

impl State {
    /// A second name for a file that is about to lose its own.
    fn back_up(&mut self, path: &Path) -> io::Result<PathBuf> {
        self.backups += 1;
        let backup = std::env::temp_dir().join(format!(
            "faulty-disk.{}.{:p}.{}",
            std::process::id(),
            std::ptr::from_ref(self),
            self.backups
        ));
        std::fs::hard_link(path, &backup).or_else(|_| std::fs::copy(path, &backup).map(|_| ()))?;
        Ok(backup)
    }
}

/// A small generator of numbers: xorshift with a kick for zero.
fn next(random: &mut u64) -> u64 {
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *random;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

impl Undo {
    /// All, none, or the second half of a write is lost.
    fn lose_data(self, choice: u64) -> io::Result<()> {
        let Self::Data { file, offset, before, length_before } = self else { return Ok(()) };
        let half = file.metadata()?.len().saturating_sub(offset) / 2;
        match choice % 3 {
            0 => Ok(()),
            1 if length_before <= offset => file.set_len((offset + half).min(file.metadata()?.len())),
            _ => {
                file.write_all_at(&before, offset)?;
                let length = file.metadata()?.len();
                file.set_len(length_before.min(length))
            }
        }
    }

    fn lose_metadata(self) -> io::Result<()> {
        match self {
            Self::Data { .. } => Ok(()),
            Self::Mode { file, mode } => file.set_permissions(PermissionsExt::from_mode(mode)),
            Self::Modified { file, time } => file.set_modified(time),
            Self::Created(path) => std::fs::remove_file(path),
            Self::Renamed { from, to, replaced } => {
                std::fs::rename(&to, from)?;
                replaced.map_or(Ok(()), |backup| std::fs::rename(backup, to))
            }
            Self::Removed { path, backup } => std::fs::rename(backup, path),
        }
    }

    fn is_data_of(&self, inode: u64) -> bool {
        matches!(self, Self::Data { file, .. } if file.metadata().is_ok_and(|facts| facts.ino() == inode))
    }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path, mode: u32) -> io::Result<File> {
        let mut state = self.step()?;
        let file = RealDisk.create(path, mode)?;
        state.undo.push(Undo::Created(path.to_owned()));
        Ok(file)
    }

    fn open_to_write(&self, path: &Path) -> io::Result<File> {
        let _state = self.step()?;
        RealDisk.open_to_write(path)
    }

    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.step()?;
        let length_before = file.metadata()?.len();
        let mut before = vec![0; bytes.len().min(length_before.saturating_sub(offset) as usize)];
        file.read_exact_at(&mut before, offset)?;
        RealDisk.write_at(file, bytes, offset)?;
        state.undo.push(Undo::Data { file: file.try_clone()?, offset, before, length_before });
        Ok(())
    }

    fn set_mode(&self, file: &File, mode: u32) -> io::Result<()> {
        let mut state = self.step()?;
        let before = file.metadata()?.permissions().mode();
        RealDisk.set_mode(file, mode)?;
        state.undo.push(Undo::Mode { file: file.try_clone()?, mode: before });
        Ok(())
    }

    fn set_modified(&self, file: &File, seconds: u64) -> io::Result<()> {
        let mut state = self.step()?;
        let time = file.metadata()?.modified()?;
        RealDisk.set_modified(file, seconds)?;
        state.undo.push(Undo::Modified { file: file.try_clone()?, time });
        Ok(())
    }

    /// The journal holds the metadata of all files, so all of it is safe now; of the data only that of this file.
    fn sync(&self, file: &File) -> io::Result<()> {
        let mut state = self.step()?;
        let inode = file.metadata()?.ino();
        state.undo.retain(|undo| matches!(undo, Undo::Data { .. }) && !undo.is_data_of(inode));
        Ok(())
    }

    fn sync_directory(&self, _path: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        state.undo.retain(|undo| matches!(undo, Undo::Data { .. }));
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        let replaced = if to.exists() { Some(state.back_up(to)?) } else { None };
        RealDisk.rename(from, to)?;
        state.undo.push(Undo::Renamed { from: from.to_owned(), to: to.to_owned(), replaced });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        let backup = if path.exists() { Some(state.back_up(path)?) } else { None };
        RealDisk.remove(path)?;
        state.undo.extend(backup.map(|backup| Undo::Removed { path: path.to_owned(), backup }));
        Ok(())
    }

    fn make_directory(&self, path: &Path, mode: u32) -> io::Result<()> {
        let _state = self.step()?;
        RealDisk.make_directory(path, mode)
    }
}

impl Drop for FaultyDisk {
    fn drop(&mut self) {
        for undo in &self.lock().undo {
            if let Undo::Removed { backup, .. } | Undo::Renamed { replaced: Some(backup), .. } = undo {
                let _ = std::fs::remove_file(backup);
            }
        }
    }
}
