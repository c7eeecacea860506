//! Rules in a folder of their own, and what `spamassassin` says of a message with them: ours and the original.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::name_server::NameServer;
use crate::port::Port;
use crate::programs::Programs;

/// Where Debian has the original.
const ORIGINAL: &str = "/usr/bin/spamassassin";

/// Runs a program of Perl that wants taint mode (perlsec(1)) without it: there the environment could not name a server.
const WITHOUT_TAINT_MODE: &str = "$0 = shift; do $0; die $@ if $@";

/// What all rules are tried with: hosts of ours, and a report of nothing but hits.
const SETTINGS: &str = "\
util_rb_tld com net org example
use_bayes 0
trusted_networks 10.0.0.0/8
internal_networks 10.0.0.0/8
report_safe 0
clear_report_template
report _SUMMARY_
report_hostname here.example
";

/// A folder with rules and no others, for everybody to read.
pub struct RuleFolder {
    folder: TempDir,
    server: SocketAddr,
}

impl RuleFolder {
    /// With these plugins loaded; all questions go to `server`.
    pub fn new(plugins: &[&str], server: &NameServer, rules: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        fs::create_dir(&site).unwrap();
        let load = |name: &&str| format!("loadplugin Mail::SpamAssassin::Plugin::{name}\n");
        fs::write(site.join("plugins.pre"), plugins.iter().map(load).collect::<String>()).unwrap();
        let text = format!("{SETTINGS}{rules}\ndns_server {}\n", server.address);
        fs::write(folder.path().join("rules.cf"), text).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, server: server.address }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What our `spamassassin -t` reports.
    pub fn ours(&self, message: &str, options: &[&str]) -> Vec<String> {
        self.report(Command::new(Programs::ours().commands.join("spamassassin")), message, options)
    }

    /// What the original reports; `None` where it is not installed.
    pub fn original(&self, message: &str, options: &[&str]) -> Option<Vec<String>> {
        if !Path::new(ORIGINAL).exists() {
            return None;
        }
        let mut command = Command::new("perl");
        command.args(["-e", WITHOUT_TAINT_MODE, ORIGINAL]);
        // Mail::DMARC asks for itself.
        command.env("RES_NAMESERVERS", self.server.ip().to_string());
        command.env("RES_OPTIONS", format!("port:{}", self.server.port()));
        Some(self.report(command, message, options))
    }

    /// Runs our spamd with these rules while `talk` has its port.
    pub fn with_spamd<T>(&self, options: &[&str], talk: impl FnOnce(u16) -> T) -> T {
        let port = Port::reserve();
        let mut command = Command::new(Programs::ours().daemons.join("spamd"));
        command.arg("-C").arg(self.path()).arg("--siteconfigpath").arg(self.path().join("site"));
        command.args(["-x", "-i", "127.0.0.1", "-s", "stderr", "-p"]).arg(port.number().to_string());
        command.args(options);
        if sys::ids::is_root() {
            command.args(["-u", "nobody"]);
        }
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        while !told.contains("server pid:") {
            assert!(log.read_line(&mut told).unwrap() > 0, "spamd did not start:\n{told}");
        }
        std::thread::spawn(move || drop(log.read_to_end(&mut Vec::new())));
        let answer = talk(port.number());
        sys::signals::send(child.id(), sys::signals::SignalKind::SIGTERM).unwrap();
        child.wait().unwrap();
        answer
    }

    /// The lines behind the message, sorted: they stand in another order in each run of the original.
    fn report(&self, mut command: Command, message: &str, options: &[&str]) -> Vec<String> {
        command.arg("-C").arg(self.path()).arg("--siteconfigpath").arg(self.path().join("site"));
        command.args(["-x", "-t", "-p", "/dev/null"]).args(options);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).replace('\r', "");
        let last = message.trim_end().lines().next_back().unwrap();
        let (_, report) = text.split_once(&format!("\n{last}\n")).unwrap_or_else(|| panic!("{text}"));
        let mut lines: Vec<String> = report.lines().map(|line| line.trim().to_owned()).collect();
        lines.retain(|line| !line.is_empty());
        lines.sort();
        lines
    }
}

/// The rules of a report: the words that stand behind a score, in order.
pub fn rules_of(report: &[String]) -> Vec<&str> {
    let rule = |line: &'_ String| {
        let (score, rest) = line.split_once(' ')?;
        score.parse::<f64>().ok()?;
        let at = line.len() - rest.trim_start().len();
        let length = line[at..].find(' ').unwrap_or(line.len() - at);
        Some((at, length))
    };
    let mut names: Vec<&str> =
        report.iter().filter_map(|line| rule(line).map(|(at, length)| &line[at..at + length])).collect();
    names.sort_unstable();
    names
}

/// Says something to a spamd: a command with its fields, and a message. What stands in the reply behind its first line.
pub fn ask_spamd(port: u16, command: &str, message: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!("{command}\r\nContent-length: {}\r\n\r\n{message}", message.len());
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply.split_once("\r\n").unwrap().1.to_owned()
}
