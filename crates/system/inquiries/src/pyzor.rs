//! Pyzor's servers, asked over UDP: all at once, with the files of a Pyzor home folder.

use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, io};

use checksums::pyzor::{
    Account, Accounts, Counts, Digest, Operation, Options, Reply, Request, ServerName, known_digests, servers,
};
use spam::rules::Pyzor as Settings;

use crate::addresses::addresses;
use crate::deadline::readable;

/// Bytes of a reply.
const REPLY_LIMIT_BYTES: usize = 8192;
/// Bytes of a file of the home folder.
const FILE_LIMIT_BYTES: u64 = 1024 * 1024;

/// Who is asked, as whom, and for how long.
pub(crate) struct Client {
    servers: Vec<(ServerName, Account)>,
    /// Digests that are never asked about.
    known: Vec<String>,
    server_time: Duration,
}

/// Questions that are sent.
pub(crate) struct Asked {
    waiting: Vec<Waiting>,
    /// When the one that answers last is not waited for any more.
    server_deadline: Instant,
    /// When nothing that was said counts any more.
    deadline: Instant,
    operation: Operation,
    /// Servers that were to be asked.
    count: usize,
}

struct Waiting {
    server: String,
    socket: UdpSocket,
    thread: u16,
}

impl Client {
    /// Reads the files; `None` where the administrator does not say that Pyzor is wanted. That the original's client is on this
    /// machine does not say so: nobody outside hears of mail unless somebody wished it.
    pub(crate) fn open(settings: &Settings) -> Option<Self> {
        let home = env::var_os("HOME").map(PathBuf::from).filter(|home| !home.as_os_str().is_empty());
        Self::open_for(settings, home.as_deref())
    }

    fn open_for(settings: &Settings, user_home: Option<&Path>) -> Option<Self> {
        let options = Options::parse(&settings.options);
        let usual = || user_home.map_or_else(|| PathBuf::from("/etc/pyzor"), |home| home.join(".pyzor"));
        let home = options.home.clone().unwrap_or_else(usual);
        let files =
            options.files(&home, &text(&home.join("config")), user_home.unwrap_or_else(|| Path::new("/")));
        if !settings.is_wished() && !files.servers.is_file() {
            return None;
        }
        let accounts = Accounts::parse(&text(&files.accounts));
        let names = servers(&text(settings.server_file.as_deref().unwrap_or(&files.servers)));
        Some(Self {
            servers: names.into_iter().map(|server| (server.clone(), accounts.at(&server))).collect(),
            known: known_digests(&text(&files.whitelist)),
            server_time: Duration::from_secs(files.timeout_seconds),
        })
    }

    /// The servers, as the log shows them.
    pub(crate) fn shown(&self) -> String {
        let names = self.servers.iter().map(|(server, _)| format!("{}:{}", server.host, server.port));
        names.collect::<Vec<_>>().join(" ")
    }

    /// Asks all servers; `now` is in seconds since 1970.
    pub(crate) fn ask(
        &self,
        resolver: &dns::Resolver,
        (operation, digest): (Operation, &Digest),
        time: Duration,
        now: i64,
    ) -> Asked {
        let begun = Instant::now();
        let (server_deadline, deadline) = (begun + self.server_time, begun + time);
        let mut waiting = Vec::new();
        let is_known =
            operation == Operation::Check && self.known.iter().any(|known| known == digest.as_str());
        for (server, account) in self.servers.iter().filter(|_| !is_known) {
            let request =
                Request { operation, digest, thread: Request::thread(any_number()), account, time: now };
            let name = format!("{}:{}", server.host, server.port);
            let sent = addresses(resolver, &server.host, server_deadline.min(deadline))
                .into_iter()
                .find_map(|address| send(SocketAddr::new(address, server.port), &request).ok());
            match sent {
                Some(socket) => waiting.push(Waiting { server: name, socket, thread: request.thread }),
                None => log::info!("pyzor: {name} can not be asked"),
            }
        }
        Asked { waiting, server_deadline, deadline, operation, count: self.servers.len() }
    }
}

impl Asked {
    /// What the servers that answered in time counted, together. `None` when the time for all was over first: then nothing
    /// counts, as in the peer.
    pub(crate) fn counts(self) -> Option<Counts> {
        let mut sum = Counts::default();
        for waiting in &self.waiting {
            match waiting.reply(self.server_deadline.min(self.deadline)) {
                Some(reply) => sum = sum.plus(reply.counts.unwrap_or_default()),
                None if Instant::now() >= self.deadline => {
                    log::info!("pyzor: {} did not answer in time", waiting.server);
                    return None;
                }
                None => {}
            }
        }
        Some(sum)
    }

    /// Did all servers do what they were told?
    pub(crate) fn all_done(self) -> bool {
        let deadline = self.server_deadline.min(self.deadline);
        let done =
            self.waiting.iter().filter(|waiting| waiting.reply(deadline).is_some_and(|reply| reply.is_ok));
        self.operation == Operation::Report && done.count() == self.count
    }
}

impl Waiting {
    /// The reply to the question; others are passed over.
    fn reply(&self, deadline: Instant) -> Option<Reply> {
        let mut buffer = [0; REPLY_LIMIT_BYTES];
        while readable(&self.socket, deadline) {
            let length = match self.socket.recv(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => {
                    log::info!("pyzor: {}: {error}", self.server);
                    return None;
                }
            };
            if let Some(reply) = Reply::parse(&buffer[..length]).filter(|reply| reply.answers(self.thread)) {
                if !reply.is_ok {
                    log::info!("pyzor: {}: {}", self.server, reply.text);
                }
                return Some(reply);
            }
        }
        None
    }
}

fn send(address: SocketAddr, request: &Request<'_>) -> io::Result<UdpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
        SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
    };
    socket.set_nonblocking(true)?;
    socket.connect(address)?;
    socket.send(request.datagram().as_bytes())?;
    Ok(socket)
}

/// A number that nobody outside can guess: a reply has to name it.
fn any_number() -> u16 {
    let number = std::hash::RandomState::new().build_hasher().finish();
    u16::try_from(number & 0xffff).unwrap_or_default()
}

/// A file's text; one that can not be read says nothing.
fn text(path: &Path) -> String {
    let fits = fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.len() <= FILE_LIMIT_BYTES);
    let bytes = if fits { fs::read(path).unwrap_or_default() } else { Vec::new() };
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers so many requests with the text, in which the number of the conversation is put.
    fn server(text: &'static str, requests: usize) -> (SocketAddr, std::thread::JoinHandle<Vec<String>>) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let answering = std::thread::spawn(move || {
            let mut asked = Vec::new();
            let mut buffer = [0; REPLY_LIMIT_BYTES];
            for _ in 0..requests {
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let thread =
                    request.lines().find_map(|line| line.strip_prefix("Thread: ")).unwrap().to_owned();
                socket.send_to(b"Code: 200\nDiag: OK\nPV: 2.1\nThread: 65536\n\n", from).unwrap();
                socket.send_to(text.replace("THREAD", &thread).as_bytes(), from).unwrap();
                asked.push(request);
            }
            asked
        });
        (address, answering)
    }

    fn client(home: &Path, addresses: &[SocketAddr]) -> Client {
        let names: String = addresses.iter().map(|address| format!("{address}\n")).collect();
        fs::write(home.join("servers"), names).unwrap();
        fs::write(home.join("accounts"), format!("127.0.0.1 : {} : joe : 00,ab\n", addresses[0].port()))
            .unwrap();
        let options = format!("--homedir {} -t 60", home.display());
        Client::open(&Settings { options, ..Settings::default() }).unwrap()
    }

    const GOOD: &str = "Code: 200\nDiag: OK\nPV: 2.1\nThread: THREAD\nCount: 7\nWL-Count: 1\n\n";
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn all_servers_are_asked_and_count_together() {
        let home = tempfile::tempdir().unwrap();
        let (one, first) = server(GOOD, 1);
        let (other, second) = server("Code: 403\nDiag: no\nPV: 2.1\nThread: 0\n\n", 1);
        let client = client(home.path(), &[one, other]);
        let digest = Digest::of(b"\nhi\n").unwrap();
        let asked = client.ask(&dns::Resolver::of_system(), (Operation::Check, &digest), MINUTE, 7);
        assert_eq!(asked.counts(), Some(Counts { reported: 7, welcomelisted: 1 }));
        assert!(first.join().unwrap()[0].contains("\nUser: joe\nTime: 7\nSig: "));
        assert!(second.join().unwrap()[0].contains("\nUser: anonymous\n"));
    }

    #[test]
    fn nothing_counts_when_the_time_is_over() {
        let home = tempfile::tempdir().unwrap();
        let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = client(home.path(), &[silent.local_addr().unwrap()]);
        let digest = Digest::of(b"\nhi\n").unwrap();
        let resolver = dns::Resolver::of_system();
        assert_eq!(client.ask(&resolver, (Operation::Check, &digest), Duration::ZERO, 7).counts(), None);
        assert!(!client.ask(&resolver, (Operation::Report, &digest), Duration::ZERO, 7).all_done());
    }

    #[test]
    fn a_known_digest_is_not_asked_about() {
        let home = tempfile::tempdir().unwrap();
        let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let digest = Digest::of(b"\nhi\n").unwrap();
        fs::write(home.path().join("whitelist"), format!("{}\n", digest.as_str())).unwrap();
        let client = client(home.path(), &[silent.local_addr().unwrap()]);
        let asked = client.ask(&dns::Resolver::of_system(), (Operation::Check, &digest), MINUTE, 7);
        assert_eq!(asked.counts(), Some(Counts::default()));
    }

    #[test]
    fn nobody_is_asked_unless_somebody_wished_it() {
        let home = tempfile::tempdir().unwrap();
        let is_open = |settings: Settings| Client::open_for(&settings, Some(home.path())).is_some();
        fs::create_dir(home.path().join(".pyzor")).unwrap();
        assert!(!is_open(Settings::default()));
        assert!(is_open(Settings { options: "-t 9".into(), ..Settings::default() }));
        assert!(is_open(Settings { path: Some("/usr/bin/pyzor".into()), ..Settings::default() }));
        assert!(is_open(Settings { server_file: Some("/etc/servers".into()), ..Settings::default() }));
        fs::write(home.path().join(".pyzor/servers"), "127.0.0.1:1\n").unwrap();
        let client = Client::open_for(&Settings::default(), Some(home.path())).unwrap();
        assert_eq!(client.shown(), "127.0.0.1:1");
    }
}
