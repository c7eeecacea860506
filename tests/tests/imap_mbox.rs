//! Mailboxes that are mbox files, odd ones, read by us and by Dovecot, each also as the other has left them.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use tests::dovecot::{Dovecot, MAILBOX_ID, suite_with_maildir};
use tests::programs::{Maker, Programs};

const MBOX: &str = "mail_location = mbox:~/folders:INBOX=~/inbox\nnamespace inbox {\n separator = /\n}\n";

#[test]
fn odd_mailboxes_are_read_as_by_dovecot() {
    if Command::new("python3").arg("--version").output().is_err() || !Dovecot::can_run() {
        return testkit::left_out("python3 or Dovecot is not installed, or this is not root");
    }
    if Programs::under_test().maker == Maker::Peer {
        return testkit::left_out(
            "there is nothing to hold against: the servers under test are the originals",
        );
    }
    let (suite, [imap, _, peer_imap, peer_pop3]) = suite_with_maildir();
    suite.append_main("mbox_folders_suffix = .folders");
    suite.write_table("passwords", "mbox@example.com {PLAIN}secret\n");
    let mail = suite.root().join("mail");
    let directories = ["mbox.folders", "peer/folders"].map(|name| mail.join(name));
    for directory in [&directories[0], &mail.join("peer"), &directories[1]] {
        fs::create_dir_all(directory).unwrap();
        chown(directory, Some(MAILBOX_ID), Some(MAILBOX_ID)).unwrap();
    }
    suite.start();
    suite.until("an IMAP banner", || TcpStream::connect(("127.0.0.1", imap)).ok());
    let _dovecot = Dovecot::start_with(&mail, peer_imap, peer_pop3, MBOX);
    let [ours, peers] = directories;
    let output = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("imap/mbox.py"))
        .args([imap.to_string(), "mbox@example.com".to_owned(), ours.display().to_string()])
        .args([peer_imap.to_string(), "peer@example.com".to_owned(), peers.display().to_string()])
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    suite.stop();
}
