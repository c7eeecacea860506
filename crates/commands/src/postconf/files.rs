//! The two files, and their directory.

use std::io;
use std::path::Path;

use parameters::text::from_bytes;

use super::report::{Fatal, Report};

/// Where the configuration lies unless `-c` or the environment says otherwise.
const DEFAULT_DIRECTORY: &str = "/etc/postfix";
/// The environment variable that names the directory, for this and every other program.
const DIRECTORY_VARIABLE: &str = "MAIL_CONFIG";

/// What to do about a file that cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Warn,
    Fail,
}

/// The directory of main.cf: `-c`, else the environment, else the usual one.
pub(super) fn directory(chosen: Option<&str>) -> String {
    let environment = || std::env::var(DIRECTORY_VARIABLE).ok();
    chosen.map(str::to_owned).or_else(environment).unwrap_or_else(|| DEFAULT_DIRECTORY.to_owned())
}

/// The text of a file; `None` after a warning.
pub(super) fn read(path: &str, missing: Missing, report: &Report) -> Result<Option<String>, Fatal> {
    match std::fs::read(Path::new(path)) {
        Ok(bytes) => Ok(Some(from_bytes(&bytes))),
        Err(error) => {
            let verb = if error.kind() == io::ErrorKind::IsADirectory { "read" } else { "open" };
            let text = format!("{verb} {path}: {}", reason(&error));
            match missing {
                Missing::Fail => Err(Fatal(text)),
                Missing::Warn => {
                    report.warn(text);
                    Ok(None)
                }
            }
        }
    }
}

/// The system's words for an error, without the number that Rust adds.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(reason, _)| reason).to_owned()
}
