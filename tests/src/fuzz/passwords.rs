//! Stored passwords, as tables and password files hold them.
//!
//! The first byte chooses the scheme of what names none, and of a new one.

use passwords::{MAKEABLE, SALT_BYTES, Scheme, Stored, make};
use sasl::Mechanism;

/// Schemes whose check takes no time.
const QUICK: [&str; 3] = ["SSHA512", "CRAM-MD5", "PLAIN"];
const DEFAULTS: [Scheme; 4] = [Scheme::Plain, Scheme::Crypt, Scheme::SaltedSha1, Scheme::Pbkdf2];

/// Whatever is stored is read or refused, what is made of a password is that password's alone, and no mechanism gets the
/// password of one that is hashed.
pub(super) fn run(input: &[u8]) {
    let ([choice], rest) = super::head(input);
    let text = String::from_utf8_lossy(rest);
    let default = DEFAULTS[usize::from(choice) % DEFAULTS.len()];
    if let Ok(stored) = Stored::parse(&text, default) {
        let is_plain = stored.scheme() == Scheme::Plain;
        // Work factors are the administrator's, and there are many inputs.
        if stored.is_weak() && stored.scheme() != Scheme::Crypt {
            assert!(!stored.matches("user", "no password of this"), "{text:?}");
        }
        for mechanism in Mechanism::ALL {
            let secret = format!("{:?}", stored.secret_for(mechanism));
            assert!(is_plain || secret != "Some(Password)", "{text:?} shows a password");
        }
    }
    let mut salt = [0; SALT_BYTES];
    salt[0] = choice;
    let name = QUICK[usize::from(choice) % QUICK.len()];
    assert!(MAKEABLE.contains(&name));
    let made = make(name, &text, &salt).expect("a scheme that can be made");
    let stored = Stored::parse(&made, Scheme::Crypt).expect("what is made can be read");
    assert!(stored.matches("user", &text), "{made:?}");
    assert!(!stored.matches("user", &format!("{text}x")), "{made:?}");
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    [
        "{PLAIN}secret",
        "{PLAIN.b64}c2VjcmV0",
        "{PLAIN.hex}736563726574",
        "{SHA}4NPDM/3N1xhO4z/lGdXdb9NzViA=",
        "{SSHA512.hex}00ff",
        "{SSHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/UnolsAAAAA",
        "{SMD5}XxcA+CjJqWvwVqDwTt8ZGQAAAAA=",
        "{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69",
        "{DIGEST-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69",
        "{CRAM-MD5}5ebe2294ecd0e0f08eab7690d2a6ee695ebe2294ecd0e0f08eab7690d2a6ee69",
        "{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=",
        "{PBKDF2}$1$salt$5000$0123456789012345678901234567890123456789",
        "{CRYPT}$6$rounds=1000$saltsalt$x",
        "{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuu",
        "{ARGON2ID}$argon2id$v=19$m=16,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
        "$1$salt$hash",
        "{MD5}$1$salt$hash",
        "{nothing}x",
    ]
    .iter()
    .enumerate()
    .map(|(number, text)| [&[u8::try_from(number).unwrap_or_default()][..], text.as_bytes()].concat())
    .collect()
}
