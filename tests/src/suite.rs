//! A suite that runs below a directory of its own.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sys::watch::Watch;
use tempfile::TempDir;

use crate::client::Client;
use crate::mail::{self, Message};
use crate::port::Port;
use crate::processes;
use crate::programs::{Maker, Programs};

/// How long a test waits for what must happen. A machine may be slow; only a test that fails anyway waits to the end.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How often a condition is looked at when no file changed.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A mail suite, started or not. Dropped, it is stopped, and its directory removed unless the test failed.
#[derive(Debug)]
pub struct Suite {
    programs: Programs,
    directory: Option<TempDir>,
    root: PathBuf,
    port: Port,
    /// Others that its services have.
    _ports: Vec<Arc<Port>>,
    watch: Watch,
}

impl Suite {
    /// A suite whose configuration lies in `directory`; see [`crate::Builder`].
    pub(crate) fn new(programs: Programs, directory: TempDir, port: Port, ports: Vec<Arc<Port>>) -> Self {
        let root = directory.path().to_owned();
        let watch =
            Watch::new(&[&root.join("log"), &root.join("mail"), &root.join("spool")]).expect("inotify");
        Self { programs, directory: Some(directory), root, port, _ports: ports, watch }
    }

    /// Whose programs run.
    pub fn maker(&self) -> Maker {
        self.programs.maker
    }

    /// The directory of everything.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `config_directory`
    pub fn config(&self) -> PathBuf {
        self.root.join("etc")
    }

    /// `queue_directory`
    pub fn queue(&self) -> PathBuf {
        self.root.join("queue")
    }

    /// Where a message lies in a folder of the queue, if it is there; hash folders are looked through.
    pub fn queue_file(&self, folder: &str, id: &str) -> Option<PathBuf> {
        let mut folders = vec![self.queue().join(folder)];
        while let Some(path) = folders.pop() {
            if path.join(id).is_file() {
                return Some(path.join(id));
            }
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            folders.extend(entries.filter(|entry| entry.file_name().len() == 1).map(|entry| entry.path()));
        }
        None
    }

    /// The port of smtpd on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Has other programs work on the same directories from the next start on, with the tables rebuilt for them.
    pub fn switch_to(&mut self, programs: Programs) {
        let path = self.config().join("main.cf");
        let text = fs::read_to_string(&path).unwrap();
        let (commands, daemons) = (programs.commands.display(), programs.daemons.display());
        let lines = text.lines().map(|line| match line.split_once(" = ").map(|(name, _)| name) {
            Some("command_directory") => format!("command_directory = {commands}\n"),
            Some("daemon_directory") => format!("daemon_directory = {daemons}\n"),
            _ => format!("{line}\n"),
        });
        fs::write(&path, lines.collect::<String>()).unwrap();
        self.programs = programs;
        for entry in fs::read_dir(self.config()).unwrap().flatten() {
            let source = entry.path();
            match source.file_name().and_then(|name| name.to_str()) {
                Some("aliases") => drop(self.run("postalias", &[&format!("hash:{}", source.display())])),
                Some(name) if !name.contains('.') => {
                    drop(self.run("postmap", &[&format!("hash:{}", source.display())]));
                }
                _ => {}
            }
        }
    }

    /// Brings the suite up and waits until it serves.
    pub fn start(&self) {
        let before = self.log().len();
        self.run("postfix", &["start"]);
        self.until("\"daemon started\" in the log", || {
            self.log()[before..].contains("daemon started").then_some(())
        });
        self.until("a banner", || TcpStream::connect(("127.0.0.1", self.port())).ok());
    }

    /// Stops the suite, and sees to it that no process and no socket is left.
    pub fn stop(&self) {
        self.command("postfix", &["stop"]).output().expect("postfix stop");
        self.until("the end of all processes", || processes::of(&self.root).is_empty().then_some(()));
        // The kernel closes what a process had open a little after its end.
        self.until("the end of all sockets", || {
            processes::sockets_below(&self.root).is_empty().then_some(())
        });
        self.until("the end of the port", || TcpStream::connect(("127.0.0.1", self.port())).err());
    }

    /// Stops all and gives the directory away, to be removed later.
    pub fn retire(mut self) -> Option<TempDir> {
        self.stop();
        self.directory.take()
    }

    /// The process ids of the suite, master among them.
    pub fn processes(&self) -> Vec<u32> {
        processes::of(&self.root)
    }

    /// Has fresh workers take the place of those that run this program: they remember nothing of what went before.
    pub fn renew(&self, program: &str) {
        let old: Vec<u32> =
            self.processes().into_iter().filter(|pid| processes::program(*pid) == program).collect();
        old.iter().copied().for_each(processes::kill);
        self.until(&format!("the end of {old:?}"), || {
            self.processes().iter().all(|pid| !old.contains(pid)).then_some(())
        });
    }

    /// The master's process id.
    pub fn master(&self) -> u32 {
        let text = fs::read_to_string(self.queue().join("pid/master.pid")).expect("master.pid");
        text.trim().parse().expect("a process id")
    }

    /// A command of the suite with its `-c` or `-C`, not yet run.
    pub fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.commands.join(name));
        let option = if matches!(name, "sendmail" | "mailq" | "newaliases") { "-C" } else { "-c" };
        command.arg(option).arg(self.config()).args(arguments);
        // A command must not wait for a terminal, nor inherit another suite's environment.
        command.stdin(Stdio::null()).env_remove("MAIL_CONFIG");
        command
    }

    /// Runs a command that must succeed; returns what it printed.
    pub fn run(&self, name: &str, arguments: &[&str]) -> String {
        let output = self.command(name, arguments).output().unwrap_or_else(|error| panic!("{name}: {error}"));
        self.succeeded(name, output)
    }

    /// As [`Suite::run`], with `input` on its standard input.
    pub fn run_with(&self, name: &str, arguments: &[&str], input: &str) -> String {
        let mut command = self.command(name, arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        child.stdin.take().expect("stdin").write_all(input.as_bytes()).expect("write to command");
        let output = child.wait_with_output().expect("end of command");
        self.succeeded(name, output)
    }

    fn succeeded(&self, name: &str, output: Output) -> String {
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {}: {errors}\n{}", output.status, self.log_end());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Writes a table's source and compiles it.
    pub fn write_table(&self, name: &str, text: &str) {
        let path = self.config().join(name);
        fs::write(&path, text).unwrap();
        self.run("postmap", &[&format!("hash:{}", path.display())]);
    }

    /// Appends to main.cf. [`Suite::reload`] makes it count.
    pub fn append_main(&self, text: &str) {
        let path = self.config().join("main.cf");
        let old = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{old}{text}\n")).unwrap();
    }

    /// Has the new configuration used, and waits until the master says so and the queue manager has made way: what the
    /// test asks of it next, its successor does.
    pub fn reload(&self) {
        let before = self.log().len();
        let old =
            self.until("a queue manager", || Some(self.pids_of("qmgr")).filter(|pids| !pids.is_empty()));
        self.run("postfix", &["reload"]);
        self.until("\"reload\" in the log", || self.log()[before..].contains(": reload -- ").then_some(()));
        self.until("the end of the old queue manager", || {
            self.pids_of("qmgr").iter().all(|pid| !old.contains(pid)).then_some(())
        });
    }

    /// The processes that run this program.
    fn pids_of(&self, program: &str) -> Vec<u32> {
        self.processes().into_iter().filter(|pid| processes::program(*pid) == program).collect()
    }

    /// An SMTP session with the greeting read.
    pub fn connect(&self) -> Client {
        Client::connect(self.port())
    }

    /// Sends a message in a session of its own; returns its queue id.
    pub fn send(&self, sender: &str, recipients: &[&str], content: &str) -> String {
        let mut client = self.connect();
        client.ehlo();
        let id = client.send(sender, recipients, content);
        client.quit();
        id
    }

    /// The messages in a mailbox below the mail directory: a Maildir if `name` ends in `/`, else a file.
    pub fn messages(&self, name: &str) -> Vec<Message> {
        mail::read(&self.root.join("mail").join(name))
    }

    /// Waits until the mailbox has `count` messages and returns them; more is an error.
    pub fn wait_messages(&self, name: &str, count: usize) -> Vec<Message> {
        let messages = self.until(&format!("{count} message(s) in {name}"), || {
            Some(self.messages(name)).filter(|messages| messages.len() >= count)
        });
        assert_eq!(messages.len(), count, "messages in {name}\n{}", self.log_end());
        messages
    }

    /// The log so far, in whole lines: the last one may be being written.
    pub fn log(&self) -> String {
        let mut bytes = fs::read(self.root.join("log/mail.log")).unwrap_or_default();
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The last lines of the log, for a failed test.
    pub fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }

    /// Waits for a log line that has all of `words`, and returns it.
    pub fn wait_log(&self, words: &[&str]) -> String {
        self.until(&format!("{words:?} in the log"), || {
            let log = self.log();
            log.lines().find(|line| words.iter().all(|word| line.contains(word))).map(str::to_owned)
        })
    }

    /// Waits until `find` finds something: looks whenever a file changes, and now and then without.
    pub fn until<T>(&self, what: &str, mut find: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = find() {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}; the log ends with\n{}", self.log_end());
            self.watch.changed(left.min(LOOK_AGAIN)).expect("inotify");
        }
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        if !processes::of(&self.root).is_empty() {
            let _ = self.command("postfix", &["stop"]).output();
            processes::kill_all(&self.root);
        }
        if std::thread::panicking()
            && let Some(directory) = self.directory.take()
        {
            eprintln!("the suite's directory is kept: {}", directory.keep().display());
        }
    }
}
