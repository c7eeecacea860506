//! Users read their mail by IMAP: Python's client against the whole suite.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use tests::suite::PATIENCE;
use tests::{Builder, Suite};

/// What every script begins with.
const BEGIN: &str = "
import imaplib, socket, ssl, sys
imaplib.Debug = 0
port, certificate, patience = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
socket.setdefaulttimeout(patience)
def ok(answer):
    assert answer[0] == 'OK', answer
    return answer[1]
def client():
    return imaplib.IMAP4('127.0.0.1', port)
def user(name='user@example.com'):
    it = client()
    ok(it.login(name, 'secret'))
    return it
def refused(do):
    try: do()
    except imaplib.IMAP4.error as error: return str(error)
    raise AssertionError('not refused')
LETTER = b'Subject: one\\r\\nFrom: a@example.com\\r\\n\\r\\nHello\\r\\n'
";

/// IMAP on the suite's port; mail comes by sendmail(1).
const MASTER: &str = "127.0.0.1:@PORT@ inet n - n - - imapd
auth      unix  -  -  n  -  -  authd
pickup    unix  n  -  n  60 1  pickup
cleanup   unix  n  -  n  -  0  cleanup
qmgr      unix  n  -  n  300 1 qmgr
tlsmgr    unix  -  -  n  -  1  tlsmgr
rewrite   unix  -  -  n  -  -  trivial-rewrite
bounce    unix  -  -  n  -  0  bounce
defer     unix  -  -  n  -  0  bounce
trace     unix  -  -  n  -  0  bounce
virtual   unix  -  n  n  -  -  virtual
postlog   unix-dgram n - n - 1 postlogd
";

fn has(program: &str, argument: &str) -> bool {
    let there = Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success());
    if !there {
        testkit::left_out(&format!("{program} is not installed"));
    }
    there
}

fn suite(more: &str) -> Builder {
    let users = ["user", "other"].map(|user| format!("{user}@example.com {{PLAIN}}secret\n")).concat();
    Builder::new()
        .example_com()
        .master_cf(MASTER)
        .main("virtual_password_maps = hash:$config_directory/passwords")
        .main(more)
        .table("passwords", &users)
}

/// Runs a script; what it asserts has to hold.
fn play(suite: &Suite, certificate: &Path, script: &str) {
    let output = Command::new("python3")
        .arg("-c")
        .arg(format!("{BEGIN}{script}"))
        .arg(suite.port().to_string())
        .arg(certificate)
        .arg(PATIENCE.as_secs().to_string())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{}", suite.log_end());
}

#[test]
fn mail_that_was_delivered_is_read_marked_moved_and_removed() {
    if !has("python3", "--version") {
        return;
    }
    let suite = suite("").start();
    suite.run_with("sendmail", &["-f", "s@x.example", "user@example.com"], "Subject: delivered\n\nHi\n");
    suite.wait_messages("user/", 1);
    play(
        &suite,
        Path::new(""),
        "
it = user()
assert ok(it.select()) == [b'1']
assert b'delivered' in ok(it.fetch('1', '(BODY.PEEK[HEADER.FIELDS (SUBJECT)])'))[0][1]
ok(it.append('INBOX', '(\\\\Flagged)', None, LETTER))
assert ok(it.search(None, 'FLAGGED', 'BODY', 'hello')) == [b'2']
assert ok(it.fetch('2', '(BODY[])'))[0][1] == LETTER
assert b'\\\\Seen' in ok(it.fetch('2', '(FLAGS)'))[0]
ok(it.create('Archive'))
assert [line.split()[-1] for line in ok(it.list())] == [b'Archive', b'INBOX'], it.list()
ok(it.uid('COPY', '2', 'Archive'))
assert 'COPYUID' in it.untagged_responses, it.untagged_responses
ok(it.store('2', '+FLAGS', '(\\\\Deleted)'))
assert ok(it.expunge()) == [b'2']
assert ok(it.status('Archive', '(MESSAGES UNSEEN)')) == [b'Archive (MESSAGES 1 UNSEEN 0)']
assert 'QRESYNC' in refused(lambda: it.uid('FETCH', '1:*', '(FLAGS) (CHANGEDSINCE 1 VANISHED)'))
ok(it.close())
it.logout()
",
    );
    assert_eq!(suite.messages("user/").len(), 1);
    suite.stop();
}

#[test]
fn two_clients_of_a_mailbox_see_each_other_and_strangers_see_nothing() {
    if !has("python3", "--version") {
        return;
    }
    let suite = suite("login_failure_delay = 0").start();
    play(
        &suite,
        Path::new(""),
        "
first, second = user(), user()
first.select(); second.select()
second.send(b'i1 IDLE\\r\\n')
assert second.readline().startswith(b'+ ')
ok(first.append('INBOX', None, None, LETTER))
line = second.readline()
assert line == b'* 1 EXISTS\\r\\n', line
second.send(b'DONE\\r\\n')
while not second.readline().startswith(b'i1 OK'): pass
assert ok(user('other@example.com').select()) == [b'0']
it = client()
assert 'AUTHENTICATIONFAILED' in refused(lambda: it.login('user@example.com', 'wrong'))
refused(lambda: it.select())
",
    );
    suite.stop();
}

#[test]
fn with_tls_required_no_password_is_taken_before_it() {
    if !has("python3", "--version") || !has("openssl", "version") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = tests::certificate::make(folder.path(), "localhost");
    let suite = suite(&format!(
        "imapd_tls_security_level = encrypt\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}",
        certificate.display(),
        key.display()
    ))
    .start();
    play(
        &suite,
        &certificate,
        "
it = client()
assert 'LOGINDISABLED' in it.capabilities, it.capabilities
assert 'PRIVACYREQUIRED' in refused(lambda: it.login('user@example.com', 'secret'))
ok(it.starttls(ssl.create_default_context(cafile=certificate)))
assert 'LOGINDISABLED' not in it.capabilities
ok(it.login('user@example.com', 'secret'))
large = LETTER + b'x' * 78 + b'\\r\\n'
large += (b'y' * 78 + b'\\r\\n') * 20000
ok(it.append('INBOX', None, None, large))
assert ok(it.select()) == [b'1']
assert ok(it.fetch('1', '(BODY[])'))[0][1] == large
it.logout()
",
    );
    suite.stop();
}

#[test]
fn newer_clients_find_their_extensions() {
    if !has("python3", "--version") {
        return;
    }
    let suite = suite("").start();
    play(
        &suite,
        Path::new(""),
        "
import zlib
it = user()
def do(line, *more):
    it.send(b'x ' + line + b'\\r\\n')
    lines = []
    while not lines or not lines[-1].startswith(b'x '): lines.append(it.readline())
    assert lines[-1].startswith(b'x OK'), lines
    return lines
do(b'CREATE Gesendet (USE (\\\\Sent))')
assert b'* LIST (\\\\HasNoChildren \\\\Sent) \".\" Gesendet\\r\\n' in do(b'LIST \"\" *')
do(b'SETMETADATA Gesendet (/private/comment \"for you\")')
do(b'RENAME Gesendet Sent2')
told = do(b'GETMETADATA Sent2 (/private/comment /shared/comment)')
assert told[0] == b'* METADATA Sent2 (/private/comment \"for you\" /shared/comment NIL)\\r\\n', told
do(b'APPEND INBOX {3+}\\r\\nold')
do(b'ENABLE IMAP4rev2')
assert not [line for line in do(b'SELECT INBOX') if b'RECENT' in line]
assert b'* 1 EXPUNGE\\r\\n' in do(b'REPLACE 1 INBOX {6+}\\r\\n\\r\\nnew!')
assert b'* ESEARCH (TAG \"x\") ALL 1\\r\\n' in do(b'SEARCH BODY new'), do(b'SEARCH ALL')
assert b'* ESEARCH (TAG \"x\")\\r\\n' in do(b'SEARCH RETURN (UPDATE) FLAGGED')
assert b'* ESEARCH (TAG \"x\") ADDTO (0 1)\\r\\n' in do(b'STORE 1 +FLAGS (\\\\Flagged)')
do(b'CREATE \"' + 'Entwürfe'.encode() + b'\"')
assert [line for line in do(b'LIST \"\" *') if 'Entwürfe'.encode() in line]
do(b'COMPRESS DEFLATE')
deflate, inflate = zlib.compressobj(wbits=-15), zlib.decompressobj(-15)
it.send(deflate.compress(b'y FETCH 1 BODY[]\\r\\n') + deflate.flush(zlib.Z_SYNC_FLUSH))
answer = b''
while b'y OK' not in answer: answer += inflate.decompress(it.sock.recv(4096))
assert b'BODY[] {6}\\r\\n\\r\\nnew!' in answer, answer
",
    );
    suite.stop();
}

/// A connection that hears what nobody has asked for.
const RAW: &str = r"
import re
class Raw:
    def __init__(it, name='user@example.com'):
        it.socket = socket.create_connection(('127.0.0.1', port), patience)
        it.file = it.socket.makefile('rb')
        it.line()
        it.do('LOGIN %s secret' % name)
    def line(it):
        line = it.file.readline()
        assert line, 'closed'
        return line.decode('latin1').rstrip('\r\n')
    def send(it, line):
        it.socket.sendall(line.encode('latin1') + b'\r\n')
    def say(it, line, reply='OK'):
        it.send('x ' + line)
        lines = []
        while not lines or not lines[-1].startswith('x '): lines.append(it.line())
        assert lines[-1].startswith('x ' + reply), (line, lines)
        return lines
    def do(it, line):
        return it.say(line)[:-1]
    def hear(it, *patterns):
        for pattern in patterns:
            line = it.line()
            assert re.fullmatch(pattern, line), (pattern, line)
    def silent(it):
        # What is new is told before the answer, or was told already.
        told = it.do('CAPABILITY')
        assert len(told) == 1, told
";

#[test]
fn a_client_hears_of_all_its_mailboxes_without_asking() {
    if !has("python3", "--version") {
        return;
    }
    let suite = suite("").start();
    play(
        &suite,
        Path::new(""),
        &format!(
            "{RAW}{}",
            r"
it, other = Raw(), Raw()
for name in ['one', 'two', 'two.sub']: other.do('CREATE ' + name)
other.do('APPEND INBOX {13+}\r\nSubject: a\r\n\r\n')
status = it.do('NOTIFY SET STATUS (selected-delayed (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge FlagChange)) (subtree two (MessageNew MessageExpunge FlagChange)) (mailboxes (one) (MessageNew MessageExpunge)) (personal (MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange))')
assert [line.split()[2] for line in status] == ['one', 'two', 'two.sub'], status
it.do('SELECT INBOX')
it.silent()
# The selected mailbox.
other.do('APPEND INBOX {13+}\r\nSubject: b\r\n\r\n')
it.hear(r'\* 2 EXISTS', r'\* \d RECENT', r'\* 2 FETCH \(UID 2 BODY\[HEADER.FIELDS \(SUBJECT\)\] \{\d+\}', 'Subject: b', '', r'\)')
other.do('SELECT INBOX'); other.do(r'STORE 1 +FLAGS (\Deleted)')
it.hear(r'\* 1 FETCH \(UID 1 FLAGS \(\\Deleted.*\)\)')
other.do('EXPUNGE')
assert '* 1 EXPUNGE' in it.do('NOOP')
# Others.
other.do('APPEND two.sub {3+}\r\nabc')
it.hear(r'\* STATUS two.sub \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ UNSEEN 1\)')
other.do('SELECT two.sub'); other.do(r'STORE 1 +FLAGS (\Seen)')
it.hear(r'\* STATUS two.sub \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ UNSEEN 0\)')
other.do('APPEND one {3+}\r\nabc')
it.hear(r'\* STATUS one \(MESSAGES 1 UIDNEXT 2 UNSEEN 1\)')
# Which mailboxes there are, and what is noted of them.
other.do('CREATE new')
it.hear(r'\* LIST \(\\HasNoChildren\) \D\.\D new')
other.do('SUBSCRIBE new')
it.hear(r'\* LIST \(\\Subscribed \\HasNoChildren\) \D\.\D new')
other.do('RENAME new two.new')
it.hear(r'\* LIST \(\\HasNoChildren\) \D\.\D two.new \(.OLDNAME. \(new\)\)')
other.do('APPEND two.new {3+}\r\nabc')
it.hear(r'\* STATUS two.new .*')
other.do('DELETE two.new')
it.hear(r'\* LIST \(\\HasChildren\) \D\.\D two', r'\* LIST \(\\NonExistent \\HasNoChildren\) \D\.\D two.new')
other.do('SETMETADATA one (/shared/comment x)'.replace(' x', ' {1+}\r\nx'))
it.hear(r'\* METADATA one /shared/comment')
other.do('SETMETADATA {0+}\r\n (/shared/comment {1+}\r\nx)')
it.hear(r'\* METADATA .. /shared/comment')
# What it does itself it is not told of.
it.do('CREATE own'); it.do('SUBSCRIBE own'); it.do('SETMETADATA own (/private/comment {1+}\r\nx)')
it.do('COPY 1 one'); it.do('RENAME own own2'); it.do('DELETE own2')
it.silent()
# While it idles, it hears the same.
it.send('i IDLE'); it.hear(r'\+ idling')
other.do('APPEND one {3+}\r\nabc')
it.hear(r'\* STATUS one \(MESSAGES 3 .*')
it.send('DONE'); it.hear('i OK .*')
# Another mailbox is selected: INBOX is none of those that are told of.
it.do('SELECT one')
other.do('APPEND INBOX {3+}\r\nabc'); other.do('APPEND one {3+}\r\nabc')
it.hear(r'\* 4 EXISTS', r'\* \d RECENT', r'\* 4 FETCH \(UID 4 BODY.*', '', r'\)')
# Nothing more.
it.do('NOTIFY NONE')
other.do('APPEND one {3+}\r\nabc'); other.do('CREATE more')
it.silent()
assert it.do('NOOP') == []
stored = it.do(r'STORE 1 +FLAGS (\Deleted)')
assert len(stored) == 1 and stored[0].startswith(r'* 1 FETCH (FLAGS (\Deleted'), stored
expunged = [line for line in it.do('EXPUNGE') if not line.endswith('RECENT')]
assert expunged == ['* 1 EXPUNGE'], expunged
# Back to the selected mailbox: what has happened meanwhile comes now.
assert '* 4 EXISTS' in it.do('NOTIFY SET (selected (MessageNew MessageExpunge))')
other.do('SELECT one'); other.do(r'STORE 1:* +FLAGS.SILENT (\Deleted)'); other.do('EXPUNGE')
it.hear(r'\* 4 EXPUNGE', r'\* 3 EXPUNGE', r'\* 2 EXPUNGE', r'\* 1 EXPUNGE')
"
        ),
    );
    suite.stop();
}
