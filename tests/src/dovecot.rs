//! Dovecot on the mailboxes of a suite, beside our servers or in their place.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use sys::signals::SignalKind;
use tempfile::TempDir;

use crate::suite::PATIENCE;
use crate::{Builder, Suite};

/// Uid and gid of the suite's mailboxes when the tests run as root; Dovecot reads with them, too.
pub const MAILBOX_ID: u32 = 5001;

/// Dovecot on the mailboxes of a suite; ended when dropped.
#[derive(Debug)]
pub struct Dovecot {
    child: Child,
    home: TempDir,
}

impl Dovecot {
    /// Is it installed, and is there a right to run it?
    pub fn can_run() -> bool {
        sys::ids::is_root() && Command::new("dovecot").arg("--version").output().is_ok()
    }

    /// Serves the mailboxes below `mail` on these ports of 127.0.0.1; every password is `secret`.
    pub fn start(mail: &Path, imap: u16, pop3: u16) -> Self {
        Self::start_with(mail, imap, pop3, "")
    }

    /// As [`Dovecot::start`], with more lines of configuration.
    pub fn start_with(mail: &Path, imap: u16, pop3: u16, more: &str) -> Self {
        let home = tempfile::Builder::new().prefix("dovecot-").tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let conf = configuration(home.path(), mail, imap, pop3) + more;
        fs::write(home.path().join("conf"), conf).unwrap();
        let mut command = Command::new("dovecot");
        command.arg("-F").arg("-c").arg(home.path().join("conf"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let patience = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", imap)).is_err() {
            assert!(Instant::now() < patience, "Dovecot does not start");
            std::thread::yield_now();
        }
        Self { child, home }
    }

    /// What it has logged that is no mere information.
    pub fn complaints(&self) -> String {
        let log = fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
        let bad = |line: &&str| ["Warning", "Error", "Panic", "Fatal"].iter().any(|word| line.contains(word));
        log.lines().filter(bad).collect::<Vec<_>>().join("\n")
    }

    /// Ends it, and waits until it has ended.
    pub fn stop(self) {}
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let _ = sys::signals::send(self.child.id(), SignalKind::SIGTERM);
        let _ = self.child.wait();
    }
}

fn configuration(home: &Path, mail: &Path, imap: u16, pop3: u16) -> String {
    let (root, mail) = (home.display(), mail.display());
    format!(
        "base_dir = {root}/run\nstate_dir = {root}/state\nlog_path = {root}/log\nprotocols = imap pop3\n\
         listen = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\nfirst_valid_uid = 1\n\
         mail_uid = {MAILBOX_ID}\nmail_gid = {MAILBOX_ID}\nmail_location = maildir:~/\n\
         default_internal_user = dovecot\ndefault_login_user = dovecot\n\
         namespace inbox {{\n inbox = yes\n separator = .\n}}\n\
         passdb {{\n driver = static\n args = password=secret\n}}\n\
         userdb {{\n driver = static\n args = uid={MAILBOX_ID} gid={MAILBOX_ID} home={mail}/%n\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n port = {imap}\n }}\n inet_listener imaps {{\n port = 0\n }}\n}}\n\
         service pop3-login {{\n chroot =\n inet_listener pop3 {{\n port = {pop3}\n }}\n inet_listener pop3s {{\n port = 0\n }}\n}}\n"
    )
}

/// A suite that is down, with the Maildir of `user@example.com`, and four ports: IMAP and POP3 of the suite, and two more.
pub fn suite_with_maildir() -> (Suite, [u16; 4]) {
    let mut builder = Builder::new()
        .example_com()
        .main("virtual_password_maps = hash:$config_directory/passwords")
        .table("passwords", "user@example.com {PLAIN}secret\n");
    let ports = [(); 4].map(|()| builder.reserve_port());
    let [imap, pop3, ..] = ports;
    let master = format!(
        "127.0.0.1:{imap} inet n - n - - imapd\n127.0.0.1:{pop3} inet n - n - - pop3d\nauth unix - - n - - authd\n"
    );
    let suite = builder.master(&master).write();
    for name in ["", "cur", "new", "tmp"] {
        let path = suite.root().join("mail/user").join(name);
        fs::create_dir_all(&path).unwrap();
        chown(&path, Some(MAILBOX_ID), Some(MAILBOX_ID)).unwrap();
    }
    (suite, ports)
}
