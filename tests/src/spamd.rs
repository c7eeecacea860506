//! A spamd by hand: ours, or SpamAssassin's where that is installed.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use sys::signals::SignalKind;
use tempfile::TempDir;

use crate::port::Port;
use crate::programs::Programs;
use crate::suite::PATIENCE;

/// Rules of our own: both spamds read them.
pub const RULES: &str = "\
body PILL /\\bcheap pills\\b/i
describe PILL Pills at a price
score PILL 6.5
header __FROM_PAL From =~ /pal/
meta PAL __FROM_PAL
describe PAL From a pal
score PAL -0.5
use_bayes 0
use_learner 0
rewrite_header Subject [SPAM]
report_contact postmaster@example.com
report_hostname spam.example.com
add_header all Status _YESNO_, score=_SCORE_ required=_REQD_ tests=_TESTS_
report Spam detection on _HOSTNAME_ found _SCORE_ of _REQD_ points.
report
report _SUMMARY_
";

/// A spamd by hand.
pub struct Spamd {
    /// The process.
    pub child: Child,
    /// Where it serves.
    pub port: Port,
    /// Where its rules are, and its log.
    pub folder: TempDir,
}

impl Spamd {
    /// Starts `program` with the rules above, without files of users and with these options, and waits until it serves.
    pub fn start(program: &Path, options: &[&str]) -> Self {
        Self::with_rules(program, RULES, &[&["-x"], options].concat())
    }

    /// Starts `program` with these rules and options, and waits until it serves.
    pub fn with_rules(program: &Path, rules: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rules.cf"), rules).unwrap();
        let site = folder.path().join("site");
        fs::create_dir(&site).unwrap();
        fs::write(site.join("plugins.pre"), "loadplugin Mail::SpamAssassin::Plugin::Check\n").unwrap();
        let port = Port::reserve();
        let mut command = Command::new(program);
        command.arg("-C").arg(folder.path()).arg("--siteconfigpath").arg(&site);
        command.args(["-L", "-i", "127.0.0.1", "-s", "stderr", "-m", "2", "-p"]);
        command.arg(port.number().to_string()).args(options);
        // Who is root must not judge mail.
        if sys::ids::is_root() {
            open_up(folder.path());
            command.args(["-u", "nobody"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        while !told.contains("server pid:") {
            let read = log.read_line(&mut told).unwrap();
            assert!(read > 0, "{} did not start:\n{told}", program.display());
        }
        // What else it says goes into a file: the pipe must not fill up.
        let mut file = fs::File::create(folder.path().join("log")).unwrap();
        std::thread::spawn(move || std::io::copy(&mut log, &mut file));
        Self { child, port, folder }
    }

    /// Ours.
    pub fn ours(options: &[&str]) -> Self {
        Self::start(&Programs::ours().daemons.join("spamd"), options)
    }

    /// What it replies to these bytes.
    pub fn reply(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port.number())).unwrap();
        stream.write_all(request).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).unwrap();
        reply
    }

    /// Ends it. How often does its log say it?
    pub fn end_and_count(mut self, words: &str) -> usize {
        sys::signals::send(self.child.id(), SignalKind::SIGTERM).unwrap();
        self.child.wait().unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
            if log.contains("shutting down") || Instant::now() > deadline {
                return log.matches(words).count();
            }
            std::thread::yield_now();
        }
    }

    /// What `program`, a spamc, makes of a message.
    pub fn spamc(&self, program: &Path, options: &[&str], message: &str) -> Output {
        let port = self.port.number().to_string();
        let mut command = Command::new(program);
        command.args(["-d", "127.0.0.1", "-u", "nobody", "-p", port.as_str()]).args(options);
        run_with(&mut command, message)
    }
}

impl Drop for Spamd {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = sys::signals::send(self.child.id(), SignalKind::SIGTERM);
        }
        let _ = self.child.wait();
    }
}

/// Everybody may read what is in a folder.
pub fn open_up(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a command with this on its standard input.
pub fn run_with(command: &mut Command, input: &str) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that does not read its input has its reasons.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// A program of SpamAssassin's, where it is installed.
pub fn installed(name: &str) -> Option<PathBuf> {
    ["/usr/bin", "/usr/sbin"].iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists())
}
