//! Lists of system calls, and the filter that refuses all others (seccomp(2)).

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Which calls stay allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// What a single-threaded process needs that moves data between files it has or opens, and one socket.
    Files,
    /// What an event-driven daemon needs: files, sockets, threads, timers. No new process, no new program, no
    /// other user id.
    Daemon,
}

/// Files, memory, time, and the one socket a worker was born with.
const FILES: &[i64] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_fstatfs,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_getdents64,
    libc::SYS_mkdirat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_unlinkat,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fchmod,
    libc::SYS_utimensat,
    libc::SYS_copy_file_range,
    libc::SYS_flock,
    libc::SYS_fcntl,
    libc::SYS_ppoll,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_shutdown,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_getgroups,
    libc::SYS_sched_yield,
    libc::SYS_tgkill,
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// What comes on top for a daemon.
const DAEMON: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_recvmmsg,
    libc::SYS_sendmmsg,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    libc::SYS_signalfd4,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_rm_watch,
    libc::SYS_pselect6,
    libc::SYS_pipe2,
    libc::SYS_memfd_create,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_ioctl,
    libc::SYS_readlinkat,
    libc::SYS_symlinkat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_statfs,
    libc::SYS_getcwd,
    libc::SYS_chdir,
    libc::SYS_fchdir,
    libc::SYS_fchmodat,
    libc::SYS_umask,
    libc::SYS_sendfile,
    libc::SYS_sync_file_range,
    libc::SYS_msync,
    libc::SYS_mincore,
    libc::SYS_membarrier,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_times,
    libc::SYS_getrusage,
    libc::SYS_prlimit64,
    libc::SYS_getrlimit,
    libc::SYS_getpriority,
    libc::SYS_setpriority,
    libc::SYS_sched_getaffinity,
    libc::SYS_getpgid,
    libc::SYS_getsid,
    libc::SYS_prctl,
    libc::SYS_set_tid_address,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigsuspend,
    libc::SYS_getitimer,
    libc::SYS_setitimer,
];

/// Older spellings that C libraries still use where the architecture has them.
#[cfg(target_arch = "x86_64")]
const OLD_FILES: &[i64] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_link,
    libc::SYS_mkdir,
    libc::SYS_poll,
    libc::SYS_time,
];
#[cfg(target_arch = "x86_64")]
const OLD_DAEMON: &[i64] = &[
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_chmod,
    libc::SYS_pipe,
    libc::SYS_dup2,
    libc::SYS_select,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_create,
    libc::SYS_eventfd,
    libc::SYS_getpgrp,
    libc::SYS_rmdir,
    libc::SYS_symlink,
    libc::SYS_getdents,
    libc::SYS_arch_prctl,
    libc::SYS_alarm,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_FILES: &[i64] = &[];
#[cfg(not(target_arch = "x86_64"))]
const OLD_DAEMON: &[i64] = &[];

/// Refuses every call but those of `calls` with `ENOSYS`, in this thread and those it starts.
///
/// kill(2) may only ask whether a process lives. A daemon may start threads but no process: clone(2) only with
/// `CLONE_THREAD`; clone3(2), whose flags a filter can not see, is refused, and the C library falls back to clone.
pub(crate) fn allow_only(calls: Calls) -> io::Result<()> {
    let filter = SeccompFilter::new(
        rules(calls)?,
        SeccompAction::Errno(libc::ENOSYS as u32),
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into().map_err(io::Error::other)?,
    );
    let program: BpfProgram = filter.and_then(TryInto::try_into).map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}

fn rules(calls: Calls) -> io::Result<BTreeMap<i64, Vec<SeccompRule>>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        FILES.iter().chain(OLD_FILES).map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_kill, vec![only_when(1, !0, 0)?]);
    if calls == Calls::Daemon {
        rules.extend(DAEMON.iter().chain(OLD_DAEMON).map(|call| (*call, Vec::new())));
        let thread = libc::CLONE_THREAD as u64;
        rules.insert(libc::SYS_clone, vec![only_when(0, thread, thread)?]);
    }
    Ok(rules)
}

/// A call is allowed when this argument, under `mask`, has this value.
fn only_when(argument: u8, mask: u64, value: u64) -> io::Result<SeccompRule> {
    let operator = SeccompCmpOp::MaskedEq(mask);
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .map_err(io::Error::other)?;
    SeccompRule::new(vec![condition]).map_err(io::Error::other)
}
