//! Programs that keep what they know of a mailbox, while it goes from Dovecot to us and back: what they have, they do not
//! fetch again, and what their users did arrives.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tests::dovecot::{Dovecot, MAILBOX_ID, suite_with_maildir};
use tests::{Suite, terminal};

/// A program, with all that it keeps in a home of its own.
struct Program {
    name: &'static str,
    home: TempDir,
    /// The names of what it has fetched, without flags.
    fetched: BTreeSet<String>,
}

impl Program {
    /// None where it is not installed.
    fn new(name: &'static str, version: &str) -> Option<Self> {
        if Command::new(name).arg(version).output().is_err() {
            testkit::left_out(&format!("{name} is not installed"));
            return None;
        }
        let home = tempfile::Builder::new().prefix("reader-").tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Some(Self { name, home, fetched: BTreeSet::new() })
    }

    /// The path of something in its home.
    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.at(name), text).unwrap();
        fs::set_permissions(self.at(name), fs::Permissions::from_mode(0o600)).unwrap();
        self.at(name).display().to_string()
    }

    fn succeeds(&self, mut command: Command, arguments: &[&str]) {
        command.args(arguments).env("HOME", self.home.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&said));
    }

    /// One run with the server at `port`; answers how many messages it has that it did not have before.
    fn run(&mut self, port: u16, near: u16) -> usize {
        match self.name {
            "mutt" => self.mutt(port),
            "offlineimap" => self.offlineimap(port),
            _ => self.interimap(port, near),
        }
        let now = messages(&self.at("kept"));
        let new = now.difference(&self.fetched).count();
        self.fetched = now;
        new
    }

    /// Reads every message in INBOX: those that it keeps it does not ask for.
    fn mutt(&self, port: u16) {
        let (home, far) =
            (self.home.path().display(), format!("imap://user%40example.com@127.0.0.1:{port}/"));
        fs::create_dir_all(self.at("kept")).unwrap();
        let rc = self.write(
            "muttrc",
            &format!(
                "set folder={far} spoolfile={far}INBOX imap_pass=secret imap_authenticators=login\n\
                 set ssl_starttls=no ssl_force_tls=no imap_condstore=yes imap_qresync=yes\n\
                 set header_cache={home}/headers message_cachedir={home}/kept\n\
                 set wait_key=no quit=yes move=no mark_old=no confirmappend=no\n"
            ),
        );
        let keys = "<tag-pattern>~A<enter><tag-prefix><pipe-message>cat>/dev/null<enter><sync-mailbox><quit>";
        let push = format!("push '{keys}'");
        self.succeeds(terminal::command("mutt"), &["-n", "-F", &rc, "-e", &push]);
    }

    /// Keeps a Maildir the same as the mailbox.
    fn offlineimap(&self, port: u16) {
        let home = self.home.path().display();
        let rc = self.write(
            "rc",
            &format!(
                "[general]\naccounts = a\nmetadata = {home}/meta\nui = quiet\n\
                 [Account a]\nlocalrepository = near\nremoterepository = far\n\
                 [Repository near]\ntype = Maildir\nlocalfolders = {home}/kept\nsep = .\n\
                 [Repository far]\ntype = IMAP\nremotehost = 127.0.0.1\nremoteport = {port}\n\
                 remoteuser = user@example.com\nremotepass = secret\nssl = no\nstarttls = no\nauth_mechanisms = PLAIN\n"
            ),
        );
        self.succeeds(Command::new("offlineimap"), &["-o", "-c", &rc]);
    }

    /// Keeps two servers the same: the other one is Dovecot all the time.
    fn interimap(&self, port: u16, near: u16) {
        let side = |name: &str, port: u16| {
            format!(
                "[{name}]\ntype = imap\nhost = 127.0.0.1\nport = {port}\nusername = user@example.com\npassword = secret\n\
                 STARTTLS = NO\n"
            )
        };
        let database = self.at("state.db");
        let text =
            format!("database = {}\n{}{}", database.display(), side("local", near), side("remote", port));
        let rc = self.write("config", &text);
        self.succeeds(Command::new("interimap"), &["-q", &format!("--config={rc}")]);
    }
}

/// Each message below a directory by its folder and the part of its name that stays.
fn messages(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        let folder = root.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(messages(&path).into_iter().map(|name| match folder.as_str() {
                "cur" | "new" => name,
                _ => format!("{folder}/{name}"),
            }));
        } else if matches!(folder.as_str(), "cur" | "new") || path.to_string_lossy().contains("/imap:") {
            let name = entry.file_name().into_string().unwrap();
            found.insert(name.split([':', ',']).next().unwrap().to_owned());
        }
    }
    found
}

/// Delivers three messages as any delivery agent does.
fn deliver(suite: &Suite, round: usize) {
    for number in 0..3 {
        let text = format!(
            "From: a@x\nSubject: letter {round}.{number}\nMessage-ID: <{round}.{number}@x>\n\nHello\n"
        );
        let path = suite.root().join(format!("mail/user/new/17{round}000000{number}.M{number}P1.mx"));
        fs::write(&path, text).unwrap();
        chown(&path, Some(MAILBOX_ID), Some(MAILBOX_ID)).unwrap();
    }
}

/// How many messages of the Maildir are flagged.
fn flagged(maildir: &Path) -> usize {
    names(maildir).iter().filter(|path| path.to_str().unwrap().ends_with(":2,F")).count()
}

/// The user of offlineimap flags a message.
fn flag_one(maildir: &Path) {
    let path = names(maildir).into_iter().find(|path| !path.to_str().unwrap().contains(":2,F")).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let base = name.split(":2,").next().unwrap();
    fs::rename(&path, maildir.join("cur").join(format!("{base}:2,F"))).unwrap();
}

/// The files of a Maildir's messages.
fn names(maildir: &Path) -> Vec<PathBuf> {
    let parts = ["cur", "new"].map(|part| maildir.join(part));
    let entries = parts.iter().flat_map(|path| fs::read_dir(path).into_iter().flatten()).flatten();
    entries.map(|entry| entry.path()).collect()
}

#[test]
fn programs_fetch_nothing_again_when_dovecot_and_we_take_turns() {
    if !Dovecot::can_run() {
        return testkit::left_out("Dovecot is not installed, or this is not root");
    }
    let all = [("mutt", "-v"), ("offlineimap", "--version"), ("interimap", "--version")];
    let mut programs: Vec<Program> =
        all.iter().filter_map(|(name, version)| Program::new(name, version)).collect();
    let (suite, [imap, pop3, near_imap, near_pop3]) = suite_with_maildir();
    let mail = suite.root().join("mail");
    // What interimap keeps is kept by a Dovecot of its own.
    let near = programs.iter().find(|program| program.name == "interimap").map(|program| {
        fs::create_dir_all(program.at("kept/user")).unwrap();
        chown(program.at("kept/user"), Some(MAILBOX_ID), Some(MAILBOX_ID)).unwrap();
        Dovecot::start(&program.at("kept"), near_imap, near_pop3)
    });
    for round in 1..=3 {
        let dovecot = (round != 2).then(|| Dovecot::start(&mail, imap, pop3));
        if dovecot.is_none() {
            suite.start();
            suite.until("an IMAP banner", || TcpStream::connect(("127.0.0.1", imap)).ok());
        }
        if round > 1 {
            for program in &mut programs {
                assert_eq!(program.run(imap, near_imap), 0, "{}, round {round}", program.name);
            }
        }
        deliver(&suite, round);
        for program in &mut programs {
            assert_eq!(program.run(imap, near_imap), 3, "{}, round {round}", program.name);
        }
        if let Some(offlineimap) = programs.iter_mut().find(|program| program.name == "offlineimap") {
            flag_one(&offlineimap.at("kept/INBOX"));
            assert_eq!(offlineimap.run(imap, near_imap), 0, "round {round}");
            assert_eq!(flagged(&mail.join("user")), round);
        }
        match dovecot {
            Some(dovecot) => dovecot.stop(),
            None => suite.stop(),
        }
    }
    drop(near);
}
