//! TLS of the SMTP server, as OpenSSL and swaks see it. Where they are not installed, the test says so.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tests::{Builder, Suite};

const OPENSSL: &str = "/usr/bin/openssl";
const SWAKS: &str = "/usr/bin/swaks";

fn installed(program: &str) -> bool {
    let there = Path::new(program).exists();
    if !there {
        testkit::left_out(&format!("{program} is not installed"));
    }
    there
}

/// Keys and certificates, each pair in a file of its own: the key first.
struct Chains(TempDir);

impl Chains {
    fn make(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let (key, certificate) = tests::certificate::make(folder.path(), name);
            let chain = fs::read_to_string(&key).unwrap() + &fs::read_to_string(&certificate).unwrap();
            fs::write(folder.path().join(name), chain).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn main(&self, own: &str) -> String {
        format!("smtpd_tls_chain_files = {}\nsmtpd_tls_security_level = may", self.path(own).display())
    }
}

/// What OpenSSL says of a session in which it sends nothing but QUIT.
fn connect(suite: &Suite, arguments: &[&str]) -> String {
    let server = format!("127.0.0.1:{}", suite.port());
    let mut child = Command::new(OPENSSL)
        .args(["s_client", "-starttls", "smtp", "-ign_eof", "-crlf", "-connect", &server])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Where the handshake fails, nobody reads it.
    let _ = child.stdin.take().unwrap().write_all(b"QUIT\n");
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_client_gets_the_certificate_of_the_name_that_it_asks_for() {
    if !installed(OPENSSL) {
        return;
    }
    let chains = Chains::make(&["own", "exact", "below"]);
    fs::write(chains.path("no-key"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .unwrap();
    let names = [
        ("mx.one.example", "exact"),
        (".two.example", "below"),
        ("two.example", "exact"),
        ("broken.example", "no-key"),
    ];
    let table: String =
        names.iter().map(|(name, chain)| format!("{name} {}\n", chains.path(chain).display())).collect();
    let main = format!(
        "{}\nsmtpd_tls_loglevel = 1\ntls_server_sni_maps = hash:$config_directory/names",
        chains.main("own")
    );
    let suite = Builder::new().example_com().main(&main).write();
    let source = suite.config().join("names");
    fs::write(&source, &table).unwrap();
    suite.run("postmap", &["-F", &format!("hash:{}", source.display())]);
    suite.start();
    for (name, chain) in [
        ("mx.one.example", "exact"),
        ("MX.one.Example", "exact"),
        ("two.example", "exact"),
        ("a.two.example", "below"),
        ("b.a.two.example", "below"),
        ("one.example", "own"),
        ("a.mx.one.example", "own"),
    ] {
        let said = connect(&suite, &["-servername", name]);
        assert!(said.contains(&format!("subject=CN = {chain}\n")), "{name}: {said}\n{}", suite.log_end());
    }
    assert!(connect(&suite, &["-noservername"]).contains("subject=CN = own\n"));
    suite.wait_log(&["TLS connection established from ", " to mx.one.example: TLSv1.3"]);
    suite.wait_log(&["TLS SNI one.example from ", " not matched, using default chain"]);
    let refused = connect(&suite, &["-servername", "broken.example"]);
    assert!(!refused.contains("subject=") && refused.contains("alert"), "{refused}");
    suite.wait_log(&["error loading", "SNI data for broken.example", "aborting TLS handshake"]);
    suite.stop();
}

#[test]
fn a_client_that_is_silent_in_its_handshake_is_cut_off() {
    let chains = Chains::make(&["own"]);
    let main = format!("{}\nsmtpd_starttls_timeout = 1s\nsmtpd_tls_loglevel = 1", chains.main("own"));
    let suite = Builder::new().example_com().main(&main).start();
    let stream = TcpStream::connect(("127.0.0.1", suite.port())).unwrap();
    let mut lines = BufReader::new(&stream).lines().map(Result::unwrap);
    (&stream).write_all(b"EHLO client.example\r\n").unwrap();
    assert!(lines.any(|line| line.starts_with("250 ")));
    (&stream).write_all(b"STARTTLS\r\n").unwrap();
    assert_eq!(lines.next().as_deref(), Some("220 2.0.0 Ready to start TLS"));
    assert_eq!(lines.next(), None);
    suite.wait_log(&["SSL_accept error from ", "[127.0.0.1]: Connection timed out"]);
    suite.wait_log(&["lost connection after STARTTLS from "]);
    suite.stop();
}

#[test]
fn a_client_resumes_its_session_with_any_worker() {
    if !installed(OPENSSL) {
        return;
    }
    let chains = Chains::make(&["own"]);
    let main = format!("{}\ndefault_process_limit = 8", chains.main("own"));
    let suite = Builder::new().example_com().main(&main).start();
    for version in ["-tls1_2", "-tls1_3"] {
        let session = chains.path(version);
        let session = session.to_str().unwrap();
        // The first client of a worker may come before its ticket keys.
        suite.until("a session ticket", || {
            connect(&suite, &[version, "-sess_out", session]);
            connect(&suite, &[version, "-sess_in", session]).contains("Reused, TLSv1").then_some(())
        });
        suite.renew("smtpd");
        suite.until("a session that goes on with a fresh worker", || {
            connect(&suite, &[version, "-sess_in", session]).contains("Reused, TLSv1").then_some(())
        });
    }
    suite.stop();
}

#[test]
fn swaks_sends_over_tls() {
    if !installed(OPENSSL) || !installed(SWAKS) {
        return;
    }
    let chains = Chains::make(&["own"]);
    let suite = Builder::new()
        .example_com()
        .main(&chains.main("own"))
        .main("smtpd_tls_received_header = yes")
        .start();
    let server = format!("127.0.0.1:{}", suite.port());
    let arguments = [
        "--server",
        &server,
        "--from",
        "a@b.example",
        "--to",
        "user@example.com",
        "--tls",
        "--tls-sni",
        "x.example",
    ];
    let output = Command::new(SWAKS).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let message = suite.wait_messages("user/", 1).remove(0);
    assert!(message.header("Received").unwrap().contains("using TLSv1.3 with cipher"), "{}", message.text);
    suite.stop();
}
