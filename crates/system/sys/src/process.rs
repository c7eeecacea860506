//! Starting and burying processes.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Descriptors handed to a child lie above this number while they are moved to their places.
const PARKING_DESCRIPTOR: RawFd = 200;
/// What [`execute`] leaves open has this number.
const KEPT_DESCRIPTOR: RawFd = 3;

/// What a child process starts with.
#[derive(Debug)]
pub struct Start<'a> {
    /// The program file.
    pub program: &'a Path,
    /// `argv[0]` and what follows.
    pub arguments: &'a [OsString],
    /// The whole environment.
    pub environment: &'a [(&'a str, &'a OsStr)],
    /// Its working directory.
    pub directory: &'a Path,
    /// Descriptors it inherits, each with the number it has there; 0, 1 and 2 are /dev/null unless named.
    pub descriptors: &'a [(RawFd, BorrowedFd<'a>)],
}

/// Starts a child that dies with this process, and returns its process id.
///
/// # Errors
/// When the program can not be executed; the error names no path, the caller knows it.
pub fn start(what: &Start<'_>) -> io::Result<u32> {
    let parked = what
        .descriptors
        .iter()
        .map(|(number, descriptor)| Ok((*number, park(*descriptor)?)))
        .collect::<io::Result<Vec<(RawFd, OwnedFd)>>>()?;
    let mut command = Command::new(what.program);
    if let Some((name, rest)) = what.arguments.split_first() {
        command.arg0(name).args(rest);
    }
    command.env_clear().envs(what.environment.iter().copied()).current_dir(what.directory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let parent = std::process::id();
    let places: Vec<(RawFd, RawFd)> = parked.iter().map(|(to, from)| (*to, from.as_raw_fd())).collect();
    // SAFETY: between fork and exec only async-signal-safe calls are made: dup2, prctl, getppid, sigprocmask, signal.
    unsafe {
        command.pre_exec(move || {
            for (to, from) in &places {
                if libc::dup2(*from, *to) < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            start_clean(parent)
        });
    }
    command.spawn().map(|child| child.id())
}

/// Becomes another program, given as an open file, with nothing open but standard input and output and `kept`, which
/// has the number 3 there. Only returns when that fails.
pub fn execute(program: BorrowedFd<'_>, arguments: &[&str], kept: BorrowedFd<'_>) -> io::Error {
    let words: Result<Vec<CString>, _> = arguments.iter().map(|word| CString::new(*word)).collect();
    let Ok(words) = words else { return io::ErrorKind::InvalidInput.into() };
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let pair = [name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat();
        CString::new(pair).ok()
    });
    let environment: Vec<CString> = variables.collect();
    // The program may have the number that `kept` gets.
    let program = match park(program) {
        Ok(program) => program,
        Err(error) => return error,
    };
    // SAFETY: dup3 puts a copy of an open descriptor at a number; close_range marks the rest to close with exec, the
    // program's file among them, which execveat has opened by then.
    let placed = unsafe {
        let same = kept.as_raw_fd() == KEPT_DESCRIPTOR;
        let copied = same || libc::dup2(kept.as_raw_fd(), KEPT_DESCRIPTOR) == KEPT_DESCRIPTOR;
        copied
            && libc::fcntl(KEPT_DESCRIPTOR, libc::F_SETFD, 0) == 0
            && libc::close_range(4, u32::MAX, libc::CLOSE_RANGE_CLOEXEC as i32) == 0
    };
    if !placed {
        return io::Error::last_os_error();
    }
    match nix::unistd::fexecve(program.as_fd(), &words, &environment) {
        Ok(never) => match never {},
        Err(error) => error.into(),
    }
}

/// In the child: no blocked signals, and death when the parent dies.
fn start_clean(parent: u32) -> io::Result<()> {
    let none = nix::sys::signal::SigSet::empty();
    none.thread_set_mask()?;
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    if u32::try_from(nix::unistd::getppid().as_raw()) == Ok(parent) {
        Ok(())
    } else {
        Err(io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// A copy of a descriptor with a high number, closed on exec.
fn park(descriptor: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let number = nix::fcntl::fcntl(descriptor, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(PARKING_DESCRIPTOR))?;
    // SAFETY: fcntl just made this descriptor and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Takes over a descriptor that the parent process promised at `number`, and lets no child inherit it.
/// None when nothing is open there. Each number may be taken once.
pub fn inherited(number: RawFd) -> Option<OwnedFd> {
    if number < 0 {
        return None;
    }
    // SAFETY: the number is only asked about; fcntl fails when nothing is open there.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    if flags < 0 {
        return None;
    }
    // SAFETY: the descriptor is open; setting close-on-exec does not invalidate it. By the contract of this
    // function nobody else in this process owns the number.
    unsafe {
        libc::fcntl(number, libc::F_SETFD, flags | libc::FD_CLOEXEC);
        Some(OwnedFd::from_raw_fd(number))
    }
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// The next child that has ended, if any; never waits.
pub fn reap() -> Option<(u32, End)> {
    loop {
        let (pid, end) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) => (pid, End::Exited(status)),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, End::Killed(signal as i32)),
            Ok(WaitStatus::StillAlive) | Err(_) => return None,
            Ok(_) => continue,
        };
        return u32::try_from(Pid::as_raw(pid)).ok().map(|pid| (pid, end));
    }
}

/// Raises the limit of open descriptors as far as the system allows, and returns it.
pub fn raise_descriptor_limit() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 1024 };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft }
}

/// The name by which ps(1) and `/proc` know this process, up to 15 bytes of it.
pub fn set_name(name: &str) {
    if let Ok(name) = CString::new(name) {
        // It is for those who look; nothing hangs on it.
        let _ = nix::sys::prctl::set_name(&name);
    }
}

/// How many processors this process may use.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What the kernel names this start of the machine; none where /proc can not be read.
pub fn boot_id() -> Option<[u8; 16]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

/// The host's name, as gethostname(2) gives it.
pub fn host_name() -> String {
    nix::unistd::gethostname()
        .map_or_else(|_| "localhost".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Puts `descriptor` in the place of `number`, atomically for all threads.
///
/// # Errors
/// As dup2(2).
pub fn replace(number: RawFd, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: both are plain descriptor numbers; whoever owns `number` goes on with the new file behind it.
    if unsafe { libc::dup3(descriptor.as_raw_fd(), number, libc::O_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Leaves the terminal and its process group, as a daemon does; the caller goes on in the child.
///
/// # Errors
/// As fork(2) and setsid(2).
pub fn become_session_leader() -> io::Result<()> {
    nix::unistd::setsid()?;
    Ok(())
}

/// Puts /dev/null in the place of standard input, output and error.
pub fn silence_terminal() {
    silence(&[0, 1, 2]);
}

/// As [`silence_terminal`], with standard output left as it is.
pub fn silence_terminal_but_output() {
    silence(&[0, 2]);
}

fn silence(numbers: &[RawFd]) {
    if let Ok(null) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null") {
        for number in numbers {
            // SAFETY: both are plain descriptor numbers; whoever writes to a standard stream goes on with /dev/null.
            unsafe { libc::dup2(null.as_raw_fd(), *number) };
        }
    }
}
