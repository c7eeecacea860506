//! Signals as readable events: blocked, then read from a descriptor by the event loop.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

pub use nix::sys::signal::Signal as SignalKind;

/// Signals that this process takes as events.
#[derive(Debug)]
pub struct Signals {
    descriptor: SignalFd,
}

impl Signals {
    /// Blocks `kinds` for this thread and those it starts, and opens a descriptor that becomes readable when
    /// one arrives. Call before any thread starts.
    ///
    /// # Errors
    /// When the system refuses the mask or the descriptor.
    pub fn catch(kinds: &[SignalKind]) -> io::Result<Self> {
        let mut set = SigSet::empty();
        kinds.iter().for_each(|kind| set.add(*kind));
        set.thread_block()?;
        let descriptor = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { descriptor })
    }

    /// The next signal that has arrived, if any.
    ///
    /// # Errors
    /// As read(2) of the descriptor.
    pub fn take(&mut self) -> io::Result<Option<SignalKind>> {
        let Some(info) = self.descriptor.read_signal()? else { return Ok(None) };
        Ok(Signal::try_from(i32::try_from(info.ssi_signo).unwrap_or(0)).ok())
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> RawFd {
        std::os::fd::AsFd::as_fd(&self.descriptor).as_raw_fd()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// A write to a closed connection is an error to handle, not the end of the process.
pub fn ignore_broken_pipes() {
    // SAFETY: setting a signal to "ignore" installs no handler code.
    let _ = unsafe { nix::sys::signal::signal(Signal::SIGPIPE, nix::sys::signal::SigHandler::SigIgn) };
}

/// Sends `kind` to process `pid`.
///
/// # Errors
/// `ESRCH` when it is gone, `EPERM` when it is not ours.
pub fn send(pid: u32, kind: SignalKind) -> io::Result<()> {
    let pid = i32::try_from(pid).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), kind)?)
}
