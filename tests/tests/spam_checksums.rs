//! Rules that ask Pyzor and DCC, held against SpamAssassin's where that is installed: servers on this host answer both.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use testkit::left_out;
use tests::judgement::{RuleFolder, ask_spamd};
use tests::name_server::NameServer;
use tests::programs::Programs;

const RULES: &str = "\
report tags: _PYZOR_|_DCCB_|_DCCR_|_DCCREP_|
dns_available no
bayes_learn_during_report 0
full P_CHECK eval:check_pyzor()
tflags P_CHECK net
full D_CHECK eval:check_dcc()
tflags D_CHECK net
full D_HIGH eval:check_dcc_reputation_range(90)
tflags D_HIGH net
full D_LOW eval:check_dcc_reputation_range(00,12)
tflags D_LOW net
pyzor_timeout 60
dcc_timeout 60
";
const MESSAGE: &str = "Received: from helo.sender.com (unknown [203.0.113.9]) by mx.here.org (Postfix) with ESMTP id 2; \
    Sun, 22 Nov 2026 10:00:00 +0000\nFrom: x@shop.example.com\nSubject: hi\n\nThis is the text of a message.\n";
/// What both ask about: the digest of `Thisisthetextofamessage.`
const DIGEST: &str = "Op-Digest: ";

/// Pyzor's server and DCC's daemon in one: what they say can be changed, and what they heard is kept.
struct Servers {
    pyzor: SocketAddr,
    dcc: SocketAddr,
    counts: Arc<Mutex<&'static str>>,
    metrics: Arc<Mutex<&'static str>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Servers {
    fn start() -> Self {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (pyzor, dcc) = (udp.local_addr().unwrap(), tcp.local_addr().unwrap());
        let servers =
            Self { pyzor, dcc, counts: Arc::default(), metrics: Arc::default(), asked: Arc::default() };
        let (counts, asked) = (Arc::clone(&servers.counts), Arc::clone(&servers.asked));
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok((length, from)) = udp.recv_from(&mut buffer) {
                let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let thread = request.lines().find(|line| line.starts_with("Thread: ")).unwrap();
                let counts = *counts.lock().unwrap();
                let reply = format!("Code: 200\nDiag: OK\nPV: 2.1\n{thread}\n{counts}\n\n");
                let kept = request.lines().filter(|line| line.starts_with("Op") || line.starts_with("User"));
                asked.lock().unwrap().push(kept.collect::<Vec<_>>().join("\n"));
                udp.send_to(reply.as_bytes(), from).unwrap();
            }
        });
        let (metrics, asked) = (Arc::clone(&servers.metrics), Arc::clone(&servers.asked));
        std::thread::spawn(move || {
            for client in tcp.incoming() {
                let mut client = client.unwrap();
                let mut request = String::new();
                client.read_to_string(&mut request).unwrap();
                asked.lock().unwrap().push(request);
                client.write_all(format!("A\nA\n{}", metrics.lock().unwrap()).as_bytes()).unwrap();
            }
        });
        servers
    }

    fn say(&self, counts: &'static str, metrics: &'static str) {
        *self.counts.lock().unwrap() = counts;
        *self.metrics.lock().unwrap() = metrics;
    }

    /// What was heard since the last time, in no order.
    fn heard(&self) -> Vec<String> {
        let mut heard = std::mem::take(&mut *self.asked.lock().unwrap());
        heard.sort();
        heard
    }

    /// Rules that ask these servers; nobody is asked anything else.
    fn rules(&self, names: &NameServer) -> RuleFolder {
        let folder = RuleFolder::new(&["Check", "Pyzor", "DCC"], names, RULES);
        let home = folder.path().join("pyzor");
        fs::create_dir(&home).unwrap();
        fs::write(home.join("servers"), format!("{}\n", self.pyzor)).unwrap();
        fs::write(home.join("accounts"), "").unwrap();
        let text =
            format!("pyzor_options --homedir {} -t 60\ndcc_dccifd_path {}\n", home.display(), self.dcc);
        fs::write(folder.path().join("servers.cf"), text).unwrap();
        folder
    }
}

/// Is all of the original there?
fn has_original() -> bool {
    let all = Path::new("/usr/bin/spamassassin").exists() && Path::new("/usr/bin/pyzor").exists();
    if !all {
        left_out("spamassassin or pyzor is not installed");
    }
    all
}

fn hits(report: &[String]) -> Vec<&str> {
    let words = report.iter().filter_map(|line| line.split_whitespace().nth(1));
    words.filter(|word| word.starts_with("P_") || word.starts_with("D_")).collect()
}

/// Without the rules of reputation: the original forgets them where DCC's daemon answers after its first look.
fn without_reputation(report: &[String]) -> Vec<&String> {
    report.iter().filter(|line| !line.contains(" D_HIGH ") && !line.contains(" D_LOW ")).collect()
}

#[test]
fn rules_find_what_the_servers_count() {
    let (servers, names) = (Servers::start(), NameServer::start("").unwrap());
    let folder = servers.rules(&names);
    let bulk = "X-DCC-test.brand-Metrics: mx.here 1480; bulk Body=many Fuz1=12\n\tFuz2=ok rep=95%\n  reported: 0\nFrom: 1 2\n";
    let few = "X-DCC-x-Metrics: mx.here 1; Body=3 Fuz1=many2 rep=7%\n";
    let none = "X-DCC-x-Metrics: mx.here 1; Body=1 Fuz1=1\n";
    for (counts, metrics, wanted) in [
        ("Count: 6\nWL-Count: 0", bulk, vec!["D_CHECK", "D_HIGH", "P_CHECK"]),
        ("Count: 4\nWL-Count: 0", few, vec!["D_CHECK", "D_LOW"]),
        ("Count: 50\nWL-Count: 10", none, vec![]),
        ("Count: 51\nWL-Count: 10", none, vec!["P_CHECK"]),
        ("Count: 1000000\nWL-Count: 0", "", vec![]),
    ] {
        servers.say(counts, metrics);
        let found = folder.ours(MESSAGE, &[]);
        let heard = servers.heard();
        assert_eq!(hits(&found), wanted, "{found:#?}");
        assert!(heard.iter().any(|request| request.contains(DIGEST)), "{heard:#?}");
        assert!(
            heard
                .iter()
                .any(|request| request.starts_with("cksums grey-off \n203.0.113.9\r\nhelo.sender.com\n"))
        );
        if has_original() {
            let original = folder.original(MESSAGE, &[]).unwrap();
            assert_eq!(without_reputation(&original), without_reputation(&found), "{counts}");
            assert_eq!(servers.heard(), heard);
        }
    }
}

#[test]
fn nobody_is_asked_where_a_network_is_off() {
    let (servers, names) = (Servers::start(), NameServer::start("").unwrap());
    let folder = servers.rules(&names);
    servers.say("Count: 6\nWL-Count: 0", "X-DCC-x-Metrics: mx 1; Body=many\n");
    assert_eq!(hits(&folder.ours(MESSAGE, &["-L"])), [""; 0]);
    assert_eq!(hits(&folder.ours(MESSAGE, &["--cf=use_pyzor 0", "--cf=use_dcc 0"])), [""; 0]);
    assert_eq!(hits(&folder.ours(MESSAGE, &["--cf=score P_CHECK 0", "--cf=score D_CHECK 0"])), [""; 0]);
    let heard = servers.heard();
    assert!(heard.iter().all(|request| request.starts_with("cksums")), "{heard:#?}");
    assert_eq!(hits(&folder.ours(MESSAGE, &["--cf=use_dcc_rep 0"])), ["D_CHECK", "P_CHECK"]);
}

#[test]
fn spam_is_reported_to_both() {
    let (servers, names) = (Servers::start(), NameServer::start("").unwrap());
    let folder = servers.rules(&names);
    servers.say("", "X-DCC-x-Metrics: mx 1; Body=many\n");
    let report = |program: &Path| {
        let mut command = Command::new(program);
        command.arg("-C").arg(folder.path()).arg("--siteconfigpath").arg(folder.path().join("site"));
        command.args(["-x", "-r", "-p", "/dev/null"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("X-Spam-Old: x\n{MESSAGE}").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (text, output.status.code(), servers.heard())
    };
    let ours = report(&Programs::ours().commands.join("spamassassin"));
    assert_eq!((ours.0.as_str(), ours.1), ("1 message(s) examined.\n", Some(0)));
    assert!(
        ours.2[0].starts_with("Op: report\n") && ours.2[0].contains("\nOp-Spec: 20,3,60,3\n"),
        "{ours:#?}"
    );
    assert!(ours.2[1].starts_with("header spam grey-off \n203.0.113.9\r\n"), "{ours:#?}");
    assert!(!ours.2[1].contains("X-Spam-Old"), "{ours:#?}");
    let told = folder.with_spamd(&["-l"], |port| {
        ask_spamd(port, "TELL SPAMC/1.5\r\nMessage-class: spam\r\nSet: remote", MESSAGE)
    });
    assert_eq!(told.lines().next(), Some("DidSet: remote"));
    assert_eq!(servers.heard().len(), 2);
    if has_original() {
        assert_eq!(report(Path::new("/usr/bin/spamassassin")), ours);
    }
}
