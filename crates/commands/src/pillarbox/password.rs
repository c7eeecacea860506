//! `pillarbox password`: makes a stored password.

use std::fs::File;
use std::io::{BufRead, Read};

use passwords::{MAKEABLE, SALT_BYTES};

/// Where the kernel gives random bytes (random(4)).
const RANDOM: &str = "/dev/urandom";

/// Reads a password from standard input and prints it as it is stored.
pub(crate) fn print(scheme: &str) -> Result<(), String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| format!("read the password: {error}"))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err("no password on standard input".to_owned());
    }
    let mut salt = [0; SALT_BYTES];
    let random = File::open(RANDOM).and_then(|mut file| file.read_exact(&mut salt));
    random.map_err(|error| format!("{RANDOM}: {error}"))?;
    let stored = passwords::make(scheme, password, &salt);
    println!("{}", stored.ok_or_else(|| format!("--scheme is one of {}", MAKEABLE.join(", ")))?);
    Ok(())
}
