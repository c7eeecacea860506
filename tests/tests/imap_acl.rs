//! Rights of mailboxes (RFC 4314): the same conversation on us and on Dovecot, and one Maildir that both serve in turn.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use tests::Suite;
use tests::dovecot::{Dovecot, suite_with_maildir};
use tests::programs::{Maker, Programs};
use tests::suite::PATIENCE;

/// What Dovecot needs for it.
const PLUGINS: &str = "protocol imap {\n mail_plugins = acl imap_acl\n}\nplugin {\n acl = vfile\n}\n";

/// Plays lines `command => answer | answer`: what of the answers a program looks at has to be that. Arguments: the port,
/// and the time to wait.
const PLAY: &str = r#"
import re, socket, sys
port, patience, script = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
link = socket.create_connection(('127.0.0.1', port), patience)
link.settimeout(patience)
reader = link.makefile('rb')
def line():
    text = reader.readline().decode()
    assert text, 'the server has gone'
    return text.rstrip('\r\n')
def essence(text):
    if text.startswith('a '):
        found = re.match(r'a (OK|NO|BAD)(?: \[([A-Z-]+))?', text)
        return ' '.join(part for part in found.groups() if part and part not in ('CLIENTBUG', 'HIGHESTMODSEQ'))
    if found := re.search(r'\[PERMANENTFLAGS \((.*?)\)\]', text):
        return 'KEEPS ' + found.group(1)
    if re.match(r'\* (ACL|MYRIGHTS|LISTRIGHTS|LIST|\d+ FETCH(?!.*\}$)|\d+ EXPUNGE|NO)\b', text):
        return re.sub(r' ?\\Recent', '', text[2:])
def ask(command):
    link.sendall(b'a ' + command.encode() + b'\r\n')
    answers = []
    while True:
        text = line()
        if text.startswith('+'):
            continue
        answers.append(essence(text))
        if text.startswith('a '):
            return sorted(answer for answer in answers[:-1] if answer) + [answers[-1]]
line()
assert ask('LOGIN user@example.com secret') == ['OK CAPABILITY']
for step in filter(None, map(str.strip, script.splitlines())):
    command, _, expected = step.partition(' => ')
    answers = ask(command.replace('~', '\r\n'))
    assert answers == expected.split(' | '), (command, answers)
"#;

/// The owner is `user@example.com`. `~` is a line end.
const CONVERSATION: &str = r#"
CREATE m => OK
CREATE m.below => OK
MYRIGHTS m => MYRIGHTS m lrwstipekxacd | OK
GETACL m => ACL m user@example.com lrwstipekxacd | OK
GETACL nosuch => NO NONEXISTENT
LISTRIGHTS m joe => LISTRIGHTS m joe "" l r w s t p i e k x a c d | OK
SETACL m joe lr => OK
SETACL m $staff lrw => OK
SETACL m -joe w => OK
SETACL m joe +s => OK
SETACL m joe -r => OK
SETACL m "with space" cd => OK
SETACL m anyone l => BAD
SETACL m #all l => BAD
SETACL m joe lQ => BAD
GETACL m => ACL m $staff lrw joe ls -joe w "with space" kxetcd user@example.com lrwstipekxacd | OK
DELETEACL m -joe => OK
DELETEACL m nobody => OK
GETACL m => ACL m $staff lrw joe ls "with space" kxetcd user@example.com lrwstipekxacd | OK
APPEND m (\Deleted) {3+}~abc => OK APPENDUID
SETACL m user@example.com lr => OK
MYRIGHTS m => MYRIGHTS m lra | OK
GETACL m => ACL m $staff lrw joe ls user@example.com alr "with space" kxetcd | OK
SELECT m => KEEPS  | OK READ-ONLY
STORE 1 +FLAGS (\Seen) => OK
EXPUNGE => OK
FETCH 1 FLAGS => 1 FETCH (FLAGS (\Deleted)) | OK
UNSELECT => OK
DELETE m => NO NOPERM
RENAME m n => NO NOPERM
CREATE m.more => NO NOPERM
APPEND m {3+}~abc => NO NOPERM
SETACL m user@example.com lrwta => OK
SELECT m => KEEPS \Answered \Flagged \Deleted \Draft \* | OK READ-WRITE
STORE 1 FLAGS (\Seen \Flagged \Deleted) => 1 FETCH (FLAGS (\Flagged \Deleted)) | OK
FETCH 1 BODY[] => OK
FETCH 1 FLAGS => 1 FETCH (FLAGS (\Flagged \Deleted)) | OK
EXPUNGE => OK
MOVE 1 INBOX => NO NOPERM
COPY 1 INBOX => OK COPYUID
CLOSE => OK
SETACL m user@example.com lria => OK
APPEND m (\Seen \Flagged) {3+}~abc => OK APPENDUID
SELECT m => KEEPS  | OK READ-WRITE
FETCH 1:* FLAGS => 1 FETCH (FLAGS (\Flagged \Deleted)) | 2 FETCH (FLAGS ()) | OK
UNSELECT => OK
SETACL m user@example.com lie => OK
SELECT m => NO NOPERM
STATUS m (MESSAGES) => NO NOPERM
APPEND m {3+}~abc => OK
LIST "" m RETURN (STATUS (MESSAGES)) => LIST () "." m | NO [NOPERM] Permission denied | OK
SETACL m user@example.com rwstekx => OK
LIST "" * => LIST (\HasNoChildren) "." INBOX | LIST (\HasNoChildren) "." m.below | OK
LIST "" % => LIST (\HasNoChildren) "." INBOX | LIST (\Noselect \HasChildren) "." m | OK
SELECT m => KEEPS \Answered \Flagged \Deleted \Seen \Draft \* | OK READ-WRITE
UNSELECT => OK
CREATE m.heir => OK
GETACL m.heir => ACL m.heir $staff lrw joe ls user@example.com akxerwtscd "with space" kxetcd | OK
RENAME m.heir top => OK
GETACL top => ACL top $staff lrw joe ls user@example.com akxerwtscd "with space" kxetcd | OK
DELETEACL top user@example.com => OK
SETACL top owner lrxa => OK
GETACL top => ACL top $staff lrw user@example.com axlrc joe ls "with space" kxetcd | OK
DELETE top => OK
CREATE top => OK
GETACL top => ACL top user@example.com lrwstipekxacd | OK
"#;

fn play(port: u16, script: &str) {
    let patience = PATIENCE.as_secs().to_string();
    let arguments = ["-c", PLAY, &port.to_string(), &patience, script];
    let output = Command::new("python3").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Who serves the mailboxes; ended when dropped.
enum Server<'a> {
    Ours(&'a Suite),
    Dovecot { _running: Dovecot },
}

impl<'a> Server<'a> {
    fn ours(suite: &'a Suite, imap: u16) -> Self {
        suite.start();
        suite.until("an IMAP banner", || TcpStream::connect(("127.0.0.1", imap)).ok());
        Self::Ours(suite)
    }

    fn dovecot(mail: &Path, imap: u16, pop3: u16) -> Self {
        Self::Dovecot { _running: Dovecot::start_with(mail, imap, pop3, PLUGINS) }
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if let Self::Ours(suite) = self {
            suite.stop();
        }
    }
}

fn has_python() -> bool {
    let there = Command::new("python3").arg("--version").output().is_ok();
    if !there {
        testkit::left_out("python3 is not installed");
    }
    there
}

fn has_dovecot() -> bool {
    let there = Dovecot::can_run();
    if !there {
        testkit::left_out("Dovecot is not installed, or this is not root");
    }
    there
}

/// Are the servers under test the originals?
fn is_peer() -> bool {
    Programs::under_test().maker == Maker::Peer
}

#[test]
fn owners_are_bound_by_the_rights_of_their_mailboxes() {
    if !has_python() || (is_peer() && !has_dovecot()) {
        return;
    }
    let (suite, [imap, pop3, ..]) = suite_with_maildir();
    let mail = suite.root().join("mail");
    let _server = if is_peer() { Server::dovecot(&mail, imap, pop3) } else { Server::ours(&suite, imap) };
    play(imap, CONVERSATION);
}

#[test]
fn dovecot_answers_the_same() {
    if !has_python() || !has_dovecot() {
        return;
    }
    let (suite, [imap, pop3, ..]) = suite_with_maildir();
    let _server = Server::dovecot(&suite.root().join("mail"), imap, pop3);
    play(imap, CONVERSATION);
}

/// `acl.txt`, of which every line comes out as it stands there.
fn lists_come_out(is_peer: bool) {
    let (suite, [imap, pop3, ..]) = suite_with_maildir();
    let (mail, list) = (suite.root().join("mail"), suite.config().join("rights"));
    fs::write(&list, "").unwrap();
    let _server = if is_peer {
        let plugins =
            PLUGINS.replace("vfile\n", &format!("vfile:{}\n acl_groups = staff,crew\n", list.display()));
        Server::Dovecot { _running: Dovecot::start_with(&mail, imap, pop3, &plugins) }
    } else {
        suite.append_main(&format!(
            "imapd_acl_global = {}\nmailbox_acl_groups_maps = hash:$config_directory/groups",
            list.display()
        ));
        suite.write_table("groups", "user@example.com staff, crew\n");
        Server::ours(&suite, imap)
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("imap");
    let cases = fs::read_to_string(folder.join("acl.txt")).unwrap();
    let output = Command::new("python3")
        .arg(folder.join("acl.py"))
        .arg(imap.to_string())
        .args([mail.join("user"), folder.join("acl.txt"), list])
        .output()
        .unwrap();
    let found = String::from_utf8_lossy(&output.stdout);
    let expected = cases.lines().filter(|line| !line.starts_with('#'));
    for (found, expected) in found.lines().zip(expected.clone()) {
        assert_eq!(found, expected);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && found.lines().count() == expected.count(), "{errors}");
}

#[test]
fn lists_of_rights_mean_what_they_mean_to_dovecot() {
    if has_python() && (!is_peer() || has_dovecot()) {
        lists_come_out(is_peer());
    }
}

#[test]
fn lists_of_rights_mean_to_dovecot_what_is_written_down() {
    if has_python() && has_dovecot() {
        lists_come_out(true);
    }
}

#[test]
fn rights_stay_when_another_server_comes_and_goes() {
    if !has_python() || !has_dovecot() {
        return;
    }
    if is_peer() {
        return testkit::left_out("there is nothing to change to: the servers under test are the originals");
    }
    let (suite, [imap, pop3, ..]) = suite_with_maildir();
    let mail = suite.root().join("mail");
    let files = || {
        let read = |name: &str| fs::read_to_string(mail.join("user").join(name)).unwrap();
        // When the file was changed is a matter of the second in which this runs.
        let list: String = read("dovecot-acl-list")
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(_, name)| name)
            .collect();
        (read(".m/dovecot-acl"), list)
    };
    let mut expected = "ACL m".to_owned();
    for (round, who) in ["ann", "bob bee", "cid"].into_iter().enumerate() {
        let our_turn = round % 2 == 0;
        let server = if our_turn { Server::ours(&suite, imap) } else { Server::dovecot(&mail, imap, pop3) };
        if round == 0 {
            play(imap, "CREATE m => OK");
        } else {
            play(
                imap,
                &format!(
                    "GETACL m => {expected} user@example.com alr | OK\nMYRIGHTS m => MYRIGHTS m lra | OK"
                ),
            );
            play(imap, "SELECT m => KEEPS  | OK READ-ONLY\nUNSELECT => OK\nDELETE m => NO NOPERM");
        }
        let who = if who.contains(' ') { format!("\"{who}\"") } else { who.to_owned() };
        play(imap, &format!("SETACL m user@example.com lr => OK\nSETACL m {who} lrs => OK"));
        expected = format!("{expected} {who} lrs");
        drop(server);
        let (rights, list) = files();
        assert!(rights.ends_with("user=user@example.com alr\n"), "{rights}");
        assert_eq!(rights.lines().count(), round + 2, "{rights}");
        assert_eq!(list, "m", "round {round}");
    }
}
