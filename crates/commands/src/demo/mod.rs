//! `pillarbox demo`: a whole suite in one folder, for anyone to try.

mod layout;
mod smtp_client;
mod pop3_client;
mod round_trip;
mod spam;

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;

use sys::signals::{SignalKind, Signals};

use crate::demo::layout::Layout;

/// How long one wait for Ctrl-C lasts before it begins anew.
const WAIT_MILLISECONDS: u16 = 60_000;

/// What the command line asks for.
#[derive(Debug)]
pub struct Demo {
    /// Where everything lies.
    pub directory: PathBuf,
    /// The SMTP port on 127.0.0.1.
    pub port: u16,
    /// The POP3 port on 127.0.0.1.
    pub pop3_port: u16,
    /// Stop after the round trip.
    pub check: bool,
}

/// Brings the suite up, sends mail through it, and stops it.
///
/// # Errors
/// The step that failed, and what to look at.
pub fn run(demo: &Demo) -> Result<(), String> {
    // Before anything starts: Ctrl-C is then ours to see, not the end of this process.
    let mut signals =
        Signals::catch(&[SignalKind::SIGINT, SignalKind::SIGTERM]).map_err(|error| error.to_string())?;
    let layout = Layout::write(&demo.directory, demo.port, demo.pop3_port)?;
    done(&format!("wrote a configuration: {}", layout.config_directory().join("main.cf").display()));
    make_tables(&layout)?;
    done("made the indexes of its tables: postmap, postalias");
    control(&layout, "start")?;
    done(&format!(
        "started the suite: SMTP on 127.0.0.1:{}, POP3 on 127.0.0.1:{}",
        demo.port, demo.pop3_port
    ));
    let delivered = round_trip::send_and_find(&layout, demo.port, demo.pop3_port)
        .and_then(|()| spam::send_and_find(&layout, demo.port));
    if delivered.is_ok() && !demo.check {
        tell_where_to_look(&layout, demo.port, demo.pop3_port);
        wait_for_end(&mut signals);
    }
    let stopped = control(&layout, "stop").and_then(|()| nothing_left(&layout));
    if stopped.is_ok() {
        done("stopped the suite: no process and no socket is left");
    }
    delivered.map_err(|problem| format!("{problem}; the log is {}", layout.log_file().display())).and(stopped)
}

/// Says that a step is done.
pub(crate) fn done(text: &str) {
    println!("ok  {text}");
}

fn make_tables(layout: &Layout) -> Result<(), String> {
    let table = |name: &str| format!("hash:{}", layout.config_directory().join(name).display());
    command(layout, "postmap", &[&table("vmailbox"), &table("vpassword"), &table("virtual")])?;
    command(layout, "postalias", &[&table("aliases")])
}

/// `postfix start` or `postfix stop`.
fn control(layout: &Layout, what: &str) -> Result<(), String> {
    command(layout, "postfix", &[what])
}

/// Runs a command of this build on the demo's configuration.
fn command(layout: &Layout, name: &str, arguments: &[&str]) -> Result<(), String> {
    let program = layout.programs().join(name);
    let output = Command::new(&program)
        .arg("-c")
        .arg(layout.config_directory())
        .args(arguments)
        .output()
        .map_err(|error| format!("{}: {error}: build the whole workspace first", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{name} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

fn nothing_left(layout: &Layout) -> Result<(), String> {
    for folder in ["private", "public"] {
        let folder = layout.queue_directory().join(folder);
        let left = std::fs::read_dir(&folder).map(|entries| entries.flatten().next());
        if let Ok(Some(entry)) = left {
            return Err(format!("a socket is left behind: {}", entry.path().display()));
        }
    }
    Ok(())
}

fn tell_where_to_look(layout: &Layout, port: u16, pop3_port: u16) {
    let show = |what: &str, path: &Path| println!("    {what:<14} {}", path.display());
    println!("\nWhere to look:");
    show("configuration", &layout.config_directory());
    show("queue", &layout.queue_directory());
    show("Maildir", &layout.maildir());
    show("mbox", &layout.mbox());
    show("log", &layout.log_file());
    let programs = layout.programs();
    let config = layout.config_directory();
    println!("\nWhat to try:");
    println!("    swaks --server 127.0.0.1:{port} --to maria@demo.example --from you@example.org");
    println!("    curl --user maria:demo pop3://127.0.0.1:{pop3_port}/1");
    println!("    {}/spamc -R -U {} < message", programs.display(), layout.spam_socket().display());
    println!("    {}/postqueue -c {} -p", programs.display(), config.display());
    println!("    {}/pillarbox status -c {}", programs.display(), config.display());
    println!("    {}/pillarbox explain -c {} maria@demo.example", programs.display(), config.display());
    println!("\nCtrl-C stops the suite.");
}

fn wait_for_end(signals: &mut Signals) {
    loop {
        if let Ok(Some(_)) = signals.take() {
            return println!();
        }
        sys::sockets::wait_readable(signals.as_fd(), WAIT_MILLISECONDS);
    }
}
