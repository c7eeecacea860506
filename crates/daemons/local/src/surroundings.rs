//! What the expansion of aliases asks of this system.

use std::fs::File;
use std::io::{self, Read};

use rewriting::Surroundings;
use sys::directory::{self, Kind};
use sys::error_text::reason;
use sys::users;

/// An `:include:` file is not longer, in bytes.
const INCLUDE_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
/// The permission bit that lets anyone write.
const WORLD_WRITABLE: u32 = 0o002;

/// The system as it is.
pub(crate) struct System;

impl Surroundings for System {
    fn include(&self, path: &str) -> Result<String, String> {
        let failed = |error: io::Error| format!("unable to lookup :include: file {path}: {}", reason(&error));
        let facts = std::fs::metadata(path).map_err(failed)?;
        if !facts.is_file() {
            return Err(format!(":include: file {path} is not a regular file"));
        }
        let file = File::open(path).map_err(failed)?;
        let facts = directory::facts(&file).map_err(failed)?;
        if facts.kind != Kind::File {
            return Err(format!(":include: file {path} is not a regular file"));
        }
        if facts.mode & WORLD_WRITABLE != 0 {
            return Err(format!(":include: file {path} is world writable"));
        }
        let mut text = Vec::new();
        file.take(INCLUDE_LIMIT_BYTES).read_to_end(&mut text).map_err(failed)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn has_user(&self, name: &str) -> Option<bool> {
        match users::user(name) {
            Ok(user) => Some(user.is_some()),
            Err(error) => {
                log::warn!("look user {name} up: {error}");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_list_that_anyone_may_write_is_not_used() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "joe\n").unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(System.include(path), Ok("joe\n".to_owned()));
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(System.include(path), Err(format!(":include: file {path} is world writable")));
        assert_eq!(
            System.include("/dev/null"),
            Err(":include: file /dev/null is not a regular file".to_owned())
        );
        let missing = "unable to lookup :include: file /nonexistent: No such file or directory";
        assert_eq!(System.include("/nonexistent"), Err(missing.to_owned()));
    }
}
