//! A copy of this process that goes on by itself, and how the copy ends with its parent.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, Pid, getppid};

/// Starts a copy of this process that runs `child` and ends with the status it returns.
///
/// The process must have no thread but the calling one: locks that another thread held would stay locked in
/// the child for ever. A panic in `child` ends the child with status 101 and never reaches the caller's frames.
///
/// # Errors
/// What fork(2) says: `EAGAIN` when the process limit is reached; [`io::ErrorKind::Other`] when this
/// process has threads.
pub fn fork(child: impl FnOnce() -> i32) -> io::Result<u32> {
    if thread_count()? != 1 {
        return Err(io::Error::other("a process with several threads can not be forked"));
    }
    // SAFETY: this is the only thread (checked above), so the child inherits no lock that nobody will release
    // and may allocate and do all that its parent may.
    #[allow(unsafe_code)]
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(child.as_raw() as u32),
        ForkResult::Child => {
            let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(101);
            std::process::exit(status)
        }
    }
}

/// Has the kernel kill this process when the parent dies. Returns false when `parent` is gone already.
///
/// Setting user ids clears this: call it after [`crate::ids::become_for_good`].
///
/// # Errors
/// What prctl(2) says.
pub fn die_with_parent(parent: u32) -> io::Result<bool> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    Ok(getppid() == Pid::from_raw(parent as i32))
}

/// The id of this process's parent.
pub fn parent_id() -> u32 {
    getppid().as_raw() as u32
}

/// Closes every descriptor above 2 but these, so that a process just forked keeps nothing by accident.
///
/// Call it before anything in this process owns a descriptor that is not among them: an owner left over would
/// close a number that somebody else has by then.
///
/// # Errors
/// What close_range(2) says.
pub fn keep_only(descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut keep: Vec<u32> = descriptors.iter().map(|kept| kept.as_raw_fd() as u32).collect();
    keep.sort_unstable();
    let mut first = 3;
    for number in keep {
        close_from_to(first, number.checked_sub(1))?;
        first = first.max(number + 1);
    }
    close_from_to(first, Some(u32::MAX))
}

fn close_from_to(first: u32, last: Option<u32>) -> io::Result<()> {
    let Some(last) = last.filter(|last| *last >= first) else { return Ok(()) };
    // SAFETY: plain numbers; who may still own them is the caller's promise above.
    if unsafe { libc::close_range(first, last, 0) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Is there a process `pid`? One that we may not signal counts as well.
pub fn is_alive(pid: u32) -> bool {
    i32::try_from(pid).is_ok_and(|pid| {
        pid > 0 && !matches!(nix::sys::signal::kill(Pid::from_raw(pid), None), Err(nix::Error::ESRCH))
    })
}

fn thread_count() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_threads_is_not_forked() {
        let other = std::thread::spawn(std::thread::park);
        assert_eq!(fork(|| 0).map_err(|error| error.kind()), Err(io::ErrorKind::Other));
        other.thread().unpark();
        other.join().unwrap();
    }

    #[test]
    fn this_process_is_alive_and_process_zero_is_not_asked_about() {
        assert!(is_alive(std::process::id()));
        assert!(!is_alive(0));
        assert!(!is_alive(u32::MAX));
    }
}
