//! Keys and certificates for one test run.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes a key and a certificate of its own for `name` in `folder`, valid for two days; the certificate is for 127.0.0.1,
/// too. The files are the key and the certificate, PEM.
///
/// # Panics
/// When openssl(1) is not installed or fails.
pub fn make(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    let made = Command::new("openssl")
        .args(request.split(' '))
        .args(["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (key, certificate)
}
