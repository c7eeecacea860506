//! Programs that people read their mail with, against the whole suite. One that is not installed is left out.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tests::{Builder, Suite};

/// getmail and Dovecot refuse to work as root.
const NOBODY: u32 = 65534;

/// A suite with both servers, and a client's home.
struct Readers {
    suite: Suite,
    imap: u16,
    pop3: u16,
    home: TempDir,
}

impl Readers {
    fn start(main: &str) -> Self {
        let mut builder = Builder::new()
            .example_com()
            .main("virtual_password_maps = hash:$config_directory/passwords\nlogin_default_domain = example.com")
            .main(main)
            .table("passwords", "user@example.com {PLAIN}secret\nmbox@example.com {PLAIN}secret\n");
        let (imap, pop3) = (builder.reserve_port(), builder.reserve_port());
        let master = format!(
            "127.0.0.1:{imap} inet n - n - - imapd\n127.0.0.1:{pop3} inet n - n - - pop3d\nauth unix - - n - - authd\n"
        );
        let suite = builder.master(&master).start();
        Self { suite, imap, pop3, home: tempfile::tempdir().unwrap() }
    }

    /// Delivers so many messages to the user.
    fn deliver(&self, count: usize) {
        let before = self.suite.messages("user/").len();
        for number in before..before + count {
            let text = format!(
                "From: a@x.example\nSubject: letter {number}\nMessage-ID: <{number}@x>\n\nHello {number}\n"
            );
            self.suite.send("a@x.example", &["user@example.com"], &text);
        }
        self.suite.wait_messages("user/", before + count);
    }

    /// A file in the client's home that nobody else may read.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// What a client says on standard output and how it ended; none where it is not installed.
    fn run(&self, program: &str, arguments: &[&str], input: &str) -> Option<(String, i32)> {
        run(self.home.path(), program, arguments, input)
    }

    /// As [`Readers::run`] for one that must succeed.
    fn succeeds(&self, program: &str, arguments: &[&str], input: &str) -> Option<String> {
        let (said, status) = self.run(program, arguments, input)?;
        assert_eq!(status, 0, "{program}: {said}\n{}", self.suite.log_end());
        Some(said)
    }
}

/// Standard output and error, and the status; none where the program is not installed.
fn run(home: &Path, program: &str, arguments: &[&str], input: &str) -> Option<(String, i32)> {
    use std::io::Write;
    let mut command = Command::new(program);
    command.args(arguments).env("HOME", home).current_dir(home);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        testkit::left_out(&format!("{program} is not installed"));
        return None;
    };
    // Kept open: a terminal whose input ends is no terminal for mutt. One that wants no input may be gone already.
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    let text = [output.stdout, output.stderr].concat();
    Some((String::from_utf8_lossy(&text).into_owned(), output.status.code().unwrap_or(-1)))
}

/// All files below a directory, with their contents.
fn files(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push((path.clone(), fs::read(&path).unwrap_or_default())),
        }
    }
    found.sort();
    found
}

/// The names of messages in a Maildir.
fn names(maildir: &Path) -> Vec<String> {
    let all =
        ["new", "cur"].into_iter().flat_map(|name| fs::read_dir(maildir.join(name)).into_iter().flatten());
    let mut names: Vec<String> =
        all.flatten().map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// mbsync keeps two stores the same; `H` stands for the home.
fn mbsync_rc(home: &Path, port: u16, user: &str) -> String {
    format!(
        "IMAPStore far\nHost 127.0.0.1\nPort {port}\nUser {user}\nPass secret\nSSLType None\nAuthMechs LOGIN\n\n\
         MaildirStore near\nPath {home}/mail/\nInbox {home}/mail/INBOX\nSubFolders Verbatim\n\n\
         Channel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSync All\nSyncState *\n",
        home = home.display()
    )
}

#[test]
fn mbsync_keeps_both_sides_the_same() {
    let readers = Readers::start("");
    readers.deliver(3);
    let home = readers.home.path().to_owned();
    fs::create_dir(home.join("mail")).unwrap();
    let rc = readers.write("mbsyncrc", &mbsync_rc(&home, readers.imap, "user@example.com"));
    let rc = rc.to_str().unwrap();
    let sync = || readers.succeeds("mbsync", &["-q", "-c", rc, "c"], "");
    if sync().is_none() {
        return readers.suite.stop();
    }
    let near = home.join("mail/INBOX");
    assert_eq!(names(&near).len(), 3);
    // Read one here, write one here, in a folder that is not there yet.
    let first = names(&near).remove(0);
    let here = ["new", "cur"]
        .map(|name| near.join(name).join(&first))
        .into_iter()
        .find(|path| path.exists())
        .unwrap();
    let base = first.split(":2,").next().unwrap().to_owned();
    fs::rename(&here, near.join("cur").join(format!("{base}:2,FS"))).unwrap();
    for name in ["cur", "new", "tmp"] {
        fs::create_dir_all(home.join("mail/Drafts").join(name)).unwrap();
    }
    fs::write(home.join("mail/Drafts/cur/1.1.here:2,D"), "From: me@x\nSubject: draft\n\nNot yet\n").unwrap();
    sync();
    let far = readers.suite.root().join("mail/user");
    assert_eq!(names(&far).iter().filter(|name| name.ends_with(":2,FS")).count(), 1, "{:?}", names(&far));
    assert_eq!(names(&far.join(".Drafts")).len(), 1);
    // Nothing is to be done any more.
    let before = (files(&home.join("mail")), names(&far));
    let said = readers.succeeds("mbsync", &["-c", rc, "c"], "").unwrap();
    assert_eq!((files(&home.join("mail")), names(&far)), before, "{said}");
    readers.suite.stop();
}

#[test]
fn fetchmail_fetches_each_message_once_by_both_protocols() {
    let readers = Readers::start("");
    readers.deliver(3);
    for (protocol, port) in [("pop3", readers.pop3), ("imap", readers.imap)] {
        let out = readers.home.path().join(format!("out.{protocol}"));
        let uidl = if protocol == "pop3" { "uidl" } else { "" };
        let rc = format!(
            "set no syslog\npoll 127.0.0.1 service {port} protocol {protocol} {uidl} user \"user@example.com\" password \
             \"secret\" sslproto \"\" keep mda \"cat >> {}\"\n",
            out.display()
        );
        let rc = readers.write(&format!("fetchmailrc.{protocol}"), &rc);
        let arguments = ["-f", rc.to_str().unwrap(), "-v"];
        let Some((said, status)) = readers.run("fetchmail", &arguments, "") else { break };
        assert_eq!(status, 0, "{said}");
        let fetched = || fs::read_to_string(&out).unwrap().matches("Subject: letter").count();
        assert_eq!(fetched(), 3, "{said}");
        // 1: there was no mail.
        let (said, status) = readers.run("fetchmail", &arguments, "").unwrap();
        assert_eq!((status, fetched()), (1, 3), "{said}");
    }
    readers.suite.stop();
}

#[test]
fn getmail_fetches_by_pop3_and_imap() {
    let readers = Readers::start("");
    readers.deliver(2);
    let home = readers.home.path().to_owned();
    for (kind, port) in [("SimplePOP3Retriever", readers.pop3), ("SimpleIMAPRetriever", readers.imap)] {
        let box_path = home.join(kind);
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(box_path.join(name)).unwrap();
        }
        let rc = format!(
            "[retriever]\ntype = {kind}\nserver = 127.0.0.1\nport = {port}\nusername = user@example.com\npassword = secret\n\
             [destination]\ntype = Maildir\npath = {}/\n[options]\nread_all = false\n",
            box_path.display()
        );
        let rc = readers.write(&format!("{kind}.rc"), &rc);
        let directory = format!("--getmaildir={}", home.display());
        let rc_argument = format!("--rcfile={}", rc.display());
        let mut arguments = vec!["getmail", &directory, &rc_argument];
        if sys::ids::is_root() {
            give(&home);
            arguments.splice(0..0, ["--reuid=65534", "--regid=65534", "--clear-groups"]);
            if Command::new("getmail").arg("--version").output().is_err() {
                testkit::left_out("getmail is not installed");
                break;
            }
        } else {
            arguments.splice(0..0, ["--inh-caps=-all"]);
        }
        for _ in 0..2 {
            if readers.succeeds("setpriv", &arguments, "").is_none() {
                return readers.suite.stop();
            }
            assert_eq!(names(&box_path).len(), 2, "{kind}");
        }
    }
    readers.suite.stop();
}

/// Everything below is nobody's.
fn give(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        give(&entry.path());
    }
}

#[test]
fn curl_fetches_searches_and_appends() {
    let readers = Readers::start("");
    readers.deliver(2);
    let letter = readers.write("letter", "From: a@x\r\nSubject: appended\r\n\r\nbody\r\n");
    let imap = format!("imap://127.0.0.1:{}", readers.imap);
    let curl = |arguments: &[&str]| {
        let login = ["-sS", "--user", "user@example.com:secret"];
        readers.succeeds("curl", &[&login, arguments].concat(), "")
    };
    if curl(&["-T", letter.to_str().unwrap(), &format!("{imap}/INBOX")]).is_some() {
        let found = curl(&["-X", "UID SEARCH SUBJECT appended", &format!("{imap}/INBOX")]).unwrap();
        assert_eq!(found.trim(), "* SEARCH 3");
        let read = curl(&[&format!("{imap}/INBOX;MAILINDEX=1;SECTION=TEXT")]).unwrap();
        assert!(read.starts_with("Hello "), "{read}");
        assert!(curl(&[&format!("{imap}/")]).unwrap().contains("INBOX"));
        let listed = curl(&[&format!("pop3://127.0.0.1:{}", readers.pop3)]).unwrap();
        assert_eq!(listed.lines().count(), 3, "{listed}");
        let all = curl(&[&format!("pop3://127.0.0.1:{}/3", readers.pop3)]).unwrap();
        assert_eq!(all, fs::read_to_string(&letter).unwrap());
    }
    readers.suite.stop();
}

#[test]
fn openssl_speaks_to_both_over_tls() {
    let home = tempfile::tempdir().unwrap();
    if run(home.path(), "openssl", &["version"], "").is_none() {
        return;
    }
    let (key, certificate) = tests::certificate::make(home.path(), "localhost");
    let (key_text, certificate_text) = (key.to_str().unwrap(), certificate.to_str().unwrap());
    let main = format!("smtpd_tls_cert_file = {certificate_text}\nsmtpd_tls_key_file = {key_text}");
    let mut builder = Builder::new()
        .example_com()
        .main("virtual_password_maps = hash:$config_directory/passwords\nlogin_default_domain = example.com")
        .main(&main)
        .table("passwords", "user@example.com {PLAIN}secret\n");
    let ports: Vec<u16> = (0..4).map(|_| builder.reserve_port()).collect();
    let master = format!(
        "127.0.0.1:{} inet n - n - - imapd\n127.0.0.1:{} inet n - n - - pop3d\n\
         127.0.0.1:{} inet n - n - - imapd -o imapd_tls_wrappermode=yes\n\
         127.0.0.1:{} inet n - n - - pop3d -o pop3d_tls_wrappermode=yes\nauth unix - - n - - authd\n",
        ports[0], ports[1], ports[2], ports[3]
    );
    let suite = builder.master(&master).start();
    let (imap, pop3) = ("a LOGIN user secret\r\nb LOGOUT\r\n", "USER user\r\nPASS secret\r\nQUIT\r\n");
    for (port, starttls, input, last) in [
        (ports[0], "imap", imap, "b OK"),
        (ports[1], "pop3", pop3, "+OK Logging out"),
        (ports[2], "", imap, "b OK"),
        (ports[3], "", pop3, "+OK Logging out"),
    ] {
        let address = format!("127.0.0.1:{port}");
        let mut arguments = vec!["s_client", "-ign_eof", "-connect", &address, "-CAfile", certificate_text];
        arguments.extend(["-verify_return_error", "-crlf"]);
        if !starttls.is_empty() {
            arguments.extend(["-starttls", starttls]);
        }
        let input = input.replace("\r\n", "\n");
        let (said, status) = run(home.path(), "openssl", &arguments, &input).unwrap();
        assert!(status == 0 && said.contains(last), "{starttls} {port}: {said}\n{}", suite.log_end());
    }
    suite.stop();
}

#[test]
fn a_full_mailbox_is_told_at_rcpt_and_by_imap_and_bounces_what_comes_all_the_same() {
    let mut builder = Builder::new()
        .example_com()
        .main("virtual_password_maps = hash:$config_directory/passwords\nlogin_default_domain = example.com")
        .main("mailbox_quota_maps = inline:{user@example.com=3K}")
        .main("smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service unix:private/quota-status")
        .table("passwords", "user@example.com {PLAIN}secret\n");
    let imap = builder.reserve_port();
    let master = format!(
        "127.0.0.1:{imap} inet n - n - - imapd\nauth unix - - n - - authd\nquota-status unix - n n - - virtual\n"
    );
    let suite = builder.master(&master).start();
    let letter = format!("From: a@x.example\nSubject: large\n\n{}", "x".repeat(70) + "\n");
    suite.send("a@x.example", &["user@example.com"], &letter);
    suite.wait_messages("user/", 1);
    // With its size announced, what does not fit is refused before it is sent.
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<a@x.example> SIZE=5000", 250);
    let refused = client.expect("RCPT TO:<user@example.com>", 552);
    assert_eq!(refused.text, "5.2.2 <user@example.com>: Recipient address rejected: Mailbox is full");
    client.expect("RCPT TO:<other@example.com>", 250);
    client.expect("RSET", 250);
    // Without, it comes back.
    let id =
        client.send("a@x.example", &["user@example.com"], &format!("Subject: x\n\n{}", "y\n".repeat(4000)));
    client.quit();
    let line = suite.wait_log(&[&id, "to=<user@example.com>", "dsn=5.2.2", "status=bounced"]);
    assert!(line.contains("Quota exceeded (mailbox for user is full)"), "{line}");
    assert_eq!(suite.messages("user/").len(), 1);
    let sizes = fs::read_to_string(suite.root().join("mail/user/maildirsize")).unwrap();
    assert!(sizes.starts_with("3072S\n"), "{sizes}");
    let script = format!(
        "
import imaplib
it = imaplib.IMAP4('127.0.0.1', {imap})
it.login('user', 'secret')
assert {{'QUOTA', 'QUOTA=RES-STORAGE', 'QUOTA=RES-MESSAGE'}} <= set(it.capability()[1][0].decode().split()), it.capability()
quota = it.getquotaroot('INBOX')[1]
assert b'STORAGE 1 3' in quota[1][0], quota
it.select(); it.store('1', '+FLAGS', '(\\Deleted)'); it.unselect()
assert it.status('INBOX', '(DELETED DELETED-STORAGE)')[1] == [b'INBOX (DELETED 1 DELETED-STORAGE 1)']
assert it.append('INBOX', None, None, b'S: x\\r\\n\\r\\n' + b'z' * 4000)[0] == 'NO'
"
    );
    if let Some((said, status)) = run(suite.root(), "python3", &["-c", &script], "") {
        assert_eq!(status, 0, "{said}");
    }
    suite.stop();
}

#[test]
fn a_user_whose_mailbox_is_a_file_reads_it_and_has_folders() {
    let readers = Readers::start("");
    for number in 0..2 {
        let text = format!("From: a@x.example\nSubject: letter {number}\n\nHello {number}\n");
        readers.suite.send("a@x.example", &["mbox@example.com"], &text);
        readers.suite.wait_messages("mbox", number + 1);
    }
    let script = format!(
        "
import imaplib, poplib
it = imaplib.IMAP4('127.0.0.1', {})
def ok(answer):
    assert answer[0] == 'OK', answer
    return answer[1]
ok(it.login('mbox', 'secret'))
assert ok(it.select()) == [b'2']
ok(it.create('Work/2026'))
ok(it.subscribe('Work/2026'))
ok(it.uid('COPY', '1', 'Work/2026'))
ok(it.store('1', '+FLAGS', '(\\\\Seen $Important)'))
assert [line.split()[-1] for line in ok(it.list())] == [b'INBOX', b'Work', b'Work/2026'], it.list()
assert ok(it.status('Work/2026', '(MESSAGES UNSEEN)')) == [b'Work/2026 (MESSAGES 1 UNSEEN 1)']
assert ok(it.append('Work/2026', None, None, b'Subject: x\\r\\n\\r\\ny\\r\\n'))
ok(it.rename('Work/2026', 'Old/2026'))
assert ok(it.select('Old/2026')) == [b'2']
assert b'Hello 0' in ok(it.fetch('1', '(BODY[TEXT])'))[0][1]
it.logout()
drop = poplib.POP3('127.0.0.1', {})
drop.user('mbox'); drop.pass_('secret')
assert len(drop.list()[1]) == 2
assert b'Hello 1' in drop.retr(2)[1]
drop.dele(1); drop.quit()
",
        readers.imap, readers.pop3
    );
    if readers.succeeds("python3", &["-c", &script], "").is_some() {
        let left = readers.suite.wait_messages("mbox", 1);
        assert_eq!(left[0].header("Subject").as_deref(), Some("letter 1"));
        let folders = readers.suite.root().join("mail/mbox.folders");
        assert!(folders.join("Old/2026").is_file() && folders.join(".subscriptions").is_file());
    }
    readers.suite.stop();
}

#[test]
fn a_command_that_takes_long_is_told_to_go_on() {
    let readers = Readers::start("imapd_progress_notify_interval = 1s");
    readers.suite.send("a@x.example", &["mbox@example.com"], "Subject: one\n\nHello\n");
    readers.suite.wait_messages("mbox", 1);
    let script = format!(
        "
import imaplib, os, socket
socket.setdefaulttimeout({patience})
it = imaplib.IMAP4('127.0.0.1', {port})
it.login('mbox', 'secret')
assert b' INPROGRESS ' in it.capability()[1][0], it.capability()
assert it.select()[1] == [b'1']
# Another program holds the mailbox.
with open('{path}.lock', 'x') as lock: lock.write(str(os.getpid()))
it.send(b's1 STORE 1 +FLAGS (\\\\Seen)\\r\\n')
for _ in range(2):
    line = it.readline()
    assert line.startswith(b'* OK [INPROGRESS (\"s1\" NIL NIL)] '), line
os.unlink('{path}.lock')
while not (line := it.readline()).startswith(b's1 '): assert line.startswith(b'* '), line
assert line.startswith(b's1 OK'), line
",
        patience = tests::suite::PATIENCE.as_secs(),
        port = readers.imap,
        path = readers.suite.root().join("mail/mbox").display(),
    );
    readers.succeeds("python3", &["-c", &script], "");
    readers.suite.stop();
}

#[test]
fn a_client_that_idles_hears_of_mail_in_a_file_that_took_the_place_of_its_mbox() {
    let readers = Readers::start("");
    readers.suite.send("a@x.example", &["mbox@example.com"], "Subject: one\n\nHello\n");
    readers.suite.wait_messages("mbox", 1);
    let script = format!(
        "
import imaplib, os, socket
socket.setdefaulttimeout({patience})
it = imaplib.IMAP4('127.0.0.1', {port})
it.login('mbox', 'secret')
assert it.select()[1] == [b'1']
it.send(b'i IDLE\\r\\n')
assert it.readline().startswith(b'+ ')
path = '{path}'
LETTER = 'From a@x.example Sun Nov 22 10:00:00 2026\\nSubject: more\\n\\nHello again\\n\\n'
def hears(count):
    while (line := it.readline()) != b'* %d EXISTS\\r\\n' % count:
        assert line and line.startswith(b'* '), line
for count in (2, 4):
    # As mutt and many others save a mailbox.
    was = os.stat(path)
    with open(path) as old, open(path + '.new', 'w') as new: new.write(old.read() + LETTER)
    os.chown(path + '.new', was.st_uid, was.st_gid)
    os.chmod(path + '.new', was.st_mode & 0o777)
    os.rename(path + '.new', path)
    hears(count)
    with open(path, 'a') as file: file.write(LETTER)
    hears(count + 1)
it.send(b'DONE\\r\\n')
",
        patience = tests::suite::PATIENCE.as_secs(),
        port = readers.imap,
        path = readers.suite.root().join("mail/mbox").display(),
    );
    readers.succeeds("python3", &["-c", &script], "");
    readers.suite.stop();
}
