//! Programs that read mail by IMAP: mutt at a terminal, and one that is strict about what it parses.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tests::dovecot::MAILBOX_ID;
use tests::{Builder, Suite, fuzz, terminal};

/// A suite with imapd, and these messages in the user's mailbox.
fn suite_with(messages: &[Vec<u8>]) -> (Suite, u16) {
    let mut builder = Builder::new()
        .example_com()
        .main("virtual_password_maps = hash:$config_directory/passwords")
        .table("passwords", "user@example.com {PLAIN}secret\n");
    let imap = builder.reserve_port();
    let master = format!("127.0.0.1:{imap} inet n - n - - imapd\nauth unix - - n - - authd\n");
    let suite = builder.master(&master).write();
    for name in ["", "cur", "new", "tmp"] {
        own(&suite, name, |path| fs::create_dir_all(path));
    }
    for (number, message) in messages.iter().enumerate() {
        own(&suite, &format!("new/17{number:08}.M1P1.mx"), |path| fs::write(path, message));
    }
    suite.start();
    (suite, imap)
}

/// Makes something in the mailbox that belongs to its owner.
fn own(suite: &Suite, name: &str, make: impl FnOnce(&PathBuf) -> std::io::Result<()>) {
    let path = suite.root().join("mail/user").join(name);
    make(&path).unwrap();
    if sys::ids::is_root() {
        chown(&path, Some(MAILBOX_ID), Some(MAILBOX_ID)).unwrap();
    }
}

fn run(mut command: Command, arguments: &[&str]) -> Output {
    command.args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn there_is(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    let there = output.is_ok_and(|output| output.status.success());
    if !there {
        testkit::left_out(&format!("{program} {} does not work here", arguments.join(" ")));
    }
    there
}

#[test]
fn mutt_reads_flags_copies_and_deletes() {
    if !there_is("mutt", &["-v"]) || !there_is("python3", &["-c", "import pty"]) {
        return;
    }
    let letter = |number: usize| format!("From: a@x.example\nSubject: letter {number}\n\nHello {number}\n");
    let (suite, imap) = suite_with(&[1, 2, 3].map(|number| letter(number).into_bytes()));
    let home = tempfile::tempdir().unwrap();
    let (rc, read) = (home.path().join("rc"), home.path().join("read"));
    let far = format!("imap://user%40example.com@127.0.0.1:{imap}/");
    let settings = format!(
        "set folder={far} spoolfile={far}INBOX imap_pass=secret imap_authenticators=login\n\
         set ssl_starttls=no ssl_force_tls=no imap_condstore=yes imap_qresync=yes\n\
         set wait_key=no quit=yes delete=yes move=no mark_old=no confirmappend=no confirmcreate=no\n"
    );
    fs::write(&rc, settings).unwrap();
    let keys = format!(
        "<tag-pattern>~A<enter><tag-prefix><pipe-message>cat>>{}<enter>\
         <tag-prefix><set-flag>!<untag-pattern>~A<enter>\
         <limit>~s\\\"letter 2\\\"<enter><copy-message>=Kept<enter><limit>all<enter>\
         <delete-pattern>~s\\\"letter 1\\\"<enter><sync-mailbox><quit>",
        read.display()
    );
    let mut mutt = terminal::command("mutt");
    mutt.env("HOME", home.path());
    let push = format!("push \"{keys}\"");
    let output = run(mutt, &["-n", "-F", rc.to_str().unwrap(), "-e", &push]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let read = fs::read_to_string(read).unwrap();
    assert!((1..=3).all(|number| read.contains(&format!("Hello {number}\n"))), "{read}");
    let flagged = |folder: &str| {
        let entries = fs::read_dir(suite.root().join("mail/user").join(folder)).unwrap().flatten();
        let texts = entries.filter(|entry| entry.file_name().to_str().unwrap().contains('F'));
        let mut texts: Vec<_> = texts.map(|entry| fs::read_to_string(entry.path()).unwrap()).collect();
        texts.sort();
        texts
    };
    assert_eq!(flagged("cur"), [letter(2), letter(3)]);
    assert_eq!(flagged(".Kept/cur"), [letter(2)]);
    suite.stop();
}

/// Asks for what there is to parse of each message; arguments are the port and how many messages there are.
const PARSE: &str = "
import imapclient, sys
from imapclient.response_types import Address, BodyData, Envelope
port, count = int(sys.argv[1]), int(sys.argv[2])
it = imapclient.IMAPClient('127.0.0.1', port=port, ssl=False, use_uid=False)
it.login('user@example.com', 'secret')
assert it.select_folder('INBOX')[b'EXISTS'] == count
items = it.fetch(range(1, count + 1), ['ENVELOPE', 'BODYSTRUCTURE', 'BODY', 'INTERNALDATE', 'RFC822.SIZE', 'FLAGS'])
assert len(items) == count, len(items)
for item in items.values():
    envelope = item[b'ENVELOPE']
    assert isinstance(envelope, Envelope) and isinstance(item[b'BODYSTRUCTURE'], BodyData), item
    for field in ('from_', 'sender', 'reply_to', 'to', 'cc', 'bcc'):
        for address in getattr(envelope, field) or ():
            assert isinstance(address, Address), item
it.logout()
";

/// Messages that are strange each in its way, as they are, cut off, and within one another.
fn strange() -> Vec<Vec<u8>> {
    let names = ["message", "mime", "notifications", "dkim"];
    let targets = fuzz::TARGETS.iter().filter(|target| names.contains(&target.name));
    let seeds: Vec<Vec<u8>> = targets.flat_map(|target| (target.seeds)()).collect();
    let mut all = Vec::new();
    for (at, seed) in seeds.iter().enumerate() {
        let other = &seeds[(at + 1) % seeds.len()];
        let head =
            b"Content-Type: multipart/mixed; boundary=\"=_b\"\n\n--=_b\nContent-Type: message/rfc822\n\n";
        all.push(seed.clone());
        all.extend([3, 2].map(|part| seed[..seed.len() / part].to_vec()));
        all.push([b"Content-Type: message/rfc822\n\n", &seed[..]].concat());
        all.push([&head[..], seed, b"\n--=_b\n", other, b"\n--=_b--\n"].concat());
        all.push([&head[..], seed, b"\n--=_b\nContent-Type: message/rfc822\n\n", other].concat());
    }
    all
}

#[test]
fn imapclient_parses_every_envelope_and_structure() {
    if !there_is("python3", &["-c", "import imapclient"]) {
        return;
    }
    let messages = strange();
    assert!(messages.len() > 50, "{} messages", messages.len());
    let (suite, imap) = suite_with(&messages);
    let output = run(Command::new("python3"), &["-c", PARSE, &imap.to_string(), &messages.len().to_string()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    suite.stop();
}
