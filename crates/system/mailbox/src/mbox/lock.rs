//! The locks that keep two programs from writing an mbox file at once.

use std::fs::File;
use std::io;
use std::thread;
use std::time::Duration;

use sys::locks::{self, Hold};

use crate::error::DeliverError;

/// How a mailbox file is locked (`virtual_mailbox_lock`, `mailbox_delivery_lock`), and how long that is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockSettings {
    /// fcntl(2) lock.
    pub fcntl: bool,
    /// flock(2) lock.
    pub flock: bool,
    /// A file with `.lock` behind the name.
    pub dotlock: bool,
    /// `deliver_lock_attempts`
    pub attempts: u32,
    /// `deliver_lock_delay`
    pub delay: Duration,
    /// `stale_lock_time`: the age at which another program's lock file counts for nothing.
    pub stale_after: Duration,
}

/// A word that is no lock method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown mailbox lock method \"{0}\": use fcntl, flock or dotlock")]
pub struct UnknownMethod(pub String);

impl LockSettings {
    /// Sets the methods from a list such as `fcntl, dotlock`; the rest stays.
    ///
    /// # Errors
    /// [`UnknownMethod`].
    pub fn with_methods(mut self, list: &str) -> Result<Self, UnknownMethod> {
        (self.fcntl, self.flock, self.dotlock) = (false, false, false);
        for word in list.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
            match word.to_ascii_lowercase().as_str() {
                "fcntl" => self.fcntl = true,
                "flock" => self.flock = true,
                "dotlock" => self.dotlock = true,
                _ => return Err(UnknownMethod(word.to_owned())),
            }
        }
        Ok(self)
    }

    /// Calls `attempt` until it succeeds, at most [`LockSettings::attempts`] times.
    pub(crate) fn retry(&self, mut attempt: impl FnMut() -> io::Result<bool>) -> io::Result<bool> {
        for round in 0..self.attempts.max(1) {
            if round > 0 {
                thread::sleep(self.delay);
            }
            if attempt()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gets the kernel's locks on the open mailbox; closing the file releases them.
    pub(super) fn lock_open_file(&self, file: &File) -> Result<(), DeliverError> {
        let both = || {
            let fcntl = !self.fcntl || locks::try_fcntl(file, Hold::Exclusive)?;
            Ok(fcntl && (!self.flock || locks::try_flock(file, Hold::Exclusive)?))
        };
        match self.retry(both) {
            Ok(true) => Ok(()),
            Ok(false) => Err(DeliverError::Locked),
            Err(source) => Err(DeliverError::io("unable to lock for exclusive access", source)),
        }
    }
}
