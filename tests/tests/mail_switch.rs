//! The same Maildir served by Dovecot, by us, and by Dovecot again, while the programs that people read it with go on.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tests::{Builder, Suite};

/// Uid and gid of the suite's mailboxes when the tests run as root; Dovecot reads with them, too.
const MAILBOX_ID: u32 = 5001;

/// Dovecot on the mailboxes of a suite; killed when dropped.
struct Dovecot {
    child: Child,
    _home: TempDir,
}

impl Dovecot {
    /// None where there is no Dovecot, or no right to run it.
    fn can_run() -> bool {
        let there = sys::ids::is_root() && Command::new("dovecot").arg("--version").output().is_ok();
        if !there {
            testkit::left_out("Dovecot is not installed, or this is not root");
        }
        there
    }

    fn start(mail: &Path, imap: u16, pop3: u16) -> Self {
        let home = tempfile::Builder::new().prefix("dovecot-").tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let root = home.path().display();
        let conf = format!(
            "base_dir = {root}/run\nstate_dir = {root}/state\nlog_path = {root}/log\nprotocols = imap pop3\n\
             listen = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\nfirst_valid_uid = 1\n\
             mail_uid = {MAILBOX_ID}\nmail_gid = {MAILBOX_ID}\nmail_location = maildir:~/\n\
             default_internal_user = {user}\ndefault_login_user = {user}\n\
             namespace inbox {{\n inbox = yes\n separator = .\n}}\n\
             passdb {{\n driver = static\n args = password=secret\n}}\n\
             userdb {{\n driver = static\n args = uid={MAILBOX_ID} gid={MAILBOX_ID} home={mail}/%n\n}}\n\
             service imap-login {{\n chroot =\n inet_listener imap {{\n port = {imap}\n }}\n inet_listener imaps {{\n port = 0\n }}\n}}\n\
             service pop3-login {{\n chroot =\n inet_listener pop3 {{\n port = {pop3}\n }}\n inet_listener pop3s {{\n port = 0\n }}\n}}\n",
            mail = mail.display(),
            user = "dovecot",
        );
        fs::write(home.path().join("conf"), conf).unwrap();
        let mut command = Command::new("dovecot");
        command.arg("-F").arg("-c").arg(home.path().join("conf"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let dovecot = Self { child, _home: home };
        dovecot.wait_until_it_serves(imap);
        dovecot
    }

    fn wait_until_it_serves(&self, port: u16) {
        let patience = std::time::Instant::now() + tests::suite::PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(std::time::Instant::now() < patience, "Dovecot does not start");
            std::thread::yield_now();
        }
    }

    fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = sys::signals::send(self.child.id(), sys::signals::SignalKind::SIGTERM);
        let _ = self.child.wait();
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.end();
    }
}

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

fn there_is(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        testkit::left_out(&format!("{program} is not installed"));
    }
    there
}

/// A suite that is down, with a user's Maildir.
fn suite() -> (Suite, [u16; 2]) {
    let mut builder = Builder::new()
        .example_com()
        .main("virtual_password_maps = hash:$config_directory/passwords")
        .table("passwords", "user@example.com {PLAIN}secret\n");
    let ports = [(); 2].map(|()| builder.reserve_port());
    let [imap, pop3] = ports;
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
    if !Dovecot::can_run() || !there_is("mbsync") || !there_is("fetchmail") || !there_is("python3") {
        return;
    }
    let (suite, [imap, pop3]) = suite();
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
