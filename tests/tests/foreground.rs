//! master in the foreground, as process 1 of a container, and for a limited time.
#![allow(clippy::unwrap_used)]

use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use sys::signals::{SignalKind, send};
use tests::programs::Maker;
use tests::{Builder, Suite, processes};

fn serving(suite: &Suite) {
    suite.until("\"daemon started\" in the log", || suite.log().contains("daemon started").then_some(()));
    suite.until("a banner", || TcpStream::connect(("127.0.0.1", suite.port())).ok());
}

fn nothing_left(suite: &Suite) {
    suite.until("the end of all processes", || processes::of(suite.root()).is_empty().then_some(()));
}

/// The children of a process that have ended and were not buried.
fn unburied(pid: u32) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let dead_child = |other: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{other}/stat")).unwrap_or_default();
        let Some((_, rest)) = stat.rsplit_once(") ") else { return false };
        let mut fields = rest.split(' ');
        fields.next() == Some("Z") && fields.next() == Some(pid.to_string().as_str())
    };
    pids.filter(dead_child).count()
}

#[test]
fn process_one_of_a_container_serves_buries_orphans_and_ends_on_sigterm() {
    if !sys::ids::is_root() {
        return testkit::left_out("a process namespace of its own wants the superuser");
    }
    let suite = Builder::new().example_com().write();
    let inner = suite.command("postfix", &["start-fg"]);
    let mut command = Command::new("unshare");
    command.args(["-pf", "--mount-proc"]).arg(inner.get_program()).args(inner.get_args());
    let mut child = command.stdin(Stdio::null()).env_remove("MAIL_CONFIG").spawn().unwrap();
    serving(&suite);
    let master = suite.until("master as process 1", || {
        let parent = processes::children(child.id());
        parent.into_iter().find(|pid| processes::program(*pid) == "master")
    });
    suite.send("a@b.example", &["user@example.com"], "Subject: x\n\nx\n");
    suite.wait_messages("user/", 1);
    let orphan = Command::new("nsenter")
        .args(["-t", &master.to_string(), "-p", "-m", "sh", "-c", "true & true & exec true"])
        .status()
        .unwrap();
    assert!(orphan.success());
    suite.until("all orphans to be buried", || (unburied(master) == 0).then_some(()));
    send(master, SignalKind::SIGTERM).unwrap();
    child.wait().unwrap();
    nothing_left(&suite);
}

#[test]
fn init_mode_is_for_process_one_and_some_options_contradict_each_other() {
    let suite = Builder::new().example_com().write();
    let said = |arguments: &[&str]| {
        let program = suite.run("postconf", &["-h", "daemon_directory"]);
        let output = Command::new(Path::new(program.trim()).join("master"))
            .arg("-c")
            .arg(suite.config())
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned() + &suite.log()
    };
    for (arguments, complaint) in [
        (&["-i"][..], "-i is allowed only for PID 1 process"),
        (&["-i", "-d"], "the -i option cannot be used with -D, -d, or -w"),
        (&["-t", "-w"], "the -t and -w options cannot be used together"),
    ] {
        let said = said(arguments);
        // The original tells only its log, which is not open yet.
        let is_peer = suite.maker() == Maker::Peer;
        assert!(is_peer || said.contains(complaint), "{arguments:?}: {said}");
    }
}

#[test]
fn an_exit_time_ends_the_suite() {
    let suite = Builder::new().example_com().write();
    suite.run("postfix", &["check"]);
    let program = suite.run("postconf", &["-h", "daemon_directory"]);
    let master = |arguments: &[&str]| {
        let mut command = Command::new(Path::new(program.trim()).join("master"));
        command.arg("-c").arg(suite.config()).args(arguments).stdin(Stdio::null());
        command
    };
    assert!(master(&["-t"]).status().unwrap().success(), "nobody runs yet");
    let mut child = master(&["-e", "2", "-d"]).spawn().unwrap();
    serving(&suite);
    assert!(child.wait().unwrap().success());
    suite.wait_log(&["master exit time has arrived"]);
    nothing_left(&suite);
    assert!(master(&["-t"]).status().unwrap().success(), "nobody runs any more");
}

#[test]
fn the_test_option_fails_while_a_master_runs() {
    let suite = Builder::new().example_com().start();
    let program = suite.run("postconf", &["-h", "daemon_directory"]);
    let mut command = Command::new(Path::new(program.trim()).join("master"));
    let status = command.arg("-c").arg(suite.config()).arg("-t").stderr(Stdio::null()).status().unwrap();
    assert!(!status.success());
    suite.stop();
}
