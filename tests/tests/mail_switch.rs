//! The same Maildir served by Dovecot, by us, and by Dovecot again, while the programs that people read it with go on.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tests::Suite;
use tests::dovecot::{Dovecot, MAILBOX_ID, suite_with_maildir};

/// A user who has a mailbox there, and programs that go on whoever serves it.
struct Reader {
    home: TempDir,
}

impl Reader {
    fn run(&self, program: &str, arguments: &[&str]) -> (String, i32) {
        let mut command = Command::new(program);
        command.args(arguments).env("HOME", self.home.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&text).into_owned(), output.status.code().unwrap_or(-1))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn mbsync(&self, port: u16) {
        let home = self.home.path().display();
        let rc = self.write(
            "mbsyncrc",
            &format!(
                "IMAPStore far\nHost 127.0.0.1\nPort {port}\nUser user@example.com\nPass secret\nSSLType None\nAuthMechs LOGIN\n\n\
                 MaildirStore near\nPath {home}/mail/\nInbox {home}/mail/INBOX\nSubFolders Verbatim\n\n\
                 Channel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSync All\nSyncState *\n"
            ),
        );
        let (said, status) = self.run("mbsync", &["-q", "-c", rc.to_str().unwrap(), "c"]);
        assert_eq!(status, 0, "{said}");
    }

    /// How many messages it fetches that it did not have.
    fn fetchmail(&self, port: u16) -> usize {
        let out = self.home.path().join("fetched");
        let rc = self.write(
            "fetchmailrc",
            &format!(
                "set no syslog\npoll 127.0.0.1 service {port} protocol pop3 uidl user \"user@example.com\" password \"secret\" \
                 sslproto \"\" keep mda \"cat >> {}\"\n",
                out.display()
            ),
        );
        let count = || fs::read_to_string(&out).unwrap_or_default().matches("\nSubject: letter").count();
        let before = count();
        let (said, status) = self.run("fetchmail", &["-f", rc.to_str().unwrap()]);
        assert!(status < 2, "{said}");
        count() - before
    }

    /// The synced messages with their flags, by folder: what mbsync wrote down of UIDs changes with nothing else.
    fn near(&self) -> Vec<String> {
        let mut found = Vec::new();
        for folder in fs::read_dir(self.home.path().join("mail")).unwrap().flatten() {
            for part in ["new", "cur"] {
                for entry in fs::read_dir(folder.path().join(part)).into_iter().flatten().flatten() {
                    let name = entry.file_name().into_string().unwrap();
                    found.push(format!("{}/{name}", folder.file_name().into_string().unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    /// What IMAP shows: for each folder UIDVALIDITY, UIDs, flags, and the subscriptions.
    fn seen(&self, port: u16) -> String {
        let script = format!(
            "
import imaplib, re
it = imaplib.IMAP4('127.0.0.1', {port})
it.login('user@example.com', 'secret')
for line in sorted(it.lsub()[1]):
    print('subscribed', line.split()[-1].decode())
for name in sorted(line.split()[-1].decode() for line in it.list()[1]):
    count = int(it.select(name, readonly=True)[1][0])
    validity = it.response('UIDVALIDITY')[1][0].decode()
    print(name, validity, count)
    for line in it.fetch('1:*', '(UID FLAGS)')[1] if count else []:
        line = line.decode()
        flags = sorted(flag for flag in re.search(r'FLAGS \\(([^)]*)\\)', line).group(1).split() if flag != '\\\\Recent')
        print(re.search(r'UID (\\d+)', line).group(1), *flags)
it.logout()
"
        );
        let (said, status) = self.run("python3", &["-c", &script]);
        assert_eq!(status, 0, "{said}");
        said
    }

    /// A client that keeps flags by QRESYNC (RFC 7162) and messages for good: how many it fetches that it did not have.
    /// What it keeps has to be what is there.
    fn resynchronise(&self, port: u16) -> usize {
        let kept = self.home.path().join("qresync.json");
        let (said, status) = self.run("python3", &["-c", QRESYNC, &port.to_string(), kept.to_str().unwrap()]);
        assert_eq!(status, 0, "{said}");
        said.trim().parse().unwrap()
    }

    /// What a user does: reads, marks, files and writes.
    fn work(&self, port: u16, round: usize) {
        let script = format!(
            "
import imaplib
it = imaplib.IMAP4('127.0.0.1', {port})
def ok(answer):
    assert answer[0] == 'OK', answer
    return answer[1]
ok(it.login('user@example.com', 'secret'))
ok(it.select())
ok(it.store('{round}', '+FLAGS', '(\\\\Seen $Label{round} work)'))
it.create('Work'); ok(it.subscribe('Work'))
ok(it.create('Work.{round}'))
ok(it.uid('COPY', it.uid('SEARCH', None, 'UNSEEN')[1][0].split()[0].decode(), 'Work.{round}'))
ok(it.append('Work', '(\\\\Flagged)', None, b'Subject: letter written {round}\\r\\n\\r\\nx\\r\\n'))
it.logout()
"
        );
        let (said, status) = self.run("python3", &["-c", &script]);
        assert_eq!(status, 0, "{said}");
    }
}

/// The client: arguments are the port, and the file in which it keeps what it knows.
const QRESYNC: &str = r#"
import imaplib, json, os, re, sys
port, path = int(sys.argv[1]), sys.argv[2]
kept = json.load(open(path)) if os.path.exists(path) else {}
it = imaplib.IMAP4('127.0.0.1', port)
it.login('user@example.com', 'secret')
def do(line):
    it.send(b'q ' + line.encode() + b'\r\n')
    lines = []
    while True:
        line = it.readline().decode('latin1').rstrip('\r\n')
        assert line, lines
        while match := re.search(r'\{(\d+)\}$', line):
            line += '\n' + it.read(int(match.group(1))).decode('latin1') + it.readline().decode('latin1').rstrip('\r\n')
        if line.startswith('q '):
            assert line.startswith('q OK'), (line, lines)
            return lines + [line]
        lines.append(line)
def numbers(text):
    for part in text.split(','):
        first, _, last = part.partition(':')
        yield from range(int(first), int(last or first) + 1)
def flags(line):
    return sorted(flag for flag in re.search(r'FLAGS \(([^)]*)\)', line).group(1).split() if flag != r'\Recent')
def code(lines, name):
    return next((int(match.group(1)) for line in lines if (match := re.search(name + r' (\d+)\]', line))), None)
do('ENABLE QRESYNC')
fetched = 0
for name in [line.split()[-1].decode() for line in it.list()[1]]:
    box = kept.setdefault(name, {'validity': 0, 'modseq': 0, 'flags': {}, 'text': {}})
    known = ' (QRESYNC (%d %d))' % (box['validity'], box['modseq']) if box['modseq'] else ''
    lines = do('SELECT ' + name + known)
    validity, modseq = code(lines, 'UIDVALIDITY'), code(lines, 'HIGHESTMODSEQ')
    assert box['validity'] in (0, validity), (name, box['validity'], validity)
    if modseq < box['modseq']:
        # Another server counts from below: flags are asked for, messages are not.
        lines += do('UID FETCH 1:* (FLAGS)')
    if not known: lines += do('UID FETCH 1:* (FLAGS)')
    for line in lines:
        if match := re.match(r'\* VANISHED (?:\(EARLIER\) )?(\S+)', line):
            for uid in numbers(match.group(1)):
                box['flags'].pop(str(uid), None); box['text'].pop(str(uid), None)
        elif match := re.match(r'\* \d+ FETCH .*UID (\d+)', line):
            box['flags'][match.group(1)] = flags(line)
    for uid in sorted(box['flags'], key=int):
        if uid not in box['text']:
            box['text'][uid] = ''.join(do('UID FETCH %s (BODY.PEEK[])' % uid)[:-1]).partition('{')[2]
            fetched += 1
    there = {re.search(r'UID (\d+)', line).group(1): flags(line) for line in do('UID FETCH 1:* (FLAGS)')[:-1] if ' FETCH ' in line}
    assert there == box['flags'], (name, there, box['flags'])
    box['validity'], box['modseq'] = validity, modseq
json.dump(kept, open(path, 'w'))
it.logout()
print(fetched)
"#;

fn can_run_dovecot() -> bool {
    let can = Dovecot::can_run();
    if !can {
        testkit::left_out("Dovecot is not installed, or this is not root");
    }
    can
}

fn there_is(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        testkit::left_out(&format!("{program} is not installed"));
    }
    there
}

/// Delivers as any delivery agent does.
fn deliver(suite: &Suite, round: usize) {
    let new = suite.root().join("mail/user/new");
    for number in 0..3 {
        let text = format!(
            "From: a@x\nSubject: letter {round}.{number}\nMessage-ID: <{round}.{number}@x>\n\nHello\n"
        );
        let path = new.join(format!("17{round}000000{number}.M{number}P1.mx"));
        fs::write(&path, text).unwrap();
        chown(&path, Some(MAILBOX_ID), Some(MAILBOX_ID)).unwrap();
    }
}

#[test]
fn a_mailbox_goes_from_dovecot_to_us_and_back_and_nothing_is_fetched_again() {
    if !can_run_dovecot() || !there_is("mbsync") || !there_is("fetchmail") || !there_is("python3") {
        return;
    }
    let (suite, [imap, pop3, ..]) = suite_with_maildir();
    let mail = suite.root().join("mail");
    let reader = Reader { home: tempfile::tempdir().unwrap() };
    fs::create_dir(reader.home.path().join("mail")).unwrap();
    let mut last: Option<(String, Vec<String>)> = None;
    for round in 1..=5 {
        let dovecot = (round % 2 == 1).then(|| Dovecot::start(&mail, imap, pop3));
        if dovecot.is_none() {
            suite.start();
            suite.until("an IMAP banner", || TcpStream::connect(("127.0.0.1", imap)).ok());
        }
        // Whoever comes finds what was left, and the programs fetch nothing.
        if let Some((seen, near)) = &last {
            assert_eq!(&reader.seen(imap), seen, "round {round}");
            assert_eq!(reader.fetchmail(pop3), 0, "round {round}");
            assert_eq!(reader.resynchronise(imap), 0, "round {round}");
            reader.mbsync(imap);
            assert_eq!(&reader.near(), near, "round {round}");
        }
        deliver(&suite, round);
        reader.work(imap, round);
        assert_eq!(reader.fetchmail(pop3), 3, "round {round}");
        // Three were delivered, one was copied and one written.
        assert_eq!(reader.resynchronise(imap), 5, "round {round}");
        reader.mbsync(imap);
        reader.mbsync(imap);
        last = Some((reader.seen(imap), reader.near()));
        match dovecot {
            Some(dovecot) => dovecot.stop(),
            None => suite.stop(),
        }
    }
}
