//! What serves the mailboxes: our suite, or the installed Dovecot, with the same users and the same Maildirs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use sys::signals::SignalKind;
use tempfile::TempDir;
use tests::port::Port;
use tests::programs::{Maker, Programs};
use tests::suite::PATIENCE;
use tests::{Builder, Suite, processes};

use super::client::Imap;
use crate::cost;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "secret";
/// Owns all mailboxes; not root, or Dovecot refuses.
const OWNER: u32 = 5001;
/// The owner of the first mailbox, where each has its own.
const FIRST_OWNER: u32 = 20_000;

/// Whose mailboxes they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owners {
    /// All of one user id.
    One,
    /// Each of its own; and clients that idle are parked after a second.
    Each,
}

impl Owners {
    /// The owner of a user's mailbox.
    fn of(self, number: usize) -> u32 {
        if self == Self::Each { FIRST_OWNER + number as u32 } else { OWNER }
    }
}

/// A server that runs.
pub(crate) struct Server {
    pub(crate) imap: u16,
    pub(crate) pop3: u16,
    /// A Maildir for each user, by name.
    mail: PathBuf,
    owners: Owners,
    process: Process,
}

enum Process {
    Ours(Option<Suite>),
    Dovecot { child: Child, _home: TempDir, _ports: [Port; 2] },
}

/// What Dovecot's documentation says has to be set for clients that idle to be parked.
const HIBERNATION: &str = "imap_hibernate_timeout = 1s\n\
     service imap {\n  extra_groups = $default_internal_group\n  unix_listener imap-master {\n    user = $default_internal_user\n  }\n}\n\
     service imap-hibernate {\n  unix_listener imap-hibernate {\n    mode = 0660\n    group = $default_internal_group\n  }\n}\n";

/// The name of a user.
pub(crate) fn user(number: usize) -> String {
    format!("u{number}")
}

impl Server {
    /// Serves so many users, whose mailboxes are empty, and answers.
    pub(crate) fn start(programs: Programs, users: usize) -> Self {
        Self::start_for(programs, users, Owners::One)
    }

    /// The same, for such owners.
    pub(crate) fn start_for(programs: Programs, users: usize, owners: Owners) -> Self {
        let server = if programs.maker == Maker::Ours {
            ours(programs, users, owners)
        } else {
            dovecot(users, owners)
        };
        let deadline = Instant::now() + PATIENCE;
        while Imap::try_login(server.imap, &user(0)).is_none() {
            assert!(Instant::now() < deadline, "no login at port {}", server.imap);
            std::thread::yield_now();
        }
        server
    }

    /// Puts messages into a user's INBOX, seen before, as another program would.
    pub(crate) fn fill(&self, user: &str, count: usize, size_bytes: usize) {
        for folder in ["", "cur", "new", "tmp"] {
            make_folder(&self.mail.join(user).join(folder), self.owner(user));
        }
        for number in 0..count {
            let text = letter(number, size_bytes);
            let (size, lines) = (text.len(), text.lines().count());
            let name = format!("{}.M{number}P1.x,S={size},W={}:2,S", 1_700_000_000 + number, size + lines);
            self.write(&self.mail.join(user).join("cur").join(name), &text, self.owner(user));
        }
    }

    /// A message arrives: it is in `new/` from one moment to the next, and that moment is returned.
    pub(crate) fn deliver(&self, user: &str, number: usize) -> Instant {
        let folder = self.mail.join(user);
        let name = format!("{}.M{number}P2.x", 1_800_000_000 + number);
        self.write(&folder.join("tmp").join(&name), &letter(number, 1000), self.owner(user));
        let moment = Instant::now();
        fs::rename(folder.join("tmp").join(&name), folder.join("new").join(&name)).expect("rename");
        moment
    }

    fn write(&self, path: &Path, text: &str, owner: u32) {
        fs::write(path, text).expect("write a message");
        chown(path, Some(owner), Some(owner)).expect("chown");
    }

    fn owner(&self, user: &str) -> u32 {
        self.owners.of(user[1..].parse().expect("a user's number"))
    }

    /// Waits until it has no more processes than these.
    pub(crate) fn wait_for_few_processes(&self, limit: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.processes().len() > limit {
            assert!(Instant::now() < deadline, "{} processes", self.processes().len());
            std::thread::yield_now();
        }
    }

    /// Memory of all its processes, each shared page counted once, in bytes.
    pub(crate) fn memory_bytes(&self) -> f64 {
        self.processes().into_iter().map(cost::proportional_bytes).sum()
    }

    fn processes(&self) -> Vec<u32> {
        let mut found = vec![match &self.process {
            Process::Ours(suite) => suite.as_ref().map_or(0, Suite::master),
            Process::Dovecot { child, .. } => child.id(),
        }];
        let mut at = 0;
        while at < found.len() {
            found.extend(processes::children(found[at]));
            at += 1;
        }
        found
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match &mut self.process {
            Process::Ours(suite) => suite.take().into_iter().for_each(crate::site::retire),
            Process::Dovecot { child, .. } => {
                // It may have ended by itself, which the next figure will show.
                let _ = sys::signals::send(child.id(), SignalKind::SIGTERM);
                let _ = child.wait();
            }
        }
    }
}

fn ours(programs: Programs, users: usize, owners: Owners) -> Server {
    let rows = |value: &dyn Fn(&str) -> String| -> String {
        (0..users).map(user).map(|user| format!("{user}@example.com {}\n", value(&user))).collect()
    };
    let (ids, parked) = match owners {
        Owners::One => (format!("static:{OWNER}"), ""),
        Owners::Each => ("hash:$config_directory/ids".to_owned(), "imapd_hibernate_time = 1s\n"),
    };
    let mut builder = Builder::with(programs).example_com().main(&format!(
        "virtual_uid_maps = {ids}\nvirtual_gid_maps = {ids}\nlogin_default_domain = example.com\n{parked}\
         virtual_password_maps = hash:$config_directory/passwords\npop3_lock_session = no\n"
    ));
    let numbered = (0..users).map(|number| format!("{}@example.com {}\n", user(number), owners.of(number)));
    let numbered: String = numbered.collect();
    let (imap, pop3) = (builder.reserve_port(), builder.reserve_port());
    let master = format!(
        "127.0.0.1:{imap} inet n - n - - imapd\n127.0.0.1:{pop3} inet n - n - - pop3d\nauth unix - - n - - authd\n"
    );
    let suite = builder
        .master(&master)
        .replace_table("vmailbox", &rows(&|user| format!("{user}/")))
        .table("passwords", &rows(&|_| format!("{{PLAIN}}{PASSWORD}")))
        .table("ids", &numbered)
        .write();
    let mail = suite.root().join("mail");
    // Everybody may make a mailbox here, as in /var/mail.
    fs::set_permissions(&mail, fs::Permissions::from_mode(0o1777)).expect("chmod");
    make_folders(&mail, users, owners);
    suite.start();
    Server { imap, pop3, mail, owners, process: Process::Ours(Some(suite)) }
}

fn dovecot(users: usize, owners: Owners) -> Server {
    let home = tempfile::Builder::new().prefix("dovecot-").tempdir().expect("a folder");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    let ports = [Port::reserve(), Port::reserve()];
    let (imap, pop3, mail) = (ports[0].number(), ports[1].number(), home.path().join("mail"));
    make_folder(&mail, OWNER);
    make_folders(&mail, users, owners);
    let password = |number| {
        let owner = owners.of(number);
        format!("{}:{PASSWORD}:{owner}:{owner}::{}\n", user(number), mail.join(user(number)).display())
    };
    let passwords: String = (0..users).map(password).collect();
    fs::write(home.path().join("passwords"), passwords).expect("write the passwords");
    let file = home.path().join("dovecot.conf");
    fs::write(&file, configuration(home.path(), imap, pop3, owners)).expect("write dovecot.conf");
    let child = Command::new("/usr/sbin/dovecot")
        .arg("-F")
        .arg("-c")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("dovecot: install dovecot-imapd and dovecot-pop3d");
    Server { imap, pop3, mail, owners, process: Process::Dovecot { child, _home: home, _ports: ports } }
}

/// As Debian has it but for the limits, which would end what is measured.
fn configuration(home: &Path, imap: u16, pop3: u16, owners: Owners) -> String {
    let home = home.display();
    let hibernation = if owners == Owners::Each { HIBERNATION } else { "" };
    format!(
        "base_dir = {home}/run\nstate_dir = {home}/state\nlog_path = {home}/log\nprotocols = imap pop3\n\
         listen = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\nauth_mechanisms = plain login\n\
         mail_location = maildir:~/\nfirst_valid_uid = 1\n\
         mail_max_userip_connections = 5000\ndefault_process_limit = 4000\ndefault_client_limit = 8000\n\
         namespace inbox {{\n  inbox = yes\n}}\n\
         passdb {{\n  driver = passwd-file\n  args = scheme=PLAIN username_format=%u {home}/passwords\n}}\n\
         userdb {{\n  driver = passwd-file\n  args = username_format=%u {home}/passwords\n}}\n{hibernation}\
         service imap-login {{\n  inet_listener imap {{\n    port = {imap}\n  }}\n  inet_listener imaps {{\n    port = 0\n  }}\n}}\n\
         service pop3-login {{\n  inet_listener pop3 {{\n    port = {pop3}\n  }}\n  inet_listener pop3s {{\n    port = 0\n  }}\n}}\n"
    )
}

/// A directory for each user whose mailbox has an owner of its own.
fn make_folders(mail: &Path, users: usize, owners: Owners) {
    if owners == Owners::Each {
        (0..users).for_each(|number| make_folder(&mail.join(user(number)), owners.of(number)));
    }
}

fn make_folder(path: &Path, owner: u32) {
    fs::create_dir_all(path).expect("make a folder");
    chown(path, Some(owner), Some(owner)).expect("chown");
}

/// A message of about this size; every second one is an answer to the one before.
pub(crate) fn letter(number: usize, size_bytes: usize) -> String {
    const LINE: &str =
        "The quick brown fox jumps over the lazy dog, again and again, as it has always done.\n";
    let answers =
        if number % 2 == 1 { format!("In-Reply-To: <{}@example.com>\n", number - 1) } else { String::new() };
    let (day, minute) = (1 + number / 1440 % 28, number % 60);
    let mut text = format!(
        "From: Sender {number} <sender{number}@example.com>\nTo: Reader <reader@example.com>\n\
         Subject: message {number}\nMessage-ID: <{number}@example.com>\n{answers}\
         Date: {day} Jan 2024 12:{minute:02}:00 +0000\n\n"
    );
    while text.len() < size_bytes {
        text.push_str(LINE);
    }
    text
}
