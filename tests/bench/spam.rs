//! spamd beside SpamAssassin's: the same messages, the installed rules, local tests only, two workers.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sys::signals::SignalKind;
use tempfile::TempDir;
use tests::port::Port;
use tests::processes;
use tests::programs::Programs;

use crate::{cost, letters};

/// How long a server may take to answer for the first time, or one client to be answered.
const PATIENCE: Duration = Duration::from_secs(120);
/// Messages of each kind that Bayes is taught; it wants 200.
const LESSONS: usize = 210;
/// Clients at a time when the server is to be busy.
const CLIENTS: usize = 4;
/// Messages that are judged before anything is measured: what is made ready at first need is ready then.
const WARM_UP: usize = 300;
/// How long a server is kept busy.
const BUSY: Duration = Duration::from_secs(12);
/// Messages of which the latency is taken.
const PACED: usize = 600;

/// Where the messages are, if not made here.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// `--messages`: these instead of our own.
pub(crate) fn take_messages_from(folder: &str) {
    FOLDER.set(folder.into()).expect("one folder of messages");
}

fn messages() -> Vec<Vec<u8>> {
    let Some(folder) = FOLDER.get() else { return letters::mixed() };
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no messages in {}", folder.display());
    files.into_iter().map(|file| fs::read(file).expect("a message")).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder of messages").flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// A spamd that runs.
struct Spamd {
    child: Child,
    port: Port,
    _home: TempDir,
    /// From its start to its first answer.
    start: Duration,
}

impl Spamd {
    fn start(programs: &Programs, bayes: bool) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(home.path(), everybody).expect("chmod");
        let port = Port::reserve();
        let log = home.path().join("log");
        let mut command = Command::new(programs.commands.join("spamd"));
        command.args(["-L", "-x", "-l", "-i", "127.0.0.1", "-u", "nobody", "-m", "2", "--min-children=2"]);
        command.arg("-p").arg(port.number().to_string()).arg("-s").arg(&log);
        let settings = [
            format!("use_bayes {}", u8::from(bayes)),
            format!("bayes_path {}", home.path().join("bayes").display()),
            "bayes_auto_learn 0".to_owned(),
        ];
        settings.iter().for_each(|line| {
            command.arg(format!("--cf={line}"));
        });
        let output = File::create(home.path().join("output")).expect("a file");
        command.env("HOME", home.path()).current_dir("/").stdin(Stdio::null());
        command.stdout(output.try_clone().expect("a descriptor")).stderr(output);
        let begin = Instant::now();
        let child = command.spawn().expect("spamd");
        let deadline = begin + PATIENCE;
        while !answers(port.number()) {
            assert!(Instant::now() < deadline, "{:?} does not answer", programs.commands.join("spamd"));
            thread::yield_now();
        }
        Self { child, port, _home: home, start: begin.elapsed() }
    }

    fn ask(&self, command: &str, message: &[u8]) {
        let answer = ask(self.port.number(), command, message).expect("an answer");
        assert!(answer.starts_with(b"SPAMD/1.1 0"), "{}", String::from_utf8_lossy(&answer));
    }

    fn teach(&self) {
        for (class, letters) in [("spam", letters::spam(LESSONS)), ("ham", letters::ham(LESSONS))] {
            for letter in letters {
                self.ask(&format!("TELL SPAMC/1.5\r\nMessage-class: {class}\r\nSet: local\r\n"), &letter);
            }
        }
    }

    fn judge(&self, message: &[u8]) {
        self.ask("SYMBOLS SPAMC/1.5\r\n", message);
    }

    fn processes(&self) -> Vec<u32> {
        let pid = self.child.id();
        std::iter::once(pid).chain(processes::children(pid)).collect()
    }

    fn processor_seconds(&self) -> f64 {
        self.processes().into_iter().map(cost::seconds_of).sum()
    }

    /// Busy clients; how many messages were judged, in which time.
    fn load(&self, messages: &[Vec<u8>]) -> (usize, Duration) {
        let next = AtomicUsize::new(0);
        let begin = Instant::now();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    while begin.elapsed() < BUSY {
                        self.judge(&messages[next.fetch_add(1, Ordering::Relaxed) % messages.len()]);
                    }
                });
            }
        });
        (next.into_inner(), begin.elapsed())
    }

    fn warm_up(&self, messages: &[Vec<u8>]) {
        messages.iter().cycle().take(WARM_UP).for_each(|message| self.judge(message));
    }
}

impl Drop for Spamd {
    fn drop(&mut self) {
        // It may have ended by itself, which the next figure will show.
        let _ = sys::signals::send(self.child.id(), SignalKind::SIGTERM);
        let _ = self.child.wait();
    }
}

fn answers(port: u16) -> bool {
    ask_raw(port, b"PING SPAMC/1.5\r\n\r\n").is_some_and(|answer| answer.ends_with(b"PONG\r\n"))
}

fn ask(port: u16, command: &str, message: &[u8]) -> Option<Vec<u8>> {
    let head = format!("{command}Content-length: {}\r\n\r\n", message.len());
    ask_raw(port, &[head.as_bytes(), message].concat())
}

fn ask_raw(port: u16, request: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request).ok()?;
    stream.shutdown(Shutdown::Write).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(answer)
}

/// Messages a second that two workers judge.
pub(crate) fn rate(programs: Programs) -> f64 {
    let (server, messages) = (Spamd::start(&programs, false), messages());
    server.warm_up(&messages);
    let (count, took) = server.load(&messages);
    count as f64 / took.as_secs_f64()
}

/// Milliseconds of processor time a message takes.
pub(crate) fn processor_time(programs: Programs, bayes: bool) -> f64 {
    let (server, messages) = (Spamd::start(&programs, bayes), messages());
    if bayes {
        server.teach();
    }
    server.warm_up(&messages);
    let before = server.processor_seconds();
    let (count, _) = server.load(&messages);
    (server.processor_seconds() - before) * 1000.0 / count as f64
}

/// Milliseconds from the start of the program to its first answer.
pub(crate) fn start(programs: Programs) -> f64 {
    Spamd::start(&programs, false).start.as_secs_f64() * 1000.0
}

/// Megabytes of all its processes after a while of work.
pub(crate) fn memory(programs: Programs) -> f64 {
    let (server, messages) = (Spamd::start(&programs, false), messages());
    server.load(&messages);
    server.processes().into_iter().map(cost::proportional_bytes).sum::<f64>() / 1e6
}

/// The 99th percentile in milliseconds, when messages come half as fast as they could be judged.
pub(crate) fn latency(programs: Programs) -> f64 {
    let (server, messages) = (Spamd::start(&programs, false), messages());
    server.warm_up(&messages);
    let (count, took) = server.load(&messages);
    let pace = took.div_f64(count as f64) * 2;
    let next = AtomicUsize::new(0);
    let begin = Instant::now();
    let client = || {
        let mut times = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= PACED {
                return times;
            }
            // It counts from when it should have come, so that a server that is late is late for all that follow.
            let due = begin + pace * u32::try_from(number).expect("few messages");
            while Instant::now() < due {
                thread::park_timeout(due.saturating_duration_since(Instant::now()));
            }
            server.judge(&messages[number % messages.len()]);
            times.push(due.elapsed());
        }
    };
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let clients: Vec<_> = (0..4 * CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    });
    times.sort_unstable();
    times[times.len() * 99 / 100].as_secs_f64() * 1000.0
}
