//! The master.cf that packages ship: every service in it starts.
#![allow(clippy::unwrap_used)]

use std::os::unix::net::UnixStream;

use tests::programs::Maker;
use tests::{Builder, processes};

/// Debian's, without comments, and with another port.
const MASTER_CF: &str = "\
127.0.0.1:@PORT@ inet n  -       y       -       -       smtpd
pickup    unix  n       -       y       60      1       pickup
cleanup   unix  n       -       y       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       y       1000?   1       tlsmgr
rewrite   unix  -       -       y       -       -       trivial-rewrite
bounce    unix  -       -       y       -       0       bounce
defer     unix  -       -       y       -       0       bounce
trace     unix  -       -       y       -       0       bounce
verify    unix  -       -       y       -       1       verify
flush     unix  n       -       y       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       y       -       -       smtp
relay     unix  -       -       y       -       -       smtp
        -o syslog_name=postfix/$service_name
showq     unix  n       -       y       -       -       showq
error     unix  -       -       y       -       -       error
retry     unix  -       -       y       -       -       error
discard   unix  -       -       y       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       y       -       -       lmtp
anvil     unix  -       -       y       -       1       anvil
scache    unix  -       -       y       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
maildrop  unix  -       n       n       -       -       pipe
  flags=DRXhu user=nobody argv=/usr/bin/maildrop -d ${recipient}
uucp      unix  -       n       n       -       -       pipe
  flags=Fqhu user=nobody argv=uux -r -n -z -a$sender - $nexthop!rmail ($recipient)
ifmail    unix  -       n       n       -       -       pipe
  flags=F user=nobody argv=/usr/lib/ifmail/ifmail -r $nexthop ($recipient)
bsmtp     unix  -       n       n       -       -       pipe
  flags=Fq. user=nobody argv=/usr/lib/bsmtp/bsmtp -t$nexthop -f$sender $recipient
scalemail-backend unix -       n       n       -       2       pipe
  flags=R user=nobody argv=/usr/lib/scalemail/bin/scalemail-store ${nexthop} ${user} ${extension}
mailman   unix  -       n       n       -       -       pipe
  flags=FRX user=nobody argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop} ${user}
";

/// Socket below the queue directory, and the program that answers it.
fn sockets() -> Vec<(String, &'static str)> {
    let mut sockets = Vec::new();
    for line in MASTER_CF.lines().filter(|line| !line.starts_with(' ')) {
        let fields: Vec<&'static str> = line.split_whitespace().collect();
        let [name, "unix", private, .., program] = fields[..] else { continue };
        let folder = if private == "n" { "public" } else { "private" };
        sockets.push((format!("{folder}/{name}"), program));
    }
    sockets
}

#[test]
fn every_service_starts() {
    let suite = Builder::new().example_com().master_cf(MASTER_CF).start();
    for (socket, program) in sockets() {
        let _client = UnixStream::connect(suite.queue().join(&socket))
            .unwrap_or_else(|error| panic!("{socket}: {error}"));
        suite.until(&format!("{program} for {socket}"), || {
            suite.processes().into_iter().any(|pid| processes::program(pid) == program).then_some(())
        });
    }
    let id = suite.send("s@x.example", &["user@example.com"], "Subject: stock\n\nx\n");
    suite.wait_log(&[&id, ": removed"]);
    suite.wait_messages("user/", 1);
    let log = suite.log();
    let bad: Vec<&str> =
        log.lines().filter(|line| line.contains(" fatal: ") || line.contains(" panic: ")).collect();
    if suite.maker() == Maker::Ours {
        assert!(bad.is_empty(), "{bad:#?}");
        for what in ["outgoing SMTP", "outgoing LMTP", "delivery to commands"] {
            assert!(log.contains(&format!("warning: {what} is not available in this version: ")), "{what}");
        }
    }
    suite.stop();
}
