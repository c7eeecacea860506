//! TLS between spamc and spamd: ours and SpamAssassin's, in all four pairs.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use tempfile::TempDir;
use testkit::left_out;
use tests::programs::Programs;
use tests::spamd::{Spamd, installed, open_up};

const MESSAGE: &str = "From: A Shop <shop@example.net>\nTo: you@example.com\nSubject: offer\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\
    Message-Id: <spam@example.net>\n\nCheap pills for you.\n";

/// Certificates of an authority, and of others.
struct Papers {
    folder: TempDir,
}

impl Papers {
    fn new() -> Self {
        let papers = Self { folder: tempfile::tempdir().unwrap() };
        open_up(papers.folder.path());
        papers.own("ca");
        papers.own("other");
        for (name, days) in [("server", "3"), ("client", "3"), ("old", "0")] {
            papers.signed(name, days);
        }
        papers
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .current_dir(self.folder.path())
            .args(arguments.split_whitespace())
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// One that has signed itself, as `openssl req -x509` makes them: an authority's.
    fn own(&self, name: &str) {
        self.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 -subj /CN={name} -keyout {name}.key -out {name}.pem"
        ));
    }

    fn signed(&self, name: &str, days: &str) {
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"
        ));
        fs::write(self.folder.path().join("leaf"), "basicConstraints=CA:FALSE\n").unwrap();
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile leaf -days {days} -out {name}.pem"
        ));
    }

    /// spamd with this certificate.
    fn spamd(&self, program: &Path, name: &str, more: &[&str]) -> Spamd {
        let (key, certificate) = (self.path(&format!("{name}.key")), self.path(&format!("{name}.pem")));
        let options = ["--ssl", "--server-key", &key, "--server-cert", &certificate];
        Spamd::start(program, &[&options, more].concat())
    }
}

fn shown(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The programs of each side: ours, and SpamAssassin's where it is installed.
fn sides(name: &str, ours: PathBuf) -> Vec<PathBuf> {
    let theirs = installed(name);
    if theirs.is_none() {
        left_out(&format!("{name} is not installed"));
    }
    std::iter::once(ours).chain(theirs).collect()
}

fn spamds() -> Vec<PathBuf> {
    sides("spamd", Programs::ours().daemons.join("spamd"))
}

fn spamcs() -> Vec<PathBuf> {
    sides("spamc", Programs::ours().commands.join("spamc"))
}

/// What each spamc says to each spamd that is started by `start`.
fn each_pair(start: &dyn Fn(&Path) -> Spamd, cases: &[(&[&str], (i32, &str))]) {
    for program in spamds() {
        let spamd = start(&program);
        for spamc in spamcs() {
            for (options, (status, text)) in cases {
                let expected = (Some(*status), (*text).to_owned());
                let deadline = Instant::now() + tests::suite::PATIENCE;
                let mut said = shown(&spamd.spamc(&spamc, options, MESSAGE));
                // A child of the original ends when a handshake fails, and may take another client with it.
                while said != expected && program != spamds()[0] && Instant::now() < deadline {
                    said = shown(&spamd.spamc(&spamc, options, MESSAGE));
                }
                let pair = format!("{} to {}, {options:?}", spamc.display(), program.display());
                assert_eq!(said, expected, "{pair}");
            }
        }
    }
}

#[test]
fn every_spamc_speaks_tls_to_every_spamd() {
    let papers = Papers::new();
    let (ca, other) = (papers.path("ca.pem"), papers.path("other.pem"));
    let (certificate, key) = (papers.path("client.pem"), papers.path("client.key"));
    let no = papers.path("no.pem");
    each_pair(
        &|program| papers.spamd(program, "server", &[]),
        &[
            (&["-S", "-c"], (1, "6.5/5.0\n")),
            (&["--ssl", "-y"], (0, "PILL")),
            (&["-S", "--ssl-ca-file", &ca, "-c"], (1, "6.5/5.0\n")),
            (&["-S", "--ssl-ca-file", &other, "-c"], (0, "0/0\n")),
            (&["-S", "--ssl-ca-file", &other, "-x", "-c"], (69, "0/0\n")),
            (&["-S", "--ssl-ca-file", &other], (0, MESSAGE)),
            (&["-S", "--ssl-ca-file", &no, "-x", "-c"], (71, "0/0\n")),
            (&["-S", "--ssl-cert", &certificate, "--ssl-key", &key, "-c"], (1, "6.5/5.0\n")),
            (&["-S", "--ssl-cert", &certificate, "--ssl-key", &no, "-x", "-c"], (71, "0/0\n")),
            (&["-S", "--ssl-cert", &certificate], (64, "")),
            (&["--ssl=tlsv1", "-c"], (64, "")),
            (&["-S", "-x", "-L", "spam"], (74, "")),
        ],
    );
}

#[test]
fn spamd_may_ask_who_comes() {
    let papers = Papers::new();
    let (certificate, key, ca) =
        (papers.path("client.pem"), papers.path("client.key"), papers.path("ca.pem"));
    let (foreign, foreign_key) = (papers.path("other.pem"), papers.path("other.key"));
    // Ours only: the original's children end with each client that they refuse, that of the look whether they are there
    // yet, too, and others find nobody for minutes.
    let spamd = papers.spamd(&spamds()[0], "server", &["--ssl-ca-file", &ca]);
    for spamc in spamcs() {
        for (options, expected) in [
            (&["-S", "--ssl-cert", &foreign, "--ssl-key", &foreign_key, "-x", "-c"][..], (74, "0/0\n")),
            (&["-S", "-x", "-c"], (74, "0/0\n")),
            (&["-S"], (0, MESSAGE)),
            (&["-S", "--ssl-cert", &certificate, "--ssl-key", &key, "-c"], (1, "6.5/5.0\n")),
        ] {
            let (status, text) = shown(&spamd.spamc(&spamc, options, MESSAGE));
            assert_eq!(
                (status, text.as_str()),
                (Some(expected.0), expected.1),
                "{}, {options:?}",
                spamc.display()
            );
        }
    }
}

/// An authority's own certificate is believed where it stands in the file; an old one is not, but where nobody asks.
#[test]
fn odd_certificates() {
    let papers = Papers::new();
    let (ca, other) = (papers.path("ca.pem"), papers.path("other.pem"));
    each_pair(
        &|program| papers.spamd(program, "other", &[]),
        &[
            (&["-S", "--ssl-ca-file", &other, "-c"], (1, "6.5/5.0\n")),
            (&["-S", "--ssl-ca-file", &ca, "-x", "-c"], (69, "0/0\n")),
        ],
    );
    each_pair(
        &|program| papers.spamd(program, "old", &[]),
        &[(&["-S", "-c"], (1, "6.5/5.0\n")), (&["-S", "--ssl-ca-file", &ca, "-x", "-c"], (69, "0/0\n"))],
    );
}

/// One side speaks TLS, and the other does not.
#[test]
fn one_side_alone() {
    let papers = Papers::new();
    each_pair(
        &|program| Spamd::start(program, &[]),
        &[(&["-S", "-x", "-c"], (69, "0/0\n")), (&["-S"], (0, MESSAGE)), (&["-S", "-K"], (69, ""))],
    );
    each_pair(
        &|program| papers.spamd(program, "server", &[]),
        &[(&["-x", "-c"], (74, "0/0\n")), (&["-c"], (0, "0/0\n"))],
    );
}

/// A spamd that is spoken to in the clear says nothing in the clear, and serves the next.
#[test]
fn nothing_is_said_in_the_clear() {
    let papers = Papers::new();
    let spamd = papers.spamd(&Programs::ours().daemons.join("spamd"), "server", &["--timeout-tcp", "1"]);
    let mut silent = TcpStream::connect(("127.0.0.1", spamd.port.number())).unwrap();
    for said in ["", "PING SPAMC/1.5\r\n\r\n", "\u{16}\u{3}\u{1}"] {
        let mut stream = TcpStream::connect(("127.0.0.1", spamd.port.number())).unwrap();
        stream.write_all(said.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        assert!(!reply.windows(5).any(|window| window == b"SPAMD"), "{said:?}");
    }
    // Who says nothing at all is let go.
    assert_eq!(silent.read(&mut [0; 64]).unwrap(), 0);
    let spamc = Programs::ours().commands.join("spamc");
    assert_eq!(shown(&spamd.spamc(&spamc, &["-S", "-K"], "")), (Some(0), "SPAMD/1.5 0\n".into()));
}

/// All that a client has to say, and that it is all, may come in one piece with the end of the handshake.
#[test]
fn a_client_in_a_hurry_is_answered() {
    let papers = Papers::new();
    let spamd = papers.spamd(&Programs::ours().daemons.join("spamd"), "server", &[]);
    let mut stream = TcpStream::connect(("127.0.0.1", spamd.port.number())).unwrap();
    let mut client = tls::Client::new(&tls::client_config(None, None).unwrap()).unwrap();
    let (mut out, mut reply, mut block) = (Vec::new(), Vec::new(), [0; 4096]);
    while client.is_handshaking() {
        client.ciphertext(&mut out);
        stream.write_all(&std::mem::take(&mut out)).unwrap();
        let count = stream.read(&mut block).unwrap();
        client.receive(&block[..count], &mut reply).unwrap();
    }
    client.send(b"CHECK SPAMC/1.5\r\nContent-length: 99\r\n\r\nSubject: x\r\n\r\nx\r\n").unwrap();
    client.close();
    client.ciphertext(&mut out);
    stream.write_all(&out).unwrap();
    while let Ok(count @ 1..) = stream.read(&mut block) {
        client.receive(&block[..count], &mut reply).unwrap();
    }
    let text = String::from_utf8(reply).unwrap();
    assert!(text.starts_with("SPAMD/1.0 76 Bad header line: (Content-Length mismatch"), "{text:?}");
}

/// A message that does not fit into any buffer goes there and back, by TLS and in the clear.
#[test]
fn a_large_message_comes_back_whole() {
    let papers = Papers::new();
    let line = "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 012345\n";
    let message = MESSAGE.replace("Cheap pills", "Good things") + &line.repeat(80_000);
    // The original's spamd cuts such replies itself when it speaks TLS, for either spamc.
    let program = Programs::ours().daemons.join("spamd");
    let secured = papers.spamd(&program, "server", &[]);
    let clear = Spamd::start(&program, &[]);
    for spamc in spamcs() {
        for (spamd, options) in [(&secured, "-S"), (&clear, "-f")] {
            let (status, text) = shown(&spamd.spamc(&spamc, &[options, "-x", "-s", "10000000"], &message));
            let pair = format!("{}, {options}", spamc.display());
            assert_eq!(status, Some(0), "{pair}");
            assert!(text.ends_with(&line.repeat(80_000)) && text.contains("X-Spam-Status: No"), "{pair}");
        }
    }
}
