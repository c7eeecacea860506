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

/// A server that runs.
pub(crate) struct Server {
    pub(crate) imap: u16,
    pub(crate) pop3: u16,
    /// A Maildir for each user, by name.
    mail: PathBuf,
    process: Process,
}

enum Process {
    Ours(Option<Suite>),
    Dovecot { child: Child, _home: TempDir, _ports: [Port; 2] },
}

/// The name of a user.
pub(crate) fn user(number: usize) -> String {
    format!("u{number}")
}

impl Server {
    /// Serves so many users, whose mailboxes are empty, and answers.
    pub(crate) fn start(programs: Programs, users: usize) -> Self {
        let server = if programs.maker == Maker::Ours { ours(programs, users) } else { dovecot(users) };
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
            make_folder(&self.mail.join(user).join(folder));
        }
        for number in 0..count {
            let text = letter(number, size_bytes);
            let (size, lines) = (text.len(), text.lines().count());
            let name = format!("{}.M{number}P1.x,S={size},W={}:2,S", 1_700_000_000 + number, size + lines);
            self.write(&self.mail.join(user).join("cur").join(name), &text);
        }
    }

    /// A message arrives: it is in `new/` from one moment to the next, and that moment is returned.
    pub(crate) fn deliver(&self, user: &str, number: usize) -> Instant {
        let folder = self.mail.join(user);
        let name = format!("{}.M{number}P2.x", 1_800_000_000 + number);
        self.write(&folder.join("tmp").join(&name), &letter(number, 1000));
        let moment = Instant::now();
        fs::rename(folder.join("tmp").join(&name), folder.join("new").join(&name)).expect("rename");
        moment
    }

    fn write(&self, path: &Path, text: &str) {
        fs::write(path, text).expect("write a message");
        chown(path, Some(OWNER), Some(OWNER)).expect("chown");
    }

    /// Memory of all its processes, each shared page counted once, in bytes.
    pub(crate) fn memory_bytes(&self) -> f64 {
        let mut found = vec![match &self.process {
            Process::Ours(suite) => suite.as_ref().map_or(0, Suite::master),
            Process::Dovecot { child, .. } => child.id(),
        }];
        let mut at = 0;
        while at < found.len() {
            found.extend(processes::children(found[at]));
            at += 1;
        }
        found.into_iter().map(cost::proportional_bytes).sum()
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

fn ours(programs: Programs, users: usize) -> Server {
    let rows = |value: &dyn Fn(&str) -> String| -> String {
        (0..users).map(user).map(|user| format!("{user}@example.com {}\n", value(&user))).collect()
    };
    let mut builder = Builder::with(programs).example_com().main(&format!(
        "virtual_uid_maps = static:{OWNER}\nvirtual_gid_maps = static:{OWNER}\nlogin_default_domain = example.com\n\
         virtual_password_maps = hash:$config_directory/passwords\npop3_lock_session = no\n"
    ));
    let (imap, pop3) = (builder.reserve_port(), builder.reserve_port());
    let master = format!(
        "127.0.0.1:{imap} inet n - n - - imapd\n127.0.0.1:{pop3} inet n - n - - pop3d\nauth unix - - n - - authd\n"
    );
    let suite = builder
        .master(&master)
        .replace_table("vmailbox", &rows(&|user| format!("{user}/")))
        .table("passwords", &rows(&|_| format!("{{PLAIN}}{PASSWORD}")))
        .write();
    let mail = suite.root().join("mail");
    chown(&mail, Some(OWNER), Some(OWNER)).expect("chown");
    suite.start();
    Server { imap, pop3, mail, process: Process::Ours(Some(suite)) }
}

fn dovecot(users: usize) -> Server {
    let home = tempfile::Builder::new().prefix("dovecot-").tempdir().expect("a folder");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    let ports = [Port::reserve(), Port::reserve()];
    let (imap, pop3, mail) = (ports[0].number(), ports[1].number(), home.path().join("mail"));
    make_folder(&mail);
    let passwords: String = (0..users).map(|number| format!("{}:{PASSWORD}\n", user(number))).collect();
    fs::write(home.path().join("passwords"), passwords).expect("write the passwords");
    let file = home.path().join("dovecot.conf");
    fs::write(&file, configuration(home.path(), imap, pop3)).expect("write dovecot.conf");
    let child = Command::new("/usr/sbin/dovecot")
        .arg("-F")
        .arg("-c")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("dovecot: install dovecot-imapd and dovecot-pop3d");
    Server { imap, pop3, mail, process: Process::Dovecot { child, _home: home, _ports: ports } }
}

/// As Debian has it but for the limits, which would end what is measured.
fn configuration(home: &Path, imap: u16, pop3: u16) -> String {
    let home = home.display();
    format!(
        "base_dir = {home}/run\nstate_dir = {home}/state\nlog_path = {home}/log\nprotocols = imap pop3\n\
         listen = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\nauth_mechanisms = plain login\n\
         mail_location = maildir:~/\nmail_uid = {OWNER}\nmail_gid = {OWNER}\nfirst_valid_uid = 1\n\
         mail_max_userip_connections = 5000\ndefault_process_limit = 4000\ndefault_client_limit = 8000\n\
         namespace inbox {{\n  inbox = yes\n}}\n\
         passdb {{\n  driver = passwd-file\n  args = scheme=PLAIN username_format=%u {home}/passwords\n}}\n\
         userdb {{\n  driver = static\n  args = uid={OWNER} gid={OWNER} home={home}/mail/%u\n}}\n\
         service imap-login {{\n  inet_listener imap {{\n    port = {imap}\n  }}\n  inet_listener imaps {{\n    port = 0\n  }}\n}}\n\
         service pop3-login {{\n  inet_listener pop3 {{\n    port = {pop3}\n  }}\n  inet_listener pop3s {{\n    port = 0\n  }}\n}}\n"
    )
}

fn make_folder(path: &Path) {
    fs::create_dir_all(path).expect("make a folder");
    chown(path, Some(OWNER), Some(OWNER)).expect("chown");
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
