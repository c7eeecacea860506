//! `postfix logrotate`: the log file is put aside, a new one begins, the old one is compressed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use sys::clock::{local_time, now_us};

use crate::postfix::report::Problem;
use crate::postfix::{Site, control};

/// How long workers may take to turn to the new file before the old one is compressed.
const TURNING_TIME: Duration = Duration::from_secs(1);

/// Renames `maillog_file`, has the suite open a new one, and runs `maillog_file_compressor` on the old.
pub(crate) fn rotate(site: &Site) -> Result<(), Problem> {
    let file = site.config.get(&parameters::MAILLOG_FILE);
    if file.is_empty() || file.starts_with("/dev/") {
        return Err(Problem(format!("unable to rotate maillog_file = {file:?}: it is no log file of ours")));
    }
    let aside = PathBuf::from(format!("{file}.{}", suffix(site)));
    std::fs::rename(&file, &aside)
        .map_err(|error| Problem(format!("rename {file} to {}: {error}", aside.display())))?;
    if control::reload(site).is_ok() {
        thread::sleep(TURNING_TIME);
    }
    compress(site, &aside)
}

fn compress(site: &Site, file: &Path) -> Result<(), Problem> {
    let compressor = site.config.get(&parameters::MAILLOG_FILE_COMPRESSOR);
    match Command::new(&compressor).arg(file).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Problem(format!("{compressor} {}: {status}", file.display()))),
        Err(error) => Err(Problem(format!("{compressor}: {error}: the old log is {}", file.display()))),
    }
}

/// `maillog_file_rotate_suffix` with the time put in, as strftime(3) does it for `%Y %m %d %H %M %S`.
fn suffix(site: &Site) -> String {
    let now = local_time(i64::try_from(now_us() / 1_000_000).unwrap_or(0));
    let parts = [
        ("%Y", format!("{:04}", now.year)),
        ("%m", format!("{:02}", now.month)),
        ("%d", format!("{:02}", now.day)),
        ("%H", format!("{:02}", now.hour)),
        ("%M", format!("{:02}", now.minute)),
        ("%S", format!("{:02}", now.second)),
    ];
    let pattern = site.config.get(&parameters::MAILLOG_FILE_ROTATE_SUFFIX);
    parts.iter().fold(pattern, |text, (name, value)| text.replace(name, value))
}
