//! The settings of cleanup(8), for programs that do its work themselves.
//!
//! With Postfix mail goes through the service that `cleanup_service_name` names, and what its line in master.cf sets
//! with `-o` counts there: mail that is submitted by `authclean` has other header checks than mail that comes in. Here
//! no mail passes that process, but the same line counts.

use std::io::ErrorKind;
use std::path::Path;

use parameters::Config;
use parameters::master_cf::{Kind, MasterFile, Service};

use crate::configuration::{Asker, load};
use crate::{Setup, StartError};

/// The program of such a service.
const PROGRAM: &str = "cleanup";
/// What master sets by itself, and cleanup(8) does not ask for.
const STRESS: &str = "stress";

impl Setup {
    /// What cleanup(8) would work with on mail of this program: main.cf, and above it the entry of master.cf that
    /// `cleanup_service_name` names. The `-o` of this program's own entry does not count.
    ///
    /// # Errors
    /// [`StartError`] when master.cf can not be read, or has no such entry.
    pub fn cleanup_config(&self) -> Result<Config, StartError> {
        let name = self.config.get(&parameters::CLEANUP_SERVICE_NAME);
        let entry = entry(&self.config_directory, &name)?;
        let entry = match entry {
            Some(entry) => Some(checked(entry)),
            // Without the usual entry there is nothing that it sets.
            None if name == PROGRAM => None,
            None => return Err(StartError::Refused(missing(&name))),
        };
        let overrides = entry.map(|entry| entry.overrides).unwrap_or_default();
        let own = self.arguments.overrides.iter().any(|(name, _)| name != STRESS);
        if overrides.is_empty() && !own {
            return Ok(self.config.clone());
        }
        let asker = Asker { program: PROGRAM, service: &name, overrides: &overrides };
        Ok(load(&self.config_directory, &asker)?)
    }
}

fn missing(name: &str) -> String {
    format!(
        "cleanup_service_name = {name}: master.cf has no service of that name: add one, as in \
         \"{name} unix n - n - 0 cleanup\""
    )
}

/// The entry of master.cf, if it is there. A directory without master.cf has none.
fn entry(directory: &Path, name: &str) -> Result<Option<Service>, StartError> {
    let path = directory.join("master.cf");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StartError::step("read master.cf", source)),
    };
    // Master tells of lines that can not be used.
    let file = MasterFile::read(&parameters::text::from_bytes(&bytes), &path.to_string_lossy());
    Ok(file.services.into_iter().find(|service| service.name == name && service.kind == Kind::Unix))
}

/// Another program can not be asked.
fn checked(entry: Service) -> Service {
    let program = Path::new(&entry.command).file_name().unwrap_or_default();
    if program != PROGRAM {
        log::warn!(
            "master.cf: line {}: service {}: {} is not run: this program does the work of cleanup(8) itself",
            entry.line,
            entry.name,
            entry.command
        );
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASTER_CF: &str = "cleanup unix n - n - 0 cleanup\n -o header_checks=\n\
        authclean unix n - n - 0 cleanup\n  -o { always_bcc = a@b } -o body_checks=\n\
        authclean inet n - n - 0 smtpd\n";

    fn overrides(name: &str) -> Option<Vec<(String, String)>> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("master.cf"), MASTER_CF).unwrap();
        entry(directory.path(), name).unwrap().map(|entry| entry.overrides)
    }

    #[test]
    fn the_entry_of_that_name_counts() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(overrides("cleanup"), Some(vec![pair("header_checks", "")]));
        assert_eq!(overrides("authclean"), Some(vec![pair("always_bcc", "a@b"), pair("body_checks", "")]));
        assert_eq!(overrides("other"), None);
    }

    #[test]
    fn without_master_cf_there_is_none() {
        let directory = tempfile::tempdir().unwrap();
        assert!(entry(directory.path(), "cleanup").unwrap().is_none());
    }
}
