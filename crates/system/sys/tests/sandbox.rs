//! What a confined thread can not do any more. Its rules bind what it starts, so this is a program of its own.
#![allow(clippy::unwrap_used)]

use std::net::TcpListener;
use std::process::Command;
use std::{fs, io};

use sys::sandbox::{Access, Applied, Calls, Reach, Sandbox};

/// Landlock and seccomp bind one thread, so a test can give up rights in a thread of its own.
fn confined<T: Send>(
    sandbox: &(dyn Fn() -> io::Result<Applied> + Sync),
    act: impl FnOnce(Applied) -> T + Send,
) -> T {
    std::thread::scope(|scope| scope.spawn(|| act(sandbox().unwrap())).join().unwrap())
}

#[test]
fn files_out_of_reach_are_refused_and_those_within_can_be_moved() {
    let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(inside.path().join("new")).unwrap();
    fs::write(outside.path().join("secret"), "x").unwrap();
    let paths = vec![(inside.path().to_owned(), Access::Write), ("/nonexistent".into(), Access::Read)];
    let reach = Reach { paths, ..Reach::default() };
    let sandbox = Sandbox { landlock: Some(reach), ..Sandbox::default() };
    confined(&|| sandbox.apply(), |applied| {
        if !applied.landlock {
            return testkit::left_out("this kernel has no Landlock");
        }
        let kind = |outcome: io::Result<()>| outcome.map_err(|error| error.kind());
        assert_eq!(
            kind(fs::read(outside.path().join("secret")).map(drop)),
            Err(io::ErrorKind::PermissionDenied)
        );
        assert_eq!(kind(fs::write(outside.path().join("more"), "x")), Err(io::ErrorKind::PermissionDenied));
        assert_eq!(kind(TcpListener::bind("127.0.0.1:0").map(drop)), Err(io::ErrorKind::PermissionDenied));
        fs::write(inside.path().join("a"), "x").unwrap();
        fs::rename(inside.path().join("a"), inside.path().join("new/b")).unwrap();
    });
}

#[test]
fn a_daemon_starts_threads_and_sockets_but_no_process() {
    let sandbox = Sandbox { seccomp: Some(Calls::Daemon), ..Sandbox::default() };
    confined(&|| sandbox.apply(), |applied| {
        assert!(applied.seccomp);
        assert_eq!(std::thread::spawn(|| 7).join().unwrap(), 7);
        TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(Command::new("/bin/true").status().is_err());
    });
}

#[test]
fn a_worker_on_files_opens_no_socket() {
    let sandbox = Sandbox { no_new_privileges: true, seccomp: Some(Calls::Files), ..Sandbox::default() };
    confined(&|| sandbox.apply(), |_| {
        let refused = TcpListener::bind("127.0.0.1:0").map(drop).map_err(|error| error.raw_os_error());
        assert_eq!(refused, Err(Some(libc::ENOSYS)));
        assert!(sys::fork::is_alive(std::process::id()));
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"x").unwrap();
        file.sync_all().unwrap();
    });
}
