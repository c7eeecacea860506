//! One Maildir served by Dovecot and by us at the same time.
#![allow(clippy::unwrap_used)]

use std::net::TcpStream;
use std::process::{Command, Stdio};

use tests::dovecot::{Dovecot, MAILBOX_ID, suite_with_maildir};

/// Two clients of each of two servers in one mailbox: each brings, marks, moves and removes messages of its own, while others
/// are delivered. In the end both servers have to show what each client knows. Arguments are the ports and the Maildir.
const BESIDE_EACH_OTHER: &str = r#"
import imaplib, os, random, re, sys, threading
ports, maildir, uid, turns = [int(sys.argv[1]), int(sys.argv[2])], sys.argv[3], int(sys.argv[4]), 60
BOXES, failures = ['INBOX', 'Work'], []
def ok(answer):
    assert answer[0] == 'OK', answer
    return answer[1]
def login(port):
    it = imaplib.IMAP4('127.0.0.1', port)
    ok(it.login('user@example.com', 'secret'))
    return it
class Client(threading.Thread):
    def __init__(self, number):
        super().__init__()
        self.number, self.dice, self.mine, self.past = number, random.Random(number), {}, []
    def run(self):
        try: self.work()
        except Exception as error: failures.append('client %d: %r after %r' % (self.number, error, self.past[-3:]))
    def work(self):
        it = login(ports[self.number % 2])
        for turn in range(turns):
            what = self.dice.choice(['bring', 'bring', 'mark', 'move', 'remove']) if self.mine else 'bring'
            subject = self.dice.choice(sorted(self.mine)) if what != 'bring' else 'own %d.%d' % (self.number, turn)
            if what == 'bring':
                box = self.dice.choice(BOXES)
                text = ('Subject: %s\r\n\r\nx\r\n' % subject).encode()
                typ, data = it.append(box, None, None, text)
                new = re.search(rb'APPENDUID \d+ (\d+)', ok((typ, data))[0]).group(1)
                self.mine[subject] = (box, int(new), set())
                continue
            box, number, flags = self.mine[subject]
            self.past.append((what, subject, box, number))
            ok(it.select(box))
            # A message that comes back under its old file name gets another UID from Dovecot: each moves once.
            if what == 'move' and any(step[:2] == ('move', subject) for step in self.past[:-1]): what = 'mark'
            if what == 'mark':
                flag = self.dice.choice(['\\Seen', '\\Flagged', 'label'])
                ok(it.uid('STORE', str(number), '+FLAGS', '(%s)' % flag))
                self.mine[subject] = (box, number, flags | {flag})
            elif what == 'move':
                other = BOXES[1 - BOXES.index(box)]
                it.response('COPYUID')
                ok(it.uid('MOVE', str(number), other))
                new = it.response('COPYUID')[1][0].split()[-1]
                self.mine[subject] = (other, int(new), flags)
            else:
                ok(it.uid('STORE', str(number), '+FLAGS', '(\\Deleted)'))
                ok(it.uid('EXPUNGE', str(number)))
                del self.mine[subject]
            it.unselect()
        it.logout()
def deliver():
    for number in range(turns):
        name = '18000%05d.M1P1.mx' % number
        path = os.path.join(maildir, 'tmp', name)
        with open(path, 'w') as file: file.write('Subject: delivered %d\n\nx\n' % number)
        os.chown(path, uid, uid)
        os.rename(path, os.path.join(maildir, 'new', name))
first = login(ports[0])
for box in BOXES[1:]: ok(first.create(box))
clients = [Client(number) for number in range(4)]
threads = clients + [threading.Thread(target=deliver)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failures, failures
expected = {subject: place for client in clients for subject, place in client.mine.items()}
shown = []
for port in ports:
    it, found = login(port), {}
    for box in BOXES:
        ok(it.select(box))
        for item in ok(it.fetch('1:*', '(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])')):
            if not isinstance(item, tuple): continue
            subject = item[1].decode().partition(': ')[2].strip()
            flags = {flag for flag in re.search(r'FLAGS \(([^)]*)\)', item[0].decode()).group(1).split() if flag != '\\Recent'}
            assert subject not in found, (port, subject, found[subject], item)
            found[subject] = (box, int(re.search(rb'UID (\d+)', item[0]).group(1)), flags)
    delivered = {subject for subject in found if subject.startswith('delivered')}
    assert len(delivered) == turns, (port, len(delivered))
    own = {subject: place for subject, place in found.items() if subject not in delivered}
    wrong = {subject: (expected.get(subject), own.get(subject)) for subject in expected.keys() | own.keys() if expected.get(subject) != own.get(subject)}
    past = [step for client in clients for step in client.past if step[1] in wrong]
    assert not wrong, (port, wrong, past)
    shown.append(found)
assert shown[0] == shown[1], 'the servers differ'
"#;

#[test]
fn both_serve_one_mailbox_at_the_same_time() {
    if !Dovecot::can_run() || Command::new("python3").arg("--version").output().is_err() {
        return testkit::left_out("Dovecot or python3 is not installed, or this is not root");
    }
    let (suite, [imap, _, peer_imap, peer_pop3]) = suite_with_maildir();
    let mail = suite.root().join("mail");
    let dovecot = Dovecot::start(&mail, peer_imap, peer_pop3);
    suite.start();
    suite.until("an IMAP banner", || TcpStream::connect(("127.0.0.1", imap)).ok());
    let mut load = Command::new("python3");
    load.args(["-c", BESIDE_EACH_OTHER, &imap.to_string(), &peer_imap.to_string()]);
    load.arg(mail.join("user")).arg(MAILBOX_ID.to_string()).stdin(Stdio::null());
    let output = load.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints = dovecot.complaints();
    assert!(output.status.success() && complaints.is_empty(), "{said}\n{complaints}\n{}", suite.log_end());
    dovecot.stop();
    suite.stop();
}
